public import XChatEvents

extension SealedMessage {
    /// Restores a sealed message from its stored parts, so that an outbox can send the same bytes again.
    ///
    /// Nothing is decrypted, and the signature is not verified.
    /// - Parameters:
    ///   - messageID: ``messageID``.
    ///   - senderID: The user who sealed it.
    ///   - conversationID: ``conversationID``.
    ///   - encodedMessageCreateEvent: ``encodedMessageCreateEvent``, which is kept unchanged.
    ///   - encodedMessageEventSignature: ``encodedMessageEventSignature``, which is kept unchanged.
    ///   - readers: ``readers``; nil if they are not known.
    /// - Throws: `malformed` for parts that do not decode to a message and a signature, `unencrypted` for a message
    ///   without a key version.
    public init(
        messageID: MessageID,
        senderID: UserID,
        conversationID: ConversationID,
        encodedMessageCreateEvent: String,
        encodedMessageEventSignature: String,
        readers: Set<UserID>? = nil
    ) throws(XChatError) {
        let create: MessageCreateEvent
        let signature: MessageEventSignature
        do {
            create = try MessageCreateEvent(decoding: Base64.decode(encodedMessageCreateEvent))
        } catch {
            throw XChatError(error, as: .malformed, in: "encoded_message_create_event")
        }
        do {
            signature = try MessageEventSignature(decoding: Base64.decode(encodedMessageEventSignature))
        } catch {
            throw XChatError(error, as: .malformed, in: "encoded_message_event_signature")
        }
        guard let keyVersion = create.conversationKeyVersion else {
            throw XChatError(.unencrypted, "the message is not encrypted")
        }
        self.init(
            messageID: messageID,
            conversationID: conversationID,
            conversationKeyVersion: keyVersion,
            encodedMessageCreateEvent: encodedMessageCreateEvent,
            encodedMessageEventSignature: encodedMessageEventSignature,
            event: MessageEvent(
                messageID: messageID,
                senderID: senderID,
                conversationID: conversationID.text,
                detail: .messageCreateEvent(create),
                messageEventSignature: signature
            ),
            readers: readers
        )
    }
}
