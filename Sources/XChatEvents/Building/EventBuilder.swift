/// Builds events of one sender in one conversation, ready to be signed.
public struct EventBuilder: Hashable, Sendable {
    /// The id of the event, unique per action.
    public var messageID: MessageID
    /// The user who signs.
    public var senderID: UserID
    /// The conversation.
    public var conversationID: ConversationID

    /// Makes a builder.
    ///
    /// - Parameters:
    ///   - messageID: the id of the event; a fresh one unless given.
    ///   - senderID: the user who signs.
    ///   - conversationID: the conversation, in canonical form.
    public init(messageID: MessageID = .random(), senderID: UserID, conversationID: ConversationID) {
        self.messageID = messageID
        self.senderID = senderID
        self.conversationID = conversationID
    }

    /// The event in which `detail` happens, and the text to sign for it, of the current version.
    ///
    /// - Parameter detail: what happens.
    /// - Returns: the event without a signature.
    /// - Throws: `comma`, `missing` and so on, naming the field that has no place in a signed text.
    public func event(_ detail: MessageEventDetail) throws(PayloadError) -> UnsignedEvent {
        try UnsignedEvent(
            MessageEvent(
                messageID: messageID,
                senderID: senderID,
                conversationID: conversationID.text,
                detail: detail
            )
        )
    }
}

/// An event that waits for its signature, and is used up by it.
public struct UnsignedEvent: ~Copyable, Sendable {
    /// The event, without a signature.
    public private(set) var event: MessageEvent
    /// The text to sign.
    public let payload: SignedPayload

    fileprivate init(_ event: MessageEvent) throws(PayloadError) {
        payload = try SignedPayload(of: event)
        self.event = event
    }

    /// The event with its signature.
    ///
    /// - Parameters:
    ///   - signature: the raw signature over the signed text; written as base64 without padding.
    ///   - publicKeyVersion: the version under which the signing key is registered.
    /// - Returns: the event as recipients get it, but for what the server adds.
    public consuming func signed(_ signature: [UInt8], publicKeyVersion: KeyVersion) -> MessageEvent {
        event.messageEventSignature = MessageEventSignature(
            signature: WireString(Base64.encode(signature, padding: false)),
            publicKeyVersion: publicKeyVersion,
            signatureVersion: WireString(SignatureVersion.current.description)
        )
        return event
    }
}
