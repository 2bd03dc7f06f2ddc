import XChatEngine
import XChatEvents

extension Account {
    /// Follows one conversation from its beginning, without saving a position.
    ///
    /// Each event is handed out once, refused ones too. One that was refused because a key was missing is handed out
    /// again when the key has come.
    /// - Parameters:
    ///   - conversation: The conversation.
    ///   - body: Takes an event.
    /// - Throws: What `body` throws, and what keeps the conversation from being read.
    package func follow(
        _ conversation: ConversationID,
        _ body: (OpenedEvent) async throws -> Void
    ) async throws {
        let feed = try await Feed.open(self, only: conversation)
        let result = await Result { () async throws in
            while var turn = try await nextTurn(of: feed) {
                while let item = turn.pop() {
                    try await body(item.opened)
                    try await turn.handled(item, in: feed.cursors)
                }
                await feed.end(turn)
            }
        }
        await feed.stop()
        try result.get()
    }
}
