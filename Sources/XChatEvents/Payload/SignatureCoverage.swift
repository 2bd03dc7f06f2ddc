/// What of an event is its sender's word, and what is only the word of whoever relayed it.
///
/// Fields are named by their path in X's names, down to values and lists: `detail.messageCreateEvent.contents`.
public struct SignatureCoverage: Hashable, Sendable {
    /// The fields of the event that its signed text contains.
    public let covered: [String]
    /// The fields of the event that it does not: anybody on the way can change them and the signature still verifies.
    public let uncovered: [String]
}

extension MessageEvent {
    /// Which fields of this event its signature covers (section 14 of the protocol).
    ///
    /// It says what a signature of the named version covers, not whether the one that is there verifies. Fields that the
    /// schema does not know are left out on decoding and so not listed here; nothing covers them. Nil for a kind that is
    /// never signed, and for an event with more fields than can be listed.
    public var signatureCoverage: SignatureCoverage? {
        (try? StructureNode(describing: encoded(), as: Self.self)).flatMap { signatureCoverage(in: $0) }
    }

    /// The same over all that was received: `structure` describes the bytes that this event was decoded from.
    package func signatureCoverage(in structure: StructureNode) -> SignatureCoverage? {
        guard kind.isSigned, let detail else { return nil }
        let version = ((try? SignatureVersion(messageEventSignature?.signatureVersion)) ?? .current).number
        var signed: Set<String> = ["message_id", "sender_id"]
        if case .groupChangeEvent(let change) = detail, case .groupCreate = change.groupChange {
            // The one text that leaves the conversation out.
        } else {
            signed.insert("conversation_id")
        }
        let (place, fields) = detail.signedFields(version: version)
        signed.formUnion(fields.map { "detail.\(place).\($0)" })

        // The signature cannot cover itself, and says so without being listed.
        let others = structure.leaves().filter { $0 != "message_event_signature.signature" }
        return SignatureCoverage(
            covered: others.filter(signed.contains),
            uncovered: others.filter { !signed.contains($0) }
        )
    }
}

extension MessageEventDetail {
    /// Where the signed fields are, and which they are: the table of ``SignedPayload`` as names.
    fileprivate func signedFields(version: Int32) -> (place: String, fields: [String]) {
        switch self {
        case .messageCreateEvent:
            ("messageCreateEvent", ["contents", "conversation_key_version"])
        case .conversationKeyChangeEvent:
            (
                "conversationKeyChangeEvent",
                ["conversation_key_version"] + (version < 6 ? ["conversation_participant_keys"] : [])
            )
        case .groupChangeEvent(let change):
            change.groupChange.map { signedFields(of: $0, version: version) } ?? ("groupChangeEvent", [])
        case .messageDeleteEvent:
            ("messageDeleteEvent", ["sequence_ids", "delete_message_action"])
        case .conversationDeleteEvent:
            ("conversationDeleteEvent.clear_conversation_options", ["clear_all_messages", "sort_order_msec"])
        case .conversationMetadataChangeEvent(let change):
            change.conversationMetadataChange.map(signedFields) ?? ("conversationMetadataChangeEvent", [])
        case .markConversationReadEvent:
            ("markConversationReadEvent", ["seen_until_sequence_id", "seen_at_millis"])
        case .markConversationUnreadEvent:
            ("markConversationUnreadEvent", ["seen_until_sequence_id"])
        case .messageFailureEvent, .messageTypingEvent, .memberAccountDeleteEvent, .grokSearchResponseEvent, .unknown:
            ("", [])
        }
    }

    private func signedFields(of change: GroupChange, version: Int32) -> (String, [String]) {
        let (name, fields): (String, [String]) =
            switch change {
            case .groupCreate:
                (
                    "group_create",
                    ["conversation_key_version", "member_ids"]
                        + (version >= 4 ? ["is_legacy_group_upgrade", "title", "avatar_url"] : [])
                )
            case .groupMemberAdd:
                ("group_member_add", Self.signedFieldsOfMemberAdd(version: version))
            case .groupTitleChange: ("group_title_change", ["conversation_key_version", "custom_title"])
            case .groupAvatarChange: ("group_avatar_change", ["conversation_key_version", "custom_avatar_url"])
            case .groupAdminAdd: ("group_admin_add", ["admin_ids"])
            case .groupAdminRemove: ("group_admin_remove", ["admin_ids"])
            case .groupMemberRemove: ("group_member_remove", ["member_ids"])
            case .groupInviteEnable: ("group_invite_enable", ["invite_url", "expires_at_msec", "affiliate_id"])
            case .groupInviteDisable: ("group_invite_disable", ["disabled_by_member_id"])
            case .groupJoinRequest: ("group_join_request", ["requesting_user_id"])
            case .groupJoinReject: ("group_join_reject", ["rejected_user_ids"])
            case .groupAdminSettingsChange, .unknown: ("", [])
            }
        return ("groupChangeEvent.group_change.\(name)", fields)
    }

    private static func signedFieldsOfMemberAdd(version: Int32) -> [String] {
        var fields = [
            "member_ids", "current_member_ids", "current_admin_ids", "current_title", "current_avatar_url",
            "current_ttl_msec", "conversation_key_version",
        ]
        if (3...6).contains(version) { fields.append("current_pending_member_ids") }
        if version >= 5 { fields.append("screen_capture_blocking_enabled") }
        if version >= 7 {
            fields += ["invite_url", "affiliate_id", "expires_at_msec"].map { "group_invite_enable.\($0)" }
        }
        return fields
    }

    private func signedFields(of change: ConversationMetadataChange) -> (String, [String]) {
        let (name, fields): (String, [String]) =
            switch change {
            case .messageDurationChange: ("message_duration_change", ["ttl_msec"])
            case .muteConversation: ("mute_conversation", ["muted_conversation_ids"])
            case .unmuteConversation: ("unmute_conversation", ["unmuted_conversation_ids"])
            default: ("", [])
            }
        return ("conversationMetadataChangeEvent.conversation_metadata_change.\(name)", fields)
    }
}

extension StructureNode {
    /// The paths of all values and lists below this struct, in X's names or, where it has none, as `#number`.
    fileprivate func leaves() -> [String] {
        guard case .children(let fields) = content else { return [] }
        return fields.flatMap { field -> [String] in
            let name = field.name ?? "#\(field.fieldID ?? 0)"
            guard case .children(let inner) = field.content else { return [name] }
            if inner.first?.fieldID != nil { return field.leaves().map { "\(name).\($0)" } }
            // A list is one value here: its elements are signed together or not at all, but for what nobody knows in them.
            var seen: Set<String> = []
            let unknown = inner.flatMap { $0.leaves() }.filter { path in
                path.utf8.contains(UInt8(ascii: "#")) && seen.insert(path).inserted
            }
            return [name] + unknown.map { "\(name)[].\($0)" }
        }
    }
}
