import CSodium

/// Derives keys from passwords (`crypto_pwhash` with Argon2id, version 1.3).
public enum PasswordHash {
    /// The length of a salt: 16 bytes.
    public static let saltByteCount = Int(crypto_pwhash_argon2id_saltbytes())

    /// The cost of one guess at a password.
    public struct Limits: Hashable, Sendable {
        /// The number of passes over the memory.
        public var operations: Int
        /// The memory in bytes; Argon2id rounds it down to kibibytes.
        public var memory: Int

        /// Creates limits.
        ///
        /// - Parameters:
        ///   - operations: The number of passes over the memory, at least 1.
        ///   - memory: The memory in bytes, at least 8192.
        public init(operations: Int, memory: Int) {
            self.operations = operations
            self.memory = memory
        }

        /// The minimum that Argon2id accepts: 1 pass over 8 KiB; only for tests, because it protects nothing.
        public static let minimum = Self(
            operations: Int(crypto_pwhash_argon2id_opslimit_min()),
            memory: Int(crypto_pwhash_argon2id_memlimit_min())
        )
        /// For interactive use, while a person waits: 2 passes over 64 MiB.
        public static let interactive = Self(
            operations: Int(crypto_pwhash_argon2id_opslimit_interactive()),
            memory: Int(crypto_pwhash_argon2id_memlimit_interactive())
        )
        /// Between ``interactive`` and ``sensitive``: 3 passes over 256 MiB.
        public static let moderate = Self(
            operations: Int(crypto_pwhash_argon2id_opslimit_moderate()),
            memory: Int(crypto_pwhash_argon2id_memlimit_moderate())
        )
        /// For valuable keys that are rarely derived: 4 passes over 1 GiB.
        public static let sensitive = Self(
            operations: Int(crypto_pwhash_argon2id_opslimit_sensitive()),
            memory: Int(crypto_pwhash_argon2id_memlimit_sensitive())
        )
        // The maximum that libsodium accepts.
        fileprivate static let maximum = Self(
            // A `size_t` up to libsodium 1.0.20, an `unsigned long long` on its development branch.
            operations: Int(clamping: crypto_pwhash_argon2id_opslimit_max()),
            memory: upperBound(crypto_pwhash_argon2id_memlimit_max())
        )

        fileprivate func isWithin(_ minimum: Self, _ maximum: Self) -> Bool {
            minimum.operations <= operations && operations <= maximum.operations
                && minimum.memory <= memory && memory <= maximum.memory
        }
    }

    /// Derives a key from a password (`crypto_pwhash`).
    ///
    /// Limits that were read from a file are untrusted: without a bound, a modified file could make the reader allocate
    /// terabytes. So the caller also passes `maximum`.
    ///
    /// - Parameters:
    ///   - password: The password; may be empty.
    ///   - salt: 16 random bytes, stored with what the key encrypts.
    ///   - count: The length of the key in bytes, at least 16.
    ///   - limits: The cost of one guess.
    ///   - maximum: The highest cost that the caller accepts.
    /// - Returns: The key.
    /// - Throws: `wrongLength` for the salt; `invalidParameters` for `limits` or `count` out of bounds; `tooLong` for a
    ///   password of 4 GiB or more; `outOfMemory`; `initializationFailed`.
    public static func key(
        from password: Span<UInt8>,
        salt: Span<UInt8>,
        count: Int = 32,
        limits: Limits,
        maximum: Limits
    ) throws(SodiumError) -> SecretBytes {
        try require(saltByteCount, salt, "salt")
        guard limits.isWithin(.minimum, .maximum), limits.isWithin(.minimum, maximum) else {
            throw SodiumError(.invalidParameters, "limits")
        }
        guard count >= Int(crypto_pwhash_argon2id_bytes_min()),
            count <= upperBound(crypto_pwhash_argon2id_bytes_max())
        else { throw SodiumError(.invalidParameters, "count") }
        guard password.count <= upperBound(crypto_pwhash_argon2id_passwd_max()) else {
            throw SodiumError(.tooLong, "password")
        }
        let passwordCount = UInt64(password.count)
        return try unsafe withPointers(password, salt) { (password, salt) throws(SodiumError) in
            // All parameters were checked above, so the only remaining cause of failure is lack of memory.
            try unsafe SecretBytes(count: count, failure: SodiumError(.outOfMemory, "crypto_pwhash")) { output in
                unsafe password.withMemoryRebound(to: CChar.self, capacity: Int(passwordCount)) { password in
                    unsafe crypto_pwhash_argon2id(
                        output,
                        UInt64(count),
                        password,
                        passwordCount,
                        salt,
                        UInt64(limits.operations),
                        limits.memory,
                        crypto_pwhash_argon2id_alg_argon2id13()
                    )
                }
            }
        }
    }
}
