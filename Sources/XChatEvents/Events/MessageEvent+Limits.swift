/// The limits for the values of an incoming event.
package enum EventLimits {
    /// The most digits of a user id, a sequence id, a version, and of a group id after its `g`.
    package static let digits = 19
    /// The most bytes of a message id.
    package static let messageIDBytes = 64
    /// The most entries of a list of users, and of the participants of a key change event.
    package static let people = 10_000
}

extension WireString {
    /// Whether the text is a group id: `g` and 1 to 19 ASCII digits.
    package var isGroupID: Bool {
        guard utf8.count <= 1 + EventLimits.digits else { return false }
        return unsafe withContiguousBytes { bytes in
            unsafe bytes.count > 1 && bytes.first == UInt8(ascii: "g") && bytes.dropFirst().allSatisfy(\.isDigit)
        }
    }

    /// Whether the text is a conversation id in any form: a group id, a user id, or two user ids joined by `:` or `-`.
    package var isConversationID: Bool {
        guard utf8.count <= 2 * EventLimits.digits + 1 else { return false }
        if isShortNumber || isGroupID { return true }
        return unsafe withContiguousBytes { bytes in
            let separator = unsafe bytes.firstIndex { !$0.isDigit }
            guard let separator, unsafe bytes[separator] == UInt8(ascii: ":") || bytes[separator] == UInt8(ascii: "-")
            else { return false }
            let sides = unsafe [bytes[..<separator], bytes[(separator + 1)...]]
            return unsafe sides.allSatisfy { side in
                unsafe (1...EventLimits.digits).contains(side.count) && side.allSatisfy(\.isDigit)
            }
        }
    }
}

extension MessageEvent {
    /// The first limit that the event breaks, as one sentence that names the field, the value and the rule; nil if it
    /// keeps all limits.
    ///
    /// The limits apply to every value that a recipient compares or stores: ids, versions and lists of users. An absent
    /// field breaks no limit. The sentence quotes the value in printable ASCII, cut to 48 bytes.
    package var limitViolation: String? {
        do throws(LimitViolation) {
            try LimitViolation.check(sequenceID, "sequence_id")
            try LimitViolation.check(messageID, "message_id")
            try LimitViolation.check(senderID, "sender_id")
            try LimitViolation.check(conversation: conversationID, "conversation_id")
            try LimitViolation.check(previousSequenceID, "previous_sequence_id")
            try LimitViolation.check(
                messageEventSignature?.publicKeyVersion,
                "message_event_signature.public_key_version"
            )
            if let detail { try Self.check(detail) }
            return nil
        } catch {
            return error.reason
        }
    }

    private static func check(_ detail: MessageEventDetail) throws(LimitViolation) {
        switch detail {
        case .messageCreateEvent(let create):
            try LimitViolation.check(create.conversationKeyVersion, "conversation_key_version")
        case .conversationKeyChangeEvent(let change): try check(change)
        case .groupChangeEvent(let change):
            if let change = change.groupChange { try check(change) }
        case .messageDeleteEvent(let deletion):
            try LimitViolation.check(each: deletion.sequenceIDs, "sequence_ids")
        case .conversationDeleteEvent(let deletion):
            let field = "conversationDeleteEvent.conversation_id"
            try LimitViolation.check(conversation: deletion.conversationID, field)
        case .conversationMetadataChangeEvent(let change):
            if let change = change.conversationMetadataChange { try check(change) }
        case .markConversationReadEvent(let mark):
            try LimitViolation.check(mark.seenUntilSequenceID, "seen_until_sequence_id")
        case .markConversationUnreadEvent(let mark):
            try LimitViolation.check(mark.seenUntilSequenceID, "seen_until_sequence_id")
        case .messageFailureEvent, .messageTypingEvent, .memberAccountDeleteEvent, .grokSearchResponseEvent, .unknown:
            // The fields of these events are not signed and are only displayed.
            break
        }
    }

    private static func check(_ change: ConversationKeyChangeEvent) throws(LimitViolation) {
        try LimitViolation.check(change.conversationKeyVersion, "conversation_key_version")
        guard let keys = change.conversationParticipantKeys else { return }
        let field = "conversation_participant_keys"
        try LimitViolation.check(count: keys.count, field)
        for (index, key) in keys.enumerated() {
            try LimitViolation.check(key.userID, "\(field)[\(index)].user_id")
            try LimitViolation.check(key.publicKeyVersion, "\(field)[\(index)].public_key_version")
        }
    }

    private static func check(_ change: ConversationMetadataChange) throws(LimitViolation) {
        switch change {
        case .muteConversation(let mute):
            try LimitViolation.check(conversations: mute.mutedConversationIDs, "muted_conversation_ids")
        case .unmuteConversation(let unmute):
            try LimitViolation.check(conversations: unmute.unmutedConversationIDs, "unmuted_conversation_ids")
        default:
            break
        }
    }

    private static func check(_ change: GroupChange) throws(LimitViolation) {
        switch change {
        case .groupCreate(let create):
            try LimitViolation.check(people: create.memberIDs, "member_ids")
            try LimitViolation.check(people: create.adminIDs, "admin_ids")
            try LimitViolation.check(create.conversationKeyVersion, "conversation_key_version")
        case .groupMemberAdd(let addition):
            try LimitViolation.check(people: addition.memberIDs, "member_ids")
            try LimitViolation.check(people: addition.currentMemberIDs, "current_member_ids")
            try LimitViolation.check(people: addition.currentAdminIDs, "current_admin_ids")
            try LimitViolation.check(people: addition.currentPendingMemberIDs, "current_pending_member_ids")
            try LimitViolation.check(addition.conversationKeyVersion, "conversation_key_version")
        case .groupTitleChange(let title):
            try LimitViolation.check(title.conversationKeyVersion, "conversation_key_version")
        case .groupAvatarChange(let avatar):
            try LimitViolation.check(avatar.conversationKeyVersion, "conversation_key_version")
        case .groupAdminAdd(let addition): try LimitViolation.check(people: addition.adminIDs, "admin_ids")
        case .groupAdminRemove(let removal): try LimitViolation.check(people: removal.adminIDs, "admin_ids")
        case .groupMemberRemove(let removal): try LimitViolation.check(people: removal.memberIDs, "member_ids")
        case .groupJoinReject(let rejection):
            try LimitViolation.check(people: rejection.rejectedUserIDs, "rejected_user_ids")
        case .groupJoinRequest(let request):
            try LimitViolation.check(request.requestingUserID, "requesting_user_id")
        case .groupInviteDisable(let invite):
            try LimitViolation.check(invite.disabledByMemberID, "disabled_by_member_id")
        case .groupInviteEnable, .groupAdminSettingsChange, .unknown:
            break
        }
    }
}

/// The limit that an event breaks, as a sentence.
private struct LimitViolation: Error {
    let reason: String

    private init(_ reason: String) {
        self.reason = reason
    }

    private init(_ value: WireString, _ field: String, isNot rule: String) {
        reason = "\(field) \(printable(value, quotedBy: "\"")) is not \(rule)"
    }

    // The field's name is built only if the value is invalid: a list can have 10,000 entries.
    static func check<ID: Identifier>(_ id: ID?, _ field: @autoclosure () -> String) throws(LimitViolation) {
        guard let id, !id.isValid else { return }
        throw LimitViolation(id.text, field(), isNot: ID.rule)
    }

    static func check(each ids: [some Identifier]?, _ field: String) throws(LimitViolation) {
        guard let ids else { return }
        for (index, id) in ids.enumerated() { try check(id, "\(field)[\(index)]") }
    }

    static func check(conversation id: WireString?, _ field: @autoclosure () -> String) throws(LimitViolation) {
        guard let id, !id.isConversationID else { return }
        let rule = "a user id, two user ids joined by : or -, or g and 1 to \(EventLimits.digits) digits"
        throw LimitViolation(id, field(), isNot: rule)
    }

    static func check(conversations ids: [WireString]?, _ field: String) throws(LimitViolation) {
        guard let ids else { return }
        for (index, id) in ids.enumerated() { try check(conversation: id, "\(field)[\(index)]") }
    }

    static func check(people ids: [UserID]?, _ field: String) throws(LimitViolation) {
        guard let ids else { return }
        try check(count: ids.count, field)
        try check(each: ids, field)
    }

    static func check(count: Int, _ field: String) throws(LimitViolation) {
        guard count <= EventLimits.people else {
            throw LimitViolation("\(field) has \(count) entries, and the limit is \(EventLimits.people)")
        }
    }
}
