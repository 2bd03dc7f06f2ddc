import Testing
import XChatEvents

@Suite("Strings of the wire are their bytes")
struct WireStringTests {
    @Test func `two spellings of one text are two strings`() {
        let composed: WireString = "\u{e9}"
        let decomposed: WireString = "e\u{301}"
        #expect(composed.string == decomposed.string)
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed, "\u{e9}"]).count == 2)
        // The same bytes in another order are the same text to Swift, and as long.
        let below: WireString = "a\u{323}\u{307}"
        let above: WireString = "a\u{307}\u{323}"
        #expect(below.string == above.string)
        #expect(below != above)
    }

    @Test func `the order is that of the bytes`() {
        let ordered: [WireString] = [
            "", "\0", "10", "9", "99", "a", "a\0", "e\u{301}", "\u{e9}", "\u{fffd}", "\u{1f600}",
        ]
        for (left, right) in zip(ordered, ordered.dropFirst()) {
            #expect(left < right)
            #expect(!(right < left))
            #expect(left != right)
        }
    }

    @Test func `equal strings have equal hashes, however they were made`() {
        let long = String(repeating: "\u{1f600}x", count: 1000)
        for text in ["", "a", "1234567890123456", long] {
            let made = WireString(String(decoding: Array(text.utf8), as: UTF8.self))
            #expect(made == WireString(text))
            #expect(made.hashValue == WireString(text).hashValue)
            #expect(WireString(String((text + "!").dropLast())) == made)
        }
    }

    @Test(
        "digits are ASCII digits and nothing else",
        arguments: [
            ("0", true), ("0123456789", true), ("", false), ("-1", false), ("+1", false), ("1 ", false), ("1a", false),
            ("\u{661}", false), ("1\u{301}", false), ("1\u{fe0f}", false), ("\u{ff11}", false), ("1\0", false),
        ] as [(WireString, Bool)]
    )
    func digits(_ text: WireString, _ expected: Bool) {
        #expect(text.isDigits == expected)
    }

    @Test(
        "a number is a whole decimal number in the range of its type",
        arguments: [
            ("0", 0, 0, 0), ("7", 7, 7, 7), ("007", 7, 7, 7), ("+7", 7, 7, 7), ("-7", nil, -7, -7), ("-0", nil, 0, 0),
            ("+0", 0, 0, 0), ("", nil, nil, nil), ("+", nil, nil, nil), ("-", nil, nil, nil), ("+-7", nil, nil, nil),
            (" 7", nil, nil, nil), ("7 ", nil, nil, nil), ("7\n", nil, nil, nil), ("0x7", nil, nil, nil),
            ("1_0", nil, nil, nil), ("7.0", nil, nil, nil), ("1e3", nil, nil, nil), ("\u{661}", nil, nil, nil),
            ("7\0", nil, nil, nil), ("2147483647", 2_147_483_647, 2_147_483_647, .max),
            ("2147483648", 2_147_483_648, 2_147_483_648, nil), ("-2147483648", nil, -2_147_483_648, .min),
            ("-2147483649", nil, -2_147_483_649, nil), ("9223372036854775807", 9_223_372_036_854_775_807, .max, nil),
            ("9223372036854775808", 9_223_372_036_854_775_808, nil, nil), ("-9223372036854775808", nil, .min, nil),
            ("-9223372036854775809", nil, nil, nil), ("18446744073709551615", .max, nil, nil),
            ("18446744073709551616", nil, nil, nil), ("00000000000000000000000000000000000000000000000001", 1, 1, 1),
        ] as [(WireString, UInt64?, Int64?, Int32?)]
    )
    func numbers(_ text: WireString, _ number: UInt64?, _ i64: Int64?, _ i32: Int32?) {
        #expect(text.number == number)
        #expect(text.i64 == i64)
        #expect(text.i32 == i32)
    }

    @Test func `the text is kept as it is`() {
        let text = "e\u{301}\0,\u{202e}"
        #expect(Array(WireString(text).utf8) == Array(text.utf8))
        #expect(Array(WireString(text).description.utf8) == Array(text.utf8))
        #expect(Array(("e\u{301}" as WireString).utf8) == [0x65, 0xcc, 0x81])
        #expect(WireString("").isEmpty)
        #expect(!WireString("\0").isEmpty)
    }
}
