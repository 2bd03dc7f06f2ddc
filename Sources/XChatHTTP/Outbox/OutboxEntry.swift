public import XChatEvents

public import struct Foundation.Date

/// What the outbox knows of one message, without its ciphertext.
public struct OutboxEntry: Hashable, Sendable {
    /// Where a message stands.
    public enum State: String, CaseIterable, Sendable {
        /// Waits for its turn, or for another try.
        case queued
        /// The server took it.
        case sent
        /// The server does not take it, and ``OutboxEntry/reason`` says why.
        ///
        /// It stays until it is retried or dropped by hand; later messages of the conversation went on.
        case setAside = "set_aside"
        /// Sealed anew under a newer key, as ``OutboxEntry/replacedBy``.
        case replaced
        /// Given up by hand.
        case dropped
    }

    /// The id under which the message was sealed.
    public let messageID: WireString
    /// The canonical id of the conversation.
    public let conversationID: ConversationID
    /// The version of the conversation key that sealed it.
    public let conversationKeyVersion: KeyVersion
    /// Where it stands.
    public var state: State
    /// How often it failed since it was put into the queue.
    public var failures: Int
    /// Why it failed last, `code: detail`; nil for one that never failed.
    public var reason: String?
    /// The server's id of the sent message.
    public var sequenceID: WireString?
    /// The refused message that this one replaces.
    public var replaces: WireString?
    /// The message that replaces this one.
    public var replacedBy: WireString?
    /// When it was put into the outbox.
    public let enqueuedAt: Date
    /// Not before this time is it tried again, if that is in the future.
    public var notBefore: Date?

    init(
        messageID: WireString,
        conversationID: ConversationID,
        conversationKeyVersion: KeyVersion,
        state: State,
        enqueuedAt: Date
    ) {
        self.messageID = messageID
        self.conversationID = conversationID
        self.conversationKeyVersion = conversationKeyVersion
        self.state = state
        self.enqueuedAt = enqueuedAt
        failures = 0
    }
}
