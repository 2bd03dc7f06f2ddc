import XChat
import XChatEvents
import XChatHTTP

extension RemoteSession {
    /// Seals a draft, posts it, and says where it stands: the one way of every command that sends.
    ///
    /// The newest key of the state is used; where there is none, the conversation's key changes are fetched. A key is
    /// never started or rotated here.
    mutating func send(_ draft: Draft, in conversation: ConversationID) async throws -> JSONValue {
        if session.keyRing.newestVersion(in: conversation) == nil {
            try await fetchKeys(of: conversation)
        }
        let sent = try await post(try session.seal(draft, in: conversation))
        return [
            "message_id": .string(sent.messageID),
            "sequence_id": .string(sent.sequenceID),
            "conversation_id": .string(sent.conversationID.value),
        ]
    }

    private mutating func fetchKeys(of conversation: ConversationID) async throws {
        do {
            _ = try await history(of: conversation)
        } catch let error as APIError {
            guard error.code == .notFound else { throw error }
            throw CommandError(
                "the server has no conversation \(conversation); begin it with: xchat conversation start"
            )
        }
        try save()
    }

    private func post(_ message: SealedMessage) async throws -> SentMessage {
        do {
            return try await client.send(message)
        } catch {
            guard error.failure == .nonLatestCkeyVersion else { throw error }
            throw CommandError(
                "the conversation has a newer key than the state, and the server refused the message; "
                    + "fetch the key with: xchat read \(message.conversationID)"
            )
        }
    }
}
