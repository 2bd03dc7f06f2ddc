import CSodium

/// BLAKE2b hashing (`crypto_generichash`), with or without a key.
public enum GenericHash {
    /// The shortest digest: 16 bytes.
    public static let minimumByteCount = Int(crypto_generichash_bytes_min())
    /// The longest digest: 64 bytes.
    public static let maximumByteCount = Int(crypto_generichash_bytes_max())
    /// The shortest key: 16 bytes.
    public static let minimumKeyByteCount = Int(crypto_generichash_keybytes_min())
    /// The longest key: 64 bytes.
    public static let maximumKeyByteCount = Int(crypto_generichash_keybytes_max())

    /// Hashes a message.
    ///
    /// - Parameters:
    ///   - message: The message, of any length.
    ///   - count: The length of the digest in bytes, 16 to 64. A shorter digest is not a prefix of a longer one.
    /// - Returns: The digest, `count` bytes.
    /// - Throws: `wrongLength` for a `count` out of range, `initializationFailed`.
    public static func hash(_ message: Span<UInt8>, count: Int = 32) throws(SodiumError) -> [UInt8] {
        try check(count)
        let length = UInt64(message.count)
        return try unsafe withPointer(message) { (message) throws(SodiumError) in
            try unsafe filled(count: count, failure: SodiumError(.invalidParameters, "crypto_generichash")) { output in
                unsafe crypto_generichash(output, count, message, length, nil, 0)
            }
        }
    }

    /// Hashes a message under a key: without the key the digest can neither be computed nor checked.
    ///
    /// - Parameters:
    ///   - message: The message, of any length.
    ///   - key: The key, 16 to 64 bytes.
    ///   - count: The length of the digest in bytes, 16 to 64.
    /// - Returns: The digest, `count` bytes.
    /// - Throws: `wrongLength` for a `count` or a length of the key out of range, `initializationFailed`.
    public static func hash(
        _ message: Span<UInt8>,
        key: Span<UInt8>,
        count: Int = 32
    ) throws(SodiumError) -> [UInt8] {
        try check(count)
        try check(key)
        let (length, keyCount) = (UInt64(message.count), key.count)
        return try unsafe withPointers(message, key) { (message, key) throws(SodiumError) in
            try unsafe filled(count: count, failure: SodiumError(.invalidParameters, "crypto_generichash")) { output in
                unsafe crypto_generichash(output, count, message, length, key, keyCount)
            }
        }
    }

    /// Derives a key from another one: the keyed hash of a context, in memory that is wiped.
    ///
    /// - Parameters:
    ///   - context: The purpose of the new key. Use a different context for each purpose, otherwise the keys are equal.
    ///   - key: The key to derive from, 16 to 64 bytes.
    ///   - count: The length of the new key in bytes, 16 to 64.
    /// - Returns: The new key.
    /// - Throws: `wrongLength` for a `count` or a length of the key out of range, `initializationFailed`.
    public static func deriveKey(
        _ context: Span<UInt8>,
        from key: Span<UInt8>,
        count: Int = 32
    ) throws(SodiumError) -> SecretBytes {
        try check(count)
        try check(key)
        let (length, keyCount) = (UInt64(context.count), key.count)
        return try unsafe withPointers(context, key) { (context, key) throws(SodiumError) in
            let failure = SodiumError(.invalidParameters, "crypto_generichash")
            return try unsafe SecretBytes(count: count, failure: failure) { output in
                unsafe crypto_generichash(output, count, context, length, key, keyCount)
            }
        }
    }

    private static func check(_ count: Int) throws(SodiumError) {
        guard (minimumByteCount...maximumByteCount).contains(count) else {
            throw SodiumError(.wrongLength, "count", expected: maximumByteCount, actual: count)
        }
        try Sodium.initialize()
    }

    private static func check(_ key: Span<UInt8>) throws(SodiumError) {
        guard (minimumKeyByteCount...maximumKeyByteCount).contains(key.count) else {
            throw SodiumError(.wrongLength, "key", expected: maximumKeyByteCount, actual: key.count)
        }
    }
}
