public import XChatEngine
public import XChatEvents
import XChatHTTP

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
        /// It stays until it is retried or dropped by hand; later messages of the conversation went on. See
        /// ``OutboxEntry/isHeld`` for a message that waits for a decision about its readers.
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
    /// Who could read the message when it was sealed, and those who were allowed since; nil where that is not known.
    public var readers: Set<UserID>?
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

    /// The word before the colon of ``reason``: a code of ``APIError``, of ``XChatError``, or `stale_key`.
    public var code: String? {
        reason.map { String($0.prefix { $0 != ":" }) }
    }

    /// Whether the message is set aside because a newer key would give it to people who could not read it when it was
    /// sealed.
    ///
    /// ``Outbox/retry(_:allowing:)`` sends it to them, ``Outbox/drop(_:)`` discards it.
    public var isHeld: Bool {
        state == .setAside && code.map { $0.utf8.elementsEqual(XChatError.Code.membersChanged.rawValue.utf8) } ?? false
    }

    /// Who would read the message if it were encrypted again now, and could not when it was sealed.
    ///
    /// - Parameter session: A session that has read the conversation's history up to now.
    /// - Returns: All other members of the group where ``readers`` is nil; nil where the session does not know the members.
    public func newReaders(in session: Session) -> Set<UserID>? {
        session.readers(of: conversationID)?.subtracting(readers ?? [session.userID])
    }
}
