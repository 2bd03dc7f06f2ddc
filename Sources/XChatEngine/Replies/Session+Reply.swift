import XChatEvents

extension Session {
    /// Makes the preview of the message that a reply answers.
    ///
    /// A preview made from an event is validated as its recipients will validate it; a preview that they would not
    /// trust is an error.
    func preview(
        for target: ReplyTarget,
        in conversation: ConversationID,
        keyVersion: KeyVersion
    ) throws(XChatError) -> ReplyingToPreview {
        switch target {
        case .claimed(let claims):
            guard let sequenceID = claims.sequenceID, !sequenceID.isEmpty else {
                throw XChatError(.invalidArgument, "a reply needs the event or the sequence id of the original")
            }
            return ReplyingToPreview(
                senderID: claims.senderID,
                messageText: claims.text.map { WireString($0) },
                entities: claims.entities,
                attachments: claims.attachments,
                replyingToMessageSequenceID: sequenceID
            )
        case .event(let source):
            return try preview(of: source, in: conversation, keyVersion: keyVersion)
        }
    }

    private func preview(
        of source: ReplySource,
        in conversation: ConversationID,
        keyVersion: KeyVersion
    ) throws(XChatError) -> ReplyingToPreview {
        let quotedMessage = try quotedMessage(
            of: source.original,
            edit: source.edit,
            keyChanges: source.keyChanges,
            in: conversation.text
        )
        let original = quotedMessage.original
        guard let sequenceID = source.overrides.sequenceID ?? original.sequenceID else {
            throw XChatError(.invalidArgument, "reply_to_event has no sequence_id; set the sequence id of the original")
        }
        let embedded = try keyChanges(source.keyChanges, besides: keyVersion)
        let preview = ReplyingToPreview(
            senderID: source.overrides.senderID ?? original.senderID?.i64,
            messageText: source.overrides.text.map { WireString($0) } ?? quotedMessage.text,
            entities: source.overrides.entities ?? quotedMessage.entities,
            attachments: source.overrides.attachments ?? quotedMessage.attachments,
            replyingToMessageSequenceID: sequenceID,
            replyingToMessageID: original.messageID,
            rawEventMessageCreate: source.original,
            rawEventEditMessage: source.edit,
            rawEventCkces: embedded.isEmpty ? nil : embedded
        )
        if let claim = preview.claim(contradicting: quotedMessage) {
            throw XChatError(
                .inconsistent,
                "recipients would not trust the preview of the reply: \(claim); correct or omit that value"
            )
        }
        return preview
    }

    /// Selects the key change events of other versions than the reply's own: the recipients of the reply already have
    /// the key of its own version.
    private func keyChanges(
        _ encoded: [Encoded<MessageEvent>],
        besides keyVersion: KeyVersion
    ) throws(XChatError) -> [Encoded<MessageEvent>] {
        var keyChanges: [Encoded<MessageEvent>] = []
        for (index, encoded) in encoded.enumerated() {
            let event: MessageEvent
            do {
                event = try encoded.decoded()
            } catch {
                throw XChatError(error, as: .notAnEvent, in: "reply_to_ckces[\(index)]")
            }
            guard case .conversationKeyChangeEvent(let change) = event.detail,
                change.conversationKeyVersion != keyVersion
            else { continue }
            keyChanges.append(encoded)
        }
        return keyChanges
    }
}
