package import XChatEngine
package import XChatEvents

// Sessions of tests: keys are passed in where the library wants pins and members first.
extension Session {
    /// Trusts keys, takes their users for the members of a group whose members are not known, and makes a key change
    /// for them.
    package mutating func prepareKeyChange(
        in conversation: ConversationID,
        participants: [VerifiedPublicKey],
        version: KeyVersion? = nil
    ) throws(XChatError) -> KeyChange {
        let users = trusted(participants)
        if conversation.isGroup, memberships[conversation] == nil { try acceptMembers(users, of: conversation) }
        return try prepareKeyChange(in: conversation, for: users, version: version)
    }

    /// Trusts keys and makes a group.
    package mutating func prepareGroupCreate(
        _ draft: GroupDraft,
        in conversation: ConversationID,
        participants: [VerifiedPublicKey]
    ) throws(XChatError) -> GroupKeyChange {
        _ = trusted(participants)
        return try prepareGroupCreate(draft, in: conversation)
    }

    /// Trusts keys, takes the draft's word for the members of a group whose members are not known, and adds members.
    package mutating func prepareMemberAdd(
        _ draft: MemberAddDraft,
        in conversation: ConversationID,
        participants: [VerifiedPublicKey]
    ) throws(XChatError) -> GroupKeyChange {
        _ = trusted(participants)
        if memberships[conversation] == nil { try acceptMembers(draft.currentMembers, of: conversation) }
        return try prepareMemberAdd(draft, in: conversation)
    }

    private mutating func trusted(_ keys: [VerifiedPublicKey]) -> [UserID] {
        trust(keys.filter { $0.userID != userID })
        var seen: Set<UserID> = []
        return keys.map(\.userID).filter { seen.insert($0).inserted }
    }
}
