import Dispatch
import Synchronization

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
        if stop.isSecond() { _exit(128 + number) }
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

/// Has a closure called for each SIGINT, SIGTERM and SIGHUP, on a thread of its own, until it is cancelled.
struct SignalHandler {
    private var handled: [(source: any DispatchSourceSignal, restore: () -> Void)] = []

    init(_ handle: @escaping @Sendable (_ number: Int32) -> Void) {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let before = signal(number, SIG_IGN)
            let wasIgnored = unsafe unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
            // Whoever was started by nohup outlives its terminal.
            if number == SIGHUP, wasIgnored { continue }
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { handle(number) }
            // It begins on another thread; until then the signal would be lost.
            let hasBegun = DispatchSemaphore(value: 0)
            source.setRegistrationHandler { hasBegun.signal() }
            source.resume()
            hasBegun.wait()
            handled.append((source, { _ = signal(number, before) }))
        }
    }

    func cancel() {
        for (source, restore) in handled {
            source.cancel()
            restore()
        }
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
