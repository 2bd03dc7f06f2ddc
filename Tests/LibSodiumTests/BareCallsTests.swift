import LibSodium
import Testing

/// What everything is measured against must do the whole of the work, and nothing outside of the memory that it is
/// given.
struct BareCallsTests {
    private let key = zeros(31) + [3]
    private let message = [UInt8](1...100)

    init() throws {
        try Sodium.initialize()
    }

    @Test func `a bare box is a box`() throws {
        var box = zeros(140)
        #expect(BareCalls.secretBoxSeal(message.span, key: key.span, into: &box) == true)
        #expect(try SecretBox.open(box.span, key: key.span) == message)
        var opened = zeros(100)
        #expect(BareCalls.secretBoxOpen(box.span, key: key.span, into: &opened) == true)
        #expect(opened == message)
        box[139] ^= 1
        #expect(BareCalls.secretBoxOpen(box.span, key: key.span, into: &opened) == false)
    }

    @Test func `a bare sealed box is a sealed box`() throws {
        let pair = try SealedBox.keyPair(seed: key.span)
        let publicKey = pair.publicKey
        let secretKey = [UInt8](pair.secretKey)
        var box = zeros(148)
        #expect(BareCalls.sealedBoxSeal(message.span, to: publicKey.span, into: &box) == true)
        let secret = try SealedBox.open(box.span, publicKey: publicKey.span, secretKey: secretKey.span)
        #expect([UInt8](secret) == message)
        var opened = zeros(100)
        #expect(open(box, publicKey, secretKey, into: &opened))
        #expect(opened == message)
        box[147] ^= 1
        #expect(!open(box, publicKey, secretKey, into: &opened))
    }

    @Test func `a bare signature is a signature`() throws {
        let pair = try Sign.keyPair(seed: key.span)
        let publicKey = pair.publicKey
        var signature = zeros(64)
        #expect(BareCalls.sign(message.span, secretKey: [UInt8](pair.secretKey).span, into: &signature) == true)
        #expect(Sign.isValid(signature.span, for: message.span, publicKey: publicKey.span) == true)
        #expect(BareCalls.verify(signature.span, message.span, publicKey: publicKey.span) == true)
        signature[63] ^= 1
        #expect(BareCalls.verify(signature.span, message.span, publicKey: publicKey.span) == false)
    }

    @Test func `a bare stream is a stream`() throws {
        var stream = zeros(24 + 4 * 42)
        #expect(BareCalls.streamSeal(message.span, key: key.span, chunkLength: 25, into: &stream) == true)
        var pull = try SecretStream.Pull(header: [UInt8](stream.prefix(24)).span, key: key.span)
        var pulled: [UInt8] = []
        for index in 0..<4 {
            let frame = [UInt8](stream[(24 + 42 * index)...].prefix(42))
            #expect(try pull.pull(frame.span, appendingTo: &pulled) == (index == 3 ? .final : .message))
        }
        #expect(pulled == message)
        var opened = zeros(100)
        #expect(BareCalls.streamOpen(stream.span, key: key.span, chunkLength: 25, into: &opened) == true)
        #expect(opened == message)
        stream[30] ^= 1
        #expect(BareCalls.streamOpen(stream.span, key: key.span, chunkLength: 25, into: &opened) == false)
    }

    @Test(arguments: [Int.min, -1, 0, 24, 26, 101, Int.max])
    func `chunks of a length that does not divide the message are refused`(chunkLength: Int) {
        var stream = zeros(24 + 4 * 42)
        #expect(BareCalls.streamSeal(message.span, key: key.span, chunkLength: chunkLength, into: &stream) == false)
        var opened = zeros(100)
        #expect(BareCalls.streamOpen(stream.span, key: key.span, chunkLength: chunkLength, into: &opened) == false)
        #expect(opened == zeros(100))
    }

    @Test func `a message with a rest after its last chunk is refused`() {
        var stream = zeros(24 + 4 * 42)
        let longer = message + [101]
        #expect(BareCalls.streamSeal(longer.span, key: key.span, chunkLength: 25, into: &stream) == false)
        var opened = zeros(101)
        #expect(BareCalls.streamOpen(stream.span, key: key.span, chunkLength: 25, into: &opened) == false)
        #expect(stream == zeros(24 + 4 * 42))
    }

    @Test(arguments: [-1, 1])
    func `memory that is a byte too short or too long is not written`(difference: Int) {
        var box = zeros(140 + difference)
        #expect(BareCalls.secretBoxSeal(message.span, key: key.span, into: &box) == false)
        var opened = zeros(100 + difference)
        #expect(BareCalls.secretBoxOpen(zeros(140).span, key: key.span, into: &opened) == false)
        var sealed = zeros(148 + difference)
        #expect(BareCalls.sealedBoxSeal(message.span, to: ([9] + zeros(31)).span, into: &sealed) == false)
        #expect(!open(zeros(148), key, key, into: &opened))
        var signature = zeros(64 + difference)
        #expect(BareCalls.sign(message.span, secretKey: zeros(64).span, into: &signature) == false)
        var stream = zeros(24 + 4 * 42 + difference)
        #expect(BareCalls.streamSeal(message.span, key: key.span, chunkLength: 25, into: &stream) == false)
        for memory in [box, opened, sealed, signature, stream] {
            #expect(memory == zeros(memory.count))
        }
    }

    @Test(arguments: lengths(otherThan: 32))
    func `keys of another length are refused`(count: Int) {
        let bad = zeros(count)
        var box = zeros(140)
        #expect(BareCalls.secretBoxSeal(message.span, key: bad.span, into: &box) == false)
        var opened = zeros(100)
        #expect(BareCalls.secretBoxOpen(box.span, key: bad.span, into: &opened) == false)
        var sealed = zeros(148)
        #expect(BareCalls.sealedBoxSeal(message.span, to: bad.span, into: &sealed) == false)
        #expect(!open(sealed, bad, key, into: &opened))
        #expect(!open(sealed, key, bad, into: &opened))
        var signature = zeros(64)
        #expect(BareCalls.sign(message.span, secretKey: zeros(32 + count).span, into: &signature) == false)
        #expect(BareCalls.verify(signature.span, message.span, publicKey: bad.span) == false)
        var stream = zeros(24 + 4 * 42)
        #expect(BareCalls.streamSeal(message.span, key: bad.span, chunkLength: 25, into: &stream) == false)
        #expect(BareCalls.streamOpen(stream.span, key: bad.span, chunkLength: 25, into: &opened) == false)
    }

    private func open(_ box: [UInt8], _ publicKey: [UInt8], _ secretKey: [UInt8], into message: inout [UInt8]) -> Bool {
        BareCalls.sealedBoxOpen(box.span, publicKey: publicKey.span, secretKey: secretKey.span, into: &message)
    }
}
