public import XChatEngine
public import XChatEvents

public import struct Foundation.Date

/// Where an account keeps what must survive: records of its state, and messages to send.
///
/// A record is a key and bytes. The account reads the few records that an operation needs, and commits what the
/// operation changed in one batch. Several processes, and several hosts, may work on one account at the same time: each
/// record has a revision, and a batch names the revisions that it was computed from. If another process changed one of
/// them, the batch is refused as a whole and the operation is computed again (optimistic concurrency).
///
/// A store encrypts its contents: ids, keys, texts and pins must not be readable without the account's passphrase.
/// Counts, sizes and times may be readable. Only ``SessionFileStore`` keeps keys, pins, membership logs and tokens in
/// plaintext.
public protocol AccountStore: RecordStore, OutboxStore {}

/// The part of an account's store that keeps records; ``OutboxStore`` is the other part.
public protocol RecordStore: Sendable {
    /// Reads records.
    ///
    /// - Parameter keys: The keys, each once.
    /// - Returns: The records that exist, at one point in time.
    /// - Throws: `damaged` for damaged records, `file` if the storage fails.
    func records(_ keys: [RecordKey]) async throws(AccountError) -> [RecordKey: Record]

    /// The keys of all records of a kind, in pages.
    ///
    /// - Parameters:
    ///   - kind: The kind.
    ///   - position: ``RecordPage/next`` of the page before; nil for the first page.
    ///   - limit: The most keys of the page, at least 1.
    /// - Returns: The page, in an order that the store chooses. A record that exists throughout the walk is listed
    ///   once.
    /// - Throws: As ``records(_:)``.
    func list(_ kind: RecordKey.Kind, after position: [UInt8]?, limit: Int) async throws(AccountError) -> RecordPage

    /// Commits a batch: all of it or nothing.
    ///
    /// When this returns, the batch survives a power loss.
    /// - Parameter batch: The changes, and the revisions that they were computed from.
    /// - Returns: The new revisions of the records that were written.
    /// - Throws: `conflict` if a record has another revision than expected; then nothing was written. `too_large` for a
    ///   record of more than ``Record/maximumBytes``; `duplicate` and `other_account` for messages; `full`, `file`,
    ///   `busy`.
    @discardableResult
    func commit(_ batch: RecordBatch) async throws(AccountError) -> [RecordKey: UInt64]

    /// Takes a lease, for work that one process does at a time; a lease ends with its process, however that ends.
    ///
    /// - Parameter name: What the lease is for.
    /// - Returns: The lease, or nil while another process or another task holds it.
    /// - Throws: `file` if the storage fails.
    func lease(_ name: String) async throws(AccountError) -> (any StoreLease)?
}

/// The right to do one kind of work alone.
public protocol StoreLease: Sendable {
    /// Ends the lease.
    func end() async
}

/// What a record is about.
public enum RecordKey: Hashable, Sendable {
    /// The account itself: user id, private keys, key version.
    case account
    /// The tokens of the account's user.
    case signIn
    /// The pins of a user.
    case user(UserID)
    /// Keys, highest key version and membership log of a conversation.
    case conversation(ConversationID)
    /// The settings of a consumer.
    case consumer(String)
    /// How far a consumer has come in a conversation.
    case cursor(consumer: String, ConversationID)
    /// Some of the newest events that a consumer has handled in a conversation.
    case seen(consumer: String, ConversationID, SeenList, record: UInt64)
    /// What a consumer sent in reply to an event: the digest of the event, and the name of the call.
    case reply(consumer: String, EventDigest, call: String)
    /// The user id that a handle was resolved to.
    case handle(String)
    /// The group that a signed creation founded; the same creation founds no other group.
    case founding(EventDigest)
    /// A group that the server was asked to create, until the outcome is known.
    case creation(ConversationID)
    /// How far a consumer's walk over the history of a conversation has come.
    case walk(consumer: String, ConversationID)
    /// Events that a walk over the history has fetched and not delivered.
    case walkEvents(consumer: String, ConversationID, record: UInt64)
    /// Key change events that a walk over the history has fetched.
    case walkKeys(consumer: String, ConversationID, record: UInt64)

    /// The lists of handled events.
    public enum SeenList: UInt8, CaseIterable, Hashable, Sendable {
        /// Events as the server delivered them.
        case texts = 1
        /// Signed events, whatever the server delivered with them.
        case signed
    }

    /// The kinds of records.
    public enum Kind: UInt8, CaseIterable, Hashable, Sendable {
        case account = 1, user, conversation, consumer, cursor, seen, reply, handle, founding, creation
        case walk, walkEvents, walkKeys, signIn
    }
}

/// The bytes of a record and its revision.
public struct Record: Hashable, Sendable {
    /// The largest record: 16 MiB.
    public static let maximumBytes = 16 << 20

    /// The bytes; they may hold secrets.
    public var bytes: [UInt8]
    /// Identifies the contents: never 0, and different for all contents that the record ever has.
    public var revision: UInt64

    /// A record from its parts.
    public init(bytes: [UInt8], revision: UInt64) {
        self.bytes = bytes
        self.revision = revision
    }
}

/// A part of the keys of a kind.
public struct RecordPage: Hashable, Sendable {
    /// The keys.
    public var keys: [RecordKey]
    /// Where the next page begins; nil after the last one.
    public var next: [UInt8]?

    /// A page from its parts.
    public init(keys: [RecordKey], next: [UInt8]?) {
        self.keys = keys
        self.next = next
    }
}

/// Changes that are committed together.
public struct RecordBatch: Sendable {
    /// The revisions that the changes were computed from: 0 for a record that must not exist.
    ///
    /// Records that are written without an expected revision are written in any case.
    public var expected: [RecordKey: UInt64] = [:]
    /// The records to write.
    public var writes: [RecordKey: [UInt8]] = [:]
    /// The records to delete.
    public var deletions: Set<RecordKey> = []
    /// Messages to append to the outbox, in the order in which they are to be sent.
    ///
    /// A message that the outbox already has, the same bytes under the same id, is left as it is; another message under
    /// that id is the error `duplicate`.
    public var messages: [SealedMessage] = []
    /// When the messages were enqueued.
    public var time = Date()

    /// No changes.
    public init() {}
}
