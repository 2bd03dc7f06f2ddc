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
/// That says that the signing key vouches for the identity key, and nothing about whose keys they are: the binding can be
/// made by anybody over somebody's genuine identity key. Trust is what a pin adds.
public struct BoundKey: Hashable, Sendable {
    /// The text it was read from.
    public let registered: RegisteredKey
    /// Conversation keys are wrapped to this one.
    public let identityKey: IdentityPublicKey
    /// Events are verified with this one.
    public let signingKey: SigningPublicKey

    /// Whose keys these are.
    public var userID: UserID { registered.userID }
    /// The version that signatures name.
    public var version: KeyVersion { registered.publicKeyVersion }
    /// The suite of both keys.
    public var suite: SuiteName { identityKey.suite }

    /// Parses both keys and verifies their binding (sections 3.7 to 3.15 of the protocol).
    ///
    /// The binding may cover the SPKI or the bare point of the identity key. Where the other direction is given (identity
    /// key over signing key), it has to hold too.
    ///
    /// - Parameter registered: The keys as text.
    /// - Throws: `invalid_key` for a key that does not parse or a binding that does not hold, `wrong_suite` for keys of
    ///   two suites.
    public init(checking registered: RegisteredKey) throws(XChatError) {
        let place =
            "the keys of user \(printable(registered.userID)), version \(printable(registered.publicKeyVersion))"
        do {
            identityKey = try IdentityPublicKey(base64: registered.identityPublicKey)
            signingKey = try SigningPublicKey(base64: registered.publicKey)
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
        let signingKey = signingKey
        guard identityKey.key.boundEncodings.contains(where: { signingKey.isValid(signature, for: $0.span) }) else {
            throw XChatError(.invalidKey, "\(place): the signing key did not sign the identity key")
        }
        if let endorsement = registered.signingPublicKeySignature {
            let signature = try decodeSignature(endorsement, "\(place), signing_public_key_signature")
            guard identityKey.key.endorses(signingKey.key, signature: signature) == true else {
                throw XChatError(.invalidKey, "\(place): the identity key did not sign the signing key")
            }
        }
        self.registered = registered
    }

    /// Whether this is the same pin: version, identity key and signing key, whatever text they came in.
    public func isSamePin(as other: BoundKey) -> Bool {
        userID == other.userID && version == other.version && identityKey == other.identityKey
            && signingKey == other.signingKey
    }
}

private func decodeSignature(_ text: WireString, _ place: String) throws(XChatError) -> [UInt8] {
    do {
        return try Base64.decode(text)
    } catch {
        throw XChatError(error, as: .invalidKey, in: place)
    }
}
