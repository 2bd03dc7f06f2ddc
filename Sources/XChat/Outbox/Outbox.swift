public import Logging
import Synchronization
public import XChatEngine
public import XChatEvents
import XChatHTTP

public import struct Foundation.Date

/// Encrypted messages that wait to be posted, stored where neither a crash nor a power loss loses them.
///
/// A message is encrypted once, and every attempt posts the same bytes. Within a conversation the order is kept, and
/// conversations do not wait for each other. A message that the server does not accept becomes a dead letter with the
/// reason, and later messages of its conversation are sent without it. A message under a key that is no longer the
/// newest is encrypted again, and the two are linked.
///
/// Several processes may enqueue messages; one at a time posts.
public struct Outbox: Sendable {
    /// Where the messages are.
    public let store: any AccountStore
    /// The user who signs the messages.
    public let userID: UserID
    /// When to retry, and when not.
    public var policy: OutboxPolicy
    /// To how many conversations messages are posted at the same time.
    ///
    /// Default: 4.
    public var concurrency = 4
    /// Receives the outcomes of attempts: words and counts, no ids.
    public var logger: Logger?
    /// Receives the entry of each message that becomes a dead letter.
    package var deadLetters: (@Sendable (OutboxEntry) -> Void)?
    /// How often the clock is read while messages wait for a time.
    package var interval: Duration = .milliseconds(250)
    package var clock: @Sendable () -> Date = { Date() }
    package var jitter: @Sendable () -> Double = { Double.random(in: 0..<1) }
    /// Changes whenever the worker of this process has settled a message; copies of an outbox share it.
    let settlements = QueueChanges()
    private let retention: Duration
    private let lastForgetting: Shared<Date>

    /// A value that copies of an outbox share.
    private final class Shared<Value: Sendable>: Sendable {
        let value: Mutex<Value>

        init(_ value: Value) { self.value = Mutex(value) }
    }

    /// The name of the lease of the process that posts.
    package static let lease = "outbox"

    /// Opens the outbox of a store.
    ///
    /// - Parameters:
    ///   - store: The store. Its messages are for one user and one API; the first call decides.
    ///   - userID: The user who signs the messages.
    ///   - api: The base URL of the API.
    ///   - policy: When to retry.
    ///   - retention: How long sent, replaced and dropped messages are remembered, without their ciphertext.
    ///   - now: The present time. Messages that were finished more than `retention` before it are forgotten.
    /// - Throws: `other_account`; `damaged`, `file`, `full`, `busy`.
    public init(
        opening store: any AccountStore,
        userID: UserID,
        api: String = "https://api.x.com",
        policy: OutboxPolicy = OutboxPolicy(),
        retention: Duration = .seconds(7 * 24 * 3600),
        now: Date = Date()
    ) async throws(AccountError) {
        try await store.openOutbox(of: userID, api: api)
        self.init(store: store, userID: userID, policy: policy, retention: retention, now: now)
        try await store.forgetMessages(finishedBefore: now.addingTimeInterval(-retention.seconds))
    }

    init(
        store: any AccountStore,
        userID: UserID,
        policy: OutboxPolicy = OutboxPolicy(),
        retention: Duration = .seconds(7 * 24 * 3600),
        now: Date = Date()
    ) {
        self.store = store
        self.userID = userID
        self.policy = policy
        self.retention = retention
        lastForgetting = Shared(now)
    }

    /// Enqueues a message: when this returns, the message survives a power loss.
    ///
    /// - Parameter message: A message that this user encrypted. The same message again changes nothing.
    /// - Throws: `duplicate`, `other_account`, `full`, `file`, `busy`; then the message is not in the outbox.
    public func enqueue(_ message: SealedMessage) async throws(AccountError) {
        try await enqueue([message])
    }

    /// Enqueues messages, all or none.
    ///
    /// - Parameter messages: Messages that this user encrypted, in the order in which they are to be sent.
    /// - Throws: As ``enqueue(_:)-(SealedMessage)``; then no message is in the outbox.
    public func enqueue(_ messages: [SealedMessage]) async throws(AccountError) {
        var batch = RecordBatch()
        batch.messages = messages
        batch.time = clock()
        try await store.commit(batch)
    }

    /// The messages in some states, in the order in which they were enqueued.
    ///
    /// - Parameter states: The states; by default those of unfinished messages.
    /// - Returns: What is stored about each.
    /// - Throws: `damaged`, `file`, `busy`.
    public func list(
        _ states: Set<OutboxEntry.State> = [.queued, .deadLetter]
    ) async throws(AccountError) -> [OutboxEntry] {
        try await store.entries(in: states)
    }

    /// What is stored about a message, or about the message that replaced it.
    ///
    /// - Parameter messageID: The id under which the message was enqueued.
    /// - Returns: The entry at the end of the links; nil for an unknown or forgotten message.
    /// - Throws: `damaged`, `file`, `busy`.
    public func entry(_ messageID: MessageID) async throws(AccountError) -> OutboxEntry? {
        var entry = try await store.entry(messageID)
        var seen: Set<MessageID> = []
        while let next = entry?.replacedBy, seen.insert(next).inserted {
            entry = try await store.entry(next) ?? entry
        }
        return entry
    }

    /// Puts a dead letter back into its place in the queue, or ends the waiting of a queued message.
    ///
    /// A dead letter whose key the server had refused is encrypted again before it is posted.
    /// - Parameters:
    ///   - messageID: Its id.
    ///   - readers: For a message that is held (``OutboxEntry/isHeld``): the new readers that a person was shown and
    ///     agreed to, from ``OutboxEntry/newReaders(in:)``. The message is held again if a newer key would give it to
    ///     other users too.
    /// - Throws: `unknown_message`, `finished`, `invalid_readers`.
    public func retry(
        _ messageID: MessageID,
        allowing readers: Set<UserID> = []
    ) async throws(AccountError) {
        try await store.retry(messageID, allowing: readers, at: clock())
    }

    /// Discards a message.
    ///
    /// - Parameter messageID: Its id. An attempt in progress is not cancelled.
    /// - Throws: `unknown_message`, `finished`.
    public func drop(_ messageID: MessageID) async throws(AccountError) {
        try await store.drop(messageID, at: clock())
    }

    /// Posts until the queue is empty, or until one message is settled.
    ///
    /// While another process posts, this waits for it.
    /// - Parameters:
    ///   - client: Posts, one attempt at a time: the outbox decides about retries. The client's `RetryPolicy` is for
    ///     the history, which is read when a key has changed.
    ///   - messageID: Ends as soon as this message, or the one that replaced it, is not queued any more.
    ///   - timeout: Ends after this time; attempts in progress are cancelled.
    ///   - session: Called after a refusal for a stale key: must fetch the conversation's key change events, and return
    ///     a session that knows the newest key. A temporary `APIError`, for example a lost connection, is retried. An
    ///     `XChatError` that says why the conversation cannot be encrypted to (`rotation_needed`,
    ///     `membership_unproven`, `membership_unjudged`, `disputed_key`, `not_a_participant`, `members_changed`) makes
    ///     the message a dead letter. Any other error ends the draining.
    /// - Throws: `APIError` that concerns every message (`unauthorized` for example), ``AccountError`` of the store,
    ///   `CancellationError`, and what `session` throws. Everything unsent stays queued.
    public func drain(
        client: some MessageSending,
        until messageID: MessageID? = nil,
        timeout: Duration? = nil,
        session: @escaping @Sendable (ConversationID) async throws -> Session
    ) async throws {
        let goal: OutboxWorker.Goal = messageID.map { .settled($0) } ?? .empty
        try await OutboxWorker(self, client, goal: goal, timeout: timeout, session: session).run()
    }

    /// Posts what is enqueued, until the task is cancelled.
    ///
    /// - Parameters:
    ///   - client: Posts.
    ///   - session: As for ``drain(client:until:timeout:session:)``.
    /// - Throws: As ``drain(client:until:timeout:session:)``; call it again when the cause is gone.
    public func run(
        client: some MessageSending,
        session: @escaping @Sendable (ConversationID) async throws -> Session
    ) async throws {
        try await OutboxWorker(self, client, goal: .never, timeout: nil, session: session).run()
    }

    /// Forgets finished messages, once an hour at most: a process may run for months.
    func forgetAtTimes() async throws(AccountError) {
        let now = clock()
        let isTime = lastForgetting.value.withLock { last in
            guard abs(now.timeIntervalSince(last)) >= 3600 else { return false }
            last = now
            return true
        }
        if isTime { try await store.forgetMessages(finishedBefore: now.addingTimeInterval(-retention.seconds)) }
    }
}
