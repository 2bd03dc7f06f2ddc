import Testing

@testable import XChatBackup

/// Published answers of the primitives that libsodium lacks.
struct PrimitiveTests {
    @Test func `the example of RFC 7693, appendix B, comes out`() throws {
        let digest = try BLAKE2s.hash(Array("abc".utf8).span, key: Span())
        #expect(digest.array == (try Hex("508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982")).bytes)
    }

    @Test func `the self-test of RFC 7693, appendix E, comes out`() throws {
        func sequence(_ count: Int) -> [UInt8] {
            var (a, b) = (0xDEAD_4BAD &* UInt32(count), UInt32(1))
            return (0..<count).map { _ in
                let next = a &+ b
                (a, b) = (b, next)
                return UInt8(next >> 24)
            }
        }
        let all = SecretBuffer()
        for digestCount in [16, 20, 28, 32] {
            for count in [0, 3, 64, 65, 255, 1024] {
                let (message, key) = (sequence(count), sequence(digestCount))
                all.append(try BLAKE2s.hash(message.span, key: Span(), count: digestCount))
                all.append(try BLAKE2s.hash(message.span, key: key.span, count: digestCount))
            }
        }
        let digest = try all.withBytes { try BLAKE2s.hash($0, key: Span()) }
        #expect(digest.array == (try Hex("6a411f08ce25adcdfb02aba641451cec53c598b24f4fc787fbdc88797f4c1dfe")).bytes)
    }

    @Test func `a PIN hashes to the published access key`() throws {
        let hash = try PINHash(
            pin: Secret("1234"),
            version: [UInt8](repeating: 5, count: 16),
            userInfo: Array("artemis".utf8),
            hashing: .standard2019
        )
        let expected = try Hex("2935da84c97423b37f3457231b877ce6ac2093501d7255dbee1deb09a5d8821b")
        #expect(hash.accessKey.array == expected.bytes)
    }
}
