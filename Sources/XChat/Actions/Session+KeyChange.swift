import LibSodium
public import XChatEvents

/// A conversation key wrapped to one participant.
public struct ParticipantKey: Hashable, Sendable {
    /// The participant.
    public let userID: UserID
    /// Padded base64 of the wrapped key: 113 bytes in the `.xchat` suite, 80 in `.sodium`.
    public let encryptedConversationKey: WireString
    /// The version of the identity key that it is wrapped to.
    public let publicKeyVersion: KeyVersion
}

/// A fresh conversation key, wrapped to every participant and signed.
public struct KeyChange: Sendable {
    /// The canonical conversation id.
    public let conversationID: ConversationID
    /// The version of the new key: milliseconds since 1970.
    public let version: KeyVersion
    /// One wrapped key a participant, in the order of the call.
    public let participantKeys: [ParticipantKey]
    /// What `action_signatures` of the REST call takes.
    public let actionSignature: ActionSignature
    /// The event that the participants get, without what the server adds to it.
    public let event: MessageEvent
    /// The key itself.
    ///
    /// It must never be sent.
    public let key: ConversationKey
}

extension Session {
    /// Makes a new conversation key for a conversation (section 12 of the protocol).
    ///
    /// Nothing of the session but the last minted version changes: call
    /// ``addConversationKey(_:in:version:)`` once the server has accepted it.
    /// - Parameters:
    ///   - conversation: The canonical conversation id.
    ///   - participants: Bound keys of everybody who is to read, oneself included. Of several versions of one user the
    ///     highest number counts.
    ///   - version: By default now in milliseconds, or just above the highest verified version of the conversation if that is later.
    /// - Returns: What the keys endpoint takes.
    /// - Throws: `not_unlocked`, `wrong_suite` for a mixed conversation, `not_a_participant` when somebody of a 1:1 or
    ///   oneself is missing or somebody else is there, `invalid_argument`, `invalid_key`.
    public mutating func prepareKeyChange(
        in conversation: ConversationID,
        participants: [BoundKey],
        version: KeyVersion? = nil
    ) throws(XChatError) -> KeyChange {
        let (keys, _) = try signer()
        try requireMembership(of: conversation)
        let recipients = try newest(of: participants, in: conversation, suite: keys.suite)
        let version = if let version { version } else { try mintVersion(for: conversation) }
        guard version.number != nil else {
            throw XChatError(.invalidArgument, "a key version is a decimal number")
        }

        let key = try ConversationKey.generate()
        let wraps = concurrentMap(recipients) { recipient in
            Result { () throws(XChatError) in try recipient.identityKey.key.wrap(key) }
        }
        let participantKeys = try zip(recipients, wraps).map { (recipient, wrapped) throws(XChatError) in
            ParticipantKey(
                userID: recipient.userID,
                encryptedConversationKey: WireString(
                    Base64.encode(try wrapped.get())
                ),
                publicKeyVersion: recipient.version
            )
        }
        let detail = MessageEventDetail.conversationKeyChangeEvent(
            ConversationKeyChangeEvent(
                conversationKeyVersion: version,
                conversationParticipantKeys: participantKeys.map {
                    ConversationParticipantKey(
                        userID: $0.userID,
                        encryptedConversationKey: $0.encryptedConversationKey,
                        publicKeyVersion: $0.publicKeyVersion
                    )
                },
                forKeyRotation: false
            )
        )
        let (action, event) = try sign(detail, in: conversation, covering: key)
        return KeyChange(
            conversationID: conversation,
            version: version,
            participantKeys: participantKeys,
            actionSignature: action,
            event: event,
            key: key
        )
    }

    /// One key a user, in the order in which the users first appear.
    private func newest(
        of participants: [BoundKey],
        in conversation: ConversationID,
        suite: SuiteName
    ) throws(XChatError) -> [BoundKey] {
        var order: [UserID] = []
        var newest: [UserID: BoundKey] = [:]
        // One's own key is the one that is registered, whatever else was ever made.
        let hasRegistered = participants.contains { $0.userID == userID && $0.version == signingKeyVersion }
        for key in participants where !(hasRegistered && key.userID == userID && key.version != signingKeyVersion) {
            guard let number = key.version.number else {
                throw XChatError(.invalidArgument, "key version \(printable(key.version)) is not a number")
            }
            guard key.suite == suite else {
                throw XChatError(
                    .wrongSuite,
                    "the keys of user \(printable(key.userID)) are of the suite \(key.suite), not \(suite)"
                )
            }
            guard mayBelong(key.userID, to: conversation) else {
                throw XChatError(
                    .notAParticipant,
                    "user \(printable(key.userID)) is not in \(printable(conversation.value))"
                )
            }
            if let known = newest[key.userID] {
                if number > known.version.number ?? 0 { newest[key.userID] = key }
            } else {
                order.append(key.userID)
                newest[key.userID] = key
            }
        }
        var required = [userID]
        if let (first, second) = conversation.participants { required += [first, second] }
        for user in required where newest[user] == nil {
            throw XChatError(.notAParticipant, "no key of participant \(printable(user)) was given")
        }
        return order.compactMap { newest[$0] }
    }

    private mutating func mintVersion(for conversation: ConversationID) throws(XChatError)
        -> KeyVersion
    {
        // Only verified versions count: whoever could move it with others would choose the version that is signed here.
        let floor = max(lastMintedVersion, keyRing.mark(of: conversation) ?? 0)
        let (next, overflow) = floor.addingReportingOverflow(1)
        guard !overflow else {
            throw XChatError(.invalidArgument, "the conversation's key version cannot rise any more")
        }
        lastMintedVersion = max(next, clock())
        return WireString(String(lastMintedVersion))
    }
}

extension SignedPayload {
    /// Lends the whole signed text.
    ///
    /// Where it ends in the conversation key, the copy is wiped afterwards.
    func withText<Result>(
        conversationKey: ConversationKey,
        _ body: (Span<UInt8>) throws(XChatError) -> Result
    ) throws(XChatError) -> Result {
        guard endsWithConversationKey else { return try body(bytes.span) }
        var encodedKey = conversationKey.withBytes { Base64.encodeBytes($0, padding: false) }
        defer { Sodium.wipe(&encodedKey) }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + encodedKey.count)
        text += bytes
        text += encodedKey
        defer { Sodium.wipe(&text) }
        return try body(text.span)
    }
}
