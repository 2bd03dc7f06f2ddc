import XChat
import XChatEngine
import XChatEvents

/// The members of an event's JSON that no signature covers, of those that are present.
///
/// - Parameters:
///   - event: The event.
///   - json: Its JSON, with the members of X's SDK alone.
/// - Returns: Names of members of the event and, for changes of a group or of the settings, of its `change`.
func unverifiedFields(of event: Event, in json: JSONObject) -> [WireString] {
    let changes: JSONObject? = if case .object(let object) = json["change"] { object } else { nil }
    let names =
        event.isVerified && event.received.kind.isSigned
        ? uncoveredFields(event.received) : json.members.map(\.key).filter { !computedMembers.contains($0) }
    return names.filter { name in (json[name] ?? changes?[name] ?? .null) != .null }
}

/// Members that this program computes, and members with the kind of the event.
private let computedMembers: Set<WireString> = ["type", "verified", "kind", "event_type_id"]

/// The table of ``XChatEvents/SignatureCoverage`` for the members of the JSON of signed kinds.
private func uncoveredFields(_ event: MessageEvent) -> [WireString] {
    let envelope: [WireString] = ["sequence_id", "created_at_msec"]
    switch event.detail {
    case .messageCreateEvent:
        return envelope + ["should_notify", "ttl_msec"]
    case .conversationKeyChangeEvent:
        return envelope + (event.signedVersion < 6 ? [] : ["participant_keys"])
    case .groupChangeEvent(let change):
        switch change.groupChange {
        case .groupCreate:
            let later: [WireString] = event.signedVersion < 4 ? ["title", "avatar_url"] : []
            return envelope + ["conversation_id", "admin_ids"] + later
        case .groupAdminSettingsChange:
            return envelope + [
                "edit_group_info", "edit_message_ttl", "block_screen_capture", "add_member", "send_message",
                "start_call",
            ]
        default: return envelope
        }
    case .conversationMetadataChangeEvent:
        return envelope + ["apply_to_all"]
    default:
        return envelope
    }
}

extension MessageEvent {
    /// The version of the text that the signature covers.
    fileprivate var signedVersion: Int32 {
        ((try? SignatureVersion(messageEventSignature?.signatureVersion)) ?? .current).number
    }
}
