import Foundation
import Testing
import XChatEvents

@Suite("Base64")
struct Base64Tests {
    /// The rules once more, over Foundation's coder: what is left without its padding must be what encoding gives.
    private static func reference(_ text: [UInt8]) -> [UInt8]? {
        guard let string = String(validating: text, as: UTF8.self) else { return nil }
        let symbols = string.replacing(/=+$/, with: "")
        let needed = (4 - symbols.utf8.count % 4) % 4
        guard needed != 3, string.utf8.count - symbols.utf8.count <= needed,
            let data = Data(base64Encoded: symbols + String(repeating: "=", count: needed)),
            data.base64EncodedString().replacing("=", with: "") == symbols
        else { return nil }
        return Array(data)
    }

    private func check(_ text: [UInt8]) {
        let expected = Self.reference(text)
        let found = try? Base64.decode(text)
        if found != expected { Issue.record("\(text): \(String(describing: found))") }
    }

    @Test func `every text of up to two bytes is judged by the rules`() {
        check([])
        for first in UInt8.min...UInt8.max {
            check([first])
            for second in UInt8.min...UInt8.max { check([first, second]) }
        }
    }

    @Test func `every text of three to five chosen symbols is judged by the rules`() {
        let symbols = Array("AQgwR/=\n-".utf8)
        var texts: [[UInt8]] = [[]]
        for length in 1...5 {
            texts = texts.flatMap { text in symbols.map { text + [$0] } }
            if length >= 3 { texts.forEach(check) }
        }
        #expect(texts.count == 59_049)
    }

    @Test(
        "what is refused is refused at its place",
        arguments: [
            ("Q", 0, "base64 of an impossible length"), ("QUJDR", 4, "base64 of an impossible length"),
            ("QR", 1, "base64 with stray bits at the end"), ("QR==", 1, "base64 with stray bits at the end"),
            ("QUJ", 2, "base64 with stray bits at the end"), ("QUI==", 3, "base64 with too much padding"),
            ("QUJD=", 4, "base64 with too much padding"), ("=", 0, "base64 with too much padding"),
            ("QQ===", 3, "base64 with too much padding"), ("Q=Q=", 1, "not a base64 symbol"),
            ("QU-_", 2, "not a base64 symbol"),
            ("QUJD\n", 4, "base64 of an impossible length"), ("Q JD", 1, "not a base64 symbol"),
            ("\u{e9}AA", 0, "not a base64 symbol"), ("A\u{301}A", 1, "not a base64 symbol"),
        ]
    )
    func refused(_ text: String, _ offset: Int, _ reason: String) {
        let error = #expect(throws: EventError.self) { try Base64.decode(text) }
        #expect(error?.code == .malformed)
        #expect(error?.offset == offset)
        #expect(error?.reason == reason)
        #expect(error?.path == "")
    }

    @Test func `every byte is judged alike at every place of a long text`() throws {
        // Long enough for blocks that are whole, and for what is left after them.
        let text = Array(Data((0..<51).map { UInt8($0 * 5) }).base64EncodedString().utf8)
        let symbols = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        for place in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[place] = byte
                if symbols.contains(byte) {
                    let expected = try #require(Data(base64Encoded: Data(changed)))
                    guard try Base64.decode(changed) == Array(expected) else {
                        Issue.record("\(byte) at \(place): other bytes")
                        continue
                    }
                } else if byte != UInt8(ascii: "=") || place < text.count - 1 {
                    do {
                        _ = try Base64.decode(changed)
                        Issue.record("\(byte) at \(place): accepted")
                    } catch {
                        if error.offset != place { Issue.record("\(byte) at \(place): refused at \(error)") }
                    }
                }
            }
        }
    }

    @Test func `padding is optional and may be incomplete`() throws {
        for text in ["QQ", "QQ=", "QQ=="] { #expect(try Base64.decode(text) == [0x41]) }
        for text in ["QUI", "QUI="] { #expect(try Base64.decode(WireString(text)) == [0x41, 0x42]) }
        #expect(try Base64.decode("") == [])
    }

    @Test func `every length is encoded as Foundation does, and decoded again`() throws {
        var generator = SeededGenerator(seed: 9)
        for length in 0..<200 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let expected = Data(bytes).base64EncodedString()
            let bare = expected.replacing("=", with: "")
            #expect(Base64.encode(bytes) == expected)
            #expect(Base64.encode(bytes, padding: false) == bare)
            #expect(Base64.encodeBytes(bytes.span) == Array(expected.utf8))
            #expect(Base64.encodeBytes(bytes.span, padding: false) == Array(bare.utf8))
            #expect(Base64.encodeURLSafe(bytes) == bare.replacing("+", with: "-").replacing("/", with: "_"))
            #expect(try Base64.decode(expected) == bytes)
            #expect(try Base64.decode(Array(bare.utf8).span) == bytes)
        }
    }
}
