import XChat
import XChatEvents
import XChatHTTP

extension RemoteSession {
    /// The keys of everybody who is to receive a conversation key; one's own from the state, the others' pinned.
    mutating func keys(of users: [UserID]) async throws -> [BoundKey] {
        var keys: [BoundKey] = []
        for user in users {
            if user == session.userID {
                keys += try ownKey()
                continue
            }
            let served: [BoundKey]
            do {
                served = try await servedKeys(of: user)
            } catch let error as APIError where error.code == .notFound {
                served = []
            }
            guard !served.isEmpty else { throw CommandError("user \(user) has no keys registered with this server") }
            keys += served
        }
        return keys
    }

    private func ownKey() throws -> [BoundKey] {
        guard let keys = session.privateKeys, let version = session.signingKeyVersion else {
            throw CommandError("one's own keys are not registered yet: xchat keys register")
        }
        return [try keys.boundKey(userID: session.userID, version: version)]
    }

    /// A group as the server describes it, unless other members of it are known.
    mutating func group(_ conversation: ConversationID) async throws -> ListedConversation {
        guard conversation.isGroup else { throw CommandError("\(conversation) is not a group") }
        let described = try await client.conversation(try ConversationTarget(conversation))
        _ = try await history(of: conversation)
        if let roster = session.keptRosters[conversation], roster.members != Set(described.memberIDs ?? []) {
            throw CommandError(
                "the server names other members of \(conversation) than its signed events do, or the server itself at first"
            )
        }
        return described
    }

    /// Everybody who reads a conversation.
    mutating func members(of conversation: ConversationID) async throws -> [UserID] {
        if let (first, second) = conversation.participants { return first == second ? [first] : [first, second] }
        return try await group(conversation).memberIDs ?? []
    }

    /// Keeps a key that the server accepted, and prints where it stands.
    mutating func announce(_ change: KeyChange, sequenceID: WireString?) throws {
        adopt(change)
        try save()
        let answer: JSONValue = [
            "conversation_id": .string(change.conversationID.value),
            "conversation_key_version": .string(change.version),
            "sequence_id": .init(sequenceID),
        ]
        try Output.result(answer.line)
    }
}
