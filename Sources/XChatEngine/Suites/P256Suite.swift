import Crypto
import Foundation
import LibSodium
import Synchronization

/// X's own suite: P-256 for both keys, ECIES for wrapping, ECDSA with SHA-256: `docs/protocol.md`, "Keys".
enum P256Suite: CipherSuite {
    static let name = SuiteName.xchat

    static func identityKey(encoded: [UInt8]) throws(XChatError) -> (any SuiteIdentityKey)? {
        guard let point = try point(encoded) else { return nil }
        do {
            let key = try P256.KeyAgreement.PublicKey(x963Representation: point.x963Representation)
            return P256IdentityKey(key: key, asReceived: encoded)
        } catch {
            throw XChatError(.invalidKey, "the key is not a point of P-256")
        }
    }

    static func signingKey(encoded: [UInt8]) throws(XChatError) -> (any SuiteSigningKey)? {
        guard let point = try point(encoded) else { return nil }
        return P256SigningKey(key: point, asReceived: encoded)
    }

    static func identityKey(storedSPKI spki: [UInt8]) -> (any SuiteIdentityKey)? {
        isUncompressed(spki) ? P256IdentityKey(storedSPKI: spki) : nil
    }

    static func signingKey(storedSPKI spki: [UInt8]) -> (any SuiteSigningKey)? {
        isUncompressed(spki) ? P256SigningKey(storedSPKI: spki) : nil
    }

    /// Whether an SPKI has the header for P-256 and an uncompressed point, which may not be on the curve.
    private static func isUncompressed(_ spki: [UInt8]) -> Bool {
        SubjectPublicKeyInfo.p256.isHeader(of: spki) && spki[SubjectPublicKeyInfo.p256.header.count] == 0x04
    }

    static func generate() throws(XChatError) -> any SuitePrivateKeys {
        P256PrivateKeys(identity: P256.KeyAgreement.PrivateKey(), signing: P256.Signing.PrivateKey())
    }

    static func privateKeys(blob: Span<UInt8>) throws(XChatError) -> (any SuitePrivateKeys)? {
        guard blob.count == 32 || blob.count == 64 else { return nil }
        do {
            // swift-crypto refuses scalars outside [1, n-1].
            let identity = try unsafe blob.extracting(first: 32).withUnsafeBytes {
                try unsafe P256.KeyAgreement.PrivateKey(rawRepresentation: $0)
            }
            guard blob.count == 64 else { return P256PrivateKeys(identity: identity, signing: nil) }
            let signing = try unsafe blob.extracting(last: 32).withUnsafeBytes {
                try unsafe P256.Signing.PrivateKey(rawRepresentation: $0)
            }
            return P256PrivateKeys(identity: identity, signing: signing)
        } catch {
            throw XChatError(.invalidKey, "a scalar of the private key blob is out of range: export the keys again")
        }
    }

    /// Reads the point from an SPKI with exactly the header for P-256, or from SEC1 form; nil for any other format.
    private static func point(_ encoded: [UInt8]) throws(XChatError) -> P256.Signing.PublicKey? {
        do {
            let point = SubjectPublicKeyInfo.p256.key(in: encoded) ?? encoded
            switch (point.count, point.first) {
            case (65, 0x04): return try P256.Signing.PublicKey(x963Representation: point)
            case (33, 0x02), (33, 0x03): return try P256.Signing.PublicKey(compressedRepresentation: point)
            default: return nil
            }
        } catch {
            throw XChatError(.invalidKey, "the key is not a point of P-256")
        }
    }
}

final class P256IdentityKey: SuiteIdentityKey {
    private let point: P256Point<P256.KeyAgreement.PublicKey>

    init(key: P256.KeyAgreement.PublicKey, asReceived: [UInt8]? = nil) {
        point = P256Point(key, sec1: key.x963Representation, asReceived: asReceived)
    }

    init(storedSPKI spki: [UInt8]) {
        point = P256Point(storedSPKI: spki) { try? P256.KeyAgreement.PublicKey(x963Representation: $0) }
    }

    var spki: [UInt8] { point.spki }
    var boundEncodings: [[UInt8]] { point.boundEncodings }

    func wrap(_ conversationKey: ConversationKey) throws(XChatError) -> [UInt8] {
        guard let key = point.key else { throw XChatError(.invalidKey, "the key is not a point of P-256") }
        return try ECIES.seal(conversationKey, to: key, ephemeral: ephemeralKey())
    }

    func endorses(_ signingKey: any SuiteSigningKey, signature: [UInt8]) -> Bool? {
        // The same point as a signing key: swift-crypto has a separate type for each use.
        guard let key = try? P256.Signing.PublicKey(x963Representation: point.sec1) else { return false }
        let verifier = P256SigningKey(key: key)
        return signingKey.boundEncodings.contains { verifier.isValid(signature, for: $0.span) }
    }
}

/// Generates a key pair from 32 random bytes; tries again if they are not in [1, n-1], about once in 2³² times.
///
/// swift-crypto's own generator also checks the generated pair, and takes eight times as long.
private func ephemeralKey() throws(XChatError) -> P256.KeyAgreement.PrivateKey {
    do {
        while true {
            let scalar = try SecretBytes.random(count: 32)
            let key = scalar.withBytes { scalar in
                unsafe scalar.withUnsafeBytes { unsafe try? P256.KeyAgreement.PrivateKey(rawRepresentation: $0) }
            }
            if let key { return key }
        }
    } catch {
        throw XChatError(.unsupported, "libsodium could not generate random bytes: \(error)")
    }
}

final class P256SigningKey: SuiteSigningKey {
    private let point: P256Point<P256.Signing.PublicKey>

    init(key: P256.Signing.PublicKey, asReceived: [UInt8]? = nil) {
        point = P256Point(key, sec1: key.x963Representation, asReceived: asReceived)
    }

    init(storedSPKI spki: [UInt8]) {
        point = P256Point(storedSPKI: spki) { try? P256.Signing.PublicKey(x963Representation: $0) }
    }

    var spki: [UInt8] { point.spki }
    var boundEncodings: [[UInt8]] { point.boundEncodings }

    func isValid(_ signature: [UInt8], for text: Span<UInt8>) -> Bool {
        guard let key = point.key, let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature)
        else { return false }
        return key.isValidSignature(signature, for: sha256(text))
    }
}

/// A point of P-256 as bytes, and as a key of swift-crypto.
///
/// swift-crypto checks that a point is on the curve, which takes microseconds. A stored point was checked before it was
/// stored; it becomes a key of swift-crypto when it is used for the first time.
private final class P256Point<Key: Sendable>: Sendable {
    private final class Parsed: Sendable {
        let key: Key?

        init(_ key: Key?) {
            self.key = key
        }
    }

    let spki: [UInt8]
    /// The encoding in which the key was received, if it differs from the SPKI.
    private let asReceived: [UInt8]?
    private let known: Key?
    private let parse: @Sendable ([UInt8]) -> Key?
    private let parsed = AtomicLazyReference<Parsed>()

    init(_ key: Key, sec1: Data, asReceived: [UInt8]?) {
        known = key
        spki = SubjectPublicKeyInfo.p256.encoding(Array(sec1))
        self.asReceived = asReceived == spki ? nil : asReceived
        parse = { _ in nil }
    }

    init(storedSPKI spki: [UInt8], _ parse: @escaping @Sendable ([UInt8]) -> Key?) {
        self.spki = spki
        known = nil
        asReceived = nil
        self.parse = parse
    }

    /// The key; nil for a stored point that is not on the curve.
    var key: Key? {
        if let known { return known }
        if let parsed = parsed.load() { return parsed.key }
        return parsed.storeIfNil(Parsed(parse(sec1))).key
    }

    /// The point in SEC1 form, uncompressed.
    var sec1: [UInt8] { Array(spki.dropFirst(SubjectPublicKeyInfo.p256.header.count)) }

    /// The encodings that a binding signature may cover: `docs/protocol.md`, "Binding".
    var boundEncodings: [[UInt8]] {
        let encodings = [spki, sec1]
        guard let asReceived, asReceived != sec1 else { return encodings }
        return encodings + [asReceived]
    }
}

/// The private keys; both scalars are in swift-crypto's key objects, which wipe them when the last reference is
/// released.
final class P256PrivateKeys: SuitePrivateKeys {
    private let identity: P256.KeyAgreement.PrivateKey
    private let signing: P256.Signing.PrivateKey?
    let identityKey: any SuiteIdentityKey
    let signingKey: (any SuiteSigningKey)?

    init(identity: P256.KeyAgreement.PrivateKey, signing: P256.Signing.PrivateKey?) {
        self.identity = identity
        self.signing = signing
        signingKey = signing.map { P256SigningKey(key: $0.publicKey) }
        identityKey = P256IdentityKey(key: identity.publicKey)
    }

    func unwrap(_ wrapped: [UInt8]) throws(XChatError) -> ConversationKey {
        try ECIES.open(wrapped, with: identity)
    }

    func sign(_ text: Span<UInt8>) throws(XChatError) -> [UInt8] {
        guard let signing else {
            throw XChatError(.notUnlocked, "the private keys contain no signing key: import keys with a signing key")
        }
        do {
            return Array(try signing.signature(for: sha256(text)).rawRepresentation)
        } catch {
            throw XChatError(.unsupported, "swift-crypto could not sign")
        }
    }

    func endorsement() throws(XChatError) -> [UInt8]? {
        guard let signingKey else {
            throw XChatError(.notUnlocked, "the private keys contain no signing key: import keys with a signing key")
        }
        var scalar = identity.rawRepresentation
        defer { scalar.resetBytes(in: scalar.indices) }
        do {
            let key = try P256.Signing.PrivateKey(rawRepresentation: scalar)
            return Array(try key.signature(for: sha256(signingKey.spki.span)).rawRepresentation)
        } catch {
            throw XChatError(.unsupported, "swift-crypto could not sign")
        }
    }

    func withBlob<Result>(_ body: (Span<UInt8>) throws(XChatError) -> Result) throws(XChatError) -> Result {
        // All of the memory is reserved at the start, because a buffer that grows leaves a copy that is not wiped.
        var scalars = Data(capacity: 64)
        defer { scalars.resetBytes(in: scalars.indices) }
        var scalar = identity.rawRepresentation
        defer { scalar.resetBytes(in: scalar.indices) }
        scalars.append(scalar)
        if let signing {
            var scalar = signing.rawRepresentation
            defer { scalar.resetBytes(in: scalar.indices) }
            scalars.append(scalar)
        }
        return try body(scalars.span)
    }
}

private func sha256(_ text: Span<UInt8>) -> SHA256.Digest {
    var hash = SHA256()
    unsafe text.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
    return hash.finalize()
}
