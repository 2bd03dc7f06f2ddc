import Crypto
public import XChatEvents

/// A user's identity key, for which conversation keys are wrapped.
///
/// P-256 (`.xchat`) or X25519 (`.sodium`); the bytes of the key determine which. Two values are equal if the keys are
/// equal, even if they were received in different encodings.
public struct IdentityPublicKey: Hashable, Sendable {
    /// The suite that the key belongs to.
    public let suite: SuiteName
    /// DER SubjectPublicKeyInfo: 91 bytes for P-256, 44 bytes (RFC 8410) for X25519.
    public let spki: [UInt8]
    let key: any SuiteIdentityKey

    /// Reads a public key in SPKI form, or for P-256 also as a SEC1 point of 65 (uncompressed) or 33 bytes
    /// (compressed).
    ///
    /// - Parameter encoded: DER or SEC1 bytes, not base64.
    /// - Throws: `invalid_key` for an unknown format or header, or a point that is not on the curve.
    public init(encoded: [UInt8]) throws(XChatError) {
        for suite in CipherSuites.all {
            guard let key = try suite.identityKey(encoded: encoded) else { continue }
            self.init(suite: suite.name, key: key)
            return
        }
        throw XChatError(
            .invalidKey,
            "the identity key has no known format (\(encoded.count) bytes): it must be an SPKI of P-256 or X25519, or a "
                + "SEC1 point of P-256"
        )
    }

    /// Reads a key from base64: `docs/protocol.md`, "Base64".
    ///
    /// - Parameter base64: Base64 of the bytes that ``init(encoded:)`` reads.
    /// - Throws: `invalid_key`.
    public init(base64: WireString) throws(XChatError) {
        try self.init(encoded: decodeKey(base64, "identity key"))
    }

    /// Reads the key from an SPKI that was parsed before it was stored; nil for an unknown header or length.
    init?(storedSPKI spki: [UInt8]) {
        for suite in CipherSuites.all {
            guard let key = suite.identityKey(storedSPKI: spki) else { continue }
            self.suite = suite.name
            self.spki = spki
            self.key = key
            return
        }
        return nil
    }

    init(suite: SuiteName, key: any SuiteIdentityKey) {
        self.suite = suite
        self.spki = key.spki
        self.key = key
    }

    /// The SPKI as padded base64, which is its form on the wire.
    public var base64: String { Base64.encode(spki) }

    /// SHA-256 of the SPKI as 43 characters of base64url, for people to compare.
    ///
    /// See `docs/protocol.md`, "Fingerprint".
    ///
    /// The fingerprint covers only the identity key and does not replace a pin: an attacker can combine a genuine
    /// identity key with a signing key of their own.
    public var fingerprint: String { Base64.encodeURLSafe(Array(SHA256.hash(data: spki))) }

    /// Wraps a conversation key so that only the holder of the private key can unwrap it.
    package func wrap(_ conversationKey: ConversationKey) throws(XChatError) -> [UInt8] {
        try key.wrap(conversationKey)
    }

    /// Whether the keys are equal, even if they were received in different encodings.
    public static func == (left: Self, right: Self) -> Bool { left.spki == right.spki }

    /// Hashes the SPKI.
    public func hash(into hasher: inout Hasher) { hasher.combine(spki) }
}

/// A user's signing key: it verifies that user's events.
///
/// P-256 (`.xchat`) or Ed25519 (`.sodium`); the bytes of the key determine which.
public struct SigningPublicKey: Hashable, Sendable {
    /// The suite that the key belongs to.
    public let suite: SuiteName
    /// DER SubjectPublicKeyInfo: 91 bytes for P-256, 44 bytes (RFC 8410) for Ed25519.
    public let spki: [UInt8]
    let key: any SuiteSigningKey

    /// Reads a public key in SPKI form, or for P-256 also as a SEC1 point of 65 (uncompressed) or 33 bytes
    /// (compressed).
    ///
    /// - Parameter encoded: DER or SEC1 bytes, not base64.
    /// - Throws: `invalid_key` for an unknown format or header, or a point that is not on the curve.
    public init(encoded: [UInt8]) throws(XChatError) {
        for suite in CipherSuites.all {
            guard let key = try suite.signingKey(encoded: encoded) else { continue }
            self.init(suite: suite.name, key: key)
            return
        }
        throw XChatError(
            .invalidKey,
            "the signing key has no known format (\(encoded.count) bytes): it must be an SPKI of P-256 or Ed25519, or a "
                + "SEC1 point of P-256"
        )
    }

    /// Reads a key from base64: `docs/protocol.md`, "Base64".
    ///
    /// - Parameter base64: Base64 of the bytes that ``init(encoded:)`` reads.
    /// - Throws: `invalid_key`.
    public init(base64: WireString) throws(XChatError) {
        try self.init(encoded: decodeKey(base64, "signing key"))
    }

    /// Reads the key from an SPKI that was parsed before it was stored; nil for an unknown header or length.
    init?(storedSPKI spki: [UInt8]) {
        for suite in CipherSuites.all {
            guard let key = suite.signingKey(storedSPKI: spki) else { continue }
            self.suite = suite.name
            self.spki = spki
            self.key = key
            return
        }
        return nil
    }

    init(suite: SuiteName, key: any SuiteSigningKey) {
        self.suite = suite
        self.spki = key.spki
        self.key = key
    }

    /// The SPKI as padded base64, which is its form on the wire.
    public var base64: String { Base64.encode(spki) }

    /// Whether a detached signature over a text (64 bytes: raw r‖s, or Ed25519) was made with this key.
    ///
    /// - Parameters:
    ///   - signature: The signature; false for a length other than 64 bytes.
    ///   - text: The bytes that were signed.
    /// - Returns: True only if the signature verifies.
    public func isValid(_ signature: [UInt8], for text: Span<UInt8>) -> Bool {
        key.isValid(signature, for: text)
    }

    /// Whether the keys are equal, even if they were received in different encodings.
    public static func == (left: Self, right: Self) -> Bool { left.spki == right.spki }

    /// Hashes the SPKI.
    public func hash(into hasher: inout Hasher) { hasher.combine(spki) }
}

func decodeKey(_ base64: WireString, _ what: String) throws(XChatError) -> [UInt8] {
    do {
        return try Base64.decode(base64)
    } catch {
        throw XChatError(error, as: .invalidKey, in: what)
    }
}
