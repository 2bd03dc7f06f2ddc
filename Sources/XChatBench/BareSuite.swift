import Crypto
import Foundation
import LibSodium

/// The primitives of a cipher suite alone, without events, sessions and the engine's checks.
protocol BareSuite: Sendable {
    func sign(_ text: [UInt8]) throws -> [UInt8]
    func verify(_ signature: [UInt8], _ text: [UInt8]) throws
    /// Wraps one conversation key for one identity key.
    func wrap() throws -> [UInt8]
    func unwrap(_ wrapped: [UInt8]) throws
}

/// A primitive failed that must succeed here, so its time would be meaningless.
struct BarePrimitiveFailed: Error {}

func require(_ succeeded: Bool) throws(BarePrimitiveFailed) {
    guard succeeded else { throw BarePrimitiveFailed() }
}

/// The primitives of the suite `.xchat`: P-256, AES-GCM and the key derivation of X9.63, from swift-crypto.
struct BareP256: BareSuite {
    private let signing = P256.Signing.PrivateKey()
    private let identity = P256.KeyAgreement.PrivateKey()
    private let publicKey: P256.Signing.PublicKey
    private let recipient: P256.KeyAgreement.PublicKey
    private let conversationKey = SymmetricKey(size: .bits256)

    init() {
        publicKey = signing.publicKey
        recipient = identity.publicKey
    }

    func sign(_ text: [UInt8]) throws -> [UInt8] {
        Array(try signing.signature(for: SHA256.hash(data: text)).rawRepresentation)
    }

    func verify(_ signature: [UInt8], _ text: [UInt8]) throws {
        let signature = try P256.Signing.ECDSASignature(rawRepresentation: signature)
        try require(publicKey.isValidSignature(signature, for: SHA256.hash(data: text)))
    }

    func wrap() throws -> [UInt8] {
        let ephemeral = try P256.KeyAgreement.PrivateKey(rawRepresentation: try Sodium.randomBytes(count: 32))
        let point = ephemeral.publicKey.x963Representation
        let derived = try derive(ephemeral, recipient, point)
        let box = try unsafe conversationKey.withUnsafeBytes {
            try unsafe AES.GCM.seal($0, using: derived.key, nonce: derived.iv)
        }
        return Array(point + box.ciphertext + box.tag)
    }

    func unwrap(_ wrapped: [UInt8]) throws {
        let point = Data(wrapped[..<65])
        let ephemeral = try P256.KeyAgreement.PublicKey(x963Representation: point)
        let derived = try derive(identity, ephemeral, point)
        let box = try AES.GCM.SealedBox(nonce: derived.iv, ciphertext: wrapped[65..<97], tag: wrapped[97...])
        try require(try AES.GCM.open(box, using: derived.key).count == 32)
    }

    private func derive(
        _ privateKey: P256.KeyAgreement.PrivateKey,
        _ publicKey: P256.KeyAgreement.PublicKey,
        _ point: Data
    ) throws -> (key: SymmetricKey, iv: AES.GCM.Nonce) {
        let derived = try privateKey.sharedSecretFromKeyAgreement(with: publicKey)
            .x963DerivedSymmetricKey(using: SHA256.self, sharedInfo: point, outputByteCount: 32)
        return try unsafe derived.withUnsafeBytes { derived in
            let iv = try unsafe AES.GCM.Nonce(data: derived[16...])
            return unsafe (SymmetricKey(data: derived[..<16]), iv)
        }
    }
}

/// The primitives of the suite `.sodium`: Ed25519 and sealed boxes, as direct calls of libsodium.
struct BareSodium: BareSuite {
    private let signingPublicKey: [UInt8]
    private let signingSecretKey: [UInt8]
    private let identityPublicKey: [UInt8]
    private let identitySecretKey: [UInt8]
    private let conversationKey: [UInt8]

    init() throws {
        // These keys protect nothing, so they need no secret memory.
        let signing = try Sign.keyPair()
        let identity = try SealedBox.keyPair()
        signingPublicKey = signing.publicKey
        signingSecretKey = signing.secretKey.withBytes { bytes in bytes.indices.map { bytes[$0] } }
        identityPublicKey = identity.publicKey
        identitySecretKey = identity.secretKey.withBytes { bytes in bytes.indices.map { bytes[$0] } }
        conversationKey = try Sodium.randomBytes(count: 32)
    }

    func sign(_ text: [UInt8]) throws -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: 64)
        try require(BareCalls.sign(text.span, secretKey: signingSecretKey.span, into: &signature))
        return signature
    }

    func verify(_ signature: [UInt8], _ text: [UInt8]) throws {
        try require(BareCalls.verify(signature.span, text.span, publicKey: signingPublicKey.span))
    }

    func wrap() throws -> [UInt8] {
        var box = [UInt8](repeating: 0, count: 80)
        try require(BareCalls.sealedBoxSeal(conversationKey.span, to: identityPublicKey.span, into: &box))
        return box
    }

    func unwrap(_ wrapped: [UInt8]) throws {
        var key = [UInt8](repeating: 0, count: 32)
        try require(
            BareCalls.sealedBoxOpen(
                wrapped.span,
                publicKey: identityPublicKey.span,
                secretKey: identitySecretKey.span,
                into: &key
            )
        )
    }
}
