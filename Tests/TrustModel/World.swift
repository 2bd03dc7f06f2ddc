import LibSodium
import XChatEngine
import XChatEvents

/// A signed event and the model's knowledge about it, independent of the envelope in which a server delivers it.
struct Act: Sendable {
    enum Kind: String, Sendable {
        case creation, addition, removal, keyChange, message, joinRequest
    }

    let index: Int
    let kind: Kind
    /// The user whose keys signed it.
    let author: Holder
    /// Whether an honest user signed it; false for the insider, outsiders and thieves.
    let isHonest: Bool
    /// Whether another user signed it with keys that the user has replaced.
    let isStolen: Bool
    /// The conversation that the author intended.
    let conversation: ConversationID
    let event: MessageEvent
    let signedText: [UInt8]
    let digest: EventDigest
    /// The true time at which it was signed.
    let time: UInt64

    /// The key version that it signs.
    var version: UInt64?
    /// The members that a creation names, the new and present members of an addition.
    var named: [UserID] = []
    /// The users whom an addition names before the first occurrence of its signer.
    var namedBeforeSigner: Set<UserID> = []
    var removed: [UserID] = []
    /// The key that a key change announces, and the users who receive it.
    var key: [UInt8]?
    var entries: [Holder] = []
    /// The text that the author wrote; nil if a message decrypts to more than one text.
    var text: String?
    var isTwoTexts = false
    /// Whether the key version is more than a minute later than the time at which it was signed.
    var isAhead: Bool { version.map { $0 > time + 60_000 } ?? false }
}

/// The truth: all signed events, the holders of each key, and the members as an honest server sees them.
struct World {
    static let group = ConversationID(canonicalizing: "g9")
    static let otherGroup = ConversationID(canonicalizing: "g7")

    let cast: Cast
    private(set) var acts: [Act] = []
    /// The users who received each key.
    private(set) var holders: [[UInt8]: Set<Holder>] = [:]
    /// The members of ``group`` by the changes that an honest server accepted.
    var members: Set<UserID> = []
    /// The version of the keys that each user has registered last.
    var registered: [UserID: Int] = [:]
    /// A true clock, in milliseconds.
    var time: UInt64 = 1_700_000_000_000

    init(cast: Cast) {
        self.cast = cast
    }

    /// The keys of a user that an honest server serves, the oldest first.
    func served(_ user: UserID) -> [Identity] {
        Array(cast.identities(of: user).prefix((registered[user] ?? 0) + 1))
    }

    func current(_ user: UserID) throws -> Identity {
        guard let identity = served(user).last else { throw ModelError("no user has the id \(user)") }
        return identity
    }

    /// The insider and all outsiders give each other every key.
    var conspirators: Set<UserID> {
        Set((cast.outsiders + [cast.insider]).compactMap { $0.first?.user })
    }

    /// Whether a user can have a key, with one version of the user's keys or with any.
    func holds(_ key: [UInt8], _ user: UserID, version: KeyVersion? = nil) -> Bool {
        guard let holders = holders[key] else { return false }
        if conspirators.contains(user) { return holders.contains { conspirators.contains($0.user) } }
        return holders.contains { $0.user == user && (version == nil || $0.version == version) }
    }

    /// The keys of a conversation that the conspirators have, by version.
    func keysOfConspirators(in conversation: ConversationID) -> [(version: UInt64, key: [UInt8])] {
        acts.compactMap { act in
            guard act.kind == .keyChange, act.conversation == conversation, let key = act.key,
                let version = act.version,
                act.entries.contains(where: { conspirators.contains($0.user) })
            else { return nil }
            return (version, key)
        }
    }

    /// All users.
    var people: [UserID] {
        (cast.honest + [cast.insider] + cast.outsiders).compactMap { $0.first?.user }
    }

    // MARK: Recording

    /// Records a signed event.
    mutating func record(
        _ event: MessageEvent,
        _ kind: Act.Kind,
        by author: Identity,
        isHonest: Bool,
        isStolen: Bool = false,
        key: [UInt8]? = nil,
        text: String? = nil,
        isTwoTexts: Bool = false
    ) throws -> Act {
        guard let conversation = event.conversationID else { throw ModelError("an act without a conversation") }
        let version = try SignatureVersion(event.messageEventSignature?.signatureVersion)
        let signedText = try SignedPayload(of: event, version: version).bytes
        var act = Act(
            index: acts.count,
            kind: kind,
            author: author.holder,
            isHonest: isHonest,
            isStolen: isStolen,
            conversation: ConversationID(canonicalizing: conversation, sender: author.user),
            event: event,
            signedText: signedText,
            digest: try Self.digest(of: signedText, by: author),
            time: time
        )
        act.text = text
        act.isTwoTexts = isTwoTexts
        switch event.detail {
        case .conversationKeyChangeEvent(let change):
            act.version = change.conversationKeyVersion?.number
            act.key = key
            for entry in change.conversationParticipantKeys ?? [] {
                guard let user = entry.userID, let version = entry.publicKeyVersion else { continue }
                act.entries.append(Holder(user: user, version: version))
            }
            if let key { holders[key, default: []].formUnion(act.entries + [author.holder]) }
        case .messageCreateEvent(let create):
            act.version = create.conversationKeyVersion?.number
        case .groupChangeEvent(let change):
            switch change.groupChange {
            case .groupCreate(let create):
                act.version = create.conversationKeyVersion?.number
                act.named = (create.memberIDs ?? []) + [author.user]
            case .groupMemberAdd(let addition):
                act.version = addition.conversationKeyVersion?.number
                act.named = (addition.memberIDs ?? []) + (addition.currentMemberIDs ?? [])
                act.namedBeforeSigner = Set(act.named.prefix { $0 != author.user })
            case .groupMemberRemove(let removal):
                act.removed = removal.memberIDs ?? []
            default: break
            }
        default: break
        }
        acts.append(act)
        return act
    }

    /// Records that a user has a key without a key change.
    mutating func give(_ key: [UInt8], to holder: Holder) {
        holders[key, default: []].insert(holder)
    }

    /// The digest as the rules define it, computed without the engine.
    private static func digest(of text: [UInt8], by author: Identity) throws -> EventDigest {
        var input: [UInt8] = []
        for part in [author.bound.signingKey.spki, text] {
            input += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: part.count >> $0) }
            input += part
        }
        guard let digest = EventDigest(stored: try GenericHash.hash(input.span)) else {
            throw ModelError("a digest has 32 bytes")
        }
        return digest
    }

    /// Applies an act to the members as an honest server sees them.
    mutating func apply(_ act: Act) {
        guard act.conversation == Self.group else { return }
        switch act.kind {
        case .creation where members.isEmpty: members = Set(act.named)
        case .addition where members.contains(act.author.user): members.formUnion(act.named)
        case .removal where members.contains(act.author.user): members.subtract(act.removed)
        default: break
        }
    }

    // MARK: Signing anything

    /// An event that a user signs without a session.
    func forge(
        _ detail: MessageEventDetail,
        by author: Identity,
        in conversation: ConversationID,
        key: [UInt8]? = nil,
        messageID: MessageID? = nil,
        signatureVersion: Int32 = 7
    ) throws -> MessageEvent {
        var event = MessageEvent(
            messageID: messageID ?? MessageID.random(),
            senderID: author.user,
            conversationID: conversation.text,
            detail: detail
        )
        event.messageEventSignature = MessageEventSignature(signatureVersion: WireString(String(signatureVersion)))
        let version = try SignatureVersion(event.messageEventSignature?.signatureVersion)
        let payload = try SignedPayload(of: event, version: version)
        var text = payload.bytes
        if payload.endsWithConversationKey, let key { text += Base64.encodeBytes(key.span, padding: false) }
        event.messageEventSignature = MessageEventSignature(
            signature: WireString(Base64.encode(try author.sign(text), padding: false)),
            publicKeyVersion: author.version,
            signatureVersion: WireString(String(signatureVersion))
        )
        return event
    }

    /// A key change with entries for any users.
    func keyChange(
        _ key: [UInt8],
        version: UInt64,
        for recipients: [Identity],
        by author: Identity,
        in conversation: ConversationID,
        signatureVersion: Int32 = 7
    ) throws -> MessageEvent {
        let secret = try ConversationKey(bytes: key.span)
        let entries = try recipients.map { recipient in
            ConversationParticipantKey(
                userID: recipient.user,
                encryptedConversationKey: WireString(Base64.encode(try recipient.bound.identityKey.wrap(secret))),
                publicKeyVersion: recipient.version
            )
        }
        let detail = MessageEventDetail.conversationKeyChangeEvent(
            ConversationKeyChangeEvent(
                conversationKeyVersion: KeyVersion(String(version)),
                conversationParticipantKeys: entries
            )
        )
        return try forge(detail, by: author, in: conversation, key: key, signatureVersion: signatureVersion)
    }

    func message(
        _ box: [UInt8],
        version: UInt64,
        by author: Identity,
        in conversation: ConversationID,
        messageID: MessageID? = nil
    ) throws -> MessageEvent {
        let create = MessageCreateEvent(contents: box, conversationKeyVersion: KeyVersion(String(version)))
        return try forge(.messageCreateEvent(create), by: author, in: conversation, messageID: messageID)
    }

    func box(_ text: String, key: [UInt8]) throws -> [UInt8] {
        let contents = MessageEntryContents.message(MessageContents(messageText: WireString(text)))
        return try SecretBox.seal(MessageEntryHolder(contents: contents).encoded().span, key: key.span)
    }

    func groupChange(
        _ change: GroupChange,
        by author: Identity,
        in conversation: ConversationID,
        messageID: MessageID? = nil,
        signatureVersion: Int32 = 7
    ) throws -> MessageEvent {
        let detail = MessageEventDetail.groupChangeEvent(GroupChangeEvent(groupChange: change, forKeyRotation: false))
        return try forge(
            detail,
            by: author,
            in: conversation,
            messageID: messageID,
            signatureVersion: signatureVersion
        )
    }
}

/// The model itself is wrong.
struct ModelError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// An invariant that does not hold.
struct Violation: Error, CustomStringConvertible {
    /// The number of the invariant.
    ///
    /// 1. A pin, a member or a key for encrypting has a delivered cause.
    /// 2. Nothing is encrypted for removed users, under replaced keys, or past a rule that forbids it.
    /// 3. Honest clients have the true members, and can read and write.
    /// 4. A shown event is authentic, or is marked.
    /// 5. The state stays within its limits, and survives a restart.
    /// 6. A new session shows no event that the old one has not shown.
    let invariant: Int
    let reason: String

    var description: String { "invariant \(invariant): \(reason)" }
}
