import Dispatch

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Has a closure called for each SIGINT, SIGTERM and SIGHUP, on a thread of its own, until it is cancelled.
package struct SignalHandler {
    private var handled: [(source: any DispatchSourceSignal, restore: () -> Void)] = []

    package init(_ handle: @escaping @Sendable (_ number: Int32) -> Void) {
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

    package func cancel() {
        for (source, restore) in handled {
            source.cancel()
            restore()
        }
    }
}
