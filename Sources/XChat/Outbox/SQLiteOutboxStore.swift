import Foundation
import GRDB
import Synchronization
import XChatEngine
import XChatEvents
import XChatHTTP

/// An outbox in one SQLite file, for one user of one API.
///
/// Write-ahead log, and every commit is on the disk when it returns.
final class SQLiteOutboxStore: OutboxStore {
    let userID: UserID
    let queue: DatabaseQueue
    private let lock: OutboxLock
    private let retention: Duration
    /// When finished messages were last forgotten.
    private let lastPrune: Mutex<Date>

    /// `XCOB`.
    private static let applicationID: Int32 = 0x5843_4F42
    private static let format: Int32 = 2

    /// Opens or makes the file.
    ///
    /// - Parameters:
    ///   - path: The file; its folder must exist.
    ///   - userID: Whose messages these are.
    ///   - api: Where they go.
    ///   - retention: How long finished messages are remembered.
    ///   - now: The time.
    /// - Throws: What ``Outbox/open(_:userID:api:policy:retention:)`` throws.
    init(path: String, userID: UserID, api: String, retention: Duration, now: Date) throws(OutboxError) {
        self.userID = userID
        self.retention = retention
        lock = OutboxLock(path: path + ".lock")
        lastPrune = Mutex(now)
        do {
            try OutboxFile.prepare(path)
            var configuration = Configuration()
            configuration.busyMode = .timeout(10)
            queue = try Self.reporting { try DatabaseQueue(path: path, configuration: configuration) }
            // Not before what is there was found sound: a damaged file is not written to.
            try read { database in
                if try !Self.isEmpty(database) { try Self.check(database) }
            }
            try Self.reporting {
                try queue.writeWithoutTransaction { database in
                    try database.execute(sql: "PRAGMA journal_mode = WAL")
                    // What was acknowledged must survive a power failure too.
                    try database.execute(sql: "PRAGMA synchronous = FULL")
                }
            }
            try setUp(api: api)
            try write { try prune(now: now, $0) }
        } catch {
            throw OutboxError(error.code, "the outbox \(path.display(limit: 200)): \(error.detail)")
        }
    }

    private static func isEmpty(_ database: Database) throws -> Bool {
        try Int32.fetchOne(database, sql: "PRAGMA application_id") == 0
            && Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") == 0
    }

    /// Whether it is an outbox of this format, and whole.
    private static func check(_ database: Database) throws {
        guard try Int32.fetchOne(database, sql: "PRAGMA application_id") == applicationID else {
            throw OutboxError(.corrupt, "it is a database, but no outbox")
        }
        let format = try Int32.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard format <= Self.format else {
            throw OutboxError(.newerFormat, "its format is \(format), and this version knows \(Self.format)")
        }
        let verdict = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? ""
        guard verdict.utf8.elementsEqual("ok".utf8) else {
            throw OutboxError(.corrupt, "it is damaged; it is left as it is, and sqlite3 FILE .recover may read it")
        }
    }

    private func setUp(api: String) throws(OutboxError) {
        try write { database in
            if try Self.isEmpty(database) {
                try database.execute(sql: Self.schema)
                try database.execute(
                    sql: "INSERT INTO outbox (user_id, api) VALUES (?, ?)",
                    arguments: [self.userID.string, api]
                )
            }
            if try Int32.fetchOne(database, sql: "PRAGMA user_version") == 1 {
                try database.execute(sql: Self.migrationToFormat2)
            }
            let owner = try Row.fetchOne(database, sql: "SELECT user_id, api FROM outbox")
            guard let owner, WireString(try owner.value("user_id") as String) == self.userID,
                WireString(try owner.value("api") as String) == WireString(api)
            else { throw OutboxError(.wrongOutbox, "it belongs to another user or another API") }
        }
    }

    /// `place` orders the messages of a conversation; a replacement takes over the place.
    private static let schema = """
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = 1;
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            user_id TEXT NOT NULL,
            api TEXT NOT NULL,
            paused_until INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE TABLE conversation (
            id TEXT NOT NULL PRIMARY KEY,
            not_before INTEGER NOT NULL DEFAULT 0
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE message (
            message_id TEXT NOT NULL PRIMARY KEY,
            conversation_id TEXT NOT NULL REFERENCES conversation (id),
            place INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'set_aside', 'replaced', 'dropped')),
            key_version TEXT NOT NULL,
            create_event TEXT NOT NULL,
            signature TEXT NOT NULL,
            failures INTEGER NOT NULL DEFAULT 0,
            reason TEXT,
            sequence_id TEXT,
            replaces TEXT,
            replaced_by TEXT,
            enqueued_at INTEGER NOT NULL,
            changed_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX message_place ON message (place);
        CREATE UNIQUE INDEX message_queue ON message (conversation_id, place) WHERE state = 'queued';
        """

    /// Adds the readers, as ids separated by spaces (NULL: not known), and whether a newer key exists.
    private static let migrationToFormat2 = """
        ALTER TABLE message ADD COLUMN readers TEXT;
        ALTER TABLE message ADD COLUMN is_stale INTEGER NOT NULL DEFAULT 0;
        PRAGMA user_version = 2;
        """

    /// Forgets finished messages, and conversations without any.
    private func prune(now: Date, _ database: Database) throws {
        try database.execute(
            sql: "DELETE FROM message WHERE state IN ('sent', 'replaced', 'dropped') AND changed_at < ?",
            arguments: [now.addingTimeInterval(-retention.seconds).milliseconds]
        )
        try database.execute(
            sql: "DELETE FROM conversation WHERE id NOT IN (SELECT conversation_id FROM message)"
        )
    }

    /// A process may run for months; a walk over the file an hour is little.
    private func pruneAtTimes(now: Date, _ database: Database) throws {
        let isTime = lastPrune.withLock { last in
            guard abs(now.timeIntervalSince(last)) >= 3600 else { return false }
            last = now
            return true
        }
        if isTime { try prune(now: now, database) }
    }

    // MARK: In

    func add(_ messages: [SealedMessage], now: Date) throws(OutboxError) {
        try write { database in
            for message in messages {
                guard message.event.senderID == self.userID else {
                    throw OutboxError(.wrongOutbox, "the message was sealed by another user")
                }
                if let stored = try Row.fetchOne(
                    database,
                    sql: "SELECT signature, conversation_id FROM message WHERE message_id = ?",
                    arguments: [message.messageID.string]
                ) {
                    // The signature covers everything that is sent.
                    guard
                        WireString(try stored.value("signature") as String)
                            == WireString(message.encodedMessageEventSignature),
                        WireString(try stored.value("conversation_id") as String) == message.conversationID.value
                    else { throw OutboxError(.duplicate, "another message has the same id") }
                    continue
                }
                try database.execute(
                    sql: "INSERT INTO conversation (id) VALUES (?) ON CONFLICT DO NOTHING",
                    arguments: [message.conversationID.value.string]
                )
                let place = try Int64.fetchOne(database, sql: "SELECT coalesce(max(place), 0) + 1 FROM message") ?? 1
                try Self.insert(message, at: place, replacing: nil, now: now, database)
            }
        }
    }

    private static func insert(
        _ message: SealedMessage,
        at place: Int64,
        replacing: WireString?,
        now: Date,
        _ database: Database
    ) throws {
        let readers = message.conversationID.isGroup ? try message.readers.map(ReaderList.text) : nil
        try database.execute(
            sql: """
                INSERT INTO message (message_id, conversation_id, place, state, key_version, create_event, signature,
                                     readers, replaces, enqueued_at, changed_at)
                VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                message.messageID.string, message.conversationID.value.string, place,
                message.conversationKeyVersion.string, message.encodedMessageCreateEvent,
                message.encodedMessageEventSignature, readers, replacing?.string,
                now.milliseconds, now.milliseconds,
            ]
        )
    }

    // MARK: The queue

    /// Steps from one conversation with queued messages to the next, along the index of those alone: it is asked many
    /// times a second, and neither the length of the queues nor what was sent may count.
    static let dueQuery = """
        WITH RECURSIVE waiting (id) AS (
            SELECT min(conversation_id) FROM message WHERE state = 'queued'
            UNION ALL
            SELECT (SELECT min(conversation_id) FROM message WHERE state = 'queued' AND conversation_id > waiting.id)
            FROM waiting WHERE waiting.id IS NOT NULL
        )
        SELECT message.* FROM waiting
        CROSS JOIN conversation ON conversation.id = waiting.id
        CROSS JOIN message ON message.conversation_id = waiting.id AND message.state = 'queued'
         AND message.place = (SELECT min(place) FROM message WHERE conversation_id = waiting.id AND state = 'queued')
        WHERE conversation.not_before <= ? OR conversation.not_before > ?
        ORDER BY message.place LIMIT ?
        """

    func due(at now: Date, limit: Int) throws(OutboxError) -> [QueuedMessage] {
        try read { database in
            let horizon = Self.horizon(now)
            let paused = try Int64.fetchOne(database, sql: "SELECT paused_until FROM outbox") ?? 0
            guard paused <= now.milliseconds || paused > horizon else { return [] }
            return try Row.fetchAll(
                database,
                sql: Self.dueQuery,
                arguments: [now.milliseconds, horizon, limit]
            ).map(Self.queued)
        }
    }

    /// What waits longer comes from a clock that was wrong.
    private static func horizon(_ now: Date) -> Int64 {
        now.addingTimeInterval(OutboxPolicy.longestPause.seconds).milliseconds
    }

    private static func queued(_ row: Row) throws -> QueuedMessage {
        let conversation = try ConversationID(canonicalizing: WireString(row.value("conversation_id") as String))
        return QueuedMessage(
            messageID: try WireString(row.value("message_id") as String),
            conversationID: conversation,
            encodedMessageCreateEvent: try row.value("create_event"),
            encodedMessageEventSignature: try row.value("signature"),
            readers: try readers(row, of: conversation),
            failures: try row.value("failures"),
            isStale: try row.value("is_stale")
        )
    }

    /// The readers of a message; those of a 1:1 follow from its id and are not in the file.
    private static func readers(_ row: Row, of conversation: ConversationID) throws -> Set<UserID>? {
        if let (first, second) = conversation.participants { return [first, second] }
        return try (row.value("readers") as String?).map(ReaderList.readers)
    }

    func hasQueued() throws(OutboxError) -> Bool {
        try read { database in
            try Bool.fetchOne(database, sql: "SELECT EXISTS (SELECT 1 FROM message WHERE state = 'queued')") ?? false
        }
    }

    func queuedCount() throws(OutboxError) -> Int {
        try read { database in
            try Int.fetchOne(database, sql: "SELECT count(*) FROM message WHERE state = 'queued'") ?? 0
        }
    }

    // MARK: What became of a message

    func markSent(_ messageID: WireString, sequenceID: WireString, now: Date) throws(OutboxError) {
        try write { database in
            try database.execute(
                sql: """
                    UPDATE message SET state = 'sent', sequence_id = ?, create_event = '', changed_at = ?
                    WHERE message_id = ? AND state <> 'replaced'
                    """,
                arguments: [sequenceID.string, now.milliseconds, messageID.string]
            )
            try self.pruneAtTimes(now: now, database)
        }
    }

    func postpone(_ messageID: WireString, until: Date, reason: String) throws(OutboxError) {
        try write { database in
            try database.execute(
                sql: """
                    UPDATE message SET failures = failures + 1, reason = ? WHERE message_id = ? AND state = 'queued'
                    """,
                arguments: [reason, messageID.string]
            )
            guard database.changesCount == 1 else { return }
            try database.execute(
                sql: """
                    UPDATE conversation SET not_before = ?
                    WHERE id = (SELECT conversation_id FROM message WHERE message_id = ?)
                    """,
                arguments: [until.milliseconds, messageID.string]
            )
        }
    }

    func pause(until: Date, now: Date) throws(OutboxError) {
        try write { database in
            try database.execute(
                sql: """
                    UPDATE outbox
                    SET paused_until = CASE WHEN paused_until > ?1 THEN ?2 ELSE max(paused_until, ?2) END
                    """,
                arguments: [Self.horizon(now), until.milliseconds]
            )
        }
    }

    func setAside(_ messageID: WireString, reason: String, isStale: Bool, now: Date) throws(OutboxError) {
        try write { database in
            try database.execute(
                sql: """
                    UPDATE message SET state = 'set_aside', failures = failures + 1, reason = ?,
                                       is_stale = max(is_stale, ?), changed_at = ?
                    WHERE message_id = ? AND state = 'queued'
                    """,
                arguments: [reason, isStale, now.milliseconds, messageID.string]
            )
        }
    }

    func replace(_ messageID: WireString, with replacement: SealedMessage, now: Date) throws(OutboxError) {
        try write { database in
            let place = try Int64.fetchOne(
                database,
                sql: "SELECT place FROM message WHERE message_id = ? AND conversation_id = ? AND state = 'queued'",
                arguments: [messageID.string, replacement.conversationID.value.string]
            )
            guard let place else { return }
            try database.execute(
                sql: """
                    UPDATE message SET state = 'replaced', replaced_by = ?, create_event = '', changed_at = ?
                    WHERE message_id = ?
                    """,
                arguments: [replacement.messageID.string, now.milliseconds, messageID.string]
            )
            try Self.insert(replacement, at: place, replacing: messageID, now: now, database)
        }
    }

    // MARK: By hand

    func retry(_ messageID: WireString, allowing readers: Set<UserID>, now: Date) throws(OutboxError) {
        try write { database in
            let conversation = try Self.unfinished(messageID, database)
            if !readers.isEmpty { try self.allow(readers, messageID, database) }
            try database.execute(
                sql: """
                    UPDATE message SET state = 'queued', failures = 0, changed_at = ? WHERE message_id = ?
                    """,
                arguments: [now.milliseconds, messageID.string]
            )
            try database.execute(sql: "UPDATE conversation SET not_before = 0 WHERE id = ?", arguments: [conversation])
            try database.execute(sql: "UPDATE outbox SET paused_until = 0")
        }
    }

    /// Adds readers to those of a message; where these are not known, to the one who sealed it.
    private func allow(_ readers: Set<UserID>, _ messageID: WireString, _ database: Database) throws {
        let stored = try Row.fetchOne(
            database,
            sql: "SELECT readers FROM message WHERE message_id = ?",
            arguments: [messageID.string]
        )
        let before = try (stored?.value("readers") as String?).map(ReaderList.readers) ?? [userID]
        try database.execute(
            sql: "UPDATE message SET readers = ? WHERE message_id = ?",
            arguments: [try ReaderList.text(before.union(readers)), messageID.string]
        )
    }

    func drop(_ messageID: WireString, now: Date) throws(OutboxError) {
        try write { database in
            let conversation = try Self.unfinished(messageID, database)
            try database.execute(
                sql: "UPDATE message SET state = 'dropped', create_event = '', changed_at = ? WHERE message_id = ?",
                arguments: [now.milliseconds, messageID.string]
            )
            // The pause was that message's.
            try database.execute(sql: "UPDATE conversation SET not_before = 0 WHERE id = ?", arguments: [conversation])
        }
    }

    /// The conversation of a message that is queued or set aside.
    private static func unfinished(_ messageID: WireString, _ database: Database) throws -> String {
        let row = try Row.fetchOne(
            database,
            sql: "SELECT state, conversation_id FROM message WHERE message_id = ?",
            arguments: [messageID.string]
        )
        guard let row else { throw OutboxError(.unknownMessage, "the outbox has no message with this id") }
        let state = OutboxEntry.State(rawValue: try row.value("state"))
        guard state == .queued || state == .setAside else {
            throw OutboxError(.finished, "the message is \(state?.rawValue ?? "finished") already")
        }
        return try row.value("conversation_id")
    }

    // MARK: Looking

    private static let selection = """
        SELECT message_id, conversation_id, key_version, message.state, failures, reason, readers, sequence_id,
               replaces, replaced_by, enqueued_at, max(not_before, paused_until) AS not_before
        FROM message JOIN conversation ON conversation.id = conversation_id JOIN outbox
        """

    func entry(_ messageID: WireString) throws(OutboxError) -> OutboxEntry? {
        try read { database in
            try Row.fetchOne(
                database,
                sql: "\(Self.selection) WHERE message_id = ?",
                arguments: [messageID.string]
            ).map(Self.entry)
        }
    }

    func entries(in states: Set<OutboxEntry.State>) throws(OutboxError) -> [OutboxEntry] {
        try read { database in
            let names = states.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            return try Row.fetchAll(
                database,
                sql: "\(Self.selection) WHERE message.state IN (\(names)) ORDER BY place, enqueued_at"
            ).map(Self.entry)
        }
    }

    private static func entry(_ row: Row) throws -> OutboxEntry {
        guard let state = OutboxEntry.State(rawValue: try row.value("state")) else {
            throw OutboxError(.corrupt, "a message is in no known state")
        }
        var entry = OutboxEntry(
            messageID: try WireString(row.value("message_id") as String),
            conversationID: try ConversationID(canonicalizing: WireString(row.value("conversation_id") as String)),
            conversationKeyVersion: try WireString(row.value("key_version") as String),
            state: state,
            enqueuedAt: Date(milliseconds: try row.value("enqueued_at"))
        )
        entry.failures = try row.value("failures")
        entry.reason = try row.value("reason")
        entry.readers = try readers(row, of: entry.conversationID)
        entry.sequenceID = (try row.value("sequence_id") as String?).map { WireString($0) }
        entry.replaces = (try row.value("replaces") as String?).map { WireString($0) }
        entry.replacedBy = (try row.value("replaced_by") as String?).map { WireString($0) }
        let notBefore: Int64 = try row.value("not_before")
        if state == .queued, notBefore > 0 { entry.notBefore = Date(milliseconds: notBefore) }
        return entry
    }

    // MARK: One process posts

    func tryLock() throws(OutboxError) -> Bool { try lock.tryLock() }

    func unlock() { lock.unlock() }

    // MARK: Transactions

    private func write<Value>(_ body: (Database) throws -> Value) throws(OutboxError) -> Value {
        try Self.reporting { try queue.write(body) }
    }

    private func read<Value>(_ body: (Database) throws -> Value) throws(OutboxError) -> Value {
        try Self.reporting { try queue.read(body) }
    }

    /// The bounded form of what SQLite says, which never repeats a value.
    private static func reporting<Value>(_ body: () throws -> Value) throws(OutboxError) -> Value {
        do {
            return try body()
        } catch let error as OutboxError {
            throw error
        } catch let error as DatabaseError {
            let detail = "SQLite says: \((error.message ?? "no reason").display(limit: 200))"
            switch error.resultCode {
            case .SQLITE_FULL: throw OutboxError(.full, "the disk is full, and nothing was written (\(detail))")
            case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_WRITE:
                // A quota, or a limit of this process, is not a full disk to SQLite.
                throw OutboxError(.full, "the file cannot grow, and nothing was written (\(detail))")
            case .SQLITE_CORRUPT, .SQLITE_NOTADB:
                throw OutboxError(.corrupt, "it is damaged, or no database; it is left as it is (\(detail))")
            case .SQLITE_BUSY, .SQLITE_LOCKED: throw OutboxError(.busy, "another process holds it (\(detail))")
            default: throw OutboxError(.inaccessible, detail)
            }
        } catch {
            throw OutboxError(.corrupt, "a value in it is not of its type")
        }
    }
}

/// Readers of a message as a column keeps them: their ids in numerical order, separated by single spaces.
enum ReaderList {
    /// The most members of a group.
    static let maximumCount = 10_000
    /// The most digits of a user id.
    private static let maximumDigits = 19

    /// The text of the column.
    ///
    /// - Throws: `invalid_readers` for more readers than a group has members, or an id that is not 1 to 19 digits.
    static func text(_ readers: Set<UserID>) throws(OutboxError) -> String {
        guard readers.count <= maximumCount, readers.allSatisfy({ isID($0.utf8) }) else {
            throw OutboxError(
                .invalidReaders,
                "a message has at most \(maximumCount) readers, each with an id of 1 to \(maximumDigits) digits"
            )
        }
        let ids = readers.map(\.string).sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
        return ids.joined(separator: " ")
    }

    /// The readers that a text names.
    ///
    /// - Throws: `corrupt` for a text that ``text(_:)`` does not make.
    static func readers(_ text: String) throws(OutboxError) -> Set<UserID> {
        // An empty text has no id in it, and splitting it gives one.
        guard text.utf8.count <= maximumCount * (maximumDigits + 1) else { throw corrupt }
        let ids = text.utf8.isEmpty ? [] : text.utf8.split(separator: 0x20, omittingEmptySubsequences: false)
        let readers = Set(ids.map { UserID(String(Substring($0))) })
        guard ids.count <= maximumCount, readers.count == ids.count, ids.allSatisfy({ isID($0) }) else { throw corrupt }
        return readers
    }

    private static var corrupt: OutboxError {
        OutboxError(.corrupt, "the readers of a message are not a list of user ids")
    }

    private static func isID(_ bytes: some Collection<UInt8>) -> Bool {
        (1...maximumDigits).contains(bytes.count) && bytes.allSatisfy { (0x30...0x39).contains($0) }
    }
}

extension Row {
    /// A column's value; GRDB's subscripts trap where the file holds something else.
    fileprivate func value<Value: DatabaseValueConvertible>(_ column: String) throws -> Value {
        try decode(Value.self, forColumn: column)
    }
}

extension Date {
    init(milliseconds: Int64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    var milliseconds: Int64 {
        Int64(min(max(timeIntervalSince1970 * 1000, 0), 1e15))
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
