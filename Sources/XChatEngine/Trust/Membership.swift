public import XChatEvents

/// The members of a group, and the log of the changes that made them what they are.
///
/// The order in which a server delivers events proves nothing, and a server can deliver an event again at any time. So
/// each signed change counts at most once, identified by its ``EventDigest``; only present members change the log; and
/// a member who was taken out is *barred*: only an addition under a higher key version than the bar brings the member
/// back. The rules are in `docs/trust.md`, "Group membership".
public struct Membership: Hashable, Sendable {
    /// Whose word an entry of the log is.
    public enum Claim: String, Hashable, Sendable {
        /// The signature covers the group, and the signer was a member.
        case signed
        /// The signer's alone: an addition of this account founded the log, and nothing proves the signer's membership.
        case signer
        /// The server's: it lists the members. Such a log never encrypts.
        case server
        /// This account's own action, which the server accepted.
        case own
        /// The caller's: a person accepted a list of members.
        case caller
    }

    /// What an entry of the log did.
    public enum Effect: String, Hashable, Sendable {
        /// Founded the log with the members that it names.
        case founded
        /// Added members.
        case added
        /// Took members out.
        case removed
        /// Replaced the members by those that it names.
        case replaced
    }

    /// A change that counted.
    public struct Entry: Hashable, Sendable {
        /// What it did.
        public let effect: Effect
        /// Whose word it is.
        public let claim: Claim
        /// The signer; nil for a list.
        public let signer: UserID?
        /// Whom it names: the founding members, those who were added, those who were taken out.
        public let people: [UserID]
        /// The key version that the change signs; nil where it signs none.
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

    /// The most ids that a log holds, over all of its entries, members and bars: 40,000.
    package static let maximumIDs = 40_000
    /// The most members of a group: 10,000.
    package static let maximumMembers = 10_000
    /// The most changes that wait to be judged: 64.
    static let maximumUnjudged = 64
    /// The most bytes of encoded changes that wait to be judged: 256 KiB.
    static let maximumUnjudgedBytes = 256 << 10
    /// The most changes that are remembered because they never count: 10,000.
    package static let maximumSettled = 10_000

    /// The changes that counted, in the order in which this account counted them.
    public private(set) var log: [Entry] = []
    /// The present members.
    public private(set) var present: Set<UserID> = []
    /// The bar of each former member: the highest key version that was known at the end of the delivery that took the
    /// member out.
    public private(set) var bars: [UserID: UInt64] = [:]
    /// A change that waits in its place.
    public struct Unjudged: Hashable, Sendable {
        /// The change as it was delivered.
        public let event: MessageEvent
        /// Whether its signature verified under a key that was not replaced when it was delivered.
        ///
        /// If not, it waits for its signer's keys; if so, for a change before it.
        public let isVerified: Bool
        /// Fields of the stored change that only later versions of the library know.
        var unknown: [UInt8] = []

        package init(event: MessageEvent, isVerified: Bool) {
            self.event = event
            self.isVerified = isVerified
        }
    }

    /// Changes that present members signed under keys that are not accepted, and those after them, oldest first.
    public private(set) var unjudged: [Unjudged] = []
    /// Whether a change was refused because the log is full.
    ///
    /// Then the log is not what the group is, and the group does not encrypt.
    public private(set) var isFull = false
    /// Whether another founding verified that contradicts the one of the log.
    ///
    /// Which of the two was delivered first is the server's word, so the group does not encrypt before a person
    /// decides.
    public private(set) var isContested = false
    /// Only additions that sign a higher key version count: older ones lie before the founding, or before a list that a
    /// person accepted.
    public private(set) var floor: UInt64 = 0
    /// Changes that were judged and never count, in the order in which they were judged.
    ///
    /// They are older than the founding, not by a present member at their place, or settled by a person's list.
    package private(set) var settled: [EventDigest] = []

    /// Members who were taken out in the delivery in progress; their bars are set at its end.
    private(set) var leaving: Set<UserID> = []
    /// People whom only additions that did not count name.
    private(set) var unproven: Set<UserID> = []
    /// The digests of the log.
    private var counted: Set<EventDigest> = []
    private var settledDigests: Set<EventDigest> = []
    /// The key versions of the additions that made people members.
    private var joined: [UserID: UInt64] = [:]
    private var idCount = 0
    /// Fields of the stored log that only later versions of the library know.
    var unknown: [UInt8] = []

    /// Founds a log.
    ///
    /// - Parameters:
    ///   - entry: Names the members; at most 10,000.
    ///   - floor: Additions up to this key version never count.
    package init(founding entry: Entry, floor: UInt64 = 0) {
        present = Set(entry.people.prefix(Self.maximumMembers))
        self.floor = floor
        append(entry)
    }

    /// Restores a log that was stored.
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
            throw XChatError(.malformed, "the membership log does not begin with a founding")
        }
        for entry in log { append(entry) }
        for digest in settled.prefix(Self.maximumSettled) { settle(digest) }
        guard present.isDisjoint(with: bars.keys), present.isDisjoint(with: leaving) else {
            throw XChatError(.malformed, "the membership log has a user among present and former members")
        }
        (self.present, self.bars, self.unjudged, self.floor) = (present, bars, unjudged, floor)
        (self.isFull, self.isContested, self.leaving) = (isFull, isContested, leaving)
        self.unproven = unproven
        guard size <= Self.maximumIDs, unjudged.count <= Self.maximumUnjudged else {
            throw XChatError(.tooLarge, "the membership log has more than \(Self.maximumIDs) ids")
        }
    }

    // MARK: Questions

    /// Whether a user is a present member.
    public func contains(_ user: UserID) -> Bool { present.contains(user) }

    /// Whether a user is a member now or was one.
    public func everContained(_ user: UserID) -> Bool {
        present.contains(user) || bars[user] != nil || leaving.contains(user)
    }

    /// The present members and everyone who was one.
    package var everMembers: Set<UserID> { present.union(bars.keys).union(leaving) }

    /// Whose word the members rest on: the last list that was accepted, or the founding.
    public private(set) var claim: Claim = .server

    /// The highest key version among the changes that counted, but for those beyond a limit.
    func highestVersion(upTo limit: UInt64) -> UInt64? {
        log.compactMap { $0.version?.number }.filter { $0 <= limit }.max()
    }

    /// The digest of the founding change; nil for a list.
    package var founding: EventDigest? { log.first?.digest }

    /// Whether a change counted already.
    func hasCounted(_ digest: EventDigest) -> Bool { counted.contains(digest) }

    /// Whether a change counted already, or never counts.
    func isJudged(_ digest: EventDigest) -> Bool { counted.contains(digest) || settledDigests.contains(digest) }

    /// Whether a list that a person accepted settled a change while it waited.
    func isSettled(_ event: MessageEvent) -> Bool {
        guard !settledDigests.isEmpty, let digest = event.digestOfClaim else { return false }
        return settledDigests.contains(digest)
    }

    /// Whether a key that a member announces is as old as the member: what was announced before the founding, or before
    /// an addition brought the member in, does not encrypt.
    func predates(_ version: UInt64, by member: UserID) -> Bool {
        if let joined = joined[member] { return version <= joined }
        guard let first = log.first, first.effect == .founded, let founding = first.version?.number else {
            return false
        }
        return version < founding
    }

    // MARK: Changes

    /// What became of a change.
    enum Outcome: Equatable {
        /// It counted; these former members are back.
        case counted(returned: [UserID], left: [UserID])
        /// It was judged before.
        case repeated
        /// It does not count, and never will.
        case ignored
        /// It does not fit into the log any more.
        case full
    }

    /// Adds everyone whom an addition names, but for barred people; it takes no one out.
    ///
    /// A barred person returns only if the addition names the person as new, and signs a key version above the bar.
    /// Whom the signed lists name after their signer is a present member in every reading, and never returns.
    mutating func add(_ addition: GroupMemberAddChange, by signer: UserID, claim: Claim, digest: EventDigest) -> Outcome
    {
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
                guard new.contains(user), version > bar || claim == .own else { continue }
                returned.append(user)
            }
            added.append(user)
        }
        // A single event that breaks the limit of members is an error of that event and of nothing else.
        guard present.count + added.count <= Self.maximumMembers else {
            settle(digest)
            return .full
        }
        // Nothing is copied before it is known to fit: copies of large groups would make many additions quadratic.
        let names = Set(added)
        let sizeAfter =
            size + added.count + 1 + names.count - names.count { bars[$0] != nil }
            - names.count(where: leaving.contains)
        guard fits(sizeAfter, digest) else { return .full }
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

    /// Takes members out.
    mutating func remove(_ people: [UserID], by signer: UserID, claim: Claim, digest: EventDigest) -> Outcome {
        guard !isJudged(digest) else { return .repeated }
        guard present.contains(signer) else { return ignore(digest) }
        let left = people.filter(present.contains)
        guard !left.isEmpty else {
            // One that names only former members is a repetition. Of people who were never members it may be older than
            // their addition, and is judged again when it comes again.
            return people.allSatisfy(everContained) ? ignore(digest) : .ignored
        }
        guard fits(size + left.count + 1, digest) else { return .full }
        present.subtract(left)
        leaving.formUnion(left)
        append(Entry(effect: .removed, claim: claim, signer: signer, people: left, digest: digest))
        return .counted(returned: [], left: left)
    }

    /// Takes a verified founding in the place of the server's list, which founded the log before.
    ///
    /// Changes that counted since count again where their signers are members now; whom one of them took out stays out.
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
    ///   - bar: The bar of everyone else who was known, and the floor of additions.
    /// - Returns: Who was a member and is not one any more.
    /// - Throws: `too_large` if the group has more former members than a log holds.
    mutating func replace(with members: [UserID], bar: UInt64) throws(XChatError) -> [UserID] {
        var after = self
        let left = present.subtracting(members)
        after.present = Set(members)
        after.leaving = []
        for user in left.union(leaving) { after.bars[user] = max(bars[user] ?? 0, bar) }
        for user in members { after.bars[user] = nil }
        after.floor = max(floor, bar)
        // What waited is settled by the list.
        for change in unjudged { if let digest = change.event.digestOfClaim { after.settle(digest) } }
        (after.unjudged, after.isFull, after.isContested, after.joined) = ([], false, false, [:])
        let entry = Entry(effect: .replaced, claim: .caller, signer: nil, people: members)
        if isFull || after.size + members.count + 1 > Self.maximumIDs {
            // A new log: the old changes are settled, and only a person's list brings former members back.
            for digest in log.compactMap(\.digest) { after.settle(digest) }
            (after.log, after.counted, after.idCount) = ([], [], 0)
            for user in after.bars.keys { after.bars[user] = .max }
        }
        after.append(entry)
        guard after.size <= Self.maximumIDs, members.count <= Self.maximumMembers else {
            throw XChatError(
                .tooLarge,
                "the group has more than \(Self.maximumMembers) members, or more than \(Self.maximumIDs) former ones"
            )
        }
        self = after
        return left.sorted()
    }

    /// Notes a founding that contradicts the one of the log.
    mutating func contest(_ digest: EventDigest) {
        settle(digest)
        isContested = true
    }

    /// Notes a change that never counts.
    mutating func settle(_ digest: EventDigest) {
        guard settled.count < Self.maximumSettled, settledDigests.insert(digest).inserted else { return }
        settled.append(digest)
    }

    /// Notes whom an addition names that did not count.
    mutating func noteUnproven(_ addition: GroupMemberAddChange) {
        for user in (addition.memberIDs ?? []) + (addition.currentMemberIDs ?? [])
        where unproven.count < Self.maximumMembers && !everContained(user) {
            unproven.insert(user)
        }
    }

    /// Whether members were taken out in the delivery in progress, and need their bars.
    var needsBars: Bool { !leaving.isEmpty }

    /// Sets the bars of those who were taken out in the delivery that ends here.
    mutating func endDelivery(bar: (UserID) -> UInt64) {
        for user in leaving where !present.contains(user) { bars[user] = bar(user) }
        leaving = []
    }

    // MARK: Changes that wait

    /// Keeps a change in its place until its signer's keys are accepted.
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

    /// The ids that the log holds; what is stored is bounded by it.
    private var size: Int { idCount + present.count + bars.count + leaving.count }

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
    /// Identifies a change whose signer is not known: what is signed, the claimed sender, and the signature.
    ///
    /// What the server adds to the envelope is no part of it. Nil if libsodium cannot be initialised.
    var digestOfClaim: EventDigest? {
        try? EventDigest(ofParts: [
            Array((senderID ?? "").utf8), Array((messageID ?? "").utf8), detail?.encoded() ?? [],
            messageEventSignature?.encoded() ?? [],
        ])
    }
}
