public import XChatEngine
public import XChatEvents

public import struct Foundation.Date

/// The part of an account's store that keeps messages to send.
///
/// Messages come in with a ``RecordBatch``, so that one commit covers a record and the message that belongs to it.
/// Every method is one transaction: durable when the method returns, without effect when it throws. Several processes
/// may use one store; the one that posts holds a lease.
public protocol OutboxStore: Sendable {
    /// Binds the messages of this store to one user and one API; the first call decides.
    ///
    /// - Parameters:
    ///   - user: The user who signs the messages.
    ///   - api: The base URL to which they are posted.
    /// - Throws: `other_account` if the store is bound to another user or API.
    func openOutbox(of user: UserID, api: String) async throws(AccountError)

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
    func dueMessages(
        at now: Date,
        limit: Int,
        total: Int,
        excluding excluded: Set<QueuePosition.Queue>
    ) async throws(AccountError) -> DueMessages

    /// The next queued messages of one conversation, in order.
    ///
    /// - Parameters:
    ///   - position: The position after which they are.
    ///   - limit: The most messages.
    /// - Returns: The messages; none at the end of the queue.
    /// - Throws: `damaged`, `file`, `busy`.
    func queuedMessages(after position: QueuePosition, limit: Int) async throws(AccountError) -> [QueuedMessage]

    /// Stores the outcomes of attempts to post messages, all or none.
    ///
    /// Calls at the same time are written to the storage together, in the order of the calls.
    /// - Parameters:
    ///   - outcomes: The outcomes, in order. An outcome has no effect if another process changed its message in the
    ///     meantime.
    ///   - now: The time.
    /// - Throws: `full`, `file`, `busy`, `damaged`.
    func settle(_ outcomes: [MessageOutcome], at now: Date) async throws(AccountError)

    /// Puts a dead letter back into its place in the queue, or ends the waiting of a queued message.
    ///
    /// - Parameters:
    ///   - messageID: The message.
    ///   - readers: Users who may read it from now on too; they are added to its readers.
    ///   - now: The time.
    /// - Throws: `unknown_message`, `finished`, `invalid_readers`.
    func retry(_ messageID: MessageID, allowing readers: Set<UserID>, at now: Date) async throws(AccountError)

    /// Discards a queued message or a dead letter, and deletes its ciphertext.
    ///
    /// - Parameters:
    ///   - messageID: The message.
    ///   - now: The time.
    /// - Throws: `unknown_message`, `finished`.
    func drop(_ messageID: MessageID, at now: Date) async throws(AccountError)

    /// What is stored about a message.
    ///
    /// - Parameter messageID: The id under which it was sealed.
    /// - Returns: Nil for an unknown or forgotten message.
    /// - Throws: `damaged`, `file`, `busy`.
    func entry(_ messageID: MessageID) async throws(AccountError) -> OutboxEntry?

    /// The messages in some states, in the order in which they were enqueued.
    ///
    /// - Parameter states: The states.
    /// - Returns: All of them.
    /// - Throws: `damaged`, `file`, `busy`.
    func entries(in states: Set<OutboxEntry.State>) async throws(AccountError) -> [OutboxEntry]

    /// How many messages are queued, including those whose time has not come.
    ///
    /// - Returns: The number, for a gauge.
    /// - Throws: `file`, `busy`.
    func queuedCount() async throws(AccountError) -> Int

    /// Deletes what is stored about finished messages.
    ///
    /// - Parameter time: Messages that were finished before this time are forgotten.
    /// - Throws: `full`, `file`, `busy`.
    func forgetMessages(finishedBefore time: Date) async throws(AccountError)

    /// Tells when the queue may have changed, without reading the contents of the storage.
    var queueChanges: QueueChanges { get }
}

/// A place in the queue of one conversation.
public struct QueuePosition: Hashable, Sendable {
    /// The store's number of a conversation.
    public typealias Queue = Int64

    /// The conversation.
    public let queue: Queue
    /// The place in its queue; later messages have higher places.
    public let place: Int64

    /// A position from its parts.
    public init(queue: Queue, place: Int64) {
        self.queue = queue
        self.place = place
    }
}

/// A message that is to be posted.
public struct QueuedMessage: Hashable, Sendable {
    /// Where it is in the queue.
    public let position: QueuePosition
    /// The id under which it was sealed.
    public let messageID: MessageID
    /// The canonical id of its conversation.
    public let conversationID: ConversationID
    /// `SealedMessage.encodedMessageCreateEvent`, byte for byte.
    public let encodedMessageCreateEvent: String
    /// `SealedMessage.encodedMessageEventSignature`, byte for byte.
    public let encodedMessageEventSignature: String
    /// `SealedMessage.readers`, and the readers that a person allowed since.
    public let readers: Set<UserID>?
    /// How many attempts failed since it was put into the queue.
    public let failures: Int
    /// Whether the server refused it for its key and a newer key exists: it must not be posted as it is.
    public let isStale: Bool

    /// A message from its parts.
    public init(
        position: QueuePosition,
        messageID: MessageID,
        conversationID: ConversationID,
        encodedMessageCreateEvent: String,
        encodedMessageEventSignature: String,
        readers: Set<UserID>?,
        failures: Int,
        isStale: Bool
    ) {
        self.position = position
        self.messageID = messageID
        self.conversationID = conversationID
        self.encodedMessageCreateEvent = encodedMessageCreateEvent
        self.encodedMessageEventSignature = encodedMessageEventSignature
        self.readers = readers
        self.failures = failures
        self.isStale = isStale
    }
}

/// The messages whose time has come.
public struct DueMessages: Hashable, Sendable {
    /// The first messages of each conversation, in order.
    public var conversations: [[QueuedMessage]] = []
    /// When the next conversation that is not due yet becomes due; nil if no conversation waits.
    public var next: Date?
    /// Whether any message is queued, due or not.
    public var hasQueued = false

    /// No messages.
    public init() {}
}

/// The outcome of an attempt to post a message.
public enum MessageOutcome: Hashable, Sendable {
    /// The server has the message. This is also stored for a message that became a dead letter or was dropped
    /// meanwhile.
    case sent(MessageID, sequenceID: SequenceID)
    /// The attempt failed; the conversation of the message waits.
    case postponed(MessageID, until: Date, reason: String)
    /// All conversations wait, because a rate limit applies to the user. A longer pause that is stored already stays.
    case paused(until: Date)
    /// The message leaves the queue, and its conversation goes on without it.
    ///
    /// `isStale` says that a newer key exists, so that a retry must encrypt the message again; this flag is never
    /// cleared.
    case deadLetter(MessageID, reason: String, isStale: Bool)
    /// Another message takes the place of a queued one: the same contents, encrypted again under another id.
    case replaced(MessageID, by: SealedMessage)
}
