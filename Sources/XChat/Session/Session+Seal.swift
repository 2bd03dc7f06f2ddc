import LibSodium
public import XChatEvents

/// A text message to be sealed.
public struct TextDraft: Hashable, Sendable {
    /// The text; it may be empty.
    public var text: String
    /// Links, mentions and the like; nil writes no list, an empty list writes an empty one.
    public var entities: [RichTextEntity]?
    /// Whether the recipients' devices are to notify.
    ///
    /// Not covered by the signature.
    public var shouldNotify: Bool
    /// After how many milliseconds the message disappears.
    ///
    /// Not covered by the signature.
    public var ttlMsec: Int64?

    /// A draft.
    public init(
        _ text: String,
        entities: [RichTextEntity]? = nil,
        shouldNotify: Bool = true,
        ttlMsec: Int64? = nil
    ) {
        self.text = text
        self.entities = entities
        self.shouldNotify = shouldNotify
        self.ttlMsec = ttlMsec
    }
}

/// A message, sealed and signed once.
///
/// A retry sends these same bytes; sealing again would be another message.
public struct SealedMessage: Hashable, Sendable {
    /// The UUID that is signed with the message.
    public let messageID: WireString
    /// The canonical conversation id.
    public let conversationID: ConversationID
    /// The version of the conversation key that sealed it.
    public let conversationKeyVersion: KeyVersion
    /// Padded base64 of the Thrift `MessageCreateEvent`: the ciphertext and its key version.
    public let encodedMessageCreateEvent: String
    /// Padded base64 of the Thrift `MessageEventSignature`.
    public let encodedMessageEventSignature: String
    /// The event that a recipient gets, without what the server adds to it.
    public let event: MessageEvent
}

extension Session {
    /// Encrypts and signs a text message (section 10 of the protocol).
    ///
    /// - Parameters:
    ///   - draft: The message.
    ///   - conversation: The canonical conversation id.
    ///   - keyVersion: The conversation key to use; by default the newest verified one.
    /// - Returns: What the send endpoint takes.
    /// - Throws: `not_unlocked`, `key_missing` (also for a key that is not verified), `not_a_participant`,
    ///   `invalid_argument` for a negative ttl or an entity outside of the text, `not_representable` for an id with a comma.
    public func seal(
        _ draft: TextDraft,
        in conversation: ConversationID,
        keyVersion: KeyVersion? = nil
    ) throws(XChatError) -> SealedMessage {
        try draft.validate()
        let contents = MessageContents(messageText: WireString(draft.text), entities: draft.entities)
        return try seal(
            .message(contents),
            in: conversation,
            keyVersion: keyVersion,
            shouldNotify: draft.shouldNotify,
            ttlMsec: draft.ttlMsec
        )
    }

    /// The one way out for whatever is sealed.
    func seal(
        _ contents: MessageEntryContents,
        in conversation: ConversationID,
        keyVersion: KeyVersion?,
        shouldNotify: Bool,
        ttlMsec: Int64?
    ) throws(XChatError) -> SealedMessage {
        let (keys, signingKeyVersion) = try signer()
        try requireMembership(of: conversation)
        let (version, key) = try sealingKey(in: conversation, version: keyVersion)

        var plaintext = MessageEntryHolder(contents: contents).encoded()
        defer { Sodium.wipe(&plaintext) }
        let box: [UInt8]
        do {
            box = try key.withBytes { key throws(SodiumError) in
                try SecretBox.seal(plaintext.span, key: key)
            }
        } catch {
            throw XChatError(.unsupported, "libsodium sealed nothing: \(error)")
        }

        let create = MessageCreateEvent(
            contents: box,
            conversationKeyVersion: version,
            shouldNotify: shouldNotify,
            ttlMsec: ttlMsec
        )
        let messageID = MessageID.random()
        let builder = EventBuilder(messageID: messageID, senderID: userID, conversationID: conversation)
        let unsigned = try builder.build(.messageCreateEvent(create))
        let signature = try keys.keys.sign(unsigned.payload.bytes.span)
        let event = unsigned.signed(signature, publicKeyVersion: signingKeyVersion)
        return SealedMessage(
            messageID: messageID,
            conversationID: conversation,
            conversationKeyVersion: version,
            encodedMessageCreateEvent: Base64.encode(create.encoded()),
            encodedMessageEventSignature: Base64.encode(event.messageEventSignature?.encoded() ?? []),
            event: event
        )
    }

    private func sealingKey(
        in conversation: ConversationID,
        version: KeyVersion?
    ) throws(XChatError) -> (version: KeyVersion, key: ConversationKey) {
        let place = printable(conversation.value)
        guard let version = version ?? keyRing.newestVersion(in: conversation) else {
            let reason = keyRing.mark(of: conversation) == nil ? "no verified key" : "the newest key is not at hand"
            throw XChatError(
                .keyMissing,
                "\(reason) for conversation \(place): read its key changes first, or begin with: conversation start"
            )
        }
        guard let key = keyRing.verifiedKey(in: conversation, version: version) else {
            throw XChatError(.keyMissing, "no verified key \(printable(version)) for conversation \(place)")
        }
        return (version, key)
    }
}

extension TextDraft {
    func validate() throws(XChatError) {
        if let ttlMsec, ttlMsec < 0 { throw XChatError(.invalidArgument, "ttl_msec is negative") }
        // The unit of the offsets is not settled; bytes are the largest of the three that are in use.
        let end = text.utf8.count
        for (index, entity) in (entities ?? []).enumerated() {
            guard let first = entity.startIndex, let last = entity.endIndex, 0 <= first, first <= last,
                Int(last) <= end
            else {
                throw XChatError(.invalidArgument, "entities[\(index)] does not lie in the text")
            }
        }
    }
}

extension EventBuilder {
    func build(_ detail: MessageEventDetail) throws(XChatError) -> UnsignedEvent {
        do {
            return try event(detail)
        } catch {
            throw XChatError(.notRepresentable, "\(error)")
        }
    }
}
