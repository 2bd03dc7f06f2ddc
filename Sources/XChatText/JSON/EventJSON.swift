package import XChat
package import XChatEvents

/// An event in the form of X's SDK for Python: the same members, discriminators and values.
///
/// As in X's SDK, some members are `null` if they are absent on the wire, and others are left out, without a rule.
///
/// `isReplyValid` is nil unless the event has the preview of a reply that can be checked.
package func eventJSON(
    _ event: MessageEvent,
    contents: MessageEntryHolder?,
    isVerified: Bool,
    isReplyValid: Bool? = nil
) -> JSONValue {
    var (type, members) = detailJSON(event.detail, contents: contents, isVerified: isVerified)
    members["reply_preview_validation"] = isReplyValid.map { $0 ? "Valid" : "Invalid" }
    var json: JSONObject = [
        "type": .string(type),
        "sequence_id": .init(event.sequenceID),
        "id": .init(event.messageID),
        "sender_id": .init(event.senderID),
        "conversation_id": .init(event.conversationID),
        "created_at_msec": .init(event.createdAtMsec?.i64),
    ]
    for member in members.members {
        json[member.key] = member.value
    }
    return .object(json)
}

private func detailJSON(
    _ detail: MessageEventDetail?,
    contents: MessageEntryHolder?,
    isVerified: Bool
) -> (type: String, members: JSONObject) {
    switch detail {
    case .messageCreateEvent(let create):
        guard create.contents != nil else { return ("Unknown", ["event_type_id": 1]) }
        return ("Message", messageJSON(create, contents: contents, isVerified: isVerified))
    case .conversationKeyChangeEvent(let change):
        return (
            "KeyChange",
            [
                "key_version": .string(change.conversationKeyVersion ?? ""),
                "verified": .bool(isVerified),
                "participant_keys": .array((change.conversationParticipantKeys ?? []).compactMap(participantKeyJSON)),
            ]
        )
    case .groupChangeEvent(let event):
        return ("GroupChange", ["verified": .bool(isVerified), "change": groupChangeJSON(event.groupChange)])
    case .messageDeleteEvent(let delete):
        return (
            "MessageDeleted",
            [
                "verified": .bool(isVerified),
                "message_ids": .init(delete.sequenceIDs ?? []),
                "delete_for_all": .bool(delete.deleteMessageAction == .deleteForAll),
            ]
        )
    case .conversationDeleteEvent(let delete):
        let clearsAll = delete.clearConversationOptions?.clearAllMessages ?? false
        return ("ConversationDeleted", ["verified": .bool(isVerified), "clear_all_messages": .bool(clearsAll)])
    case .messageTypingEvent:
        return ("Typing", [:])
    case .markConversationReadEvent(let mark):
        return (
            "ReadReceipt",
            [
                "verified": .bool(isVerified),
                "seen_until_id": .init(mark.seenUntilSequenceID),
                "seen_at_msec": .init(mark.seenAtMillis),
            ]
        )
    case .markConversationUnreadEvent(let mark):
        return ("MarkedUnread", ["verified": .bool(isVerified), "seen_until_id": .init(mark.seenUntilSequenceID)])
    case .messageFailureEvent(let failure):
        var members: JSONObject = ["failure": .string(failureName(failure.failureType))]
        if let tier = failure.rateLimitTier {
            members["rate_limit_tier"] = .string(rateLimitTierName(tier))
        }
        return ("Failure", members)
    case .conversationMetadataChangeEvent(let event):
        let change = settingsChangeJSON(event.conversationMetadataChange)
        return ("SettingsChange", ["verified": .bool(isVerified), "change": change])
    case .memberAccountDeleteEvent(let delete):
        return ("MemberDeleted", ["member_id": .string(delete.memberID ?? "")])
    case .grokSearchResponseEvent(let response):
        return (
            "Unknown",
            [
                "event_type_id": nil,
                "kind": "grokSearchResponseEvent",
                "search_response_id": .init(response.searchResponseID),
            ]
        )
    case .unknown, nil:
        return ("Unknown", ["event_type_id": nil])
    }
}

private func participantKeyJSON(_ key: ConversationParticipantKey) -> JSONValue? {
    guard let userID = key.userID, let encryptedKey = key.encryptedConversationKey else { return nil }
    return [
        "user_id": .string(userID),
        "encrypted_key": .string(encryptedKey),
        "public_key_version": .string(key.publicKeyVersion ?? ""),
    ]
}

private func groupChangeJSON(_ change: GroupChange?) -> JSONValue {
    switch change {
    case .groupCreate(let create):
        [
            "change_type": "Created",
            "member_ids": .init(create.memberIDs ?? []),
            "admin_ids": .init(create.adminIDs ?? []),
            "title": .init(create.title),
            "avatar_url": .init(create.avatarURL),
        ]
    case .groupTitleChange(let change):
        ["change_type": "TitleChanged", "new_title": .string(change.customTitle ?? "")]
    case .groupAvatarChange(let change):
        ["change_type": "AvatarChanged", "new_avatar_url": .string(change.customAvatarURL ?? "")]
    case .groupAdminAdd(let change):
        ["change_type": "AdminsAdded", "admin_ids": .init(change.adminIDs ?? [])]
    case .groupAdminRemove(let change):
        ["change_type": "AdminsRemoved", "admin_ids": .init(change.adminIDs ?? [])]
    case .groupMemberAdd(let change):
        [
            "change_type": "MembersAdded",
            "member_ids": .init(change.memberIDs ?? []),
            "current_member_ids": .init(change.currentMemberIDs ?? []),
            "current_admin_ids": .init(change.currentAdminIDs ?? []),
        ]
    case .groupMemberRemove(let change):
        ["change_type": "MembersRemoved", "member_ids": .init(change.memberIDs ?? [])]
    case .groupInviteEnable(let invite):
        [
            "change_type": "InviteEnabled",
            "invite_url": .string(invite.inviteURL ?? ""),
            "expires_at_msec": .init(invite.expiresAtMsec),
        ]
    case .groupInviteDisable(let invite):
        ["change_type": "InviteDisabled", "disabled_by": .init(invite.disabledByMemberID)]
    case .groupJoinRequest(let request):
        ["change_type": "JoinRequested", "user_id": .string(request.requestingUserID ?? "")]
    case .groupJoinReject(let rejection):
        ["change_type": "JoinRejected", "user_ids": .init(rejection.rejectedUserIDs ?? [])]
    case .groupAdminSettingsChange(let change):
        [
            "change_type": "Unknown",
            "kind": "group_admin_settings_change",
            "edit_group_info": .init(change.editGroupInfo),
            "edit_message_ttl": .init(change.editMessageTTL),
            "block_screen_capture": .init(change.blockScreenCapture),
            "add_member": .init(change.addMember),
            "send_message": .init(change.sendMessage),
            "start_call": .init(change.startCall),
        ]
    case .unknown, nil:
        ["change_type": "Unknown"]
    }
}

private func settingsChangeJSON(_ change: ConversationMetadataChange?) -> JSONValue {
    switch change {
    case .messageDurationChange(let change):
        [
            "setting": "MessageDuration",
            "ttl_msec": .number(change.ttlMsec ?? 0),
            "apply_to_all": .bool(change.applyToAllMessages ?? false),
        ]
    case .messageDurationRemove: ["setting": "MessageDurationRemoved"]
    case .muteConversation: ["setting": "Muted"]
    case .unmuteConversation: ["setting": "Unmuted"]
    case .enableScreenCaptureDetection: ["setting": "ScreenCaptureDetectionEnabled"]
    case .disableScreenCaptureDetection: ["setting": "ScreenCaptureDetectionDisabled"]
    case .enableScreenCaptureBlocking: ["setting": "ScreenCaptureBlockingEnabled"]
    case .disableScreenCaptureBlocking: ["setting": "ScreenCaptureBlockingDisabled"]
    case .unknown, nil: ["setting": "Unknown"]
    }
}

func failureName(_ failure: FailureType?) -> String {
    let names = [
        "EmptyDetail", "InternalError", "ContentsTooLarge", "TooManyMessages", "InvalidSenderSignature",
        "NonLatestKeyVersion", "RecipientNotTrusted", "RecipientKeyChanged", "OnlyEncryptedMessagesAllowed",
        "RequesterNotAdmin", "FlaggedAsSpam", "RateLimitUpsell", "SignatureFailedToVerifyAgainstPublicKey",
        "GenericError", "SenderNotGroupMember", "InvalidSignatureVersion", "InvalidPinRequest", "TooManyPins",
    ]
    return name(failure?.rawValue, of: names) ?? "Unknown"
}

private func rateLimitTierName(_ tier: RateLimitTier) -> String {
    name(tier.rawValue, of: ["Free", "VerifiedPhone", "Premium", "PremiumPlus", "PremiumBusiness"]) ?? "Unknown"
}

/// The name of a number where numbers are counted from 1.
private func name(_ number: Int32?, of names: [String]) -> String? {
    guard let number, number >= 1, number <= names.count else { return nil }
    return names[Int(number) - 1]
}
