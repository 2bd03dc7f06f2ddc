import Foundation
import GRDB
import XChatEngine
import XChatEvents

extension SandboxState {
    /// Publishes a message on the activity stream.
    func publish(_ event: StoredEvent, in conversation: Conversation) async {
        await publish { db in try self.lines(of: event, in: conversation, db) }
    }

    /// Publishes on the activity stream which users joined a group.
    func publishJoin(_ users: [UserID], in conversation: Conversation) async {
        await publish { db in
            let row = try Row.fetchOne(
                db,
                sql: "SELECT * FROM event WHERE sequence = ?",
                arguments: [conversation.lastEvent]
            )
            guard let event = row.map({ StoredEvent($0) }) else { return [] }
            let others = conversation.members.map(\.user).filter { !users.contains($0) }
            return try self.lines(
                of: event,
                in: conversation,
                users.map { ("chat.conversation.join", $0) } + others.map { ("chat.conversation.member_added", $0) },
                db
            )
        }
    }

    /// Delivers lines to the open streams.
    ///
    /// The event is already stored, so a failed delivery is not reported: `backfill_minutes` delivers the event later.
    private func publish(_ lines: @escaping @Sendable (Database) throws -> [Data]) async {
        guard activity.isHeard, let lines = try? await database.read(lines) else { return }
        for line in lines { activity.deliver(line) }
    }

    /// The lines of the activity stream for the messages since a time.
    func lines(since milliseconds: Int64) async throws -> [Data] {
        try await database.read { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT * FROM event
                    WHERE created_at >= ? AND is_key_change = 0 AND is_deleted = 0 AND visible_to IS NULL
                    ORDER BY sequence LIMIT 10000
                    """,
                arguments: [milliseconds]
            )
            var lines: [Data] = []
            while let row = try rows.next() {
                let event = StoredEvent(row)
                guard case .messageCreateEvent = try event.decoded().detail,
                    let conversation = try Conversation(
                        ConversationID(canonicalizing: WireString(row["conversation"])),
                        db
                    )
                else { continue }
                lines += try self.lines(of: event, in: conversation, db)
            }
            return lines
        }
    }

    private func lines(of event: StoredEvent, in conversation: Conversation, _ db: Database) throws -> [Data] {
        let sender = try event.decoded().senderID ?? ""
        let others = conversation.members.map(\.user).filter { $0 != sender }
        return try lines(
            of: event,
            in: conversation,
            [("chat.sent", sender)] + others.map { ("chat.received", $0) },
            db
        )
    }

    /// Makes one line for each subscription that an event matches.
    private func lines(
        of stored: StoredEvent,
        in conversation: Conversation,
        _ occasions: [(type: String, user: UserID)],
        _ db: Database
    ) throws -> [Data] {
        let event = try stored.decoded()
        let keyChange = try keyEvents(in: conversation.id, db).last { $0.sequence <= stored.sequence }
        let keyVersion = event.messageEventSignature?.publicKeyVersion
        let signingKey = try publicKeys(of: event.senderID ?? "", db).first { $0.version == keyVersion }
        return try occasions.flatMap { type, user in
            try subscriptions(to: type, of: user, db).map { subscription in
                let line = ActivityLine(
                    stored: stored,
                    event: event,
                    keyChange: keyChange,
                    keyVersion: try keyChange?.keyVersion(),
                    signingKey: signingKey?.registered.publicKey.string,
                    conversation: conversation,
                    subscription: subscription
                )
                let number = nextSequenceID()
                return try line.json(isFull: isFull, number: number).text()
            }
        }
    }

    /// Whether to use the full form; with ``SandboxFaults/ActivityShape/mixed`` the form is chosen for each line.
    private var isFull: Bool {
        switch faults.activity {
        case .full: true
        case .guide: false
        case .mixed: random.happens(0.5)
        }
    }
}

extension StoredEvent {
    fileprivate func keyVersion() throws -> KeyVersion? {
        guard case .conversationKeyChangeEvent(let change) = try decoded().detail else { return nil }
        return change.conversationKeyVersion
    }
}

/// A chat event as a subscription receives it.
private struct ActivityLine {
    let stored: StoredEvent
    let event: MessageEvent
    let keyChange: StoredEvent?
    let keyVersion: KeyVersion?
    let signingKey: String?
    let conversation: Conversation
    let subscription: Subscription

    func json(isFull: Bool, number: Int64) -> JSON {
        .object([
            "data": .members([
                "event_type": .string(subscription.eventType),
                "event_uuid": .string(isFull ? String(number) : UUID().uuidString.lowercased()),
                "filter": isFull ? .object(["user_id": .string(subscription.user.string)]) : nil,
                "tag": subscription.tag.map(JSON.string),
                "payload": payload(isFull: isFull),
            ])
        ])
    }

    private func payload(isFull: Bool) -> JSON {
        var members: [String: JSON] = [
            "encoded_event": .string(stored.base64),
            "conversation_id": .string(
                isFull ? conversation.id.string : conversation.id.urlPathComponent ?? conversation.id.string
            ),
        ]
        members["sender_id"] = event.senderID.map { .string($0.string) }
        members["conversation_key_version"] = keyVersion.map { .string($0.string) }
        guard isFull else { return .object(members) }
        members["conversation_key_change_event"] = keyChange.map { .string($0.base64) }
        members["id"] = event.messageID.map { .string($0.string) }
        members["created_at_msec"] = .string(String(stored.createdAt))
        members["conversation_token"] = event.conversationToken.map { .string($0.string) }
        members["message_event_signature"] = event.messageEventSignature.map { signature in
            .members([
                "signature": signature.signature.map { .string($0.string) },
                "public_key_version": signature.publicKeyVersion.map { .string($0.string) },
                "signature_version": signature.signatureVersion.map { .string($0.string) },
                "signing_public_key": signingKey.map(JSON.string),
            ])
        }
        return .object(members)
    }
}
