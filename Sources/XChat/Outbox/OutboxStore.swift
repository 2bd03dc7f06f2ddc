import XChatEngine
import XChatEvents

import struct Foundation.Date

/// A message whose turn it is.
struct QueuedMessage: Hashable, Sendable {
    /// The id under which it was sealed.
    let messageID: WireString
    /// The canonical id of its conversation.
    let conversationID: ConversationID
    /// ``SealedMessage/encodedMessageCreateEvent``, byte for byte.
    let encodedMessageCreateEvent: String
    /// ``SealedMessage/encodedMessageEventSignature``, byte for byte.
    let encodedMessageEventSignature: String
    /// ``SealedMessage/readers``, and those whom a person allowed since.
    let readers: Set<UserID>?
    /// How often it failed since it was put into the queue.
    let failures: Int
    /// Whether the server refused it for its key, and a newer key exists: it must not be posted as it is.
    let isStale: Bool
}

/// Where an outbox keeps its messages: a file on one machine, or a database that several share.
///
/// Every method is one transaction: done and durable when it returns, and not begun when it throws. Only ciphertext,
/// ids and reasons are stored.
protocol OutboxStore: Sendable {
    /// The user whose messages these are.
    var userID: UserID { get }

    /// Appends messages to the ends of their conversations, all or none.
    ///
    /// One that is there already, the same bytes under the same id, is left as it is.
    /// - Parameters:
    ///   - messages: Sealed messages.
    ///   - now: The time.
    /// - Throws: `duplicate` for another message with an id that is taken.
    func add(_ messages: [SealedMessage], now: Date) throws(OutboxError)

    /// The first queued message of every conversation whose time has come, oldest first.
    ///
    /// - Parameters:
    ///   - now: The time. Waiting times that reach further into the future than ``OutboxPolicy/longestPause`` come from a
    ///     clock that was wrong, and do not count.
    ///   - limit: How many at most.
    /// - Returns: At most one message of each conversation.
    /// - Throws: When the store fails.
    func due(at now: Date, limit: Int) throws(OutboxError) -> [QueuedMessage]

    /// Whether any message is queued.
    ///
    /// - Returns: Also true for those that wait.
    /// - Throws: When the store fails.
    func hasQueued() throws(OutboxError) -> Bool

    /// How many messages are queued, those that wait among them.
    ///
    /// - Returns: For a gauge; ``hasQueued()`` is quicker.
    /// - Throws: When the store fails.
    func queuedCount() throws(OutboxError) -> Int

    /// Notes that the server took a message, and forgets its ciphertext.
    ///
    /// It counts for one that was set aside or dropped meanwhile too; for one that was replaced, its replacement speaks.
    ///
    /// - Parameters:
    ///   - messageID: The message.
    ///   - sequenceID: The server's id.
    ///   - now: The time.
    /// - Throws: When the store fails.
    func markSent(_ messageID: WireString, sequenceID: WireString, now: Date) throws(OutboxError)

    /// Counts a failure of a queued message, and lets its conversation wait.
    ///
    /// - Parameters:
    ///   - messageID: The message.
    ///   - until: When it is tried again.
    ///   - reason: Why it failed.
    /// - Throws: When the store fails.
    func postpone(_ messageID: WireString, until: Date, reason: String) throws(OutboxError)

    /// Lets all conversations wait: a rate limit is the user's, not a message's.
    ///
    /// - Parameters:
    ///   - until: When the queue goes on, unless it waits longer already.
    ///   - now: The time.
    /// - Throws: When the store fails.
    func pause(until: Date, now: Date) throws(OutboxError)

    /// Takes a queued message out of the queue, so that its conversation goes on without it.
    ///
    /// - Parameters:
    ///   - messageID: The message.
    ///   - reason: Why.
    ///   - isStale: Whether a newer key exists, so that a later try must encrypt the message again first. This never
    ///     clears the mark.
    ///   - now: The time.
    /// - Throws: When the store fails.
    func setAside(_ messageID: WireString, reason: String, isStale: Bool, now: Date) throws(OutboxError)

    /// Puts a message in the place of a queued one, and links the two.
    ///
    /// Nothing happens where the message is not queued any more: of two replacements only one is kept.
    /// - Parameters:
    ///   - messageID: The refused message.
    ///   - replacement: The same contents, sealed anew under another id.
    ///   - now: The time.
    /// - Throws: When the store fails.
    func replace(_ messageID: WireString, with replacement: SealedMessage, now: Date) throws(OutboxError)

    /// Puts a message that was set aside back into its place, and ends its waiting.
    ///
    /// - Parameters:
    ///   - messageID: A message that is set aside or queued.
    ///   - readers: Users who may read it from now on too; they are added to its readers.
    ///   - now: The time.
    /// - Throws: `unknown_message`, `finished`.
    func retry(_ messageID: WireString, allowing readers: Set<UserID>, now: Date) throws(OutboxError)

    /// Gives up a message, and forgets its ciphertext.
    ///
    /// - Parameters:
    ///   - messageID: A message that is set aside or queued.
    ///   - now: The time.
    /// - Throws: `unknown_message`, `finished`.
    func drop(_ messageID: WireString, now: Date) throws(OutboxError)

    /// One message.
    ///
    /// - Parameter messageID: Its id.
    /// - Returns: Nil for an id that is not known, or not any more.
    /// - Throws: When the store fails.
    func entry(_ messageID: WireString) throws(OutboxError) -> OutboxEntry?

    /// The messages in some states, in the order of their conversations' queues.
    ///
    /// - Parameter states: Which.
    /// - Returns: All of them.
    /// - Throws: When the store fails.
    func entries(in states: Set<OutboxEntry.State>) throws(OutboxError) -> [OutboxEntry]

    /// Becomes the one that posts, unless somebody else is.
    ///
    /// The lock ends with the process, however that ends.
    /// - Returns: Whether it is ours now.
    /// - Throws: When the store fails.
    func tryLock() throws(OutboxError) -> Bool

    /// Lets others post.
    func unlock()
}
