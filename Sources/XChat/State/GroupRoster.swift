public import XChatEvents

/// Who is in a group, and who was before.
///
/// It decides whose conversation keys seal: see ``Session/keptRosters``.
public struct GroupRoster: Hashable, Sendable {
    /// Who is in it.
    public private(set) var members: Set<UserID>
    /// Who was in it once and is not any more.
    ///
    /// What they said then stays readable, and keys that they announced open it.
    public private(set) var formerMembers: Set<UserID>

    /// A roster.
    ///
    /// - Parameters:
    ///   - members: Who is in the group.
    ///   - formerMembers: Who was; those who are in it do not count.
    public init(members: Set<UserID>, formerMembers: Set<UserID> = []) {
        self.members = members
        self.formerMembers = formerMembers.subtracting(members)
    }

    /// The group with other members: whoever leaves it was a member.
    package func changed(to members: Set<UserID>) -> Self {
        Self(members: members, formerMembers: formerMembers.union(self.members))
    }

    /// Whether somebody is in the group or ever was.
    func names(_ user: UserID) -> Bool { members.contains(user) || formerMembers.contains(user) }
}
