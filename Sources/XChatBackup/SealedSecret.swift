package import LibSodium

/// The encrypted secret that the realms store: one box, the same at every realm.
package enum SealedSecret {
    /// The longest secret: 128 bytes.
    package static let maximumByteCount = 128
    /// The length of the box: 145 bytes for every length of the secret.
    package static let byteCount = 1 + maximumByteCount + 16
    /// The nonce may be constant, because each key is used for one box: every registration has a new key.
    private static let nonce = [UInt8](repeating: 0, count: 12)

    /// Derives the key of the box.
    package static func key(seed: Secret, scalar: Secret) throws -> Secret {
        try BLAKE2s.mac("User Secret Encryption Key", [scalar], key: seed, count: 32)
    }

    /// Seals a secret of at most 128 bytes.
    package static func seal(_ secret: Secret, key: Secret) throws -> [UInt8] {
        precondition(secret.count <= maximumByteCount)
        let padded = SecretBuffer()
        padded.append([UInt8(secret.count)])
        padded.append(secret)
        padded.append(repeating: 0, count: maximumByteCount - secret.count)
        return try padded.withBytes { padded in
            try key.withBytes {
                try ChaCha20Poly1305.seal(padded, associatedData: Span(), nonce: nonce.span, key: $0)
            }
        }
    }

    /// Opens a box.
    ///
    /// - Throws: `SodiumError` with `authenticationFailed`; ``RealmFailure/violation(_:)`` for a length beyond 128,
    ///   which only the registering client can have written.
    package static func open(_ box: [UInt8], key: Secret) throws -> SecretBytes {
        let padded = try key.withBytes { (key) throws(SodiumError) in
            try ChaCha20Poly1305.open(box.span, associatedData: Span(), nonce: nonce.span, key: key)
        }
        return try padded.withBytes { padded in
            guard padded.count == 1 + maximumByteCount, Int(padded[0]) <= maximumByteCount else {
                throw RealmFailure.violation("the encrypted secret has an invalid length")
            }
            return try SecretBytes(copying: padded.extracting(1..<1 + Int(padded[0])))
        }
    }

    /// Computes the tag that a client sends to a realm to get its share.
    package static func tag(unlockKey: Secret, realm: RealmID) throws -> Secret {
        try BLAKE2s.mac("Unlock Key Tag", [Secret(copying: realm.bytes)], key: unlockKey, count: 16)
    }

    /// Computes the commitment that binds a realm's share to the box, so that a changed share or box is detected.
    package static func commitment(unlockKey: Secret, realm: RealmID, share: Secret, box: [UInt8]) throws -> Secret {
        try BLAKE2s.mac(
            "Encrypted User Secret Commitment",
            [Secret(copying: realm.bytes), share, Secret(copying: box)],
            key: unlockKey,
            count: 16
        )
    }
}

/// The public key that belongs to a realm's share of the key of the pseudorandom function.
///
/// The registering client signs it, so that a recovering client detects a realm that serves another public key.
package struct SignedPublicKey: Hashable, Sendable {
    package var publicKey: [UInt8]
    package var verifyingKey: [UInt8]
    package var signature: [UInt8]

    package init(publicKey: [UInt8], verifyingKey: [UInt8], signature: [UInt8]) {
        self.publicKey = publicKey
        self.verifyingKey = verifyingKey
        self.signature = signature
    }

    /// Signs a public key with the key pair of a registration.
    package init(_ publicKey: [UInt8], realm: RealmID, pair: borrowing KeyPair) throws {
        let message = Self.message(publicKey, realm: realm)
        self.publicKey = publicKey
        verifyingKey = pair.publicKey
        signature = try pair.secretKey.withBytes { try Sign.signature(for: message.span, secretKey: $0) }
    }

    /// Whether the signature is valid for this realm.
    package func isValid(for realm: RealmID) -> Bool {
        Sign.isValid(
            signature.span,
            for: Self.message(publicKey, realm: realm).span,
            publicKey: verifyingKey.span
        )
    }

    private static func message(_ publicKey: [UInt8], realm: RealmID) -> [UInt8] {
        [0, UInt8(realm.bytes.count)] + realm.bytes + [0, UInt8(publicKey.count)] + publicKey
    }
}
