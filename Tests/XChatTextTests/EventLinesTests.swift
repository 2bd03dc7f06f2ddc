import TestSupport
import Testing
import XChatText

struct EventLinesTests {
    private func lines(_ inputs: String..., limit: Int = 100, chunk: Int = 3) -> [EventLines.Line] {
        var reader = EventLines(limit: limit)
        for input in inputs {
            var bytes = Array(input.utf8)[...]
            while !bytes.isEmpty {
                reader.append(Array(bytes.prefix(chunk)))
                bytes = bytes.dropFirst(chunk)
            }
            reader.endInput()
        }
        return reader.lines
    }

    private func texts(_ lines: [String]) -> [EventLines.Line] {
        lines.map { .text(Array($0.utf8)) }
    }

    @Test func `lines end with LF or CRLF, and the last one may have neither`() {
        #expect(lines("abc\ndefgh\r\nij") == texts(["abc", "defgh", "ij"]))
    }

    @Test func `blank lines are skipped`() {
        #expect(lines("\n\r\n \t\na\n\n\nb\n\n") == texts(["a", "b"]))
        #expect(lines("").isEmpty)
        #expect(lines("\n").isEmpty)
    }

    @Test func `a byte order mark before a line is not part of it`() {
        for chunk in 1...5 {
            #expect(lines("\u{FEFF}abc\n\u{FEFF}de", chunk: chunk) == texts(["abc", "de"]))
            #expect(lines("\u{FEFF}\n\u{FEFF}\r\n", "\u{FEFF}", chunk: chunk).isEmpty)
            #expect(lines("a\u{FEFF}b\n\u{FEFF}\u{FEFF}c", chunk: chunk) == texts(["a\u{FEFF}b", "\u{FEFF}c"]))
        }
        let limit = String(repeating: "x", count: 10)
        #expect(lines("\u{FEFF}" + limit + "\r\n", limit: 10) == texts([limit]))
        #expect(lines("\u{FEFF}" + limit + "x\r\n", limit: 10) == [.tooLong])
    }

    @Test func `the end of an input ends its last line`() {
        #expect(lines("a", "b\n", "c") == texts(["a", "b", "c"]))
    }

    @Test func `the result does not depend on the chunks`() {
        let input = "abcdef\r\n\nghi\nj\r\n"
        for chunk in 1...20 {
            #expect(lines(input, chunk: chunk) == texts(["abcdef", "ghi", "j"]), "chunks of \(chunk)")
        }
    }

    @Test func `a line of the maximum length is read, and one byte more is not`() {
        let limit = String(repeating: "x", count: 10)
        for end in ["\n", "\r\n", ""] {
            #expect(lines(limit + end, limit: 10) == texts([limit]))
            #expect(lines(limit + "x" + end, limit: 10) == [.tooLong])
        }
        #expect(
            lines("a\n" + String(repeating: "x", count: 1000) + "\nb", limit: 10) == texts(["a"]) + [.tooLong]
                + texts(["b"])
        )
    }

    @Test func `bytes that are not UTF-8 are kept`() {
        var reader = EventLines()
        reader.append([0xff, 0x00, 0x0a])
        reader.endInput()
        #expect(reader.lines == [.text([0xff, 0x00])])
    }

    @Test func `the limit is 16 MiB`() {
        #expect(EventLines.maximumLineBytes == 16_777_216)
    }
}
