public import XChatEvents

/// The members of a group, and the log of the changes from which the member list follows.
///
/// The order in which a server delivers events proves nothing, and a server can deliver an event again at any time. So
/// a signed change *counts*, which means that it enters the log, at most once; its ``EventDigest`` identifies it. Only
/// changes by present members count. A removed member is excluded by a *bar*, a key version: only an addition that
/// signs a higher version brings the member back. The rules are in `docs/trust.md`, "Group membership".
public struct Membership: Hashable, Sendable {
    /// The source on which an entry of the log relies.
    public enum Claim: String, Hashable, Sendable {
        /// The signature covers the group, and the signer was a member.
        case signed
        /// Only the signer: an addition of this account founded the log, and no signature proves that its signer was a
        /// member.
        case signer
        /// The member list of the server; nothing is encrypted for a group with such a log.
        case server
        /// An action of this account that the server accepted.
        case own
        /// The caller: a person accepted a list of members.
        case caller
    }

    /// The effect of an entry on the members.
    public enum Effect: String, Hashable, Sendable {
        /// The entry founded the log with the members that it names.
        case founded
        /// The entry added members.
        case added
        /// The entry removed members.
        case removed
        /// The entry replaced the members by those that it names.
        case replaced
    }

    /// A change that counted, or a list that was accepted.
    public struct Entry: Hashable, Sendable {
        /// The effect of the entry on the members.
        public let effect: Effect
        /// The source on which the entry relies.
        public let claim: Claim
        /// The signer of the change; nil for a list.
        public let signer: UserID?
        /// The users that the entry names: the founding, added, removed or listed members.
        public let people: [UserID]
        /// The key version that the change signs; nil if it signs none.
        public let version: KeyVersion?
        /// Identifies the signed change; nil for a list.
        public let digest: EventDigest?
        /// Fields of the stored entry that only later versions of the library know.
        var unknown: [UInt8] = []

        package init(
            effect: Effect,
            claim: Claim,
            signer: UserID?,
            people: [UserID],
            version: KeyVersion? = nil,
            digest: EventDigest? = nil
        ) {
            self.effect = effect
            self.claim = claim
            self.signer = signer
            self.people = people
            self.version = version
            self.digest = digest
        }
    }

    /// The maximum number of ids in a log, over all of its entries, members and bars: 40,000.
    package static let maximumIDs = 40_000
    /// The maximum number of members of a group: 10,000.
    package static let maximumMembers = 10_000
    /// The maximum number of waiting changes: 64.
    static let maximumUnjudged = 64
    /// The maximum size of the encoded waiting changes together: 256 KiB.
    static let maximumUnjudgedBytes = 256 << 10
    /// The maximum number of changes that are remembered because they never count: 10,000.
    package static let maximumSettled = 10_000

    /// The changes that counted, in the order in which this account counted them.
    public private(set) var log: [Entry] = []
    /// The present members.
    public private(set) var present: Set<UserID> = []
    /// The bar of each former member: the highest key version known at the end of the delivery that removed the member.
    public private(set) var bars: [UserID: UInt64] = [:]
    /// A change that waits for the keys of its signer, or for an earlier change.
    public struct Unjudged: Hashable, Sendable {
        /// The change as it was delivered.
        public let event: MessageEvent
        /// Whether its signature verified under a key that was not replaced when it was delivered.
        ///
        /// If true, the change waits only for an earlier change.
        public let isVerified: Bool
        /// Fields of the stored change that only later versions of the library know.
        var unknown: [UInt8] = []

        package init(event: MessageEvent, isVerified: Bool) {
            self.event = event
            self.isVerified = isVerified
        }
    }

    /// The waiting changes, oldest first: those that present members signed under keys that are not accepted, and all
    /// later ones.
    public private(set) var unjudged: [Unjudged] = []
    /// Whether a change was refused because the log is full.
    ///
    /// Then the log may lack a removal, so nothing is encrypted for the group before a person accepts a list.
    public private(set) var isFull = false
    /// Whether another founding verified that contradicts the one of the log.
    ///
    /// The server chooses which of the two it delivers first, so nothing is encrypted for the group before a person
    /// accepts a list.
    public private(set) var isContested = false
    /// A key version; only additions that sign a higher one count.
    ///
    /// The other additions are older than the founding, or than a list that a person accepted.
    public private(set) var floor: UInt64 = 0
    /// Changes that were evaluated and never count, in the order of their evaluation.
    ///
    /// For example, they are older than the founding, their signer was not a present member at their position, or a
    /// person accepted a list instead.
    package private(set) var settled: [EventDigest] = []

    /// Members who were removed in the current delivery; their bars are set at its end.
    private(set) var leaving: Set<UserID> = []
    /// Users whom only additions that did not count name.
    private(set) var unproven: Set<UserID> = []
    /// The digests of the changes in the log.
    private var counted: Set<EventDigest> = []
    private var settledDigests: Set<EventDigest> = []
    /// The key versions of the additions that made users members.
    private var joined: [UserID: UInt64] = [:]
    private var idCount = 0
    /// Fields of the stored log that only later versions of the library know.
    var unknown: [UInt8] = []

    /// Creates a log from its first entry.
    ///
    /// - Parameters:
    ///   - entry: The founding, or an accepted list, which names at most 10,000 members.
    ///   - floor: Additions up to this key version never count.
    package init(founding entry: Entry, floor: UInt64 = 0) {
        present = Set(entry.people.prefix(Self.maximumMembers))
        self.floor = floor
        append(entry)
    }

    /// Restores a stored log.
    ///
    /// - Throws: `malformed` for a log without a founding, `too_large` beyond the limits.
    package init(
        log: [Entry],
        present: Set<UserID>,
        bars: [UserID: UInt64],
        unjudged: [Unjudged] = [],
        isFull: Bool = false,
        isContested: Bool = false,
        floor: UInt64 = 0,
        settled: [EventDigest] = [],
        leaving: Set<UserID> = [],
        unproven: Set<UserID> = []
    ) throws(XChatError) {
        guard let first = log.first, first.effect == .founded || first.effect == .replaced else {
            throw XChatError(
                .malformed,
                "the membership log does not begin with a founding: it is damaged; restore it from a copy"
            )
        }
        for entry in log { append(entry) }
        for digest in settled.prefix(Self.maximumSettled) { settle(digest) }
        guard present.isDisjoint(with: bars.keys), present.isDisjoint(with: leaving) else {
            throw XChatError(
                .malformed,
                "the membership log has a user among present and former members: it is damaged; restore it from a copy"
            )
        }
        (self.present, self.bars, self.unjudged, self.floor) = (present, bars, unjudged, floor)
        (self.isFull, self.isContested, self.leaving) = (isFull, isContested, leaving)
        self.unproven = unproven
        guard size <= Self.maximumIDs, unjudged.count <= Self.maximumUnjudged else {
            throw XChatError(
                .tooLarge,
                "the membership log has more than \(Self.maximumIDs) ids, or more than \(Self.maximumUnjudged) waiting "
                    + "changes: it is damaged; restore it from a copy"
            )
        }
    }

    // MARK: Questions

    /// Whether a user is a present member.
    public func contains(_ user: UserID) -> Bool { present.contains(user) }

    /// Whether a user is a member now or was one.
    public func everContained(_ user: UserID) -> Bool {
        present.contains(user) || bars[user] != nil || leaving.contains(user)
    }

    /// The present and former members.
    package var everMembers: Set<UserID> { present.union(bars.keys).union(leaving) }

    /// The source on which the member list relies: that of the last accepted list, otherwise that of the founding.
    public private(set) var claim: Claim = .server

    /// The highest key version up to a limit among the changes that counted.
    func highestVersion(upTo limit: UInt64) -> UInt64? {
        log.compactMap { $0.version?.number }.filter { $0 <= limit }.max()
    }

    /// The digest of the founding change; nil for a list.
    package var founding: EventDigest? { log.first?.digest }

    /// Whether a change counted already.
    func hasCounted(_ digest: EventDigest) -> Bool { counted.contains(digest) }

    /// Whether a change counted already, or is known never to count.
    func isJudged(_ digest: EventDigest) -> Bool { counted.contains(digest) || settledDigests.contains(digest) }

    /// Whether an addition of users who are not present members is within the limits of members and of the log.
    func hasRoom(for users: [UserID]) -> Bool {
        present.count + users.count <= Self.maximumMembers && size(after: users, Set(users)) <= Self.maximumIDs
    }

    /// Whether a change waited until a person accepted a list, so that it never counts.
    func isSettled(_ event: MessageEvent) -> Bool {
        guard !settledDigests.isEmpty, let digest = event.digestOfClaim else { return false }
        return settledDigests.contains(digest)
    }

    /// Whether a key version is older than the membership of the member who announces it, so that the key may not be
    /// used to encrypt.
    ///
    /// For an added member the version must be above that of the addition; for a founding member it must not be below
    /// that of the founding.
    func predates(_ version: UInt64, by member: UserID) -> Bool {
        if let joined = joined[member] { return version <= joined }
        guard let first = log.first, first.effect == .founded, let founding = first.version?.number else {
            return false
        }
        return version < founding
    }

    // MARK: Changes

    /// The outcome of a change.
    enum Outcome: Equatable {
        /// The change counted: the former members in `returned` are back, and the members in `left` were removed.
        case counted(returned: [UserID], left: [UserID])
        /// The change was evaluated before.
        case repeated
        /// The change does not count.
        case ignored
        /// The change exceeds the limit of the log or of the members.
        case full
    }

    /// Adds all users whom an addition names, except excluded ones; removes no member.
    ///
    /// An excluded user returns only if the addition names the user as a new member and signs a key version above the
    /// user's bar, or if `endsExclusions` is true. The signed text has no separator between the new and the present
    /// members, but the signer is always a present member. So the users after the signer are present members in every
    /// reading of the text, and an excluded user among them does not return.
    mutating func add(
        _ addition: GroupMemberAddChange,
        by signer: UserID,
        claim: Claim,
        digest: EventDigest,
        endsExclusions: Bool = false
    ) -> Outcome {
        guard !isJudged(digest) else { return .repeated }
        let version = addition.conversationKeyVersion?.number ?? 0
        guard present.contains(signer), claim == .own || version > max(floor, joined[signer] ?? 0) else {
            return ignore(digest)
        }
        let new = Set(addition.memberIDs ?? [])
        var added: [UserID] = []
        var returned: [UserID] = []
        for user in (addition.memberIDs ?? []) + (addition.currentMemberIDs ?? []) where !present.contains(user) {
            if let bar = bars[user] {
                guard new.contains(user), version > bar || endsExclusions else { continue }
                returned.append(user)
            }
            added.append(user)
        }
        // An addition over the limit of members fails alone: it does not mark the log as full.
        guard present.count + added.count <= Self.maximumMembers else {
            settle(digest)
            return .full
        }
        // The size is checked before anything is changed, so no copy is needed: copying a large group for each addition
        // would take quadratic time.
        let names = Set(added)
        guard fits(size(after: added, names), digest) else { return .full }
        for user in names {
            present.insert(user)
            bars[user] = nil
            leaving.remove(user)
        }
        append(
            Entry(
                effect: .added,
                claim: claim,
                signer: signer,
                people: added,
                version: addition.conversationKeyVersion,
                digest: digest
            )
        )
        return .counted(returned: returned, left: [])
    }

    /// Removes members.
    mutating func remove(_ people: [UserID], by signer: UserID, claim: Claim, digest: EventDigest) -> Outcome {
        guard !isJudged(digest) else { return .repeated }
        guard present.contains(signer) else { return ignore(digest) }
        let left = people.filter(present.contains)
        guard !left.isEmpty else {
            // A removal that names only former members is a repetition. One that names a user who was never a member
            // may be older than the addition of that user, so it is evaluated again when it is delivered again.
            return people.allSatisfy(everContained) ? ignore(digest) : .ignored
        }
        guard fits(size + left.count + 1, digest) else { return .full }
        present.subtract(left)
        leaving.formUnion(left)
        append(Entry(effect: .removed, claim: claim, signer: signer, people: left, digest: digest))
        return .counted(returned: [], left: left)
    }

    /// Replaces the server's list, which founded the log before, by a verified founding.
    ///
    /// Changes that counted since then are applied again if their signers are members under the new founding. Users
    /// whom one of them removed stay excluded.
    mutating func replaceFounding(with entry: Entry, floor: UInt64) {
        var after = self
        (after.log, after.idCount, after.counted, after.joined) = ([], 0, [], [:])
        after.append(entry)
        after.present = Set(entry.people)
        var takenOut: Set<UserID> = []
        for old in log.dropFirst() {
            guard let signer = old.signer, after.present.contains(signer) else {
                if let digest = old.digest { after.settle(digest) }
                continue
            }
            switch old.effect {
            case .added:
                after.present.formUnion(old.people)
                takenOut.subtract(old.people)
            case .removed:
                takenOut.formUnion(old.people.filter(after.present.contains))
                after.present.subtract(old.people)
            case .founded, .replaced: continue
            }
            after.append(old)
        }
        after.bars = bars.filter { takenOut.contains($0.key) }
        after.leaving = leaving.intersection(takenOut)
        after.floor = max(self.floor, floor)
        if after.size <= Self.maximumIDs { self = after } else { isFull = true }
    }

    /// Replaces the members by a list that a person accepted.
    ///
    /// - Parameters:
    ///   - members: The new members.
    ///   - bar: The lowest bar of the members who leave, and the lowest floor of additions.
    /// - Returns: The users who were members and are not members any more.
    /// - Throws: `too_large` if the group has more former members than a log holds.
    mutating func replace(with members: [UserID], bar: UInt64) throws(XChatError) -> [UserID] {
        var after = self
        let left = present.subtracting(members)
        after.present = Set(members)
        after.leaving = []
        for user in left.union(leaving) { after.bars[user] = max(bars[user] ?? 0, bar) }
        for user in members { after.bars[user] = nil }
        after.floor = max(floor, bar)
        // The list replaces the waiting changes, which never count.
        for change in unjudged { if let digest = change.event.digestOfClaim { after.settle(digest) } }
        (after.unjudged, after.isFull, after.isContested, after.joined) = ([], false, false, [:])
        let entry = Entry(effect: .replaced, claim: .caller, signer: nil, people: members)
        if isFull || after.size + members.count + 1 > Self.maximumIDs {
            // A new log begins: the old changes never count again, and only an accepted list brings former members
            // back.
            for digest in log.compactMap(\.digest) { after.settle(digest) }
            (after.log, after.counted, after.idCount) = ([], [], 0)
            for user in after.bars.keys { after.bars[user] = .max }
        }
        after.append(entry)
        guard after.size <= Self.maximumIDs, members.count <= Self.maximumMembers else {
            throw XChatError(
                .tooLarge,
                "the list has more than \(Self.maximumMembers) members, or with the former members it exceeds the "
                    + "\(Self.maximumIDs) ids of a membership log: accept a shorter list"
            )
        }
        self = after
        return left.sorted()
    }

    /// Records a founding that contradicts the one of the log.
    mutating func contest(_ digest: EventDigest) {
        settle(digest)
        isContested = true
    }

    /// Records a change that never counts.
    mutating func settle(_ digest: EventDigest) {
        guard settled.count < Self.maximumSettled, settledDigests.insert(digest).inserted else { return }
        settled.append(digest)
    }

    /// Records the users whom an addition that did not count names.
    mutating func noteUnproven(_ addition: GroupMemberAddChange) {
        for user in (addition.memberIDs ?? []) + (addition.currentMemberIDs ?? [])
        where unproven.count < Self.maximumMembers && !everContained(user) {
            unproven.insert(user)
        }
    }

    /// Whether members were removed in the current delivery and have no bars yet.
    var needsBars: Bool { !leaving.isEmpty }

    /// Sets the bars of the members who were removed in the delivery that ends.
    mutating func endDelivery(bar: (UserID) -> UInt64) {
        for user in leaving where !present.contains(user) { bars[user] = bar(user) }
        leaving = []
    }

    // MARK: Changes that wait

    /// Keeps a change that waits for the keys of its signer, or for an earlier change.
    mutating func keepUnjudged(_ event: MessageEvent, isVerified: Bool) {
        guard let digest = event.digestOfClaim, !settledDigests.contains(digest),
            !unjudged.contains(where: { $0.event.digestOfClaim == digest })
        else { return }
        let bytes = unjudged.reduce(event.encoded().count) { $0 + $1.event.encoded().count }
        guard unjudged.count < Self.maximumUnjudged, bytes <= Self.maximumUnjudgedBytes else {
            settle(digest)
            isFull = true
            return
        }
        unjudged.append(Unjudged(event: event, isVerified: isVerified))
    }

    mutating func dropFirstUnjudged() {
        if !unjudged.isEmpty { unjudged.removeFirst() }
    }

    // MARK: The log

    /// The number of ids in the log, which bounds the size of the stored log.
    private var size: Int { idCount + present.count + bars.count + leaving.count }

    /// The number of ids in the log after an addition of users who are not present members; `names` has each user once.
    private func size(after added: [UserID], _ names: Set<UserID>) -> Int {
        size + added.count + 1 + names.count - names.count { bars[$0] != nil } - names.count(where: leaving.contains)
    }

    private mutating func ignore(_ digest: EventDigest) -> Outcome {
        settle(digest)
        return .ignored
    }

    /// Whether a change fits into the log; if not, the log is full.
    private mutating func fits(_ sizeAfter: Int, _ digest: EventDigest) -> Bool {
        guard sizeAfter > Self.maximumIDs else { return true }
        settle(digest)
        isFull = true
        return false
    }

    private mutating func append(_ entry: Entry) {
        log.append(entry)
        idCount += entry.people.count + 1
        if let digest = entry.digest { counted.insert(digest) }
        if entry.effect == .founded || entry.effect == .replaced { claim = entry.claim }
        if entry.effect == .replaced { joined = [:] }
        guard entry.effect == .added, let version = entry.version?.number else { return }
        for user in entry.people { joined[user] = version }
    }
}

extension MessageEvent {
    /// Identifies a change whose signer is not known, by its signed values, the claimed sender and the signature.
    ///
    /// The digest does not cover what the server adds to the envelope. Nil if libsodium cannot be initialised.
    var digestOfClaim: EventDigest? {
        try? EventDigest(ofParts: [
            Array((senderID ?? "").utf8), Array((messageID ?? "").utf8), detail?.encoded() ?? [],
            messageEventSignature?.encoded() ?? [],
        ])
    }
}
