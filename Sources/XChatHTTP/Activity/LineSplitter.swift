/// Cuts a body into lines at `\n`, whatever pieces it comes in, and no line longer than a limit.
struct LineSplitter {
    let maximumBytes: Int
    private var line: [UInt8] = []

    init(maximumBytes: Int) {
        self.maximumBytes = maximumBytes
    }

    /// Whether a line has begun and not ended.
    var isInsideLine: Bool { !line.isEmpty }

    /// Takes a piece, and answers the lines that ended in it, without their ends; an empty one is a sign of life.
    mutating func push(_ piece: some Sequence<UInt8>) throws(APIError) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for byte in piece {
            if byte == UInt8(ascii: "\n") {
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                lines.append(line)
                line = []
            } else {
                guard line.count < maximumBytes else {
                    throw APIError(.tooLarge, "a line is longer than \(maximumBytes) bytes")
                }
                line.append(byte)
            }
        }
        return lines
    }
}
