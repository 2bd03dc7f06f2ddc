extension PayloadText {
    /// Writes the text of a change of a conversation's settings.
    mutating func write(
        _ event: borrowing MessageEvent,
        _ change: ConversationMetadataChangeEvent
    ) throws(PayloadError) {
        guard let change = change.conversationMetadataChange else {
            try fail(.missing("conversation_metadata_change"))
            return try begin(setting: "", event, "")
        }
        switch change {
        case .messageDurationChange(let duration):
            try begin(setting: "MessageDurationChange", event, "message_duration_change")
            if duration.ttlMsec == nil { try fail(.missing("ttl_msec")) }
            add(ifPresent: duration.ttlMsec, "ttl_msec")
        case .messageDurationRemove:
            try begin(setting: "MessageDurationRemove", event, "message_duration_remove")
        case .muteConversation(let mute):
            try begin(setting: "MuteConversation", event, "mute_conversation")
            try add(each: mute.mutedConversationIDs, "muted_conversation_ids")
        case .unmuteConversation(let unmute):
            try begin(setting: "UnmuteConversation", event, "unmute_conversation")
            try add(each: unmute.unmutedConversationIDs, "unmuted_conversation_ids")
        case .enableScreenCaptureDetection:
            try begin(setting: "EnableScreenCaptureDetection", event, "enable_screen_capture_detection")
        case .disableScreenCaptureDetection:
            try begin(setting: "DisableScreenCaptureDetection", event, "disable_screen_capture_detection")
        case .enableScreenCaptureBlocking:
            try begin(setting: "EnableScreenCaptureBlocking", event, "enable_screen_capture_blocking")
        case .disableScreenCaptureBlocking:
            try begin(setting: "DisableScreenCaptureBlocking", event, "disable_screen_capture_blocking")
        case .unknown:
            try fail(.noSignedForm("conversation_metadata_change"))
            try begin(setting: "", event, "")
        }
    }

    private mutating func begin(
        setting name: String,
        _ event: borrowing MessageEvent,
        _ variant: String
    ) throws(PayloadError) {
        try begin(
            "ConversationMetadataChangeEvent.\(name)",
            of: event,
            at: "detail.conversationMetadataChangeEvent.conversation_metadata_change.\(variant)"
        )
    }
}
