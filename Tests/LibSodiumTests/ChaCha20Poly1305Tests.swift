import LibSodium
import Testing

struct ChaCha20Poly1305Tests {
    private let key = [UInt8](0x80...0x9F)
    private let nonce = [UInt8](hex: "070000004041424344454647")
    private let data = [UInt8](hex: "50515253c0c1c2c3c4c5c6c7")
    private let message = [UInt8](
        ("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
            + "sunscreen would be it.").utf8
    )

    private func seal(_ message: [UInt8], key: [UInt8], nonce: [UInt8], data: [UInt8]) throws(SodiumError) -> [UInt8] {
        try ChaCha20Poly1305.seal(message.span, associatedData: data.span, nonce: nonce.span, key: key.span)
    }

    private func open(_ box: [UInt8], key: [UInt8], nonce: [UInt8], data: [UInt8]) throws(SodiumError) -> [UInt8] {
        [UInt8](try ChaCha20Poly1305.open(box.span, associatedData: data.span, nonce: nonce.span, key: key.span))
    }

    private func code(_ body: () throws(SodiumError) -> [UInt8]) -> SodiumError.Code? {
        refusal { () throws(SodiumError) in _ = try body() }?.code
    }

    @Test func `the example of RFC 8439, section 2.8.2, comes out and opens`() throws {
        let box = [UInt8](
            hex: """
                d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b29\
                05d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b\
                61161ae10b594f09e26a7e902ecbd0600691
                """
        )
        #expect(try seal(message, key: key, nonce: nonce, data: data) == box)
        #expect(try open(box, key: key, nonce: nonce, data: data) == message)
    }

    @Test func `one flipped bit of box, nonce, associated data or key is refused`() throws {
        let box = try seal([1, 2, 3], key: key, nonce: nonce, data: data)
        for forged in box.withEachBitFlipped {
            #expect(
                code { () throws(SodiumError) in try open(forged, key: key, nonce: nonce, data: data) }
                    == .authenticationFailed
            )
        }
        for other in nonce.withEachBitFlipped {
            #expect(
                code { () throws(SodiumError) in try open(box, key: key, nonce: other, data: data) }
                    == .authenticationFailed
            )
        }
        for other in data.withEachBitFlipped {
            #expect(
                code { () throws(SodiumError) in try open(box, key: key, nonce: nonce, data: other) }
                    == .authenticationFailed
            )
        }
        for other in key.withEachBitFlipped {
            #expect(
                code { () throws(SodiumError) in try open(box, key: other, nonce: nonce, data: data) }
                    == .authenticationFailed
            )
        }
    }

    @Test func `keys, nonces and boxes of another length are refused`() throws {
        for count in lengths(otherThan: 32) {
            #expect(
                code { () throws(SodiumError) in try seal([], key: zeros(count), nonce: nonce, data: []) }
                    == .wrongLength
            )
            #expect(
                code { () throws(SodiumError) in try open(zeros(16), key: zeros(count), nonce: nonce, data: []) }
                    == .wrongLength
            )
        }
        for count in lengths(otherThan: 12) {
            #expect(
                code { () throws(SodiumError) in try seal([], key: key, nonce: zeros(count), data: []) } == .wrongLength
            )
            #expect(
                code { () throws(SodiumError) in try open(zeros(16), key: key, nonce: zeros(count), data: []) }
                    == .wrongLength
            )
        }
        for count in 0..<16 {
            #expect(
                code { () throws(SodiumError) in try open(zeros(count), key: key, nonce: nonce, data: []) }
                    == .wrongLength
            )
        }
    }
}
