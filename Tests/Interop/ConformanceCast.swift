import XChat
import XChatEvents

@testable import XChatEngine

/// Bob, who reads each event twice: with this engine and with X's SDK, under the same keys.
///
/// He trusts Alice, Carol and himself. He shares a conversation with Alice, and a group with both.
struct Cast {
    let peer: Peer
    let alice: PrivateKeys
    let bob: PrivateKeys
    let carol: PrivateKeys
    /// Bob's own state, with the keys of both conversations.
    let session: Session

    static let pair: WireString = "1111:2222"
    static let group: WireString = "g9"
    static let pairVersion: KeyVersion = "1001"
    static let groupVersion: KeyVersion = "1002"
    let pairKey: ConversationKey
    let groupKey: ConversationKey

    /// The instance of the SDK that refuses events that do not verify, its default.
    static let strict = "strict"
    /// The instance of the SDK that returns such events, marked as not verified.
    static let lenient = "lenient"

    init() throws {
        peer = try Peer()
        alice = try PrivateKeys.generate()
        bob = try PrivateKeys.generate()
        carol = try PrivateKeys.generate()
        pairKey = try ConversationKey.generate()
        groupKey = try ConversationKey.generate()
        var session = try Session(userID: "2222", privateKeys: bob, signingKeyVersion: "1")
        for (user, keys) in [("1111", alice), ("2222", bob), ("3333", carol)] as [(UserID, PrivateKeys)] {
            session.trust([try keys.verifiedKey(userID: user, version: "1")])
        }
        try session.addConversationKey(
            pairKey,
            in: ConversationID(canonicalizing: Self.pair),
            version: Self.pairVersion
        )
        try session.addConversationKey(
            groupKey,
            in: ConversationID(canonicalizing: Self.group),
            version: Self.groupVersion
        )
        self.session = session
        for instance in [Self.strict, Self.lenient] { try makeBob(instance) }
        try peer.perform("set_reject_unverified", of: Self.lenient, ["reject": .bool(false)])
    }

    /// Gives an instance of the SDK Bob's keys and the keys that he trusts.
    func makeBob(_ instance: String) throws {
        try peer.perform("import_keys", of: instance, ["keys": .bytes(try exported(bob)), "version": .string("1")])
        try peer.perform(
            "set_identity",
            of: instance,
            ["user_id": .string("2222"), "signing_key_version": .string("1")]
        )
        try peer.perform("set_signing_keys", of: instance, ["signing_keys": signingKeys])
    }

    /// The argument `signing_keys` for the SDK's calls that read events.
    var signingKeys: Argument {
        .list(["1111", "2222", "3333"].flatMap { session.pins[$0] }.map { $0.registered.argument })
    }

    /// The argument `conversation_keys` for the SDK's calls that read events: the SDK finds a key by its version only.
    var conversationKeys: Argument {
        .members([Self.pairVersion.string: .bytes(pairKey.bytes), Self.groupVersion.string: .bytes(groupKey.bytes)])
    }

    /// The session of Alice, who writes the messages that Bob reads.
    func aliceSession() throws -> Session {
        var session = try Session(userID: "1111", privateKeys: alice, signingKeyVersion: "1")
        for user in ["1111", "2222", "3333"] as [UserID] { session.trust(self.session.pins[user]) }
        try session.addConversationKey(
            pairKey,
            in: ConversationID(canonicalizing: Self.pair),
            version: Self.pairVersion
        )
        try session.addConversationKey(
            groupKey,
            in: ConversationID(canonicalizing: Self.group),
            version: Self.groupVersion
        )
        return session
    }

    func keys(of sender: UserID?) -> PrivateKeys? {
        switch sender {
        case "1111": alice
        case "2222": bob
        case "3333": carol
        default: nil
        }
    }

    // MARK: Events

    /// An encrypted message with these contents.
    func sealed(_ contents: [UInt8], by key: ConversationKey? = nil, version: KeyVersion = pairVersion) throws
        -> [UInt8]
    {
        MessageCreateEvent(contents: try (key ?? pairKey).seal(contents), conversationKeyVersion: version).encoded()
    }

    /// An encrypted message as the detail of an event.
    func sealed(_ contents: MessageEntryContents) throws -> MessageEventDetail {
        .messageCreateEvent(try MessageCreateEvent(decoding: sealed(MessageEntryHolder(contents: contents).encoded())))
    }

    /// The detail of a key change that delivers a key to Bob.
    func delivering(_ key: ConversationKey, version: KeyVersion) throws -> MessageEventDetail {
        .conversationKeyChangeEvent(
            ConversationKeyChangeEvent(
                conversationKeyVersion: version,
                conversationParticipantKeys: [
                    ConversationParticipantKey(
                        userID: "2222",
                        encryptedConversationKey: WireString(Base64.encode(try bob.identityKey.key.wrap(key))),
                        publicKeyVersion: "1"
                    )
                ]
            )
        )
    }

    /// An envelope without detail and signature, with the fields that a server sets.
    static func envelope(from sender: UserID = "1111", in conversation: WireString = pair) -> MessageEvent {
        MessageEvent(
            sequenceID: "2070276095283454009",
            messageID: MessageID.random(),
            senderID: sender,
            conversationID: conversation,
            createdAtMsec: "1782000000000"
        )
    }

    /// A signed event with a detail, and otherwise usual values.
    func event(
        _ detail: MessageEventDetail,
        from sender: UserID = "1111",
        in conversation: WireString? = pair
    ) throws -> MessageEvent {
        var event = Self.envelope(from: sender)
        event.conversationID = conversation
        event.detail = detail
        return try signed(event)
    }

    /// The event with the signature of its sender or of another user, under the given version.
    ///
    /// If the event has no signed text, another text is signed.
    func signed(_ event: MessageEvent, version: WireString? = "7", by signer: PrivateKeys? = nil) throws -> MessageEvent
    {
        var event = event
        let signature = try signature(of: event, version: version, by: signer)
        event.messageEventSignature = MessageEventSignature(
            signature: WireString(Base64.encode(signature, padding: false)),
            publicKeyVersion: "1",
            signatureVersion: version
        )
        return event
    }

    /// The signature of the event's sender, or of another user.
    func signature(of event: MessageEvent, version: WireString?, by signer: PrivateKeys? = nil) throws -> [UInt8] {
        let keys = signer ?? keys(of: event.senderID) ?? alice
        // For a version that is refused, the text of the current version is signed.
        let layout = (try? SignatureVersion(version)) ?? .current
        guard let payload = try? SignedPayload(of: event, version: layout) else {
            return try keys.keys.sign(Array("no text".utf8).span)
        }
        var key: ConversationKey?
        if case .conversationKeyChangeEvent(let change) = event.detail { key = session.deliveredKey(in: change) }
        return try payload.withText(conversationKey: key ?? pairKey) { text throws(XChatError) in
            try keys.keys.sign(text)
        }
    }

    func exported(_ keys: PrivateKeys) throws -> [UInt8] {
        try keys.withExport { blob in
            var bytes: [UInt8] = []
            for index in blob.indices { bytes.append(blob[index]) }
            return bytes
        }
    }
}

extension RegisteredKey {
    /// The key as an element of the SDK's `signing_keys`.
    var argument: Argument {
        .members([
            "user_id": .string(userID.string),
            "public_key_version": .string(publicKeyVersion.string),
            "public_key": .string(publicKey.string),
            "identity_public_key": .string(identityPublicKey.string),
            "identity_public_key_signature": .string(identityPublicKeySignature.string),
        ])
    }
}
