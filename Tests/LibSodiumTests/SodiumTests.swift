import LibSodium
import Testing

struct SodiumTests {
    @Test func `random bytes have the length that was asked for and differ`() throws {
        #expect(try Sodium.randomBytes(count: 0) == [])
        let first = try Sodium.randomBytes(count: 24)
        #expect(first.count == 24)
        #expect(try Sodium.randomBytes(count: 24) != first)
        #expect(refusal { () throws(SodiumError) in _ = try Sodium.randomBytes(count: -1) }?.code == .invalidParameters)
    }

    @Test func `only equal bytes are equal`() {
        let bytes = [UInt8](0..<16)
        #expect(isEqual(bytes, [UInt8](0..<16)))
        for other in bytes.withEachBitFlipped {
            #expect(!isEqual(bytes, other))
        }
        #expect(!isEqual(bytes, bytes.dropLast()))
        #expect(isEqual([UInt8](), [UInt8]()))
    }

    @Test func `a wiped array is empty, and zeros are where its bytes were`() throws {
        var bytes = [UInt8](1...64)
        let memory = unsafe bytes.withUnsafeBufferPointer { bytes in unsafe bytes }
        Sodium.wipe(&bytes)
        #expect(bytes.isEmpty)
        try #require(bytes.capacity >= 64, "the memory is no longer the array's, and cannot be read")
        #expect(unsafe memory.allSatisfy { $0 == 0 })
        Sodium.wipe(&bytes)
        #expect(bytes.isEmpty)
    }

    @Test func `errors name the place and the lengths`() {
        let error = refusal { () throws(SodiumError) in _ = try SecretBox.open(zeros(39).span, key: zeros(32).span) }
        #expect(error?.description == "wrongLength: box has 39 bytes, expected 40")
        let other = refusal { () throws(SodiumError) in _ = try Sodium.randomBytes(count: -1) }
        #expect(other?.description == "invalidParameters: count")
    }

    // Spans cannot be arguments of a call that #expect takes apart.
    private func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        Sodium.isEqual(left.span, right.span)
    }
}
