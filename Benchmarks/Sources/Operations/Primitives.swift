import Crypto
import LibSodium
import XChatEngine
import XChatEvents

/// One signature and one box without the engine: the floor of sealing and opening.
struct Primitives {
    private let suite: SuiteName
    private let signedText: [UInt8]
    private let plaintext: [UInt8]
    private let key: [UInt8]

    struct NotAMessage: Error {}

    /// Takes the lengths of an event's signed text and ciphertext.
    init(_ suite: SuiteName, like event: MessageEvent) throws {
        self.suite = suite
        signedText = try SignedPayload(of: event, version: .current).bytes
        guard case .messageCreateEvent(let create) = event.detail, let box = create.contents else {
            throw NotAMessage()
        }
        plaintext = [UInt8](repeating: 0x78, count: box.count - SecretBox.overheadByteCount)
        key = try Sodium.randomBytes(count: SecretBox.keyByteCount)
    }

    func operation(_ name: String) throws -> (_ count: Int) throws -> Void {
        let isSealing = name == "seal-primitives"
        let box = try SecretBox.seal(plaintext.span, key: key.span)
        let (sign, verify) = try signing()
        let signature = try sign()
        return { count in
            for _ in 0..<count {
                if isSealing {
                    keep(try SecretBox.seal(plaintext.span, key: key.span))
                    keep(try sign())
                } else {
                    keep(try SecretBox.open(box.span, key: key.span))
                    keep(try verify(signature))
                }
            }
        }
    }

    private func signing() throws -> (sign: () throws -> [UInt8], verify: ([UInt8]) throws -> Bool) {
        if suite == .sodium {
            let pair = try Sign.keyPair()
            let secret = pair.secretKey.withBytes { bytes in bytes.indices.map { bytes[$0] } }
            let publicKey = pair.publicKey
            return (
                { try Sign.signature(for: signedText.span, secretKey: secret.span) },
                { Sign.isValid($0.span, for: signedText.span, publicKey: publicKey.span) }
            )
        }
        let key = P256.Signing.PrivateKey()
        let publicKey = key.publicKey
        return (
            { Array(try key.signature(for: SHA256.hash(data: signedText)).rawRepresentation) },
            {
                let signature = try P256.Signing.ECDSASignature(rawRepresentation: $0)
                return publicKey.isValidSignature(signature, for: SHA256.hash(data: signedText))
            }
        )
    }
}
