import CSodium

/// Secret bytes with a single owner, wiped when the owner is destroyed.
///
/// The type is noncopyable, so code that prints, compares, hashes or encodes it does not compile. The bytes are read
/// through ``withBytes(_:)`` and never change after initialization, so tasks may share a value by borrowing it.
///
/// The memory is excluded from core dumps and locked against swapping. Beyond the system's limit of locked memory
/// (RLIMIT_MEMLOCK) it is used without the lock, and no error is thrown. Small secrets share locked pages, so that many
/// of them use little of that limit.
@safe
public struct SecretBytes: ~Copyable, @unchecked Sendable {
    private let start: UnsafeMutablePointer<UInt8>
    private let isLent: Bool

    /// The length in bytes.
    public let count: Int

    /// Allocates memory and lets `fill` write it; if `fill` throws, the memory is wiped.
    private init(
        allocating count: Int,
        filledBy fill: (UnsafeMutablePointer<UInt8>) throws(SodiumError) -> Void
    ) throws(SodiumError) {
        try Sodium.initialize()  // `fill` calls libsodium
        guard count >= 0 else { throw SodiumError(.invalidParameters, "count") }
        let start = try unsafe SecretMemory.allocate(count)
        do throws(SodiumError) {
            try unsafe fill(start)
        } catch {
            unsafe Self.release(start, count, isLent: false)
            throw error
        }
        unsafe self.start = start
        self.count = count
        isLent = false
    }

    /// Copies bytes into new secret memory.
    ///
    /// The caller's bytes are not wiped; if they are in an array, call ``Sodium/wipe(_:)``.
    ///
    /// - Parameter bytes: The secret.
    /// - Throws: `initializationFailed`, `outOfMemory`.
    public init(copying bytes: Span<UInt8>) throws(SodiumError) {
        let count = bytes.count
        self = try unsafe withPointer(bytes) { (bytes) throws(SodiumError) in
            try unsafe SecretBytes(allocating: count) { (start) throws(SodiumError) in
                unsafe start.initialize(from: bytes, count: count)
            }
        }
    }

    /// Creates a secret that a closure writes in place, so that no other copy of the bytes exists.
    ///
    /// - Parameters:
    ///   - count: The length in bytes.
    ///   - body: Writes the secret; when it is called, all bytes are zero.
    /// - Throws: `invalidParameters` for a negative count, `initializationFailed`, `outOfMemory`, or what `body`
    ///   throws.
    public init(
        count: Int,
        initializingWith body: (inout MutableSpan<UInt8>) throws(SodiumError) -> Void
    ) throws(SodiumError) {
        self = try unsafe SecretBytes(allocating: count) { (start) throws(SodiumError) in
            unsafe start.initialize(repeating: 0, count: count)
            var span = unsafe UnsafeMutableBufferPointer(start: start, count: count).mutableSpan
            try body(&span)
        }
    }

    /// Creates a secret from the output of one call to libsodium.
    ///
    /// - Parameters:
    ///   - count: The length in bytes, all of which `call` writes.
    ///   - failure: Thrown when `call` does not return 0.
    ///   - call: Calls libsodium and returns its status.
    /// - Throws: `failure`, `invalidParameters` for a negative count, `initializationFailed`, `outOfMemory`.
    init(
        count: Int,
        failure: SodiumError,
        filledBy call: (UnsafeMutablePointer<UInt8>) -> CInt
    ) throws(SodiumError) {
        self = try unsafe SecretBytes(allocating: count) { (start) throws(SodiumError) in
            guard unsafe call(start) == 0 else { throw failure }
        }
    }

    /// Uses memory of the caller, which is wiped at the end but not freed, so that a test can check the wiping.
    package init(lending memory: UnsafeMutableBufferPointer<UInt8>) throws(SodiumError) {
        try Sodium.initialize()
        guard let start = memory.baseAddress else { throw SodiumError(.invalidParameters, "memory") }
        unsafe self.start = start
        count = memory.count
        isLent = true
    }

    /// Generates a random secret (`randombytes_buf`).
    ///
    /// - Parameter count: The length in bytes.
    /// - Returns: The secret.
    /// - Throws: `invalidParameters` for a negative count, `initializationFailed`, `outOfMemory`.
    public static func random(count: Int) throws(SodiumError) -> SecretBytes {
        try unsafe SecretBytes(count: count, failure: SodiumError(.invalidParameters, "count")) { output in
            unsafe randombytes_buf(output, count)
            return 0
        }
    }

    /// Passes the bytes to a closure.
    ///
    /// Copies that the closure makes are not wiped.
    ///
    /// - Parameter body: Reads the bytes; the span cannot leave the closure.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    public borrowing func withBytes<R: ~Copyable, E: Error>(
        _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        try body(unsafe UnsafeBufferPointer(start: start, count: count).span)
    }

    /// Passes the address to one call of libsodium that changes the bytes, such as the state of a stream.
    mutating func withMutablePointer<R>(_ body: (UnsafeMutablePointer<UInt8>) -> R) -> R {
        unsafe body(start)
    }

    private static func release(_ start: UnsafeMutablePointer<UInt8>, _ count: Int, isLent: Bool) {
        if isLent {
            unsafe sodium_memzero(start, count)
        } else {
            unsafe SecretMemory.deallocate(start, count)
        }
    }

    deinit {
        unsafe Self.release(start, count, isLent: isLent)
    }
}
