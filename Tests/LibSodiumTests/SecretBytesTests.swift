import LibSodium
import Synchronization
import Testing

struct SecretBytesTests {
    private let secret = [UInt8](1...32)

    @Test func `holds the bytes it was given`() throws {
        let copied = try SecretBytes(copying: secret.span)
        #expect(copied.count == 32)
        #expect([UInt8](copied) == secret)
    }

    @Test func `may be empty`() throws {
        let empty: [UInt8] = []
        let copied = try SecretBytes(copying: empty.span)
        #expect([UInt8](copied) == [])
    }

    @Test func `is written in place, over zeros`() throws {
        let bytes = try SecretBytes(count: 3) { span in
            span[1] = 7
        }
        #expect([UInt8](bytes) == [0, 7, 0])
        // Memory that others released is likely to be handed out again.
        for _ in 0..<32 {
            let left = UnsafeMutablePointer<UInt8>.allocate(capacity: 64)
            unsafe left.initialize(repeating: 0xA5, count: 64)
            unsafe left.deallocate()
            let untouched = try SecretBytes(count: 64) { _ in }
            #expect([UInt8](untouched) == zeros(64))
        }
    }

    @Test func `passes on the error of the closure that writes it`() {
        let error = refusal { () throws(SodiumError) in
            _ = try SecretBytes(count: 3) { (_) throws(SodiumError) in
                _ = try Sodium.randomBytes(count: -1)
            }
        }
        #expect(error?.code == .invalidParameters)
    }

    @Test func `refuses a negative count`() {
        #expect(refusal { () throws(SodiumError) in _ = try SecretBytes.random(count: -1) }?.code == .invalidParameters)
        #expect(
            refusal { () throws(SodiumError) in _ = try SecretBytes(count: -1) { _ in } }?.code == .invalidParameters
        )
    }

    @Test func `random secrets differ`() throws {
        let first = try SecretBytes.random(count: 32)
        let second = try SecretBytes.random(count: 32)
        #expect([UInt8](first) != [UInt8](second))
        #expect([UInt8](first) != zeros(32))
    }

    private final class Held: Sendable {
        private let secret: SecretBytes
        private let byte: UInt8

        init(_ count: Int, _ byte: UInt8) throws(SodiumError) {
            self.byte = byte
            secret = try SecretBytes(count: count) { span in
                for index in span.indices { span[index] = byte }
            }
        }

        var isUnchanged: Bool {
            secret.withBytes { bytes in bytes.indices.allSatisfy { bytes[$0] == byte } }
        }
    }

    @Test func `a hundred thousand keys can be held`() throws {
        // With pages of their own the system's limit of mappings ends at a sixth of them.
        let keys = try (0..<100_000).map { try Held(32, UInt8(truncatingIfNeeded: $0)) }
        #expect(keys.allSatisfy { $0.isUnchanged })
    }

    @Test func `secrets of any length keep their bytes while others come and go`() {
        let changed = Mutex(0)
        concurrently(8, cores: 4) { thread in
            var held: [Held] = []
            for round in 0..<2000 {
                // Around each size of a slot, and beyond the largest.
                let size = [32, 64, 128, 256, 512, 1024, 5000][round % 7]
                guard let new = try? Held(size + round % 3 - 1, UInt8(truncatingIfNeeded: thread &* 31 &+ round)) else {
                    changed.withLock { $0 += 1 }
                    continue
                }
                held.append(new)
                if held.count > 50 {
                    let oldest = held.removeFirst()
                    if !oldest.isUnchanged { changed.withLock { $0 += 1 } }
                }
            }
            if !held.allSatisfy({ $0.isUnchanged }) { changed.withLock { $0 += 1 } }
        }
        #expect(changed.withLock { $0 } == 0)
    }

    @Test func `memory is all zero when its owner has gone`() throws {
        let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 64)
        defer { unsafe memory.deallocate() }
        unsafe memory.initialize(repeating: 0xA5)
        try unsafe holdBriefly(memory)
        #expect(unsafe memory.allSatisfy { $0 == 0 })
    }

    private func holdBriefly(_ memory: UnsafeMutableBufferPointer<UInt8>) throws {
        let secret = try unsafe SecretBytes(lending: memory)
        #expect([UInt8](secret) == [UInt8](repeating: 0xA5, count: 64))
    }
}
