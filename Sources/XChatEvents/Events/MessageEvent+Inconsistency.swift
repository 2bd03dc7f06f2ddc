extension MessageEvent {
    /// Why the signed text of the event can be read in several ways, or nil if it cannot.
    ///
    /// See `docs/protocol.md`, "Ambiguous texts".
    ///
    /// A signed text has no counts and no escapes. So a server can move the boundaries of its lists, or leave out a
    /// component, and keep the signature valid. Events of honest senders obey the following rules, and most such
    /// forgeries break one of them:
    ///
    /// - The event names its conversation.
    /// - Ids in lists consist of digits, and no list names a user twice.
    /// - New members are not members already, administrators are members, and the sender of an addition is a member.
    /// - Key versions are numbers.
    /// - No text is the word `null`, because a signed text contains this word for an absent value.
    ///
    /// These rules leave two boundaries of a member addition open: the one between new and present members and, without
    /// administrators, the one between members and pending members. An addition is therefore inconsistent if its signed
    /// text, in any version of the text, has readings that obey all other rules and name different members (new and
    /// present ones together). All readings of a consistent addition name the same members; they may differ in which of
    /// the members before the sender are new (`namedMembers`).
    ///
    /// The reason names the field and contains no value of the event. Absent fields are ignored here: ``SignedPayload``
    /// reports whether the event has a signed text. Events of kinds that are never signed are consistent.
    public var inconsistency: String? {
        guard kind.isSigned, let detail else { return nil }
        do throws(Inconsistency) {
            // Without the id, the components after it would move up, and a sequence id could pass for the conversation.
            guard let conversationID else { throw Inconsistency("conversation_id: absent") }
            guard !conversationID.isEmpty else { throw Inconsistency("conversation_id: empty") }
            try check(detail)
            return nil
        } catch {
            return error.reason
        }
    }

    private func check(_ detail: MessageEventDetail) throws(Inconsistency) {
        switch detail {
        case .conversationKeyChangeEvent(let change): try check(change)
        case .groupChangeEvent(let change): try check(change)
        case .messageDeleteEvent(let deletion):
            try Inconsistency.check(areDigits: deletion.sequenceIDs ?? [], "sequence_ids")
        case .conversationDeleteEvent(let deletion): try check(deletion)
        case .conversationMetadataChangeEvent(let change): try check(change)
        case .messageCreateEvent, .markConversationReadEvent, .markConversationUnreadEvent:
            // Only the last component can be absent, so no component can take the place of another.
            break
        case .messageFailureEvent, .messageTypingEvent, .memberAccountDeleteEvent, .grokSearchResponseEvent, .unknown:
            break
        }
    }

    /// The version of the signed text.
    ///
    /// A version that is too old counts as the current one. This is safe because its signature is never accepted.
    private var textVersion: Int32 {
        let version = try? SignatureVersion(messageEventSignature?.signatureVersion)
        return (version ?? .current).number
    }

    private func check(_ change: ConversationKeyChangeEvent) throws(Inconsistency) {
        // From version 6 on, the signed text does not contain the list.
        guard textVersion < 6 else { return }
        let users = (change.conversationParticipantKeys ?? []).compactMap(\.userID)
        try Inconsistency.check(areDigits: users, "conversation_participant_keys")
    }

    private func check(_ deletion: ConversationDeleteEvent) throws(Inconsistency) {
        // The id in the detail is not signed. It may name the same conversation in another form.
        guard let inner = deletion.conversationID, let outer = conversationID else { return }
        let sender = senderID ?? ""
        let ids = [inner, outer].map { ConversationID(canonicalizing: $0, sender: sender) }
        guard ids[0] == ids[1] else {
            throw Inconsistency("conversationDeleteEvent.conversation_id: not the conversation of the event")
        }
    }

    private func check(_ change: ConversationMetadataChangeEvent) throws(Inconsistency) {
        switch change.conversationMetadataChange {
        case .muteConversation(let mute):
            try Inconsistency.check(areConversations: mute.mutedConversationIDs ?? [], "muted_conversation_ids")
        case .unmuteConversation(let unmute):
            try Inconsistency.check(areConversations: unmute.unmutedConversationIDs ?? [], "unmuted_conversation_ids")
        default:
            break
        }
    }

    private func check(_ change: GroupChangeEvent) throws(Inconsistency) {
        switch change.groupChange {
        case .groupCreate(let create): try check(create)
        case .groupMemberAdd(let addition): try check(addition)
        case .groupAdminAdd(let addition):
            try Inconsistency.check(areMembers: addition.adminIDs ?? [], "admin_ids")
        case .groupAdminRemove(let removal):
            try Inconsistency.check(areMembers: removal.adminIDs ?? [], "admin_ids")
        case .groupMemberRemove(let removal):
            try Inconsistency.check(areMembers: removal.memberIDs ?? [], "member_ids")
        case .groupJoinReject(let rejection):
            try Inconsistency.check(areMembers: rejection.rejectedUserIDs ?? [], "rejected_user_ids")
        case .groupInviteEnable(let invite):
            try Inconsistency.check(isNotNull: invite.affiliateID, "affiliate_id")
        default:
            break
        }
    }

    private func check(_ create: GroupCreate) throws(Inconsistency) {
        try Inconsistency.check(areMembers: create.memberIDs ?? [], "member_ids")
        try Inconsistency.check(areMembers: create.adminIDs ?? [], "admin_ids")
        // The creator of a group need not be in its list of members.
        let members = Set(create.memberIDs ?? []).union([senderID ?? ""])
        guard members.isSuperset(of: create.adminIDs ?? []) else {
            throw Inconsistency("admin_ids: names a user who is not a member")
        }
        if textVersion >= 4 {
            try Inconsistency.check(isNotNull: create.title, "title")
            try Inconsistency.check(isNotNull: create.avatarURL, "avatar_url")
        }
    }

    private func check(_ addition: GroupMemberAddChange) throws(Inconsistency) {
        guard let new = addition.memberIDs, let current = addition.currentMemberIDs,
            let admins = addition.currentAdminIDs
        else { return }
        try Inconsistency.check(areMembers: new, "member_ids")
        try Inconsistency.check(areMembers: current, "current_member_ids")
        try Inconsistency.check(areMembers: admins, "current_admin_ids")
        guard !new.isEmpty else { throw Inconsistency("member_ids: empty") }
        let members = Set(current)
        guard members.isDisjoint(with: new) else {
            throw Inconsistency("member_ids: names a user who is already a member")
        }
        guard members.isSuperset(of: admins) else {
            throw Inconsistency("current_admin_ids: names a user who is not a member")
        }
        guard let senderID, members.contains(senderID) else {
            throw Inconsistency("current_member_ids: does not contain the sender")
        }
        if (3...6).contains(textVersion) {
            let pending = addition.currentPendingMemberIDs ?? []
            try Inconsistency.check(areMembers: pending, "current_pending_member_ids")
            guard members.isDisjoint(with: pending) else {
                throw Inconsistency("current_pending_member_ids: names a user who is already a member")
            }
            guard Set(new).isDisjoint(with: pending) else {
                throw Inconsistency("current_pending_member_ids: names a new member")
            }
        }
        try Inconsistency.check(isNotNull: addition.currentTitle, "current_title")
        try checkTail(of: addition)
        if let readings = memberAddReadings, readings.memberSetCount > 1 {
            throw Inconsistency("current_member_ids: another reading of the signed text names other members")
        }
    }

    /// Checks the components after the lists.
    ///
    /// An invitation adds three components at the end. Without these rules, a server could present an addition that has
    /// no invitation as one that has, and the last three administrators would be read as title, avatar and lifetime.
    private func checkTail(of addition: GroupMemberAddChange) throws(Inconsistency) {
        try Inconsistency.check(isNotNull: addition.currentAvatarURL, "current_avatar_url")
        if let avatar = addition.currentAvatarURL, avatar.isDigits {
            throw Inconsistency("current_avatar_url: must not be a number")
        }
        // The number of components after the lists depends on the version of the text, which is not signed.
        if let version = addition.conversationKeyVersion, !version.isDigits {
            throw Inconsistency("conversation_key_version: not a number")
        }
        guard textVersion >= 7, let invite = addition.groupInviteEnable else { return }
        try Inconsistency.check(isNotNull: invite.inviteURL, "invite_url")
        try Inconsistency.check(isNotNull: invite.affiliateID, "affiliate_id")
    }
}

/// A broken rule; the reason starts with X's name of the field.
private struct Inconsistency: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }

    static func check(areDigits ids: [some WireText], _ field: String) throws(Inconsistency) {
        guard ids.allSatisfy(\.isDigits) else { throw Inconsistency("\(field): an id that is not digits") }
    }

    static func check(areMembers ids: [UserID], _ field: String) throws(Inconsistency) {
        try check(areDigits: ids, field)
        guard Set(ids).count == ids.count else { throw Inconsistency("\(field): a user occurs twice") }
    }

    static func check(areConversations ids: [WireString], _ field: String) throws(Inconsistency) {
        for id in ids where !id.isDigits {
            let conversation = ConversationID(canonicalizing: id)
            guard conversation.isGroup || conversation.participants != nil else {
                throw Inconsistency("\(field): an id that is not a conversation id")
            }
        }
    }

    static func check(isNotNull text: WireString?, _ field: String) throws(Inconsistency) {
        guard text != "null" else { throw Inconsistency("\(field): the word null, which means absence") }
    }
}
