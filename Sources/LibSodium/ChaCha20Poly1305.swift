import CSodium

/// Authenticated encryption of RFC 8439 with nonces chosen by the caller (`crypto_aead_chacha20poly1305_ietf`).
///
/// Use it only for protocols that define their own nonces, such as a counter. Do not choose nonces of 12 bytes at
/// random: two of them can be equal, and a nonce used twice under one key reveals the XOR of both messages and allows
/// forgeries.
/// ``XChaCha20Poly1305`` generates random nonces that are long enough.
package enum ChaCha20Poly1305 {
    /// The length of a key: 32 bytes.
    package static let keyByteCount = Int(crypto_aead_chacha20poly1305_ietf_keybytes())
    /// The length of a nonce: 12 bytes.
    package static let nonceByteCount = Int(crypto_aead_chacha20poly1305_ietf_npubbytes())
    /// How much longer a box is than its message: 16 bytes, the tag.
    package static let overheadByteCount = Int(crypto_aead_chacha20poly1305_ietf_abytes())
    private static let maximumMessageByteCount = upperBound(crypto_aead_chacha20poly1305_ietf_messagebytes_max())

    /// Encrypts a message.
    ///
    /// - Parameters:
    ///   - message: The message; may be empty.
    ///   - associatedData: Bytes that are authenticated with the message; may be empty.
    ///   - nonce: 12 bytes, never used before with this key.
    ///   - key: The key, 32 bytes.
    /// - Returns: Ciphertext and tag, without the nonce.
    /// - Throws: `wrongLength`, `tooLong`, `initializationFailed`.
    package static func seal(
        _ message: Span<UInt8>,
        associatedData: Span<UInt8>,
        nonce: Span<UInt8>,
        key: Span<UInt8>
    ) throws(SodiumError) -> [UInt8] {
        try Sodium.initialize()
        try require(nonceByteCount, nonce, "nonce")
        try require(keyByteCount, key, "key")
        let boxCount = try length(of: message, plus: overheadByteCount, maximum: maximumMessageByteCount, "message")
        let (messageCount, dataCount) = (UInt64(message.count), UInt64(associatedData.count))
        return try unsafe withPointers(message, associatedData) { (message, data) throws(SodiumError) in
            try unsafe withPointers(nonce, key) { (nonce, key) throws(SodiumError) in
                try unsafe filled(count: boxCount, failure: SodiumError(.tooLong, "message")) { output in
                    unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
                        output,
                        nil,
                        message,
                        messageCount,
                        data,
                        dataCount,
                        nil,
                        nonce,
                        key
                    )
                }
            }
        }
    }

    /// Decrypts a box.
    ///
    /// - Parameters:
    ///   - box: Ciphertext and tag: at least 16 bytes.
    ///   - associatedData: The associated data that the box was made with.
    ///   - nonce: The nonce of the box, 12 bytes.
    ///   - key: The key, 32 bytes.
    /// - Returns: The message, in memory that is wiped.
    /// - Throws: `wrongLength`, `authenticationFailed`, `initializationFailed`.
    package static func open(
        _ box: Span<UInt8>,
        associatedData: Span<UInt8>,
        nonce: Span<UInt8>,
        key: Span<UInt8>
    ) throws(SodiumError) -> SecretBytes {
        try require(nonceByteCount, nonce, "nonce")
        try require(keyByteCount, key, "key")
        let messageCount = try length(of: box, minus: overheadByteCount, "box")
        let (boxCount, dataCount) = (UInt64(box.count), UInt64(associatedData.count))
        return try unsafe withPointers(box, associatedData) { (box, data) throws(SodiumError) in
            try unsafe withPointers(nonce, key) { (nonce, key) throws(SodiumError) in
                let failure = SodiumError(.authenticationFailed, "box")
                return try unsafe SecretBytes(count: messageCount, failure: failure) { output in
                    unsafe crypto_aead_chacha20poly1305_ietf_decrypt(
                        output,
                        nil,
                        nil,
                        box,
                        boxCount,
                        data,
                        dataCount,
                        nonce,
                        key
                    )
                }
            }
        }
    }
}
