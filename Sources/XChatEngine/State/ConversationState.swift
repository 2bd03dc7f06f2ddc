public import XChatEvents

/// The state of one conversation: its keys and, for a group, the membership log.
///
/// The state contains the conversation keys in the clear. Encrypt the result of ``encoded()`` before you store it, and
/// wipe the bytes.
public struct ConversationState: Equatable, Sendable {
    /// The conversation.
    public let conversation: ConversationID
    /// The membership log of a group; nil if none was founded, and for a conversation of two.
    public let membership: Membership?
    let keys: KeyRing.Held

    /// The maximum number of keys that are stored although they are not accepted: 1,024, the most trusted and newest
    /// ones.
    static let maximumOthers = 1024
    /// The maximum number of disputed versions in the encoding of a conversation: 100,000.
    static let maximumDisputed = 100_000

    init(conversation: ConversationID, keys: KeyRing.Held, membership: Membership?) {
        self.conversation = conversation
        self.keys = keys
        self.membership = membership
    }

    /// Decodes a state; fields that only later versions of the library know are kept.
    ///
    /// - Parameter bytes: The result of ``encoded()``, from a store that authenticates its contents. Wipe it
    ///   afterwards: the decoded state has its own copies of the keys.
    /// - Throws: `malformed` for damaged bytes, `too_large` for a membership log beyond its limits, `unsupported` for a
    ///   state that this version must not read.
    public init(decoding bytes: [UInt8]) throws(XChatError) {
        var reader = try StateReader(bytes, .conversation)
        try self.init(from: &reader)
    }

    /// Encodes the state without encrypting it: about 80 bytes for each conversation key, and 25 for each member.
    ///
    /// - Returns: The bytes, which the caller has to wipe; equal states have equal bytes.
    public func encoded() -> [UInt8] {
        var writer = StateWriter(.conversation)
        write(to: &writer)
        writer.finish()
        return writer.bytes
    }
}

extension ConversationState {
    init(from reader: inout StateReader) throws(XChatError) {
        var conversation: ConversationID?
        var keys = KeyRing.Held()
        var membership: Membership?
        var others = 0
        while let field = try reader.next() {
            switch field.id {
            case 1:
                let id = try reader.text(field)
                let canonical = ConversationID(canonicalizing: id)
                guard canonical.text == id, !id.isEmpty else { throw reader.error("has an invalid id", field) }
                conversation = canonical
            case 2:
                var entry = try reader.nestedElement(field)
                let (version, key) = try AcceptedKey.stored(from: &entry)
                guard let number = version.number, version.isValid, keys.accepted[version] == nil,
                    keys.accepted.count < KeyRing.maximumVersions
                else { throw reader.error("has an invalid or repeated key version", field) }
                keys.accepted[version] = key
                keys.order.append((number, version))
            case 3:
                var entry = try reader.nestedElement(field)
                let (version, key) = try KeyRing.Other.stored(from: &entry)
                others += 1
                guard others <= Self.maximumOthers else { throw reader.error("has too many keys", field) }
                keys.others[version, default: []].append(key)
            case 4:
                guard keys.disputed.count < Self.maximumDisputed else {
                    throw reader.error("has too many disputed versions", field)
                }
                keys.disputed.insert(try reader.idElement(field))
            case 5: keys.highest = try reader.number(field)
            case 6: keys.floor = try reader.number(field)
            case 7:
                var log = try reader.nested(field)
                membership = try Membership(from: &log)
            default: reader.keep(field)
            }
        }
        guard let conversation, membership == nil || conversation.isGroup else {
            throw reader.error("has no conversation id, or members without a group", at: 0)
        }
        keys.order.sort { $0.number < $1.number }
        guard zip(keys.order, keys.order.dropFirst()).allSatisfy({ $0.number < $1.number }) else {
            throw reader.error("has two keys of one version", at: 0)
        }
        keys.unknown = reader.unknown
        self.init(conversation: conversation, keys: keys, membership: membership)
    }

    func write(to writer: inout StateWriter) {
        writer.text(1, conversation.text)
        for (_, version) in keys.order {
            guard let key = keys.accepted[version] else { continue }
            writer.nested(2) { key.write(to: &$0, version) }
        }
        for (version, other) in storedOthers { writer.nested(3) { other.write(to: &$0, version) } }
        for version in keys.disputed.sorted() { writer.text(4, version) }
        if let highest = keys.highest { writer.number(5, highest) }
        writer.number(6, unlessZero: keys.floor)
        if let membership { writer.nested(7) { membership.write(to: &$0) } }
        writer.unknown(keys.unknown)
    }

    /// The keys to store that are not accepted, ordered by version; those of one version keep their order.
    private var storedOthers: [(version: KeyVersion, key: KeyRing.Other)] {
        let all = keys.others.flatMap { version, keys in
            keys.enumerated().map { (version: version, key: $0.element, place: $0.offset) }
        }
        let kept =
            all.count <= Self.maximumOthers
            ? all
            : Array(
                all.sorted { ($0.key.level, $0.version.number ?? 0) > ($1.key.level, $1.version.number ?? 0) }
                    .prefix(Self.maximumOthers)
            )
        return kept.sorted { ($0.version, $0.place) < ($1.version, $1.place) }.map { ($0.version, $0.key) }
    }
}

extension AcceptedKey {
    fileprivate static func stored(
        from reader: inout StateReader
    ) throws(XChatError) -> (version: KeyVersion, key: AcceptedKey) {
        var version: KeyVersion?
        var key: ConversationKey?
        var announcer: UserID?
        var (isOwn, isStale) = (false, false)
        var outsiders: [UserID] = []
        while let field = try reader.next() {
            switch field.id {
            case 1: version = try reader.id(field)
            case 2: key = try reader.conversationKey(field)
            case 3: announcer = try reader.id(field)
            case 4: isOwn = try reader.flag(field)
            case 5: isStale = try reader.flag(field)
            case 6:
                guard outsiders.count < Membership.maximumMembers else {
                    throw reader.error("has too many outsiders", field)
                }
                outsiders.append(try reader.idElement(field))
            default: reader.keep(field)
            }
        }
        guard let version, let key else { throw reader.error("has an incomplete key", at: 0) }
        var accepted = AcceptedKey(
            key: key,
            announcer: announcer,
            isOwn: isOwn,
            isStale: isStale,
            outsiders: outsiders
        )
        accepted.unknown = reader.unknown
        return (version, accepted)
    }

    fileprivate func write(to writer: inout StateWriter, _ version: KeyVersion) {
        writer.text(1, version)
        key.withBytes { writer.secret(2, $0) }
        writer.text(3, ifPresent: announcer)
        writer.flag(4, isOwn)
        writer.flag(5, isStale)
        for outsider in outsiders { writer.text(6, outsider) }
        writer.unknown(unknown)
    }
}

extension KeyRing.Other {
    fileprivate static func stored(
        from reader: inout StateReader
    ) throws(XChatError) -> (version: KeyVersion, key: KeyRing.Other) {
        var version: KeyVersion?
        var key: ConversationKey?
        var level: KeyLevel?
        var announcer: UserID?
        while let field = try reader.next() {
            switch field.id {
            case 1: version = try reader.id(field)
            case 2: key = try reader.conversationKey(field)
            case 3:
                // A level that this version of the library does not know gets the lowest trust.
                level = KeyLevel(rawValue: Int(clamping: try reader.number(field))) ?? .unverified
            case 4: announcer = try reader.id(field)
            default: reader.keep(field)
            }
        }
        guard let version, let key, let level else { throw reader.error("has an incomplete key", at: 0) }
        return (version, KeyRing.Other(key: key, level: level, announcer: announcer, unknown: reader.unknown))
    }

    fileprivate func write(to writer: inout StateWriter, _ version: KeyVersion) {
        writer.text(1, version)
        key.withBytes { writer.secret(2, $0) }
        writer.number(3, UInt64(level.rawValue))
        writer.text(4, ifPresent: announcer)
        writer.unknown(unknown)
    }
}

extension StateReader {
    /// Reads a conversation key; its bytes are copied only into memory that is wiped.
    fileprivate mutating func conversationKey(_ field: Field) throws(XChatError) -> ConversationKey {
        let failure = error("has a key that is not \(ConversationKey.length) bytes long", field)
        return try withSecret(field) { (bytes) throws(XChatError) in
            guard bytes.count == ConversationKey.length else { throw failure }
            return try ConversationKey(bytes: bytes)
        }
    }
}
