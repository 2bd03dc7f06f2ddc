import Foundation
import XChatEngine
import XChatEvents
import XChatHTTP

/// One walk from the newest event of a conversation back to what was handled already, which may be among the events.
struct NewEvents: Sendable {
    /// The events, oldest first.
    var events: [ServedEvent] = []
    /// The base64 of the key changes that the server delivered with them, oldest first.
    var keyEvents: [String] = []
    /// How many pages the server answered.
    var pages = 0
    /// Whether the walk reached the beginning of the conversation.
    var isWhole = false
    /// What the server could not deliver.
    var problems: [APIError] = []
}

extension Account {
    /// The longest rate limit that a walk waits for with its place kept.
    private static let longestWait = Duration.seconds(15 * 60)

    /// Reads what is new in a conversation, newest page first, back to a sequence id.
    ///
    /// A rate limit interrupts the walk and does not end it: it goes on from the same page.
    /// - Parameters:
    ///   - conversation: The conversation.
    ///   - sequence: Where to stop; nil to read the whole history.
    /// - Returns: The new events.
    /// - Throws: `APIError`.
    func newEvents(in conversation: ConversationID, after sequence: UInt64?) async throws(APIError) -> NewEvents {
        let target = try ConversationTarget(conversation)
        var pages: [EventPage] = []
        var walk = PageWalk()
        var bytes = 0
        var token: String?
        var reached = false
        repeat {
            let page = try await page(of: target, token)
            bytes += page.byteCount
            guard bytes <= client.limits.historyBytes else {
                throw APIError(.tooLarge, "the new events are larger than \(client.limits.historyBytes) bytes")
            }
            pages.append(page)
            if let sequence { reached = page.events.contains { $0.number.map { $0 <= sequence } ?? false } }
            token = try walk.follow(page.nextToken)
        } while token != nil && !reached
        var seen: Set<WireString> = []
        let oldestFirst = pages.reversed()
        var new = NewEvents(pages: pages.count, isWhole: !reached)
        new.keyEvents = oldestFirst.flatMap(\.keyEvents).filter { seen.insert(WireString($0)).inserted }
        new.events = oldestFirst.flatMap { $0.events.reversed() }.filter { event in
            event.encodedEvent.isEmpty || seen.insert(WireString(event.encodedEvent)).inserted
        }
        new.problems = oldestFirst.flatMap(\.problems)
        return new
    }

    private func page(of target: ConversationTarget, _ token: String?) async throws(APIError) -> EventPage {
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

extension ServedEvent {
    /// The server's sequence id as a number.
    var number: UInt64? { id.flatMap { SequenceID(validating: $0)?.number } }
}
