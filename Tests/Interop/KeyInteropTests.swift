import Foundation
import Testing
import XChatEngine
import XChatEvents

@Suite(.enabled(if: Peer.isWanted, Peer.absence))
struct KeyInteropTests {
    private static let count = 50

    @Test func `blobs of X's SDK are imported, and exported unchanged`() throws {
        let peer = try Peer()
        for _ in 0..<Self.count {
            let registration = try peer.call("generate_keypairs", of: "sdk", returning: Registration.self)
            let blob = try peer.call("export_keys", of: "sdk", returning: Bytes.self)
            let fingerprint = try peer.call("get_public_key_fingerprint", of: "sdk", returning: String.self)
            let keys = try PrivateKeys(importing: blob.bytes.span)
            #expect(keys.suite == .xchat)
            #expect(keys.identityKey.base64 == registration.publicKey.publicKey)
            #expect(keys.signingKey?.base64 == registration.publicKey.signingPublicKey)
            #expect(keys.identityKey.fingerprint == fingerprint)
            #expect(try exported(keys) == blob.bytes)
            // Our registration of these keys is equal to the SDK's, except for the signatures, which are random.
            let ours = try keys.registration(version: KeyVersion(registration.version))
            #expect(ours.publicKey.publicKeyFingerprint == registration.publicKey.publicKeyFingerprint)
            #expect(ours.publicKey.registrationMethod == registration.publicKey.registrationMethod)
            #expect(ours.generateVersion == registration.generateVersion)
        }
        report(Self.count, "key blobs of chatxdk")
    }

    @Test func `X's SDK imports our blobs, and exports them unchanged`() throws {
        let peer = try Peer()
        for _ in 0..<Self.count {
            let keys = try PrivateKeys.generate()
            let blob = try exported(keys)
            try peer.perform("import_keys", of: "sdk", ["keys": .bytes(blob), "version": .string("1")])
            #expect(try peer.call("export_keys", of: "sdk", returning: Bytes.self).bytes == blob)
            #expect(
                try peer.call("get_public_key_fingerprint", of: "sdk", returning: String.self)
                    == keys.identityKey.fingerprint
            )
            let isRegistered = try peer.call(
                "matches_registered_key",
                of: "sdk",
                ["public_key_b64": .string(keys.identityKey.base64)],
                returning: Bool.self
            )
            #expect(isRegistered)
        }
        report(Self.count, "key blobs of ours")
    }

    @Test func `a blob with only an identity key is imported by both sides`() throws {
        let peer = try Peer()
        let identity = Array(try exported(try PrivateKeys.generate()).prefix(32))
        let keys = try PrivateKeys(importing: identity.span)
        #expect(keys.signingKey == nil)
        #expect(try exported(keys) == identity)
        try peer.perform("import_keys", of: "sdk", ["keys": .bytes(identity)])
        #expect(try peer.call("export_keys", of: "sdk", returning: Bytes.self).bytes == identity)
        #expect(
            try peer.call("get_public_key_fingerprint", of: "sdk", returning: String.self)
                == keys.identityKey.fingerprint
        )
    }

    @Test func `registrations of X's SDK verify here`() throws {
        let peer = try Peer()
        for _ in 0..<Self.count {
            let registration = try peer.call("generate_keypairs", of: "sdk", returning: Registration.self)
            let key = RegisteredKey(registration, userID: "2222", version: "1")
            #expect(key.signingPublicKeySignature != nil)
            let fingerprint = try VerifiedPublicKey(checking: key).identityKey.fingerprint
            #expect(fingerprint == registration.publicKey.publicKeyFingerprint)
        }
        report(Self.count, "registrations of chatxdk")
    }

    @Test func `our registrations verify with X's SDK`() throws {
        let peer = try Peer()
        let stranger = try PrivateKeys.generate()
        for _ in 0..<Self.count {
            let keys = try PrivateKeys.generate()
            let registration = try keys.registration(version: "1").publicKey
            #expect(try isBound(registration, signingKey: registration.signingPublicKey, peer))
            #expect(try !isBound(registration, signingKey: try #require(stranger.signingKey).base64, peer))
            // The SDK writes the signature of the identity key over the signing key, but does not verify it.
            let signature = try Base64.decode(try #require(registration.signingPublicKeySignature))
            let isEndorsed = try peer.call(
                "verify",
                of: "sdk",
                [
                    "public_key_b64": .string(registration.publicKey),
                    "signature": .bytes(signature),
                    "data": .bytes(try #require(keys.signingKey).spki),
                ],
                returning: Bool.self
            )
            #expect(isEndorsed)
        }
        report(Self.count, "registrations of ours")
    }

    @Test func `both write the same members into a registration`() throws {
        let peer = try Peer()
        let theirs = try peer.call("generate_keypairs", of: "sdk", returning: [String: Member].self)
        let ours = try JSONDecoder().decode(
            [String: Member].self,
            from: JSONEncoder().encode(try PrivateKeys.generate().registration(version: "1"))
        )
        #expect(ours.mapValues(\.names) == theirs.mapValues(\.names))
    }

    @Test func `a conversation key wrapped by one is unwrapped by the other`() throws {
        var people = try People()
        for _ in 0..<Self.count {
            let ours = try people.announceByAlice()
            let extracted = try people.peer.call(
                "extract_conversation_keys",
                of: People.bob,
                ["events": .list([.string(ours.event.base64)])],
                returning: ConversationKeys.self
            )
            #expect(extracted.keys == [ours.change.version.string: Bytes(ours.change.key.bytes)])
            let forBob = try #require(ours.change.participantKeys.first { $0.userID == "2222" })
            let unwrapped = try people.peer.call(
                "decrypt_conversation_key",
                of: People.bob,
                ["encrypted_key_b64": .string(forBob.encryptedConversationKey.string)],
                returning: Bytes.self
            )
            #expect(unwrapped.bytes == ours.change.key.bytes)

            let theirs = try people.announceByBob()
            #expect(theirs.change.conversationID == people.conversation.string)
            #expect(try people.alice.open(theirs.event).isVerified)
            let key = people.alice.keyRing.acceptedKey(
                in: people.conversation,
                version: KeyVersion(theirs.change.conversationKeyVersion)
            )
            #expect(key?.bytes == theirs.change.conversationKey.bytes)
        }
        report(2 * Self.count, "conversation keys, half of them wrapped by us")
    }

    private func exported(_ keys: PrivateKeys) throws -> [UInt8] {
        try keys.withExport { blob in
            var bytes: [UInt8] = []
            for index in blob.indices { bytes.append(blob[index]) }
            return bytes
        }
    }

    private func isBound(_ registration: Registration.Keys, signingKey: String, _ peer: Peer) throws -> Bool {
        try peer.call(
            "verify_key_binding",
            of: "sdk",
            [
                "identity_public_key_b64": .string(registration.publicKey),
                "signing_public_key_b64": .string(signingKey),
                "identity_public_key_signature_b64": .string(registration.identityPublicKeySignature),
            ],
            returning: Bool.self
        )
    }

    /// A member of a JSON object; only the names of its members are compared.
    private struct Member: Decodable {
        let names: Set<String>

        init(from decoder: any Decoder) throws {
            names = (try? Set(decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue))) ?? []
        }
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init?(stringValue: String) {
            self.stringValue = stringValue
        }

        init?(intValue: Int) {
            nil
        }
    }
}
