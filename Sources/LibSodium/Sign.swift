import CSodium

/// Detached signatures with Ed25519 (`crypto_sign`).
public enum Sign {
    /// The length of a public key: 32 bytes.
    public static let publicKeyByteCount = Int(crypto_sign_publickeybytes())
    /// The length of a secret key: 64 bytes, the seed and the public key.
    public static let secretKeyByteCount = Int(crypto_sign_secretkeybytes())
    /// The length of a seed: 32 bytes.
    public static let seedByteCount = Int(crypto_sign_seedbytes())
    /// The length of a signature: 64 bytes.
    public static let signatureByteCount = Int(crypto_sign_bytes())

    /// Makes a fresh key pair (`crypto_sign_keypair`).
    ///
    /// - Throws: `initializationFailed`.
    public static func keyPair() throws(SodiumError) -> KeyPair {
        try unsafe KeyPair(
            publicCount: publicKeyByteCount,
            secretCount: secretKeyByteCount,
            failure: SodiumError(.weakPoint, "crypto_sign_keypair")
        ) { publicKey, secretKey in
            unsafe crypto_sign_keypair(publicKey, secretKey)
        }
    }

    /// Derives the key pair that belongs to a seed, the private key of RFC 8032 (`crypto_sign_seed_keypair`).
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
                unsafe crypto_sign_seed_keypair(publicKey, secretKey, seed)
            }
        }
    }

    /// Extracts the seed from a secret key, for storage (`crypto_sign_ed25519_sk_to_seed`).
    ///
    /// - Parameter secretKey: The secret key, 64 bytes.
    /// - Returns: The seed, 32 bytes.
    /// - Throws: `wrongLength`, `initializationFailed`.
    public static func seed(of secretKey: Span<UInt8>) throws(SodiumError) -> SecretBytes {
        try require(secretKeyByteCount, secretKey, "secretKey")
        return try unsafe withPointer(secretKey) { (secretKey) throws(SodiumError) in
            try unsafe SecretBytes(count: seedByteCount, failure: SodiumError(.invalidParameters, "secretKey")) {
                output in
                unsafe crypto_sign_ed25519_sk_to_seed(output, secretKey)
            }
        }
    }

    /// Signs a message (`crypto_sign_detached`).
    ///
    /// The same message and key always give the same signature.
    ///
    /// - Parameters:
    ///   - message: The message; may be empty.
    ///   - secretKey: The secret key, 64 bytes.
    /// - Returns: The signature, 64 bytes.
    /// - Throws: `wrongLength`, `initializationFailed`.
    public static func signature(for message: Span<UInt8>, secretKey: Span<UInt8>) throws(SodiumError) -> [UInt8] {
        try Sodium.initialize()
        try require(secretKeyByteCount, secretKey, "secretKey")
        let messageCount = UInt64(message.count)
        return try unsafe withPointers(message, secretKey) { (message, secretKey) throws(SodiumError) in
            try unsafe filled(count: signatureByteCount, failure: SodiumError(.invalidParameters, "secretKey")) {
                output in
                unsafe crypto_sign_detached(output, nil, message, messageCount, secretKey)
            }
        }
    }

    /// Whether a signature was made over a message by the holder of a key (`crypto_sign_verify_detached`).
    ///
    /// Signatures and public keys in a non-canonical encoding are refused. So are public keys of low order, under which
    /// one signature can verify for several messages.
    ///
    /// - Parameters:
    ///   - signature: The signature, 64 bytes.
    ///   - message: The message.
    ///   - publicKey: The signer's public key, 32 bytes.
    /// - Returns: `true` only for a signature by that key over that message; `false` also for wrong lengths.
    public static func isValid(
        _ signature: Span<UInt8>,
        for message: Span<UInt8>,
        publicKey: Span<UInt8>
    ) -> Bool {
        guard signature.count == signatureByteCount, publicKey.count == publicKeyByteCount,
            (try? Sodium.initialize()) != nil
        else { return false }
        let messageCount = UInt64(message.count)
        return unsafe withPointers(signature, message, publicKey) { signature, message, publicKey in
            unsafe crypto_sign_verify_detached(signature, message, messageCount, publicKey) == 0
        }
    }
}
