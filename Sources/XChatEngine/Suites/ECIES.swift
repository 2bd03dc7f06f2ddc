import Crypto
import Foundation
import LibSodium

/// Wraps conversation keys in the `.xchat` suite: `docs/protocol.md`, "Key wrap".
///
/// A wrapped key is: ephemeral public key (65 bytes, SEC1 uncompressed) ‖ AES-128-GCM ciphertext (32) ‖ tag (16). The
/// AES key and the IV, 16 bytes each, are the two halves of the output of the X9.63 KDF with SHA-256 over the ECDH
/// secret and the ephemeral key.
enum ECIES {
    static let wrappedLength = 65 + ConversationKey.length + 16

    /// Wraps with an ephemeral key, which must be fresh for each wrap.
    static func seal(
        _ key: ConversationKey,
        to recipient: P256.KeyAgreement.PublicKey,
        ephemeral: P256.KeyAgreement.PrivateKey
    ) throws(XChatError) -> [UInt8] {
        let ephemeralKey = Array(ephemeral.publicKey.x963Representation)
        let derived = try derive(ephemeral, recipient, ephemeralKey: ephemeralKey)
        do {
            let box = try key.withBytes { key in
                try unsafe key.withUnsafeBytes {
                    try unsafe AES.GCM.seal($0, using: derived.key, nonce: derived.iv)
                }
            }
            var wrapped: [UInt8] = []
            wrapped.reserveCapacity(wrappedLength)
            wrapped += ephemeralKey
            wrapped += box.ciphertext
            wrapped += box.tag
            return wrapped
        } catch {
            throw XChatError(.invalidKey, "the conversation key cannot be wrapped")
        }
    }

    static func open(
        _ wrapped: [UInt8],
        with identity: P256.KeyAgreement.PrivateKey
    ) throws(XChatError) -> ConversationKey {
        guard wrapped.count == wrappedLength else {
            throw XChatError(.malformed, "the wrapped key is \(wrapped.count) bytes, not \(wrappedLength)")
        }
        let ephemeralKey = Array(wrapped[..<65])
        guard ephemeralKey.first == 0x04,
            let ephemeral = try? P256.KeyAgreement.PublicKey(x963Representation: ephemeralKey)
        else {
            throw XChatError(.malformed, "the wrapped key does not start with a point of P-256")
        }
        let derived = try derive(identity, ephemeral, ephemeralKey: ephemeralKey)
        do {
            let box = try AES.GCM.SealedBox(nonce: derived.iv, ciphertext: wrapped[65..<97], tag: wrapped[97...])
            var plaintext = try AES.GCM.open(box, using: derived.key)
            defer { plaintext.resetBytes(in: plaintext.indices) }
            return try ConversationKey(bytes: plaintext.span)
        } catch {
            throw XChatError(.authenticationFailed, "the wrapped key does not authenticate")
        }
    }

    private static func derive(
        _ privateKey: P256.KeyAgreement.PrivateKey,
        _ publicKey: P256.KeyAgreement.PublicKey,
        ephemeralKey: [UInt8]
    ) throws(XChatError) -> (key: SymmetricKey, iv: AES.GCM.Nonce) {
        do {
            let secret = try privateKey.sharedSecretFromKeyAgreement(with: publicKey)
            let derived = secret.x963DerivedSymmetricKey(
                using: SHA256.self,
                sharedInfo: ephemeralKey,
                outputByteCount: 32
            )
            return try unsafe derived.withUnsafeBytes { derived in
                // The IV has 16 bytes, not the usual 12, so GCM hashes it with GHASH.
                let iv = try unsafe AES.GCM.Nonce(data: derived[16...])
                return unsafe (SymmetricKey(data: derived[..<16]), iv)
            }
        } catch {
            throw XChatError(.invalidKey, "the key agreement with this point failed")
        }
    }
}
