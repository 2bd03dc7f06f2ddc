/// Cuts a body into lines at `\n`, whatever pieces it comes in, and no line longer than a limit.
///
/// It gives out one line at a time and keeps the one that has begun, nothing else: the rest of a piece stays with the
/// caller until the line before is dealt with.
struct LineSplitter {
    let maximumBytes: Int
    private var line: [UInt8] = []

    init(maximumBytes: Int) {
        self.maximumBytes = maximumBytes
    }

    /// Whether a line has begun and not ended.
    var isInsideLine: Bool { !line.isEmpty }

    /// Takes the bytes up to the end of a line off a piece.
    ///
    /// - Returns: The line without its end, an empty one being a sign of life; nil when the piece is used up.
    /// - Throws: `too_large` for a line beyond the limit.
    mutating func next<Piece: Collection<UInt8>>(
        from piece: inout Piece
    ) throws(APIError) -> [UInt8]? where Piece.SubSequence == Piece {
        let end = piece.firstIndex(of: UInt8(ascii: "\n"))
        let part = piece[..<(end ?? piece.endIndex)]
        guard part.count <= maximumBytes - line.count else {
            throw APIError(.tooLarge, "a line is longer than \(maximumBytes) bytes")
        }
        line.append(contentsOf: part)
        guard let end else {
            piece = piece[piece.endIndex...]
            return nil
        }
        piece = piece[piece.index(after: end)...]
        var complete: [UInt8] = []
        swap(&complete, &line)
        if complete.last == UInt8(ascii: "\r") { complete.removeLast() }
        return complete
    }
}
