import XChatEngine
import XChatEvents

extension Account {
    /// Follows one conversation from its beginning, without saving a position.
    ///
    /// `body` receives each event once, including refused events. An event that was refused because a key was missing
    /// is passed again after the key arrived.
    /// - Parameters:
    ///   - conversation: The conversation.
    ///   - body: Handles an event.
    /// - Throws: What `body` throws; the error that prevents reading the conversation.
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
