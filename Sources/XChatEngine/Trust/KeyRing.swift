public import XChatEvents

/// The trust in a conversation key that is only used to decrypt.
enum KeyLevel: Int, Comparable, Sendable {
    /// The key change event of the key did not verify, or its signer is not known.
    case unverified
    /// The signature of the key change event covers only the wrapped keys, not the key itself (signature version below
    /// 6).
    case legacy
    /// The key change event verified under a pin that is not the current one.
    case retired
    /// The key change event verified, but its key is not accepted.
    ///
    /// Its signer is not known to be a present member at its position, or another key of the version was accepted
    /// first, or newer keys displaced the key.
    case announced

    /// Ordered by trust.
    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// A conversation key that may be used to encrypt if it is the newest one.
///
/// The key change event of the key verified under a current pin of a present member, or the caller supplied the key.
package struct AcceptedKey: Sendable {
    /// The key.
    package let key: ConversationKey
    /// The user who announced the key; nil if the caller supplied it.
    package let announcer: UserID?
    /// Whether the key is stale, so that it is only used to decrypt: it is older than a counted removal, or than
    /// accepted new public keys of a participant.
    package internal(set) var isStale: Bool
    /// The users whom the key change event names and who were not members when the key was accepted.
    ///
    /// These users may have the key, so it is not used to encrypt before additions make them members.
    package internal(set) var outsiders: [UserID]
    /// Whether this account made the key, or the caller supplied it.
    let isOwn: Bool
    /// Fields of the stored key that only later versions of the library know.
    var unknown: [UInt8] = []

    /// The maximum number of outsiders that are kept after a delivery.
    static let maximumOutsiders = 8
    /// An id that replaces all outsiders over the limit: no member has it, so the key is never used to encrypt.
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
    /// Whether all properties are equal; keys are compared in constant time.
    package static func == (left: Self, right: Self) -> Bool {
        (left.key === right.key || left.key.isEqual(to: right.key)) && left.announcer == right.announcer
            && left.isStale == right.isStale && left.outsiders == right.outsiders && left.isOwn == right.isOwn
            && left.unknown == right.unknown
    }
}

/// Conversation keys by conversation **and** version.
///
/// Versions are milliseconds since 1970, so two conversations can have the same version. Under each version only the
/// first key is accepted. A different key makes the version *disputed*, because one ciphertext can decrypt to two texts
/// under two keys (XSalsa20-Poly1305 does not commit to its key). A bad event never removes a key. The rules are in
/// `docs/trust.md`, "Conversation keys".
public struct KeyRing: Sendable {
    struct Other: Equatable, Sendable {
        let key: ConversationKey
        var level: KeyLevel
        /// The user who announced the key, if a signature proves that.
        var announcer: UserID?
        /// Fields of the stored key that only later versions of the library know.
        var unknown: [UInt8] = []

        static func == (left: Self, right: Self) -> Bool {
            (left.key === right.key || left.key.isEqual(to: right.key)) && left.level == right.level
                && left.announcer == right.announcer && left.unknown == right.unknown
        }
    }

    /// The maximum number of keys of one version that are not accepted, counted separately for keys that a verified
    /// signature covers and for other keys; each is tried on a message that does not decrypt.
    static let maximumPerVersion = 8
    /// The maximum number of accepted keys of a conversation: 4,096.
    static let maximumVersions = 4096

    /// The keys of one conversation, and their state.
    struct Held: Sendable {
        var accepted: [KeyVersion: AcceptedKey] = [:]
        /// The accepted versions, the highest number last; each number occurs once.
        var order: [(number: UInt64, version: KeyVersion)] = []
        var others: [KeyVersion: [Other]] = [:]
        var disputed: Set<KeyVersion> = []
        var highest: UInt64?
        var floor: UInt64 = 0
        /// Fields of the stored conversation that only later versions of the library know.
        var unknown: [UInt8] = []

        /// Whether it contains nothing to store.
        var isEmpty: Bool {
            accepted.isEmpty && others.isEmpty && disputed.isEmpty && highest == nil && floor == 0 && unknown.isEmpty
        }

        /// The accepted version with a number, in the spelling under which it was announced.
        func spelling(of number: UInt64) -> KeyVersion? {
            var (low, high) = (0, order.count)
            while low < high {
                let middle = low + (high - low) / 2
                if order[middle].number < number { low = middle + 1 } else { high = middle }
            }
            return low < order.count && order[low].number == number ? order[low].version : nil
        }

        /// Drops the oldest key of the user who announced the most accepted keys, so that a new key can be accepted.
        ///
        /// The dropped key is only used to decrypt from then on. With this choice no member can displace the keys of
        /// the others by announcing many. A key that the caller supplies, or that this account makes, is always
        /// accepted.
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

    /// The stored data of a conversation; nil if nothing is stored.
    func held(of conversation: ConversationID) -> Held? {
        held[conversation].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Replaces the stored data of a conversation.
    mutating func replace(_ new: Held, of conversation: ConversationID) {
        held[conversation] = new.isEmpty ? nil : new
    }

    /// The conversations with stored data, in no order.
    var heldConversations: some Collection<ConversationID> { held.keys }

    // MARK: Questions

    /// The conversations with at least one accepted key, in byte order.
    public var conversations: [ConversationID] {
        held.filter { !$0.value.accepted.isEmpty }.keys.sorted { $0.text < $1.text }
    }

    /// The conversations with data that a saved state must contain, in byte order.
    ///
    /// A conversation without an accepted key can have a rotation floor. Without the floor, a key from before a removal
    /// could be used to encrypt after a restart.
    package var keptConversations: [ConversationID] {
        held.filter { !$0.value.accepted.isEmpty || $0.value.floor > 0 || $0.value.highest != nil }.keys
            .sorted { $0.text < $1.text }
    }

    /// Whether a key of a conversation, or its highest version, is known.
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

    /// Whether a conversation has keys that are only used to decrypt because they are not accepted.
    func hasOthers(in conversation: ConversationID) -> Bool { held[conversation]?.others.isEmpty == false }

    /// The accepted key of a version.
    ///
    /// - Parameters:
    ///   - conversation: The canonical conversation id.
    ///   - version: The key version, byte for byte.
    /// - Returns: The key; nil if no key of the version is accepted.
    public func acceptedKey(in conversation: ConversationID, version: KeyVersion) -> ConversationKey? {
        held[conversation]?.accepted[version]?.key
    }

    /// An accepted key with its properties.
    package func accepted(in conversation: ConversationID, version: KeyVersion) -> AcceptedKey? {
        held[conversation]?.accepted[version]
    }

    /// The accepted version with the highest number up to a limit.
    ///
    /// - Parameters:
    ///   - conversation: Its canonical id.
    ///   - limit: Versions above it are ignored.
    /// - Returns: The version; nil if no key is accepted.
    func newestVersion(in conversation: ConversationID, upTo limit: UInt64) -> KeyVersion? {
        held[conversation]?.order.last { $0.number <= limit }?.version
    }

    /// The highest accepted version of a conversation; nil if no key is accepted.
    ///
    /// ``Session/encryptingVersion(in:)`` decides whether it may be used to encrypt.
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

    /// The highest version up to a limit among the keys that are not accepted but covered by a verified signature; 0
    /// without such a key.
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
    /// The version is kept when keys are lost, and must be saved: otherwise an older key, which removed members may
    /// have, would be used as the newest one.
    /// - Parameter conversation: Its canonical id.
    /// - Returns: The version as a number, or nil.
    public func highestVersion(of conversation: ConversationID) -> UInt64? { held[conversation]?.highest }

    /// The highest accepted version that raises the bar of a member who leaves.
    ///
    /// A key that names the member as an outsider does not raise the bar. That key waits for an addition that brings
    /// the member back and signs the same version. With a bar as high as the key, this addition would not count for
    /// the member.
    ///
    /// - Parameters:
    ///   - conversation: Its canonical id.
    ///   - limit: Versions above it are ignored.
    ///   - user: The member who leaves.
    /// - Returns: The version as a number; 0 without such a key.
    func barringVersion(of conversation: ConversationID, upTo limit: UInt64, for user: UserID) -> UInt64 {
        guard let known = held[conversation] else { return 0 }
        let newest = known.order.last { entry in
            entry.number <= limit && known.accepted[entry.version]?.outsiders.contains(user) != true
        }
        // A restored highest version can belong to a key that is lost.
        let isLost = known.highest ?? 0 > known.order.last?.number ?? 0
        let highest = isLost ? known.highest.flatMap { $0 <= limit ? $0 : nil } : nil
        return max(newest?.number ?? 0, highest ?? 0)
    }

    /// The rotation floor: keys with versions up to it are stale, except those that this account made after it was set.
    ///
    /// The floor is the time of the last counted removal, or of the last accepted change of public keys, in
    /// milliseconds since 1970. Removed members, and thieves of replaced public keys, may have the keys up to it.
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

    /// Accepts a key, unless another key of the version was accepted before.
    ///
    /// - Parameters:
    ///   - key: The key, with its announcer.
    ///   - conversation: The canonical conversation id.
    ///   - version: 1 to 19 digits.
    ///   - limit: Versions above it do not raise the highest version.
    /// - Returns: The outcome.
    mutating func accept(
        _ key: AcceptedKey,
        in conversation: ConversationID,
        version: KeyVersion,
        limit: UInt64 = .max
    ) -> Acceptance {
        guard let number = version.number else { return .full }
        return change(conversation) { known in
            // Two spellings of a number, such as 1001 and 01001, are the same version.
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

    /// Stores a key that is only used to decrypt.
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
                // Keys that did not verify must not use up the capacity for keys that did.
                let isSigned = level >= .retired
                guard entries.count(where: { ($0.level >= .retired) == isSigned }) < Self.maximumPerVersion else {
                    return
                }
                entries.append(Other(key: key, level: level, announcer: announcer))
            }
            known.others[version] = entries
        }
    }

    /// Changes the stored data of a conversation in place, because copies would take quadratic time.
    private mutating func change<R>(_ conversation: ConversationID, _ body: (inout Held) -> R) -> R {
        body(&held[conversation, default: Held()])
    }

    /// Marks a version as disputed, so that its key is never used to encrypt.
    mutating func dispute(_ version: KeyVersion, in conversation: ConversationID) {
        held[conversation]?.disputed.insert(version)
    }

    /// Makes all present keys stale, and all later ones with versions up to `floor`.
    mutating func retireKeys(of conversation: ConversationID, floor: UInt64) {
        change(conversation) { known in
            for version in known.accepted.keys { known.accepted[version]?.isStale = true }
            known.floor = max(known.floor, floor)
        }
    }

    /// Shortens lists of outsiders that are too long at the end of a delivery; outsiders who became members are dropped
    /// first.
    mutating func boundOutsiders(in conversation: ConversationID, _ members: Set<UserID>) {
        var bounded: [KeyVersion: [UserID]] = [:]
        for (version, key) in held[conversation]?.accepted ?? [:]
        where key.outsiders.count > AcceptedKey.maximumOutsiders {
            var outsiders = key.outsiders.filter { !members.contains($0) }
            if outsiders.count > AcceptedKey.maximumOutsiders {
                outsiders = Array(outsiders.prefix(AcceptedKey.maximumOutsiders)) + [AcceptedKey.more]
            }
            // A shortened list is over the limit by its last id, and is not written again in each delivery.
            if outsiders != key.outsiders { bounded[version] = outsiders }
        }
        for (version, outsiders) in bounded { held[conversation]?.accepted[version]?.outsiders = outsiders }
    }

    /// Records what this account knows of a key that it made: whether the key is stale, and which recipients are not
    /// members.
    ///
    /// The version of the key does not say that, and the server can remove entries from its key change event.
    mutating func adopt(_ own: AcceptedKey, in conversation: ConversationID, version: KeyVersion) {
        guard let known = held[conversation]?.accepted[version], known.key.isEqual(to: own.key) else { return }
        held[conversation]?.accepted[version]?.isStale = own.isStale
        held[conversation]?.accepted[version]?.outsiders = Set(known.outsiders + own.outsiders).sorted()
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
    // `order` follows from `accepted`. Dictionaries that share their storage are equal without a comparison of
    // elements, so comparing unchanged data costs little.
    static func == (left: Self, right: Self) -> Bool {
        left.accepted == right.accepted && left.others == right.others && left.disputed == right.disputed
            && left.highest == right.highest && left.floor == right.floor && left.unknown == right.unknown
    }
}
