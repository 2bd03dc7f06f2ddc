import XChat
import XChatEvents

/// The members of a message besides those of every event.
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
        return reactionJSON("Reaction", reaction.emoji, reaction.messageSequenceID, reaction.messageAttachmentID)
    case .reactionRemove(let reaction):
        return reactionJSON("ReactionRemoved", reaction.emoji, reaction.messageSequenceID, reaction.messageAttachmentID)
    case .messageEdit(let edit):
        var json: JSONObject = [
            "content_type": "Edit",
            "target_message_id": .string(edit.messageSequenceID ?? ""),
            "new_text": .string(edit.updatedText ?? ""),
        ]
        json["entities"] = edit.entities.map(entitiesJSON)
        return .object(json)
    case .markConversationRead(let mark):
        var json: JSONObject = ["content_type": "MarkRead"]
        json["seen_until_id"] = mark.seenUntilSequenceID.map(JSONValue.string)
        json["seen_at_msec"] = mark.seenAtMillis.map { .number($0) }
        return .object(json)
    case .markConversationUnread(let mark):
        var json: JSONObject = ["content_type": "MarkUnread"]
        json["seen_until_id"] = mark.seenUntilSequenceID.map(JSONValue.string)
        return .object(json)
    case .pinConversation(let pin):
        return namedContent("pin_conversation", ["conversation_id": .init(pin.conversationID)])
    case .unpinConversation(let pin):
        return namedContent("unpin_conversation", ["conversation_id": .init(pin.conversationID)])
    case .screenCaptureDetected(let capture):
        let type: JSONValue? = capture.type.map { $0.name.map(JSONValue.string) ?? .number($0.rawValue) }
        return namedContent("screen_capture_detected", ["type": type ?? nil])
    case .avCallEnded(let call): return namedContent("av_call_ended", callJSON(call))
    case .avCallMissed(let call): return namedContent("av_call_missed", callJSON(call))
    case .avCallStarted(let call): return namedContent("av_call_started", callJSON(call))
    case .draftMessage(let draft):
        return namedContent(
            "draft_message",
            ["conversation_id": .init(draft.conversationID), "draft_text": .init(draft.draftText)]
        )
    case .acceptMessageRequest:
        return namedContent("accept_message_request", [:])
    case .nicknameMessage(let nickname):
        return namedContent(
            "nickname_message",
            ["user_id": userJSON(nickname.userID), "nickname_text": .init(nickname.nicknameText)]
        )
    case .setVerifiedStatus(let status):
        return namedContent(
            "set_verified_status",
            ["user_id": userJSON(status.userID), "verified_status": .init(status.verifiedStatus)]
        )
    case .unknown, nil:
        return ["content_type": "Unknown", "type_id": nil]
    }
}

private func reactionJSON(
    _ type: String,
    _ emoji: WireString?,
    _ message: SequenceID?,
    _ attachment: WireString?
) -> JSONValue {
    var json: JSONObject = [
        "content_type": .string(type), "emoji": .string(emoji ?? ""), "target_message_id": .string(message ?? ""),
    ]
    json["target_attachment_id"] = attachment.map(JSONValue.string)
    return .object(json)
}

/// Contents that X's SDK calls unknown, with X's name of the kind and its members added.
private func namedContent(_ kind: WireString, _ members: JSONObject) -> JSONValue {
    ["content_type": "Unknown", "type_id": nil, "kind": .string(kind), kind: .object(members)]
}

private func userJSON(_ userID: Int64?) -> JSONValue {
    .init(userID.map { WireString(String($0)) })
}

private func callJSON(_ call: AVCallEnded) -> JSONObject {
    [
        "sent_at_millis": .init(call.sentAtMillis),
        "duration_seconds": .init(call.durationSeconds),
        "is_audio_only": .init(call.isAudioOnly),
        "broadcast_id": .init(call.broadcastID),
    ]
}

private func callJSON(_ call: AVCallMissed) -> JSONObject {
    ["sent_at_millis": .init(call.sentAtMillis), "is_audio_only": .init(call.isAudioOnly)]
}

private func callJSON(_ call: AVCallStarted) -> JSONObject {
    ["is_audio_only": .init(call.isAudioOnly), "broadcast_id": .init(call.broadcastID)]
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
    json["additional_fields"] = message.additionalFields.map { fields in
        .object(JSONObject(fields.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }
    return .object(json)
}

private func previewJSON(_ preview: ReplyingToPreview) -> JSONValue {
    var json: JSONObject = [
        "sender_id": .init(preview.senderID.map { WireString(String($0)) }),
        "message_text": .init(preview.messageText),
        "entities": preview.entities.map(entitiesJSON) ?? nil,
        "attachments": preview.attachments.map(attachmentsJSON) ?? nil,
        "sender_display_name": .init(preview.senderDisplayName),
        "replying_to_message_sequence_id": .init(preview.replyingToMessageSequenceID),
        "replying_to_message_id": .init(preview.replyingToMessageID),
    ]
    json["replying_to_attachment_id"] = preview.replyingToAttachmentID.map(JSONValue.string)
    switch preview.avCallCard {
    case .ended(let call): json["av_call_card"] = ["ended": .object(callJSON(call))]
    case .missed(let call): json["av_call_card"] = ["missed": .object(callJSON(call))]
    case .started(let call): json["av_call_card"] = ["started": .object(callJSON(call))]
    case .unknown, nil: break
    }
    return .object(json)
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
