public import XChatEvents

extension SealedMessage {
    /// Reads a sealed message back from the parts that a store kept: an outbox sends the same bytes again.
    ///
    /// Nothing is decrypted, and the signature is not verified.
    /// - Parameters:
    ///   - messageID: ``messageID``.
    ///   - senderID: The user who sealed it.
    ///   - conversationID: ``conversationID``.
    ///   - encodedMessageCreateEvent: ``encodedMessageCreateEvent``, kept as it is.
    ///   - encodedMessageEventSignature: ``encodedMessageEventSignature``, kept as it is.
    ///   - readers: ``readers``; nil where they are not known.
    /// - Throws: `malformed` for parts that are no message and signature, `unencrypted` for a message without a key
    ///   version.
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
