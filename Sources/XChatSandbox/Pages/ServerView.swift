import Foundation
import GRDB
import XChatEvents

/// The content of the live page: the newest users, conversations and events, as texts that are safe to show.
struct ServerView: Sendable {
    /// The most entries of each list.
    private static let maximum = 50

    let users: [JSON]
    let conversations: [JSON]
    let events: [JSON]
    let eventCount: Int

    var json: JSON {
        .object([
            "users": .list(users), "conversations": .list(conversations), "events": .list(events),
            "event_count": .integer(Int64(eventCount)),
        ])
    }

    init(_ db: Database) throws {
        let users = try Row.fetchAll(
            db,
            sql: """
                SELECT user, GROUP_CONCAT(version, ', ') AS versions FROM public_key
                GROUP BY user ORDER BY MAX(rowid) DESC LIMIT ?
                """,
            arguments: [Self.maximum]
        )
        self.users = try users.map { row in
            let user = try SandboxState.user(UserID(row["user"]), db)
            return .object([
                "id": .string(safeField(user.id)),
                "handle": .string("@\(user.handle)"),
                "versions": .string((row["versions"] as String).display(limit: 200)),
            ])
        }
        let conversations = try Row.fetchAll(
            db,
            sql: """
                SELECT *,
                    (SELECT COUNT(*) FROM member WHERE conversation = conversation.id) AS member_count,
                    (SELECT COUNT(*) FROM event WHERE conversation = conversation.id) AS event_count
                FROM conversation ORDER BY last_event DESC LIMIT ?
                """,
            arguments: [Self.maximum]
        )
        self.conversations = conversations.map { row in
            let title = (row["name"] as Data?).map { String(decoding: $0, as: UTF8.self) }
            return .object([
                "id": .string((row["id"] as String).display(limit: 48)),
                "key_version": .string(safeField(KeyVersion(row["key_version"]))),
                "members": .integer(row["member_count"]), "events": .integer(row["event_count"]),
                "title": .string(title?.display(limit: 100) ?? ""),
            ])
        }
        let events = try Row.fetchAll(
            db,
            sql: "SELECT * FROM event ORDER BY sequence DESC LIMIT ?",
            arguments: [Self.maximum]
        )
        self.events = try events.map { try Self.event($0) }
        eventCount = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM event") ?? 0
    }

    private static func event(_ row: Row) throws -> JSON {
        let stored = StoredEvent(row)
        let event = try stored.decoded()
        let (held, hidden) = contents(of: event)
        return .object([
            "number": .string(String(stored.sequence)),
            "time": dateText(milliseconds: stored.createdAt),
            "conversation": .string((row["conversation"] as String).display(limit: 48)),
            "sender": .string(safeField(event.senderID)),
            "kind": .string(name(of: event)),
            "bytes": .integer(Int64(stored.encoded.count)),
            "signature": .string(event.messageEventSignature.map { signature($0) } ?? "none"),
            "held": .string(held),
            "hidden": .string(hidden),
        ])
    }

    private static func name(of event: MessageEvent) -> String {
        switch event.kind {
        case .message: "Message"
        case .keyChange: "New conversation key"
        case .groupChange: "Group change"
        case .messageDeleted: "Deleted message"
        default: event.kind.rawValue
        }
    }

    private static func signature(_ signature: MessageEventSignature) -> String {
        "\(shortened(signature.signature?.string ?? "")), made with public key \(safeField(signature.publicKeyVersion))"
    }

    /// The contents of an event that the server can read, and a description of those that it cannot read.
    private static func contents(of event: MessageEvent) -> (held: String, hidden: String) {
        switch event.detail {
        case .messageCreateEvent(let create):
            let bytes = create.contents ?? []
            let held = shortened(Base64.encode(Array(bytes.prefix(60))), isCut: bytes.count > 60)
            guard let version = create.conversationKeyVersion else { return (held, "Nothing: it is not encrypted.") }
            return (
                held,
                """
                The text, the attachments and what it replies to: \(bytes.count) bytes, encrypted with conversation key \
                \(safeField(version)), which only the members have.
                """
            )
        case .conversationKeyChangeEvent(let change):
            let keys = change.conversationParticipantKeys ?? []
            let shown = keys.prefix(3).map { key in
                "for \(safeField(key.userID)): \(shortened(key.encryptedConversationKey?.string ?? "", 24))"
            }
            return (
                (shown + (keys.count > 3 ? ["and \(keys.count - 3) more"] : [])).joined(separator: "; "),
                "The key itself: each copy is encrypted to the public key of one member."
            )
        case .groupChangeEvent(let change):
            var held = "a signed change"
            if case .groupCreate(let create) = change.groupChange {
                held = "members \(safeFields(create.memberIDs))"
                if let title = create.title { held += ", title \(title.string.display(limit: 100))" }
            } else if case .groupMemberAdd(let addition) = change.groupChange {
                held = "new members \(safeFields(addition.memberIDs))"
            }
            return (held, "What the members encrypted in it, such as the title.")
        case .messageDeleteEvent(let deletion):
            return ("messages \(safeFields(deletion.sequenceIDs))", "The reason, and the contents of the messages.")
        default:
            return ("", "")
        }
    }

    private static func shortened(_ text: String, _ limit: Int = 80, isCut: Bool = false) -> String {
        let shown = text.display(limit: limit)
        return isCut && !shown.hasSuffix("…") ? shown + "…" : shown
    }
}

extension SandboxState {
    /// The current content of the live page.
    func view() async throws -> ServerView {
        try await database.read { db in try ServerView(db) }
    }
}
