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
}
