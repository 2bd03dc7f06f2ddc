import Synchronization
import XChatFiles

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Runs `body` to its end, or until SIGINT or SIGTERM cancels it; a second signal ends the program at once.
///
/// - Returns: What `body` returned; nil where a signal made it fail.
func untilSignal<Result: Sendable>(
    _ body: sending @escaping @isolated(any) () async throws -> Result
) async throws -> Result? {
    let stop = Stop()
    // Before the body starts: what it prints must not invite a signal that nothing handles yet.
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

    /// Sets what the first signal does; a signal that came before does it now.
    func cancels(_ cancel: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            state.cancel = cancel
            return state.count > 0
        }
        if isLate { cancel() }
    }

    /// Counts a signal.
    func isSecond() -> Bool {
        let (count, cancel) = state.withLock { state in
            state.count += 1
            return (state.count, state.cancel)
        }
        if count == 1 { cancel?() }
        return count > 1
    }
}
