public import XChatEvents

/// A new group.
public struct GroupDraft: Hashable, Sendable {
    /// Everybody in the group, oneself included.
    public var members: [UserID]
    /// Who administers it: members.
    public var admins: [UserID]
    /// The title, byte for byte as the REST body will have it; encrypt it first, or everybody on the way reads it.
    public var title: String?
    /// The avatar, byte for byte as the REST body will have it.
    public var avatarURL: String?
    /// After how many milliseconds messages disappear; not covered by the signature.
    public var ttlMsec: Int64?

    /// A group without title, avatar and ttl.
    public init(members: [UserID], admins: [UserID]) {
        self.members = members
        self.admins = admins
    }
}

/// New members for a group, with what the group is at present: all of it is signed.
public struct MemberAddDraft: Hashable, Sendable {
    /// Who joins.
    public var newMembers: [UserID]
    /// Who is there already, oneself included: in whatever order, oneself is signed first.
    public var currentMembers: [UserID]
    /// The administrators among those.
    public var currentAdmins: [UserID]
    /// Invited people who have not answered yet.
    public var pendingMembers: [UserID] = []
    /// The present title, if there is one.
    public var title: String?
    /// The present avatar, if there is one.
    public var avatarURL: String?
    /// The present ttl in milliseconds, if there is one.
    public var ttlMsec: Int64?
    /// The group's screen-capture state, if it has one: absent and false sign differently.
    public var screenCaptureBlockingEnabled: Bool?

    /// New members for a group without title, avatar and ttl.
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
    /// Makes a group with its first conversation key (section 12 of the protocol).
    ///
    /// - Parameters:
    ///   - draft: The group.
    ///   - conversation: The id that the server minted for it: `g` and digits.
    ///   - participants: Bound keys of exactly the members.
    /// - Returns: What the group endpoint takes.
    /// - Throws: `invalid_argument`, `not_a_participant`, `not_unlocked`, `wrong_suite`; `not_representable` for a title or
    ///   avatar with a comma.
    public mutating func prepareGroupCreate(
        _ draft: GroupDraft,
        in conversation: ConversationID,
        participants: [BoundKey]
    ) throws(XChatError) -> GroupKeyChange {
        try require(draft.members, "member_ids")
        try require(draft.admins, "admin_ids")
        try requireMembers([userID], among: draft.members, "the creator")
        try requireMembers(draft.admins, among: draft.members, "an administrator")
        try requireTtl(draft.ttlMsec)
        return try prepareGroupChange(in: conversation, members: draft.members, participants: participants) { version in
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

    /// Adds members to a group, with a new conversation key for all of them (section 12 of the protocol).
    ///
    /// - Parameters:
    ///   - draft: Who joins, and the group as it is.
    ///   - conversation: The group's id.
    ///   - participants: Bound keys of exactly the members, present and new.
    /// - Returns: What the members endpoint takes.
    /// - Throws: As ``prepareGroupCreate(_:in:participants:)``.
    public mutating func prepareMemberAdd(
        _ draft: MemberAddDraft,
        in conversation: ConversationID,
        participants: [BoundKey]
    ) throws(XChatError) -> GroupKeyChange {
        try requireMembership(of: conversation)
        try require(draft.newMembers, "member_ids")
        try require(draft.currentMembers, "current_member_ids")
        try require(draft.newMembers + draft.currentMembers, "member_ids with current_member_ids")
        try require(draft.currentAdmins, "current_admin_ids")
        if !draft.pendingMembers.isEmpty { try require(draft.pendingMembers, "current_pending_member_ids") }
        try requireMembers([userID], among: draft.currentMembers, "who adds")
        try requireMembers(draft.currentAdmins, among: draft.currentMembers, "an administrator")
        try requireTtl(draft.ttlMsec)
        // The signed text does not say where the new members end. Whoever adds is no new one: first among the present
        // ones, nobody present can be passed off as just added.
        let current = [userID] + draft.currentMembers.filter { $0 != userID }
        let members = current + draft.newMembers
        return try prepareGroupChange(in: conversation, members: members, participants: participants) { version in
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

    private mutating func prepareGroupChange(
        in conversation: ConversationID,
        members: [UserID],
        participants: [BoundKey],
        change: (KeyVersion) -> GroupChange
    ) throws(XChatError) -> GroupKeyChange {
        guard conversation.isGroup else {
            throw XChatError(.invalidArgument, "\(printable(conversation.value)) is not a group")
        }
        // The roster is what the group will be: the new key goes to everybody in it and to nobody else.
        var future = self
        future.rosters[conversation] = Set(members)
        for member in members where !participants.contains(where: { $0.userID == member }) {
            throw XChatError(.invalidArgument, "no key of member \(printable(member)) was given")
        }
        let keyChange = try future.prepareKeyChange(in: conversation, participants: participants)
        let detail = MessageEventDetail.groupChangeEvent(
            GroupChangeEvent(groupChange: change(keyChange.version), forKeyRotation: false)
        )
        let (action, event) = try future.sign(detail, in: conversation)
        lastMintedVersion = future.lastMintedVersion
        return GroupKeyChange(keyChange: keyChange, action: action, event: event)
    }
}

private func unlessEmpty(_ text: String?) -> WireString? {
    text.flatMap { $0.utf8.isEmpty ? nil : WireString($0) }
}

private func requireTtl(_ ttlMsec: Int64?) throws(XChatError) {
    if let ttlMsec, ttlMsec < 0 { throw XChatError(.invalidArgument, "ttl_msec is negative") }
}

private func requireMembers(_ users: [UserID], among members: [UserID], _ who: String) throws(XChatError) {
    guard users.allSatisfy(Set(members).contains) else {
        throw XChatError(.invalidArgument, "\(who) is not among the members")
    }
}
