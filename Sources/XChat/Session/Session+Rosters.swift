import XChatEvents

// Who belongs to a conversation is asked in three ways: whose keys may seal now, who may have said something at its own
// place in a history, and who may ever have said what somebody quotes.
extension Session {
    /// What a user is to a conversation at present.
    enum Standing {
        case member, formerMember, stranger
        /// Of a group about which nothing is known.
        case unknown
    }

    /// Told by the two ids of a 1:1; for a group by the caller, or else by the roster that is kept.
    func standing(of user: UserID, in conversation: ConversationID) -> Standing {
        if let isOneOfTwo = conversation.isOneOfTwo(user) { return isOneOfTwo ? .member : .stranger }
        let kept = keptRosters[conversation]
        guard let members = rosters[conversation] ?? kept?.members else { return .unknown }
        if members.contains(user) { return .member }
        return kept?.names(user) ?? false ? .formerMember : .stranger
    }

    /// How far a key is trusted that a user announces, at most; nil where nothing of it is to be kept.
    ///
    /// Anybody can sign a key change for any group, and the server can invent anybody: without knowing that the signer
    /// is a member, a key is nothing to seal under.
    func level(ofKeysBy user: UserID, in conversation: ConversationID) -> KeyLevel? {
        switch standing(of: user, in: conversation) {
        case .member: .verified
        case .unknown: user == userID ? .verified : .legacy
        case .formerMember: .legacy
        case .stranger: nil
        }
    }

    /// Refuses a conversation that the user is known to stand outside of.
    func requireMembership(of conversation: ConversationID) throws(XChatError) {
        guard mayBelong(userID, to: conversation) else {
            throw XChatError(
                .notAParticipant,
                "user \(printable(userID)) is not in \(printable(conversation.value))"
            )
        }
    }

    /// False only where it is known that a user is not in a conversation now.
    func mayBelong(_ user: UserID, to conversation: ConversationID) -> Bool {
        switch standing(of: user, in: conversation) {
        case .member: true
        case .formerMember, .stranger: false
        case .unknown: learnedRosters[conversation]?.contains(user) ?? true
        }
    }

    /// False only where it is known that a user was not in a conversation when it got the event that is looked at.
    private func mayHaveBelonged(_ user: UserID, to conversation: ConversationID) -> Bool {
        if let isOneOfTwo = conversation.isOneOfTwo(user) { return isOneOfTwo }
        if let members = rosters[conversation] ?? learnedRosters[conversation] { return members.contains(user) }
        return keptRosters[conversation]?.names(user) ?? true
    }

    /// Whether the sender may have been in the conversation when it got the event, or need not.
    func isMember(senderOf event: MessageEvent) -> Bool {
        guard let conversation = event.canonicalConversationID, let sender = event.senderID else { return true }
        return mayHaveBelonged(sender, to: conversation) || conversation.isGroup && event.isRequestToJoin(by: sender)
    }

    /// Refuses a quoted event whose author is known never to have been in the conversation.
    ///
    /// Who left it since may be quoted. What is quoted has no place in the history of its own.
    func requireAuthorship(of event: MessageEvent) throws(XChatError) {
        guard let conversation = event.canonicalConversationID, let sender = event.senderID else { return }
        let isKnown: Bool
        if let members = rosters[conversation] {
            isKnown = members.contains(sender)
        } else {
            let (learned, kept) = (learnedRosters[conversation], keptRosters[conversation])
            isKnown =
                conversation.isOneOfTwo(sender)
                ?? (learned == nil && kept == nil || learned?.contains(sender) == true || kept?.names(sender) == true)
        }
        guard isKnown else { throw notAParticipant(event) }
    }

    func notAParticipant(_ event: MessageEvent) -> XChatError {
        XChatError(
            .notAParticipant,
            "sender \(printable(event.senderID ?? "")) is not in conversation \(printable(event.conversationID ?? ""))"
        )
    }

    // MARK: What events tell

    /// Learns who is in a group from then on, in the order of its history.
    mutating func learnRoster(from event: Event) {
        guard let (change, conversation, sender) = event.groupChange else { return }
        learnedRosters[conversation] =
            change.members(after: learnedRosters[conversation], by: sender) ?? learnedRosters[conversation]
    }

    /// Applies changes to the rosters that are kept, but for those up to the last one that is in them already.
    mutating func keepRosters(from events: [Event]) {
        var known: [ConversationID: Int] = [:]
        for (index, event) in events.enumerated() {
            guard let (_, conversation, _) = event.groupChange, let last = keptRosters[conversation]?.lastChange,
                event.received.messageID == last
            else { continue }
            known[conversation] = index
        }
        for (index, event) in events.enumerated() {
            let place = event.received.canonicalConversationID.flatMap { known[$0] }
            if index > place ?? -1 { keepRoster(from: event) }
        }
    }

    /// Applies a change to the roster that is kept: of changes only those by its members, of creations only the first.
    private mutating func keepRoster(from event: Event) {
        guard let (change, conversation, sender) = event.groupChange else { return }
        guard let kept = keptRosters[conversation] else {
            guard case .groupCreate = change, let members = change.members(after: nil, by: sender) else { return }
            keptRosters[conversation] = GroupRoster(members: members, lastChange: event.received.messageID)
            return
        }
        guard kept.members.contains(sender), let members = change.members(after: kept.members, by: sender) else {
            return
        }
        keptRosters[conversation] = kept.changed(to: members, by: event.received.messageID)
    }
}

extension MessageEvent {
    /// Whether a user asks to be let into a group, who therefore is not in it yet.
    fileprivate func isRequestToJoin(by user: UserID) -> Bool {
        guard case .groupChangeEvent(let group) = detail, case .groupJoinRequest(let request) = group.groupChange else {
            return false
        }
        return request.requestingUserID == user
    }
}

extension Event {
    /// A verified change of a group, the group, and who changed it.
    fileprivate var groupChange: (GroupChange, ConversationID, sender: UserID)? {
        guard isVerified, case .groupChangeEvent(let group) = received.detail, let change = group.groupChange,
            let conversation = received.canonicalConversationID, conversation.isGroup, let sender = received.senderID
        else { return nil }
        return (change, conversation, sender)
    }
}

extension GroupChange {
    /// Who is in the group after the change; nil where the change does not tell.
    fileprivate func members(after members: Set<UserID>?, by sender: UserID) -> Set<UserID>? {
        switch self {
        case .groupCreate(let create):
            // The signature of a creation does not cover the conversation: it tells nothing where something is known.
            members == nil ? Set(create.memberIDs ?? []).union([sender]) : nil
        case .groupMemberAdd(let addition):
            Set(addition.currentMemberIDs ?? []).union(addition.memberIDs ?? [])
        case .groupMemberRemove(let removal):
            members?.subtracting(removal.memberIDs ?? [])
        default:
            nil
        }
    }
}
