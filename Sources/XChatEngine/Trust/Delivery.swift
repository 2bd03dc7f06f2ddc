public import XChatEvents

/// The results of one delivery: the events given to the session in one call.
///
/// A delivery contains either the part of a history after a known event, oldest first, or one event of a stream that
/// has no gap before it. Within a delivery the events take effect in the server's order. A server can deliver old
/// events again at any time, so across deliveries no decision that lets more users read depends on the order.
public struct Delivery: Sendable {
    /// One result for each event, in the order of the input.
    public let results: [Result<Event, XChatError>]
    /// Facts that a person should know although nothing failed.
    public let notices: [Notice]

    /// A fact that a person should know.
    public enum Notice: Hashable, Sendable {
        /// The membership log of a group was founded with this claim.
        case founded(ConversationID, Membership.Claim)
        /// A former member is back in a group.
        case returned(UserID, to: ConversationID, by: UserID)
        /// Two signed foundings of a group contradict each other: at least one of them is not genuine.
        case contested(ConversationID, by: [UserID])
        /// An addition that is signed with a replaced key does not count.
        case replacedKeyAdds([UserID], to: ConversationID, by: UserID)
        /// The newest key of a group was not given to present members.
        case keyLacksMembers(KeyVersion, in: ConversationID, members: [UserID], by: UserID)
    }
}

extension Delivery.Notice: CustomStringConvertible {
    /// One sentence without a full stop.
    public var description: String {
        switch self {
        case .founded(let group, .server):
            "no signed event names the members of group \(printable(group)): its member list comes only from the server, "
                + "and nothing is encrypted for the group before a person accepts the list"
        case .founded(let group, .signer):
            "the members of group \(printable(group)) are known from the addition of this account; only its signer confirms them"
        case .founded(let group, _):
            "the members of group \(printable(group)) are known from its signed creation"
        case .returned(let user, let group, let signer):
            "user \(printable(user)), a former member of group \(printable(group)), was added again by user \(printable(signer))"
        case .contested(let group, let signers):
            "users \(list(signers)) signed contradicting foundings of group \(printable(group)), and one of them is not "
                + "genuine: a person must accept a list of its members"
        case .replacedKeyAdds(let users, let group, let signer):
            "an addition of \(list(users)) to group \(printable(group)) is signed with a replaced key of user "
                + "\(printable(signer)) and does not count; if it is genuine, have a person accept the list of members"
        case .keyLacksMembers(let version, let group, let members, let signer):
            "key \(printable(version)) of group \(printable(group)), announced by user \(printable(signer)), was not given "
                + "to \(members.count == 1 ? "member" : "members") \(list(members))"
        }
    }
}

/// Formats ids for a sentence, at most ten of them.
private func list(_ users: [UserID]) -> String {
    users.prefix(10).map { printable($0) }.joined(separator: ", ")
        + (users.count > 10 ? " and \(users.count - 10) more" : "")
}
