import Dispatch

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Calls a closure on another thread for each SIGINT, SIGTERM and SIGHUP until it is cancelled.
package struct SignalHandler {
    private var handled: [(source: any DispatchSourceSignal, restore: () -> Void)] = []

    package init(_ handle: @escaping @Sendable (_ number: Int32) -> Void) {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let before = signal(number, SIG_IGN)
            let wasIgnored = unsafe unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
            // A program that `nohup` starts must survive the end of its terminal.
            if number == SIGHUP, wasIgnored { continue }
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { handle(number) }
            // The source starts on another thread; a signal before that would be lost.
            let hasStarted = DispatchSemaphore(value: 0)
            source.setRegistrationHandler { hasStarted.signal() }
            source.resume()
            hasStarted.wait()
            handled.append((source, { _ = signal(number, before) }))
        }
    }

    package func cancel() {
        for (source, restore) in handled {
            source.cancel()
            restore()
        }
    }

    /// Ends the program at once, with the exit status of a program that a signal ended.
    package static func exit(_ number: Int32) -> Never {
        _exit(128 + number)
    }
}

/// Waits 10 ms for a lock or a name.
func sleepBriefly() {
    usleep(10_000)
}
