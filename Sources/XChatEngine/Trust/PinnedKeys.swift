public import XChatEvents

/// The public keys that this account trusts, by user.
///
/// A pin consists of the user, version, identity key and signing key. One pin of each user is *current*, and the others
/// are *retired*. A retired key still verifies events, which are marked ``Event/Mark/retiredKey``, but no conversation
/// key is wrapped for it. A retired key that a person *replaced* may be stolen, so an addition that it signs does not
/// count. The server is not trusted: the keys that it serves are pinned on first use (trust on first use), and
/// from then on any other key is an error until a person accepts it. The rules are in `docs/trust.md`, "Pins".
public struct PinnedKeys: Sendable {
    /// The pins of one user.
    struct Pins: Hashable, Sendable {
        var keys: [VerifiedPublicKey] = []
        /// The index of the current pin.
        var current = 0
        /// The indices of pins that a person replaced by others.
        var replaced: Set<Int> = []
        /// Fields of the stored user that only later versions of the library know.
        var unknown: [UInt8] = []

        fileprivate mutating func add(_ key: VerifiedPublicKey) {
            guard !keys.contains(where: { $0.isSamePin(as: key) }) else { return }
            keys.append(key)
            if keys.count == 1 || key.isNewer(than: keys[current]) { current = keys.count - 1 }
        }
    }

    /// The maximum number of keys that a server may serve for one user: 16.
    public static let maximumServedKeys = 16
    /// The maximum number of rejected keys that are kept for one user: 64.
    ///
    /// Further ones are not recorded. Once there are so many, every key that is not pinned counts as rejected on first
    /// use: otherwise a server could have many keys rejected, and then serve one that was not recorded.
    static let maximumRejected = 64

    private var pins: [UserID: Pins] = [:]
    /// The digests of served keys that failed a check by a person, by user: they are not pinned on first use.
    public private(set) var rejected: [UserID: Set<EventDigest>] = [:]

    init() {}

    // MARK: The pins of one user

    /// The pins of a user, and which of them is current; nil if the user has no pins.
    func pins(of user: UserID) -> Pins? { pins[user] }

    /// Replaces the pins and the rejected keys of a user.
    mutating func replace(_ new: Pins?, rejected digests: Set<EventDigest>, of user: UserID) {
        pins[user] = new
        rejected[user] = digests.isEmpty ? nil : digests
    }

    /// Users with pins or rejected keys, in no order; a user can occur twice.
    var knownUsers: [UserID] { Array(pins.keys) + rejected.keys }

    // MARK: Questions

    /// The users with at least one pin, in byte order.
    public var users: [UserID] { pins.filter { !$0.value.keys.isEmpty }.keys.sorted() }

    /// The pins of a user, in the order in which they were added: the current one and the retired ones.
    public subscript(user: UserID) -> [VerifiedPublicKey] { pins[user]?.keys ?? [] }

    /// The current pin of a user, for which conversation keys are wrapped.
    public func current(of user: UserID) -> VerifiedPublicKey? {
        pins[user].flatMap { $0.keys.isEmpty ? nil : $0.keys[$0.current] }
    }

    /// Whether a key differs from the current pin of its user; false for a user without pins.
    public func isRetired(_ key: VerifiedPublicKey) -> Bool {
        guard let current = current(of: key.userID) else { return false }
        return !current.isSamePin(as: key)
    }

    /// Whether a key is a pin that a person replaced by a newer one: it may be stolen, so additions that it signs do
    /// not count.
    public func isReplaced(_ key: VerifiedPublicKey) -> Bool {
        guard let pins = pins[key.userID], let index = pins.keys.firstIndex(where: { $0.isSamePin(as: key) }) else {
            return false
        }
        return pins.replaced.contains(index)
    }

    /// Returns the served keys that differ from the pins.
    ///
    /// - Parameters:
    ///   - served: The keys of one user that the server returned.
    ///   - user: That user.
    /// - Returns: The keys that are new or changed; empty if nothing differs. Pins that are not served any more, and
    ///   keys that were rejected before, are not included.
    public func changes(in served: [VerifiedPublicKey], of user: UserID) -> [VerifiedPublicKey] {
        served.filter { key in !self[user].contains { $0.isSamePin(as: key) } && !isRejected(key) }
    }

    private func isRejected(_ key: VerifiedPublicKey) -> Bool {
        guard let known = rejected[key.userID], let digest = try? key.digest() else { return false }
        return known.contains(digest)
    }

    /// Whether rejected keys of a user may be missing from the record.
    private func isRejectionFull(of user: UserID) -> Bool {
        rejected[user]?.count ?? 0 >= Self.maximumRejected
    }

    // MARK: Changes

    /// Adds a key that the caller supplies.
    ///
    /// The key becomes current if its version is the highest.
    mutating func add(_ key: VerifiedPublicKey) {
        pins[key.userID, default: Pins()].add(key)
    }

    mutating func remove(_ user: UserID) { pins[user] = nil }

    /// Makes one of the pins of a user the current one.
    mutating func makeCurrent(_ key: VerifiedPublicKey) {
        add(key)
        guard let index = pins[key.userID]?.keys.firstIndex(where: { $0.isSamePin(as: key) }) else { return }
        pins[key.userID]?.current = index
        pins[key.userID]?.replaced.remove(index)
    }

    /// Pins what a server serves on first use, and refuses what differs from the pins afterwards.
    mutating func pin(_ served: [VerifiedPublicKey], of user: UserID) throws(XChatError) {
        guard let current = current(of: user) else { return try pinFirst(served, of: user) }
        if let change = changes(in: served, of: user).first {
            throw XChatError(
                .pinChanged,
                "the server serves keys of user \(printable(user)), version \(printable(change.version)), "
                    + "that differ from the pinned ones; compare the safety code with the user, then accept or reject "
                    + "the keys"
            )
        }
        guard served.isEmpty || served.contains(where: { $0.isSamePin(as: current) }) else {
            throw XChatError(
                .pinRolledBack,
                "the server serves only retired keys of user \(printable(user)), or keys that failed an earlier check, "
                    + "not the current version \(printable(current.version)); the pins are unchanged: fetch the keys again"
            )
        }
    }

    private mutating func pinFirst(_ served: [VerifiedPublicKey], of user: UserID) throws(XChatError) {
        for key in served where isRejected(key) {
            throw XChatError(
                .pinRejected,
                "the keys served for user \(printable(user)), version \(printable(key.version)), failed an earlier check by a "
                    + "person, and are not pinned; fetch the keys again, or, if the safety code now agrees with the "
                    + "user's, accept them"
            )
        }
        guard served.isEmpty || !isRejectionFull(of: user) else {
            throw XChatError(
                .pinRejected,
                "\(Self.maximumRejected) keys served for user \(printable(user)) failed checks by a person, so no other keys "
                    + "of the user are pinned unchecked; compare the safety code with the user, then accept the keys"
            )
        }
        for key in served { add(key) }
    }

    /// Makes the newest of the accepted keys the current pin, and marks the earlier pins as replaced.
    ///
    /// Events signed with a replaced key are shown with a mark, and their additions do not count. The server may have
    /// made the keys that it served with the accepted ones and that no person checked. So they are marked as replaced
    /// at once.
    mutating func accept(_ accepted: [VerifiedPublicKey], servedWith others: [VerifiedPublicKey]) throws(XChatError) {
        guard let newest = accepted.newest else { return }
        let user = newest.userID
        let before = self[user]
        let isFull = isRejectionFull(of: user)
        for key in accepted where key.userID == user {
            // A full record stays full, because the keys that it lacks stay rejected.
            if !isFull { rejected[user]?.remove(try key.digest()) }
            add(key)
        }
        for key in others where key.userID == user && !isFull && !isRejected(key) { add(key) }
        makeCurrent(newest)
        if rejected[user]?.isEmpty == true { rejected[user] = nil }
        for key in before + others where key.userID == user && !key.isSamePin(as: newest) { restoreReplaced(key) }
    }

    mutating func restoreReplaced(_ key: VerifiedPublicKey) {
        guard let index = pins[key.userID]?.keys.firstIndex(where: { $0.isSamePin(as: key) }) else { return }
        pins[key.userID]?.replaced.insert(index)
    }

    /// Records that served keys failed a check by a person, up to ``maximumRejected`` keys of a user.
    ///
    /// Keys that are pinned are not recorded.
    mutating func reject(_ served: [VerifiedPublicKey]) throws(XChatError) {
        for key in served where !self[key.userID].contains(where: { $0.isSamePin(as: key) }) {
            guard rejected[key.userID]?.count ?? 0 < Self.maximumRejected else { continue }
            rejected[key.userID, default: []].insert(try key.digest())
        }
    }

    mutating func restoreRejected(_ digest: EventDigest, of user: UserID) {
        guard rejected[user]?.count ?? 0 < Self.maximumRejected else { return }
        rejected[user, default: []].insert(digest)
    }
}

extension VerifiedPublicKey {
    /// Identifies the keys of a user under any version: BLAKE2b-256 over user and both keys.
    fileprivate func digest() throws(XChatError) -> EventDigest {
        try EventDigest(ofParts: [Array(userID.utf8), identityKey.spki, signingKey.spki])
    }

    /// Whether the version is higher; a version that is not a number counts as 0.
    ///
    /// Versions of equal numbers are ordered by their texts.
    func isNewer(than other: VerifiedPublicKey) -> Bool {
        (version.number ?? 0, version) > (other.version.number ?? 0, other.version)
    }
}

extension [VerifiedPublicKey] {
    /// The key with the highest version; the last one if several have it.
    package var newest: VerifiedPublicKey? {
        reduce(nil) { newest, key in
            newest.map { $0.isNewer(than: key) } ?? false ? newest : key
        }
    }
}
