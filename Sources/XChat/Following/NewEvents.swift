import Foundation
import XChatEngine
import XChatEvents
import XChatHTTP

/// Consecutive new events of a conversation, which are given to the session in one delivery.
struct NewEvents: Sendable {
    /// The events, oldest first.
    var events: [ServedEvent] = []
    /// The base64 of the key change events that belong to them, oldest first.
    var keyEvents: [String] = []
    /// How many pages of the history they come from.
    var pages = 0
    /// Whether they reach back to the beginning of the conversation.
    var isWhole = false
    /// The errors about events that the server did not return.
    var problems: [APIError] = []

    init() {}

    /// The joined pages of a history.
    init(_ history: History, isWhole: Bool) {
        (events, keyEvents, problems) = (history.events, history.keyEvents, history.problems)
        (pages, self.isWhole) = (history.pageCount, isWhole)
    }
}

extension Account {
    /// The longest rate limit that reading a history waits for.
    private static let longestWait = Duration.seconds(15 * 60)

    /// Reads the whole history of a conversation into memory.
    ///
    /// After the end of a rate limit of at most 15 minutes, reading continues at the same page.
    /// - Parameter conversation: The conversation.
    /// - Returns: All events.
    /// - Throws: `APIError`; `too_large` for a history of more than ``ChatClient/Limits/historyBytes``.
    func wholeHistory(of conversation: ConversationID) async throws(APIError) -> NewEvents {
        let target = try ConversationTarget(conversation)
        var walk = HistoryWalk(maximumBytes: client.limits.historyBytes)
        var token: String?
        repeat { token = try walk.add(try await page(of: target, token)) } while token != nil
        return NewEvents(walk.history, isWhole: true)
    }

    /// Fetches a page of a history.
    ///
    /// For a page after the first one, waits until the end of a rate limit.
    func page(of target: ConversationTarget, _ token: String?) async throws(APIError) -> EventPage {
        while true {
            do throws(APIError) {
                return try await client.events(in: target, paginationToken: token)
            } catch {
                // At the first page there is no progress to lose, so the caller decides how long to wait.
                guard error.code == .rateLimited, token != nil else { throw error }
                try await waitForRateLimit(error)
            }
        }
    }

    private func waitForRateLimit(_ error: APIError) async throws(APIError) {
        let wait = error.resetAt.map { Duration.seconds(max(1, $0.timeIntervalSinceNow)) } ?? .seconds(60)
        guard wait <= Self.longestWait else { throw error }
        configuration.notify?(.waitingForRateLimit(error))
        do {
            try await Task.sleep(for: wait)
        } catch {
            throw APIError(.cancelled, "the task was cancelled")
        }
    }
}

extension EventPage {
    /// Whether one of the events has this sequence id or a lower one.
    func reaches(_ sequence: UInt64?) -> Bool {
        guard let sequence else { return false }
        return events.contains { $0.number.map { $0 <= sequence } ?? false }
    }
}

extension ServedEvent {
    /// The server's sequence id as a number.
    var number: UInt64? { id.flatMap { SequenceID(validating: $0)?.number } }
}
