extension SignedPayload {
    /// The text of a change of a conversation's settings.
    static func text(
        of event: MessageEvent,
        _ change: ConversationMetadataChangeEvent
    ) throws(PayloadError) -> PayloadText {
        guard let change = change.conversationMetadataChange else { throw .missing("conversation_metadata_change") }
        switch change {
        case .messageDurationChange(let duration):
            var text = try settings("MessageDurationChange", event)
            guard let ttl = duration.ttlMsec else { throw .missing("ttl_msec") }
            text.add(ifPresent: ttl)
            return text
        case .messageDurationRemove:
            return try settings("MessageDurationRemove", event)
        case .muteConversation(let mute):
            var text = try settings("MuteConversation", event)
            try text.add(each: mute.mutedConversationIDs, "muted_conversation_ids")
            return text
        case .unmuteConversation(let unmute):
            var text = try settings("UnmuteConversation", event)
            try text.add(each: unmute.unmutedConversationIDs, "unmuted_conversation_ids")
            return text
        case .enableScreenCaptureDetection:
            return try settings("EnableScreenCaptureDetection", event)
        case .disableScreenCaptureDetection:
            return try settings("DisableScreenCaptureDetection", event)
        case .enableScreenCaptureBlocking:
            return try settings("EnableScreenCaptureBlocking", event)
        case .disableScreenCaptureBlocking:
            return try settings("DisableScreenCaptureBlocking", event)
        case .unknown:
            throw .noSignedForm("conversation_metadata_change")
        }
    }

    private static func settings(_ name: String, _ event: MessageEvent) throws(PayloadError) -> PayloadText {
        try PayloadText("ConversationMetadataChangeEvent.\(name)", of: event)
    }
}
