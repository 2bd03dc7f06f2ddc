public import XChatEvents

/// One registered version of a user's public keys, as unchecked text from a server or a session file.
///
/// The members are those of `signing_keys` in X's SDK.
public struct RegisteredKey: Hashable, Sendable {
    /// The user whose keys these are.
    public var userID: UserID
    /// The version that signatures name.
    public var publicKeyVersion: KeyVersion
    /// The signing key: base64 of the bytes that ``SigningPublicKey/init(encoded:)`` reads.
    public var publicKey: WireString
    /// The identity key: base64 of the bytes that ``IdentityPublicKey/init(encoded:)`` reads.
    public var identityPublicKey: WireString
    /// The binding signature: the signing key's signature over the identity key, base64 of 64 bytes.
    public var identityPublicKeySignature: WireString
    /// The identity key's signature over the signing key, if the server gives it.
    public var signingPublicKeySignature: WireString?

    /// Creates a registered key.
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

/// A registered key whose two keys were parsed and whose binding signature was verified.
///
/// The binding signature is the signature of the signing key over the identity key. The signature does not prove whose
/// keys these are: an attacker can sign another user's genuine identity key with a signing key of their own. A key is
/// trusted only when it is pinned.
public struct VerifiedPublicKey: Sendable {
    /// The properties, which copies share, so that a copy costs one reference.
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

    /// The decoded texts of a registered key.
    struct Bytes: Hashable, Sendable {
        /// The identity key as it was received, if that is not its SPKI.
        var identityKey: [UInt8]?
        /// The signing key as it was received, if that is not its SPKI.
        var signingKey: [UInt8]?
        /// The binding signature: the signing key's signature over the identity key.
        var identityKeySignature: [UInt8]
        /// The identity key's signature over the signing key, if the server gives it.
        var signingKeySignature: [UInt8]?
    }

    let storage: Storage

    /// The identity key, for which conversation keys are wrapped.
    public var identityKey: IdentityPublicKey { storage.identityKey }
    /// The signing key, which verifies events.
    public var signingKey: SigningPublicKey { storage.signingKey }
    /// The user whose keys these are.
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

    /// Parses both keys and verifies the binding signature: `docs/protocol.md`, "Binding".
    ///
    /// The binding signature may cover the SPKI or the bare point of the identity key. If there is also a signature by
    /// the identity key over the signing key, it must verify too.
    ///
    /// - Parameter registered: The keys as text.
    /// - Throws: `invalid_key` for a key that does not parse or a signature that does not verify, `wrong_suite` if the
    ///   keys belong to different suites.
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
            throw XChatError(
                .wrongSuite,
                "\(place): the identity key and the signing key belong to different suites (\(identityKey.suite), "
                    + "\(signingKey.suite))"
            )
        }
        let signature = try decodeSignature(
            registered.identityPublicKeySignature,
            "\(place), identity_public_key_signature"
        )
        guard identityKey.key.boundEncodings.contains(where: { signingKey.isValid(signature, for: $0.span) }) else {
            throw XChatError(
                .invalidKey,
                "\(place): the binding signature (of the signing key over the identity key) does not verify, so the keys "
                    + "are not used"
            )
        }
        var bytes = Bytes(
            identityKey: identityBytes == identityKey.spki ? nil : identityBytes,
            signingKey: signingBytes == signingKey.spki ? nil : signingBytes,
            identityKeySignature: signature
        )
        if let endorsement = registered.signingPublicKeySignature {
            let signature = try decodeSignature(endorsement, "\(place), signing_public_key_signature")
            guard identityKey.key.endorses(signingKey.key, signature: signature) == true else {
                throw XChatError(
                    .invalidKey,
                    "\(place): the signature of the identity key over the signing key does not verify, so the keys are "
                        + "not used"
                )
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

    /// Whether this is the same pin: user, version, identity key and signing key are equal, even if their texts differ.
    public func isSamePin(as other: VerifiedPublicKey) -> Bool {
        storage === other.storage
            || userID == other.userID && version == other.version && identityKey == other.identityKey
                && signingKey == other.signingKey
    }
}

extension VerifiedPublicKey: Hashable {
    /// Whether both were read from the same text.
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
