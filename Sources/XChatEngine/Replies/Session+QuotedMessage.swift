import XChatEvents

/// The parts of a message that a reply can quote; its events were verified and decrypted.
struct QuotedMessage {
    /// The quoted message; no signature covers its sequence id.
    let original: MessageEvent
    /// The text: that of the edit if there is one, otherwise that of the original.
    let text: WireString?
    /// The entities: those of the edit if there is one, otherwise those of the original.
    let entities: [RichTextEntity]?
    /// The attachments of the original; an edit has none.
    let attachments: [MessageAttachment]?
}

extension Session {
    /// Verifies and decrypts a text message of a conversation and, if given, an edit of it by its author.
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
                throw XChatError(.unsupported, "the event given as the edit is not an edit")
            }
            // An edit names its message only by the sequence id, and the sender of a reply can change the sequence id
            // of the embedded original. So this check detects mistakes but not lies: with a changed id, an edit of any
            // other message of the same author passes.
            guard let target = edit.messageSequenceID, target == quoted.event.sequenceID else {
                throw XChatError(.inconsistent, "the edit names another message than the original")
            }
            (text, entities) = (edit.updatedText, edit.entities)
        }
        return QuotedMessage(original: quoted.event, text: text, entities: entities, attachments: message.attachments)
    }

    /// Verifies and decrypts a quoted message.
    ///
    /// A signed message without encryption is accepted too, because it is only quoted.
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
            throw XChatError(.inconsistent, "\(what) belongs to another conversation")
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

    /// The keys of a version that embedded key change events deliver to this account.
    ///
    /// The key change events need no valid signature, because the message that a key decrypts has one. A genuine reply
    /// embeds one key change event for a version. So only a few are tried; otherwise the sender of a reply could embed
    /// many of them to cost the recipient time.
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
