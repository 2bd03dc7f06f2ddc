public import XChatEvents

/// How far a conversation key is trusted that decrypts and never encrypts.
enum KeyLevel: Int, Comparable, Sendable {
    /// Its key change did not verify, or its signer is not known.
    case unverified
    /// The signature of its key change covers the wrapped keys alone (signature version below 6).
    case legacy
    /// Its key change verified under a pin that was replaced.
    case retired
    /// Its key change verified, and its signer is not a present member of the group as far as is known.
    case announced

    /// Ordered by trust.
    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// A conversation key that encrypts if it is the newest.
///
/// Its key change verified under a current pin of a present member, or the caller supplied it.
package struct AcceptedKey: Sendable {
    /// The key.
    package let key: ConversationKey
    /// Who announced it; nil if the caller supplied it.
    package let announcer: UserID?
    /// Whether it is older than a removal that counted, or than new keys of a participant that were accepted.
    package internal(set) var isStale: Bool
    /// Users whom the key change names and who were not members when it was accepted.
    ///
    /// It does not encrypt before an addition makes them members.
    package internal(set) var outsiders: [UserID]
    /// Whether this account made it, or the caller supplied it.
    let isOwn: Bool
    /// Fields of the stored key that only later versions of the library know.
    var unknown: [UInt8] = []

    /// The most outsiders that are kept after a delivery.
    static let maximumOutsiders = 8
    /// An id in the place of all outsiders beyond the limit: no member has it, so the key never encrypts.
    static let more: UserID = "more"

    package init(
        key: ConversationKey,
        announcer: UserID? = nil,
        isOwn: Bool = false,
        isStale: Bool = false,
        outsiders: [UserID] = []
    ) {
        self.key = key
        self.announcer = announcer
        self.isOwn = isOwn || announcer == nil
        self.isStale = isStale
        self.outsiders = outsiders
    }
}

extension AcceptedKey: Equatable {
    /// Whether all is the same; keys are compared in constant time.
    package static func == (left: Self, right: Self) -> Bool {
        (left.key === right.key || left.key.isEqual(to: right.key)) && left.announcer == right.announcer
            && left.isStale == right.isStale && left.outsiders == right.outsiders && left.isOwn == right.isOwn
            && left.unknown == right.unknown
    }
}

/// Conversation keys by conversation **and** version.
///
/// Versions are milliseconds since 1970: those of two conversations can coincide. Under one version one key is
/// accepted, the first; a different one makes the version *disputed*, because one ciphertext can open to two texts
/// under two keys (XSalsa20-Poly1305 does not commit to its key). One bad event never removes a key. The rules are in
/// `docs/trust.md`, "Conversation keys".
public struct KeyRing: Sendable {
    struct Other: Equatable, Sendable {
        let key: ConversationKey
        var level: KeyLevel
        /// Who announced it, if the signature says so.
        var announcer: UserID?
        /// Fields of the stored key that only later versions of the library know.
        var unknown: [UInt8] = []

        static func == (left: Self, right: Self) -> Bool {
            (left.key === right.key || left.key.isEqual(to: right.key)) && left.level == right.level
                && left.announcer == right.announcer && left.unknown == right.unknown
        }
    }

    /// How many keys that are not accepted one version can hold: each is tried on a message that does not decrypt.
    static let maximumPerVersion = 8
    /// The most accepted keys of a conversation: 4,096.
    static let maximumVersions = 4096

    /// The keys of one conversation, and what is known of them.
    struct Held: Sendable {
        var accepted: [KeyVersion: AcceptedKey] = [:]
        /// The accepted versions, the highest number last; no number is there twice.
        var order: [(number: UInt64, version: KeyVersion)] = []
        var others: [KeyVersion: [Other]] = [:]
        var disputed: Set<KeyVersion> = []
        var highest: UInt64?
        var floor: UInt64 = 0
        /// Fields of the stored conversation that only later versions of the library know.
        var unknown: [UInt8] = []

        /// Whether there is nothing to keep.
        var isEmpty: Bool {
            accepted.isEmpty && others.isEmpty && disputed.isEmpty && highest == nil && floor == 0 && unknown.isEmpty
        }

        /// The accepted version of a number.
        func spelling(of number: UInt64) -> KeyVersion? {
            var (low, high) = (0, order.count)
            while low < high {
                let middle = low + (high - low) / 2
                if order[middle].number < number { low = middle + 1 } else { high = middle }
            }
            return low < order.count && order[low].number == number ? order[low].version : nil
        }

        /// Drops one accepted key in favour of a new one: the oldest key of the user who announced the most keys.
        ///
        /// The dropped key only decrypts from then on. So no member can displace the keys of the others. A key that the
        /// caller supplies, or that this account makes, is always kept.
        /// - Returns: False if the new key is older than the key that would be dropped.
        mutating func dropOldest(for key: AcceptedKey, _ number: UInt64) -> Bool {
            var counts: [UserID: Int] = [:]
            for key in accepted.values { if let announcer = key.announcer { counts[announcer, default: 0] += 1 } }
            let largest = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
            let victim = order.first { accepted[$0.version]?.announcer == largest } ?? order.first
            guard let victim, victim.number < number || key.isOwn else { return false }
            if let old = accepted.removeValue(forKey: victim.version) {
                others[victim.version] = [Other(key: old.key, level: .announced, announcer: old.announcer)]
            }
            order.removeAll { $0.version == victim.version }
            return true
        }
    }

    private var held: [ConversationID: Held] = [:]

    init() {}

    // MARK: The keys of one conversation

    /// All that is held of a conversation; nil for nothing.
    func held(of conversation: ConversationID) -> Held? {
        held[conversation].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Replaces all that is held of a conversation.
    mutating func replace(_ new: Held, of conversation: ConversationID) {
        held[conversation] = new.isEmpty ? nil : new
    }

    /// The conversations of which something is held, in no order.
    var heldConversations: some Collection<ConversationID> { held.keys }

    // MARK: Questions

    /// The conversations with at least one accepted key, in byte order.
    public var conversations: [ConversationID] {
        held.filter { !$0.value.accepted.isEmpty }.keys.sorted { $0.text < $1.text }
    }

    /// The conversations of which a state must keep something, in byte order.
    ///
    /// A conversation without an accepted key can have a rotation floor: without it, a key from before a removal would
    /// encrypt after a restart.
    package var keptConversations: [ConversationID] {
        held.filter { !$0.value.accepted.isEmpty || $0.value.floor > 0 || $0.value.highest != nil }.keys
            .sorted { $0.text < $1.text }
    }

    /// Whether anything is known of a conversation.
    func knows(_ conversation: ConversationID) -> Bool {
        guard let held = held[conversation] else { return false }
        return !held.accepted.isEmpty || !held.others.isEmpty || held.highest != nil
    }

    /// The accepted versions of a conversation, in byte order.
    ///
    /// - Parameter conversation: Its canonical id.
    /// - Returns: Every version with an accepted key.
    public func versions(in conversation: ConversationID) -> [KeyVersion] {
        held[conversation]?.accepted.keys.sorted() ?? []
    }

    /// Whether keys of a conversation are known that only decrypt.
    func hasOthers(in conversation: ConversationID) -> Bool { held[conversation]?.others.isEmpty == false }

    /// The accepted key of a version.
    ///
    /// - Parameters:
    ///   - conversation: The canonical conversation id.
    ///   - version: The key version, byte for byte.
    /// - Returns: The key, or nil where none is accepted.
    public func acceptedKey(in conversation: ConversationID, version: KeyVersion) -> ConversationKey? {
        held[conversation]?.accepted[version]?.key
    }

    /// What is known of an accepted key.
    package func accepted(in conversation: ConversationID, version: KeyVersion) -> AcceptedKey? {
        held[conversation]?.accepted[version]
    }

    /// The accepted version with the highest number up to a limit.
    ///
    /// - Parameters:
    ///   - conversation: Its canonical id.
    ///   - limit: Versions above it are passed over.
    /// - Returns: The version, or nil where none is accepted.
    func newestVersion(in conversation: ConversationID, upTo limit: UInt64) -> KeyVersion? {
        held[conversation]?.order.last { $0.number <= limit }?.version
    }

    /// The highest accepted version of a conversation; nil where none is accepted.
    ///
    /// Whether it encrypts is for ``Session/encryptingVersion(in:)`` to say.
    /// - Parameter conversation: Its canonical id.
    /// - Returns: The version.
    public func newestVersion(in conversation: ConversationID) -> KeyVersion? {
        held[conversation]?.order.last?.version
    }

    /// The keys that are not accepted, the most trusted first.
    func others(in conversation: ConversationID, version: KeyVersion) -> [Other] {
        guard let entries = held[conversation]?.others[version] else { return [] }
        guard entries.count > 1 else { return entries }
        return entries.indices
            .sorted { (entries[$0].level, $1) > (entries[$1].level, $0) }
            .map { entries[$0] }
    }

    /// The highest version of a key whose key change verified, accepted or not.
    func highestAnnounced(in conversation: ConversationID, upTo limit: UInt64) -> UInt64 {
        let others = held[conversation]?.others ?? [:]
        let numbers = others.filter { $0.value.contains { $0.level >= .retired } }.compactMap { $0.key.number }
        return numbers.filter { $0 <= limit }.max() ?? 0
    }

    /// Whether two different keys were announced under a version.
    public func isDisputed(_ version: KeyVersion, in conversation: ConversationID) -> Bool {
        held[conversation]?.disputed.contains(version) ?? false
    }

    /// The highest version that an accepted key of the conversation ever had.
    ///
    /// It outlives the keys: saved and restored, it keeps an older key from being taken for the newest.
    /// - Parameter conversation: Its canonical id.
    /// - Returns: The version as a number, or nil.
    public func highestVersion(of conversation: ConversationID) -> UInt64? { held[conversation]?.highest }

    /// The highest accepted version that bars a former member: a key that names the member as an outsider waits for the
    /// addition that brings the member back, which signs the same version.
    ///
    /// - Parameters:
    ///   - conversation: Its canonical id.
    ///   - limit: Versions above it do not count.
    ///   - user: The former member.
    /// - Returns: The version as a number, or 0 if no key counts.
    func barringVersion(of conversation: ConversationID, upTo limit: UInt64, for user: UserID) -> UInt64 {
        guard let known = held[conversation] else { return 0 }
        let newest = known.order.last { entry in
            entry.number <= limit && known.accepted[entry.version]?.outsiders.contains(user) != true
        }
        // A restored highest version can be that of a key that is lost.
        let isLost = known.highest ?? 0 > known.order.last?.number ?? 0
        let highest = isLost ? known.highest.flatMap { $0 <= limit ? $0 : nil } : nil
        return max(newest?.number ?? 0, highest ?? 0)
    }

    /// Keys up to this version do not encrypt: the time of the last removal that counted, in milliseconds since 1970.
    package func rotationFloor(of conversation: ConversationID) -> UInt64 { held[conversation]?.floor ?? 0 }

    /// Every accepted key, for saving.
    package var accepted: [(conversation: ConversationID, version: KeyVersion, key: AcceptedKey)] {
        conversations.flatMap { conversation in
            versions(in: conversation).compactMap { version in
                held[conversation]?.accepted[version].map { (conversation, version, $0) }
            }
        }
    }

    /// The disputed versions of a conversation, in byte order.
    package func disputedVersions(in conversation: ConversationID) -> [KeyVersion] {
        held[conversation]?.disputed.sorted() ?? []
    }

    // MARK: Changes

    enum Acceptance { case accepted, known, disputed, full }

    /// Accepts a key; the first of a version stays.
    ///
    /// - Parameters:
    ///   - key: The key, with its announcer.
    ///   - conversation: The canonical conversation id.
    ///   - version: 1 to 19 digits.
    ///   - limit: Versions above it do not raise the highest version.
    /// - Returns: What became of the key.
    mutating func accept(
        _ key: AcceptedKey,
        in conversation: ConversationID,
        version: KeyVersion,
        limit: UInt64 = .max
    ) -> Acceptance {
        guard let number = version.number else { return .full }
        return change(conversation) { known in
            // Two spellings of a number are one version.
            let spelling = known.accepted[version] == nil ? known.spelling(of: number) : version
            if let spelling, let first = known.accepted[spelling] {
                guard !first.key.isEqual(to: key.key) else { return .known }
                known.disputed.insert(spelling)
                return .disputed
            }
            guard known.accepted.count < Self.maximumVersions || known.dropOldest(for: key, number) else {
                return .full
            }
            var others = known.others[version] ?? []
            if others.contains(where: { $0.level == .announced && !$0.key.isEqual(to: key.key) }) {
                known.disputed.insert(version)
            }
            others.removeAll { $0.key.isEqual(to: key.key) }
            known.others[version] = others.isEmpty ? nil : others
            var key = key
            if number <= known.floor { key.isStale = true }
            known.accepted[version] = key
            let place = known.order.lastIndex { $0.number < number }.map { $0 + 1 } ?? 0
            known.order.insert((number, version), at: place)
            if number <= limit { known.highest = max(known.highest ?? 0, number) }
            return .accepted
        }
    }

    /// Keeps a key that only decrypts.
    mutating func keep(
        _ key: ConversationKey,
        in conversation: ConversationID,
        version: KeyVersion,
        level: KeyLevel,
        announcer: UserID?
    ) {
        change(conversation) { known in
            if let accepted = known.accepted[version], accepted.key.isEqual(to: key) { return }
            var entries = known.others[version] ?? []
            if let index = entries.firstIndex(where: { $0.key.isEqual(to: key) }) {
                if entries[index].level < level { entries[index].announcer = announcer }
                entries[index].level = max(entries[index].level, level)
            } else {
                // Keys that did not verify must not keep out one that did.
                let isSigned = level >= .retired
                guard entries.count(where: { ($0.level >= .retired) == isSigned }) < Self.maximumPerVersion else {
                    return
                }
                entries.append(Other(key: key, level: level, announcer: announcer))
            }
            known.others[version] = entries
        }
    }

    /// Changes what is held of a conversation in its place: a copy would make the work quadratic.
    private mutating func change<R>(_ conversation: ConversationID, _ body: (inout Held) -> R) -> R {
        body(&held[conversation, default: Held()])
    }

    /// Marks a version as disputed: it never encrypts.
    mutating func dispute(_ version: KeyVersion, in conversation: ConversationID) {
        held[conversation]?.disputed.insert(version)
    }

    /// Keeps every key up to now from encrypting, and those with versions up to `floor` that come later.
    mutating func retireKeys(of conversation: ConversationID, floor: UInt64) {
        change(conversation) { known in
            for version in known.accepted.keys { known.accepted[version]?.isStale = true }
            known.floor = max(known.floor, floor)
        }
    }

    /// Forgets outsiders who are members at the end of a delivery, and bounds the lists of the others.
    mutating func boundOutsiders(in conversation: ConversationID, _ members: Set<UserID>) {
        guard let known = held[conversation] else { return }
        for (version, key) in known.accepted where key.outsiders.count > AcceptedKey.maximumOutsiders {
            var outsiders = key.outsiders.filter { !members.contains($0) }
            if outsiders.count > AcceptedKey.maximumOutsiders {
                outsiders = Array(outsiders.prefix(AcceptedKey.maximumOutsiders)) + [AcceptedKey.more]
            }
            held[conversation]?.accepted[version]?.outsiders = outsiders
        }
    }

    /// Makes a key of our own encrypt although its version is not above the floor: it was made after it.
    mutating func renew(_ version: KeyVersion, in conversation: ConversationID) {
        held[conversation]?.accepted[version]?.isStale = false
    }

    mutating func raiseHighest(of conversation: ConversationID, to version: UInt64) {
        held[conversation, default: Held()].highest = max(highestVersion(of: conversation) ?? 0, version)
    }

    mutating func restoreFloor(_ floor: UInt64, of conversation: ConversationID) {
        held[conversation, default: Held()].floor = floor
    }

    mutating func restoreDisputed(_ version: KeyVersion, in conversation: ConversationID) {
        held[conversation, default: Held()].disputed.insert(version)
    }
}

extension KeyRing.Held: Equatable {
    // The order follows from the accepted versions. Dictionaries that share their storage are equal without a look at
    // it, so comparing what did not change costs nothing.
    static func == (left: Self, right: Self) -> Bool {
        left.accepted == right.accepted && left.others == right.others && left.disputed == right.disputed
            && left.highest == right.highest && left.floor == right.floor && left.unknown == right.unknown
    }
}
