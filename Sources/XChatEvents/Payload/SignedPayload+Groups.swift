extension PayloadText {
    private static let groupChange = "detail.groupChangeEvent.group_change"

    /// Writes the text of a change of a group.
    mutating func write(
        _ event: borrowing MessageEvent,
        _ change: GroupChangeEvent,
        version: Int32
    ) throws(PayloadError) {
        guard let change = change.groupChange else {
            try fail(.missing("group_change"))
            return try begin(group: "", event, "")
        }
        switch change {
        case .groupCreate(let create): try write(event, create, version: version)
        case .groupMemberAdd(let addition): try write(event, addition, version: version)
        case .groupTitleChange(let title):
            try begin(group: "GroupTitleChange", event, "group_title_change")
            try add(required: title.conversationKeyVersion, "conversation_key_version")
            try add(orEmpty: title.customTitle, "custom_title")
        case .groupAvatarChange(let avatar):
            try begin(group: "GroupAvatarUrlChange", event, "group_avatar_change")
            try add(required: avatar.conversationKeyVersion, "conversation_key_version")
            try add(orEmpty: avatar.customAvatarURL, "custom_avatar_url")
        case .groupAdminAdd(let addition):
            try begin(group: "GroupAdminAddChange", event, "group_admin_add")
            try add(eachRequired: addition.adminIDs, "admin_ids")
        case .groupAdminRemove(let removal):
            try begin(group: "GroupAdminRemoveChange", event, "group_admin_remove")
            try add(eachRequired: removal.adminIDs, "admin_ids")
        case .groupMemberRemove(let removal):
            try begin(group: "GroupMemberRemoveChange", event, "group_member_remove")
            try add(eachRequired: removal.memberIDs, "member_ids")
        case .groupJoinReject(let rejection):
            try begin(group: "GroupJoinReject", event, "group_join_reject")
            try add(eachRequired: rejection.rejectedUserIDs, "rejected_user_ids")
        case .groupInviteEnable(let invite):
            // A member addition writes the last two components in the opposite order.
            try begin(group: "GroupInviteEnable", event, "group_invite_enable")
            try add(required: invite.inviteURL, "invite_url")
            add(orNull: invite.expiresAtMsec, "expires_at_msec")
            try add(orNull: invite.affiliateID, "affiliate_id")
        case .groupInviteDisable(let invite):
            try begin(group: "GroupInviteDisable", event, "group_invite_disable")
            try add(required: invite.disabledByMemberID, "disabled_by_member_id")
        case .groupJoinRequest(let request):
            try begin(group: "GroupJoinRequest", event, "group_join_request")
            try add(required: request.requestingUserID, "requesting_user_id")
        case .groupAdminSettingsChange, .unknown:
            try fail(.noSignedForm("group_change"))
            try begin(group: "", event, "")
        }
    }

    private mutating func begin(
        group name: String,
        _ event: borrowing MessageEvent,
        _ variant: String
    ) throws(PayloadError) {
        try begin("GroupChangeEvent.\(name)", of: event, at: "\(Self.groupChange).\(variant)")
    }

    private mutating func write(
        _ event: borrowing MessageEvent,
        _ create: GroupCreate,
        version: Int32
    ) throws(PayloadError) {
        try begin(
            "GroupChangeEvent.GroupCreate",
            withoutConversationOf: event,
            at: "\(Self.groupChange).group_create"
        )
        try add(required: create.conversationKeyVersion, "conversation_key_version")
        try add(eachRequired: create.memberIDs, "member_ids")
        if version >= 4 {
            add(orNull: create.isLegacyGroupUpgrade, "is_legacy_group_upgrade")
            try add(orNull: create.title, "title")
            try add(orNull: create.avatarURL, "avatar_url")
        }
    }

    private mutating func write(
        _ event: borrowing MessageEvent,
        _ addition: GroupMemberAddChange,
        version: Int32
    ) throws(PayloadError) {
        try begin(group: "GroupMemberAddChange", event, "group_member_add")
        try add(eachRequired: addition.memberIDs, "member_ids")
        try add(eachRequired: addition.currentMemberIDs, "current_member_ids")
        try add(eachRequired: addition.currentAdminIDs, "current_admin_ids")
        if (3...6).contains(version) {
            try add(each: addition.currentPendingMemberIDs, "current_pending_member_ids")
        }
        try add(orNull: addition.currentTitle, "current_title")
        try add(orNull: addition.currentAvatarURL, "current_avatar_url")
        add(orNull: addition.currentTTLMsec, "current_ttl_msec")
        try add(required: addition.conversationKeyVersion, "conversation_key_version")
        if version >= 5 {
            add(orNull: addition.screenCaptureBlockingEnabled, "screen_capture_blocking_enabled")
        }
        if version >= 7, let invite = addition.groupInviteEnable {
            try add(orNull: invite.inviteURL, "invite_url", as: "group_invite_enable.invite_url")
            try add(orNull: invite.affiliateID, "affiliate_id", as: "group_invite_enable.affiliate_id")
            add(orNull: invite.expiresAtMsec, "group_invite_enable.expires_at_msec")
        }
    }
}
