import XChat

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The present width of the terminal that a descriptor refers to, in columns; it can change.
///
/// - Parameter descriptor: The number of an open file.
/// - Returns: The width; nil if the file is no terminal, or the terminal does not know its width.
func terminalColumns(_ descriptor: Int32) -> Int? {
    var size = winsize()
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
}

/// Limits the width of help texts to 40 to 1000 columns, which the argument parser can use.
///
/// The parser uses `COLUMNS`, or else the width of the terminal, unchecked, and traps if its left column does not fit.
/// A terminal that is narrower breaks the lines itself.
func limitHelpWidth() {
    let set = (try? Environment.text("COLUMNS")).flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    let columns = min(max(set ?? terminalColumns(STDOUT_FILENO) ?? 80, 40), 1000)
    _ = unsafe setenv("COLUMNS", String(columns), 1)
}
