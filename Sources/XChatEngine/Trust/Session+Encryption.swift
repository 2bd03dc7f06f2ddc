public import XChatEvents

// Which key encrypts, and for whom: see `docs/trust.md`, "Conversation keys".
extension Session {
    /// The version of the conversation key that encrypts now.
    ///
    /// - Parameter conversation: The canonical conversation id.
    /// - Returns: The newest accepted version.
    /// - Throws: `key_missing` if no key is accepted or the newest is not known; `rotation_needed` if the newest key is
    ///   older than a removal or than a participant's new keys, or was given to people who are not members;
    ///   `disputed_key`; `not_a_participant` if this account is not a member; `membership_unproven` if the member list
    ///   is only the server's word; `membership_unjudged` while a change waits for its signer's keys.
    public func encryptingVersion(in conversation: ConversationID) throws(XChatError) -> KeyVersion {
        try encryptingKey(in: conversation).version
    }

    /// The accepted key that encrypts: the newest one, or the one of a version that the caller names.
    package func encryptingKey(
        in conversation: ConversationID,
        version: KeyVersion? = nil
    ) throws(XChatError) -> (version: KeyVersion, key: ConversationKey) {
        try requireKnownMembers(of: conversation)
        let id = printable(conversation)
        if let version, keyRing.accepted(in: conversation, version: version) == nil {
            throw XChatError(
                .keyMissing,
                "key \(printable(version)) of conversation \(id) is not an accepted key; name an accepted version, or none"
            )
        }
        guard let newest = version ?? keyRing.newestVersion(in: conversation, upTo: versionLimit),
            let accepted = keyRing.accepted(in: conversation, version: newest), newest.number ?? .max <= versionLimit
        else { throw XChatError(.keyMissing, whyNoKeyEncrypts(in: conversation)) }
        if version == nil, let highest = keyRing.highestVersion(of: conversation), newest.number ?? 0 < highest,
            highest <= versionLimit
        {
            throw XChatError(
                .keyMissing,
                "the newest key \(highest) of conversation \(id) is not known, and no older one encrypts: deliver its key changes"
            )
        }
        guard !keyRing.isDisputed(newest, in: conversation) else {
            throw XChatError(
                .disputedKey,
                "two different keys were announced under version \(printable(newest)) of conversation \(id), and neither encrypts: "
                    + "rotate the key"
            )
        }
        guard !accepted.isStale else {
            throw XChatError(
                .rotationNeeded,
                "key \(printable(newest)) of conversation \(id) is older than a removal of members, or than new "
                    + "keys of a participant, and does not encrypt: rotate the key"
            )
        }
        if let members = memberships[conversation] {
            if let outsider = accepted.outsiders.first(where: { !members.contains($0) }) {
                throw XChatError(
                    .rotationNeeded,
                    "key \(printable(newest)) of conversation \(id) was also given to user \(printable(outsider)), "
                        + "who is not a member, and does not encrypt: rotate the key"
                )
            }
            if let announcer = accepted.announcer, !members.contains(announcer) {
                throw XChatError(
                    .rotationNeeded,
                    "user \(printable(announcer)), who announced key \(printable(newest)) of conversation \(id), is "
                        + "not a member any more: rotate the key"
                )
            }
        }
        return (newest, accepted.key)
    }

    private func whyNoKeyEncrypts(in conversation: ConversationID) -> String {
        let id = printable(conversation)
        if let ahead = keyRing.newestVersion(in: conversation) {
            return
                "key \(printable(ahead)) of conversation \(id) is more than a day ahead of this machine's clock "
                + "(\(clock()) ms), and does not encrypt: correct the clock, or rotate the key"
        }
        if keyRing.highestVersion(of: conversation) != nil {
            return
                "the newest key of conversation \(id) is not known, and no older one encrypts: deliver its key changes"
        }
        if keyRing.hasOthers(in: conversation) {
            return
                "no key of conversation \(id) is accepted, because no present member announced one under trusted keys: "
                + "deliver its whole history, or rotate the key"
        }
        return
            "no verified key for conversation \(id) is known: deliver its key changes, or make a key change"
    }

    /// Refuses a group whose members are not known well enough to encrypt for them.
    ///
    /// A group without a log is let through: the caller supplied its key.
    func requireKnownMembers(of conversation: ConversationID) throws(XChatError) {
        if let isOneOfTwo = conversation.isOneOfTwo(userID), !isOneOfTwo {
            throw XChatError(
                .notAParticipant,
                "user \(printable(userID)) is not one of the two users of conversation \(printable(conversation)), and "
                    + "cannot encrypt for it"
            )
        }
        guard let members = memberships[conversation] else { return }
        let id = printable(conversation)
        guard members.claim != .server else {
            throw XChatError(
                .membershipUnproven,
                "the member list of group \(id) is only the server's word, and is not encrypted for: have a person accept a list"
            )
        }
        guard !members.isContested else {
            throw XChatError(
                .membershipUnproven,
                "two signed foundings of group \(id) contradict each other: have a person accept a list of its members"
            )
        }
        guard members.unjudged.isEmpty, !members.isFull else {
            let signer = members.unjudged.first?.event.senderID
            throw XChatError(
                .membershipUnjudged,
                members.isFull
                    ? "the membership log of group \(id) is full, and misses a change: have a person accept a list of its members"
                    : "a change of the members of group \(id) waits for the keys of user \(printable(signer ?? "")): accept these "
                        + "keys, or have a person accept a list of the members"
            )
        }
        guard members.contains(userID) else {
            throw XChatError(
                .notAParticipant,
                "user \(printable(userID)) is not a member of group \(id), and cannot encrypt for it"
            )
        }
    }

    /// Refuses a group without a membership log: a new key goes to its members.
    func knownMembers(of group: ConversationID) throws(XChatError) -> Membership {
        try requireKnownMembers(of: group)
        guard let members = memberships[group] else {
            throw XChatError(
                .membershipUnproven,
                "the members of group \(printable(group)) are not known, so a new key would have no readers: deliver its whole history"
            )
        }
        return members
    }
}
