import XChatEngine
import XChatEvents

/// Checks the invariants of the engine: compares the results of a client's deliveries with the truth.
///
/// The checks do not repeat the engine's algorithm. They set limits for its results: delivered acts must have added
/// every member and removed every former member.
struct Invariants {
    let world: World
    let group: ConversationID

    private static let day: UInt64 = 24 * 3600 * 1000

    // MARK: Membership

    /// Checks the members after a delivery, and records removals and returns.
    func checkMembers(of client: inout Client, before: Client.View, after: Client.View, items: [Item]) throws {
        let acts = world.acts.filter { client.delivered.contains($0.index) && $0.conversation == group }
        let now = Set(items.filter { $0.isAuthentic && $0.isInPlace }.map(\.act.index))
        guard let present = after.present, after.members?.claim != .server else {
            if before.present != nil, before.members?.claim != .server {
                throw Violation(invariant: 5, reason: "\(client.user) lost the members of \(group)")
            }
            return
        }
        var possible: Set<UserID>
        var barred: [UserID: UInt64] = [:]
        // A verified founding replaces a log with the claim `server`, and all changes that were applied to it.
        let counted = before.members?.claim == .server ? [] : before.counted
        var eligible = acts.filter { $0.kind == .addition && !counted.contains($0.digest) }
        if let known = before.present, before.members?.claim != .server {
            possible = known
            barred = client.out[group] ?? [:]
        } else {
            possible = founders(for: client, among: acts)
            client.forgetOut(of: group)
            guard !possible.isEmpty else {
                throw Violation(
                    invariant: 1,
                    reason: "\(client.user) founded the log of \(group) without a change that can found it"
                )
            }
        }
        var isComplete = false
        while !isComplete {
            isComplete = true
            for (place, act) in eligible.enumerated().reversed() where possible.contains(act.author.user) {
                eligible.remove(at: place)
                isComplete = false
                for user in act.named {
                    if let bar = barred[user] {
                        guard act.namedBeforeSigner.contains(user), act.version ?? 0 > bar else { continue }
                    }
                    possible.insert(user)
                }
            }
        }
        let intruders = present.subtracting(possible)
        guard intruders.isEmpty else {
            let isReturn = intruders.contains { barred[$0] != nil }
            throw Violation(
                invariant: isReturn ? 2 : 1,
                reason: "\(client.user) has \(intruders.sorted()) as members of \(group), and no delivered change "
                    + (isReturn ? "brought them back" : "added them")
            )
        }
        let removed = acts.filter { $0.kind == .removal && possible.contains($0.author.user) && now.contains($0.index) }
        let waited = before.members?.unjudged.isEmpty == false || after.members?.unjudged.isEmpty == false
        if let known = before.present, before.members?.claim != .server, !waited {
            let lost = known.subtracting(present).subtracting(removed.flatMap(\.removed))
            guard lost.isEmpty else {
                throw Violation(
                    invariant: 3,
                    reason: "\(client.user) removed \(lost.sorted()) from \(group) without a removal"
                )
            }
        }
        noteMembers(of: &client, before: before, after: after)
        // A user who returned and left again in one delivery has a higher exclusion version, or the old one.
        for user in barred.keys where possible.contains(user) && !present.contains(user) {
            client.noteOut(user, of: group, shownUpTo: bar(for: user, client, after))
        }
    }

    /// The users with whom a log can be founded: the union of all changes that may found it.
    private func founders(for client: Client, among acts: [Act]) -> Set<UserID> {
        var possible: Set<UserID> = []
        // The signature of a creation does not cover the group: a creation of another group by the same signer is bound
        // as well.
        let creations = world.acts.filter { $0.kind == .creation && $0.conversation != group }
        for act in acts + creations {
            switch act.kind {
            case .creation:
                let isBound = acts.contains { key in
                    key.kind == .keyChange && key.author.user == act.author.user && key.version == act.version
                }
                if isBound { possible.formUnion(act.named) }
            case .addition:
                if act.named.contains(client.user), act.named.contains(act.author.user) {
                    possible.formUnion(act.named)
                }
            default: continue
            }
        }
        return possible
    }

    /// Records which users are former members from now on, and which have returned.
    func noteMembers(of client: inout Client, before: Client.View, after: Client.View) {
        guard let present = after.present, after.members?.claim != .server else { return }
        if before.members?.claim != .server {
            for user in (before.present ?? []).subtracting(present) {
                client.noteOut(user, of: group, bar: bar(for: user, client, after), at: world.time)
            }
        }
        for user in present { client.noteBack(user, in: group) }
    }

    /// The highest version that a client knows at the end of a delivery, by the rules.
    private func bar(for user: UserID, _ client: Client, _ view: Client.View) -> UInt64 {
        let limit = client.session.clock() + Self.day
        let changes = view.members?.log.compactMap { $0.version?.number } ?? []
        // A key that names the former member waits for an addition, and is left out.
        let keys = view.accepted.keys.filter { version in
            client.session.keyRing.accepted(in: group, version: version)?.outsiders.contains(user) != true
        }
        return (changes + keys.compactMap(\.number)).filter { $0 <= limit }.max() ?? 0
    }

    /// Records removals that wait for the keys of their signers.
    func noteWaiting(of client: inout Client, before: Client.View, after: Client.View, items: [Item]) {
        var waiting = client.waiting[group] ?? []
        for item in items where item.isAuthentic && item.isInPlace && item.act.conversation == group {
            let act = item.act
            guard act.kind == .removal, !client.answered.contains(act.index), let present = before.present,
                before.members?.claim != .server,
                present.contains(act.author.user), !after.counted.contains(act.digest),
                client.pinned[act.author.user]?.contains(act.author.version) != true
            else { continue }
            waiting.insert(act.index)
        }
        waiting = waiting.filter { index in
            let act = world.acts[index]
            return after.present?.contains(act.author.user) == true && !after.counted.contains(act.digest)
                && client.pinned[act.author.user]?.contains(act.author.version) != true
                && act.removed.contains { after.present?.contains($0) == true }
        }
        client.noteWaiting(waiting, in: group)
    }

    // MARK: Encryption

    /// Checks for whom a client would encrypt now.
    func checkEncryption(by client: Client, _ view: Client.View) throws {
        let user = client.user
        if view.members?.claim == .server, view.key != nil || !view.readers.isEmpty {
            throw Violation(
                invariant: 1,
                reason: "\(user) would encrypt to the members that the server lists for \(group)"
            )
        }
        if let back = view.readers.first(where: { client.out[group]?[$0] != nil }) {
            throw Violation(
                invariant: 2,
                reason: "\(user) would give a new key of \(group) to \(back), who was removed"
            )
        }
        guard let version = view.version, let key = view.key else { return }
        guard let number = version.number, number <= client.session.clock() + Self.day else {
            throw Violation(
                invariant: 2,
                reason: "\(user) encrypts with key \(version) of \(group), more than a day ahead"
            )
        }
        for index in client.waiting[group] ?? [] {
            throw Violation(
                invariant: 2,
                reason:
                    "\(user) encrypts for \(group) although a removal of \(world.acts[index].removed) waits for keys"
            )
        }
        guard client.own[group]?[version] != key else { return try checkOwnKey(client, key, version) }
        let sources = world.acts.filter { act in
            act.kind == .keyChange && act.conversation == group && act.key == key && act.version == number
                && client.delivered.contains(act.index)
        }
        guard !sources.isEmpty else {
            throw Violation(
                invariant: 1,
                reason: "\(user) encrypts with key \(version) of \(group), which no member announced"
            )
        }
        guard sources.contains(where: { client.underCurrentPin.contains($0.index) }) else {
            throw Violation(
                invariant: 1,
                reason: "\(user) encrypts with key \(version) of \(group), which was signed with replaced keys"
            )
        }
        guard let members = view.present else { return }
        guard sources.contains(where: { members.contains($0.author.user) }) else {
            throw Violation(
                invariant: 1,
                reason: "\(user) encrypts with key \(version) of \(group), which no present member announced"
            )
        }
        try checkFormerMembers(client, key, version, sources)
        let others = sources.map { (client.listed[$0.index] ?? []).subtracting(members).sorted() }
        guard others.contains(where: \.isEmpty) else {
            throw Violation(
                invariant: 1,
                reason:
                    "\(user) encrypts with key \(version) of \(group), whose key change names \(others), not members"
            )
        }
        try checkReplacedKeys(client, key, version, sources, members)
    }

    /// A key that the client made is wrapped for no former member, and for no replaced keys of others.
    private func checkOwnKey(_ client: Client, _ key: [UInt8], _ version: KeyVersion) throws {
        guard let act = world.acts.first(where: { $0.kind == .keyChange && $0.key == key }) else { return }
        for entry in act.entries where entry.user != client.user {
            guard client.out[group]?[entry.user] == nil else {
                throw Violation(
                    invariant: 2,
                    reason: "\(client.user) encrypts with its key \(version) of \(group), which the removed "
                        + "\(entry.user) has"
                )
            }
            guard entry.version == client.accepted[entry.user] else {
                throw Violation(
                    invariant: 2,
                    reason: "\(client.user) encrypts with its key \(version) of \(group), wrapped to the replaced "
                        + "keys \(entry)"
                )
            }
        }
    }

    /// The first accepted key of a version stays.
    func checkKeys(of client: Client, before: Client.View, after: Client.View) throws {
        for (version, key) in before.accepted where after.accepted[version] != key {
            throw Violation(
                invariant: 4,
                reason: "\(client.user) has another key \(version) of \(group) than it accepted first"
            )
        }
    }

    /// A former member does not have the key.
    private func checkFormerMembers(_ client: Client, _ key: [UInt8], _ version: KeyVersion, _ sources: [Act]) throws {
        for former in (client.out[group] ?? [:]).keys.sorted() {
            guard world.holds(key, former) else { continue }
            if Self.isExcused(former, client, sources, since: client.outSince[group]?[former] ?? 0) { continue }
            throw Violation(
                invariant: 2,
                reason:
                    "\(client.user) encrypts with key \(version) of \(group), which the removed \(former) has"
            )
        }
    }

    /// The keys that a participant replaced cannot decrypt new messages.
    private func checkReplacedKeys(
        _ client: Client,
        _ key: [UInt8],
        _ version: KeyVersion,
        _ sources: [Act],
        _ members: Set<UserID>
    ) throws {
        for member in members.sorted() {
            guard let since = client.acceptedAt[member], let current = client.accepted[member],
                client.groupsAtAcceptance[member]?.contains(group) == true
            else { continue }
            let olds = world.cast.identities(of: member).filter { $0.version != current && $0.version < current }
            for old in olds where world.holds(key, member, version: old.version) && !world.conspirators.contains(member)
            {
                // Another member who has not accepted the new keys wraps to the old ones.
                if sources.allSatisfy({ $0.time >= since || $0.isAhead }) { continue }
                throw Violation(
                    invariant: 2,
                    reason:
                        "\(client.user) encrypts with key \(version) of \(group), wrapped to the replaced keys \(old.holder)"
                )
            }
        }
    }

    /// Whether a user has the key in a way that no rule can prevent.
    ///
    /// The entries of a key change are not signed: a server that hides a removal from an honest member can hide from
    /// the others that the member's next key has an entry for the former member. And a key version does not prove when
    /// a key was made: a member can push it ahead by less than a day.
    private static func isExcused(_ former: UserID, _ client: Client, _ sources: [Act], since: UInt64) -> Bool {
        sources.contains { act in
            let isHidden = client.listed[act.index]?.contains(former) != true
            // The insider among the members gives the key to any user, which no client can notice.
            guard act.isHonest else { return isHidden && act.author.user != former }
            return isHidden && act.time >= since || act.isAhead && act.time < since
        }
    }

    /// A client encrypts to more users than before only after a delivered change that was not applied before.
    func checkGrowth(of client: Client, before: Client.View, after: Client.View, items: [Item]) throws {
        guard let key = after.key, key != before.key else { return }
        // A change that waited for keys and blocked the group does not wait any more.
        if before.members?.unjudged.isEmpty == false { return }
        let isNew = items.contains { item in
            guard item.isAuthentic, item.isInPlace, item.act.conversation == group else { return false }
            switch item.act.kind {
            case .keyChange:
                guard let version = item.act.version.map({ KeyVersion(String($0)) }) else { return false }
                return before.accepted[version] != item.act.key
            case .creation, .addition, .removal: return !before.counted.contains(item.act.digest)
            case .message, .joinRequest: return false
            }
        }
        guard isNew else {
            throw Violation(
                invariant: 1,
                reason: "\(client.user) encrypts with another key of \(group) than before, without a cause"
            )
        }
    }

    // MARK: What is shown

    /// Checks one event that a client accepts.
    func checkShown(_ event: Event, _ item: Item, by client: Client, before: Client.View, after: Client.View) throws {
        guard event.isVerified else { return }
        let act = item.act
        let what = "\(client.user) shows \(act.kind.rawValue) #\(act.index)"
        guard item.isAuthentic else {
            throw Violation(invariant: 4, reason: "\(what), which was altered")
        }
        guard item.isInPlace || act.kind == .creation else {
            throw Violation(invariant: 4, reason: "\(what) in another conversation")
        }
        if let text = event.text, let written = act.text, text != written {
            throw Violation(invariant: 4, reason: "\(what) with another text than its author's")
        }
        let author = act.author
        if author.version != client.accepted[author.user], !event.marks.contains(.retiredKey) {
            throw Violation(
                invariant: 4,
                reason: "\(what), signed with replaced keys of \(author.user), without a mark"
            )
        }
        guard item.isInPlace, act.kind != .joinRequest, after.members != nil else { return }
        let isPresent = after.present?.contains(author.user) == true
        if isPresent { return }
        // Group changes and key changes are checked at their positions: their authors may join and leave within the
        // delivery.
        if act.kind != .message, after.members?.log.contains(where: { $0.people.contains(author.user) }) == true {
            return
        }
        let marks: Set<Event.Mark> = [.senderLeft, .membershipUnproven, .membershipUnknown]
        guard !event.marks.isDisjoint(with: marks) else {
            throw Violation(invariant: 4, reason: "\(what) by \(author.user), who is not a member, without a mark")
        }
        guard let bar = client.shownUpTo[group]?[author.user], act.kind == .message, let version = act.version else {
            return
        }
        guard version <= bar else {
            throw Violation(
                invariant: 4,
                reason: "\(what) by \(author.user), who was removed, under the later key \(version)"
            )
        }
    }

    // MARK: Limits

    /// The delivered events and the limits bound the size of the state.
    func checkSize(of client: Client, _ view: Client.View, callerLists: Int) throws {
        let size = "\(client.user) has a larger state of \(group) than the delivered events explain"
        guard let members = view.members else { return }
        guard members.unjudged.count <= 64, members.log.count <= client.delivered.count + callerLists + world.acts.count
        else {
            throw Violation(invariant: 5, reason: size)
        }
        guard members.bars.count <= world.people.count else { throw Violation(invariant: 5, reason: size) }
        let limit = client.session.clock() + Self.day
        guard members.bars.values.allSatisfy({ $0 <= limit || $0 == .max }) else {
            throw Violation(invariant: 5, reason: "\(client.user) has a future exclusion version in \(group)")
        }
        let announced = world.acts.count { $0.kind == .keyChange && client.delivered.contains($0.index) }
        guard view.accepted.count <= announced + (client.own[group]?.count ?? 0) else {
            throw Violation(invariant: 5, reason: size)
        }
    }
}
