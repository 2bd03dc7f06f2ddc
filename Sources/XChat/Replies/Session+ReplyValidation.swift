import XChatEvents

extension Session {
    /// Judges a reply preview; nil where it embeds no event to judge it by.
    func validation(of preview: ReplyingToPreview, conversationID: WireString?) -> ReplyValidation? {
        guard let original = preview.rawEventMessageCreate else { return nil }
        var flaw: String?
        do throws(Flaw) {
            try check(preview, against: original, conversationID: conversationID)
        } catch {
            flaw = error.reason
        }
        return ReplyValidation(flaw: flaw, uncheckedClaims: preview.uncheckedClaims)
    }

    private func check(
        _ preview: ReplyingToPreview,
        against encoded: Encoded<MessageEvent>,
        conversationID: WireString?
    ) throws(Flaw) {
        let keys = deliveredKeys(in: preview.rawEventCkces ?? [])
        let original = try quoted(encoded, "the original", in: conversationID)
        let message: MessageContents
        do {
            message = try quotedText(of: original, keys: keys)
        } catch {
            throw Flaw("the original: \(error)")
        }
        try require(preview.senderID.map { WireString(String($0)) }, equals: original.senderID, "sender_id")
        try require(preview.replyingToMessageID, equals: original.messageID, "replying_to_message_id")
        try require(
            preview.replyingToMessageSequenceID,
            equals: original.sequenceID,
            "replying_to_message_sequence_id"
        )
        var text = message.messageText
        var entities = message.entities
        if let encoded = preview.rawEventEditMessage {
            let edit = try checkedEdit(encoded, of: original, keys: keys, in: conversationID)
            text = edit.updatedText
            entities = edit.entities
        }
        if let claimed = preview.messageText, !(text ?? "").utf8.starts(with: claimed.utf8) {
            throw Flaw("message_text is not the beginning of the quoted text")
        }
        // As sets: both lists can have 10,000 elements.
        guard Set(entities ?? []).isSuperset(of: preview.entities ?? []) else {
            throw Flaw("entities has one that the quoted message has not")
        }
        guard Set(message.attachments ?? []).isSuperset(of: preview.attachments ?? []) else {
            throw Flaw("attachments has one that the quoted message has not")
        }
    }

    private func checkedEdit(
        _ encoded: Encoded<MessageEvent>,
        of original: MessageEvent,
        keys: [KeyVersion: [ConversationKey]],
        in conversationID: WireString?
    ) throws(Flaw) -> MessageEdit {
        let event = try quoted(encoded, "the edit", in: conversationID)
        guard event.senderID == original.senderID else { throw Flaw("the edit is not by the author of the original") }
        let edit: MessageEdit
        do {
            edit = try quotedEdit(of: event, keys: keys)
        } catch {
            throw Flaw("the edit: \(error)")
        }
        // An edit names its message by nothing but the sequence id, and that of an embedded event is the replier's word. So
        // this finds out mistakes and not lies: an edit by the author of any of his messages can be made to pass.
        guard let target = edit.messageSequenceID, target == original.sequenceID else {
            throw Flaw("the edit is of another message")
        }
        return edit
    }

    private func quoted(
        _ encoded: Encoded<MessageEvent>,
        _ what: String,
        in conversationID: WireString?
    ) throws(Flaw) -> MessageEvent {
        let event: MessageEvent
        do {
            event = try encoded.decoded()
        } catch {
            throw Flaw("\(what): \(error)")
        }
        guard event.conversationID != nil, event.conversationID == conversationID else {
            throw Flaw("\(what) is of another conversation")
        }
        guard event.senderID != nil else { throw Flaw("\(what) has no sender") }
        return event
    }

    private func require(_ claim: WireString?, equals truth: WireString?, _ name: String) throws(Flaw) {
        guard claim == nil || claim == truth else { throw Flaw("\(name) is not that of the original") }
    }
}

private struct Flaw: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}

extension ReplyingToPreview {
    /// What is claimed and what neither the original nor its signature says.
    fileprivate var uncheckedClaims: [String] {
        let claims: [(String, Bool)] = [
            ("sender_display_name", senderDisplayName != nil),
            ("replying_to_message_sequence_id", replyingToMessageSequenceID != nil),
            ("raw_event_edit_message", rawEventEditMessage != nil),
            ("av_call_card", avCallCard != nil),
            ("replying_to_attachment_id", replyingToAttachmentID != nil),
        ]
        return claims.filter(\.1).map(\.0)
    }
}
