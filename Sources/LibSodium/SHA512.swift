import CSodium

/// SHA-512 (`crypto_hash_sha512`).
package enum SHA512 {
    /// The length of a digest: 64 bytes.
    package static let byteCount = Int(crypto_hash_sha512_bytes())

    /// Hashes a message.
    ///
    /// - Parameter message: The message; may be empty.
    /// - Returns: The digest, 64 bytes, in memory that is wiped.
    /// - Throws: `initializationFailed`.
    package static func hash(_ message: Span<UInt8>) throws(SodiumError) -> SecretBytes {
        let count = UInt64(message.count)
        return try unsafe withPointer(message) { (message) throws(SodiumError) in
            let failure = SodiumError(.invalidParameters, "crypto_hash_sha512")
            return try unsafe SecretBytes(count: byteCount, failure: failure) { output in
                unsafe crypto_hash_sha512(output, message, count)
            }
        }
    }
}
