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
    /// The message id of the last change of the group that made it what it is; nil where no change did.
    ///
    /// A history that is read again from its beginning brings the old changes once more: those up to this one are known.
    public private(set) var lastChange: WireString?

    /// A roster.
    ///
    /// - Parameters:
    ///   - members: Who is in the group.
    ///   - formerMembers: Who was; those who are in it do not count.
    ///   - lastChange: The message id of the last change that is in it.
    public init(members: Set<UserID>, formerMembers: Set<UserID> = [], lastChange: WireString? = nil) {
        self.members = members
        self.formerMembers = formerMembers.subtracting(members)
        self.lastChange = lastChange
    }

    /// The group with other members: whoever leaves it was a member.
    package func changed(to members: Set<UserID>, by change: WireString? = nil) -> Self {
        Self(members: members, formerMembers: formerMembers.union(self.members), lastChange: change ?? lastChange)
    }

    /// Whether somebody is in the group or ever was.
    func names(_ user: UserID) -> Bool { members.contains(user) || formerMembers.contains(user) }
}
