import CSodium

/// Authenticated encryption with associated data (`crypto_aead_xchacha20poly1305_ietf`).
///
/// A box is the nonce (24 bytes), the ciphertext and the tag (16 bytes) in one array. The nonce is random and so long
/// that it does not repeat, so one key may encrypt any number of boxes. The associated data is authenticated but not
/// part of the box. Opening a box needs the same data again, so a box that is moved to another context does not open.
public enum XChaCha20Poly1305 {
    /// The length of a key: 32 bytes.
    public static let keyByteCount = Int(crypto_aead_xchacha20poly1305_ietf_keybytes())
    /// The length of the nonce at the start of a box: 24 bytes.
    public static let nonceByteCount = Int(crypto_aead_xchacha20poly1305_ietf_npubbytes())
    /// How much longer a box is than its message: 40 bytes, the nonce and the tag.
    public static let overheadByteCount = nonceByteCount + Int(crypto_aead_xchacha20poly1305_ietf_abytes())
    private static let maximumMessageByteCount = upperBound(crypto_aead_xchacha20poly1305_ietf_messagebytes_max())

    /// Encrypts a message under a fresh random nonce.
    ///
    /// - Parameters:
    ///   - message: The message; may be empty.
    ///   - associatedData: Bytes that are authenticated with the message; may be empty.
    ///   - key: The key, 32 bytes.
    /// - Returns: Nonce, ciphertext, tag.
    /// - Throws: `wrongLength`, `tooLong`, `initializationFailed`.
    public static func seal(
        _ message: Span<UInt8>,
        associatedData: Span<UInt8>,
        key: Span<UInt8>
    ) throws(SodiumError) -> [UInt8] {
        try unsafe seal(message, associatedData: associatedData, key: key) { output in
            unsafe randombytes_buf(output, nonceByteCount)
        }
    }

    /// Encrypts a message under a given nonce, for known-answer tests only: a repeated nonce reveals messages.
    package static func seal(
        _ message: Span<UInt8>,
        associatedData: Span<UInt8>,
        nonce: Span<UInt8>,
        key: Span<UInt8>
    ) throws(SodiumError) -> [UInt8] {
        try require(nonceByteCount, nonce, "nonce")
        return try unsafe withPointer(nonce) { (nonce) throws(SodiumError) in
            try unsafe seal(message, associatedData: associatedData, key: key) { output in
                unsafe output.update(from: nonce, count: nonceByteCount)
            }
        }
    }

    private static func seal(
        _ message: Span<UInt8>,
        associatedData: Span<UInt8>,
        key: Span<UInt8>,
        writingNonce writeNonce: (UnsafeMutablePointer<UInt8>) -> Void
    ) throws(SodiumError) -> [UInt8] {
        try Sodium.initialize()
        try require(keyByteCount, key, "key")
        let boxCount = try length(
            of: message,
            plus: overheadByteCount,
            maximum: maximumMessageByteCount,
            "message"
        )
        let (messageCount, dataCount) = (UInt64(message.count), UInt64(associatedData.count))
        return try unsafe withPointers(message, associatedData, key) { (message, data, key) throws(SodiumError) in
            try unsafe filled(count: boxCount, failure: SodiumError(.tooLong, "message")) { output in
                unsafe writeNonce(output)
                return unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
                    output + nonceByteCount,
                    nil,
                    message,
                    messageCount,
                    data,
                    dataCount,
                    nil,
                    output,
                    key
                )
            }
        }
    }

    /// Decrypts a box (`crypto_aead_xchacha20poly1305_ietf_decrypt`).
    ///
    /// - Parameters:
    ///   - box: Nonce, ciphertext, tag: at least 40 bytes.
    ///   - associatedData: The associated data that the box was made with.
    ///   - key: The key, 32 bytes.
    /// - Returns: The message.
    /// - Throws: `wrongLength`, `authenticationFailed`, `initializationFailed`.
    public static func open(
        _ box: Span<UInt8>,
        associatedData: Span<UInt8>,
        key: Span<UInt8>
    ) throws(SodiumError) -> [UInt8] {
        try Sodium.initialize()
        try require(keyByteCount, key, "key")
        let messageCount = try length(of: box, minus: overheadByteCount, "box")
        let (boxCount, dataCount) = (box.count, UInt64(associatedData.count))
        return try unsafe withPointers(box, associatedData, key) { (box, data, key) throws(SodiumError) in
            try unsafe filled(count: messageCount, failure: SodiumError(.authenticationFailed, "box")) { output in
                unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
                    output,
                    nil,
                    nil,
                    box + nonceByteCount,
                    UInt64(boxCount - nonceByteCount),
                    data,
                    dataCount,
                    box,
                    key
                )
            }
        }
    }
}
