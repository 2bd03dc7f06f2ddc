public import XChatEvents

/// How far a conversation key is trusted (section 16 of the protocol says less: it has one level).
enum KeyLevel: Int, Comparable, Sendable {
    /// Its key change did not verify.
    case unverified
    /// Nobody can say whether its key change is genuine, or whether it counts.
    ///
    /// The signature covers the wrapped keys alone (version below 6), or it names a key that is not trusted: one that is
    /// gone, or one that a forger made up. Or, in a group, the signer is not known to be a member.
    case legacy
    /// Its key change verified under a trusted key of a member, or the caller supplied it.
    case verified

    /// Ordered by trust.
    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Conversation keys by conversation **and** version.
///
/// Versions are millisecond timestamps: those of two conversations can coincide. A key never replaces another one;
/// one bad event never removes a key. Only verified keys seal; the others open messages whose own signature verifies,
/// and are tried last.
public struct KeyRing: Sendable {
    struct Entry: Sendable {
        let key: ConversationKey
        var level: KeyLevel
    }

    /// How many verified, and how many other keys one version can hold: each is tried on a message that does not open.
    static let maximumPerVersion = 8

    /// What is known of one conversation.
    private struct Held: Sendable {
        var versions: [KeyVersion: [Entry]] = [:]
        /// The verified version with the highest number; of several spellings of it the first in byte order.
        var newest: (number: UInt64, version: KeyVersion, key: ConversationKey)?
        /// The last in byte order of the verified versions that are no numbers.
        var lastWithoutNumber: (version: KeyVersion, key: ConversationKey)?
        var mark: UInt64?

        /// Takes note of the key that now seals under a version.
        mutating func note(_ key: ConversationKey, sealing version: KeyVersion) {
            guard let number = version.number else {
                if version >= lastWithoutNumber?.version ?? "" { lastWithoutNumber = (version, key) }
                return
            }
            mark = max(mark ?? 0, number)
            if let newest, (newest.number, version) > (number, newest.version) { return }
            newest = (number, version, key)
        }
    }

    private var held: [ConversationID: Held] = [:]

    init() {}

    /// The conversations with at least one key, in byte order.
    public var conversations: [ConversationID] {
        held.filter { !$0.value.versions.isEmpty }.keys.sorted { $0.value < $1.value }
    }

    /// The versions known of a conversation, in byte order.
    ///
    /// - Parameter conversation: Its canonical id.
    /// - Returns: Every version with a key of any level.
    public func versions(in conversation: ConversationID) -> [KeyVersion] {
        held[conversation]?.versions.keys.sorted() ?? []
    }

    /// The key that seals under a version: the first verified one.
    ///
    /// - Parameters:
    ///   - conversation: The canonical conversation id.
    ///   - version: The key version, byte for byte.
    /// - Returns: The key, or nil where none is verified.
    public func verifiedKey(in conversation: ConversationID, version: KeyVersion) -> ConversationKey? {
        held[conversation]?.versions[version]?.first { $0.level == .verified }?.key
    }

    /// The keys to try for a version, the most trusted first.
    func candidates(in conversation: ConversationID, version: KeyVersion) -> [ConversationKey] {
        guard let entries = held[conversation]?.versions[version] else { return [] }
        guard entries.count > 1 else { return entries.map(\.key) }
        return entries.indices
            .sorted { (entries[$0].level, $1) > (entries[$1].level, $0) }
            .map { entries[$0].key }
    }

    /// The version to seal under: the verified one with the highest number (section 16.4 of the protocol).
    ///
    /// - Parameter conversation: Its canonical id.
    /// - Returns: The version, or nil where no key is verified or the newest verified key lies below the mark.
    public func newestVersion(in conversation: ConversationID) -> KeyVersion? {
        newestKey(in: conversation)?.version
    }

    /// The version to seal under, and its key.
    func newestKey(in conversation: ConversationID) -> (version: KeyVersion, key: ConversationKey)? {
        guard let known = held[conversation] else { return nil }
        // A version that is no number counts only where nothing else was ever seen.
        guard let newest = known.newest else { return known.mark == nil ? known.lastWithoutNumber : nil }
        return newest.number >= known.mark ?? 0 ? (newest.version, newest.key) : nil
    }

    /// The highest version that a verified key of the conversation ever had.
    ///
    /// It outlives the keys: saved and restored, it keeps an older key from being taken for the newest.
    /// - Parameter conversation: Its canonical id.
    /// - Returns: The version as a number, or nil.
    public func mark(of conversation: ConversationID) -> UInt64? { held[conversation]?.mark }

    mutating func raiseMark(of conversation: ConversationID, to version: UInt64) {
        held[conversation, default: Held()].mark = max(mark(of: conversation) ?? 0, version)
    }

    mutating func add(
        _ key: ConversationKey,
        in conversation: ConversationID,
        version: KeyVersion,
        level: KeyLevel
    ) {
        var entries = held[conversation]?.versions[version] ?? []
        if let known = entries.firstIndex(where: { $0.key.isEqual(to: key) }) {
            entries[known].level = max(entries[known].level, level)
        } else if entries.count(where: { ($0.level == .verified) == (level == .verified) }) < Self.maximumPerVersion {
            entries.append(Entry(key: key, level: level))
        }
        held[conversation, default: Held()].versions[version] = entries
        if let sealing = entries.first(where: { $0.level == .verified }) {
            held[conversation]?.note(sealing.key, sealing: version)
        }
    }

    /// Every key that seals under its version, for saving; ``Session/addConversationKey(_:in:version:)`` restores it.
    public var verified: [(conversation: ConversationID, version: KeyVersion, key: ConversationKey)] {
        conversations.flatMap { conversation in
            versions(in: conversation).compactMap { version in
                verifiedKey(in: conversation, version: version).map { (conversation, version, $0) }
            }
        }
    }
}
