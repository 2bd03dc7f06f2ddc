import LibSodium
public import XChatEvents

/// A message, encrypted and signed once.
///
/// A retry sends the same bytes, so it is idempotent; sealing again would create a second message.
public struct SealedMessage: Hashable, Sendable {
    /// The UUID that is signed with the message.
    public let messageID: MessageID
    /// The canonical conversation id.
    public let conversationID: ConversationID
    /// The version of the conversation key that sealed it.
    public let conversationKeyVersion: KeyVersion
    /// Padded base64 of the Thrift `MessageCreateEvent`: the ciphertext and its key version.
    public let encodedMessageCreateEvent: String
    /// Padded base64 of the Thrift `MessageEventSignature`.
    public let encodedMessageEventSignature: String
    /// The event that a recipient gets, without what the server adds to it.
    public let event: MessageEvent
    /// The users who could read the message when it was sealed: both users of a 1:1, the present members of a group.
    ///
    /// Nil for a group whose members are not known.
    public let readers: Set<UserID>?
}

extension Session {
    /// The users who can read a message that is encrypted for a conversation now; nil for a group whose members are not
    /// known.
    public func readers(of conversation: ConversationID) -> Set<UserID>? {
        if let (first, second) = conversation.participants { return [first, second] }
        return memberships[conversation]?.present
    }

    /// Encrypts and signs a message, a reaction or an edit.
    ///
    /// - Parameters:
    ///   - draft: The contents to send.
    ///   - conversation: The canonical conversation id.
    ///   - keyVersion: The conversation key to use; by default the newest accepted one.
    /// - Returns: The message for the send endpoint.
    /// - Throws: `not_unlocked`; the errors of ``encryptingVersion(in:)`` if no key may be used to encrypt;
    ///   `invalid_argument` for an invalid draft; `too_large` for a draft over the limits that recipients apply (10 MiB
    ///   of text, about 12 MiB for the whole message); `not_representable` for an id with a comma; for a reply to an
    ///   event also the reason why that event cannot be quoted.
    public func seal(
        _ draft: Draft,
        in conversation: ConversationID,
        keyVersion: KeyVersion? = nil
    ) throws(XChatError) -> SealedMessage {
        let signer = try signer()
        let (version, key) = try encryptingKey(in: conversation, version: keyVersion)
        let contents = try contents(of: draft, in: conversation, keyVersion: version)
        let create = MessageCreateEvent(
            conversationKeyVersion: version,
            shouldNotify: draft.shouldNotify,
            ttlMsec: draft.ttlMsec
        )
        return try seal(MessageEntryHolder(contents: contents), as: create, in: conversation, key: key, by: signer)
    }

    /// The maximum length of the contents in bytes: of ``MessageEvent/maximumEncodedBytes``, base64 takes a quarter and
    /// the envelope less than 64 KiB.
    private static let maximumContentsBytes = MessageEvent.maximumEncodedBytes / 4 * 3 - 64 * 1024

    /// Encrypts contents under a key and signs them as a message with a new id; `create` holds the other values of the
    /// message.
    func seal(
        _ contents: MessageEntryHolder,
        as create: MessageCreateEvent,
        in conversation: ConversationID,
        key: ConversationKey,
        by signer: Signer
    ) throws(XChatError) -> SealedMessage {
        var plaintext = contents.encoded()
        defer { Sodium.wipe(&plaintext) }
        guard plaintext.count <= Self.maximumContentsBytes else {
            throw XChatError(
                .tooLarge,
                "the contents with the quotation have \(plaintext.count) bytes, over the limit of "
                    + "\(Self.maximumContentsBytes) bytes: shorten the text, or send it as an attachment"
            )
        }
        var create = create
        create.contents = try key.seal(plaintext)
        let messageID = MessageID.random()
        let builder = EventBuilder(messageID: messageID, senderID: userID, conversationID: conversation)
        let unsigned = try builder.build(.messageCreateEvent(create))
        let text = unsigned.payload.bytes
        let signature = try signer.keys.keys.sign(text.span)
        let event = unsigned.signed(signature, publicKeyVersion: signer.version)
        return SealedMessage(
            messageID: messageID,
            conversationID: conversation,
            conversationKeyVersion: create.conversationKeyVersion ?? "",
            encodedMessageCreateEvent: Base64.encode(create.encoded()),
            encodedMessageEventSignature: Base64.encode(event.messageEventSignature?.encoded() ?? []),
            event: event,
            readers: readers(of: conversation)
        )
    }

    private func contents(
        of draft: Draft,
        in conversation: ConversationID,
        keyVersion: KeyVersion
    ) throws(XChatError) -> MessageEntryContents {
        try draft.validate()
        switch draft {
        case .message(let message):
            var preview: ReplyingToPreview?
            if let reply = message.reply {
                preview = try self.preview(for: reply, in: conversation, keyVersion: keyVersion)
            }
            return .message(
                MessageContents(
                    messageText: WireString(message.text),
                    entities: message.entities,
                    attachments: message.attachments,
                    replyingToPreview: preview,
                    forwardedMessage: message.forwardedMessage,
                    sentFrom: message.sentFrom,
                    quickReply: message.quickReply,
                    ctas: message.ctas
                )
            )
        case .addReaction(let reaction):
            return .reactionAdd(
                MessageReactionAdd(
                    messageSequenceID: reaction.target,
                    emoji: WireString(reaction.emoji),
                    messageAttachmentID: reaction.attachmentID
                )
            )
        case .removeReaction(let reaction):
            return .reactionRemove(
                MessageReactionRemove(
                    messageSequenceID: reaction.target,
                    emoji: WireString(reaction.emoji),
                    messageAttachmentID: reaction.attachmentID
                )
            )
        case .edit(let edit):
            return .messageEdit(
                MessageEdit(
                    messageSequenceID: edit.target,
                    updatedText: WireString(edit.text),
                    entities: edit.entities
                )
            )
        }
    }

}

extension EventBuilder {
    func build(_ detail: MessageEventDetail) throws(XChatError) -> UnsignedEvent {
        do {
            return try event(detail)
        } catch {
            throw XChatError(.notRepresentable, "\(error)")
        }
    }
}
