package import XChatEngine
package import XChatEvents

/// Splits input into lines of events; skips blank lines, and does not store a line that is longer than the limit.
///
/// A byte order mark before a line, which some editors write, is not part of it.
package struct EventLines {
    /// One line that is not blank.
    package enum Line: Hashable, Sendable {
        case text([UInt8])
        /// The line is longer than `maximumLineBytes`.
        case tooLong
    }

    /// The longest line that is read, without its end: 16 MiB.
    package static let maximumLineBytes = 16 << 20

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    package private(set) var lines: [Line] = []
    private var current: [UInt8] = []
    private var isTooLong = false
    private let limit: Int

    package init(limit: Int = maximumLineBytes) {
        self.limit = limit
    }

    /// Takes the next bytes of one input.
    package mutating func append(_ chunk: [UInt8]) {
        var rest = chunk[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            extend(rest[..<end])
            endLine()
            rest = rest[(end + 1)...]
        }
        extend(rest)
    }

    /// Removes and returns the complete lines.
    package mutating func take() -> [Line] {
        defer { lines = [] }
        return lines
    }

    /// The end of one input ends its last line too.
    package mutating func endInput() {
        endLine()
    }

    private mutating func extend(_ piece: ArraySlice<UInt8>) {
        // The bytes of the mark, and one for the carriage return before the newline.
        guard !isTooLong, piece.count <= limit + Self.byteOrderMark.count + 1 - current.count else {
            isTooLong = true
            current = []
            return
        }
        current += piece
    }

    private mutating func endLine() {
        if current.last == UInt8(ascii: "\r") {
            current.removeLast()
        }
        if current.starts(with: Self.byteOrderMark) { current.removeFirst(Self.byteOrderMark.count) }
        if isTooLong || current.count > limit {
            lines.append(.tooLong)
        } else if !current.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
            lines.append(.text(current))
        }
        current = []
        isTooLong = false
    }
}

extension EventLines.Line {
    /// The event of the line, or why it is not an event.
    package var event: Result<MessageEvent, XChatError> {
        switch self {
        case .tooLong: .failure(XChatError(.tooLarge, "the line is longer than \(EventLines.maximumLineBytes) bytes"))
        case .text(let bytes): MessageEvent.decoded(base64: bytes)
        }
    }
}
