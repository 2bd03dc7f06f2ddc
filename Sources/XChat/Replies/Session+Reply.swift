import XChatEvents

extension Session {
    /// The preview of the message that a reply answers.
    ///
    /// Made from an event, it is validated as its readers will: a reply that they would flag is refused here.
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
        let original = try decoded(source.original, "reply_to_event")
        var keyChanges: [(encoded: Encoded<MessageEvent>, version: KeyVersion?)] = []
        for (index, encoded) in source.keyChanges.enumerated() {
            let event = try decoded(encoded, "reply_to_ckces[\(index)]")
            guard case .conversationKeyChangeEvent(let change) = event.detail else { continue }
            keyChanges.append((encoded, change.conversationKeyVersion))
        }
        let delivered = deliveredKeys(in: source.keyChanges)
        let quoted = try quotedText(of: original, keys: delivered)
        var text = quoted.messageText
        var entities = quoted.entities
        if let encoded = source.edit {
            let edit = try quotedEdit(of: decoded(encoded, "reply_to_edit_event"), keys: delivered)
            text = edit.updatedText
            entities = edit.entities
        }
        guard let sequenceID = source.overrides.sequenceID ?? original.sequenceID else {
            throw XChatError(.invalidArgument, "reply_to_event carries no sequence_id")
        }
        let embedded = keyChanges.filter { $0.version != keyVersion }.map(\.encoded)
        let preview = ReplyingToPreview(
            senderID: source.overrides.senderID ?? original.senderID?.i64,
            messageText: source.overrides.text.map { WireString($0) } ?? text,
            entities: source.overrides.entities ?? entities,
            attachments: source.overrides.attachments ?? quoted.attachments,
            replyingToMessageSequenceID: sequenceID,
            replyingToMessageID: original.messageID,
            rawEventMessageCreate: source.original,
            rawEventEditMessage: source.edit,
            rawEventCkces: embedded.isEmpty ? nil : embedded
        )
        if let flaw = validation(of: preview, conversationID: conversation.value)?.flaw {
            throw XChatError(.inconsistent, "the reply would not be believed: \(flaw)")
        }
        return preview
    }

    private func decoded(_ encoded: Encoded<MessageEvent>, _ place: String) throws(XChatError) -> MessageEvent {
        do {
            return try encoded.decoded()
        } catch {
            throw XChatError(error, as: .notAnEvent, in: place)
        }
    }

    // MARK: Quoted events

    /// The keys that embedded key changes deliver to us, by version.
    ///
    /// They need no signature: what they open does.
    func deliveredKeys(in keyChanges: [Encoded<MessageEvent>]) -> [KeyVersion: [ConversationKey]] {
        var keys: [KeyVersion: [ConversationKey]] = [:]
        for encoded in keyChanges {
            guard let event = try? encoded.decoded(), case .conversationKeyChangeEvent(let change) = event.detail,
                let key = deliveredKey(in: change)
            else { continue }
            keys[change.conversationKeyVersion ?? "", default: []].append(key)
        }
        return keys
    }

    /// Verifies and opens a quoted message.
    ///
    /// A signed one without encryption is taken too: it is quoted, not received.
    func quotedContents(
        of event: MessageEvent,
        keys: [KeyVersion: [ConversationKey]]
    ) throws(XChatError) -> MessageEntryContents {
        guard case .messageCreateEvent(let create) = event.detail, create.contents != nil else {
            throw XChatError(.unsupported, "the quoted event is not a message")
        }
        try Verifier.verifySignature(of: event, keys: trustedKeys(of: event))
        try verifyMembership(of: event)
        let holder = try contents(of: create, in: event, furtherKeys: keys[create.conversationKeyVersion ?? ""] ?? [])
        guard let contents = holder.contents else { throw XChatError(.malformed, "the quoted message has no contents") }
        return contents
    }

    func quotedText(
        of event: MessageEvent,
        keys: [KeyVersion: [ConversationKey]]
    ) throws(XChatError) -> MessageContents {
        guard case .message(let message) = try quotedContents(of: event, keys: keys) else {
            throw XChatError(.unsupported, "the quoted event is not a text message")
        }
        return message
    }

    func quotedEdit(
        of event: MessageEvent,
        keys: [KeyVersion: [ConversationKey]]
    ) throws(XChatError) -> MessageEdit {
        guard case .messageEdit(let edit) = try quotedContents(of: event, keys: keys) else {
            throw XChatError(.unsupported, "the edit event is not an edit")
        }
        return edit
    }
}
