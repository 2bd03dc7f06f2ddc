package import XChatEngine
package import XChatEvents
package import XChatHTTP

extension RemoteSession {
    /// A group as the server describes it, its history read.
    ///
    /// Title, avatar and the like are the server's word. A member list that differs from the membership log is reported and not
    /// used.
    package mutating func group(_ conversation: ConversationID) async throws -> ListedConversation {
        guard conversation.isGroup else { throw AccountError("\(conversation) is not a group") }
        let described = try await client.conversation(try ConversationTarget(conversation))
        _ = try await history(of: conversation)
        if let members = session.memberships[conversation], let listed = described.memberIDs,
            Set(listed) != members.present
        {
            report(.memberListDiffers(conversation))
        }
        return described
    }

    /// The readers of a new key of a conversation, their keys pinned: both users of a 1:1, the present members of a group.
    package mutating func readers(of conversation: ConversationID) async throws -> [UserID] {
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
    /// - Returns: The change, and its sequence id where the server names one.
    package mutating func changeKey(
        of conversation: ConversationID
    ) async throws -> (change: KeyChange, sequenceID: WireString?) {
        _ = try await readers(of: conversation)
        let change: KeyChange
        do {
            change = try prepare { (session) throws(XChatError) in try session.prepareKeyChange(in: conversation) }
        } catch {
            throw AccountError(error, conversation: conversation)
        }
        let added = try await client.addKeys(change)
        try adopt(change)
        return (change, added.sequenceID)
    }
}
