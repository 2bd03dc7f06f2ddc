public import XChatEvents

/// The keys that the caller trusts, by user.
///
/// A pin is version, identity key and signing key together. The server is not trusted: what it serves is pinned on first
/// use, and from then on a new or changed entry of that user is an error until the caller accepts it.
public struct PinBook: Sendable {
    private var pins: [UserID: [BoundKey]] = [:]

    init() {}

    /// The users with at least one pin, in byte order.
    public var users: [UserID] { pins.keys.sorted() }

    /// The pins of a user, in the order in which they were added.
    public subscript(user: UserID) -> [BoundKey] { pins[user] ?? [] }

    /// Those of the served keys that are not pinned as they are.
    ///
    /// - Parameters:
    ///   - served: Keys of one user as the server answered them.
    ///   - user: That user.
    /// - Returns: The keys that are new or changed; empty if nothing differs. Pins that are not served any more do not count.
    public func changes(in served: [BoundKey], of user: UserID) -> [BoundKey] {
        served.filter { key in !self[user].contains { $0.isSamePin(as: key) } }
    }

    /// Adds a key on the caller's word, beside what is there.
    mutating func add(_ key: BoundKey) {
        guard !self[key.userID].contains(where: { $0.isSamePin(as: key) }) else { return }
        pins[key.userID, default: []].append(key)
    }

    mutating func pin(_ served: [BoundKey], of user: UserID) throws(XChatError) {
        if !self[user].isEmpty, let change = changes(in: served, of: user).first {
            throw XChatError(
                .pinChanged,
                "the server serves keys of user \(printable(user)), version \(printable(change.version)), "
                    + "that are not the ones pinned; nothing was changed (to accept them: keys trust)"
            )
        }
        for key in served { add(key) }
    }

    /// Takes keys in place of what was pinned for their versions; several can be of one.
    mutating func replace(with keys: [BoundKey]) {
        for key in keys { pins[key.userID]?.removeAll { $0.version == key.version } }
        for key in keys { add(key) }
    }
}
