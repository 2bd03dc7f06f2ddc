import TestSupport
import XChatEngine
import XChatEvents

/// Alice, who uses this engine, and Bob, who uses X's SDK; each trusts the keys of the other.
struct People {
    let peer: Peer
    let conversation: ConversationID
    var alice: Session
    let bobKey: VerifiedPublicKey
    private var lastSequenceID: UInt64 = 2_070_276_095_283_454_002  // from here on X's SDK verifies key changes

    static let bob = "bob"  // the SDK's instance

    init(in conversation: ConversationID = .oneToOne("1111", "2222")) throws {
        peer = try Peer()
        self.conversation = conversation

        let registration = try peer.call("generate_keypairs", of: Self.bob, returning: Registration.self)
        try peer.perform(
            "set_identity",
            of: Self.bob,
            ["user_id": .string("2222"), "signing_key_version": .string("1")]
        )
        let served = RegisteredKey(registration, userID: "2222", version: "1")

        let keys = try PrivateKeys.generate()
        alice = try Session(userID: "1111", privateKeys: keys, signingKeyVersion: "1")
        alice.trust([try keys.verifiedKey(userID: "1111", version: "1")])
        try alice.pin([served], of: "2222")
        bobKey = try VerifiedPublicKey(checking: served)
    }

    var aliceKey: VerifiedPublicKey { alice.pins["1111"][0] }

    /// The argument `signing_keys` for the SDK's calls that read events.
    var signingKeys: Argument {
        .list(
            [aliceKey, bobKey].map(\.registered).map { key in
                .members([
                    "user_id": .string(key.userID.string),
                    "public_key_version": .string(key.publicKeyVersion.string),
                    "public_key": .string(key.publicKey.string),
                    "identity_public_key": .string(key.identityPublicKey.string),
                    "identity_public_key_signature": .string(key.identityPublicKeySignature.string),
                ])
            }
        )
    }

    /// The argument `public_keys` for the SDK's calls that wrap keys.
    var publicKeys: Argument {
        .list(
            [aliceKey, bobKey].map { key in
                .members([
                    "user_id": .string(key.userID.string),
                    "public_key": .string(key.identityKey.base64),
                    "key_version": .string(key.version.string),
                ])
            }
        )
    }

    /// The event as a server delivers it.
    mutating func served(
        _ messageID: MessageID,
        from sender: UserID,
        _ detail: MessageEventDetail,
        _ signature: MessageEventSignature
    ) -> MessageEvent {
        lastSequenceID += 1
        return MessageEvent(
            sequenceID: SequenceID(String(lastSequenceID)),
            messageID: messageID,
            senderID: sender,
            conversationID: conversation.text,
            createdAtMsec: "1782000000000",
            detail: detail,
            messageEventSignature: signature
        )
    }

    /// The event that a server makes from the body of Alice's request.
    mutating func served(_ sealed: SealedMessage) throws -> MessageEvent {
        served(
            sealed.messageID,
            from: "1111",
            .messageCreateEvent(try MessageCreateEvent(decoding: Base64.decode(sealed.encodedMessageCreateEvent))),
            try MessageEventSignature(decoding: Base64.decode(sealed.encodedMessageEventSignature))
        )
    }

    /// The event that a server makes from Bob's request.
    mutating func served(_ payload: SendPayload) throws -> MessageEvent {
        served(
            MessageID(payload.messageID),
            from: "2222",
            .messageCreateEvent(try MessageCreateEvent(decoding: Base64.decode(payload.encryptedContent))),
            try MessageEventSignature(decoding: Base64.decode(payload.encodedEventSignature))
        )
    }

    /// Makes a key change of Alice, and lets Bob's engine unwrap the key.
    mutating func announceByAlice() throws -> (change: KeyChange, event: MessageEvent) {
        let change = try alice.prepareKeyChange(in: conversation, participants: [aliceKey, bobKey])
        try alice.addConversationKey(change.key, in: conversation, version: change.version)
        let event = served(
            change.actionSignature.messageID,
            from: "1111",
            try MessageEventDetail(decoding: Base64.decode(change.actionSignature.encodedMessageEventDetail)),
            MessageEventSignature(
                signature: change.actionSignature.signature,
                publicKeyVersion: change.actionSignature.publicKeyVersion,
                signatureVersion: change.actionSignature.signatureVersion
            )
        )
        return (change, event)
    }

    /// Makes a key change of Bob, which Alice has not received yet.
    mutating func announceByBob() throws -> (change: PreparedKeyChange, event: MessageEvent) {
        let change = try peer.call(
            "prepare_conversation_key_change",
            of: Self.bob,
            ["public_keys": publicKeys, "conversation_id": .string(conversation.string)],
            returning: PreparedKeyChange.self
        )
        guard let action = change.actionSignatures.first else { throw Refusal(text: "no action signature") }
        let event = served(
            MessageID(action.messageID),
            from: "2222",
            try MessageEventDetail(decoding: Base64.decode(action.encodedMessageEventDetail)),
            MessageEventSignature(
                signature: WireString(action.signature),
                publicKeyVersion: KeyVersion(action.publicKeyVersion),
                signatureVersion: WireString(action.signatureVersion)
            )
        )
        return (change, event)
    }
}

extension RegisteredKey {
    init(_ registration: Registration, userID: UserID, version: KeyVersion) {
        self.init(
            userID: userID,
            publicKeyVersion: version,
            publicKey: WireString(registration.publicKey.signingPublicKey),
            identityPublicKey: WireString(registration.publicKey.publicKey),
            identityPublicKeySignature: WireString(registration.publicKey.identityPublicKeySignature),
            signingPublicKeySignature: registration.publicKey.signingPublicKeySignature.map { WireString($0) }
        )
    }
}

extension ConversationKey {
    var bytes: [UInt8] {
        withBytes { span in
            var bytes: [UInt8] = []
            for index in span.indices { bytes.append(span[index]) }
            return bytes
        }
    }
}

extension MessageEvent {
    var base64: String { Base64.encode(encoded()) }
}
