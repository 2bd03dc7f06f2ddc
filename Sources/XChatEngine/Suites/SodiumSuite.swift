import LibSodium

/// The suite that uses only libsodium: `crypto_box_seal` to X25519 identity keys, and Ed25519 signatures.
enum SodiumSuite: CipherSuite {
    static let name = SuiteName.sodium

    static func identityKey(encoded: [UInt8]) throws(XChatError) -> (any SuiteIdentityKey)? {
        if let raw = SubjectPublicKeyInfo.x25519.key(in: encoded) { return SodiumIdentityKey(raw: raw) }
        guard SubjectPublicKeyInfo.ed25519.key(in: encoded) == nil else {
            throw XChatError(.invalidKey, "the identity key is an Ed25519 key, but must be an X25519 key")
        }
        return nil
    }

    static func signingKey(encoded: [UInt8]) throws(XChatError) -> (any SuiteSigningKey)? {
        if let raw = SubjectPublicKeyInfo.ed25519.key(in: encoded) { return SodiumSigningKey(raw: raw) }
        guard SubjectPublicKeyInfo.x25519.key(in: encoded) == nil else {
            throw XChatError(.invalidKey, "the signing key is an X25519 key, but must be an Ed25519 key")
        }
        return nil
    }

    static func identityKey(storedSPKI spki: [UInt8]) -> (any SuiteIdentityKey)? {
        SubjectPublicKeyInfo.x25519.key(in: spki).map { SodiumIdentityKey(raw: $0) }
    }

    static func signingKey(storedSPKI spki: [UInt8]) -> (any SuiteSigningKey)? {
        SubjectPublicKeyInfo.ed25519.key(in: spki).map { SodiumSigningKey(raw: $0) }
    }

    static func generate() throws(XChatError) -> any SuitePrivateKeys {
        do {
            let blob = try SecretBytes.random(count: 64)
            return try blob.withBytes { bytes throws(SodiumError) in try SodiumPrivateKeys(halves: bytes) }
        } catch {
            throw XChatError(.unsupported, "libsodium could not generate keys: \(error)")
        }
    }

    static func privateKeys(blob: Span<UInt8>) throws(XChatError) -> (any SuitePrivateKeys)? {
        let prefix = SodiumPrivateKeys.blobPrefix
        guard blob.count >= prefix.count else { return nil }
        for index in prefix.indices.dropLast() where blob[index] != prefix[index] { return nil }
        guard blob[prefix.count - 1] == prefix[prefix.count - 1] else {
            throw XChatError(
                .unsupported,
                "the private key blob has a later version: use the version of the library that exported it, or a later one"
            )
        }
        guard blob.count == prefix.count + 64 else {
            throw XChatError(
                .invalidKey,
                "the private key blob is \(blob.count) bytes, not \(prefix.count + 64): export the keys again"
            )
        }
        do {
            return try SodiumPrivateKeys(halves: blob.extracting(droppingFirst: prefix.count))
        } catch {
            throw XChatError(.invalidKey, "the private key blob: \(error)")
        }
    }
}

struct SodiumIdentityKey: SuiteIdentityKey {
    let raw: [UInt8]

    var spki: [UInt8] { SubjectPublicKeyInfo.x25519.encoding(raw) }
    var boundEncodings: [[UInt8]] { [spki] }

    func wrap(_ key: ConversationKey) throws(XChatError) -> [UInt8] {
        do {
            return try key.withBytes { bytes throws(SodiumError) in
                try SealedBox.seal(bytes, to: raw.span)
            }
        } catch {
            // crypto_box_seal fails only for points of small order, for which there is no shared secret.
            throw XChatError(.invalidKey, "the identity key is a point of small order: no key can be wrapped for it")
        }
    }

    func endorses(_ signingKey: any SuiteSigningKey, signature: [UInt8]) -> Bool? { nil }
}

struct SodiumSigningKey: SuiteSigningKey {
    let raw: [UInt8]

    var spki: [UInt8] { SubjectPublicKeyInfo.ed25519.encoding(raw) }
    var boundEncodings: [[UInt8]] { [spki] }

    func isValid(_ signature: [UInt8], for text: Span<UInt8>) -> Bool {
        Sign.isValid(signature.span, for: text, publicKey: raw.span)
    }
}

/// An X25519 secret key and an Ed25519 seed.
final class SodiumPrivateKeys: SuitePrivateKeys {
    /// Magic, then the version byte.
    ///
    /// With the 64 bytes of the keys after this prefix, a blob has 73 bytes. So it cannot be confused with X's blobs,
    /// which have 32 or 64.
    static let blobPrefix: [UInt8] = Array("xchatkey".utf8) + [1]

    private let box: KeyPair
    private let sign: KeyPair

    init(halves: Span<UInt8>) throws(SodiumError) {
        box = try SealedBox.keyPair(secretKey: halves.extracting(first: 32))
        sign = try Sign.keyPair(seed: halves.extracting(last: 32))
    }

    var identityKey: any SuiteIdentityKey { SodiumIdentityKey(raw: box.publicKey) }
    var signingKey: (any SuiteSigningKey)? { SodiumSigningKey(raw: sign.publicKey) }

    func unwrap(_ wrapped: [UInt8]) throws(XChatError) -> ConversationKey {
        let publicKey = box.publicKey
        let key: SecretBytes
        do {
            key = try box.secretKey.withBytes { secretKey throws(SodiumError) in
                try SealedBox.open(wrapped.span, publicKey: publicKey.span, secretKey: secretKey)
            }
        } catch {
            throw XChatError(.authenticationFailed, "the wrapped key does not authenticate")
        }
        return try key.withBytes { bytes throws(XChatError) in try ConversationKey(bytes: bytes) }
    }

    func sign(_ text: Span<UInt8>) throws(XChatError) -> [UInt8] {
        do {
            return try sign.secretKey.withBytes { secretKey throws(SodiumError) in
                try Sign.signature(for: text, secretKey: secretKey)
            }
        } catch {
            throw XChatError(.unsupported, "libsodium could not sign: \(error)")
        }
    }

    func endorsement() throws(XChatError) -> [UInt8]? { nil }

    func withBlob<Result>(_ body: (Span<UInt8>) throws(XChatError) -> Result) throws(XChatError) -> Result {
        try exported().withBytes(body)
    }

    /// The blob: magic ‖ version ‖ X25519 secret key ‖ Ed25519 seed.
    private func exported() throws(XChatError) -> SecretBytes {
        let prefix = Self.blobPrefix
        do {
            let seed = try sign.secretKey.withBytes { secretKey throws(SodiumError) in try Sign.seed(of: secretKey) }
            return try box.secretKey.withBytes { identity throws(SodiumError) in
                try seed.withBytes { seed throws(SodiumError) in
                    try SecretBytes(count: prefix.count + identity.count + seed.count) { blob in
                        for index in prefix.indices { blob[index] = prefix[index] }
                        for index in identity.indices { blob[prefix.count + index] = identity[index] }
                        for index in seed.indices { blob[prefix.count + identity.count + index] = seed[index] }
                    }
                }
            }
        } catch {
            throw XChatError(.unsupported, "libsodium could not export the keys: \(error)")
        }
    }
}
