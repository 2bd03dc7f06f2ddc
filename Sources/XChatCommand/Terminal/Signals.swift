import Synchronization
import XChatFiles

/// Runs `body` to its end, or until SIGINT, SIGTERM or SIGHUP cancels it; a second signal ends the program at once.
///
/// - Returns: The value of `body`; nil if it failed after a signal.
func untilSignal<Result: Sendable>(
    _ body: sending @escaping @isolated(any) () async throws -> Result
) async throws -> Result? {
    let stop = Stop()
    // Signals are handled before the body starts: a program that reads its output can send one at once.
    let signals = SignalHandler { number in
        if stop.isSecond() { SignalHandler.exit(number) }
    }
    defer { signals.cancel() }
    let task = Task(operation: body)
    stop.cancels { task.cancel() }
    do {
        return try await task.value
    } catch {
        guard stop.hasHappened else { throw error }
        return nil
    }
}

private final class Stop: Sendable {
    private struct State {
        var count = 0
        var cancel: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    var hasHappened: Bool { state.withLock { $0.count > 0 } }

    /// Sets the action of the first signal; if that signal has already come, runs the action now.
    func cancels(_ cancel: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            state.cancel = cancel
            return state.count > 0
        }
        if isLate { cancel() }
    }

    /// Counts a signal, and cancels at the first; returns whether it is a later one.
    func isSecond() -> Bool {
        let (count, cancel) = state.withLock { state in
            state.count += 1
            return (state.count, state.cancel)
        }
        if count == 1 { cancel?() }
        return count > 1
    }
}
