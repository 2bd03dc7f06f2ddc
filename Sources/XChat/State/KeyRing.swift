public import XChatEvents

/// How far a conversation key is trusted (section 16 of the protocol says less: it has one level).
public enum KeyLevel: Int, Comparable, Sendable {
    /// Its key change did not verify.
    case unverified
    /// Its key change cannot be verified any more: signature version below 6, or the signer's keys are gone.
    case legacy
    /// Its key change verified under a trusted key, or the caller supplied it.
    case verified

    /// Ordered by trust.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
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

    private var entries: [ConversationID: [KeyVersion: [Entry]]] = [:]
    private var highest: [ConversationID: UInt64] = [:]

    init() {}

    /// The conversations with at least one key, in byte order.
    public var conversations: [ConversationID] { entries.keys.sorted { $0.value < $1.value } }

    /// The versions known of a conversation, in byte order.
    ///
    /// - Parameter conversation: Its canonical id.
    /// - Returns: Every version with a key of any level.
    public func versions(in conversation: ConversationID) -> [KeyVersion] {
        entries[conversation]?.keys.sorted() ?? []
    }

    /// The key that seals under a version: the first verified one.
    ///
    /// - Parameters:
    ///   - conversation: The canonical conversation id.
    ///   - version: The key version, byte for byte.
    /// - Returns: The key, or nil where none is verified.
    public func verifiedKey(in conversation: ConversationID, version: KeyVersion) -> ConversationKey? {
        entries[conversation]?[version]?.first { $0.level == .verified }?.key
    }

    /// The keys to try for a version, the most trusted first.
    func candidates(in conversation: ConversationID, version: KeyVersion) -> [ConversationKey] {
        guard let held = entries[conversation]?[version] else { return [] }
        return held.indices
            .sorted { (held[$0].level, $1) > (held[$1].level, $0) }
            .map { held[$0].key }
    }

    /// The version to seal under: the verified one with the highest number (section 16.4 of the protocol).
    ///
    /// - Parameter conversation: Its canonical id.
    /// - Returns: The version, or nil where no key is verified or the newest verified key lies below the mark.
    public func newestVersion(in conversation: ConversationID) -> KeyVersion? {
        let verified = versions(in: conversation).filter { verifiedKey(in: conversation, version: $0) != nil }
        let numbered = verified.compactMap { version in version.number.map { (number: $0, version: version) } }
        let mark = mark(of: conversation)
        guard let newest = numbered.max(by: { $0.number < $1.number }) else {
            // A version that is no number counts only where nothing else was ever seen.
            return mark == nil ? verified.last : nil
        }
        return newest.number >= mark ?? 0 ? newest.version : nil
    }

    /// The highest version that a verified key of the conversation ever had.
    ///
    /// It outlives the keys: saved and restored, it keeps an older key from being taken for the newest.
    /// - Parameter conversation: Its canonical id.
    /// - Returns: The version as a number, or nil.
    public func mark(of conversation: ConversationID) -> UInt64? { highest[conversation] }

    mutating func raiseMark(of conversation: ConversationID, to version: UInt64) {
        highest[conversation] = max(highest[conversation] ?? 0, version)
    }

    mutating func add(
        _ key: ConversationKey,
        in conversation: ConversationID,
        version: KeyVersion,
        level: KeyLevel
    ) {
        var held = entries[conversation]?[version] ?? []
        if let known = held.firstIndex(where: { $0.key.isEqual(to: key) }) {
            held[known].level = max(held[known].level, level)
        } else if held.count(where: { ($0.level == .verified) == (level == .verified) }) < Self.maximumPerVersion {
            held.append(Entry(key: key, level: level))
        }
        entries[conversation, default: [:]][version] = held
        if level == .verified, let number = version.number { raiseMark(of: conversation, to: number) }
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
