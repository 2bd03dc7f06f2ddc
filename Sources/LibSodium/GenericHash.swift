import CSodium

/// BLAKE2b hashing (`crypto_generichash`), without a key.
public enum GenericHash {
    /// The shortest digest: 16 bytes.
    public static let minimumByteCount = Int(crypto_generichash_bytes_min())
    /// The longest digest: 64 bytes.
    public static let maximumByteCount = Int(crypto_generichash_bytes_max())

    /// Hashes a message.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - count: The length of the digest in bytes, 16 to 64. Digests of different lengths share no bytes.
    /// - Returns: The digest.
    /// - Throws: `wrongLength` for another `count`, `initializationFailed`.
    public static func hash(_ message: Span<UInt8>, count: Int = 32) throws(SodiumError) -> [UInt8] {
        guard (minimumByteCount...maximumByteCount).contains(count) else {
            throw SodiumError(.wrongLength, "count", expected: maximumByteCount, actual: count)
        }
        try Sodium.initialize()
        let length = UInt64(message.count)
        return try unsafe withPointer(message) { (message) throws(SodiumError) in
            try unsafe filled(count: count, failure: SodiumError(.invalidParameters, "crypto_generichash")) { output in
                unsafe crypto_generichash(output, count, message, length, nil, 0)
            }
        }
    }
}
