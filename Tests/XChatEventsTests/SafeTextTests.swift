import Testing
import XChatEvents

struct SafeTextTests {
    @Test(
        "a deceptive character is escaped",
        arguments: [
            "\u{1b}", "\u{7}", "\u{0}", "\r", "\n", "\t", "\u{7f}", "\u{85}", "\u{9b}", "\u{200e}", "\u{200f}",
            "\u{202a}",
            "\u{202e}", "\u{2066}", "\u{2069}", "\u{061c}", "\u{2028}", "\u{2029}", "\u{feff}", "\u{200b}", "\u{e0041}",
            "\u{ad}", "\u{34f}", "\u{3164}", "\u{115f}", "\u{180e}", "\u{200c}", "\u{200d}", "\u{fe0f}", "\u{e0100}",
        ]
    )
    func escaped(_ text: String) {
        let code = text.unicodeScalars.map { String($0.value, radix: 16, uppercase: true) }.joined()
        #expect(visible("a\(text)b") == "a\\u{\(code)}b")
    }

    @Test(
        "honest text is unchanged",
        arguments: [
            "Grüße", "שלום", "👩‍👩‍👧", "می‌خواهم", "a\\b", "e\u{301}", "❤️‍🔥", "🏴‍☠️", "👍🏽", "1️⃣", "☎︎",
            "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}", "क्‍ष", "葛󠄀", "a    b", "he said \"no\"", "ᠨ᠋",
        ]
    )
    func unchanged(_ text: String) {
        #expect(Array(visible(text).utf8) == Array(text.utf8))
        #expect(Array(messageText(WireString(text)).utf8) == Array(text.utf8))
    }

    @Test func `newlines can be kept`() {
        #expect(visible("a\n\u{1b}b", keepingNewlines: true) == "a\n\\u{1B}b")
        #expect(visible("a        b", keepingNewlines: true) == "a        b")
    }

    @Test func `a quoted name is not longer than a line`() {
        #expect(quoted("a\nb") == #""a\u{A}b""#)
        #expect(quoted(String(repeating: "x", count: 5000)).utf8.count < 300)
    }

    @Test func `an invisible character in the name of a file is escaped`() {
        #expect(quoted("\u{feff}notes\u{feff}.txt") == #""\u{FEFF}notes\u{FEFF}.txt""#)
        #expect(quotedInFull("a\u{200b}b") == #""a\u{200B}b""#)
    }

    @Test(
        "the flag of a region is shown whole, in a text and in quotation marks",
        arguments: ["gbeng", "gbsct", "gbwls", "usca", "ustx", "fr75c"]
    )
    func flag(_ region: String) {
        let tags = region.unicodeScalars.compactMap { Unicode.Scalar(0xE0000 + $0.value) }.map(String.init).joined()
        let text = "a\u{1F3F4}\(tags)\u{E007F}b\r\n\u{1F3F4}\(tags)\u{E007F}"
        #expect(messageText(WireString(text)) == text.replacing("\r\n", with: "\n    "))
        #expect(quotedInFull(text) == "\"" + text.replacing("\r\n", with: #"\u{D}\u{A}"#) + "\"")
    }

    @Test func `a run of more than four spaces of any kind is escaped`() {
        #expect(visible("a     b") == #"a\u{20}×5b"#)
        #expect(visible("a" + String(repeating: " ", count: 200) + "b") == #"a\u{20}×200b"#)
        #expect(visible("a \u{a0}\u{3000}\u{3000}\u{2800}b") == #"a\u{20}\u{A0}\u{3000}×2\u{2800}b"#)
        #expect(visible("a    \n    ") == #"a    \u{A}    "#)
    }

    @Test func `two of our spaces and those at the start of a text are at most four`() {
        #expect(visible("  a") == "  a")
        #expect(visible("   a") == #"\u{20}×3a"#)
        #expect(messageText("   a\n   b") == "\\u{20}×3a\n       b")
    }

    @Test func `tags hide no text in a flag`() {
        let hidden = "hidden".unicodeScalars.compactMap { Unicode.Scalar(0xE0000 + $0.value) }.map(String.init).joined()
        let (short, long) = ("\u{E0061}\u{E0062}\u{E007F}", "\(hidden)\u{E0061}\u{E007F}")
        // U+E003A is the tag of a colon, which no region has.
        let colon = "\u{E0067}\u{E0062}\u{E0073}\u{E003A}\u{E007F}"
        let flags = [hidden, hidden + long, long, short, colon].map { "🏴" + $0 }
        for text in flags + ["a\(hidden)\u{E007F}"] {
            #expect(!visible(text).unicodeScalars.contains { 0xE0000...0xE007F ~= $0.value })
        }
    }

    @Test func `a combining character at the start of a text or a line is escaped`() {
        #expect(messageText("\u{301}a") == #"\u{301}a"#)
        #expect(messageText("a\n\u{20dd}b") == "a\n    \\u{20DD}b")
        #expect(messageText("a \u{301}b") == #"a \u{301}b"#)
        #expect(safeField("\u{301}" as WireString) == #""\u{301}""#)
    }

    @Test func `combining characters do not pile up`() {
        let pile = "a" + String(repeating: "\u{301}", count: 30)
        #expect(visible(pile).unicodeScalars.count { $0 == "\u{301}" } == 8)
    }

    // MARK: Fields

    @Test("an id of 1 to 19 digits is shown as it is", arguments: ["0", "2222", "9999999999999999999"] as [WireString])
    func field(_ id: WireString) {
        #expect(safeField(id) == id.string)
        #expect(safeNumber(SequenceID(id)) == "#" + id.string)
    }

    @Test(
        "a field that is not 1 to 19 digits is quoted",
        arguments: [
            ("", #""""#), ("+1", #""+1""#), ("41 2222", #""41 2222""#),
            ("10000000000000000000", #""10000000000000000000""#),
            ("1\n2", #""1\u{A}2""#), ("١", #""١""#), ("a\"b", #""a\u{22}b""#), ("a\\", #""a\u{5C}""#),
        ] as [(WireString, String)]
    )
    func quotedField(_ field: WireString, _ shown: String) {
        #expect(safeField(field) == shown)
    }

    @Test func `an id in an error is ASCII, and its quotation mark is the only one`() {
        #expect(printable("1:2" as WireString) == "'1:2'")
        #expect(printable("it's \"a\\b\"" as WireString) == #"'it\u{27}s "a\u{5C}b"'"#)
        #expect(printable("\u{661}\u{e9}\n\u{202e}" as WireString) == #"'\u{661}\u{E9}\u{A}\u{202E}'"#)
        #expect(printable("a\"'" as WireString, quotedBy: "\"") == #""a\u{22}'""#)
        #expect(printable(WireString(String(repeating: "7", count: 49))) == "'\(String(repeating: "7", count: 48))…'")
    }

    @Test func `a text for a log is one line of a limited size`() {
        #expect("a\nb\u{1b}".display() == #"a\u{A}b\u{1B}"#)
        #expect("grüße".display() == "grüße")
        #expect(String(repeating: "x", count: 301).display() == String(repeating: "x", count: 300) + "…")
        #expect("12345".display(limit: 4) == "1234…")
    }

    @Test func `a long text is cut off after its limit, whatever it consists of`() {
        for unit in [" ", "\u{301}", "\u{200d}", "\u{e0061}", "\u{3000} "] {
            let shown = ("a" + String(repeating: unit, count: 20_000)).display(limit: 20)
            #expect(shown.utf8.count <= 20 + "…".utf8.count)
            #expect(shown.hasSuffix("…"))
        }
    }

    @Test func `an absent field is a dash`() {
        #expect(safeField(nil as WireString?) == "-")
        #expect(safeNumber(nil) == "-")
    }

    @Test func `a quoted field has at most 48 bytes and says that more was left out`() {
        #expect(safeField(WireString(String(repeating: "x", count: 48))) == "\"\(String(repeating: "x", count: 48))\"")
        #expect(safeField(WireString(String(repeating: "x", count: 49))) == "\"\(String(repeating: "x", count: 48))…\"")
        #expect(safeField(WireString(String(repeating: "é", count: 25))) == "\"\(String(repeating: "é", count: 24))…\"")
        // An escape and an emoji of several parts are not cut in two.
        let start = String(repeating: "x", count: 40)
        #expect(safeField(WireString(start + "xxxx\n")) == "\"\(start)xxxx…\"")
        #expect(
            safeField(WireString(start + "\u{1F469}\u{200D}\u{1F467}\u{200D}\u{1F467}")) == "\"\(start)\u{1F469}…\""
        )
    }

    @Test func `a long list of ids names the first twenty`() {
        let ids = (1...25).map { WireString("\($0)") }
        let twenty = (1...20).map { "\($0)" }.joined(separator: ", ")
        #expect(safeFields(ids) == twenty + " and 5 more")
        #expect(safeFields(Array(ids.prefix(20))) == twenty)
        #expect(safeFields(Array(ids.prefix(21))) == twenty + " and 1 more")
        #expect(safeFields(["1", "2  x"] as [UserID]) == #"1, "2  x""#)
    }

    // MARK: Texts of messages

    @Test func `every line of a text after the first is indented`() {
        #expect(messageText("a\nb\n\nc") == "a\n    b\n    \n    c")
    }

    @Test func `CRLF is one line break, and a lone CR is not`() {
        #expect(messageText("a\r\nb\r\n") == "a\n    b\n    ")
        #expect(messageText("a\rb") == #"a\u{D}b"#)
    }

    @Test func `a text that starts like our descriptions or marks gets a backslash`() {
        #expect(messageText("(deleted #5)") == #"\(deleted #5)"#)
        #expect(messageText("  [sender_left]") == #"\  [sender_left]"#)
        #expect(messageText("why (not)?") == "why (not)?")
    }
}
