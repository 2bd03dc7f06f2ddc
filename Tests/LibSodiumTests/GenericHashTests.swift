import LibSodium
import Testing

struct GenericHashTests {
    @Test func `BLAKE2b-512 of abc is that of RFC 7693, appendix A`() throws {
        let message = Array("abc".utf8)
        let expected = """
            ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
            7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923
            """
        #expect(hex(try GenericHash.hash(message.span, count: 64)) == expected)
    }

    @Test func `an empty message has a digest`() throws {
        let nothing: [UInt8] = []
        let expected = "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"
        #expect(hex(try GenericHash.hash(nothing.span)) == expected)
    }

    @Test(arguments: [15, 65, 0, -1]) func `a digest has 16 to 64 bytes`(count: Int) {
        let message: [UInt8] = [1]
        let key = zeros(32)
        let refusals = [
            refusal { () throws(SodiumError) in _ = try GenericHash.hash(message.span, count: count) },
            refusal { () throws(SodiumError) in _ = try GenericHash.hash(message.span, key: key.span, count: count) },
            refusal { () throws(SodiumError) in
                _ = try GenericHash.deriveKey(message.span, from: key.span, count: count)
            },
        ]
        for error in refusals {
            #expect(error?.description == "wrongLength: count has \(count) bytes, expected 64")
        }
    }

    @Test func `BLAKE2b-512 of nothing under the key 00 to 3f is that of the reference test vectors`() throws {
        let (nothing, key) = ([UInt8](), [UInt8](0...63))
        let expected = """
            10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786\
            b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568
            """
        #expect(hex(try GenericHash.hash(nothing.span, key: key.span, count: 64)) == expected)
    }

    @Test func `a derived key is the keyed hash of its context`() throws {
        let (context, key) = (Array("abc".utf8), [UInt8](0...31))
        // From Python's hashlib.blake2b.
        let expected = "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f"
        #expect(hex(try GenericHash.hash(context.span, key: key.span)) == expected)
        #expect(hex([UInt8](try GenericHash.deriveKey(context.span, from: key.span))) == expected)
    }

    @Test(arguments: [0, 15, 65]) func `a key has 16 to 64 bytes`(count: Int) {
        let refusals = [
            refusal { () throws(SodiumError) in _ = try GenericHash.hash([1].span, key: zeros(count).span) },
            refusal { () throws(SodiumError) in _ = try GenericHash.deriveKey([1].span, from: zeros(count).span) },
        ]
        for error in refusals {
            #expect(error?.description == "wrongLength: key has \(count) bytes, expected 64")
        }
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
