extension SignedPayload {
    /// The text of a change of a group.
    static func text(
        of event: MessageEvent,
        _ change: GroupChangeEvent,
        version: Int32
    ) throws(PayloadError) -> PayloadText {
        guard let change = change.groupChange else { throw .missing("group_change") }
        switch change {
        case .groupCreate(let create): return try text(of: event, create, version: version)
        case .groupMemberAdd(let addition): return try text(of: event, addition, version: version)
        case .groupTitleChange(let title):
            var text = try group("GroupTitleChange", event)
            try text.add(required: title.conversationKeyVersion, "conversation_key_version")
            try text.add(orEmpty: title.customTitle, "custom_title")
            return text
        case .groupAvatarChange(let avatar):
            var text = try group("GroupAvatarUrlChange", event)
            try text.add(required: avatar.conversationKeyVersion, "conversation_key_version")
            try text.add(orEmpty: avatar.customAvatarURL, "custom_avatar_url")
            return text
        case .groupAdminAdd(let addition):
            return try group("GroupAdminAddChange", event, ids: addition.adminIDs, "admin_ids")
        case .groupAdminRemove(let removal):
            return try group("GroupAdminRemoveChange", event, ids: removal.adminIDs, "admin_ids")
        case .groupMemberRemove(let removal):
            return try group("GroupMemberRemoveChange", event, ids: removal.memberIDs, "member_ids")
        case .groupJoinReject(let rejection):
            return try group("GroupJoinReject", event, ids: rejection.rejectedUserIDs, "rejected_user_ids")
        case .groupInviteEnable(let invite):
            // The order of the last two is not that of a member addition.
            var text = try group("GroupInviteEnable", event)
            try text.add(required: invite.inviteURL, "invite_url")
            text.add(orNull: invite.expiresAtMsec)
            try text.add(orNull: invite.affiliateID, "affiliate_id")
            return text
        case .groupInviteDisable(let invite):
            var text = try group("GroupInviteDisable", event)
            try text.add(required: invite.disabledByMemberID, "disabled_by_member_id")
            return text
        case .groupJoinRequest(let request):
            var text = try group("GroupJoinRequest", event)
            try text.add(required: request.requestingUserID, "requesting_user_id")
            return text
        case .groupAdminSettingsChange, .unknown:
            throw .noSignedForm("group_change")
        }
    }

    private static func group(_ name: String, _ event: MessageEvent) throws(PayloadError) -> PayloadText {
        try PayloadText("GroupChangeEvent.\(name)", of: event)
    }

    private static func group(
        _ name: String,
        _ event: MessageEvent,
        ids: [WireString]?,
        _ field: String
    ) throws(PayloadError) -> PayloadText {
        var text = try group(name, event)
        try text.add(eachRequired: ids, field)
        return text
    }

    private static func text(
        of event: MessageEvent,
        _ create: GroupCreate,
        version: Int32
    ) throws(PayloadError) -> PayloadText {
        var text = try PayloadText("GroupChangeEvent.GroupCreate", withoutConversationOf: event)
        try text.add(required: create.conversationKeyVersion, "conversation_key_version")
        try text.add(eachRequired: create.memberIDs, "member_ids")
        if version >= 4 {
            text.add(orNull: create.isLegacyGroupUpgrade)
            try text.add(orNull: create.title, "title")
            try text.add(orNull: create.avatarURL, "avatar_url")
        }
        return text
    }

    private static func text(
        of event: MessageEvent,
        _ addition: GroupMemberAddChange,
        version: Int32
    ) throws(PayloadError) -> PayloadText {
        var text = try group("GroupMemberAddChange", event)
        try text.add(eachRequired: addition.memberIDs, "member_ids")
        try text.add(eachRequired: addition.currentMemberIDs, "current_member_ids")
        try text.add(eachRequired: addition.currentAdminIDs, "current_admin_ids")
        if (3...6).contains(version) {
            try text.add(each: addition.currentPendingMemberIDs, "current_pending_member_ids")
        }
        try text.add(orNull: addition.currentTitle, "current_title")
        try text.add(orNull: addition.currentAvatarURL, "current_avatar_url")
        text.add(orNull: addition.currentTTLMsec)
        try text.add(required: addition.conversationKeyVersion, "conversation_key_version")
        if version >= 5 {
            text.add(orNull: addition.screenCaptureBlockingEnabled)
        }
        if version >= 7, let invite = addition.groupInviteEnable {
            try text.add(orNull: invite.inviteURL, "invite_url")
            try text.add(orNull: invite.affiliateID, "affiliate_id")
            text.add(orNull: invite.expiresAtMsec)
        }
        return text
    }
}
