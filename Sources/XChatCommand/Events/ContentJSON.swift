import XChatEvents

/// The members of a message beside those that every event has.
func messageJSON(_ create: MessageCreateEvent, contents: MessageEntryHolder?, isVerified: Bool) -> JSONObject {
    var json: JSONObject = [
        "content": contentJSON(contents?.contents),
        "key_version": .init(create.conversationKeyVersion),
        "verified": .bool(isVerified),
        "should_notify": .init(create.shouldNotify),
        "ttl_msec": .init(create.ttlMsec),
    ]
    if case .message(let message) = contents?.contents {
        let attachments = message.attachments ?? []
        let flattened = attachments.compactMap(flatAttachmentJSON)
        if !flattened.isEmpty {
            json["attachments"] = .array(flattened)
        }
        let hashes = attachments.flatMap(mediaHashes)
        if !hashes.isEmpty {
            json["media_hashes"] = .array(hashes)
        }
    }
    return json
}

private func contentJSON(_ contents: MessageEntryContents?) -> JSONValue {
    switch contents {
    case .message(let message):
        return textJSON(message)
    case .reactionAdd(let reaction):
        return [
            "content_type": "Reaction",
            "emoji": .string(reaction.emoji ?? ""),
            "target_message_id": .string(reaction.messageSequenceID ?? ""),
        ]
    case .reactionRemove(let reaction):
        return [
            "content_type": "ReactionRemoved",
            "emoji": .string(reaction.emoji ?? ""),
            "target_message_id": .string(reaction.messageSequenceID ?? ""),
        ]
    case .messageEdit(let edit):
        var json: JSONObject = [
            "content_type": "Edit",
            "target_message_id": .string(edit.messageSequenceID ?? ""),
            "new_text": .string(edit.updatedText ?? ""),
        ]
        json["entities"] = edit.entities.map(entitiesJSON)
        return .object(json)
    case .markConversationRead:
        return ["content_type": "MarkRead"]
    case .markConversationUnread:
        return ["content_type": "MarkUnread"]
    case .pinConversation, .unpinConversation, .screenCaptureDetected, .avCallEnded, .avCallMissed, .avCallStarted,
        .draftMessage, .acceptMessageRequest, .nicknameMessage, .setVerifiedStatus, .unknown, nil:
        return ["content_type": "Unknown", "type_id": nil]
    }
}

private func textJSON(_ message: MessageContents) -> JSONValue {
    var json: JSONObject = ["content_type": "Text", "text": .string(message.messageText ?? "")]
    json["entities"] = message.entities.map(entitiesJSON)
    json["attachments"] = message.attachments.map(attachmentsJSON)
    json["replying_to_preview"] = message.replyingToPreview.map(previewJSON)
    json["forwarded_message"] = message.forwardedMessage.map { forwarded in
        ["message_text": .init(forwarded.messageText), "entities": forwarded.entities.map(entitiesJSON) ?? nil]
    }
    json["sent_from"] = message.sentFrom.map { $0.name.map(JSONValue.string) ?? .number($0.rawValue) }
    json["quick_reply"] = message.quickReply.flatMap(quickReplyJSON)
    json["ctas"] = message.ctas.map { actions in
        .array(actions.map { ["label": .init($0.label), "url": .init($0.url)] })
    }
    return .object(json)
}

private func previewJSON(_ preview: ReplyingToPreview) -> JSONValue {
    [
        "sender_id": .init(preview.senderID.map { WireString(String($0)) }),
        "message_text": .init(preview.messageText),
        "entities": preview.entities.map(entitiesJSON) ?? nil,
        "attachments": preview.attachments.map(attachmentsJSON) ?? nil,
        "sender_display_name": .init(preview.senderDisplayName),
        "replying_to_message_sequence_id": .init(preview.replyingToMessageSequenceID),
        "replying_to_message_id": .init(preview.replyingToMessageID),
    ]
}

/// Nil for a variant that this version does not know: the whole member is then left out.
private func quickReplyJSON(_ reply: QuickReply) -> JSONValue? {
    switch reply {
    case .request(.options(let request)):
        let options: JSONValue? = request.options.map { options in
            .array(
                options.map { option in
                    [
                        "id": .init(option.id),
                        "label": .init(option.label),
                        "metadata": .init(option.metadata),
                        "description": .init(option.description),
                    ]
                }
            )
        }
        return ["request": ["options": ["id": .init(request.id), "options": options ?? nil]]]
    case .response(.options(let response)):
        let chosen: JSONValue = [
            "request_id": .init(response.requestID),
            "metadata": .init(response.metadata),
            "selected_option_id": .init(response.selectedOptionID),
        ]
        return ["response": ["options": chosen]]
    case .request(.unknown), .response(.unknown), .unknown:
        return nil
    }
}

private func entitiesJSON(_ entities: [RichTextEntity]) -> JSONValue {
    .array(
        entities.map { entity in
            [
                "start_index": .init(entity.startIndex),
                "end_index": .init(entity.endIndex),
                "content": entity.content.flatMap(entityName).map { .object([$0: [:]]) } ?? nil,
            ]
        }
    )
}

private func entityName(_ content: RichTextContent) -> WireString? {
    switch content {
    case .hashtag: "hashtag"
    case .cashtag: "cashtag"
    case .mention: "mention"
    case .url: "url"
    case .email: "email"
    case .address: "address"
    case .phoneNumber: "phoneNumber"
    case .unknown: nil
    }
}
