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
        let error = #expect(throws: SodiumError.self) { try GenericHash.hash(message.span, count: count) }
        #expect(error?.code == .wrongLength)
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
