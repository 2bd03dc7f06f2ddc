/// The text of an event that its sender signs.
///
/// The text consists of components joined by commas, without counts or escapes: the name of the kind, the message id,
/// the sender, the conversation, and then the components of the kind. See `docs/protocol.md`, "Signed texts". Some
/// texts can be read in two ways, so a server could change such an event and keep the signature valid;
/// ``MessageEvent/inconsistency`` detects these texts.
public struct SignedPayload: Hashable, Sendable {
    /// The text in UTF-8.
    ///
    /// If the signed text ends with the conversation key, the key is left out here, because the event contains the key
    /// only in encrypted form. See ``endsWithConversationKey``.
    public let bytes: [UInt8]
    /// Whether the signed text ends with the base64, without padding, of the plaintext conversation key.
    ///
    /// True for key change events from version 6 on; ``bytes`` then ends with the comma before the key.
    public let endsWithConversationKey: Bool

    /// Makes the signed text of an event.
    ///
    /// - Parameters:
    ///   - event: The event; its conversation id is used as it is, not in its canonical form.
    ///   - version: The version that the event's signature names.
    /// - Throws: The reason why the event has no signed text.
    public init(of event: borrowing MessageEvent, version: SignatureVersion = .current) throws(PayloadError) {
        guard event.kind.isSigned, let detail = event.detail else { throw .neverSigned }
        endsWithConversationKey = event.kind == .keyChange && version.number >= 6
        var text = PayloadText()
        try text.write(event, detail, version: version.number)
        bytes = text.bytes
    }
}

extension PayloadText {
    /// Writes the signed text of an event.
    mutating func write(
        _ event: borrowing MessageEvent,
        _ detail: MessageEventDetail,
        version: Int32
    ) throws(PayloadError) {
        switch detail {
        case .messageCreateEvent(let create): try write(event, create)
        case .conversationKeyChangeEvent(let change): try write(event, change, version: version)
        case .groupChangeEvent(let change): try write(event, change, version: version)
        case .messageDeleteEvent(let deletion): try write(event, deletion)
        case .conversationDeleteEvent(let deletion): try write(event, deletion)
        case .conversationMetadataChangeEvent(let change): try write(event, change)
        case .markConversationReadEvent(let mark): try write(event, mark)
        case .markConversationUnreadEvent(let mark): try write(event, mark)
        case .messageFailureEvent, .messageTypingEvent, .memberAccountDeleteEvent, .grokSearchResponseEvent, .unknown:
            throw .neverSigned
        }
    }

    private mutating func write(_ event: borrowing MessageEvent, _ create: MessageCreateEvent) throws(PayloadError) {
        if create.contents == nil { try fail(.missing("contents")) }
        let contents = create.contents ?? []
        let capacity = 256 + (contents.count + 2) / 3 * 4
        try begin("MessageCreateEvent", of: event, at: "detail.messageCreateEvent", reservingCapacity: capacity)
        try add(orEmpty: create.conversationKeyVersion, "conversation_key_version")
        add(base64: contents, "contents")
    }

    private mutating func write(
        _ event: borrowing MessageEvent,
        _ change: ConversationKeyChangeEvent,
        version: Int32
    ) throws(PayloadError) {
        try begin("ConversationKeyChangeEvent", of: event, at: "detail.conversationKeyChangeEvent")
        try add(required: change.conversationKeyVersion, "conversation_key_version")
        if version >= 6 {
            addComma()
            return
        }
        let list = "conversation_participant_keys"
        if change.conversationParticipantKeys == nil { try fail(.missing(list)) }
        record(list)
        for key in change.conversationParticipantKeys ?? [] {
            try add(orEmpty: key.userID, "user_id", as: list)
            try add(orEmpty: key.encryptedConversationKey, "encrypted_conversation_key", as: list)
            try add(orEmpty: key.publicKeyVersion, "public_key_version", as: list)
        }
    }

    private mutating func write(
        _ event: borrowing MessageEvent,
        _ deletion: MessageDeleteEvent
    ) throws(PayloadError) {
        try begin("MessageDeleteEvent", of: event, at: "detail.messageDeleteEvent")
        if deletion.deleteMessageAction == nil { try fail(.missing("delete_message_action")) }
        add(ifPresent: deletion.deleteMessageAction.map { Int64($0.rawValue) }, "delete_message_action")
        try add(eachRequired: deletion.sequenceIDs, "sequence_ids")
    }

    private mutating func write(
        _ event: borrowing MessageEvent,
        _ deletion: ConversationDeleteEvent
    ) throws(PayloadError) {
        try begin("ConversationDeleteEvent", of: event, at: "detail.conversationDeleteEvent")
        let options = deletion.clearConversationOptions
        add(ifPresent: options?.clearAllMessages, "clear_conversation_options.clear_all_messages")
        add(ifPresent: options?.sortOrderMsec, "clear_conversation_options.sort_order_msec")
    }

    private mutating func write(
        _ event: borrowing MessageEvent,
        _ mark: MarkConversationReadEvent
    ) throws(PayloadError) {
        try begin("MarkConversationReadEvent", of: event, at: "detail.markConversationReadEvent")
        try add(required: mark.seenUntilSequenceID, "seen_until_sequence_id")
        add(ifPresent: mark.seenAtMillis, "seen_at_millis")
    }

    private mutating func write(
        _ event: borrowing MessageEvent,
        _ mark: MarkConversationUnreadEvent
    ) throws(PayloadError) {
        try begin("MarkConversationUnreadEvent", of: event, at: "detail.markConversationUnreadEvent")
        if let seenUntil = mark.seenUntilSequenceID {
            try add(seenUntil, "seen_until_sequence_id")
        }
    }
}
