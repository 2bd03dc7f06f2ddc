public import XChatEvents

/// What can be sealed and sent.
public enum Draft: Hashable, Sendable {
    /// A text with whatever goes with it.
    case message(MessageDraft)
    /// An emoji on a message.
    case addReaction(ReactionDraft)
    /// An emoji taken back.
    case removeReaction(ReactionDraft)
    /// A new text for an own message.
    case edit(EditDraft)

    /// A text and nothing else.
    ///
    /// - Parameter text: The text; it may be empty.
    /// - Returns: The draft.
    public static func text(_ text: String) -> Draft {
        .message(MessageDraft(text))
    }
}

/// A text message, with entities, attachments, a reply preview and the rest.
///
/// A list that is nil is not written, an empty one is written empty: the two differ on the wire.
public struct MessageDraft: Hashable, Sendable {
    /// The text; it may be empty.
    public var text: String
    /// Links, mentions and the like.
    public var entities: [RichTextEntity]?
    /// Media, a link card or a post.
    public var attachments: [MessageAttachment]?
    /// The message that this one answers.
    public var reply: ReplyTarget?
    /// A choice offered to the reader, or the choice made.
    public var quickReply: QuickReply?
    /// A message that this one passes on.
    public var forwardedMessage: ForwardedMessage?
    /// Buttons with links.
    public var ctas: [CallToAction]?
    /// The part of the app that the message was written in.
    public var sentFrom: SentFromSurface?
    /// Whether the recipients' devices are to notify; not covered by the signature.
    public var shouldNotify: Bool
    /// After how many milliseconds the message disappears; not covered by the signature.
    public var ttlMsec: Int64?

    /// A draft; the members take what is not named here.
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
    /// The emoji; any text.
    public var emoji: String
    /// The one attachment that is meant, where a message has several.
    public var attachmentID: WireString?

    /// A reaction.
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
    /// The new entities; nil clears them for the readers.
    public var entities: [RichTextEntity]?

    /// An edit.
    public init(of target: SequenceID, text: String, entities: [RichTextEntity]? = nil) {
        self.target = target
        self.text = text
        self.entities = entities
    }
}

/// The message that a reply answers.
public enum ReplyTarget: Hashable, Sendable {
    /// The original as the server delivered it: the preview is made from it, and its readers can verify the preview.
    case event(ReplySource)
    /// What the caller says about the original: no reader can verify it.
    case claimed(ReplyClaims)
}

/// A replied-to message with what it takes to read it.
public struct ReplySource: Hashable, Sendable {
    /// The original event; its bytes are embedded as they are.
    public var original: Encoded<MessageEvent>
    /// The event that last edited it.
    public var edit: Encoded<MessageEvent>?
    /// Key-change events that deliver the keys of both.
    ///
    /// Those of another version than the reply's own are embedded.
    public var keyChanges: [Encoded<MessageEvent>] = []
    /// What to say in the preview instead of what the original says.
    public var overrides = ReplyClaims()

    /// A reply to an event.
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

    /// No claim at all; the members take what is known.
    public init() {}
}
