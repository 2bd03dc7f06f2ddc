import CSodium

/// Authenticated encryption under a shared key (`crypto_secretbox_easy`: XSalsa20 and Poly1305).
///
/// A box is nonce (24 bytes), tag (16) and ciphertext in one piece. The nonce is random, and 24 bytes of it never
/// repeat, so one key serves any number of boxes. A box does not tell its place: an old one can be sent again, and
/// boxes can be dropped.
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

    /// Seals a message under a nonce that is given: for known answers only, since a nonce that comes back reveals
    /// messages.
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

    /// Opens a box whose message is no secret of its own (`crypto_secretbox_open_easy`).
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

    /// Opens a box whose message is a secret, a key for example, into memory that is wiped
    /// (`crypto_secretbox_open_easy`).
    ///
    /// - Parameters:
    ///   - box: Nonce, tag, ciphertext: at least 40 bytes.
    ///   - key: The shared key, 32 bytes.
    /// - Returns: The message.
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
