import XChatEvents

extension Session {
    /// Validates a reply preview; nil if it embeds no event to compare it with.
    func validation(of preview: ReplyingToPreview, conversationID: WireString?) -> ReplyValidation? {
        guard let original = preview.rawEventMessageCreate else { return nil }
        var failure: String?
        do {
            let quotedMessage = try quotedMessage(
                of: original,
                edit: preview.rawEventEditMessage,
                keyChanges: preview.rawEventCkces ?? [],
                in: conversationID
            )
            failure = preview.claim(contradicting: quotedMessage)
        } catch {
            failure = error.description
        }
        return ReplyValidation(failure: failure, uncheckedClaims: preview.uncheckedClaims)
    }
}

extension ReplyingToPreview {
    /// Describes the first claim that the quoted message contradicts; nil if it contradicts none.
    func claim(contradicting quotedMessage: QuotedMessage) -> String? {
        let ids: [(claim: WireString?, truth: WireString?, name: String)] = [
            (senderID.map { WireString(String($0)) }, quotedMessage.original.senderID?.text, "sender_id"),
            (replyingToMessageID?.text, quotedMessage.original.messageID?.text, "replying_to_message_id"),
            (
                replyingToMessageSequenceID?.text, quotedMessage.original.sequenceID?.text,
                "replying_to_message_sequence_id"
            ),
        ]
        if let id = ids.first(where: { $0.claim != nil && $0.claim != $0.truth }) {
            return "\(id.name) differs from that of the original"
        }
        if let messageText, !(quotedMessage.text ?? "").utf8.starts(with: messageText.utf8) {
            return "message_text is not the beginning of the quoted text"
        }
        // As sets: both lists can have 10,000 elements.
        guard Set(quotedMessage.entities ?? []).isSuperset(of: entities ?? []) else {
            return "entities contains one that the quoted message does not have"
        }
        guard Set(quotedMessage.attachments ?? []).isSuperset(of: attachments ?? []) else {
            return "attachments contains one that the quoted message does not have"
        }
        return nil
    }

    /// The members that are present and that neither the original nor its signature can confirm.
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
