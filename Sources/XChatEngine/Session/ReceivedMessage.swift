public import XChatEvents

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A verified and decrypted message, with direct access to the values that most programs need.
///
/// All other values are in ``contents`` and ``event``.
public struct ReceivedMessage: Hashable, Sendable {
    /// The event that brought the message.
    public let event: Event
    /// The contents: text, entities, attachments, buttons.
    public let contents: MessageContents
    /// The user who signed the message.
    public let sender: UserID
    /// The canonical id of the conversation that the sender signed it for.
    public let conversation: ConversationID
    /// The id that the sender gave the message.
    ///
    /// A sender can sign two messages under one id; see ``Event/Mark/sameID`` and ``Event/digest``.
    public let id: MessageID

    /// The message of an event; nil for every other kind of event.
    init?(_ event: Event) {
        guard event.isVerified, case .message(let contents) = event.contents?.contents,
            let sender = event.received.senderID, let conversation = event.received.canonicalConversationID,
            let id = event.received.messageID
        else { return nil }
        (self.event, self.contents, self.sender, self.conversation, self.id) = (
            event, contents, sender, conversation, id
        )
    }
}

extension ReceivedMessage {
    /// The text; nil for a message without one, such as an attachment alone.
    public var text: String? { contents.messageText?.string }

    /// The attachments, in their order.
    public var attachments: [MessageAttachment] { contents.attachments ?? [] }

    /// The id under which the server lists the message in its conversation; reactions, edits and replies name it.
    ///
    /// The server assigns the sequence id, and no signature covers it.
    public var sequenceID: SequenceID? { event.received.sequenceID }

    /// When the server received the message, to the millisecond.
    ///
    /// The server sets the time, and no signature covers it. Nil if the server gives no time, or one that is not a
    /// number of milliseconds since 1970.
    public var sentAt: Date? {
        guard let milliseconds = event.received.createdAtMsec?.number else { return nil }
        return Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    /// The message that this one answers, as its sender quotes it; nil if it is not a reply.
    ///
    /// The quotation is only the sender's claim, except for what ``replyValidation`` confirms.
    public var replyTo: ReplyingToPreview? { contents.replyingToPreview }

    /// Whether the quotation agrees with the message that it quotes; nil if it embeds no event to check.
    public var replyValidation: ReplyValidation? { event.replyValidation }

    /// The restrictions of the trust in the message although its signature verified; empty for most messages.
    public var marks: Set<Event.Mark> { event.marks }
}

extension Event {
    /// The message that the event brought; nil for every other kind, such as an edit, a reaction or a key change.
    public var message: ReceivedMessage? { ReceivedMessage(self) }
}
