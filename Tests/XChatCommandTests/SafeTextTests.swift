import Testing
import XChatCommand

struct SafeTextTests {
    @Test(
        "what could deceive at a terminal is escaped",
        arguments: [
            "\u{1b}", "\u{7}", "\u{0}", "\r", "\n", "\t", "\u{7f}", "\u{85}", "\u{9b}", "\u{200e}", "\u{200f}",
            "\u{202a}",
            "\u{202e}", "\u{2066}", "\u{2069}", "\u{061c}", "\u{2028}", "\u{2029}", "\u{feff}", "\u{200b}", "\u{e0041}",
        ]
    )
    func escaped(_ text: String) {
        let code = text.unicodeScalars.map { String($0.value, radix: 16, uppercase: true) }.joined()
        #expect(visible("a\(text)b") == "a\\u{\(code)}b")
    }

    @Test func `other text stands as it is`() {
        for text in ["Grüße", "שלום", "👩‍👩‍👧", "می‌خواهم", "a\\b", "e\u{301}"] {
            #expect(Array(visible(text).utf8) == Array(text.utf8))
        }
    }

    @Test func `newlines can be kept`() {
        #expect(visible("a\n\u{1b}b", keepingNewlines: true) == "a\n\\u{1B}b")
    }

    @Test func `a quoted name is not longer than a line`() {
        #expect(quoted("a\nb") == #""a\u{A}b""#)
        #expect(quoted(String(repeating: "x", count: 5000)).utf8.count < 300)
    }
}
