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
            // A program that `nohup` starts must survive the end of its terminal.
            if number == SIGHUP, isIgnored(before) { continue }
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

    /// Restores the default actions of signals that the Swift runtime handles, unless the signals are ignored.
    ///
    /// If a Swift toolchain is installed, the runtime's handler writes a crash report with registers and memory, which
    /// can contain keys. After a signal that another process sent, the handler then even lets the program continue.
    ///
    /// - SIGQUIT and SIGABRT ask the program to end: from the terminal, or from a supervisor's watchdog. After this
    ///   call they always end the program, without a report.
    /// - SIGILL, SIGTRAP, SIGBUS, SIGFPE and SIGSEGV are faults of the program itself, and a report helps to repair
    ///   them. The report is written only if the user asked for reports.
    ///
    /// - Parameter keepsCrashReports: Whether the user asked for crash reports.
    package static func restoreDefaultActions(keepsCrashReports: Bool) {
        let faults = keepsCrashReports ? [] : [SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV]
        for number in [SIGQUIT, SIGABRT] + faults {
            let before = signal(number, SIG_DFL)
            if isIgnored(before) { _ = signal(number, SIG_IGN) }
        }
    }

    /// Ends the program at once, with the exit status of a program that the signal ended: 128 plus its number.
    package static func exit(_ number: Int32) -> Never {
        _exit(128 + number)
    }
}

/// The id of this process.
package enum ProcessID {
    package static var own: Int32 { getpid() }
}

/// Whether an action that `signal` returned is `SIG_IGN`.
private func isIgnored<Action>(_ action: Action) -> Bool {
    unsafe unsafeBitCast(action, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
}

/// Sleeps 10 ms between two attempts to get a lock or a name.
func sleepBriefly() {
    usleep(10_000)
}
