#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension Descriptor {
    /// What Ctrl-C types while ``withoutEcho(_:)`` runs.
    package static var interrupt: UInt8 { 0x03 }

    /// Runs `body` while the terminal does not show what is typed.
    ///
    /// Ctrl-C sends no signal meanwhile: it ends the line as Return does, and is the last byte of the line.
    ///
    /// - Parameter body: Reads from the terminal.
    /// - Returns: What `body` returns.
    /// - Throws: ``FileError`` if the file is no terminal; what `body` throws.
    package func withoutEcho<Value>(_ body: () throws -> Value) throws -> Value {
        let number = number
        var settings = termios()
        guard unsafe tcgetattr(number, &settings) == 0 else { throw FileError.lastSystemError(name) }
        let before = settings
        // Signals are off too: otherwise an interrupt would end the process and leave the terminal without echo.
        settings.c_lflag &= ~tcflag_t(ECHO | ISIG)
        unsafe withUnsafeMutableBytes(of: &settings.c_cc) { unsafe $0[Int(VEOL)] = Self.interrupt }
        // A signal that ends the program must not leave the terminal without echo either.
        let signals = SignalHandler { signal in
            var before = before
            _ = unsafe tcsetattr(number, TCSAFLUSH, &before)
            SignalHandler.exit(signal)
        }
        defer {
            var before = before
            _ = unsafe tcsetattr(number, TCSAFLUSH, &before)
            signals.cancel()
        }
        guard unsafe tcsetattr(number, TCSAFLUSH, &settings) == 0 else { throw FileError.lastSystemError(name) }
        return try body()
    }
}
