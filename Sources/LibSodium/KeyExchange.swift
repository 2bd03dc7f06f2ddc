import CSodium

/// Session keys from two key pairs (`crypto_kx`: X25519 and BLAKE2b).
///
/// The two sides agree on who is the client and who is the server; each direction has its own key. The exchange does
/// not authenticate the peer. Compare the public keys over a channel that you trust, otherwise an attacker between the
/// two sides can exchange keys with each of them and read everything.
public enum KeyExchange {
    /// The length of a public key: 32 bytes.
    public static let publicKeyByteCount = Int(crypto_kx_publickeybytes())
    /// The length of a secret key: 32 bytes.
    public static let secretKeyByteCount = Int(crypto_kx_secretkeybytes())
    /// The length of a seed: 32 bytes.
    public static let seedByteCount = Int(crypto_kx_seedbytes())
    /// The length of each session key: 32 bytes.
    public static let sessionKeyByteCount = Int(crypto_kx_sessionkeybytes())

    /// The two keys of one side; the peer receives with this side's `transmit` key and transmits with its `receive`
    /// key.
    @frozen
    public struct SessionKeys: ~Copyable, Sendable {
        /// Decrypts messages from the peer: 32 bytes.
        public let receive: SecretBytes
        /// Encrypts messages to the peer: 32 bytes.
        public let transmit: SecretBytes
    }

    /// Makes a fresh key pair (`crypto_kx_keypair`).
    ///
    /// - Throws: `initializationFailed`.
    public static func keyPair() throws(SodiumError) -> KeyPair {
        try unsafe KeyPair(
            publicCount: publicKeyByteCount,
            secretCount: secretKeyByteCount,
            failure: SodiumError(.weakPoint, "crypto_kx_keypair")
        ) { publicKey, secretKey in
            unsafe crypto_kx_keypair(publicKey, secretKey)
        }
    }

    /// Derives the key pair that belongs to a seed (`crypto_kx_seed_keypair`).
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
                unsafe crypto_kx_seed_keypair(publicKey, secretKey, seed)
            }
        }
    }

    /// Computes the client's session keys (`crypto_kx_client_session_keys`).
    ///
    /// - Parameters:
    ///   - publicKey: The client's own public key, 32 bytes.
    ///   - secretKey: The client's own secret key, 32 bytes.
    ///   - serverPublicKey: The server's public key, 32 bytes.
    /// - Returns: The client's keys.
    /// - Throws: `wrongLength`; `weakPoint` for a server key of low order; `initializationFailed`.
    public static func clientSessionKeys(
        publicKey: Span<UInt8>,
        secretKey: Span<UInt8>,
        serverPublicKey: Span<UInt8>
    ) throws(SodiumError) -> SessionKeys {
        try require(publicKeyByteCount, publicKey, "publicKey")
        try require(secretKeyByteCount, secretKey, "secretKey")
        try require(publicKeyByteCount, serverPublicKey, "serverPublicKey")
        return try unsafe withPointers(publicKey, secretKey, serverPublicKey) {
            (publicKey, secretKey, serverPublicKey) throws(SodiumError) in
            try unsafe sessionKeys(failure: SodiumError(.weakPoint, "serverPublicKey")) { receive, transmit in
                unsafe crypto_kx_client_session_keys(receive, transmit, publicKey, secretKey, serverPublicKey)
            }
        }
    }

    /// Computes the server's session keys (`crypto_kx_server_session_keys`).
    ///
    /// - Parameters:
    ///   - publicKey: The server's own public key, 32 bytes.
    ///   - secretKey: The server's own secret key, 32 bytes.
    ///   - clientPublicKey: The client's public key, 32 bytes.
    /// - Returns: The server's keys.
    /// - Throws: `wrongLength`; `weakPoint` for a client key of low order; `initializationFailed`.
    public static func serverSessionKeys(
        publicKey: Span<UInt8>,
        secretKey: Span<UInt8>,
        clientPublicKey: Span<UInt8>
    ) throws(SodiumError) -> SessionKeys {
        try require(publicKeyByteCount, publicKey, "publicKey")
        try require(secretKeyByteCount, secretKey, "secretKey")
        try require(publicKeyByteCount, clientPublicKey, "clientPublicKey")
        return try unsafe withPointers(publicKey, secretKey, clientPublicKey) {
            (publicKey, secretKey, clientPublicKey) throws(SodiumError) in
            try unsafe sessionKeys(failure: SodiumError(.weakPoint, "clientPublicKey")) { receive, transmit in
                unsafe crypto_kx_server_session_keys(receive, transmit, publicKey, secretKey, clientPublicKey)
            }
        }
    }

    private static func sessionKeys(
        failure: SodiumError,
        by call: (UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<UInt8>) -> CInt
    ) throws(SodiumError) -> SessionKeys {
        var transmit = try SecretBytes(count: sessionKeyByteCount) { _ in }
        let receive = try unsafe SecretBytes(count: sessionKeyByteCount, failure: failure) { receive in
            unsafe transmit.withMutablePointer { transmit in unsafe call(receive, transmit) }
        }
        return SessionKeys(receive: receive, transmit: transmit)
    }
}
