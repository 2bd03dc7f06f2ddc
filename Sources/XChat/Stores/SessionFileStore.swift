import Dispatch
import LibSodium
import Synchronization
import XChatEngine
public import XChatEvents
import XChatFiles

public import struct Foundation.Date

/// An account in a session file: keys, pins and tokens as readable JSON, and a sealed database for the rest.
///
/// The file holds the private keys, the tokens of a sign-in, pins, conversation keys and membership logs. Everything in
/// it is trusted. Members that this version does not know are kept. The outbox, cursors, handled events and replies are
/// in a database in the folder `FILE.outbox/`, sealed under a key that is derived from the private keys. A batch that
/// touches both writes the file first.
///
/// Several processes may use one file: commits hold a lock, and every reader sees the file before a commit or after it.
public final class SessionFileStore: AccountStore, LeaseDirectory {
    private let file: SessionFile
    private let path: String
    private let api: String
    /// Reads and writes of the file; they may wait for a lock.
    private let queue = DispatchQueue(label: "session file")
    private let state = Mutex(State())
    /// The queue of a database that does not exist yet.
    private let noChanges = QueueChanges()

    private struct State {
        /// The file as it was read or written last.
        var known: Known?
        var database: AccountFile?
    }

    /// The content of one version of the file.
    private struct Known {
        let version: FileVersion?
        let session: Session
        /// The members that belong to the account record.
        let account: JSONObject
        /// The tokens.
        let signIn: JSONValue?
    }

    /// Members of the file that have records of their own.
    private static let ownRecords: Set<WireString> = [
        "signing_keys", "rejected_keys", "conversation_keys", "conversation_key_marks", "conversation_key_details",
        "group_memberships", signInMember,
    ]
    private static let signInMember: WireString = "sign_in"

    private init(_ path: String, api: String, notify: (@Sendable (Notice) -> Void)?) {
        self.path = path
        self.api = api
        file = SessionFile(path, notify: notify ?? { _ in })
    }

    /// Opens a session file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - api: The base URL of the API: messages for another API are in a separate database.
    /// - Returns: The store.
    /// - Throws: ``AccountError``: `file` if there is no such file, `malformed`.
    public static func open(_ path: String, api: String) async throws -> SessionFileStore {
        try await open(path, api: api, notify: nil)
    }

    package static func open(
        _ path: String,
        api: String,
        notify: (@Sendable (Notice) -> Void)?
    ) async throws -> SessionFileStore {
        let store = SessionFileStore(path, api: api, notify: notify)
        _ = try await store.onQueue { store in
            // Reading a file that does not exist throws an error with its name.
            guard try store.known() == nil else { return }
            _ = try store.file.read()
        }
        return store
    }

    /// As ``open(_:api:)``; if there is no file, the first commit creates it.
    package static func openOrCreate(
        _ path: String,
        api: String,
        notify: (@Sendable (Notice) -> Void)?
    ) async throws -> SessionFileStore {
        guard await blocking({ Files.exists(path) }) else { return SessionFileStore(path, api: api, notify: notify) }
        return try await open(path, api: api, notify: notify)
    }

    // MARK: Records

    /// Reads records; the account, the sign-in, pins and keys come from the file.
    ///
    /// - Parameter keys: The keys, each once.
    /// - Returns: The records that exist.
    /// - Throws: `malformed`, `file`, `damaged`, `busy`.
    public func records(_ keys: [RecordKey]) async throws(AccountError) -> [RecordKey: Record] {
        let (inFile, others) = Self.split(keys)
        var found: [RecordKey: Record] = [:]
        if !inFile.isEmpty {
            found = try await onQueue { store in
                guard let known = try store.known() else { return [:] }
                return try store.records(inFile, in: known)
            }
        }
        if !others.isEmpty, let database = try await existingDatabase() {
            found.merge(try await database.records(others)) { first, _ in first }
        }
        return found
    }

    /// The keys of all records of a kind, in pages.
    ///
    /// - Parameters:
    ///   - kind: The kind.
    ///   - position: ``RecordPage/next`` of the page before; nil for the first page.
    ///   - limit: The most keys of the page, at least 1.
    /// - Returns: The page. A record that exists throughout the walk is listed once.
    /// - Throws: As ``records(_:)``.
    public func list(
        _ kind: RecordKey.Kind,
        after position: [UInt8]?,
        limit: Int
    ) async throws(AccountError) -> RecordPage {
        guard limit > 0 else { throw AccountError(.invalidArgument, "a page has at least 1 key, not \(limit)") }
        switch kind {
        case .account, .signIn, .user, .conversation:
            let all = try await onQueue { store in try store.known().map { Self.keys(kind, in: $0) } ?? [] }
            // In the order of their bytes, so that a position keeps its meaning when records come and go.
            let rest = all.map(\.encoded).filter { position?.lexicographicallyPrecedes($0) ?? true }
                .sorted { $0.lexicographicallyPrecedes($1) }
            let page = rest.prefix(limit)
            return RecordPage(
                keys: page.compactMap { RecordKey(encoded: $0) },
                next: page.count < rest.count ? page.last : nil
            )
        default:
            guard let database = try await existingDatabase() else { return RecordPage(keys: [], next: nil) }
            return try await database.list(kind, after: position, limit: limit)
        }
    }

    /// Commits a batch: the file first, then the database.
    ///
    /// A batch for both is applied to the database in a transaction that locks it, so that no other process changes
    /// what was compared; then the file is replaced, and then the transaction is committed. So nothing is written to
    /// either of them after a conflict. After a crash in between, the file has the changes and the database does not.
    /// - Parameter batch: The changes, and the revisions that they were computed from.
    /// - Returns: The new revisions of the records that were written.
    /// - Throws: `conflict`, `too_large`, `malformed`, `file`, `full`, `busy`.
    @discardableResult
    public func commit(_ batch: RecordBatch) async throws(AccountError) -> [RecordKey: UInt64] {
        let (inFile, others) = batch.split { Self.isInFile($0) }
        let touchesFile = !inFile.isEmpty || !inFile.expected.isEmpty
        var known: AccountFile?
        if !others.isEmpty {
            known = try await database()
        } else if !others.expected.isEmpty {
            known = try await existingDatabase()
        }
        guard let known else {
            guard others.expected.allSatisfy({ $0.value == 0 }) else { throw conflict }
            return touchesFile ? try await onQueue { store in try store.commitToFile(inFile) } : [:]
        }
        guard touchesFile else { return try await known.commit(others) }
        return try await known.commit(others) { [self] in
            try queue.sync { Result { try commitToFile(inFile) }.mapError { AccountError(any: $0) } }.get()
        }
    }

    /// Takes a lease, as ``AccountFile/lease(_:)``.
    ///
    /// - Parameter name: What the lease is for.
    /// - Returns: The lease, or nil while another process or another task holds it.
    /// - Throws: `file` if the lease file cannot be made.
    public func lease(_ name: String) async throws(AccountError) -> (any StoreLease)? {
        guard name == StoredTokens.lease else { return try await database().lease(name) }
        // A sign-in can precede the private keys, and so the database, whose key is derived from them.
        let path = path
        return try await blocking { () throws(AccountError) in
            let folder = SessionDatabase.folder(of: path)
            try withAccountErrors { () throws(FileError) in try Files.makeFolder(folder) }
            return try FileLease.take(folder + "/sign-in.lease")
        }
    }

    /// The process that holds a lease.
    package func leaseHolder(_ name: String) async -> Int32? {
        await (try? existingDatabase())?.leaseHolder(name)
    }

    // MARK: The file

    private static func isInFile(_ key: RecordKey) -> Bool {
        switch key.kind {
        case .account, .signIn, .user, .conversation, .founding: true
        default: false
        }
    }

    private static func split(_ keys: [RecordKey]) -> (inFile: [RecordKey], others: [RecordKey]) {
        (keys.filter { isInFile($0) }, keys.filter { !isInFile($0) })
    }

    private var conflict: AccountError {
        AccountError(
            .conflict,
            "another process changed the state \(file.name) in the meantime; nothing was written: try again"
        )
    }

    /// The file as it is now; nil if it does not exist.
    private func known() throws -> Known? {
        let version = file.version()
        if let known = state.withLock({ $0.known }), known.version == version { return known }
        guard version != nil else { return nil }
        let document = try file.read()
        let known = Known(
            version: version,
            session: try document.session(notify: file.notify),
            account: Self.accountMembers(of: document),
            signIn: document.root[Self.signInMember]
        )
        state.withLock { $0.known = known }
        return known
    }

    private static func accountMembers(of document: SessionDocument) -> JSONObject {
        var members = JSONObject()
        for member in document.root.members where !ownRecords.contains(member.key) {
            members[member.key] = member.value
        }
        return members
    }

    private static func keys(_ kind: RecordKey.Kind, in known: Known) -> [RecordKey] {
        switch kind {
        case .account: [.account]
        case .signIn: known.signIn == nil ? [] : [.signIn]
        case .user:
            Set(known.session.pins.users).union(known.session.pins.rejected.keys).sorted().map { .user($0) }
        case .conversation: known.session.knownConversations.map { .conversation($0) }
        default: []
        }
    }

    private func records(_ keys: [RecordKey], in known: Known) throws -> [RecordKey: Record] {
        var found: [RecordKey: Record] = [:]
        for key in keys {
            guard let bytes = Self.bytes(key, in: known) else { continue }
            found[key] = Record(bytes: bytes, revision: try Self.revision(bytes))
        }
        return found
    }

    private static func bytes(_ key: RecordKey, in known: Known) -> [UInt8]? {
        switch key {
        case .account: Array(JSONValue.object(known.account).line.utf8)
        case .signIn: known.signIn.map { Array($0.line.utf8) }
        case .user(let user): known.session.state(of: user)?.encoded()
        case .conversation(let conversation): known.session.state(of: conversation)?.encoded()
        case .founding(let digest):
            known.session.memberships.first { $0.value.founding == digest }.map { Array($0.key.text.utf8) }
        default: nil
        }
    }

    /// The file has no revisions, so a hash of the contents is used.
    private static func revision(_ bytes: [UInt8]) throws -> UInt64 {
        let hash = try GenericHash.hash(bytes.span)
        return hash.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } | 1
    }

    private func commitToFile(_ batch: RecordBatch) throws -> [RecordKey: UInt64] {
        var (batch, revisions) = (batch, [RecordKey: UInt64]())
        for _ in 0..<1000 {
            let before = try known()
            for (key, expected) in batch.expected {
                let revision = try before.flatMap { Self.bytes(key, in: $0) }.map { try Self.revision($0) } ?? 0
                guard revision == expected else { throw conflict }
            }
            guard !batch.writes.isEmpty || !batch.deletions.isEmpty else { return revisions }
            guard let before else {
                try create(batch)
                // The rest of the batch is written into the new file.
                batch.writes[.account] = nil
                batch.expected[.account] = nil
                if let bytes = try known().flatMap({ Self.bytes(.account, in: $0) }) {
                    revisions[.account] = try Self.revision(bytes)
                }
                continue
            }
            let session = try changed(before.session, by: batch)
            let account = try batch.writes[.account].map { try JSONLocation(parsing: $0, document: path).object() }
            var signIn = batch.deletions.contains(.signIn) ? nil : before.signIn
            if let bytes = batch.writes[.signIn] { signIn = try JSONLocation(parsing: bytes, document: path).value }
            do {
                let version = try file.update(ifStill: before.version) { [signIn] document in
                    document.root[Self.signInMember] = signIn
                    if let account { for member in account.members { document.root[member.key] = member.value } }
                    try document.add(learnedBy: session, since: before.session)
                }
                let now = Known(
                    version: version,
                    session: session,
                    account: account ?? before.account,
                    signIn: signIn
                )
                state.withLock { $0.known = now }
                for key in batch.writes.keys {
                    if let bytes = Self.bytes(key, in: now) { revisions[key] = try Self.revision(bytes) }
                }
                return revisions
            } catch is StateChanged {
                continue
            }
        }
        throw conflict
    }

    /// Makes the file with the account record; the other records of the batch follow.
    private func create(_ batch: RecordBatch) throws {
        guard let bytes = batch.writes[.account] else {
            throw AccountError(.notFound, "there is no session file \(quoted(path)); create the account first")
        }
        let document = try SessionDocument(parsing: bytes, name: quoted(path))
        try withAccountErrors { try Files.create(path, document.bytes) }
    }

    private func changed(_ session: Session, by batch: RecordBatch) throws -> Session {
        var session = session
        for (key, bytes) in batch.writes {
            switch key {
            case .user: session.restore(try UserState(decoding: bytes))
            case .conversation: session.restore(try ConversationState(decoding: bytes))
            default: break
            }
        }
        for case .user(let user) in batch.deletions { session.forget([user]) }
        return session
    }

    /// On a serial queue, runs a function that may block, outside of Swift's cooperative thread pool.
    private func onQueue<Value: Sendable>(
        _ body: @escaping @Sendable (SessionFileStore) throws -> Value
    ) async throws(AccountError) -> Value {
        let result: Result<Value, AccountError> = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: Result { try body(self) }.mapError { AccountError(any: $0) }) }
        }
        return try result.get()
    }

    // MARK: The database

    /// The location of the database; nil for a file without private keys, from which the key of the database is
    /// derived.
    private func place() async throws(AccountError) -> SessionDatabase? {
        try await onQueue { store in
            guard let session = try store.known()?.session, let keys = session.privateKeys else { return nil }
            return try SessionDatabase(of: store.path, user: session.userID, api: store.api, keys: keys)
        }
    }

    /// Opens the database, and creates it if it does not exist.
    private func database() async throws(AccountError) -> AccountFile {
        if let database = state.withLock({ $0.database }) { return database }
        guard let place = try await place() else {
            throw AccountError(
                .notRegistered,
                "\(quoted(path)) has no private keys, from which the key of its database is derived; register keys first"
            )
        }
        let opened = try await place.open()
        return state.withLock { state in
            if let database = state.database { return database }
            state.database = opened
            return opened
        }
    }

    /// Opens the database; nil if it does not exist.
    private func existingDatabase() async throws(AccountError) -> AccountFile? {
        if let database = state.withLock({ $0.database }) { return database }
        guard let place = try await place(), await blocking({ place.exists }) else { return nil }
        return try await database()
    }
}

// MARK: - The outbox

extension SessionFileStore {
    /// Tells when the queue may have changed, without reading the contents of the storage.
    public var queueChanges: QueueChanges { state.withLock { $0.database }?.queueChanges ?? noChanges }

    /// Binds the messages of this store to one user and one API.
    ///
    /// - Parameters: As for ``OutboxStore/openOutbox(of:api:)``.
    /// - Throws: `other_account`, `file`, `damaged`.
    public func openOutbox(of user: UserID, api: String) async throws(AccountError) {
        try await database().openOutbox(of: user, api: api)
    }

    /// The first queued messages of the conversations whose time has come.
    ///
    /// - Parameters: As for ``OutboxStore/dueMessages(at:limit:total:excluding:)``.
    /// - Returns: The messages, and when to ask again.
    /// - Throws: `damaged`, `file`, `busy`.
    public func dueMessages(
        at now: Date,
        limit: Int,
        total: Int,
        excluding excluded: Set<QueuePosition.Queue>
    ) async throws(AccountError) -> DueMessages {
        try await database().dueMessages(at: now, limit: limit, total: total, excluding: excluded)
    }

    /// The next queued messages of one conversation, in order.
    ///
    /// - Parameters: As for ``OutboxStore/queuedMessages(after:limit:)``.
    /// - Returns: The messages; none at the end of the queue.
    /// - Throws: `damaged`, `file`, `busy`.
    public func queuedMessages(
        after position: QueuePosition,
        limit: Int
    ) async throws(AccountError) -> [QueuedMessage] {
        try await database().queuedMessages(after: position, limit: limit)
    }

    /// Stores the outcomes of attempts to post messages, all or none.
    ///
    /// - Parameters: As for ``OutboxStore/settle(_:at:)``.
    /// - Throws: `full`, `file`, `busy`, `damaged`.
    public func settle(_ outcomes: [MessageOutcome], at now: Date) async throws(AccountError) {
        try await database().settle(outcomes, at: now)
    }

    /// Puts a dead letter back into its place in the queue, or ends the waiting of a queued message.
    ///
    /// - Parameters: As for ``OutboxStore/retry(_:allowing:at:)``.
    /// - Throws: `unknown_message`, `finished`, `invalid_readers`.
    public func retry(
        _ messageID: MessageID,
        allowing readers: Set<UserID>,
        at now: Date
    ) async throws(AccountError) {
        try await database().retry(messageID, allowing: readers, at: now)
    }

    /// Discards a queued message or a dead letter, and deletes its ciphertext.
    ///
    /// - Parameters: As for ``OutboxStore/drop(_:at:)``.
    /// - Throws: `unknown_message`, `finished`.
    public func drop(_ messageID: MessageID, at now: Date) async throws(AccountError) {
        try await database().drop(messageID, at: now)
    }

    /// What is stored about a message.
    ///
    /// - Parameter messageID: The id under which it was sealed.
    /// - Returns: Nil for an unknown or forgotten message.
    /// - Throws: `damaged`, `file`, `busy`.
    public func entry(_ messageID: MessageID) async throws(AccountError) -> OutboxEntry? {
        try await existingDatabase()?.entry(messageID)
    }

    /// The messages in some states, in the order in which they were enqueued.
    ///
    /// - Parameter states: The states.
    /// - Returns: All of them.
    /// - Throws: `damaged`, `file`, `busy`.
    public func entries(in states: Set<OutboxEntry.State>) async throws(AccountError) -> [OutboxEntry] {
        try await existingDatabase()?.entries(in: states) ?? []
    }

    /// How many messages are queued, including those whose time has not come.
    ///
    /// - Returns: The number, for a gauge.
    /// - Throws: `file`, `busy`.
    public func queuedCount() async throws(AccountError) -> Int { try await existingDatabase()?.queuedCount() ?? 0 }

    /// Deletes what is stored about finished messages.
    ///
    /// - Parameter time: Messages that were finished before this time are forgotten.
    /// - Throws: `full`, `file`, `busy`.
    public func forgetMessages(finishedBefore time: Date) async throws(AccountError) {
        try await existingDatabase()?.forgetMessages(finishedBefore: time)
    }
}

extension RecordBatch {
    /// Splits a batch for two stores; messages go with the records for which `isFirst` is false.
    fileprivate func split(_ isFirst: (RecordKey) -> Bool) -> (first: RecordBatch, second: RecordBatch) {
        var (first, second) = (RecordBatch(), self)
        first.expected = expected.filter { isFirst($0.key) }
        first.writes = writes.filter { isFirst($0.key) }
        first.deletions = deletions.filter(isFirst)
        second.expected = expected.filter { !isFirst($0.key) }
        second.writes = writes.filter { !isFirst($0.key) }
        second.deletions = deletions.filter { !isFirst($0) }
        return (first, second)
    }

    /// Whether the batch changes nothing.
    var isEmpty: Bool { writes.isEmpty && deletions.isEmpty && messages.isEmpty }
}

extension AccountError {
    /// Converts any error to an account error.
    init(any error: any Error) {
        switch error {
        case let error as AccountError: self = error
        case let error as XChatError: self.init(error)
        case let error as FileError: self.init(error)
        default: self.init(.file, "\(error)")
        }
    }
}
