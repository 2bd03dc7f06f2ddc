import CSodium

/// Authenticated encryption under a shared key (`crypto_secretbox_easy`: XSalsa20 and Poly1305).
///
/// A box is the nonce (24 bytes), the tag (16 bytes) and the ciphertext in one array. The nonce is random and so long
/// that it does not repeat, so one key may encrypt any number of boxes. A box does not authenticate its position among
/// other boxes, so replayed and dropped boxes are not detected.
public enum SecretBox {
    /// The length of a key: 32 bytes.
    public static let keyByteCount = Int(crypto_secretbox_keybytes())
    /// The length of the nonce at the start of a box: 24 bytes.
    public static let nonceByteCount = Int(crypto_secretbox_noncebytes())
    /// How much longer a box is than its message: 40 bytes, the nonce and the tag.
    public static let overheadByteCount = nonceByteCount + Int(crypto_secretbox_macbytes())
    private static let maximumMessageByteCount = upperBound(crypto_secretbox_messagebytes_max())

    /// Seals a message under a fresh random nonce.
    ///
    /// - Parameters:
    ///   - message: The message; may be empty.
    ///   - key: The shared key, 32 bytes.
    /// - Returns: Nonce, tag, ciphertext.
    /// - Throws: `wrongLength`, `tooLong`, `initializationFailed`.
    public static func seal(_ message: Span<UInt8>, key: Span<UInt8>) throws(SodiumError) -> [UInt8] {
        try unsafe seal(message, key: key) { output in unsafe randombytes_buf(output, nonceByteCount) }
    }

    /// Seals a message under a given nonce, for known-answer tests only: a repeated nonce reveals messages.
    package static func seal(
        _ message: Span<UInt8>,
        nonce: Span<UInt8>,
        key: Span<UInt8>
    ) throws(SodiumError) -> [UInt8] {
        try require(nonceByteCount, nonce, "nonce")
        return try unsafe withPointer(nonce) { (nonce) throws(SodiumError) in
            try unsafe seal(message, key: key) { output in unsafe output.update(from: nonce, count: nonceByteCount) }
        }
    }

    private static func seal(
        _ message: Span<UInt8>,
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
        let messageCount = UInt64(message.count)
        return try unsafe withPointers(message, key) { (message, key) throws(SodiumError) in
            try unsafe filled(count: boxCount, failure: SodiumError(.tooLong, "message")) { output in
                unsafe writeNonce(output)
                return unsafe crypto_secretbox_easy(output + nonceByteCount, message, messageCount, output, key)
            }
        }
    }

    /// Opens a box into an array, which is not wiped (`crypto_secretbox_open_easy`).
    ///
    /// - Parameters:
    ///   - box: Nonce, tag, ciphertext: at least 40 bytes.
    ///   - key: The shared key, 32 bytes.
    /// - Returns: The message.
    /// - Throws: `wrongLength`, `authenticationFailed`, `initializationFailed`.
    public static func open(_ box: Span<UInt8>, key: Span<UInt8>) throws(SodiumError) -> [UInt8] {
        try Sodium.initialize()
        try require(keyByteCount, key, "key")
        let messageCount = try length(of: box, minus: overheadByteCount, "box")
        let boxCount = box.count
        return try unsafe withPointers(box, key) { (box, key) throws(SodiumError) in
            try unsafe filled(count: messageCount, failure: SodiumError(.authenticationFailed, "box")) { output in
                unsafe open(box, boxCount, key, into: output)
            }
        }
    }

    /// Opens a box whose message is a secret, such as a key, into memory that is wiped (`crypto_secretbox_open_easy`).
    ///
    /// - Parameters:
    ///   - box: Nonce, tag, ciphertext: at least 40 bytes.
    ///   - key: The shared key, 32 bytes.
    /// - Returns: The message, in memory that is wiped.
    /// - Throws: `wrongLength`, `authenticationFailed`, `initializationFailed`.
    public static func openSecret(_ box: Span<UInt8>, key: Span<UInt8>) throws(SodiumError) -> SecretBytes {
        try require(keyByteCount, key, "key")
        let messageCount = try length(of: box, minus: overheadByteCount, "box")
        let boxCount = box.count
        return try unsafe withPointers(box, key) { (box, key) throws(SodiumError) in
            try unsafe SecretBytes(count: messageCount, failure: SodiumError(.authenticationFailed, "box")) { output in
                unsafe open(box, boxCount, key, into: output)
            }
        }
    }

    private static func open(
        _ box: UnsafePointer<UInt8>,
        _ boxCount: Int,
        _ key: UnsafePointer<UInt8>,
        into output: UnsafeMutablePointer<UInt8>
    ) -> CInt {
        unsafe crypto_secretbox_open_easy(output, box + nonceByteCount, UInt64(boxCount - nonceByteCount), box, key)
    }
}
