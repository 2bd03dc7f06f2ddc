import Foundation
import XChatEngine
package import XChatEvents

extension Outbox {
    /// Waits until a message is settled: sent, dropped or a dead letter.
    ///
    /// - Parameters:
    ///   - messageID: The id under which it was enqueued.
    ///   - limit: How long to wait at most; nil for no limit.
    ///   - isEnough: Returns true to stop waiting for a queued message.
    /// - Returns: The entry of the message, or of the one that replaced it; nil for an unknown or forgotten message.
    /// - Throws: `damaged`, `file`, `busy`; `CancellationError`.
    package func outcome(
        of messageID: MessageID,
        within limit: Duration? = nil,
        orWhen isEnough: (OutboxEntry) -> Bool = { _ in false }
    ) async throws -> OutboxEntry? {
        let deadline = limit.map { ContinuousClock.now + $0 }
        while true {
            let version = settlements.version
            guard let entry = try await entry(messageID) else { return nil }
            guard entry.state == .queued, !isEnough(entry) else { return entry }
            let rest = deadline.map { $0 - ContinuousClock.now } ?? interval
            if rest <= .zero { return entry }
            // Another process may settle the message, and a temporary failure does not settle it.
            await settlements.wait(after: version, upTo: min(rest, interval))
            try Task.checkCancellation()
        }
    }

    /// The queued messages of a conversation that are posted before another one.
    ///
    /// - Parameters:
    ///   - messageID: The other one.
    ///   - conversation: The conversation.
    /// - Returns: The messages in their order.
    /// - Throws: As ``list(_:)``.
    package func queue(before messageID: MessageID, in conversation: ConversationID) async throws -> [OutboxEntry] {
        Array(try await queue(of: conversation).prefix { $0.messageID != messageID })
    }

    /// Why the first queued message of a conversation is not sent yet; nil if no reason is known.
    package func delay(of conversation: ConversationID) async throws -> String? {
        guard let head = try await queue(of: conversation).first else { return nil }
        if head.failures > 0, let reason = head.reason { return reason }
        guard let time = head.notBefore, time > Date() else { return nil }
        return "the server accepts no more messages before \(time.formatted(.iso8601))"
    }

    /// Waits until a reason is known why the first queued message of a conversation is not sent yet.
    ///
    /// - Returns: The reason; nil if the task was cancelled first.
    package func nextDelay(of conversation: ConversationID) async -> String? {
        while !Task.isCancelled {
            if let reason = try? await delay(of: conversation) { return reason }
            try? await Task.sleep(for: interval)
        }
        return nil
    }

    /// The present entries of messages that became dead letters.
    package func deadLetters(among entries: [OutboxEntry]) async throws -> [OutboxEntry] {
        var found: [OutboxEntry] = []
        for entry in entries {
            guard let now = try await self.entry(entry.messageID), now.state == .deadLetter else { continue }
            found.append(now)
        }
        return found
    }

    private func queue(of conversation: ConversationID) async throws -> [OutboxEntry] {
        try await list([.queued]).filter { $0.conversationID == conversation }
    }

    /// Ends the backoff of a queued message that could not be posted because the server was not reachable.
    ///
    /// A message that fails for another reason keeps its backoff, until its failures make it a dead letter.
    package func retryIfUnreachable(_ entry: OutboxEntry) async throws {
        let isUnreachable = ["connection", "timed_out", "server"].contains(entry.reason?.prefix { $0 != ":" } ?? "")
        if entry.failures > 0, isUnreachable { try await retryIfQueued(entry.messageID) }
    }

    /// Ends the backoff of a message that was listed as queued.
    ///
    /// - Parameter id: The message. If another process has sent or dropped it in the meantime, the call has no effect.
    /// - Throws: As ``retry(_:allowing:)``, except `finished`.
    package func retryIfQueued(_ id: MessageID) async throws {
        do {
            try await retry(id)
        } catch {
            guard error.code == .finished else { throw error }
        }
    }
}
