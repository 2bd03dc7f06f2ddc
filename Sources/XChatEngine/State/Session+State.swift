public import XChatEvents

extension Session {
    /// Creates a session from the saved state of another one.
    ///
    /// - Parameter state: The ``state`` of that session.
    public init(state: SessionState) {
        self.init(
            restoring: state.userID,
            privateKeys: state.privateKeys,
            signingKeyVersion: state.signingKeyVersion,
            unknownFields: state.unknown
        )
        for user in state.users { restore(user) }
        for conversation in state.conversations { restore(conversation) }
    }

    /// The complete state of this session.
    public var state: SessionState { SessionState(self) }

    /// The state of a user; nil if the session knows nothing about the user.
    ///
    /// - Parameter user: The user.
    /// - Returns: The pins and the rejected keys.
    public func state(of user: UserID) -> UserState? {
        let (pins, rejected) = (pins.pins(of: user), pins.rejected[user])
        guard pins != nil || rejected != nil else { return nil }
        return UserState(userID: user, pins: pins ?? PinnedKeys.Pins(), rejected: rejected ?? [])
    }

    /// The state of a conversation; nil if the session knows nothing about it.
    ///
    /// - Parameter conversation: The canonical conversation id.
    /// - Returns: The keys and the membership log.
    public func state(of conversation: ConversationID) -> ConversationState? {
        let (keys, membership) = (keyRing.held(of: conversation), memberships[conversation])
        guard keys != nil || membership != nil else { return nil }
        return ConversationState(conversation: conversation, keys: keys ?? KeyRing.Held(), membership: membership)
    }

    /// Replaces the state of a user.
    ///
    /// - Parameter state: The stored state of the user.
    public mutating func restore(_ state: UserState) {
        let hasPins = !state.pins.keys.isEmpty || !state.pins.unknown.isEmpty
        pins.replace(hasPins ? state.pins : nil, rejected: state.rejected, of: state.userID)
    }

    /// Replaces the state of a conversation.
    ///
    /// - Parameter state: The stored state of the conversation.
    public mutating func restore(_ state: ConversationState) {
        keyRing.replace(state.keys, of: state.conversation)
        memberships[state.conversation] = state.membership
    }

    /// The conversations that have a state, in no order; a conversation can occur twice.
    package var knownConversations: [ConversationID] { Array(keyRing.heldConversations) + memberships.keys }

    // MARK: Changes

    /// The users and conversations whose states differ from those of another session, in byte order.
    ///
    /// These are the states that were added, changed or removed; a state that was written again with equal contents did
    /// not change. If this session began as a copy of the other one, the cost is small, because storage that both still
    /// share is not compared.
    /// - Parameter base: The session as it was before.
    /// - Returns: The users and conversations; ``state(of:)-(UserID)`` is nil for those whose state was removed.
    package func changed(since base: Session) -> (users: [UserID], conversations: [ConversationID]) {
        var users: Set<UserID> = []
        for user in pins.knownUsers + base.pins.knownUsers where state(of: user) != base.state(of: user) {
            users.insert(user)
        }
        var conversations: Set<ConversationID> = []
        for conversation in knownConversations + base.knownConversations
        where state(of: conversation) != base.state(of: conversation) {
            conversations.insert(conversation)
        }
        return (users.sorted(), conversations.sorted { $0.text < $1.text })
    }
}
