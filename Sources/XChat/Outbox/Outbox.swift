public import Logging
public import XChatEngine
public import XChatEvents
import XChatHTTP

package import struct Foundation.Date

/// Sealed messages that wait to be posted, kept where neither a crash nor a power failure loses them.
///
/// A message is sealed once and stored as ciphertext; every try posts the same bytes. Within a conversation the order is
/// kept, and conversations do not wait for each other. A message that the server does not want is set aside with the
/// reason, and its conversation goes on. One that was sealed under a key that is no longer the newest is sealed anew,
/// and linked with the refused one.
///
/// Any number of processes may add messages; one at a time posts.
public struct Outbox: Sendable {
    let store: any OutboxStore
    /// When to try again, and when not.
    public var policy: OutboxPolicy
    /// How many conversations are posted to at once.
    ///
    /// Default: 4.
    public var concurrency = 4
    /// Is told what becomes of the tries: words and counts, no identifier.
    public var logger: Logger?
    /// How often the store is asked for what other processes, or other tasks, put into it.
    package var interval: Duration = .milliseconds(50)
    package var clock: @Sendable () -> Date = { Date() }
    package var jitter: @Sendable () -> Double = { Double.random(in: 0..<1) }

    /// Opens an outbox file, or makes it.
    ///
    /// - Parameters:
    ///   - path: The file, made with mode 0600; SQLite puts `-wal` and `-shm` beside it, and this library `.lock`. Its
    ///     folder must exist and lie on a local disk.
    ///   - userID: The user who seals. One file is for one user and one API.
    ///   - api: The base URL of the API.
    ///   - policy: When to try again.
    ///   - retention: How long sent, replaced and dropped messages are remembered, without their ciphertext.
    /// - Returns: The outbox, with what was left in it.
    /// - Throws: ``OutboxError``: `corrupt`, `inaccessible`, `wrong_outbox`, `newer_format`, `full`, `busy`. A damaged
    ///   file is left as it is.
    public static func open(
        _ path: String,
        userID: UserID,
        api: String = "https://api.x.com",
        policy: OutboxPolicy = OutboxPolicy(),
        retention: Duration = .seconds(7 * 24 * 3600)
    ) throws(OutboxError) -> Outbox {
        Outbox(
            store: try SQLiteOutboxStore(path: path, userID: userID, api: api, retention: retention, now: Date()),
            policy: policy
        )
    }

    init(store: any OutboxStore, policy: OutboxPolicy = OutboxPolicy()) {
        self.store = store
        self.policy = policy
    }

    /// Takes a message: when this returns, it is on the disk.
    ///
    /// - Parameter message: A sealed message of the outbox's user. The same one again changes nothing.
    /// - Throws: ``OutboxError``; then the message is not in the outbox.
    public func enqueue(_ message: SealedMessage) throws(OutboxError) {
        try store.add([message], now: clock())
    }

    /// Takes messages, all or none.
    ///
    /// - Parameter messages: Sealed messages of the outbox's user, in the order in which they are to be sent.
    /// - Throws: ``OutboxError``; then none of them is in the outbox.
    public func enqueue(_ messages: [SealedMessage]) throws(OutboxError) {
        try store.add(messages, now: clock())
    }

    /// The messages that are not finished, in the order of their queues.
    ///
    /// - Parameter states: Others than those queued and set aside on request.
    /// - Returns: What is known of each.
    /// - Throws: ``OutboxError``.
    public func list(
        _ states: Set<OutboxEntry.State> = [.queued, .setAside]
    ) throws(OutboxError) -> [OutboxEntry] {
        try store.entries(in: states)
    }

    /// What became of a message, or of the one that replaced it.
    ///
    /// - Parameter messageID: The id under which the message was enqueued.
    /// - Returns: The entry at the end of the links; nil for an id that is not known, or not any more.
    /// - Throws: ``OutboxError``.
    public func entry(_ messageID: WireString) throws(OutboxError) -> OutboxEntry? {
        var entry = try store.entry(messageID)
        var seen: Set<WireString> = []
        while let next = entry?.replacedBy, seen.insert(next).inserted {
            entry = try store.entry(next) ?? entry
        }
        return entry
    }

    /// Puts a message that was set aside back into its place, or ends the waiting of a queued one.
    ///
    /// A message that was set aside after the server had refused its key is encrypted again before it is posted.
    /// - Parameters:
    ///   - messageID: Its id.
    ///   - readers: For a message that is held (``OutboxEntry/isHeld``): the new readers that a person was shown and
    ///     agreed to, from ``OutboxEntry/newReaders(in:)``. The message is held again if a newer key would give it to
    ///     other users too.
    /// - Throws: ``OutboxError`` with `unknown_message`, `finished` or `invalid_readers`.
    public func retry(_ messageID: WireString, allowing readers: Set<UserID> = []) throws(OutboxError) {
        try store.retry(messageID, allowing: readers, now: clock())
    }

    /// Gives a message up.
    ///
    /// - Parameter messageID: Its id. A try under way is not called back.
    /// - Throws: ``OutboxError`` with `unknown_message` or `finished`.
    public func drop(_ messageID: WireString) throws(OutboxError) {
        try store.drop(messageID, now: clock())
    }

    /// Posts until nothing is queued any more, or until one message is settled.
    ///
    /// While another process posts, this waits for it.
    /// - Parameters:
    ///   - client: Posts, one try at a time: what to try again, and when, is decided here. Its ``RetryPolicy`` is for the
    ///     history, which is read when a key has changed.
    ///   - messageID: Ends as soon as this message, or what replaced it, is not queued any more.
    ///   - timeout: Ends when the time is up, whatever is queued then: tries under way are cancelled.
    ///   - session: Called after a refusal for a stale key: must fetch the conversation's key changes, and return a
    ///     session that knows the newest key. An ``APIError`` that passes, as when there is no connection, is waited out;
    ///     an ``XChatError`` that says why the conversation cannot be encrypted to (`rotation_needed`,
    ///     `membership_unproven`, `membership_unjudged`, `disputed_key`, `not_a_participant`, `members_changed`) sets the
    ///     message aside; anything else that it throws ends the draining.
    /// - Throws: ``APIError`` that concerns every message (`unauthorized` for example), ``OutboxError``,
    ///   `CancellationError`, and what `session` throws. Everything unsent stays queued.
    public func drain(
        client: some MessageSending,
        until messageID: WireString? = nil,
        timeout: Duration? = nil,
        session: @escaping @Sendable (ConversationID) async throws -> Session
    ) async throws {
        let goal: Drain.Goal = messageID.map { .settled($0) } ?? .empty
        try await Drain(self, client, goal: goal, timeout: timeout, session: session).run()
    }

    /// Posts whatever comes into the outbox, until the task is cancelled.
    ///
    /// - Parameters:
    ///   - client: Posts.
    ///   - session: As for ``drain(client:until:timeout:session:)``.
    /// - Throws: As ``drain(client:until:timeout:session:)``; call it again when the cause is gone.
    public func run(
        client: some MessageSending,
        session: @escaping @Sendable (ConversationID) async throws -> Session
    ) async throws {
        try await Drain(self, client, goal: .never, timeout: nil, session: session).run()
    }
}
