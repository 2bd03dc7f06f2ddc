import XChatEvents

/// What there is to quote of a message: its events verified and opened.
struct QuotedMessage {
    /// The quoted message; its sequence id and the like are not signed.
    let original: MessageEvent
    /// The text of the edit, where there is one.
    let text: WireString?
    /// The entities of the edit, where there is one.
    let entities: [RichTextEntity]?
    /// Always those of the original: an edit has none.
    let attachments: [MessageAttachment]?
}

extension Session {
    /// Verifies and opens a text message of a conversation and, where there is one, an edit of it by its author.
    func quotedMessage(
        of original: Encoded<MessageEvent>,
        edit: Encoded<MessageEvent>?,
        keyChanges: [Encoded<MessageEvent>],
        in conversationID: WireString?
    ) throws(XChatError) -> QuotedMessage {
        let quoted = try self.quoted(original, "the original", keyChanges: keyChanges, in: conversationID)
        guard case .message(let message) = quoted.contents else {
            throw XChatError(.unsupported, "the original is not a text message")
        }
        var (text, entities) = (message.messageText, message.entities)
        if let edit {
            let change = try self.quoted(edit, "the edit", keyChanges: keyChanges, in: conversationID)
            guard change.event.senderID == quoted.event.senderID else {
                throw XChatError(.inconsistent, "the edit is not by the author of the original")
            }
            guard case .messageEdit(let edit) = change.contents else {
                throw XChatError(.unsupported, "the edit is not an edit")
            }
            // An edit names its message by nothing but the sequence id, and that of an embedded event is the replier's
            // word. So this finds out mistakes and not lies: an edit by the author of any of his messages can be made
            // to pass.
            guard let target = edit.messageSequenceID, target == quoted.event.sequenceID else {
                throw XChatError(.inconsistent, "the edit is of another message")
            }
            (text, entities) = (edit.updatedText, edit.entities)
        }
        return QuotedMessage(original: quoted.event, text: text, entities: entities, attachments: message.attachments)
    }

    /// Verifies and opens a quoted message.
    ///
    /// A signed one without encryption is taken too: it is quoted, not received.
    private func quoted(
        _ encoded: Encoded<MessageEvent>,
        _ what: String,
        keyChanges: [Encoded<MessageEvent>],
        in conversationID: WireString?
    ) throws(XChatError) -> (event: MessageEvent, contents: MessageEntryContents?) {
        let event: MessageEvent
        do {
            event = try encoded.decoded()
        } catch {
            throw XChatError(error, as: .notAnEvent, in: what)
        }
        guard event.conversationID != nil, event.conversationID == conversationID else {
            throw XChatError(.inconsistent, "\(what) is of another conversation")
        }
        guard case .messageCreateEvent(let create) = event.detail, create.contents != nil else {
            throw XChatError(.unsupported, "\(what) is not a message")
        }
        do {
            _ = try signature(of: event)
            try requireAuthorship(of: event)
            let (holder, _) = try contents(of: create, in: event) { deliveredKeys(in: keyChanges, version: $0) }
            return (event, holder.contents)
        } catch {
            throw XChatError(error.code, "\(what): \(error.message)")
        }
    }

    /// The keys of a version that embedded key changes deliver to us.
    ///
    /// They need no signature: what they open does. One change brings the key of a version; of more than a few the rest
    /// is there to keep us busy.
    private func deliveredKeys(in keyChanges: [Encoded<MessageEvent>], version: KeyVersion) -> [ConversationKey] {
        var keys: [ConversationKey] = []
        var tried = 0
        for encoded in keyChanges where tried < KeyRing.maximumPerVersion {
            guard let event = try? encoded.decoded(), case .conversationKeyChangeEvent(let change) = event.detail,
                change.conversationKeyVersion == version
            else { continue }
            tried += 1
            if let key = deliveredKey(in: change) { keys.append(key) }
        }
        return keys
    }
}
