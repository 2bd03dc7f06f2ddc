public import XChatEvents

// This extension decides which key is used to encrypt, and for which users: see `docs/trust.md`, "Conversation keys".
extension Session {
    /// The version of the conversation key that is used to encrypt now.
    ///
    /// - Parameter conversation: The canonical conversation id.
    /// - Returns: The newest accepted version.
    /// - Throws: One of these errors:
    ///   - `key_missing` if no key is accepted, or the newest is not known, or all are more than a day ahead of the
    ///     clock
    ///   - `rotation_needed` if the newest key is stale, or was given to users who are not members, or was announced by
    ///     a user who is no longer a member
    ///   - `disputed_key` if two keys were announced under its version
    ///   - `not_a_participant` if this account is not a member
    ///   - `membership_unproven` if the member list comes only from the server, or if two foundings contradict each
    ///     other
    ///   - `membership_unjudged` while a change waits for its signer's keys, or if the membership log is full
    public func encryptingVersion(in conversation: ConversationID) throws(XChatError) -> KeyVersion {
        try encryptingKey(in: conversation).version
    }

    /// The accepted key to encrypt with: the newest one, or the one of a version that the caller names.
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
                "the newest key \(highest) of conversation \(id) is not known, and an older one must not be used to encrypt: "
                    + "deliver its key change events"
            )
        }
        guard !keyRing.isDisputed(newest, in: conversation) else {
            throw XChatError(
                .disputedKey,
                "two different keys were announced under version \(printable(newest)) of conversation \(id), and neither may be "
                    + "used to encrypt: rotate the key"
            )
        }
        guard !accepted.isStale else {
            throw XChatError(
                .rotationNeeded,
                "key \(printable(newest)) of conversation \(id) is older than a removal of members, or than new "
                    + "public keys of a participant, and is only used to decrypt: rotate the key"
            )
        }
        if let members = memberships[conversation] {
            if let outsider = accepted.outsiders.first(where: { !members.contains($0) }) {
                throw XChatError(
                    .rotationNeeded,
                    "key \(printable(newest)) of conversation \(id) was also given to "
                        + (outsider == AcceptedKey.more
                            ? "users who are not members" : "user \(printable(outsider)), who is not a member")
                        + ", and is only used to decrypt: rotate the key"
                )
            }
            if let announcer = accepted.announcer, !members.contains(announcer) {
                throw XChatError(
                    .rotationNeeded,
                    "user \(printable(announcer)), who announced key \(printable(newest)) of conversation \(id), is "
                        + "no longer a member: rotate the key"
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
                + "(\(clock()) ms), and is only used to decrypt: correct the clock, or rotate the key"
        }
        if keyRing.highestVersion(of: conversation) != nil {
            return
                "the newest key of conversation \(id) is not known, and an older one must not be used to encrypt: "
                + "deliver its key change events"
        }
        if keyRing.hasOthers(in: conversation) {
            return
                "no key of conversation \(id) is accepted, because no present member announced one under trusted keys: "
                + "deliver its whole history, or rotate the key"
        }
        return
            "no verified key for conversation \(id) is known: deliver its key change events, or rotate the key"
    }

    /// Throws if the members of a group are not known well enough to encrypt for them.
    ///
    /// A group without a log is allowed, because its accepted keys can only come from the caller.
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
                "the member list of group \(id) comes only from the server, and nothing is encrypted for it: have a person "
                    + "accept a list"
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
                    ? "the membership log of group \(id) is full and lacks a change: have a person accept a list of its members"
                    : "a change of the members of group \(id) waits for the keys of user \(printable(signer ?? "")): compare "
                        + "the safety code and accept these keys, or have a person accept a list of the members"
            )
        }
        guard members.contains(userID) else {
            throw XChatError(
                .notAParticipant,
                "user \(printable(userID)) is not a member of group \(id), and cannot encrypt for it"
            )
        }
    }

    /// Returns the membership log of a group; throws without a log, because a new key is wrapped for the members.
    func knownMembers(of group: ConversationID) throws(XChatError) -> Membership {
        try requireKnownMembers(of: group)
        guard let members = memberships[group] else {
            throw XChatError(
                .membershipUnproven,
                "the members of group \(printable(group)) are not known, so a new key would have no recipients: deliver "
                    + "the group's whole history, or have a person accept a list of its members"
            )
        }
        return members
    }
}
