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

    /// The lines of the activity stream for the messages since a time, up to the newest event of now.
    func backfill(since milliseconds: Int64) async throws -> ActivityBackfill {
        let last = try await database.read { db in try Int64.fetchOne(db, sql: "SELECT MAX(sequence) FROM event") }
        return ActivityBackfill(state: self, since: milliseconds, last: last ?? 0)
    }

    /// The lines for the messages among the next 100 events.
    ///
    /// - Parameters:
    ///   - milliseconds: The time of the oldest event, since 1970.
    ///   - sequence: The sequence id after which the events are read.
    ///   - last: The highest sequence id that is read.
    /// - Returns: The lines, and the sequence id of the last event; nil after the last event.
    /// - Throws: If the database cannot be read.
    fileprivate func lines(
        since milliseconds: Int64,
        after sequence: Int64,
        upTo last: Int64
    ) async throws -> (lines: [Data], sequence: Int64)? {
        try await database.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM event
                    WHERE sequence > ? AND sequence <= ? AND created_at >= ?
                        AND is_key_change = 0 AND is_deleted = 0 AND visible_to IS NULL
                    ORDER BY sequence LIMIT 100
                    """,
                arguments: [sequence, last, milliseconds]
            )
            guard let end = rows.last else { return nil }
            var lines: [Data] = []
            for row in rows {
                let event = StoredEvent(row)
                guard case .messageCreateEvent = try event.decoded().detail,
                    let conversation = try Conversation(
                        ConversationID(canonicalizing: WireString(row["conversation"])),
                        db
                    )
                else { continue }
                lines += try self.lines(of: event, in: conversation, db)
            }
            return (lines, StoredEvent(end).sequence)
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

/// The lines of the activity stream for earlier messages.
///
/// They are read in pages, so that memory does not grow with their number.
struct ActivityBackfill: Sendable {
    fileprivate let state: SandboxState
    fileprivate let since: Int64
    fileprivate let last: Int64
    private var sequence: Int64 = 0

    fileprivate init(state: SandboxState, since: Int64, last: Int64) {
        (self.state, self.since, self.last) = (state, since, last)
    }

    /// The next lines, possibly none; nil after the last ones.
    mutating func next() async throws -> [Data]? {
        guard let page = try await state.lines(since: since, after: sequence, upTo: last) else { return nil }
        sequence = page.sequence
        return page.lines
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
