public import XChatEvents

/// A user's private identity and signing keys.
///
/// The keys are kept in memory that all copies of this value share, and that is wiped when the last copy is destroyed.
/// Only ``withExport(_:)`` gives access to the keys.
public struct PrivateKeys: Sendable {
    /// The storage that copies share: a copy is made for every message, and must cost only one reference.
    private final class Shared: Sendable {
        let suite: SuiteName
        let identityKey: IdentityPublicKey
        let signingKey: SigningPublicKey?
        let keys: any SuitePrivateKeys

        init(suite: SuiteName, keys: any SuitePrivateKeys) {
            self.suite = suite
            self.keys = keys
            identityKey = IdentityPublicKey(suite: suite, key: keys.identityKey)
            signingKey = keys.signingKey.map { SigningPublicKey(suite: suite, key: $0) }
        }
    }

    private let shared: Shared

    init(suite: SuiteName, keys: any SuitePrivateKeys) {
        shared = Shared(suite: suite, keys: keys)
    }

    /// The suite of both keys.
    public var suite: SuiteName { shared.suite }
    /// The public half of the identity key.
    public var identityKey: IdentityPublicKey { shared.identityKey }
    /// The public half of the signing key; nil after the import of a blob with only an identity key.
    public var signingKey: SigningPublicKey? { shared.signingKey }
    var keys: any SuitePrivateKeys { shared.keys }

    /// Generates keys.
    ///
    /// - Parameter suite: The cipher suite.
    /// - Returns: The keys, from libsodium's or swift-crypto's random numbers.
    /// - Throws: `unsupported` for a suite that does not exist.
    public static func generate(_ suite: SuiteName = .xchat) throws(XChatError) -> PrivateKeys {
        PrivateKeys(suite: suite, keys: try CipherSuites.named(suite).generate())
    }

    /// Reads an exported blob; its bytes determine the suite.
    ///
    /// - Parameter blob: 32 or 64 bytes for `.xchat`, 73 bytes for `.sodium`: `docs/protocol.md`, "Keys".
    /// - Throws: `invalid_key` for any other format or a scalar out of range, `unsupported` for a later version.
    public init(importing blob: Span<UInt8>) throws(XChatError) {
        for suite in CipherSuites.all {
            guard let keys = try suite.privateKeys(blob: blob) else { continue }
            self.init(suite: suite.name, keys: keys)
            return
        }
        throw XChatError(
            .invalidKey,
            "the private key blob has no known format (\(blob.count) bytes): export the keys again"
        )
    }

    /// Passes the blob that ``init(importing:)`` reads to a closure; it contains the private keys in the clear.
    ///
    /// - Parameter body: Reads the blob; the caller has to wipe any copy of it.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws.
    public func withExport<Result>(_ body: (Span<UInt8>) throws(XChatError) -> Result) throws(XChatError) -> Result {
        try keys.withBlob(body)
    }

    /// The registration payload that a client posts: `docs/protocol.md`, "Registration".
    ///
    /// - Parameter version: The version to ask for; the server may assign another.
    /// - Returns: Both public keys and their signatures over each other; in the `.sodium` suite only the binding
    ///   signature, because X25519 keys cannot sign.
    /// - Throws: `not_unlocked` without a signing key.
    public func registration(version: KeyVersion) throws(XChatError) -> Registration {
        let signingKey = try needSigningKey()
        let endorsement = try keys.endorsement()
        return Registration(
            publicKey: Registration.Keys(
                identityPublicKeySignature: Base64.encode(try signedIdentityKey()),
                publicKey: identityKey.base64,
                publicKeyFingerprint: identityKey.fingerprint,
                registrationMethod: "CustomPin",
                signingPublicKey: signingKey.base64,
                signingPublicKeySignature: endorsement.map { Base64.encode($0) }
            ),
            version: version.string,
            generateVersion: true
        )
    }

    /// The entry of this account in `signing_keys`.
    ///
    /// - Parameters:
    ///   - userID: The user whose keys these are.
    ///   - version: The version under which the server registered them.
    /// - Returns: The entry with its binding signature.
    /// - Throws: `not_unlocked` without a signing key.
    public func verifiedKey(userID: UserID, version: KeyVersion) throws(XChatError) -> VerifiedPublicKey {
        let signingKey = try needSigningKey()
        // A signature that this account just made needs no verification.
        return VerifiedPublicKey(
            storage: VerifiedPublicKey.Storage(
                userID: userID,
                version: version,
                identityKey: identityKey,
                signingKey: signingKey,
                checked: nil,
                bytes: VerifiedPublicKey.Bytes(identityKeySignature: try signedIdentityKey())
            )
        )
    }

    /// Unwraps a conversation key that was wrapped for the identity key.
    package func unwrap(_ wrapped: [UInt8]) throws(XChatError) -> ConversationKey {
        try keys.unwrap(wrapped)
    }

    /// The binding signature: the signing key's signature over the identity key.
    private func signedIdentityKey() throws(XChatError) -> [UInt8] {
        let spki = identityKey.spki
        return try keys.sign(spki.span)
    }

    func needSigningKey() throws(XChatError) -> SigningPublicKey {
        guard let signingKey = shared.signingKey else {
            throw XChatError(.notUnlocked, "the private keys contain no signing key: import keys with a signing key")
        }
        return signingKey
    }
}

/// The registration payload in X's field names.
public struct Registration: Codable, Hashable, Sendable {
    /// The two public keys and the signatures that bind them.
    public struct Keys: Codable, Hashable, Sendable {
        /// The binding signature: the signing key's signature over the identity SPKI, base64.
        public var identityPublicKeySignature: String
        /// The identity key, SPKI in base64.
        public var publicKey: String
        /// ``IdentityPublicKey/fingerprint``.
        public var publicKeyFingerprint: String
        /// How the private keys are kept; X's SDK always says `CustomPin`.
        public var registrationMethod: String
        /// The signing key, SPKI in base64.
        public var signingPublicKey: String
        /// The identity key's signature over the signing SPKI, base64; absent in the `.sodium` suite.
        public var signingPublicKeySignature: String?

        enum CodingKeys: String, CodingKey {
            case identityPublicKeySignature = "identity_public_key_signature"
            case publicKey = "public_key"
            case publicKeyFingerprint = "public_key_fingerprint"
            case registrationMethod = "registration_method"
            case signingPublicKey = "signing_public_key"
            case signingPublicKeySignature = "signing_public_key_signature"
        }
    }

    /// The keys.
    public var publicKey: Keys
    /// The requested version, decimal.
    public var version: String
    /// Whether the server should choose the version.
    public var generateVersion: Bool

    enum CodingKeys: String, CodingKey {
        case publicKey = "public_key"
        case version
        case generateVersion = "generate_version"
    }
}
