/// Splits a body that arrives in pieces into lines at `\n`, with a limit on their length.
///
/// The splitter returns one line at a time. It stores only the incomplete line; the caller keeps the rest of the piece.
/// Without the limit, a server could fill the memory with a line that never ends.
struct LineSplitter {
    let maximumBytes: Int
    private var line: [UInt8] = []

    init(maximumBytes: Int) {
        self.maximumBytes = maximumBytes
    }

    /// Whether a line is incomplete.
    var isInsideLine: Bool { !line.isEmpty }

    /// Removes the bytes of one line, or of its part in this piece, from the piece.
    ///
    /// - Returns: The line without its end; an empty one is a keep-alive. Nil once the piece is empty.
    /// - Throws: `too_large` for a line longer than the limit.
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
