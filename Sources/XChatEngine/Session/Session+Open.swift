import LibSodium
public import XChatEvents

extension Session {
    /// Verifies an event without decrypting it; the session does not change.
    ///
    /// - Parameter event: The event.
    /// - Throws: The reason why the event does not verify; `never_signed` for the kinds that are never signed.
    public func verify(_ event: MessageEvent) throws(XChatError) {
        guard event.kind.isSigned else {
            throw XChatError(.neverSigned, "events of this kind are never signed")
        }
        try Verifier.requireEncryption(of: event)
        _ = try signature(of: event, conversationKeys: candidateKeys(of: event))
        _ = try mark(ofAuthorOf: event)
    }

    /// Verifies and decrypts an event that is not a key change event; the session does not change.
    func opened(_ event: MessageEvent) throws(XChatError) -> Event {
        guard event.kind.isSigned else {
            try event.requireLimits()
            return Event(received: event, isVerified: false)
        }
        try Verifier.requireEncryption(of: event)
        let signed = try signature(of: event, conversationKeys: candidateKeys(of: event))
        var marks: Set<Event.Mark> = []
        if let mark = try mark(ofAuthorOf: event) { marks.insert(mark) }
        if isRetired(signed.signer) { marks.insert(.retiredKey) }
        guard case .messageCreateEvent(let create) = event.detail else {
            if case .messageDeleteEvent = event.detail { marks.insert(.targetUnproven) }
            return Event(received: event, isVerified: true, marks: marks, signer: signed.signer)
        }
        let (holder, keyMarks) = try contents(of: create, in: event)
        marks.formUnion(keyMarks)
        var replyValidation: ReplyValidation?
        switch holder.contents {
        case .message(let message):
            if let preview = message.replyingToPreview {
                replyValidation = validation(of: preview, conversationID: event.conversationID)
            }
        case .messageEdit, .reactionAdd, .reactionRemove: marks.insert(.targetUnproven)
        default: break
        }
        return Event(
            received: event,
            isVerified: true,
            contents: holder,
            replyValidation: replyValidation,
            marks: marks,
            signer: signed.signer
        )
    }

    // MARK: Keys that key changes deliver

    /// The keys that the signature of a key change event may cover: the delivered one, and the accepted one of its
    /// version.
    func candidateKeys(of event: MessageEvent) -> [ConversationKey] {
        guard case .conversationKeyChangeEvent(let change) = event.detail else { return [] }
        return (deliveredKey(in: change).map { [$0] } ?? []) + knownKeys(forVersionOf: event)
    }

    /// The maximum number of entries of a key change event that are tried.
    ///
    /// Each costs a key agreement before the signature is verified, so without a limit any sender could cost the
    /// recipient much time.
    private static let maximumUnwraps = 8

    /// The key that a key change event delivers to this account: that of the first entry that unwraps, in the order of
    /// `docs/protocol.md`, "Key wrap".
    func deliveredKey(in change: ConversationKeyChangeEvent) -> ConversationKey? {
        guard let keys = privateKeys?.keys else { return nil }
        let entries = change.conversationParticipantKeys ?? []
        let own = entries.filter { $0.userID == userID }
        var ranked = own.filter { $0.publicKeyVersion == signingKeyVersion }
        ranked += own.filter { $0.publicKeyVersion != signingKeyVersion }
        ranked += entries.filter {
            $0.userID != userID && ($0.publicKeyVersion == nil || $0.publicKeyVersion == signingKeyVersion)
        }
        for entry in ranked.prefix(Self.maximumUnwraps) {
            guard let encoded = entry.encryptedConversationKey, let wrapped = try? Base64.decode(encoded),
                let key = try? keys.unwrap(wrapped)
            else { continue }
            return key
        }
        return nil
    }

    // MARK: Contents

    /// Decrypts the contents of a message with the first key of its version that authenticates them; the accepted key
    /// is tried first.
    ///
    /// `furtherKeys` is called only if no key of the key ring decrypts the contents, because each of its keys costs a
    /// key agreement.
    /// - Returns: The contents, and the restrictions of the trust in the key that decrypted them.
    func contents(
        of create: MessageCreateEvent,
        in event: MessageEvent,
        furtherKeys: (KeyVersion) -> [ConversationKey] = { _ in [] }
    ) throws(XChatError) -> (MessageEntryHolder, Set<Event.Mark>) {
        let box = create.contents ?? []
        guard let version = create.conversationKeyVersion else { return (try holder(box), []) }
        var isKeyKnown = false
        if let conversation = event.canonicalConversationID {
            var marks: Set<Event.Mark> = keyRing.isDisputed(version, in: conversation) ? [.disputedKey] : []
            if let key = keyRing.acceptedKey(in: conversation, version: version) {
                if let opened = try holder(box, openedBy: key) { return (opened, marks) }
                isKeyKnown = true
            }
            let hasLog = memberships[conversation] != nil
            for other in keyRing.others(in: conversation, version: version) {
                isKeyKnown = true
                guard let opened = try holder(box, openedBy: other.key) else { continue }
                if let mark = other.level.mark(hasLog: hasLog) { marks.insert(mark) }
                return (opened, marks)
            }
        }
        for key in furtherKeys(version) {
            isKeyKnown = true
            if let opened = try holder(box, openedBy: key) { return (opened, [.unverifiedKey]) }
        }
        guard isKeyKnown else {
            throw XChatError(
                .keyMissing,
                "no key \(printable(version)) for conversation \(printable(event.conversationID ?? "")) is known: "
                    + "deliver the conversation's key change events (meta.conversation_key_events of its history); they "
                    + "contain no key for a message that is older than the membership of user \(printable(userID))"
            )
        }
        throw XChatError(.authenticationFailed, "the message does not decrypt")
    }

    private func holder(
        _ box: [UInt8],
        openedBy key: ConversationKey
    ) throws(XChatError) -> MessageEntryHolder? {
        guard var plaintext = try? key.open(box) else { return nil }
        defer { Sodium.wipe(&plaintext) }
        return try holder(plaintext)
    }

    private func holder(_ plaintext: [UInt8]) throws(XChatError) -> MessageEntryHolder {
        do {
            return try MessageEntryHolder(decoding: plaintext)
        } catch {
            throw XChatError(error, as: .malformed, in: "the decrypted contents")
        }
    }
}

extension KeyLevel {
    /// The restriction of the trust in a message that a key of this level decrypts.
    fileprivate func mark(hasLog: Bool) -> Event.Mark? {
        switch self {
        case .unverified: .unverifiedKey
        case .legacy: .legacyKey
        case .retired: .retiredKey
        // Without a log the message already has a mark because of its author: `membershipUnknown`.
        case .announced: hasLog ? .unverifiedKey : nil
        }
    }
}
