import Synchronization
import XChat
import XChatFiles
import XChatHTTP
import XChatText

/// Shows the progress of a transfer on standard error, if that is a terminal.
///
/// This is a class, because the transfer reports from its own task. The line is erased when the last reference is
/// released.
final class ProgressDisplay: Sendable {
    private let label: String
    private let isShown: Bool
    private let start = ContinuousClock.now
    private let next = Mutex(ContinuousClock.now)

    init(_ label: String, isQuiet: Bool) {
        self.label = label
        let isDumb = (try? Environment.text("TERM")) == "dumb"
        isShown = !isQuiet && !isDumb && Descriptor.standardError.isTerminal
    }

    /// Shows the progress, at most ten times a second.
    func show(_ progress: MediaProgress) {
        let now = ContinuousClock.now
        guard isShown, isDue(now) else { return }
        let text = progressText(
            label,
            done: progress.doneBytes,
            total: progress.totalBytes,
            elapsed: now - start,
            columns: Descriptor.standardError.columns ?? 80
        )
        write("\r\(text)\u{1B}[K")
    }

    private func isDue(_ now: ContinuousClock.Instant) -> Bool {
        next.withLock { next in
            guard now >= next else { return false }
            next = now + .milliseconds(100)
            return true
        }
    }

    deinit {
        if isShown { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) {
        _ = try? Descriptor.standardError.write(Array(text.utf8))
    }
}
