import XChat
import XChatEvents
import XChatHTTP

extension RemoteSession {
    /// A group as the server describes it, its history read.
    ///
    /// Title, avatar and the like are the server's word. A member list that differs from the membership log is reported and not
    /// used.
    mutating func group(_ conversation: ConversationID) async throws -> ListedConversation {
        guard conversation.isGroup else { throw CommandError("\(conversation) is not a group") }
        let described = try await client.conversation(try ConversationTarget(conversation))
        _ = try await history(of: conversation)
        if let members = session.memberships[conversation], let listed = described.memberIDs,
            Set(listed) != members.present
        {
            Output.warning(
                "the server's member list for \(conversation) differs from the locally known one, which is used; compare them "
                    + "with: xchat group accept \(conversation)"
            )
        }
        return described
    }

    /// The readers of a new key of a conversation, their keys pinned: both users of a 1:1, the present members of a group.
    mutating func readers(of conversation: ConversationID) async throws -> [UserID] {
        var users: [UserID]
        if let (first, second) = conversation.participants {
            users = first == second ? [first] : [first, second]
        } else {
            _ = try await group(conversation)
            users = session.memberships[conversation]?.present.sorted() ?? []
        }
        try await pinKeys(of: users)
        return users
    }

    /// Makes a key for a conversation, posts it and keeps it.
    ///
    /// - Returns: What the command prints.
    mutating func changeKey(of conversation: ConversationID) async throws -> JSONValue {
        _ = try await readers(of: conversation)
        let change: KeyChange
        do {
            change = try prepare { (session) throws(XChatError) in try session.prepareKeyChange(in: conversation) }
        } catch {
            throw advised(error, conversation)
        }
        let added = try await client.addKeys(change)
        try adopt(change)
        return answer(change, sequenceID: added.sequenceID)
    }

    /// What a command that brings a new key prints.
    func answer(_ change: KeyChange, sequenceID: WireString?) -> JSONValue {
        [
            "conversation_id": .string(change.conversationID.value),
            "conversation_key_version": .string(change.version),
            "sequence_id": .init(sequenceID),
        ]
    }
}

/// An error about the keys that are served for a user, with the command that is the way out.
func advised(_ error: XChatError, _ user: UserID) -> CommandError {
    let isAboutPins = [.pinChanged, .pinRolledBack, .pinRejected].contains(error.code)
    return CommandError(error.message + (isAboutPins ? "; xchat keys trust \(user)" : ""))
}

/// An error about a conversation, with the command that is the way out.
func advised(_ error: XChatError, _ conversation: ConversationID) -> CommandError {
    let advice =
        switch error.code {
        case .rotationNeeded, .disputedKey: "; xchat conversation rotate \(conversation), or send --rotate"
        case .membershipUnproven, .membershipUnjudged: "; xchat group accept \(conversation)"
        default: ""
        }
    return CommandError("\(error.message)\(advice)")
}
