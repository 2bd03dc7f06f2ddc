import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEvents

@testable import XChatEngine

/// A user with private keys who can sign any event, also one that the library refuses to sign.
struct Person {
    let id: UserID
    let version: KeyVersion
    let keys: PrivateKeys

    init(_ id: UserID, version: KeyVersion = "1", keys: PrivateKeys? = nil) throws {
        self.id = id
        self.version = version
        self.keys = try keys ?? .generate()
    }

    /// The public keys, as they are pinned.
    var bound: VerifiedPublicKey {
        get throws { try keys.verifiedKey(userID: id, version: version) }
    }

    /// The identity key's signature over the signing key.
    var endorsement: String? {
        get throws { try keys.registration(version: version).publicKey.signingPublicKeySignature }
    }

    /// The entry that a server serves for these keys.
    func served(endorsement: String? = nil) throws -> JSONValue {
        let key = try bound.registered
        var entry: JSONObject = [
            "public_key": .string(key.identityPublicKey),
            "signing_public_key": .string(key.publicKey),
            "public_key_version": .string(version),
            "identity_public_key_signature": .string(key.identityPublicKeySignature),
        ]
        entry["signing_public_key_signature"] = endorsement.map { .string($0) }
        return .object(entry)
    }

    /// Unwraps a conversation key; nil if it is wrapped for another user.
    func unwrap(_ wrapped: WireString) throws -> ConversationKey? {
        try? keys.unwrap(try Base64.decode(wrapped))
    }

    /// The signing key's signature over any bytes, as base64.
    func signature(over bytes: [UInt8]) throws -> String {
        Base64.encode(try keys.keys.sign(bytes.span))
    }

    /// Signs an event.
    func sign(
        _ detail: MessageEventDetail,
        in conversation: ConversationID,
        covering key: ConversationKey? = nil,
        messageID: MessageID? = nil,
        sequence: Int = 1
    ) throws -> MessageEvent {
        var event = MessageEvent(
            sequenceID: SequenceID(String(sequence)),
            messageID: messageID ?? MessageID.random(),
            senderID: id,
            conversationID: conversation.text,
            createdAtMsec: WireString(String(1_700_000_000_000 + sequence * 1000)),
            detail: detail
        )
        let payload = try SignedPayload(of: event)
        let signature =
            if let key {
                try payload.withText(conversationKey: key) { text throws(XChatError) in try keys.keys.sign(text) }
            } else {
                try keys.keys.sign(payload.bytes.span)
            }
        event.messageEventSignature = MessageEventSignature(
            signature: WireString(Base64.encode(signature, padding: false)),
            publicKeyVersion: version,
            signatureVersion: "7"
        )
        return event
    }
}

/// The signed history of a conversation, as an honest server serves it.
struct SignedHistory {
    let id: ConversationID
    private(set) var events: [MessageEvent] = []
    private(set) var keyEvents: [MessageEvent] = []
    private(set) var people: [Person] = []
    private(set) var keys: [KeyVersion: ConversationKey] = [:]
    private(set) var version = 1000
    private var sequence = 0

    init(_ id: ConversationID) {
        self.id = id
    }

    /// A conversation of two with one key.
    init(_ signer: Person, with other: Person) throws {
        self.init(.oneToOne(signer.id, other.id))
        people = [signer, other]
        try rotate(signer)
    }

    /// A group with one key.
    init(_ group: WireString, _ signer: Person, with others: [Person]) throws {
        self.init(ConversationID(canonicalizing: group))
        people = [signer] + others
        try rotate(signer)
        let creation = GroupCreate(
            memberIDs: people.map(\.id),
            adminIDs: [signer.id],
            conversationKeyVersion: newest
        )
        try append(.groupCreate(creation), signer)
    }

    var newest: KeyVersion { KeyVersion(String(version)) }
    var key: ConversationKey {
        get throws { try #require(keys[newest]) }
    }

    private mutating func place() -> Int {
        sequence += 1
        return sequence
    }

    /// A change of the group.
    mutating func append(_ change: GroupChange, _ signer: Person) throws {
        let detail = MessageEventDetail.groupChangeEvent(GroupChangeEvent(groupChange: change))
        events.append(try signer.sign(detail, in: id, sequence: place()))
    }

    /// A key change for all members, and for some users who are not members yet.
    @discardableResult
    mutating func rotate(
        _ signer: Person,
        version: KeyVersion? = nil,
        key: ConversationKey? = nil,
        alsoFor others: [Person] = []
    ) throws -> MessageEvent {
        let key = try key ?? .generate()
        if version == nil {
            self.version += 1
            keys[newest] = key
        }
        let version = version ?? newest
        let change = ConversationKeyChangeEvent(
            conversationKeyVersion: version,
            conversationParticipantKeys: try (people + others).map { person in
                ConversationParticipantKey(
                    userID: person.id,
                    encryptedConversationKey: WireString(Base64.encode(try person.keys.identityKey.wrap(key))),
                    publicKeyVersion: person.version
                )
            }
        )
        let event = try signer.sign(.conversationKeyChangeEvent(change), in: id, covering: key, sequence: place())
        keyEvents.append(event)
        return event
    }

    /// An addition under the newest version, without its key change.
    mutating func add(_ new: [UserID], by signer: Person) throws {
        let current = [signer.id] + people.map(\.id).filter { $0 != signer.id }
        let addition = GroupMemberAddChange(
            memberIDs: new,
            currentMemberIDs: current,
            currentAdminIDs: [signer.id],
            conversationKeyVersion: newest
        )
        try append(.groupMemberAdd(addition), signer)
    }

    /// A removal.
    ///
    /// Later keys are not wrapped for the user.
    mutating func remove(_ person: Person, by signer: Person) throws {
        try append(.groupMemberRemove(GroupMemberRemoveChange(memberIDs: [person.id])), signer)
        people.removeAll { $0.id == person.id }
    }

    /// A message under the newest key.
    @discardableResult
    mutating func say(
        _ text: String,
        by author: Person,
        under version: KeyVersion? = nil,
        key: ConversationKey? = nil,
        messageID: MessageID? = nil
    ) throws -> MessageEvent {
        let version = version ?? newest
        let key = try key ?? #require(keys[version])
        let contents = MessageEntryHolder(contents: .message(MessageContents(messageText: WireString(text))))
        let create = MessageCreateEvent(contents: try key.seal(contents.encoded()), conversationKeyVersion: version)
        let event = try author.sign(.messageCreateEvent(create), in: id, messageID: messageID, sequence: place())
        events.append(event)
        return event
    }

    /// Adds an event that was signed elsewhere.
    mutating func append(_ event: MessageEvent) { events.append(event) }
}

extension LyingServer {
    /// Serves the history and the keys of its users.
    func serve(_ history: SignedHistory) throws {
        try with { content in
            content.events[history.id] = history.events
            content.keyEvents[history.id] = history.keyEvents
            content.members[history.id] = history.people.map(\.id)
            for person in history.people { content.keys[person.id.string] = [try person.served()] }
        }
    }

    /// Serves these keys of a user, and no others.
    func serve(keysOf user: UserID, _ people: [Person]) throws {
        try with { content in content.keys[user.string] = try people.map { try $0.served() } }
    }
}
