import Testing
import XChatEvents

@testable import XChat

struct JSONMemberScannerTests {
    private static let names: Set<WireString> = ["a", "b", "é"]

    /// The members that the scanner finds in a text that it receives in pieces.
    private func scan(_ text: [UInt8], pieces: Int) -> [String] {
        var scanner = JSONMemberScanner(names: Self.names)
        for start in stride(from: 0, to: text.count, by: pieces) {
            scanner.scan(Array(text[start..<min(start + pieces, text.count)]))
        }
        return scanner.found.map { "\($0.name)=\($0.value.line)" }
    }

    private func random(_ depth: Int) -> JSONValue {
        let texts = ["a", "b", "é", "", "\"", "\\", "{", "]", ",", ":", "\\\"", "a\":\"x", "\u{1F600}"]
        switch Int.random(in: 0...(depth > 3 ? 4 : 6)) {
        case 0: return .null
        case 1: return .bool(.random())
        case 2: return .number(Int.random(in: -9...9))
        case 3, 4: return .string(texts.randomElement() ?? "")
        case 5: return .array((0..<Int.random(in: 0...3)).map { _ in random(depth + 1) })
        default:
            let members = (0..<Int.random(in: 0...4)).map { _ in
                (WireString(texts.randomElement() ?? ""), random(depth + 1))
            }
            return .object(JSONObject(members))
        }
    }

    @Test func `the scanner finds the same strings as the reader`() throws {
        for _ in 0..<500 {
            guard case .object(let object) = random(0) else { continue }
            let value = JSONValue.object(object)
            let text = Array((Bool.random() ? value.line : value.indented).utf8)
            let expected = object.members.compactMap { member -> String? in
                guard case .string = member.value, Self.names.contains(member.key) else { return nil }
                return "\(member.key)=\(member.value.line)"
            }
            for pieces in [1, 7, text.count] {
                #expect(scan(text, pieces: pieces) == expected, "\(value.line)")
            }
        }
    }

    @Test("only an object has members", arguments: ["", "[\"a\"]", "\"a\":\"b\"", "5", "null {\"a\":\"b\"}"])
    func noObject(_ text: String) {
        #expect(scan(Array(text.utf8), pieces: 1).isEmpty)
    }

    @Test func `a string beyond the limit is not kept`() {
        let long = String(repeating: "x", count: JSONMemberScanner.maximumStringBytes)
        #expect(scan(Array(#"{"a":"\#(long)","b":"y"}"#.utf8), pieces: 1000) == [#"a="""#, #"b="y""#])
    }
}

struct JSONReaderTests {
    private func read(_ text: String) throws(JSONError) -> JSONValue {
        try JSONReader.value(in: Array(text.utf8))
    }

    private func reason(_ text: String) -> JSONError.Reason? {
        reason(Array(text.utf8))
    }

    private func reason(_ bytes: [UInt8]) -> JSONError.Reason? {
        do {
            _ = try JSONReader.value(in: bytes)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test func `every kind of value is read`() throws {
        let text = #" {"a": [null, true, false, -0.5e+10, "x\u00e9\n\/\ud83d\ude00"], "b": {} } "#
        #expect(
            try read(text) == ["a": [nil, true, false, .number("-0.5e+10"), "xé\n/😀"], "b": [:]]
        )
    }

    @Test func `members keep their order and numbers their digits`() throws {
        let text = #"{"z":1.50,"a":100000000000000000000000001,"m":{"y":0,"b":[]}}"#
        #expect(try read(text).line == text)
    }

    @Test("members are found, replaced and removed in objects of any size", arguments: [1, 7, 8, 9, 10, 100])
    func sizes(_ count: Int) {
        var object = JSONObject((0..<count).map { (WireString("m\($0)"), .number($0)) })
        #expect((0..<count).allSatisfy { object[WireString("m\($0)")] == .number($0) })
        object["m0"] = "new"
        #expect(object["m0"] == "new")
        #expect(object.members.count == count)
        object["m0"] = nil
        #expect(object["m0"] == nil)
        #expect((1..<count).allSatisfy { object[WireString("m\($0)")] == .number($0) })
        object["m0"] = 1
        #expect(object.members.last?.key == "m0")
        #expect(object == JSONObject(object.members.map { ($0.key, $0.value) }))
    }

    @Test func `names that differ only in their bytes are two members`() throws {
        let value = try read("{\"\u{e9}\":1,\"e\u{301}\":2}")
        guard case .object(let object) = value else {
            Issue.record("not an object")
            return
        }
        #expect(object.members.count == 2)
        #expect(object["\u{e9}"] == 1)
        #expect(object["e\u{301}"] == 2)
    }

    @Test func `a repeated member is refused, however its name is escaped`() {
        #expect(reason(#"{"a":1,"b":2,"a":3}"#) == .duplicateMember)
        #expect(reason(#"{"a":1,"\u0061":3}"#) == .duplicateMember)
    }

    @Test(
        "input that is not JSON is refused with the reason",
        arguments: [
            ("", JSONError.Reason.unexpectedEnd), ("{", .unexpectedEnd), ("[1,", .unexpectedEnd),
            ("\"a", .unexpectedEnd),
            ("tru", .unexpectedEnd), ("truE", .unexpectedByte), ("[1,]", .unexpectedByte),
            ("{\"a\":1,}", .unexpectedByte),
            ("{a:1}", .unexpectedByte), ("{\"a\" 1}", .unexpectedByte), ("'a'", .unexpectedByte),
            ("NaN", .unexpectedByte),
            ("+1", .unexpectedByte), ("01", .invalidNumber), ("-", .invalidNumber), ("1.", .invalidNumber),
            ("1e", .invalidNumber), (".5", .unexpectedByte), ("1 2", .trailingBytes), ("{}x", .trailingBytes),
            ("\"\n\"", .controlCharacter), ("\"\u{0}\"", .controlCharacter), (#""\x""#, .invalidEscape),
            (#""\u12g4""#, .invalidEscape), (#""\ud800""#, .loneSurrogate), (#""\udc00""#, .loneSurrogate),
            (#""\ud800\u0041""#, .loneSurrogate), (#""\ud800A""#, .loneSurrogate), ("\u{feff}1", .unexpectedByte),
        ]
    )
    func refusal(_ text: String, _ expected: JSONError.Reason) {
        #expect(reason(text) == expected)
    }

    @Test func `invalid UTF-8 is refused`() {
        for bytes in [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf4, 0x90, 0x80, 0x80]] as [[UInt8]] {
            #expect(reason([0x22] + bytes + [0x22]) == .invalidUTF8)
        }
    }

    @Test func `truncation is refused at every length`() {
        let text = Array(#"{"a":[null,true,-1.5e3,"\u00e9\ud83d\ude00"],"b":{"c":false}}"#.utf8)
        for length in 0..<text.count {
            #expect(reason(Array(text.prefix(length))) != nil, "at \(length)")
        }
        #expect(reason(text) == nil)
    }

    @Test func `nesting is bounded`() {
        let deep = JSONReader.maximumDepth
        #expect(reason(String(repeating: "[", count: deep) + String(repeating: "]", count: deep)) == nil)
        #expect(reason(String(repeating: "[", count: deep + 1)) == .tooDeep)
        #expect(reason(String(repeating: "{\"a\":", count: 1_000_000)) == .tooDeep)
    }

    @Test func `an error names line and column`() throws {
        let error = #expect(throws: JSONError.self) { try read("{\n  \"a\": x}") }
        #expect(error?.line == 2)
        #expect(error?.column == 8)
        #expect(error.map { "\($0)" } == "line 2, column 8: a character that is not allowed here")
    }
}

struct JSONWriterTests {
    @Test func `a value is one line for every reader`() throws {
        let breaks = "\n\r\u{0b}\u{0c}\u{1c}\u{1d}\u{1e}\u{85}\u{2028}\u{2029}"
        let line = JSONValue.array([.string(breaks)]).line
        #expect(line == #"["\n\r\u000b\u000c\u001c\u001d\u001e\u0085\u2028\u2029"]"#)
        #expect(try JSONReader.value(in: Array(line.utf8)) == [.string(breaks)])
    }

    @Test func `slashes and other characters are written as they are`() {
        #expect(JSONValue.string("a/b é 😀 \u{202e}").line == "\"a/b é 😀 \u{202e}\"")
    }

    @Test func `quotation marks, backslashes and control characters are escaped`() {
        #expect(JSONValue.string("\"\\\u{0}\u{7f}\u{9b}").line == #""\"\\\u0000\u007f\u009b""#)
    }

    @Test func `every scalar survives`() throws {
        let scalars = (0...0x10FFFF).lazy.compactMap { Unicode.Scalar($0 as Int) }.filter {
            $0.value % 7 == 0 || $0.value < 0x3000
        }
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars)
        let value = JSONValue.string(text)
        #expect(try JSONReader.value(in: Array(value.line.utf8)) == value)
    }

    @Test func `a file is indented and empty containers stay closed`() {
        let value: JSONValue = ["a": [1, [:]], "b": []]
        #expect(value.indented == "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}")
    }
}

struct JSONLocationTests {
    private let place = try? JSONLocation(
        parsing: Array(#"{"keys":[{"x y":{"n":1.5,"z":null}}]}"#.utf8),
        document: "file"
    )

    @Test func `an error names the path of the member`() throws {
        let place = try #require(place)
        let entry = try #require(try place.member("keys")?.elements().first)
        let inner = try entry.required("x y")
        #expect(throws: AccountError(#"file: keys[0]["x y"].n: expected a string, found a number"#)) {
            try inner.required("n").string()
        }
        #expect(throws: AccountError(#"file: keys[0]["x y"].n: expected a whole number from -128 to 127"#)) {
            try inner.required("n").integer(Int8.self)
        }
        #expect(throws: AccountError(#"file: keys[0]["x y"]: the member "z" is missing"#)) { try inner.required("z") }
        #expect(throws: AccountError("file: expected an array, found an object")) { try place.elements() }
    }

    @Test func `null is treated as absent`() throws {
        let inner = try #require(try place?.member("keys")?.elements().first?.member("x y"))
        #expect(try inner.member("z") == nil)
        #expect(try inner.member("other") == nil)
        #expect(try inner.member("n") != nil)
    }

    @Test func `the error for a file that is not JSON names line and column`() {
        #expect(throws: AccountError("file: line 1, column 2: the text ends too early")) {
            try JSONLocation(parsing: [UInt8(ascii: "{")], document: "file")
        }
    }
}
