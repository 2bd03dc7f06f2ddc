/// The result of comparing the preview in a reply with the message that it quotes: `docs/protocol.md`, "Replies".
///
/// There is no result if the preview embeds no event: then the whole preview is only the sender's claim.
public struct ReplyValidation: Hashable, Sendable {
    /// The reason why the preview cannot be trusted; nil if every claim that can be checked is true.
    public let failure: String?
    /// The members of the preview, under X's names, that are present and cannot be checked.
    ///
    /// A display name belongs to the profile of a user, not to an event. Sequence ids are not signed: the server
    /// assigns them, and the sender of a reply can change them in an embedded event. So an embedded edit
    /// (`raw_event_edit_message`) is proven to be by the author of the quoted message and in the same conversation, but
    /// not to be an edit of that message. A client that has the quoted message can check this: the message id is
    /// signed, and the edit has to name the sequence id under which the server delivered the message.
    public let uncheckedClaims: [String]

    /// Whether every claim that can be checked is true.
    public var isValid: Bool { failure == nil }
}
