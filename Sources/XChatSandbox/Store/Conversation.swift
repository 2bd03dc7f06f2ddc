import Foundation
import GRDB
import XChatEvents

/// A conversation as the server knows it.
struct Conversation: Sendable {
    struct Member: Sendable {
        let user: UserID
        let isAdmin: Bool
    }

    let id: ConversationID
    /// The version of the newest key.
    ///
    /// A conversation exists from its first key on.
    var keyVersion: KeyVersion
    let token: WireString
    let createdAt: Int64
    /// The sequence id of the newest event of any kind.
    var lastEvent: Int64 = 0
    /// The time of the newest event, in milliseconds since 1970.
    var lastEventAt: Int64 = 0
    /// The title as signed; ciphertext if the group's members encrypted it.
    var name: String?
    var avatar: String?
    var ttl: Int64?
    /// The members in the order in which they joined.
    var members: [Member]

    var participants: Set<UserID> { Set(members.map(\.user)) }
    var admins: Set<UserID> { Set(members.filter(\.isAdmin).map(\.user)) }

    /// Makes a new conversation.
    init(_ id: ConversationID, keyVersion: KeyVersion, members: [Member]) {
        self.id = id
        self.keyVersion = keyVersion
        self.members = members
        createdAt = SandboxState.milliseconds()
        token = Self.newToken()
    }

    /// Reads a conversation; nil if it does not exist.
    init?(_ id: ConversationID, _ db: Database) throws {
        guard
            let row = try Row.fetchOne(
                db,
                sql: "SELECT * FROM conversation WHERE id = ?",
                arguments: [id.string]
            )
        else { return nil }
        self.id = id
        keyVersion = KeyVersion(row["key_version"])
        token = WireString(row["token"])
        createdAt = row["created_at"]
        lastEvent = row["last_event"]
        lastEventAt = row["last_event_at"]
        name = (row["name"] as Data?).map { String(decoding: $0, as: UTF8.self) }
        avatar = (row["avatar"] as Data?).map { String(decoding: $0, as: UTF8.self) }
        ttl = row["ttl"]
        members = try Row.fetchAll(
            db,
            sql: "SELECT user, is_admin FROM member WHERE conversation = ? ORDER BY rowid",
            arguments: [id.string]
        ).map { Member(user: UserID($0["user"]), isAdmin: $0["is_admin"]) }
    }

    func save(_ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO conversation
                    (id, key_version, token, created_at, last_event, last_event_at, name, avatar, ttl)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET
                    key_version = excluded.key_version, last_event = excluded.last_event,
                    last_event_at = excluded.last_event_at, name = excluded.name, avatar = excluded.avatar,
                    ttl = excluded.ttl
                """,
            arguments: [
                id.string, keyVersion.string, token.string, createdAt, lastEvent, lastEventAt,
                name.map { Data($0.utf8) }, avatar.map { Data($0.utf8) }, ttl,
            ]
        )
    }

    func saveMembers(_ db: Database) throws {
        for member in members {
            try db.execute(
                sql: "INSERT OR IGNORE INTO member (conversation, user, is_admin) VALUES (?, ?, ?)",
                arguments: [id.string, member.user.string, member.isAdmin]
            )
        }
    }

    /// Makes an opaque token in the form of X's tokens: three parts like a JWT, but with random bytes as its signature.
    private static func newToken() -> WireString {
        let random = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        let parts = [Array(#"{"alg":"HS256"}"#.utf8), Array(#"{"requestingUserId":"0"}"#.utf8), random]
        return WireString(parts.map(Base64.encodeURLSafe).joined(separator: "."))
    }
}

/// A stored event, or an event that is returned without being stored.
struct StoredEvent: Sendable {
    let sequence: Int64
    let createdAt: Int64
    let encoded: [UInt8]

    var base64: String { Base64.encode(encoded) }

    func decoded() throws -> MessageEvent { try MessageEvent(decoding: encoded) }
}

extension StoredEvent {
    init(_ row: Row) {
        sequence = row["sequence"]
        createdAt = row["created_at"]
        encoded = [UInt8](row["encoded"] as Data)
    }

    /// Reads the event with a message id of a sender; nil if there is no such event.
    init?(_ messageID: MessageID, of sender: UserID, in conversation: ConversationID, _ db: Database) throws {
        guard
            let row = try Row.fetchOne(
                db,
                sql: "SELECT * FROM event WHERE conversation = ? AND sender = ? AND message_id = ?",
                arguments: [conversation.string, sender.string, Data(messageID.utf8)]
            )
        else { return nil }
        self.init(row)
    }
}

extension SandboxState {
    /// Reads a conversation for a user; throws if it does not exist or the user is not a member.
    func conversation(_ id: ConversationID, for user: UserID, _ db: Database) throws -> Conversation {
        guard let conversation = try Conversation(id, db) else { throw Problem.unknownConversation }
        guard conversation.participants.contains(user) else { throw Problem.outsider }
        return conversation
    }

    /// Stores an event after adding the server's fields of the envelope, which are not signed.
    func store(
        _ event: MessageEvent,
        in conversation: inout Conversation,
        visibleTo user: UserID? = nil,
        _ db: Database
    ) throws -> StoredEvent {
        let sequence = nextSequenceID()
        let createdAt = Self.milliseconds()
        var event = event
        event.previousSequenceID = conversation.lastEvent == 0 ? nil : SequenceID(String(conversation.lastEvent))
        event.sequenceID = SequenceID(String(sequence))
        event.createdAtMsec = WireString(String(createdAt))
        event.conversationToken = conversation.token
        let stored = StoredEvent(sequence: sequence, createdAt: createdAt, encoded: event.encoded())
        conversation.lastEvent = sequence
        conversation.lastEventAt = createdAt
        try conversation.save(db)
        try db.execute(
            sql: """
                INSERT INTO event
                    (sequence, conversation, sender, message_id, created_at, is_key_change, visible_to, encoded)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                sequence, conversation.id.string, event.senderID?.string ?? "",
                Data((event.messageID ?? "").utf8), createdAt, event.isKeyChange, user?.string, Data(stored.encoded),
            ]
        )
        return stored
    }
}

extension MessageEvent {
    var isKeyChange: Bool {
        if case .conversationKeyChangeEvent = detail { true } else { false }
    }
}
