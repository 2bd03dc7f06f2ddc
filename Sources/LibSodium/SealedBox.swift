import CSodium

/// Encryption to a public key without a sender (`crypto_box_seal`: X25519, XSalsa20 and Poly1305).
///
/// Any holder of the public key can make a box, so a box that opens does not prove who made it. Each box is made with
/// an ephemeral key pair whose secret key is discarded, so not even the sender can open the box again.
public enum SealedBox {
    /// The length of a public key: 32 bytes.
    public static let publicKeyByteCount = Int(crypto_box_publickeybytes())
    /// The length of a secret key: 32 bytes.
    public static let secretKeyByteCount = Int(crypto_box_secretkeybytes())
    /// The length of a seed: 32 bytes.
    public static let seedByteCount = Int(crypto_box_seedbytes())
    /// How much longer a box is than its message: 48 bytes, the ephemeral public key and the tag.
    public static let overheadByteCount = Int(crypto_box_sealbytes())
    private static let maximumMessageByteCount = upperBound(crypto_box_messagebytes_max())

    /// Makes a fresh key pair (`crypto_box_keypair`).
    ///
    /// - Throws: `initializationFailed`.
    public static func keyPair() throws(SodiumError) -> KeyPair {
        try unsafe KeyPair(
            publicCount: publicKeyByteCount,
            secretCount: secretKeyByteCount,
            failure: SodiumError(.weakPoint, "crypto_box_keypair")
        ) { publicKey, secretKey in
            unsafe crypto_box_keypair(publicKey, secretKey)
        }
    }

    /// Derives the key pair that belongs to a seed (`crypto_box_seed_keypair`).
    ///
    /// The seed is not the secret key. The secret key is the first half of the seed's SHA-512 digest.
    ///
    /// - Parameter seed: 32 secret random bytes.
    /// - Returns: The key pair.
    /// - Throws: `wrongLength`, `initializationFailed`.
    public static func keyPair(seed: Span<UInt8>) throws(SodiumError) -> KeyPair {
        try require(seedByteCount, seed, "seed")
        return try unsafe withPointer(seed) { (seed) throws(SodiumError) in
            try unsafe KeyPair(
                publicCount: publicKeyByteCount,
                secretCount: secretKeyByteCount,
                failure: SodiumError(.weakPoint, "seed")
            ) { publicKey, secretKey in
                unsafe crypto_box_seed_keypair(publicKey, secretKey, seed)
            }
        }
    }

    /// Restores the key pair of a stored secret key (`crypto_scalarmult_base`).
    ///
    /// - Parameter secretKey: The secret key, 32 bytes.
    /// - Returns: The key pair.
    /// - Throws: `wrongLength`, `initializationFailed`.
    public static func keyPair(secretKey: Span<UInt8>) throws(SodiumError) -> KeyPair {
        let publicKey = try ScalarMult.multiplyBase(by: secretKey)
        return KeyPair(publicKey: publicKey, secretKey: try SecretBytes(copying: secretKey))
    }

    /// Seals a message to the holder of a secret key (`crypto_box_seal`).
    ///
    /// - Parameters:
    ///   - message: The message; may be empty.
    ///   - publicKey: The recipient's public key, 32 bytes.
    /// - Returns: Ephemeral public key (32 bytes), tag (16), ciphertext.
    /// - Throws: `wrongLength`; `weakPoint` for a public key of low order; `tooLong`; `initializationFailed`.
    public static func seal(_ message: Span<UInt8>, to publicKey: Span<UInt8>) throws(SodiumError) -> [UInt8] {
        try Sodium.initialize()
        try require(publicKeyByteCount, publicKey, "publicKey")
        let boxCount = try length(
            of: message,
            plus: overheadByteCount,
            maximum: maximumMessageByteCount,
            "message"
        )
        let messageCount = UInt64(message.count)
        return try unsafe withPointers(message, publicKey) { (message, publicKey) throws(SodiumError) in
            try unsafe filled(count: boxCount, failure: SodiumError(.weakPoint, "publicKey")) { output in
                unsafe crypto_box_seal(output, message, messageCount, publicKey)
            }
        }
    }

    /// Opens a box (`crypto_box_seal_open`).
    ///
    /// - Parameters:
    ///   - box: What ``seal(_:to:)`` made: at least 48 bytes.
    ///   - publicKey: The recipient's public key, 32 bytes.
    ///   - secretKey: The secret key that belongs to `publicKey`, 32 bytes.
    /// - Returns: The message, in memory that is wiped.
    /// - Throws: `wrongLength`, `authenticationFailed`, `initializationFailed`.
    public static func open(
        _ box: Span<UInt8>,
        publicKey: Span<UInt8>,
        secretKey: Span<UInt8>
    ) throws(SodiumError) -> SecretBytes {
        try require(publicKeyByteCount, publicKey, "publicKey")
        try require(secretKeyByteCount, secretKey, "secretKey")
        let messageCount = try length(of: box, minus: overheadByteCount, "box")
        let boxCount = UInt64(box.count)
        return try unsafe withPointers(box, publicKey, secretKey) { (box, publicKey, secretKey) throws(SodiumError) in
            try unsafe SecretBytes(count: messageCount, failure: SodiumError(.authenticationFailed, "box")) { output in
                unsafe crypto_box_seal_open(output, box, boxCount, publicKey, secretKey)
            }
        }
    }
}
