/// The text of an event that its sender signs.
///
/// Components joined by commas, without counts or escapes: the name of the kind, the message id, the sender, the
/// conversation, then what the kind has. Some texts can be read in two ways, which is what
/// ``MessageEvent/inconsistency`` is there for.
public struct SignedPayload: Hashable, Sendable {
    /// The text in UTF-8, without the conversation key where it ends with one.
    public let bytes: [UInt8]
    /// Whether the signed text goes on with the base64, without padding, of the plaintext conversation key.
    ///
    /// So it is for key changes from version 6 on; ``bytes`` then ends with the comma before the key.
    public let endsWithConversationKey: Bool

    /// The text of an event.
    ///
    /// - Parameters:
    ///   - event: the event; its own conversation id is used as it stands.
    ///   - version: the version that its signature names.
    /// - Throws: the reason why the event has no signed text.
    public init(of event: borrowing MessageEvent, version: SignatureVersion = .current) throws(PayloadError) {
        guard event.kind.isSigned, let detail = event.detail else { throw .neverSigned }
        endsWithConversationKey = event.kind == .keyChange && version.number >= 6
        bytes = try Self.text(of: event, detail, version: version.number).bytes
    }

    private static func text(
        of event: MessageEvent,
        _ detail: MessageEventDetail,
        version: Int32
    ) throws(PayloadError) -> PayloadText {
        switch detail {
        case .messageCreateEvent(let create): try text(of: event, create)
        case .conversationKeyChangeEvent(let change): try text(of: event, change, version: version)
        case .groupChangeEvent(let change): try text(of: event, change, version: version)
        case .messageDeleteEvent(let deletion): try text(of: event, deletion)
        case .conversationDeleteEvent(let deletion): try text(of: event, deletion)
        case .conversationMetadataChangeEvent(let change): try text(of: event, change)
        case .markConversationReadEvent(let mark): try text(of: event, mark)
        case .markConversationUnreadEvent(let mark): try text(of: event, mark)
        case .messageFailureEvent, .messageTypingEvent, .memberAccountDeleteEvent, .grokSearchResponseEvent, .unknown:
            throw .neverSigned
        }
    }

    private static func text(of event: MessageEvent, _ create: MessageCreateEvent) throws(PayloadError) -> PayloadText {
        guard let contents = create.contents else { throw .missing("contents") }
        let capacity = 256 + (contents.count + 2) / 3 * 4
        var text = try PayloadText("MessageCreateEvent", of: event, reservingCapacity: capacity)
        try text.add(orEmpty: create.conversationKeyVersion, "conversation_key_version")
        text.add(base64: contents)
        return text
    }

    private static func text(
        of event: MessageEvent,
        _ change: ConversationKeyChangeEvent,
        version: Int32
    ) throws(PayloadError) -> PayloadText {
        var text = try PayloadText("ConversationKeyChangeEvent", of: event)
        try text.add(required: change.conversationKeyVersion, "conversation_key_version")
        if version >= 6 {
            text.addComma()
            return text
        }
        guard let keys = change.conversationParticipantKeys else { throw .missing("conversation_participant_keys") }
        for key in keys {
            try text.add(orEmpty: key.userID, "user_id")
            try text.add(orEmpty: key.encryptedConversationKey, "encrypted_conversation_key")
            try text.add(orEmpty: key.publicKeyVersion, "public_key_version")
        }
        return text
    }

    private static func text(
        of event: MessageEvent,
        _ deletion: MessageDeleteEvent
    ) throws(PayloadError) -> PayloadText {
        var text = try PayloadText("MessageDeleteEvent", of: event)
        guard let action = deletion.deleteMessageAction else { throw .missing("delete_message_action") }
        text.add(ifPresent: Int64(action.rawValue))
        try text.add(eachRequired: deletion.sequenceIDs, "sequence_ids")
        return text
    }

    private static func text(
        of event: MessageEvent,
        _ deletion: ConversationDeleteEvent
    ) throws(PayloadError) -> PayloadText {
        var text = try PayloadText("ConversationDeleteEvent", of: event)
        text.add(ifPresent: deletion.clearConversationOptions?.clearAllMessages)
        text.add(ifPresent: deletion.clearConversationOptions?.sortOrderMsec)
        return text
    }

    private static func text(
        of event: MessageEvent,
        _ mark: MarkConversationReadEvent
    ) throws(PayloadError) -> PayloadText {
        var text = try PayloadText("MarkConversationReadEvent", of: event)
        try text.add(required: mark.seenUntilSequenceID, "seen_until_sequence_id")
        text.add(ifPresent: mark.seenAtMillis)
        return text
    }

    private static func text(
        of event: MessageEvent,
        _ mark: MarkConversationUnreadEvent
    ) throws(PayloadError) -> PayloadText {
        var text = try PayloadText("MarkConversationUnreadEvent", of: event)
        if let seenUntil = mark.seenUntilSequenceID {
            try text.add(seenUntil, "seen_until_sequence_id")
        }
        return text
    }
}
