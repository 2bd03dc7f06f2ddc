import CSodium

/// Initialization, random bytes, comparison and wiping.
///
/// Every public function of this module initializes libsodium if necessary; comparing and wiping do not need that.
public enum Sodium {
    // 0: initialized now; 1: other code of the process initialized it earlier; -1: failed. Swift sets a static once, on
    // one thread.
    private static let initialization: CInt = sodium_init()

    /// Initializes libsodium (`sodium_init`), once per process and from any thread.
    ///
    /// Calling it is optional: a program can use it to check at its start that libsodium works.
    ///
    /// - Throws: `initializationFailed`.
    public static func initialize() throws(SodiumError) {
        guard initialization >= 0 else { throw SodiumError(.initializationFailed, "sodium_init") }
    }

    /// The version of the loaded libsodium (`sodium_version_string`), for example `1.0.18`.
    package static var version: String { unsafe String(cString: sodium_version_string()) }

    /// Returns random bytes for values that are not secret, such as nonces and salts (`randombytes_buf`).
    ///
    /// For keys use ``SecretBytes/random(count:)``.
    ///
    /// - Parameter count: The number of bytes.
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

    /// Whether two byte strings are equal, in a time that does not depend on where they differ (`sodium_memcmp`).
    ///
    /// The lengths are not treated as secret: if they differ, the function returns at once.
    ///
    /// - Parameters:
    ///   - left: One byte string.
    ///   - right: The other byte string.
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
    /// The array must be the only owner of its storage. If another array, a closure or another value shares the
    /// storage, only a fresh copy is wiped and the secret remains in memory. The old storage of an array that grew is
    /// not wiped either. Keep secrets in ``SecretBytes`` instead.
    ///
    /// - Parameter bytes: The array. It is empty afterwards and keeps the wiped storage as capacity.
    public static func wipe(_ bytes: inout [UInt8]) {
        unsafe bytes.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return }
            unsafe sodium_memzero(start, buffer.count)
        }
        bytes.removeAll(keepingCapacity: true)
    }
}
