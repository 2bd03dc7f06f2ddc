/// Whether the preview in a reply is true to the message that it quotes (section 13 of the protocol).
///
/// It is absent where the preview embeds no event: then everything in it is the sender's claim.
public struct ReplyValidation: Hashable, Sendable {
    /// Why the preview is not to be believed; nil if every claim that can be checked holds.
    public let flaw: String?
    /// The members of the preview, in X's names, that are there and that nothing vouches for.
    ///
    /// A display name belongs to the profile, not to the preview; sequence ids are the server's word.
    public let uncheckedClaims: [String]

    /// Whether every claim that can be checked holds.
    public var isValid: Bool { flaw == nil }
}
