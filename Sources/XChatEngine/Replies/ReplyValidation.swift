/// Whether the preview in a reply agrees with the message that it quotes: `docs/protocol.md`, "Replies".
///
/// It is absent where the preview embeds no event: then everything in it is the sender's claim.
public struct ReplyValidation: Hashable, Sendable {
    /// Why the preview is not to be believed; nil if every claim that can be checked holds.
    public let failure: String?
    /// The members of the preview, in X's names, that are there and that nothing vouches for.
    ///
    /// A display name belongs to the profile, not to the preview. Sequence ids are the server's word, and in an
    /// embedded event the replier's. So an embedded edit (`raw_event_edit_message`) is certainly by the author of the
    /// quoted message and of its conversation, but whether it is of that very message only those can tell who have the
    /// message: its message id is signed, and the edit has to name the sequence id that the server gave with it.
    public let uncheckedClaims: [String]

    /// Whether every claim that can be checked holds.
    public var isValid: Bool { failure == nil }
}
