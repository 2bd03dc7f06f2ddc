import LibSodium
public import XChatEvents

/// A conversation key wrapped for one participant.
public struct ParticipantKey: Hashable, Sendable {
    /// The participant.
    public let userID: UserID
    /// Padded base64 of the wrapped key: 113 bytes in the `.xchat` suite, 80 in `.sodium`.
    public let encryptedConversationKey: WireString
    /// The version of the identity key for which the conversation key is wrapped.
    public let publicKeyVersion: KeyVersion
}

/// A fresh conversation key, wrapped for every participant and signed.
public struct KeyChange: Sendable {
    /// The canonical conversation id.
    public let conversationID: ConversationID
    /// The version of the new key: milliseconds since 1970.
    public let version: KeyVersion
    /// One wrapped key for each participant, in the order of the call.
    public let participantKeys: [ParticipantKey]
    /// The value for `action_signatures` of the REST call.
    public let actionSignature: ActionSignature
    /// The event that the participants get, without what the server adds to it.
    public let event: MessageEvent
    /// The key itself, not wrapped.
    ///
    /// Never send it: every holder of the key can read the messages of its version.
    public let key: ConversationKey
    /// The pins for which the key is wrapped.
    let recipients: [VerifiedPublicKey]
    /// The rotation floor of the conversation when the key was made.
    let rotationFloor: UInt64
}

extension Session {
    /// Prepares a new key for a conversation, wrapped for the current pins of its recipients.
    ///
    /// The key is wrapped only for pinned keys, because the server could serve keys of its own. So pin or accept the
    /// keys of all recipients first. The session records the new version, but does not use the key before
    /// ``adopt(_:)-(KeyChange)``. Call that once the server has accepted the key change event; before, the recipients
    /// cannot decrypt with the key.
    /// - Parameters:
    ///   - conversation: The canonical conversation id.
    ///   - users: The recipients, including this account; by default both users of a 1:1, or all present members of a
    ///     group. In a group they must be present members.
    ///   - version: The version of the new key; by default the current time in milliseconds since 1970, or one above
    ///     the highest accepted version if that is later.
    /// - Returns: The key change for the keys endpoint.
    /// - Throws: `not_unlocked`; `wrong_suite` if the keys of the recipients belong to different suites;
    ///   `not_a_participant` for a recipient who is not a member, or whose keys are not pinned, or who is missing in a
    ///   1:1; `membership_unproven` and `membership_unjudged` for a group whose members are not known;
    ///   `invalid_argument`, `invalid_key`.
    public mutating func prepareKeyChange(
        in conversation: ConversationID,
        for users: [UserID]? = nil,
        version: KeyVersion? = nil
    ) throws(XChatError) -> KeyChange {
        let readers: [UserID]
        if let (first, second) = conversation.participants {
            try requireKnownMembers(of: conversation)
            readers = users ?? (first == second ? [first] : [first, second])
            guard Set(readers) == [first, second] else {
                throw XChatError(
                    .notAParticipant,
                    "the recipients of a key of conversation \(printable(conversation)) must be exactly its two users: "
                        + "name both, or none for the default"
                )
            }
        } else {
            let members = try knownMembers(of: conversation)
            readers = users ?? members.present.sorted { $0.isSmaller(than: $1) }
            if let outsider = readers.first(where: { !members.contains($0) }) {
                throw XChatError(
                    .notAParticipant,
                    "user \(printable(outsider)) is not a member of group \(printable(conversation)), and must not get its "
                        + "key: leave the user out, or add the user to the group first"
                )
            }
        }
        return try prepareKey(in: conversation, for: readers, version: version)
    }

    /// Prepares a new conversation key for recipients whose membership was checked.
    mutating func prepareKey(
        in conversation: ConversationID,
        for users: [UserID],
        version: KeyVersion? = nil
    ) throws(XChatError) -> KeyChange {
        let recipients = try currentKeys(of: users)
        let version = if let version { version } else { try mintVersion(for: conversation) }
        guard version.isValid else {
            throw XChatError(.invalidArgument, "key version \(printable(version)): a version has 1 to 19 digits")
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
            key: key,
            recipients: recipients,
            rotationFloor: keyRing.rotationFloor(of: conversation)
        )
    }

    /// The current pins of users, in the order of the call; for this account its registered key.
    private func currentKeys(of users: [UserID]) throws(XChatError) -> [VerifiedPublicKey] {
        let (keys, version) = try signer()
        guard Set(users).count == users.count else {
            throw XChatError(.invalidArgument, "the recipients of the key include a user twice: name each user once")
        }
        guard users.contains(userID) else {
            throw XChatError(
                .notAParticipant,
                "the recipients of the key do not include user \(printable(userID)) of this account: add the user"
            )
        }
        return try users.map { user throws(XChatError) in
            // For this account the registered key is used, even if the server serves another one.
            let pin = user == userID ? try keys.verifiedKey(userID: user, version: version) : pins.current(of: user)
            guard let pin else {
                throw XChatError(
                    .notAParticipant,
                    "no keys of user \(printable(user)) are pinned: fetch and pin them first"
                )
            }
            guard pin.suite == keys.suite else {
                throw XChatError(
                    .wrongSuite,
                    "the keys of user \(printable(user)) belong to the suite \(pin.suite), not to \(keys.suite) of this account"
                )
            }
            return pin
        }
    }

    /// Applies a key change of this account that the server accepted: its key is used to encrypt from now on.
    ///
    /// If a removal was applied since the preparation, or changed public keys of a recipient were accepted, the key is
    /// only used to decrypt, because it was wrapped before. ``encryptingVersion(in:)`` then throws `rotation_needed`.
    /// - Parameter change: The change.
    /// - Throws: `invalid_argument` for a version that is not 1 to 19 digits.
    public mutating func adopt(_ change: KeyChange) throws(XChatError) {
        let (conversation, version) = (change.conversationID, change.version)
        // The floor alone is not enough: it stays the same if the clock was set back, and the public keys of a new
        // member do not raise it.
        let isStale = !isUnchanged(since: change) || change.recipients.contains { isRetired($0) }
        let members = memberships[conversation]
        let outsiders = change.recipients.map(\.userID).filter { members?.contains($0) == false }
        let key = AcceptedKey(
            key: change.key,
            announcer: userID,
            isOwn: true,
            isStale: isStale,
            outsiders: outsiders.sorted()
        )
        try restoreKey(key, in: conversation, version: version)
        keyRing.adopt(key, in: conversation, version: version)
        if let members { keyRing.boundOutsiders(in: conversation, members.present) }
    }

    /// Whether the keys of the conversation did not become stale since the preparation of a change.
    func isUnchanged(since change: KeyChange) -> Bool {
        keyRing.rotationFloor(of: change.conversationID) == change.rotationFloor
    }

    private mutating func mintVersion(for conversation: ConversationID) throws(XChatError)
        -> KeyVersion
    {
        // Versions of keys that are not accepted are ignored; otherwise any user could announce a high version and so
        // choose the version that is signed here.
        let limit = versionLimit
        let highest = keyRing.highestVersion(of: conversation).flatMap { $0 <= limit ? $0 : nil }
        let floor = max(
            lastMintedVersion,
            highest ?? 0,
            keyRing.newestVersion(in: conversation, upTo: limit)?.number ?? 0
        )
        let (next, overflow) = floor.addingReportingOverflow(1)
        guard !overflow else {
            throw XChatError(.invalidArgument, "the conversation already has the highest possible key version")
        }
        lastMintedVersion = max(next, clock())
        return KeyVersion(String(lastMintedVersion))
    }
}

extension SignedPayload {
    /// Passes the whole signed text to a closure.
    ///
    /// If the text ends with the conversation key, the copy of the text is wiped afterwards.
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
