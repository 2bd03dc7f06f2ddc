/// Builds events of one sender in one conversation, ready to be signed.
public struct EventBuilder: Hashable, Sendable {
    /// The id of the event; every action needs a new one.
    public var messageID: MessageID
    /// The user who signs.
    public var senderID: UserID
    /// The conversation.
    public var conversationID: ConversationID

    /// Makes a builder.
    ///
    /// - Parameters:
    ///   - messageID: the id of the event; a new random id by default.
    ///   - senderID: the user who signs.
    ///   - conversationID: the conversation, in canonical form.
    public init(messageID: MessageID = .random(), senderID: UserID, conversationID: ConversationID) {
        self.messageID = messageID
        self.senderID = senderID
        self.conversationID = conversationID
    }

    /// Makes an unsigned event with this detail, and the text to sign, in the current version of the signed text.
    ///
    /// - Parameter detail: the action that the event records, such as a message or a change of a group.
    /// - Returns: the event without a signature.
    /// - Throws: ``PayloadError`` if the event has no signed text; it names the field.
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

/// An event without a signature.
///
/// ``signed(_:publicKeyVersion:)`` consumes the event, so the compiler prevents a second signature.
public struct UnsignedEvent: ~Copyable, Sendable {
    /// The event, without a signature.
    public private(set) var event: MessageEvent
    /// The text to sign.
    public let payload: SignedPayload

    fileprivate init(_ event: MessageEvent) throws(PayloadError) {
        payload = try SignedPayload(of: event)
        self.event = event
    }

    /// Adds the signature to the event.
    ///
    /// - Parameters:
    ///   - signature: the raw signature over the signed text; the event carries it as base64 without padding.
    ///   - publicKeyVersion: the version under which the signing key is registered.
    /// - Returns: the event as recipients get it, without the fields that the server adds.
    public consuming func signed(_ signature: [UInt8], publicKeyVersion: KeyVersion) -> MessageEvent {
        event.messageEventSignature = MessageEventSignature(
            signature: WireString(Base64.encode(signature, padding: false)),
            publicKeyVersion: publicKeyVersion,
            signatureVersion: WireString(SignatureVersion.current.description)
        )
        return event
    }
}
