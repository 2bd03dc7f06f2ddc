import XChat

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The width of the terminal that a file is open on, now, since it can change; nil if it is no terminal, or a terminal
/// that does not know its width.
func terminalColumns(_ descriptor: Int32) -> Int? {
    var size = winsize()
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
}

/// Makes the width of help texts one that the argument parser can use: 40 to 1000 columns.
///
/// The parser takes `COLUMNS`, or else the width of the terminal, as it is, and traps if its left column does not fit.
/// A terminal that is narrower breaks the lines itself.
func limitHelpWidth() {
    let set = (try? Environment.text("COLUMNS")).flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    let columns = min(max(set ?? terminalColumns(STDOUT_FILENO) ?? 80, 40), 1000)
    _ = unsafe setenv("COLUMNS", String(columns), 1)
}
