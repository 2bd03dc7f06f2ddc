import CSodium
import Synchronization

/// The memory of ``SecretBytes``: locked against swapping, excluded from core dumps, and between guard pages.
///
/// All secret memory comes from `sodium_malloc`. One call takes at least four pages and six system calls, which is too
/// much for one key, so each block from `sodium_malloc` is divided into slots of one size. Blocks are never freed, and
/// their slots are reused. If the system refuses to lock a block because RLIMIT_MEMLOCK is reached, `sodium_malloc`
/// returns the block unlocked.
enum SecretMemory {
    /// The sizes of slots are the powers of 2 from 32 to 1024 bytes.
    ///
    /// Each longer secret gets its own block.
    private static let smallestSlot = 32
    private static let sizeCount = 6
    /// The size of a block: with the canary that `sodium_malloc` puts before the block, it fits four pages of 4 KiB.
    ///
    /// `sodium_malloc` places a block at the end of its pages. A multiple of 64 keeps its slots aligned.
    private static let blockByteCount = 4 * 4096 - 64

    /// The start of a slot that is not in use.
    @safe
    private struct Slot: @unchecked Sendable {
        let start: UnsafeMutablePointer<UInt8>
    }

    /// The slots that are not in use, by the index of their size.
    private static let free = Mutex([[Slot]](repeating: [], count: sizeCount))

    /// The index of the smallest slot size that holds `count` bytes; nil if all are too small.
    private static func sizeIndex(_ count: Int) -> Int? {
        let last = max(count, smallestSlot) - 1
        let index = last.leadingZeroBitCount.distance(to: (smallestSlot - 1).leadingZeroBitCount)
        return index < sizeCount ? index : nil
    }

    /// Allocates memory with undefined contents; up to 1024 bytes, it is aligned to at least 32 bytes.
    ///
    /// - Parameter count: The length in bytes, not negative.
    /// - Returns: The memory; free it with ``deallocate(_:_:)``.
    /// - Throws: `outOfMemory`.
    static func allocate(_ count: Int) throws(SodiumError) -> UnsafeMutablePointer<UInt8> {
        guard let index = sizeIndex(count) else { return try unsafe block(count) }
        let slot = try free.withLock { (free) throws(SodiumError) in
            if let slot = free[index].popLast() { return slot }
            let size = smallestSlot << index
            let block = try unsafe block(blockByteCount)
            free[index] = stride(from: 0, through: blockByteCount - size, by: size).map {
                unsafe Slot(start: block + $0)
            }
            return free[index].removeLast()
        }
        return unsafe slot.start
    }

    /// Overwrites memory from ``allocate(_:)`` with zeros and frees it.
    ///
    /// - Parameters:
    ///   - start: The memory.
    ///   - count: Its length in bytes, as passed to ``allocate(_:)``.
    static func deallocate(_ start: UnsafeMutablePointer<UInt8>, _ count: Int) {
        guard let index = sizeIndex(count) else {
            unsafe sodium_free(start)
            return
        }
        unsafe sodium_memzero(start, count)
        let slot = unsafe Slot(start: start)
        free.withLock { $0[index].append(slot) }
    }

    private static func block(_ count: Int) throws(SodiumError) -> UnsafeMutablePointer<UInt8> {
        guard let block = unsafe sodium_malloc(count) else { throw SodiumError(.outOfMemory, "sodium_malloc") }
        return unsafe block.bindMemory(to: UInt8.self, capacity: count)
    }
}
