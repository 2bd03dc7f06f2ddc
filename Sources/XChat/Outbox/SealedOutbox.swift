import GRDB
import LibSodium
import XChatEngine
import XChatEvents

import struct Foundation.Data
import struct Foundation.Date

// The messages of a sealed database.
//
// `queue` has a row for each conversation with messages; `head` is the place of its first queued message. `message` has
// three sealed columns: `info` (what does not change, and the readers), `body` (what is posted; deleted when the
// message is finished) and `note` (its outcome). States, places and times are not encrypted.

/// Whose messages a store keeps, and where they are posted.
struct OutboxOwner: Hashable, Sendable {
    let user: UserID
    let api: String

    /// User id and API, each after its length.
    var encoded: [UInt8] {
        var writer = PartWriter()
        writer.add(user.utf8)
        writer.add(api.utf8)
        return writer.bytes
    }

    init(user: UserID, api: String) {
        self.user = user
        self.api = api
    }

    init(_ bytes: [UInt8]) throws(AccountError) {
        var reader = PartReader(bytes)
        user = UserID(try reader.text())
        api = try reader.text()
    }
}

/// Stores that keep everything, or their messages, in a sealed database.
protocol SealedOutboxStore: OutboxStore {
    var database: SealedDatabase { get }
}

extension SealedDatabase {
    static let outboxSchema = """
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            owner BLOB,
            paused_until INTEGER NOT NULL DEFAULT 0,
            edits INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        INSERT INTO outbox (id) VALUES (1);
        CREATE TABLE queue (
            id INTEGER PRIMARY KEY,
            hash BLOB NOT NULL UNIQUE,
            head INTEGER,
            not_before INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX queue_due ON queue (not_before, head) WHERE head IS NOT NULL;
        CREATE TABLE message (
            id INTEGER PRIMARY KEY,
            hash BLOB NOT NULL UNIQUE,
            queue INTEGER NOT NULL,
            place INTEGER NOT NULL,
            state INTEGER NOT NULL,
            failures INTEGER NOT NULL DEFAULT 0,
            is_stale INTEGER NOT NULL DEFAULT 0,
            enqueued_at INTEGER NOT NULL,
            changed_at INTEGER NOT NULL,
            info BLOB NOT NULL,
            body BLOB,
            note BLOB
        ) STRICT;
        CREATE INDEX message_queue ON message (queue, place) WHERE state = 0;
        CREATE INDEX message_letter ON message (place) WHERE state = 1;
        """

    /// Selects the conversations that are due, by the index `queue_due` alone, so that neither waiting conversations
    /// nor sent messages cost time.
    static let dueQuery = """
        SELECT id, head FROM (
            SELECT id, head FROM queue WHERE head IS NOT NULL AND not_before = 0 ORDER BY not_before, head LIMIT ?3)
        UNION ALL SELECT id, head FROM (
            SELECT id, head FROM queue WHERE head IS NOT NULL AND not_before > 0 AND not_before <= ?1
            ORDER BY not_before LIMIT ?3)
        UNION ALL SELECT id, head FROM (
            SELECT id, head FROM queue WHERE head IS NOT NULL AND not_before > ?2 ORDER BY not_before LIMIT ?3)
        """

    /// The first queued messages of a conversation.
    static let windowQuery = """
        SELECT hash, queue, place, failures, is_stale, info, body FROM message
        WHERE queue = ? AND state = 0 AND place > ? ORDER BY place LIMIT ?
        """

    /// A waiting time beyond this comes from a wrong clock.
    fileprivate static func horizon(_ now: Date) -> Int64 {
        now.addingTimeInterval(OutboxPolicy.longestPause.seconds).milliseconds
    }

    fileprivate func messages(
        in queue: Int64,
        after place: Int64,
        limit: Int,
        _ database: Database
    ) throws -> [QueuedMessage] {
        let statement = try database.cachedStatement(sql: Self.windowQuery)
        // A cursor lends each row; an array of rows would copy them.
        let rows = try Row.fetchCursor(statement, arguments: [queue, place, limit])
        var messages: [QueuedMessage] = []
        while let row = try rows.next() {
            let hash = try row.bytes(0)
            let info = try MessageInfo(seal, try row.bytes(5), hash)
            let body = try MessageBody(seal, try row.bytes(6), hash)
            messages.append(
                QueuedMessage(
                    position: QueuePosition(
                        queue: try row.decode(Int64.self, atIndex: 1),
                        place: try row.decode(Int64.self, atIndex: 2)
                    ),
                    messageID: info.messageID,
                    conversationID: info.conversationID,
                    encodedMessageCreateEvent: body.createEvent,
                    encodedMessageEventSignature: body.signature,
                    readers: try info.knownReaders,
                    failures: try row.decode(Int.self, atIndex: 3),
                    isStale: try row.decode(Bool.self, atIndex: 4)
                )
            )
        }
        return messages
    }
}

// MARK: - Store

extension SealedOutboxStore {
    /// Tells when the queue may have changed, without reading the contents of the storage.
    public var queueChanges: QueueChanges { database.queueChanges }

    /// Binds the messages of this store to one user and one API; the first call decides.
    ///
    /// - Parameters:
    ///   - user: The user who signs the messages.
    ///   - api: The base URL to which they are posted.
    /// - Throws: `other_account` if the store is bound to another user or API.
    public func openOutbox(of user: UserID, api: String) async throws(AccountError) {
        let owner = OutboxOwner(user: user, api: api)
        let store = database
        let stored = try await store.write { transaction in
            let database = transaction.database
            let sealed = try Row.fetchOne(database.cachedStatement(sql: "SELECT owner FROM outbox WHERE id = 1"))?
                .decode(Data?.self, atIndex: 0)
            if let sealed { return try OutboxOwner(try store.seal.open(Array(sealed), .outbox, [])) }
            try database.cachedStatement(sql: "UPDATE outbox SET owner = ? WHERE id = 1")
                .execute(arguments: [Data(try store.seal.seal(owner.encoded, .outbox, []))])
            return owner
        }
        guard stored.encoded == owner.encoded else {
            throw AccountError(
                .otherAccount,
                "the outbox belongs to user \(stored.user) at \(quoted(stored.api)), not to user \(owner.user) at "
                    + "\(quoted(owner.api)); use that user and that API, or another account"
            )
        }
        store.outboxOwner = owner
    }

    /// The first queued messages of the conversations whose time has come, the conversation with the oldest message
    /// first.
    ///
    /// - Parameters:
    ///   - now: The time. Waiting times that reach further into the future than ``OutboxPolicy/longestPause`` come from
    ///     a wrong clock and are ignored.
    ///   - limit: The most conversations.
    ///   - total: About how many messages of all conversations together; at least one of each.
    ///   - excluded: Conversations to leave out.
    /// - Returns: The messages, and when to ask again.
    /// - Throws: `damaged`, `file`, `busy`.
    public func dueMessages(
        at now: Date,
        limit: Int,
        total: Int,
        excluding excluded: Set<Int64>
    ) async throws(AccountError) -> DueMessages {
        let store = database
        let (due, edits) = try await store.read { database in
            var due = DueMessages()
            let horizon = SealedDatabase.horizon(now)
            let row = try Row.fetchOne(
                database.cachedStatement(sql: "SELECT paused_until, edits FROM outbox WHERE id = 1")
            )
            let edits = try row?.decode(Int64.self, atIndex: 1) ?? 0
            let any = try Int64.fetchOne(
                database.cachedStatement(sql: "SELECT id FROM queue WHERE head IS NOT NULL LIMIT 1")
            )
            due.hasQueued = any != nil
            let paused = try row?.decode(Int64.self, atIndex: 0) ?? 0
            guard paused <= now.milliseconds || paused > horizon else {
                due.next = Date(milliseconds: paused)
                return (due, edits)
            }
            let rows = try Row.fetchAll(
                database.cachedStatement(sql: SealedDatabase.dueQuery),
                arguments: [now.milliseconds, horizon, limit + excluded.count]
            )
            let queues = try rows.map { row in
                (id: try row.decode(Int64.self, atIndex: 0), head: try row.decode(Int64.self, atIndex: 1))
            }
            let first = queues.filter { !excluded.contains($0.id) }.sorted { $0.head < $1.head }.prefix(limit)
            for queue in first {
                let window = max(1, total / first.count)
                let messages = try store.messages(in: queue.id, after: queue.head - 1, limit: window, database)
                if !messages.isEmpty { due.conversations.append(messages) }
            }
            due.next = try Int64.fetchOne(
                database.cachedStatement(
                    sql: """
                        SELECT not_before FROM queue WHERE head IS NOT NULL AND not_before > ? AND not_before <= ?
                        ORDER BY not_before LIMIT 1
                        """
                ),
                arguments: [now.milliseconds, horizon]
            ).map { Date(milliseconds: $0) }
            return (due, edits)
        }
        store.note(edits: edits)
        return due
    }

    /// The next queued messages of one conversation, in order.
    ///
    /// - Parameters:
    ///   - position: The position after which they are.
    ///   - limit: The most messages.
    /// - Returns: The messages; none at the end of the queue.
    /// - Throws: `damaged`, `file`, `busy`.
    public func queuedMessages(
        after position: QueuePosition,
        limit: Int
    ) async throws(AccountError) -> [QueuedMessage] {
        let store = database
        return try await store.read { database in
            try store.messages(in: position.queue, after: position.place, limit: limit, database)
        }
    }

    /// Stores the outcomes of attempts to post messages, all or none.
    ///
    /// Calls at the same time are written to the storage together, in the order of the calls.
    /// - Parameters:
    ///   - outcomes: The outcomes, in order. An outcome has no effect if another process changed its message in the
    ///     meantime.
    ///   - now: The time.
    /// - Throws: `full`, `file`, `busy`, `damaged`.
    public func settle(_ outcomes: [MessageOutcome], at now: Date) async throws(AccountError) {
        try await database.write { transaction in
            for outcome in outcomes { try transaction.settle(outcome, now) }
        }
    }

    /// Puts a dead letter back into its place in the queue, or ends the waiting of a queued message.
    ///
    /// - Parameters:
    ///   - messageID: The message.
    ///   - readers: Users who may read it from now on too; they are added to its readers.
    ///   - now: The time.
    /// - Throws: `unknown_message`, `finished`, `invalid_readers`.
    public func retry(
        _ messageID: MessageID,
        allowing readers: Set<UserID>,
        at now: Date
    ) async throws(AccountError) {
        let store = database
        try await store.write { transaction in
            let row = try transaction.unfinished(messageID)
            if !readers.isEmpty {
                guard let owner = store.outboxOwner else { throw AccountError.outboxIsClosed }
                var info = try transaction.info(row)
                info.readers = try ReaderList.text((try info.storedReaders ?? [owner.user]).union(readers))
                try transaction.database.cachedStatement(sql: "UPDATE message SET info = ? WHERE id = ?")
                    .execute(arguments: [Data(try info.sealed(store.seal, row.hash)), row.id])
            }
            try transaction.database.cachedStatement(
                sql: "UPDATE message SET state = 0, failures = 0, changed_at = ? WHERE id = ?"
            ).execute(arguments: [now.milliseconds, row.id])
            try transaction.database.cachedStatement(sql: "UPDATE queue SET not_before = 0 WHERE id = ?")
                .execute(arguments: [row.queue])
            try transaction.database.cachedStatement(sql: "UPDATE outbox SET paused_until = 0 WHERE id = 1").execute()
            transaction.messageChanges.queues.insert(row.queue)
            transaction.messageChanges.isEdited = true
        }
    }

    /// Discards a queued message or a dead letter, and deletes its ciphertext.
    ///
    /// - Parameters:
    ///   - messageID: The message.
    ///   - now: The time.
    /// - Throws: `unknown_message`, `finished`.
    public func drop(_ messageID: MessageID, at now: Date) async throws(AccountError) {
        try await database.write { transaction in
            let row = try transaction.unfinished(messageID)
            try transaction.database.cachedStatement(
                sql: "UPDATE message SET state = ?, body = NULL, changed_at = ? WHERE id = ?"
            ).execute(arguments: [OutboxEntry.State.dropped.number, now.milliseconds, row.id])
            // The waiting time belonged to that message.
            try transaction.database.cachedStatement(sql: "UPDATE queue SET not_before = 0 WHERE id = ?")
                .execute(arguments: [row.queue])
            transaction.messageChanges.queues.insert(row.queue)
            transaction.messageChanges.isEdited = true
        }
    }

    /// What is stored about a message.
    ///
    /// - Parameter messageID: The id under which it was sealed.
    /// - Returns: Nil for an unknown or forgotten message.
    /// - Throws: `damaged`, `file`, `busy`.
    public func entry(_ messageID: MessageID) async throws(AccountError) -> OutboxEntry? {
        let store = database
        let hash = try store.seal.hash(Array(messageID.utf8), .message)
        return try await store.read { database in
            let statement = try database.cachedStatement(sql: "\(MessageRow.entrySelection) WHERE message.hash = ?")
            return try Row.fetchOne(statement, arguments: [Data(hash)]).map { try MessageRow.entry($0, store.seal) }
        }
    }

    /// The messages in some states, in the order in which they were enqueued.
    ///
    /// - Parameter states: The states.
    /// - Returns: All of them.
    /// - Throws: `damaged`, `file`, `busy`.
    public func entries(in states: Set<OutboxEntry.State>) async throws(AccountError) -> [OutboxEntry] {
        let store = database
        // One part for each state: where finished messages are not asked for, partial indexes lead past them.
        let parts = states.map { "\(MessageRow.entrySelection) WHERE message.state = \($0.number)" }
        guard !parts.isEmpty else { return [] }
        return try await store.read { database in
            let rows = try Row.fetchAll(
                database,
                sql: parts.joined(separator: " UNION ALL ") + " ORDER BY message_place, message_id"
            )
            return try rows.map { try MessageRow.entry($0, store.seal) }
        }
    }

    /// How many messages are queued, including those whose time has not come.
    ///
    /// - Returns: The number, for a gauge.
    /// - Throws: `file`, `busy`.
    public func queuedCount() async throws(AccountError) -> Int {
        try await database.read { database in
            let sql = "SELECT count(*) FROM message WHERE state = 0"
            return try Int.fetchOne(database.cachedStatement(sql: sql)) ?? 0
        }
    }

    /// Deletes what is stored about finished messages.
    ///
    /// - Parameter time: Messages that were finished before this time are forgotten.
    /// - Throws: `full`, `file`, `busy`.
    public func forgetMessages(finishedBefore time: Date) async throws(AccountError) {
        try await database.write { transaction in
            let database = transaction.database
            try database.execute(
                sql: "DELETE FROM message WHERE state > 1 AND changed_at < ?",
                arguments: [time.milliseconds]
            )
            guard database.changesCount > 0 else { return }
            try database.execute(
                sql: "DELETE FROM queue WHERE head IS NULL AND id NOT IN (SELECT queue FROM message)"
            )
            transaction.messageChanges.queueNumbers = [:]
        }
    }
}

extension AccountError {
    fileprivate static var outboxIsClosed: AccountError {
        AccountError(.invalidArgument, "the outbox of this store was not opened; call openOutbox(of:api:) first")
    }
}

// MARK: - Changes

extension StoreTransaction {
    /// Appends messages to the queues of their conversations.
    mutating func enqueue(_ messages: [MessageToInsert], _ owner: OutboxOwner?, _ now: Date) throws {
        guard !messages.isEmpty else { return }
        guard let owner else { throw AccountError.outboxIsClosed }
        for message in messages {
            guard message.sender == owner.user else {
                throw AccountError(
                    .otherAccount,
                    "message \(safeField(message.info.messageID)) was encrypted by user \(safeField(message.sender)), but the "
                        + "outbox belongs to user \(owner.user); enqueue it in the outbox of its sender"
                )
            }
            let queue = try queue(of: message.info.conversationID)
            if try insert(message, queue, place: nil, now) {
                messageChanges.isQueued = true
                continue
            }
            let statement = try database.cachedStatement(sql: "SELECT info FROM message WHERE hash = ?")
            guard let known = try Row.fetchOne(statement, arguments: [message.hash]) else {
                throw AccountError(.damaged, "a message of the outbox is missing; restore the file from a backup")
            }
            let info = try MessageInfo(seal, try known.bytes(0), Array(message.hash))
            // The signature covers everything that is sent.
            guard info.conversationID == message.info.conversationID,
                info.signatureDigest == message.info.signatureDigest
            else { throw AccountError(.duplicate, "another message has the id \(safeField(message.info.messageID))") }
        }
    }

    private mutating func queue(of conversation: ConversationID) throws -> Int64 {
        if let known = messageChanges.queueNumbers[conversation] { return known }
        let number = try storedQueue(of: conversation)
        messageChanges.queueNumbers[conversation] = number
        return number
    }

    private func storedQueue(of conversation: ConversationID) throws -> Int64 {
        let hash = Data(try seal.hash(Array(conversation.text.utf8), .queue))
        let found = try Int64.fetchOne(
            database.cachedStatement(sql: "SELECT id FROM queue WHERE hash = ?"),
            arguments: [hash]
        )
        if let found { return found }
        try database.cachedStatement(sql: "INSERT INTO queue (hash) VALUES (?)").execute(arguments: [hash])
        return database.lastInsertedRowID
    }

    /// Inserts a message, unless there is one with its id.
    ///
    /// - Returns: Whether it was inserted.
    private mutating func insert(
        _ message: MessageToInsert,
        _ queue: Int64,
        place: Int64?,
        _ now: Date
    ) throws -> Bool {
        let last =
            try messageChanges.lastMessage
            ?? Int64.fetchOne(database.cachedStatement(sql: "SELECT coalesce(max(id), 0) FROM message")) ?? 0
        let (id, overflow) = last.addingReportingOverflow(1)
        guard !overflow else { throw AccountError(.full, "no number for a message is left") }
        try database.cachedStatement(
            sql: """
                INSERT INTO message (id, hash, queue, place, state, enqueued_at, changed_at, info, body)
                VALUES (?1, ?2, ?3, ?4, 0, ?5, ?5, ?6, ?7) ON CONFLICT (hash) DO NOTHING
                """
        ).execute(
            arguments: [
                id, message.hash, queue, place ?? id, now.milliseconds, message.sealedInfo, message.sealedBody,
            ]
        )
        guard database.changesCount == 1 else { return false }
        messageChanges.lastMessage = id
        messageChanges.queues.insert(queue)
        return true
    }

    /// Stores the outcome of an attempt.
    mutating func settle(_ outcome: MessageOutcome, _ now: Date) throws {
        switch outcome {
        case .sent(let messageID, let sequenceID):
            // For a message that was replaced, its replacement counts.
            guard let row = try row(messageID), row.state != .replaced else { return }
            var note = try note(row)
            note.sequenceID = sequenceID
            try finish(row, .sent, note, now)
        case .postponed(let messageID, let until, let reason):
            guard let row = try row(messageID), row.state == .queued else { return }
            var note = try note(row)
            note.reason = reason
            try database.cachedStatement(sql: "UPDATE message SET failures = failures + 1, note = ? WHERE id = ?")
                .execute(arguments: [Data(try note.sealed(seal, row.hash)), row.id])
            try database.cachedStatement(sql: "UPDATE queue SET not_before = ? WHERE id = ?")
                .execute(arguments: [max(until.milliseconds, 1), row.queue])
        case .paused(let until):
            try database.cachedStatement(
                sql: """
                    UPDATE outbox SET paused_until =
                        CASE WHEN paused_until > ?1 THEN ?2 ELSE max(paused_until, ?2) END WHERE id = 1
                    """
            ).execute(arguments: [SealedDatabase.horizon(now), until.milliseconds])
        case .deadLetter(let messageID, let reason, let isStale):
            guard let row = try row(messageID), row.state == .queued else { return }
            var note = try note(row)
            note.reason = reason
            try database.cachedStatement(
                sql: """
                    UPDATE message SET state = 1, failures = failures + 1, is_stale = max(is_stale, ?), note = ?,
                                       changed_at = ? WHERE id = ?
                    """
            ).execute(arguments: [isStale, Data(try note.sealed(seal, row.hash)), now.milliseconds, row.id])
            messageChanges.queues.insert(row.queue)
        case .replaced(let messageID, let replacement):
            // Of two replacements only one is kept.
            guard let row = try row(messageID), row.state == .queued else { return }
            guard try info(row).conversationID == replacement.conversationID else { return }
            var note = try note(row)
            note.replacedBy = replacement.messageID
            try finish(row, .replaced, note, now)
            let message = try MessageToInsert(replacement, replaces: messageID, seal)
            guard try insert(message, row.queue, place: row.place, now) else {
                throw AccountError(.duplicate, "another message has the id \(safeField(message.info.messageID))")
            }
        }
    }

    private mutating func finish(
        _ row: MessageRow,
        _ state: OutboxEntry.State,
        _ note: MessageNote,
        _ now: Date
    ) throws {
        try database.cachedStatement(
            sql: "UPDATE message SET state = ?, body = NULL, note = ?, changed_at = ? WHERE id = ?"
        ).execute(arguments: [state.number, Data(try note.sealed(seal, row.hash)), now.milliseconds, row.id])
        messageChanges.queues.insert(row.queue)
    }

    /// Makes the writes that are made once for all messages of the transaction.
    func finishMessages() throws {
        for queue in messageChanges.queues {
            let row = try Row.fetchOne(
                database.cachedStatement(
                    sql: """
                        SELECT head, (SELECT place FROM message WHERE queue = ?1 AND state = 0
                                      ORDER BY place LIMIT 1)
                        FROM queue WHERE id = ?1
                        """
                ),
                arguments: [queue]
            )
            guard let row else {
                throw AccountError(.damaged, "a conversation of the outbox is missing; restore the file from a backup")
            }
            let (old, new) = (try row.decode(Int64?.self, atIndex: 0), try row.decode(Int64?.self, atIndex: 1))
            guard old != new else { continue }
            // The waiting time belonged to the previous first message.
            try database.cachedStatement(sql: "UPDATE queue SET head = ?, not_before = 0 WHERE id = ?")
                .execute(arguments: [new, queue])
        }
        if messageChanges.isEdited {
            try database.cachedStatement(sql: "UPDATE outbox SET edits = edits + 1 WHERE id = 1").execute()
        }
    }

    fileprivate func row(_ messageID: MessageID) throws -> MessageRow? {
        let hash = try seal.hash(Array(messageID.utf8), .message)
        let statement = try database.cachedStatement(
            sql: "SELECT id, queue, place, state, note FROM message WHERE hash = ?"
        )
        return try Row.fetchOne(statement, arguments: [Data(hash)]).map { row in
            MessageRow(
                id: try row.decode(Int64.self, atIndex: 0),
                hash: hash,
                queue: try row.decode(Int64.self, atIndex: 1),
                place: try row.decode(Int64.self, atIndex: 2),
                state: try OutboxEntry.State(number: try row.decode(Int64.self, atIndex: 3)),
                sealedNote: try row.decode(Data?.self, atIndex: 4).map { Array($0) }
            )
        }
    }

    /// A message that is queued or a dead letter.
    fileprivate func unfinished(_ messageID: MessageID) throws -> MessageRow {
        guard let row = try row(messageID) else {
            throw AccountError(.unknownMessage, "the outbox has no message \(safeField(messageID))")
        }
        guard row.state.number <= 1 else {
            throw AccountError(
                .finished,
                "message \(safeField(messageID)) is finished: it is \(row.state.rawValue) already"
            )
        }
        return row
    }

    fileprivate func info(_ row: MessageRow) throws -> MessageInfo {
        let statement = try database.cachedStatement(sql: "SELECT info FROM message WHERE id = ?")
        guard let found = try Row.fetchOne(statement, arguments: [row.id]) else {
            throw AccountError(.damaged, "a message of the outbox is missing; restore the file from a backup")
        }
        return try MessageInfo(seal, try found.bytes(0), row.hash)
    }

    private func note(_ row: MessageRow) throws -> MessageNote { try MessageNote(seal, row.sealedNote, row.hash) }
}

// MARK: - Rows

extension OutboxEntry.State {
    /// How the state is stored; 0 and 1 are not finished.
    fileprivate var number: Int64 {
        switch self {
        case .queued: 0
        case .deadLetter: 1
        case .sent: 2
        case .replaced: 3
        case .dropped: 4
        }
    }

    fileprivate init(number: Int64) throws(AccountError) {
        guard let state = Self.allCases.first(where: { $0.number == number }) else {
            throw AccountError(
                .damaged,
                "a message of the outbox is in an unknown state; restore the file from a backup"
            )
        }
        self = state
    }
}

/// The columns by which a message is changed.
struct MessageRow {
    let id: Int64
    let hash: [UInt8]
    let queue: Int64
    let place: Int64
    let state: OutboxEntry.State
    let sealedNote: [UInt8]?

    fileprivate static let entrySelection = """
        SELECT message.hash, info, note, message.state, failures, enqueued_at, max(not_before, paused_until),
               place AS message_place, message.id AS message_id
        FROM message JOIN queue ON queue.id = message.queue JOIN outbox
        """

    fileprivate static func entry(_ row: Row, _ seal: StoreSeal) throws -> OutboxEntry {
        let hash = try row.bytes(0)
        let info = try MessageInfo(seal, try row.bytes(1), hash)
        let note = try MessageNote(seal, try row.decode(Data?.self, atIndex: 2).map { Array($0) }, hash)
        var entry = OutboxEntry(
            messageID: info.messageID,
            conversationID: info.conversationID,
            conversationKeyVersion: info.keyVersion,
            state: try OutboxEntry.State(number: try row.decode(Int64.self, atIndex: 3)),
            enqueuedAt: Date(milliseconds: try row.decode(Int64.self, atIndex: 5))
        )
        entry.failures = try row.decode(Int.self, atIndex: 4)
        entry.reason = note.reason
        entry.readers = try info.knownReaders
        entry.sequenceID = note.sequenceID
        entry.replaces = info.replaces
        entry.replacedBy = note.replacedBy
        let notBefore = try row.decode(Int64.self, atIndex: 6)
        if entry.state == .queued, notBefore > 0 { entry.notBefore = Date(milliseconds: notBefore) }
        return entry
    }
}

/// A message with its sealed columns, made outside of the transaction that inserts it.
struct MessageToInsert: Sendable {
    let sender: UserID?
    fileprivate let info: MessageInfo
    fileprivate let hash: Data
    fileprivate let sealedInfo: Data
    fileprivate let sealedBody: Data

    init(_ message: SealedMessage, replaces: MessageID? = nil, _ seal: StoreSeal) throws(AccountError) {
        sender = message.event.senderID
        info = try MessageInfo(message, replaces: replaces)
        let hash = try seal.hash(Array(message.messageID.utf8), .message)
        self.hash = Data(hash)
        sealedInfo = Data(try info.sealed(seal, hash))
        let body = MessageBody(
            createEvent: message.encodedMessageCreateEvent,
            signature: message.encodedMessageEventSignature
        )
        sealedBody = Data(try body.sealed(seal, hash))
    }

    /// Messages with their sealed columns, made on all cores.
    static func all(_ messages: [SealedMessage], _ seal: StoreSeal) throws(AccountError) -> [MessageToInsert] {
        let results = concurrentMap(messages) { message in
            Result { () throws(AccountError) in try MessageToInsert(message, seal) }
        }
        return try results.map { result throws(AccountError) in try result.get() }
    }
}

/// The sealed column `info`.
private struct MessageInfo {
    let messageID: MessageID
    let conversationID: ConversationID
    let keyVersion: KeyVersion
    let signatureDigest: [UInt8]
    let replaces: MessageID?
    /// The text of ``ReaderList``; nil in conversations of two, and if the readers are not known.
    var readers: String?

    init(_ message: SealedMessage, replaces: MessageID?) throws(AccountError) {
        messageID = message.messageID
        conversationID = message.conversationID
        keyVersion = message.conversationKeyVersion
        signatureDigest = try Self.digest(message)
        self.replaces = replaces
        let known = message.conversationID.isGroup ? message.readers : nil
        readers = try known.map { readers throws(AccountError) in try ReaderList.text(readers) }
    }

    init(_ seal: StoreSeal, _ box: [UInt8], _ hash: [UInt8]) throws(AccountError) {
        var reader = PartReader(try seal.open(box, .message, hash + [UInt8(ascii: "i")]))
        messageID = MessageID(try reader.text())
        conversationID = ConversationID(canonicalizing: WireString(try reader.text()))
        keyVersion = KeyVersion(try reader.text())
        signatureDigest = try reader.part()
        replaces = try reader.optionalText().map { MessageID($0) }
        readers = try reader.optionalText()
    }

    func sealed(_ seal: StoreSeal, _ hash: [UInt8]) throws(AccountError) -> [UInt8] {
        var writer = PartWriter()
        writer.add(messageID.utf8)
        writer.add(conversationID.text.utf8)
        writer.add(keyVersion.utf8)
        writer.add(signatureDigest)
        writer.add(replaces?.utf8)
        writer.add(readers?.utf8)
        return try seal.seal(writer.bytes, .message, hash + [UInt8(ascii: "i")])
    }

    static func digest(_ message: SealedMessage) throws(AccountError) -> [UInt8] {
        let signature = Array(message.encodedMessageEventSignature.utf8)
        return try calling { () throws(SodiumError) in try GenericHash.hash(signature.span, count: 32) }
    }

    /// The readers in the column; those of a conversation of two follow from its id.
    var storedReaders: Set<UserID>? {
        get throws(AccountError) { try readers.map { text throws(AccountError) in try ReaderList.readers(text) } }
    }

    var knownReaders: Set<UserID>? {
        get throws(AccountError) {
            if let (first, second) = conversationID.participants { return [first, second] }
            return try storedReaders
        }
    }
}

/// The sealed column `body`.
private struct MessageBody {
    let createEvent: String
    let signature: String

    init(createEvent: String, signature: String) {
        self.createEvent = createEvent
        self.signature = signature
    }

    init(_ seal: StoreSeal, _ box: [UInt8], _ hash: [UInt8]) throws(AccountError) {
        var reader = PartReader(try seal.open(box, .message, hash + [UInt8(ascii: "b")]))
        createEvent = try reader.text()
        signature = try reader.text()
    }

    func sealed(_ seal: StoreSeal, _ hash: [UInt8]) throws(AccountError) -> [UInt8] {
        var writer = PartWriter()
        writer.add(createEvent.utf8)
        writer.add(signature.utf8)
        return try seal.seal(writer.bytes, .message, hash + [UInt8(ascii: "b")])
    }
}

/// The sealed column `note`.
private struct MessageNote {
    var reason: String?
    var sequenceID: SequenceID?
    var replacedBy: MessageID?

    init(_ seal: StoreSeal, _ box: [UInt8]?, _ hash: [UInt8]) throws(AccountError) {
        guard let box else { return }
        var reader = PartReader(try seal.open(box, .message, hash + [UInt8(ascii: "n")]))
        reason = try reader.optionalText()
        sequenceID = try reader.optionalText().map { SequenceID($0) }
        replacedBy = try reader.optionalText().map { MessageID($0) }
    }

    func sealed(_ seal: StoreSeal, _ hash: [UInt8]) throws(AccountError) -> [UInt8] {
        var writer = PartWriter()
        writer.add(reason?.utf8)
        writer.add(sequenceID?.utf8)
        writer.add(replacedBy?.utf8)
        return try seal.seal(writer.bytes, .message, hash + [UInt8(ascii: "n")])
    }
}

/// Writes parts, each after its length.
struct PartWriter {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ part: some Collection<UInt8>) {
        bytes.append(bigEndian: UInt32(clamping: part.count))
        bytes += part
    }

    /// A part that may be absent, which is not the same as an empty one.
    mutating func add(_ part: String.UTF8View?) {
        bytes.append(part == nil ? 0 : 1)
        if let part { add(part) }
    }
}

/// Reads what ``PartWriter`` writes.
struct PartReader {
    private var reader: ByteReader

    init(_ bytes: [UInt8]) { reader = ByteReader(bytes[...]) }

    mutating func part() throws(AccountError) -> [UInt8] {
        guard let part = reader.part() else { throw Self.malformed }
        return Array(part)
    }

    mutating func text() throws(AccountError) -> String {
        guard let text = String(validating: try part(), as: UTF8.self) else { throw Self.malformed }
        return text
    }

    mutating func optionalText() throws(AccountError) -> String? {
        guard let flag = reader.number(UInt8.self), flag <= 1 else { throw Self.malformed }
        return flag == 1 ? try text() : nil
    }

    private static var malformed: AccountError {
        AccountError(.damaged, "a stored value is damaged or malformed; restore the file from a backup")
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
