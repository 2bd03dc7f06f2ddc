import Foundation
import XChatEngine
import XChatEvents
import XChatHTTP

/// A part of a conversation that is delivered as one: events that follow on what was delivered before.
struct NewEvents: Sendable {
    /// The events, oldest first.
    var events: [ServedEvent] = []
    /// The base64 of the key changes that belong to them, oldest first.
    var keyEvents: [String] = []
    /// How many pages the server answered.
    var pages = 0
    /// Whether they reach back to the beginning of the conversation.
    var isWhole = false
    /// What the server could not deliver.
    var problems: [APIError] = []

    init() {}

    /// The joined pages of a history.
    init(_ history: History, isWhole: Bool) {
        (events, keyEvents, problems) = (history.events, history.keyEvents, history.problems)
        (pages, self.isWhole) = (history.pageCount, isWhole)
    }
}

extension Account {
    /// The longest rate limit that a walk waits for with its place kept.
    private static let longestWait = Duration.seconds(15 * 60)

    /// Reads the whole history of a conversation into memory.
    ///
    /// A rate limit interrupts the walk and does not end it: it goes on from the same page.
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

    /// Fetches a page of a history; waits while a rate limit allows none.
    func page(of target: ConversationTarget, _ token: String?) async throws(APIError) -> EventPage {
        while true {
            do throws(APIError) {
                return try await client.events(in: target, paginationToken: token)
            } catch {
                // Without a place to keep, the caller decides how long to wait.
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
    /// Whether one of the events was handled, as its place says.
    func reaches(_ sequence: UInt64?) -> Bool {
        guard let sequence else { return false }
        return events.contains { $0.number.map { $0 <= sequence } ?? false }
    }
}

extension ServedEvent {
    /// The server's sequence id as a number.
    var number: UInt64? { id.flatMap { SequenceID(validating: $0)?.number } }
}
