public import XChatEvents

/// One registered version of a user's public keys, as a server or a session file names them: text, nothing checked.
///
/// The members are those of `signing_keys` in X's SDK.
public struct RegisteredKey: Hashable, Sendable {
    /// Whose keys these are.
    public var userID: UserID
    /// The version that signatures name.
    public var publicKeyVersion: KeyVersion
    /// The signing key, base64.
    public var publicKey: WireString
    /// The identity key, base64.
    public var identityPublicKey: WireString
    /// The signing key's signature over the identity key, base64 of 64 bytes.
    public var identityPublicKeySignature: WireString
    /// The identity key's signature over the signing key, where the server gives it.
    public var signingPublicKeySignature: WireString?

    /// A registered key from its members.
    public init(
        userID: UserID,
        publicKeyVersion: KeyVersion,
        publicKey: WireString,
        identityPublicKey: WireString,
        identityPublicKeySignature: WireString,
        signingPublicKeySignature: WireString? = nil
    ) {
        self.userID = userID
        self.publicKeyVersion = publicKeyVersion
        self.publicKey = publicKey
        self.identityPublicKey = identityPublicKey
        self.identityPublicKeySignature = identityPublicKeySignature
        self.signingPublicKeySignature = signingPublicKeySignature
    }
}

/// A registered key whose two halves were parsed and whose binding was verified.
///
/// The binding says that the signing key vouches for the identity key. It does not say whose keys they are: an attacker
/// can bind a signing key of their own to another user's genuine identity key. Trust is what a pin adds.
public struct VerifiedPublicKey: Sendable {
    /// Copies share it, so that a copy costs one reference.
    final class Storage: Sendable {
        let userID: UserID
        let version: KeyVersion
        let identityKey: IdentityPublicKey
        let signingKey: SigningPublicKey
        /// The text that was checked; nil for a key that was restored from bytes.
        let checked: RegisteredKey?
        let bytes: Bytes
        /// Fields of the stored key that only later versions of the library know.
        let unknown: [UInt8]

        init(
            userID: UserID,
            version: KeyVersion,
            identityKey: IdentityPublicKey,
            signingKey: SigningPublicKey,
            checked: RegisteredKey?,
            bytes: Bytes,
            unknown: [UInt8] = []
        ) {
            self.userID = userID
            self.version = version
            self.identityKey = identityKey
            self.signingKey = signingKey
            self.checked = checked
            self.bytes = bytes
            self.unknown = unknown
        }
    }

    /// What the texts of a registered key decode to.
    struct Bytes: Hashable, Sendable {
        /// The identity key as it was received, if that is not its SPKI.
        var identityKey: [UInt8]?
        /// The signing key as it was received, if that is not its SPKI.
        var signingKey: [UInt8]?
        /// The signing key's signature over the identity key.
        var identityKeySignature: [UInt8]
        /// The identity key's signature over the signing key, where the server gives it.
        var signingKeySignature: [UInt8]?
    }

    let storage: Storage

    /// Conversation keys are wrapped to this one.
    public var identityKey: IdentityPublicKey { storage.identityKey }
    /// Events are verified with this one.
    public var signingKey: SigningPublicKey { storage.signingKey }
    /// Whose keys these are.
    public var userID: UserID { storage.userID }
    /// The version that signatures name.
    public var version: KeyVersion { storage.version }
    /// The suite of both keys.
    public var suite: SuiteName { storage.identityKey.suite }

    /// The text that the key was read from; for a key of a restored state the same bytes in padded base64.
    public var registered: RegisteredKey {
        if let checked = storage.checked { return checked }
        let bytes = storage.bytes
        func text(_ bytes: [UInt8]) -> WireString { WireString(Base64.encode(bytes)) }
        return RegisteredKey(
            userID: userID,
            publicKeyVersion: version,
            publicKey: text(bytes.signingKey ?? signingKey.spki),
            identityPublicKey: text(bytes.identityKey ?? identityKey.spki),
            identityPublicKeySignature: text(bytes.identityKeySignature),
            signingPublicKeySignature: bytes.signingKeySignature.map(text)
        )
    }

    /// Parses both keys and verifies their binding: `docs/protocol.md`, "Binding".
    ///
    /// The binding may cover the SPKI or the bare point of the identity key. Where the other direction is given
    /// (identity key over signing key), it has to hold too.
    ///
    /// - Parameter registered: The keys as text.
    /// - Throws: `invalid_key` for a key that does not parse or a binding that does not hold, `wrong_suite` for keys of
    ///   two suites.
    public init(checking registered: RegisteredKey) throws(XChatError) {
        let place =
            "the keys of user \(printable(registered.userID)), version \(printable(registered.publicKeyVersion))"
        let (identityBytes, signingBytes): ([UInt8], [UInt8])
        let (identityKey, signingKey): (IdentityPublicKey, SigningPublicKey)
        do {
            identityBytes = try decodeKey(registered.identityPublicKey, "identity key")
            identityKey = try IdentityPublicKey(encoded: identityBytes)
            signingBytes = try decodeKey(registered.publicKey, "signing key")
            signingKey = try SigningPublicKey(encoded: signingBytes)
        } catch {
            throw XChatError(error.code, "\(place): \(error.message)")
        }
        guard identityKey.suite == signingKey.suite else {
            throw XChatError(.wrongSuite, "\(place): identity and signing key are of different suites")
        }
        let signature = try decodeSignature(
            registered.identityPublicKeySignature,
            "\(place), identity_public_key_signature"
        )
        guard identityKey.key.boundEncodings.contains(where: { signingKey.isValid(signature, for: $0.span) }) else {
            throw XChatError(.invalidKey, "\(place): the signing key did not sign the identity key")
        }
        var bytes = Bytes(
            identityKey: identityBytes == identityKey.spki ? nil : identityBytes,
            signingKey: signingBytes == signingKey.spki ? nil : signingBytes,
            identityKeySignature: signature
        )
        if let endorsement = registered.signingPublicKeySignature {
            let signature = try decodeSignature(endorsement, "\(place), signing_public_key_signature")
            guard identityKey.key.endorses(signingKey.key, signature: signature) == true else {
                throw XChatError(.invalidKey, "\(place): the identity key did not sign the signing key")
            }
            bytes.signingKeySignature = signature
        }
        storage = Storage(
            userID: registered.userID,
            version: registered.publicKeyVersion,
            identityKey: identityKey,
            signingKey: signingKey,
            checked: registered,
            bytes: bytes
        )
    }

    init(storage: Storage) {
        self.storage = storage
    }

    /// Whether this is the same pin: version, identity key and signing key, whatever text they came in.
    public func isSamePin(as other: VerifiedPublicKey) -> Bool {
        storage === other.storage
            || userID == other.userID && version == other.version && identityKey == other.identityKey
                && signingKey == other.signingKey
    }
}

extension VerifiedPublicKey: Hashable {
    /// Whether both are read from the same text.
    public static func == (left: Self, right: Self) -> Bool {
        left.storage === right.storage || left.isSamePin(as: right) && left.registered == right.registered
    }

    /// Hashes user, version and signing key.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(userID)
        hasher.combine(version)
        hasher.combine(signingKey)
    }
}

private func decodeSignature(_ text: WireString, _ place: String) throws(XChatError) -> [UInt8] {
    do {
        return try Base64.decode(text)
    } catch {
        throw XChatError(error, as: .invalidKey, in: place)
    }
}
