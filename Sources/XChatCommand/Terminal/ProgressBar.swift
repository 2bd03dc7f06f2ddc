import Synchronization
import XChat
import XChatFiles
import XChatHTTP
import XChatText

/// Shows the progress of transfers, one after the other, on standard error, if that is a terminal.
///
/// This is a class, because transfers report from their own tasks. The line is erased when the last reference is
/// released.
final class ProgressDisplay: Sendable {
    private struct Transfer {
        let label: String
        let start: ContinuousClock.Instant
        /// When the progress may be shown again.
        var next: ContinuousClock.Instant
    }

    private let isShown: Bool
    private let transfer = Mutex<Transfer?>(nil)

    init(isQuiet: Bool) {
        let isDumb = (try? Environment.text("TERM")) == "dumb"
        isShown = !isQuiet && !isDumb && Descriptor.standardError.isTerminal
    }

    /// Shows the progress of the transfer with a label, at most ten times a second.
    func show(_ progress: MediaProgress, of label: String) {
        let now = ContinuousClock.now
        guard isShown, let start = startIfDue(label, now) else { return }
        let text = progressText(
            label,
            done: progress.doneBytes,
            total: progress.totalBytes,
            elapsed: now - start,
            columns: Descriptor.standardError.columns ?? 80
        )
        write("\r\(text)\u{1B}[K")
    }

    /// The start of a transfer; nil if its progress was shown a moment ago.
    private func startIfDue(_ label: String, _ now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        transfer.withLock { transfer in
            if transfer?.label != label { transfer = Transfer(label: label, start: now, next: now) }
            guard let current = transfer, now >= current.next else { return nil }
            transfer?.next = now + .milliseconds(100)
            return current.start
        }
    }

    deinit {
        if isShown { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) {
        _ = try? Descriptor.standardError.write(Array(text.utf8))
    }
}
