import Testing

@testable import XChatBackup

/// The reader takes the one form that realms write, and nothing else.
struct CBORTests {
    private func isReadable(_ hex: String) throws -> Bool {
        let document = try Hex(hex).secret
        return (try? CBORNode(decoding: document)) != nil
    }

    private func decodes(_ bytes: [UInt8], to request: SecretsRequest) throws -> Bool {
        let document = try Secret(copying: bytes)
        return (try? SecretsResponse(decoding: document, to: request)) != nil
    }

    @Test(arguments: [
        "00", "17", "1818", "18ff", "190100", "1a00010000", "1b0000000100000000", "40", "4100", "60", "6161", "a0",
        "a1616100", "a2616100616200", "80", "8200a0", "20", "f4", "f5", "f6",
    ])
    func `values in their shortest form are read`(hex: String) throws {
        #expect(try isReadable(hex))
    }

    @Test(arguments: [
        ("nothing", ""), ("a byte too many", "0000"), ("a longer form of 23", "1817"), ("of 255", "1900ff"),
        ("of 65535", "1a0000ffff"), ("of 2^32-1", "1b00000000ffffffff"), ("a longer length", "580161"),
        ("a truncated number", "19"), ("a truncated string", "4261"), ("a truncated map", "a1"),
        ("a member without a value", "a16161"), ("a member twice", "a2616100616101"), ("a number as key", "a10000"),
        ("bytes as key", "a1416100"), ("an indefinite map", "bf616100ff"), ("an indefinite string", "5f4100ff"),
        ("an indefinite array", "9f00ff"), ("a tag", "c000"), ("a float", "f93c00"), ("undefined", "f7"),
        ("a break", "ff"), ("a reserved length", "1c"), ("a huge string", "5b7fffffffffffffff"),
        ("a huge map", "bb7fffffffffffffff"), ("a huge array", "9b7fffffffffffffff"),
        ("the largest length", "5bffffffffffffffff"),
    ])
    func `every other form is refused`(name: String, hex: String) throws {
        #expect(try !isReadable(hex), "\(name)")
    }

    @Test func `values may be nested eight deep`() throws {
        for depth in 0...20 {
            #expect(try isReadable(String(repeating: "81", count: depth) + "00") == (depth <= 8))
        }
        let deep = try Secret(copying: [UInt8](repeating: 0x81, count: 60_000))
        #expect(throws: CBORError.self) { try CBORNode(decoding: deep) }
        let long = try Secret(copying: [UInt8](repeating: 0, count: 65_537))
        #expect(throws: CBORError.self) { try CBORNode(decoding: long) }
    }

    @Test func `members are read in any order, and unknown ones are skipped`() throws {
        let writer = CBORWriter()
        writer.map(1)
        writer.text("Recover1")
        writer.map(1)
        writer.text("Ok")
        writer.map(2)
        writer.text("later")
        writer.map(1)
        writer.text("x")
        writer.number(7 as UInt8)
        writer.text("version")
        writer.bytes([UInt8](repeating: 9, count: 16))
        guard case .version(let version) = try SecretsResponse(decoding: writer.buffer.secret(), to: .recover1) else {
            Issue.record("not a version")
            return
        }
        #expect(version == [UInt8](repeating: 9, count: 16))
    }

    @Test func `an answer is refused at every truncation and with a byte too many`() throws {
        let answer = SecretsResponse.version([UInt8](repeating: 9, count: 16)).encoded(to: .recover1).array
        #expect(try decodes(answer, to: .recover1))
        for count in 0..<answer.count { #expect(try !decodes(Array(answer.prefix(count)), to: .recover1)) }
        #expect(try !decodes(answer + [0], to: .recover1))
    }

    @Test func `byte strings of another length and numbers out of range are refused`() throws {
        for count in [0, 15, 17, 32] {
            let answer = SecretsResponse.version([UInt8](repeating: 9, count: count)).encoded(to: .recover1).array
            #expect(try !decodes(answer, to: .recover1))
        }
        let writer = CBORWriter()
        writer.map(1)
        writer.text("Recover3")
        writer.map(1)
        writer.text("BadUnlockKeyTag")
        writer.map(1)
        writer.text("guesses_remaining")
        writer.number(65536 as UInt32)
        let request = SecretsRequest.recover3(version: [], tag: try Secret(copying: []))
        #expect(try !decodes(writer.buffer.array, to: request))
    }
}
