import LibSodium
import Testing

struct XChaCha20Poly1305Tests {
    private let key = [UInt8](0x80...0x9F)
    private let data = [UInt8](hex: "50515253c0c1c2c3c4c5c6c7")
    private let nothing: [UInt8] = []

    @Test func `the example of draft-irtf-cfrg-xchacha-03, appendix A.3.1, comes out and opens`() throws {
        let text =
            "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
            + "sunscreen would be it."
        let nonce = [UInt8](0x40...0x57)
        let ciphertext = [UInt8](
            hex: """
                bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708\
                c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da976\
                8812f615c68b13b52e
                """
        )
        let tag = [UInt8](hex: "c0875924c1c7987947deafd8780acf49")
        let message = Array(text.utf8)
        let box = try XChaCha20Poly1305.seal(
            message.span,
            associatedData: data.span,
            nonce: nonce.span,
            key: key.span
        )
        #expect(box == nonce + ciphertext + tag)
        #expect(try XChaCha20Poly1305.open(box.span, associatedData: data.span, key: key.span) == message)
    }

    @Test func `what is encrypted decrypts, with and without associated data`() throws {
        for count in [0, 1, 63, 64, 65, 1024, 65536] {
            let message = try Sodium.randomBytes(count: count)
            for data in [nothing, data] {
                let box = try XChaCha20Poly1305.seal(message.span, associatedData: data.span, key: key.span)
                #expect(box.count == count + XChaCha20Poly1305.overheadByteCount)
                #expect(try XChaCha20Poly1305.open(box.span, associatedData: data.span, key: key.span) == message)
            }
        }
    }

    @Test func `each box has a nonce of its own`() throws {
        let nonces = try (0..<100).map { _ in
            try XChaCha20Poly1305.seal([1].span, associatedData: data.span, key: key.span).prefix(24)
        }
        #expect(Set(nonces).count == 100)
    }

    @Test func `one flipped bit of box, associated data or key is refused`() throws {
        let box = try XChaCha20Poly1305.seal([UInt8]("attack".utf8).span, associatedData: data.span, key: key.span)
        for forged in box.withEachBitFlipped { #expect(code(forged, data, key) == .authenticationFailed) }
        for other in data.withEachBitFlipped { #expect(code(box, other, key) == .authenticationFailed) }
        for other in key.withEachBitFlipped { #expect(code(box, data, other) == .authenticationFailed) }
        #expect(code(box, data, key) == nil)
    }

    @Test func `bytes cannot move between message and associated data`() throws {
        let box = try XChaCha20Poly1305.seal([1, 2].span, associatedData: [3].span, key: key.span)
        for other in [nothing, [2, 3], [3, 0], [3, 3]] { #expect(code(box, other, key) == .authenticationFailed) }
    }

    @Test func `a box cut anywhere is refused`() throws {
        let box = try XChaCha20Poly1305.seal([UInt8](1...9).span, associatedData: data.span, key: key.span)
        for count in 0..<box.count {
            #expect(code(Array(box.prefix(count)), data, key) == (count < 40 ? .wrongLength : .authenticationFailed))
        }
    }

    @Test(arguments: lengths(otherThan: 32))
    func `a key of another length is refused`(count: Int) throws {
        let box = try XChaCha20Poly1305.seal([1].span, associatedData: data.span, key: key.span)
        #expect(code(box, data, zeros(count)) == .wrongLength)
        let error = refusal { () throws(SodiumError) in
            _ = try XChaCha20Poly1305.seal([1].span, associatedData: data.span, key: zeros(count).span)
        }
        #expect(error?.code == .wrongLength)
        #expect(error?.what == "key")
    }

    @Test func `a message whose box would have no length is refused`() {
        let error = refusal(ofLength: Int.max - 39) { (message) throws(SodiumError) in
            _ = try XChaCha20Poly1305.seal(message, associatedData: data.span, key: key.span)
        }
        #expect(error?.code == .tooLong)
    }

    @Test(arguments: lengths(otherThan: 24))
    func `a nonce of another length is refused`(count: Int) {
        let error = refusal { () throws(SodiumError) in
            _ = try XChaCha20Poly1305.seal(
                [1].span,
                associatedData: data.span,
                nonce: zeros(count).span,
                key: key.span
            )
        }
        #expect(error?.code == .wrongLength)
        #expect(error?.what == "nonce")
    }

    private func code(_ box: [UInt8], _ data: [UInt8], _ key: [UInt8]) -> SodiumError.Code? {
        refusal { () throws(SodiumError) in
            _ = try XChaCha20Poly1305.open(box.span, associatedData: data.span, key: key.span)
        }?.code
    }
}
