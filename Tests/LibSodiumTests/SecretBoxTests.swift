import Foundation
import LibSodium
import Testing

struct SecretBoxTests {
    private let key = zeros(31) + [3]

    @Test func `what is sealed opens`() throws {
        for count in [0, 1, 15, 16, 17, 1024, 65536] {
            let message = try Sodium.randomBytes(count: count)
            let box = try SecretBox.seal(message.span, key: key.span)
            #expect(box.count == count + SecretBox.overheadByteCount)
            #expect(try SecretBox.open(box.span, key: key.span) == message)
            let secret = try SecretBox.openSecret(box.span, key: key.span)
            #expect([UInt8](secret) == message)
        }
    }

    @Test func `each box has a nonce of its own`() throws {
        let nonces = try (0..<100).map { _ in
            try SecretBox.seal([1, 2, 3].span, key: key.span).prefix(SecretBox.nonceByteCount)
        }
        #expect(Set(nonces).count == 100)
    }

    @Test func `a known box comes out and opens`() throws {
        let message = [UInt8](hex: "0c00010c00010b0001000000026869000000")
        let nonce = [UInt8](repeating: 0x24, count: 24)
        let box = Data(
            base64Encoded: "JCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQklAiz7xMKVx88Ro3H3F+Jj/QWw/ahba7DJvfniAXFQKqSvQ=="
        )
        let sealed = try SecretBox.seal(message.span, nonce: nonce.span, key: key.span)
        #expect(Data(sealed) == box)
        #expect(try SecretBox.open(sealed.span, key: key.span) == message)
    }

    @Test func `a box with any bit flipped does not open`() throws {
        let box = try SecretBox.seal([UInt8]("attack at dawn".utf8).span, key: key.span)
        for forged in box.withEachBitFlipped {
            #expect(code { () throws(SodiumError) in _ = try SecretBox.open(forged.span, key: key.span) })
            #expect(code { () throws(SodiumError) in _ = try SecretBox.openSecret(forged.span, key: key.span) })
        }
    }

    @Test func `a box does not open under any key with one bit flipped`() throws {
        let box = try SecretBox.seal([1].span, key: key.span)
        for other in key.withEachBitFlipped {
            #expect(code { () throws(SodiumError) in _ = try SecretBox.open(box.span, key: other.span) })
        }
    }

    @Test func `a box cut anywhere does not open`() throws {
        let box = try SecretBox.seal([UInt8](1...9).span, key: key.span)
        for count in 0..<box.count {
            let cut = [UInt8](box.prefix(count))
            let error = refusal { () throws(SodiumError) in _ = try SecretBox.open(cut.span, key: key.span) }
            #expect(error?.code == (count < 40 ? .wrongLength : .authenticationFailed))
        }
    }

    @Test(arguments: lengths(otherThan: 32))
    func `a key of another length is refused`(count: Int) throws {
        let box = try SecretBox.seal([1].span, key: key.span)
        let refusals = [
            refusal { () throws(SodiumError) in _ = try SecretBox.seal([1].span, key: zeros(count).span) },
            refusal { () throws(SodiumError) in _ = try SecretBox.open(box.span, key: zeros(count).span) },
            refusal { () throws(SodiumError) in _ = try SecretBox.openSecret(box.span, key: zeros(count).span) },
        ]
        for error in refusals {
            #expect(error?.code == .wrongLength)
            #expect(error?.what == "key")
            #expect(error?.expected == 32)
            #expect(error?.actual == count)
        }
    }

    @Test func `a message whose box would have no length is refused`() {
        let error = refusal(ofLength: Int.max - 39) { (message) throws(SodiumError) in
            _ = try SecretBox.seal(message, key: key.span)
        }
        #expect(error?.code == .tooLong)
        #expect(error?.what == "message")
    }

    @Test(arguments: lengths(otherThan: 24))
    func `a nonce of another length is refused`(count: Int) {
        let error = refusal { () throws(SodiumError) in
            _ = try SecretBox.seal([1].span, nonce: zeros(count).span, key: key.span)
        }
        #expect(error?.code == .wrongLength)
        #expect(error?.what == "nonce")
    }

    private func code(_ body: () throws(SodiumError) -> Void) -> Bool {
        refusal(body)?.code == .authenticationFailed
    }
}
