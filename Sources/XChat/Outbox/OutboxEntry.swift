public import XChatEngine
public import XChatEvents
import XChatHTTP

public import struct Foundation.Date

/// What the outbox stores about one message, without its ciphertext.
public struct OutboxEntry: Hashable, Sendable {
    /// The states of a message.
    public enum State: String, CaseIterable, Sendable {
        /// Waits to be posted, for the first time or again.
        case queued
        /// The server has the message.
        case sent
        /// The message is not posted any more; ``OutboxEntry/reason`` says why, for example that the server rejected
        /// it.
        ///
        /// The message stays in the outbox until the caller retries or drops it; later messages of the conversation are
        /// sent without it. See ``OutboxEntry/isHeld`` for a message that waits for a decision about its readers.
        case deadLetter = "set_aside"
        /// Encrypted again under a newer key, as ``OutboxEntry/replacedBy``.
        case replaced
        /// Discarded on request.
        case dropped
    }

    /// The id under which the message was sealed.
    public let messageID: MessageID
    /// The canonical id of the conversation.
    public let conversationID: ConversationID
    /// The version of the conversation key that encrypted it.
    public let conversationKeyVersion: KeyVersion
    /// The state of the message.
    public var state: State
    /// How many attempts failed since it was put into the queue.
    public var failures: Int
    /// Why the last failed attempt failed, `code: detail`; nil if none failed.
    public var reason: String?
    /// The users who could read the message when it was encrypted, and those who were allowed since; nil if unknown.
    public var readers: Set<UserID>?
    /// The server's id of the sent message.
    public var sequenceID: SequenceID?
    /// The refused message that this one replaces.
    public var replaces: MessageID?
    /// The message that replaces this one.
    public var replacedBy: MessageID?
    /// When it was enqueued.
    public let enqueuedAt: Date
    /// The earliest time of the next attempt, which may be in the past; nil without a waiting time.
    public var notBefore: Date?

    /// An entry of a message that never failed.
    public init(
        messageID: MessageID,
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

    /// The word before the colon of ``reason``: a code of `APIError`, of `XChatError`, or `stale_key`.
    public var code: String? {
        reason.map { String($0.prefix { $0 != ":" }) }
    }

    /// Whether the message is a dead letter because a newer key would give it to users who could not read it when it
    /// was encrypted.
    ///
    /// ``Outbox/retry(_:allowing:)`` sends it to them, ``Outbox/drop(_:)`` discards it.
    public var isHeld: Bool {
        state == .deadLetter
            && code.map { $0.utf8.elementsEqual(XChatError.Code.membersChanged.rawValue.utf8) } ?? false
    }

    /// The users who could read the message if it were encrypted again now, and could not before.
    ///
    /// - Parameter session: A session that has read the conversation's history up to now.
    /// - Returns: All other members of the group where ``readers`` is nil; nil where the session does not know the
    ///   members.
    public func newReaders(in session: Session) -> Set<UserID>? {
        session.readers(of: conversationID)?.subtracting(readers ?? [session.userID])
    }
}
