public import XChatEvents

/// A new group.
public struct GroupDraft: Hashable, Sendable {
    /// All members of the group, this account included.
    public var members: [UserID]
    /// The administrators, who must be members.
    public var admins: [UserID]
    /// The title, byte for byte as in the REST body; encrypt it first, otherwise the server can read it.
    public var title: String?
    /// The URL of the avatar, byte for byte as in the REST body.
    public var avatarURL: String?
    /// The time in milliseconds after which messages disappear; the server can change it, because the signature does
    /// not cover it.
    public var ttlMsec: Int64?

    /// Creates a draft of a group without title, avatar and ttl.
    public init(members: [UserID], admins: [UserID]) {
        self.members = members
        self.admins = admins
    }
}

/// New members for a group, with the present state of the group; the signature covers all of it.
public struct MemberAddDraft: Hashable, Sendable {
    /// The users who join.
    public var newMembers: [UserID]
    /// The present members, this account included, in any order; this account is signed first.
    public var currentMembers: [UserID]
    /// The administrators among the present members.
    public var currentAdmins: [UserID]
    /// Invited people who have not answered yet.
    public var pendingMembers: [UserID] = []
    /// The present title, if there is one.
    public var title: String?
    /// The present avatar, if there is one.
    public var avatarURL: String?
    /// The present ttl in milliseconds, if there is one.
    public var ttlMsec: Int64?
    /// The group's screen-capture state, if it has one: nil and false give different signed texts.
    public var screenCaptureBlockingEnabled: Bool?

    /// Creates a draft of new members for a group without title, avatar and ttl.
    public init(newMembers: [UserID], currentMembers: [UserID], currentAdmins: [UserID]) {
        self.newMembers = newMembers
        self.currentMembers = currentMembers
        self.currentAdmins = currentAdmins
    }
}

/// A change of a group that brings a new conversation key.
public struct GroupKeyChange: Sendable {
    /// The new key for every member of the changed group.
    public let keyChange: KeyChange
    /// The change itself.
    public let action: ActionSignature
    /// The event of the change, without what the server adds to it.
    public let event: MessageEvent

    /// Both signatures in the order that the REST calls take: key change, group change.
    public var actionSignatures: [ActionSignature] { [keyChange.actionSignature, action] }
}

extension Session {
    /// Prepares the creation of a group with its first conversation key, wrapped for the current pins of the members.
    ///
    /// Call ``adopt(_:)-(GroupKeyChange)`` once the server has accepted the creation.
    /// - Parameters:
    ///   - draft: The group.
    ///   - conversation: The id that the server assigned to the group: `g` and digits. The session must not know a
    ///     group with this id yet.
    /// - Returns: The change for the group endpoint.
    /// - Throws: `inconsistent` if the session knows a group with this id; `too_large` for more than 10,000 members;
    ///   `invalid_argument`, `not_a_participant`, `not_unlocked`, `wrong_suite`; `not_representable` for a title or
    ///   avatar with a comma.
    public mutating func prepareGroupCreate(
        _ draft: GroupDraft,
        in conversation: ConversationID
    ) throws(XChatError) -> GroupKeyChange {
        try require(draft.members, "member_ids")
        try require(draft.admins, "admin_ids")
        try requireMembers([userID], among: draft.members, "the creator")
        try requireMembers(draft.admins, among: draft.members, "an administrator")
        try requireTtl(draft.ttlMsec)
        // Otherwise the server could give a new group the id of an existing one, and the key of the existing group
        // would be replaced by one that the members of the new group have.
        guard memberships[conversation] == nil, !keyRing.knows(conversation) else {
            throw XChatError(
                .inconsistent,
                "the server assigned the id \(printable(conversation)) to a new group, but the session already knows a "
                    + "group with this id: request another id"
            )
        }
        return try prepareGroupChange(in: conversation, members: draft.members) { version in
            .groupCreate(
                GroupCreate(
                    memberIDs: draft.members,
                    adminIDs: draft.admins,
                    title: unlessEmpty(draft.title),
                    avatarURL: unlessEmpty(draft.avatarURL),
                    conversationKeyVersion: version,
                    ttlMsec: draft.ttlMsec
                )
            )
        }
    }

    /// Prepares an addition of members with a new conversation key, wrapped for the current pins of all members.
    ///
    /// Call ``adopt(_:)-(GroupKeyChange)`` once the server has accepted the addition.
    /// - Parameters:
    ///   - draft: The new members, and the present state of the group; its present members must be those of the
    ///     membership log.
    ///   - conversation: The group's id.
    /// - Returns: The change for the members endpoint.
    /// - Throws: As ``prepareGroupCreate(_:in:)``; `inconsistent` if the present members differ from those of the log;
    ///   `too_large` also if the membership log has no room for the addition; `membership_unproven` and
    ///   `membership_unjudged` for a group whose members are not known.
    public mutating func prepareMemberAdd(
        _ draft: MemberAddDraft,
        in conversation: ConversationID
    ) throws(XChatError) -> GroupKeyChange {
        guard conversation.isGroup else {
            throw XChatError(
                .invalidArgument,
                "conversation \(printable(conversation)) is not a group: a group id is g and digits"
            )
        }
        try require(draft.newMembers, "member_ids")
        try require(draft.currentMembers, "current_member_ids")
        try require(draft.newMembers + draft.currentMembers, "member_ids with current_member_ids")
        try require(draft.currentAdmins, "current_admin_ids")
        if !draft.pendingMembers.isEmpty { try require(draft.pendingMembers, "current_pending_member_ids") }
        try requireMembers([userID], among: draft.currentMembers, "the user who adds")
        try requireMembers(draft.currentAdmins, among: draft.currentMembers, "an administrator")
        try requireTtl(draft.ttlMsec)
        let members = try knownMembers(of: conversation)
        guard Set(draft.currentMembers) == members.present else {
            throw XChatError(
                .inconsistent,
                "current_member_ids differs from the members in the membership log of group "
                    + "\(printable(conversation)): deliver its newest events, and name exactly the members of the log"
            )
        }
        guard members.hasRoom(for: draft.newMembers) else { throw tooLarge(conversation) }
        // The signed text lists the new members and then the present members without a separator, so a server could
        // move the boundary and keep the signature valid. The signer is always a present member: put first among them,
        // the signer's id marks the boundary.
        let current = [userID] + draft.currentMembers.filter { $0 != userID }
        return try prepareGroupChange(in: conversation, members: current + draft.newMembers) { version in
            .groupMemberAdd(
                GroupMemberAddChange(
                    memberIDs: draft.newMembers,
                    currentMemberIDs: current,
                    currentAdminIDs: draft.currentAdmins,
                    currentTitle: unlessEmpty(draft.title),
                    currentAvatarURL: unlessEmpty(draft.avatarURL),
                    conversationKeyVersion: version,
                    currentTTLMsec: draft.ttlMsec,
                    currentPendingMemberIDs: draft.pendingMembers,
                    screenCaptureBlockingEnabled: draft.screenCaptureBlockingEnabled
                )
            )
        }
    }

    /// Applies a group change of this account that the server accepted: its members, and the key that is used to
    /// encrypt from now on.
    ///
    /// The key is only used to decrypt in the cases of ``adopt(_:)-(KeyChange)``. A user who was removed since the
    /// preparation returns only if the addition signs a key version above the user's exclusion version.
    /// - Parameter change: The change.
    /// - Throws: `too_large` for an addition that exceeds 10,000 members or the membership log; `inconsistent` for the
    ///   creation of a group that became known in the meantime.
    public mutating func adopt(_ change: GroupKeyChange) throws(XChatError) {
        let group = change.keyChange.conversationID
        let (keys, _) = try signer()
        guard case .groupChangeEvent(let detail) = change.event.detail,
            let payload = try? SignedPayload(of: change.event)
        else { throw XChatError(.invalidArgument, "the event of the change is not a group change") }
        let digest = try EventDigest(signedBy: try keys.needSigningKey(), text: payload.bytes)
        switch detail.groupChange {
        case .groupCreate(let create):
            if memberships[group]?.hasCounted(digest) == true { break }
            guard memberships[group] == nil else {
                throw XChatError(
                    .inconsistent,
                    "the session already knows a group with the id \(printable(group)), so the creation is not applied"
                )
            }
            let people = [userID] + (create.memberIDs ?? []).filter { $0 != userID }
            memberships[group] = Membership(
                founding: Membership.Entry(
                    effect: .founded,
                    claim: .own,
                    signer: userID,
                    people: people,
                    version: create.conversationKeyVersion,
                    digest: digest
                ),
                floor: create.conversationKeyVersion?.number ?? 0
            )
        case .groupMemberAdd(let addition):
            // A removal that was applied after the preparation is not undone by the older addition.
            let endsExclusions = isUnchanged(since: change.keyChange)
            let outcome = memberships[group]?
                .add(addition, by: userID, claim: .own, digest: digest, endsExclusions: endsExclusions)
            if outcome == .full { throw tooLarge(group) }
        default:
            throw XChatError(.invalidArgument, "the change is neither a creation nor an addition, so it brings no key")
        }
        try adopt(change.keyChange)
    }

    private mutating func prepareGroupChange(
        in conversation: ConversationID,
        members: [UserID],
        change: (KeyVersion) -> GroupChange
    ) throws(XChatError) -> GroupKeyChange {
        guard conversation.isGroup else {
            throw XChatError(
                .invalidArgument,
                "conversation \(printable(conversation)) is not a group: a group id is g and digits"
            )
        }
        guard members.count <= Membership.maximumMembers else { throw tooLarge(conversation) }
        let keyChange = try prepareKey(in: conversation, for: members)
        let detail = MessageEventDetail.groupChangeEvent(
            GroupChangeEvent(groupChange: change(keyChange.version), forKeyRotation: false)
        )
        let (action, event) = try sign(detail, in: conversation)
        return GroupKeyChange(keyChange: keyChange, action: action, event: event)
    }
}

private func tooLarge(_ group: ConversationID) -> XChatError {
    XChatError(
        .tooLarge,
        "the change exceeds \(Membership.maximumMembers) members or the membership log of group "
            + "\(printable(group)): name fewer users, or have a person accept a list of its members"
    )
}

private func unlessEmpty(_ text: String?) -> WireString? {
    text.flatMap { $0.utf8.isEmpty ? nil : WireString($0) }
}

private func requireTtl(_ ttlMsec: Int64?) throws(XChatError) {
    if let ttlMsec, ttlMsec < 0 {
        throw XChatError(.invalidArgument, "ttl_msec is negative: give 0 or more milliseconds")
    }
}

private func requireMembers(_ users: [UserID], among members: [UserID], _ who: String) throws(XChatError) {
    guard users.allSatisfy(Set(members).contains) else {
        throw XChatError(.invalidArgument, "\(who) is not among the members: add the user to the list of members")
    }
}
