import LibSodium
import Testing

struct SealedBoxTests {
    @Test func `what is sealed opens for its recipient`() throws {
        let pair = try SealedBox.keyPair()
        for count in [0, 1, 32, 1000] {
            let message = try Sodium.randomBytes(count: count)
            let box = try SealedBox.seal(message.span, to: pair.publicKey.span)
            #expect(box.count == count + SealedBox.overheadByteCount)
            let opened = try pair.secretKey.withBytes { (secretKey) throws(SodiumError) in
                try SealedBox.open(box.span, publicKey: pair.publicKey.span, secretKey: secretKey)
            }
            #expect([UInt8](opened) == message)
        }
    }

    @Test func `the same message sealed twice gives two boxes`() throws {
        let pair = try SealedBox.keyPair()
        let first = try SealedBox.seal([1].span, to: pair.publicKey.span)
        let second = try SealedBox.seal([1].span, to: pair.publicKey.span)
        #expect(first.prefix(32) != second.prefix(32))
    }

    @Test func `a box with any bit flipped does not open`() throws {
        let pair = try SealedBox.keyPair(seed: zeros(32).span)
        let box = try SealedBox.seal([UInt8](1...32).span, to: pair.publicKey.span)
        for forged in box.withEachBitFlipped {
            #expect(refusalToOpen(forged, pair)?.code == .authenticationFailed)
        }
    }

    @Test func `a box opens for its recipient only`() throws {
        let pair = try SealedBox.keyPair()
        let other = try SealedBox.keyPair()
        let box = try SealedBox.seal([1].span, to: pair.publicKey.span)
        #expect(refusalToOpen(box, other)?.code == .authenticationFailed)
    }

    @Test func `a box under 48 bytes is refused by its length`() throws {
        let pair = try SealedBox.keyPair()
        for count in 0..<48 {
            let error = refusalToOpen(zeros(count), pair)
            #expect(error?.code == .wrongLength)
            #expect(error?.actual == count)
        }
        #expect(refusalToOpen(zeros(48), pair)?.code == .authenticationFailed)
    }

    @Test func `a seed and a stored secret key give back the same pair`() throws {
        let seed = [UInt8](0..<32)
        let pair = try SealedBox.keyPair(seed: seed.span)
        let again = try SealedBox.keyPair(seed: seed.span)
        #expect(pair.publicKey == again.publicKey)
        let restored = try pair.secretKey.withBytes { (secretKey) throws(SodiumError) in
            try SealedBox.keyPair(secretKey: secretKey)
        }
        #expect(restored.publicKey == pair.publicKey)
        #expect([UInt8](restored.secretKey) == [UInt8](pair.secretKey))
    }

    @Test func `nothing is sealed to a point of low order, and nothing from one opens`() throws {
        let pair = try SealedBox.keyPair()
        for point in LowOrder.x25519 {
            let error = refusal { () throws(SodiumError) in _ = try SealedBox.seal([1].span, to: point.span) }
            #expect(error?.code == .weakPoint)
            #expect(error?.what == "publicKey")
            #expect(refusalToOpen(point + zeros(17), pair)?.code == .authenticationFailed)
        }
    }

    @Test func `a message whose box would have no length is refused`() {
        let error = refusal(ofLength: Int.max - 47) { (message) throws(SodiumError) in
            _ = try SealedBox.seal(message, to: ([9] + zeros(31)).span)
        }
        #expect(error?.code == .tooLong)
        #expect(error?.what == "message")
    }

    @Test(arguments: lengths(otherThan: 32))
    func `keys and seeds of another length are refused`(count: Int) {
        let refusals = [
            refusal { () throws(SodiumError) in _ = try SealedBox.seal([1].span, to: zeros(count).span) },
            refusal { () throws(SodiumError) in _ = try SealedBox.keyPair(seed: zeros(count).span) },
            refusal { () throws(SodiumError) in _ = try SealedBox.keyPair(secretKey: zeros(count).span) },
            refusal { () throws(SodiumError) in
                _ = try SealedBox.open(zeros(48).span, publicKey: zeros(count).span, secretKey: zeros(32).span)
            },
            refusal { () throws(SodiumError) in
                _ = try SealedBox.open(zeros(48).span, publicKey: zeros(32).span, secretKey: zeros(count).span)
            },
        ]
        for error in refusals {
            #expect(error?.code == .wrongLength)
            #expect(error?.expected == 32)
            #expect(error?.actual == count)
        }
    }

    private func refusalToOpen(_ box: [UInt8], _ pair: borrowing KeyPair) -> SodiumError? {
        let publicKey = pair.publicKey
        return pair.secretKey.withBytes { secretKey in
            do throws(SodiumError) {
                _ = try SealedBox.open(box.span, publicKey: publicKey.span, secretKey: secretKey)
                return nil
            } catch {
                return error
            }
        }
    }
}
