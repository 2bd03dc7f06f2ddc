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
    let task = Task(operation: body)
    let stop = Stop()
    let signals = SignalHandler { number in
        if stop.isSecond() { SignalHandler.exit(number) }
        task.cancel()
    }
    defer { signals.cancel() }
    do {
        return try await task.value
    } catch {
        guard stop.hasHappened else { throw error }
        return nil
    }
}

private final class Stop: Sendable {
    private let count = Mutex(0)

    var hasHappened: Bool { count.withLock { $0 > 0 } }

    func isSecond() -> Bool {
        count.withLock { count in
            count += 1
            return count > 1
        }
    }
}
