public import XChatEvents

/// An event that was accepted: its signature verified, or it is of a kind that is never signed.
public struct Event: Hashable, Sendable {
    /// Envelope and detail as they were received.
    ///
    /// Sequence ids, timestamps, relay fields, `should_notify` and the ttl of
    /// a message are the server's word: no signature covers them.
    public let received: MessageEvent
    /// True if the sender's signature verified; false only for the kinds that are never signed.
    public let isVerified: Bool
    /// The decrypted contents of a message; nil for every other kind.
    public let contents: MessageEntryHolder?
}
