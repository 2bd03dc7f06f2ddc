import CSodium

/// What belongs to the library as a whole: initialization, randomness, comparison and wiping.
///
/// Every public call in this module that needs libsodium initialized does that by itself; comparing and wiping do not
/// need it.
public enum Sodium {
    // 0: initialized now; 1: other code of the process had done it; -1: failed. A static is set once, by one thread.
    private static let initialization: CInt = sodium_init()

    /// Initializes libsodium (`sodium_init`), once per process and from any thread.
    ///
    /// There is no need to call it, except to learn at start that libsodium works here.
    ///
    /// - Throws: `initializationFailed`.
    public static func initialize() throws(SodiumError) {
        guard initialization >= 0 else { throw SodiumError(.initializationFailed, "sodium_init") }
    }

    /// The version of the library that runs (`sodium_version_string`), for example `1.0.18`.
    package static var version: String { unsafe String(cString: sodium_version_string()) }

    /// Returns unpredictable bytes that are no secret, such as nonces and salts (`randombytes_buf`).
    ///
    /// For keys use ``SecretBytes/random(count:)``.
    ///
    /// - Parameter count: How many bytes.
    /// - Returns: The bytes.
    /// - Throws: `invalidParameters` for a negative count, `initializationFailed`.
    public static func randomBytes(count: Int) throws(SodiumError) -> [UInt8] {
        try initialize()
        guard count >= 0 else { throw SodiumError(.invalidParameters, "count") }
        return try unsafe filled(count: count, failure: SodiumError(.invalidParameters, "count")) { output in
            unsafe randombytes_buf(output, count)
            return 0
        }
    }

    /// Whether two byte strings are the same, in a time that does not depend on where they differ (`sodium_memcmp`).
    ///
    /// The lengths are not secret: different lengths return at once.
    ///
    /// - Parameters:
    ///   - left: One byte string.
    ///   - right: The other.
    /// - Returns: `true` only for equal bytes.
    public static func isEqual(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        let count = left.count
        return unsafe withPointers(left, right) { left, right in
            unsafe sodium_memcmp(left, right, count) == 0
        }
    }

    /// Overwrites an array with zeros in a way that the optimizer keeps (`sodium_memzero`), and empties it.
    ///
    /// The array must be the only owner of its bytes: where another one, a closure or a value made from it shares them,
    /// what is wiped is a fresh copy, and the secret stays. Copies that the array made of itself as it grew cannot be
    /// reached either. Keep secrets in ``SecretBytes`` instead.
    ///
    /// - Parameter bytes: The array. It is empty afterwards, and keeps the wiped memory until it goes.
    public static func wipe(_ bytes: inout [UInt8]) {
        unsafe bytes.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return }
            unsafe sodium_memzero(start, buffer.count)
        }
        bytes.removeAll(keepingCapacity: true)
    }
}
