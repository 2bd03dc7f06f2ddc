import GRDB
import LibSodium
import Synchronization
import XChatFiles
import XChatHTTP

import struct Foundation.Data

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// One SQLite file with encrypted rows, and the serial queue that runs all its SQL.
///
/// The file has a write-ahead log; when a write call returns, its change survives a power loss. Changes that wait at
/// the same time are committed in one transaction, with one flush of the storage. Each of them has a savepoint, so it
/// succeeds or fails by itself; if the shared transaction fails as a whole, each change is tried again in a transaction
/// of its own. No call blocks a thread of Swift's cooperative thread pool.
final class SealedDatabase: Sendable {
    let path: String
    let seal: StoreSeal
    let queue: DatabaseQueue
    /// Tells when the queue of messages may have changed.
    let queueChanges: QueueChanges
    private let watch: FileWatch
    private let jobs = Mutex(Jobs())
    private let seen = Mutex(Seen())

    /// What was last seen of the changes of other processes.
    private struct Seen {
        /// `PRAGMA data_version`, which changes when another connection commits.
        var dataVersion: Int64?
        /// The counter of changes to messages that may have been handed out.
        var edits: Int64 = 0
        var owner: OutboxOwner?
    }

    private struct Jobs {
        var waiting: [Job] = []
        var isRunning = false
    }

    private struct Job: Sendable {
        /// Makes the change; the result reports success once the transaction is committed.
        let change: @Sendable (inout StoreTransaction) throws -> @Sendable () -> Void
        let fail: @Sendable (AccountError) -> Void
    }

    /// `XCAF`.
    private static let applicationID: Int32 = 0x5843_4146
    private static let format: Int32 = 1
    /// The most changes that one transaction takes.
    private static let largestGroup = 512

    // MARK: Opening

    /// Makes a new file.
    ///
    /// - Throws: `exists` for a file with anything in it, `file`, `full`, `busy`.
    static func create(
        _ path: String,
        _ unlocking: consuming StoreHead.Unlocking,
        limits: PasswordHash.Limits
    ) async throws(AccountError) -> SealedDatabase {
        let unlocking = Shared(unlocking)
        return try await blocking { () throws(AccountError) in
            try naming(path) { () throws(AccountError) in
                // A process that ended before its first commit leaves an empty file.
                try prepareFile(path, makes: true)
                let queue = try connect(path)
                guard try using(queue, isEmpty) else {
                    throw AccountError(.exists, "there is already a database; open it, or use another path")
                }
                let (head, seal) = try StoreHead.make(unlocking.value, limits: limits)
                let encoded = try head.encoded
                try setUp(queue)
                let summary = try seal.seal(RecordSummary().encoded, .summary, [])
                try using(queue) { database in
                    try database.inTransaction(.immediate) {
                        guard try isEmpty(database) else {
                            throw AccountError(.exists, "another process has just created a database; open it")
                        }
                        try database.execute(sql: schema)
                        try database.execute(
                            sql: "INSERT INTO account (id, head, summary) VALUES (1, ?, ?)",
                            arguments: [Data(encoded), Data(summary)]
                        )
                        return .commit
                    }
                }
                return SealedDatabase(path: path, seal: seal, queue: queue)
            }
        }
    }

    /// Opens a file, and checks that nothing in it is damaged or missing.
    ///
    /// - Throws: `not_found`, `damaged`, `newer_format`, `wrong_passphrase`, `file`, `full`, `busy`.
    static func open(
        _ path: String,
        _ unlocking: consuming StoreHead.Unlocking
    ) async throws(AccountError) -> SealedDatabase {
        let unlocking = Shared(unlocking)
        return try await blocking { () throws(AccountError) in
            try naming(path) { () throws(AccountError) in
                try prepareFile(path, makes: false)
                let queue = try connect(path)
                let head = try using(queue) { database in
                    guard try !isEmpty(database) else {
                        throw AccountError(.notFound, "the file is empty; create the account first")
                    }
                    return try readHead(database)
                }
                let seal = try head.open(unlocking.value)
                try setUp(queue)
                let database = SealedDatabase(path: path, seal: seal, queue: queue)
                try using(queue, database.checkRecords)
                return database
            }
        }
    }

    private init(path: String, seal: StoreSeal, queue: DatabaseQueue) {
        self.path = path
        self.seal = seal
        self.queue = queue
        let watch = FileWatch(path + "-wal")
        self.watch = watch
        queueChanges = QueueChanges { watch.hasChanged() }
    }

    private static func naming<Value>(
        _ path: String,
        _ body: () throws(AccountError) -> Value
    ) throws(AccountError) -> Value {
        do {
            return try body()
        } catch {
            throw AccountError(error.code, "account file \(quoted(path)): \(error.message)")
        }
    }

    /// Creates the file if it does not exist, and makes sure that only its owner can read it.
    ///
    /// SQLite gives its other files the mode of the first. An existing file is not opened here: closing it again would
    /// end the locks that SQLite holds on it in this process.
    private static func prepareFile(_ path: String, makes: Bool) throws(AccountError) {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw AccountError(.file, "a path must not be empty or contain a zero byte")
        }
        if makes {
            let number = openFile(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            if number >= 0 {
                _ = close(number)
                return
            }
            guard errno == EEXIST else { throw AccountError(.file, "cannot be created (\(systemError()))") }
        }
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            throw AccountError(errno == ENOENT ? .notFound : .file, "cannot be read (\(systemError()))")
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw AccountError(.file, "is not a regular file") }
        if status.st_mode & 0o077 != 0, unsafe chmod(path, 0o600) != 0 {
            throw AccountError(
                .file,
                "other users can read it, and its mode cannot be changed (\(systemError())); set it to 0600"
            )
        }
    }

    private static func systemError() -> String { unsafe String(cString: strerror(errno)) }

    private static func connect(_ path: String) throws(AccountError) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.label = "swift-xchat account file"
        return try reporting { try DatabaseQueue(path: path, configuration: configuration) }
    }

    /// How long to wait for another process: as long as SQLite waits for a lock.
    private static let busyTime = Duration.seconds(10)

    /// Called only after the file was recognised: a foreign or damaged file is not written to.
    private static func setUp(_ queue: DatabaseQueue) throws(AccountError) {
        // While another connection changes the journal mode, SQLite fails at once; for other locks it waits.
        let end = ContinuousClock.now + busyTime
        while true {
            do throws(AccountError) {
                try using(queue) { database in try database.execute(sql: "PRAGMA journal_mode = WAL") }
                break
            } catch {
                guard error.code == .busy, ContinuousClock.now < end else { throw error }
                usleep(10_000)
            }
        }
        try using(queue) { database in try database.execute(sql: "PRAGMA synchronous = FULL") }
    }

    private static func isEmpty(_ database: Database) throws -> Bool {
        try Int32.fetchOne(database, sql: "PRAGMA application_id") == 0
            && Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") == 0
    }

    private static func readHead(_ database: Database) throws -> StoreHead {
        guard try Int32.fetchOne(database, sql: "PRAGMA application_id") == applicationID else {
            throw AccountError(.damaged, "this is a database of another program; use another path")
        }
        let format = try Int32.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard format <= Self.format else {
            throw AccountError(
                .newerFormat,
                "its format is \(format), but this version reads formats up to \(Self.format); update the program"
            )
        }
        let verdict = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? ""
        guard verdict.utf8.elementsEqual("ok".utf8) else {
            throw AccountError(.damaged, "it is damaged and was not changed; restore it from a backup")
        }
        guard let row = try Row.fetchOne(database, sql: "SELECT head FROM account WHERE id = 1") else {
            throw AccountError(.damaged, "the header with its encrypted key is missing; restore the file from a backup")
        }
        return try StoreHead(try row.bytes(0))
    }

    /// `head` opens the root key, `summary` is the sealed ``RecordSummary``.
    private static let schema = """
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = \(format);
        CREATE TABLE account (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            head BLOB NOT NULL,
            summary BLOB NOT NULL
        ) STRICT;
        CREATE TABLE record (
            kind INTEGER NOT NULL,
            hash BLOB NOT NULL,
            revision INTEGER NOT NULL,
            sealed BLOB NOT NULL,
            PRIMARY KEY (kind, hash)
        ) STRICT, WITHOUT ROWID;
        \(SealedDatabase.outboxSchema)
        """

    /// Compares all records with their authenticated summary.
    private func checkRecords(_ database: Database) throws {
        try database.inTransaction(.deferred) {
            let summary = try StoreTransaction.readSummary(database, seal)
            var found = RecordSummary()
            let rows = try Row.fetchCursor(database, sql: "SELECT kind, hash, revision FROM record ORDER BY kind, hash")
            var last: [UInt8] = []
            while let row = try rows.next() {
                guard let raw = UInt8(exactly: try row.decode(Int64.self, atIndex: 0)),
                    let kind = RecordKey.Kind(rawValue: raw)
                else {
                    throw AccountError(.damaged, "it has a record of an unknown kind; restore the file from a backup")
                }
                let place = RecordPlace(kind: kind, hash: try row.bytes(1))
                // Looking up a row depends on the order.
                let position = [raw] + place.hash
                guard last.lexicographicallyPrecedes(position) else {
                    throw AccountError(
                        .damaged,
                        "its records of the kind \(kind) are not in order; restore the file from a backup"
                    )
                }
                last = position
                found.add(kind, try seal.summand(place.bytes(revision: try row.revision(2))))
            }
            if let kind = found.differences(from: summary).first {
                throw AccountError(
                    .damaged,
                    "records of the kind \(kind) are missing, or were replaced by others; restore the file from a backup"
                )
            }
            return .commit
        }
    }

    // MARK: Using

    /// Reads; one call reads the state at one point in time.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(AccountError) -> Value {
        let result: Result<Value, AccountError> = await withCheckedContinuation { continuation in
            // `DatabaseQueue.read` switches `PRAGMA query_only`, which makes SQLite compile every statement again.
            queue.asyncWriteWithoutTransaction { database in
                continuation.resume(returning: Self.result { try Self.inTransaction("BEGIN", database, body) })
            }
        }
        return try result.get()
    }

    /// Makes a change; when this returns, the change survives a power loss.
    ///
    /// - Parameter body: Makes the change. If it throws, only this change is undone.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws; `full`, `file`, `busy`, `damaged`.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (inout StoreTransaction) throws -> Value
    ) async throws(AccountError) -> Value {
        let result: Result<Value, AccountError> = await withCheckedContinuation { continuation in
            add(
                Job(
                    change: { transaction in
                        let value = try body(&transaction)
                        return { continuation.resume(returning: .success(value)) }
                    },
                    fail: { continuation.resume(returning: .failure($0)) }
                )
            )
        }
        return try result.get()
    }

    /// How many changes wait to be committed.
    var waitingCount: Int { jobs.withLock { $0.waiting.count } }

    private func add(_ job: Job) {
        let starts = jobs.withLock { jobs in
            jobs.waiting.append(job)
            defer { jobs.isRunning = true }
            return !jobs.isRunning
        }
        if starts { schedule() }
    }

    private func schedule() {
        // One group each time, so that reads that were requested meanwhile run between two groups.
        queue.asyncWriteWithoutTransaction { database in
            let group = self.jobs.withLock { jobs in
                let group = Array(jobs.waiting.prefix(Self.largestGroup))
                jobs.waiting.removeFirst(group.count)
                return group
            }
            self.run(group, database)
            let goesOn = self.jobs.withLock { jobs in
                jobs.isRunning = !jobs.waiting.isEmpty
                return jobs.isRunning
            }
            if goesOn { self.schedule() }
        }
    }

    /// Commits a group in one transaction; if that fails as a whole, each change in a transaction of its own.
    private func run(_ group: [Job], _ database: Database) {
        do {
            let (outcomes, changes) = try Self.inTransaction("BEGIN IMMEDIATE", database) { database in
                // From here until the commit no other process can change the file.
                watch.beginOwnChange()
                var transaction = StoreTransaction(database, seal)
                let outcomes = try group.map { job in try attempt(job, &transaction, isAlone: group.count == 1) }
                try transaction.finish()
                return (outcomes, transaction.messageChanges)
            }
            for outcome in outcomes { outcome() }
            report(changes, database)
        } catch {
            watch.endOwnChange()
            guard group.count > 1 else {
                for job in group { job.fail(Self.accountError(error)) }
                return
            }
            for job in group { run([job], database) }
        }
    }

    /// Wakes what waits for the queue, if this process or another one changed it.
    private func report(_ changes: StoreTransaction.MessageChanges, _ database: Database) {
        watch.settle()
        // After the look at the file: a commit of another process that came before that look is found here.
        let (isChanged, isEdited) = seen.withLock { seen in
            let version = try? Int64.fetchOne(database.cachedStatement(sql: "PRAGMA data_version"))
            if changes.isEdited { seen.edits &+= 1 }
            guard version != seen.dataVersion else { return (false, false) }
            defer { seen.dataVersion = version }
            let edits = (try? Self.edits(database)) ?? seen.edits
            defer { seen.edits = edits }
            return (seen.dataVersion != nil, seen.edits != edits)
        }
        if changes.isEdited || isEdited {
            queueChanges.report(isEdit: true)
        } else if changes.isQueued || isChanged {
            queueChanges.report()
        }
    }

    /// Compares the counter of edits, as a query just read it, with what was last seen.
    func note(edits: Int64) {
        let isEdited = seen.withLock { seen in
            defer { seen.edits = edits }
            return seen.edits != edits
        }
        if isEdited { queueChanges.report(isEdit: true) }
    }

    static func edits(_ database: Database) throws -> Int64 {
        try Int64.fetchOne(database.cachedStatement(sql: "SELECT edits FROM outbox WHERE id = 1")) ?? 0
    }

    /// The user and the API of the messages, once they are known.
    var outboxOwner: OutboxOwner? {
        get { seen.withLock { $0.owner } }
        set { seen.withLock { $0.owner = newValue } }
    }

    /// Makes one change; if it fails, the transaction is as it was before.
    private func attempt(
        _ job: Job,
        _ transaction: inout StoreTransaction,
        isAlone: Bool
    ) throws -> @Sendable () -> Void {
        if isAlone { return try job.change(&transaction) }
        let before = transaction
        let database = transaction.database
        try database.cachedStatement(sql: "SAVEPOINT change").execute()
        do {
            let succeed = try job.change(&transaction)
            try database.cachedStatement(sql: "RELEASE change").execute()
            return succeed
        } catch let error as AccountError {
            try database.cachedStatement(sql: "ROLLBACK TO change").execute()
            try database.cachedStatement(sql: "RELEASE change").execute()
            transaction = before
            return { job.fail(error) }
        }
    }

    private static func inTransaction<Value>(
        _ begin: String,
        _ database: Database,
        _ body: (Database) throws -> Value
    ) throws -> Value {
        try database.cachedStatement(sql: begin).execute()
        do {
            let value = try body(database)
            try database.cachedStatement(sql: "COMMIT").execute()
            return value
        } catch {
            // After some errors SQLite has rolled back already.
            if database.isInsideTransaction { try? database.cachedStatement(sql: "ROLLBACK").execute() }
            throw error
        }
    }

    private static func using<Value>(
        _ queue: DatabaseQueue,
        _ body: (Database) throws -> Value
    ) throws(AccountError) -> Value {
        try reporting { try queue.writeWithoutTransaction(body) }
    }

    // MARK: Errors

    private static func result<Value>(_ body: () throws -> Value) -> Result<Value, AccountError> {
        Result { () throws(AccountError) in try reporting(body) }
    }

    private static func reporting<Value>(_ body: () throws -> Value) throws(AccountError) -> Value {
        do {
            return try body()
        } catch {
            throw accountError(error)
        }
    }

    /// Converts an error; the text of SQLite is bounded and contains no stored value.
    private static func accountError(_ error: any Error) -> AccountError {
        if let error = error as? AccountError { return error }
        guard let error = error as? DatabaseError else {
            return AccountError(.damaged, "a value in the file has the wrong type; restore the file from a backup")
        }
        let detail = "SQLite says: \((error.message ?? "no reason").display(limit: 200))"
        switch error.resultCode {
        case .SQLITE_FULL:
            return AccountError(.full, "the disk is full, so nothing was written: free space and try again (\(detail))")
        case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_WRITE:
            // For SQLite a quota, or a limit of this process, is not a full disk.
            return AccountError(
                .full,
                "the file cannot grow, so nothing was written: raise the quota or the size limit (\(detail))"
            )
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return AccountError(
                .damaged,
                "the file is damaged or not a database; it was not changed: restore it from a backup (\(detail))"
            )
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return AccountError(.busy, "another process has the file locked; try again (\(detail))")
        default: return AccountError(.file, detail)
        }
    }
}

/// Where a record is: its kind and the keyed hash of its key.
struct RecordPlace: Hashable, Sendable {
    let kind: RecordKey.Kind
    let hash: [UInt8]

    /// The place with a revision: what a value is bound to, and what the summary counts.
    func bytes(revision: UInt64) -> [UInt8] {
        var bytes = [kind.rawValue] + hash
        bytes.append(bigEndian: revision)
        return bytes
    }
}

/// The state of a transaction that several changes share.
struct StoreTransaction {
    let database: Database
    let seal: StoreSeal
    /// Read when a change first needs it.
    private var storedSummary: RecordSummary?
    private var isSummaryChanged = false
    /// What the transaction changes in the queue of messages.
    var messageChanges = MessageChanges()

    struct MessageChanges {
        /// Messages were enqueued.
        var isQueued = false
        /// Messages that may have been handed out were changed.
        var isEdited = false
        /// The conversations whose first queued message may be another one now.
        var queues: Set<Int64> = []
        /// The highest number of a message, once it was needed.
        var lastMessage: Int64?
        /// The numbers of conversations that were looked up.
        var queueNumbers: [ConversationID: Int64] = [:]
    }

    init(_ database: Database, _ seal: StoreSeal) {
        self.database = database
        self.seal = seal
    }

    /// The summary of records; ``set(_:)`` changes it, and the end of the transaction writes it.
    var summary: RecordSummary {
        get throws { try storedSummary ?? Self.readSummary(database, seal) }
    }

    mutating func set(_ summary: RecordSummary) {
        storedSummary = summary
        isSummaryChanged = true
    }

    /// Makes the writes that are made once for all changes of the transaction.
    func finish() throws {
        try finishMessages()
        guard isSummaryChanged, let storedSummary else { return }
        let sealed = try seal.seal(storedSummary.encoded, .summary, [])
        try database.cachedStatement(sql: "UPDATE account SET summary = ? WHERE id = 1")
            .execute(arguments: [Data(sealed)])
    }

    static func readSummary(_ database: Database, _ seal: StoreSeal) throws -> RecordSummary {
        let statement = try database.cachedStatement(sql: "SELECT summary FROM account WHERE id = 1")
        guard let row = try Row.fetchOne(statement),
            let summary = RecordSummary(encoded: try seal.open(try row.bytes(0), .summary, []))
        else {
            throw AccountError(
                .damaged,
                "the summary of the records is missing or malformed; restore the file from a backup"
            )
        }
        return summary
    }
}

extension Row {
    /// A blob; GRDB's subscripts trap if the column holds another type.
    func bytes(_ index: Int) throws -> [UInt8] { Array(try decode(Data.self, atIndex: index)) }

    /// A revision, which is never 0.
    func revision(_ index: Int) throws -> UInt64 {
        guard let revision = UInt64(exactly: try decode(Int64.self, atIndex: index)), revision > 0 else {
            throw AccountError(.damaged, "a revision is not a positive number; restore the file from a backup")
        }
        return revision
    }
}

/// `open(2)`, which a method of the same name hides.
private func openFile(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 {
    unsafe open(path, flags, mode)
}
