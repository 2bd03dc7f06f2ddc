public import XChatEvents

extension Session {
    /// A session that knows what another one knew.
    ///
    /// - Parameter state: ``state`` of that session.
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

    /// All that this session knows.
    public var state: SessionState { SessionState(self) }

    /// What this session knows of a user; nil for nothing.
    ///
    /// - Parameter user: The user.
    /// - Returns: The pins and the rejected keys.
    public func state(of user: UserID) -> UserState? {
        let (pins, rejected) = (pins.pins(of: user), pins.rejected[user])
        guard pins != nil || rejected != nil else { return nil }
        return UserState(userID: user, pins: pins ?? PinnedKeys.Pins(), rejected: rejected ?? [])
    }

    /// What this session knows of a conversation; nil for nothing.
    ///
    /// - Parameter conversation: The canonical conversation id.
    /// - Returns: The keys and the membership log.
    public func state(of conversation: ConversationID) -> ConversationState? {
        let (keys, membership) = (keyRing.held(of: conversation), memberships[conversation])
        guard keys != nil || membership != nil else { return nil }
        return ConversationState(conversation: conversation, keys: keys ?? KeyRing.Held(), membership: membership)
    }

    /// Replaces what this session knows of a user.
    ///
    /// - Parameter state: What was stored of the user.
    public mutating func restore(_ state: UserState) {
        let hasPins = !state.pins.keys.isEmpty || !state.pins.unknown.isEmpty
        pins.replace(hasPins ? state.pins : nil, rejected: state.rejected, of: state.userID)
    }

    /// Replaces what this session knows of a conversation.
    ///
    /// - Parameter state: What was stored of the conversation.
    public mutating func restore(_ state: ConversationState) {
        keyRing.replace(state.keys, of: state.conversation)
        memberships[state.conversation] = state.membership
    }

    /// The conversations of which something is known, in no order; one can come twice.
    package var knownConversations: [ConversationID] { Array(keyRing.heldConversations) + memberships.keys }

    // MARK: Changes

    /// The users and conversations whose states differ from those of another session, in byte order.
    ///
    /// What was added, changed or removed is listed, and nothing else: a state that was written again with the same
    /// contents did not change. The cost is small where this session began as a copy of the other one, because what
    /// both still share is not compared.
    /// - Parameter base: The session as it was before.
    /// - Returns: Whose states differ; ``state(of:)-(UserID)`` is nil for those that are not known any more.
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
