public import XChatEvents

/// The contents that can be encrypted and sent.
public enum Draft: Hashable, Sendable {
    /// A text message, which can have attachments, a reply preview and more.
    case message(MessageDraft)
    /// A reaction to a message.
    case addReaction(ReactionDraft)
    /// The removal of a reaction.
    case removeReaction(ReactionDraft)
    /// A new text for a message of this account.
    case edit(EditDraft)

    /// Creates a draft with only a text.
    ///
    /// - Parameter text: The text; it may be empty.
    /// - Returns: The draft.
    public static func text(_ text: String) -> Draft {
        .message(MessageDraft(text))
    }
}

/// A text message, with entities, attachments, a reply preview and the rest.
///
/// A list that is nil is not written, and an empty list is written as an empty list: the two differ on the wire.
public struct MessageDraft: Hashable, Sendable {
    /// The text; it may be empty.
    public var text: String
    /// Links, mentions and the like.
    public var entities: [RichTextEntity]?
    /// Media, a link card or a post.
    public var attachments: [MessageAttachment]?
    /// The message that this one answers.
    public var reply: ReplyTarget?
    /// A choice offered to the recipient, or the choice made.
    public var quickReply: QuickReply?
    /// A message that this one forwards.
    public var forwardedMessage: ForwardedMessage?
    /// Buttons with links.
    public var ctas: [CallToAction]?
    /// The part of the app that the message was written in.
    public var sentFrom: SentFromSurface?
    /// Whether the recipients' devices should show a notification; the server can change it, because the signature does
    /// not cover it.
    public var shouldNotify: Bool
    /// The time in milliseconds after which the message disappears; the server can change it, because the signature
    /// does not cover it.
    public var ttlMsec: Int64?

    /// Creates a draft; set the other properties afterwards.
    public init(
        _ text: String,
        entities: [RichTextEntity]? = nil,
        attachments: [MessageAttachment]? = nil,
        reply: ReplyTarget? = nil,
        shouldNotify: Bool = true,
        ttlMsec: Int64? = nil
    ) {
        self.text = text
        self.entities = entities
        self.attachments = attachments
        self.reply = reply
        self.shouldNotify = shouldNotify
        self.ttlMsec = ttlMsec
    }
}

/// A reaction to a message.
public struct ReactionDraft: Hashable, Sendable {
    /// The sequence id of the message, as the server gave it.
    public var target: SequenceID
    /// The emoji; any text is allowed.
    public var emoji: String
    /// The attachment to react to, if the message has several.
    public var attachmentID: WireString?

    /// Creates a reaction.
    public init(_ emoji: String, to target: SequenceID, attachmentID: WireString? = nil) {
        self.emoji = emoji
        self.target = target
        self.attachmentID = attachmentID
    }
}

/// A new text for a message.
public struct EditDraft: Hashable, Sendable {
    /// The sequence id of the message, as the server gave it.
    public var target: SequenceID
    /// The new text.
    public var text: String
    /// The new entities; nil removes the entities of the original.
    public var entities: [RichTextEntity]?

    /// Creates an edit.
    public init(of target: SequenceID, text: String, entities: [RichTextEntity]? = nil) {
        self.target = target
        self.text = text
        self.entities = entities
    }
}

/// The message that a reply answers.
public enum ReplyTarget: Hashable, Sendable {
    /// The original as the server delivered it; the preview is made from it, and recipients can verify the preview.
    case event(ReplySource)
    /// Claims of the caller about the original; recipients cannot verify them.
    case claimed(ReplyClaims)
}

/// The message that a reply answers, with the events needed to read it.
public struct ReplySource: Hashable, Sendable {
    /// The original event; its bytes are embedded unchanged.
    public var original: Encoded<MessageEvent>
    /// The event that last edited it.
    public var edit: Encoded<MessageEvent>?
    /// The key change events that deliver the keys of the original and of the edit.
    ///
    /// Those of other versions than the reply's own are embedded; recipients of the reply have the key of its version.
    public var keyChanges: [Encoded<MessageEvent>] = []
    /// Values for the preview that replace those of the original.
    public var overrides = ReplyClaims()

    /// Creates the source of a reply to an event.
    public init(_ original: Encoded<MessageEvent>) {
        self.original = original
    }
}

/// The members of a reply preview.
public struct ReplyClaims: Hashable, Sendable {
    /// The original's sequence id.
    public var sequenceID: SequenceID?
    /// The original's sender.
    public var senderID: Int64?
    /// The original's text, or the beginning of it.
    public var text: String?
    /// Some of the original's entities.
    public var entities: [RichTextEntity]?
    /// Some of the original's attachments.
    public var attachments: [MessageAttachment]?

    /// Creates a value without claims; set the known properties afterwards.
    public init() {}
}
