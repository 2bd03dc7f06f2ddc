public import XChatEvents

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Holds the keys, pins and member lists of one user in memory, and encrypts, signs, decrypts and verifies with them.
///
/// A session is a struct without I/O and locks, and a copy is a snapshot. Copies share the secrets, which are wiped
/// when the last copy is destroyed. Keep the session in an actor or in a variable, and save its ``state`` after each
/// change; otherwise pins, keys and members that it learned are lost.
public struct Session: Sendable {
    /// The user whose session this is.
    public let userID: UserID
    /// The keys that sign, and that unwrap conversation keys.
    ///
    /// A session without them can verify, and can decrypt with the conversation keys that it has.
    public let privateKeys: PrivateKeys?
    /// The version under which the server registered the keys; nil if they are not registered.
    ///
    /// Signing needs this version.
    public var signingKeyVersion: KeyVersion?
    /// The public keys that are trusted to verify others' events, and to receive conversation keys.
    public internal(set) var pins = PinnedKeys()
    /// The known conversation keys.
    public internal(set) var keyRing = KeyRing()
    /// The members of each group whose membership log was founded.
    ///
    /// A log is stored with the group's ``ConversationState``. If the log is lost, the next valid founding that is
    /// delivered starts a new one.
    public internal(set) var memberships: [ConversationID: Membership] = [:]

    /// The digests of creations that founded groups whose states were not restored here (``Membership/founding``).
    ///
    /// A creation may found only one group: its signature does not cover the group's id, so otherwise a server could
    /// replay the creation of one group in another. A session that restored the states of only a few conversations does
    /// not know the foundings of the other groups by itself.
    package var foundingsElsewhere: Set<EventDigest> = []
    /// Fields of a restored state that only later versions of the library know.
    var unknownFields: [UInt8] = []
    /// The last key version that this session generated: two new keys in one millisecond must not share a version.
    var lastMintedVersion: UInt64 = 0
    /// Returns the current time in milliseconds since 1970.
    package var clock: @Sendable () -> UInt64 = {
        UInt64(max(0, Date().timeIntervalSince1970 * 1000))
    }

    /// Creates a session that trusts no keys yet.
    ///
    /// - Parameters:
    ///   - userID: The user's id.
    ///   - privateKeys: The user's private keys.
    ///   - signingKeyVersion: The version under which the server registered them.
    /// - Throws: `invalid_argument` for an empty user id or version.
    public init(
        userID: UserID,
        privateKeys: PrivateKeys? = nil,
        signingKeyVersion: KeyVersion? = nil
    ) throws(XChatError) {
        guard !userID.utf8.isEmpty else {
            throw XChatError(.invalidArgument, "the user id is empty; pass the id of the user whose session this is")
        }
        if let signingKeyVersion, signingKeyVersion.utf8.isEmpty {
            throw XChatError(
                .invalidArgument,
                "the signing key version is empty; pass the version that the server assigned when the keys were "
                    + "registered, or none if they are not registered"
            )
        }
        self.userID = userID
        self.privateKeys = privateKeys
        self.signingKeyVersion = signingKeyVersion
    }

    /// Creates the session of a restored state, whose user id and version are not empty.
    init(restoring userID: UserID, privateKeys: PrivateKeys?, signingKeyVersion: KeyVersion?, unknownFields: [UInt8]) {
        self.userID = userID
        self.privateKeys = privateKeys
        self.signingKeyVersion = signingKeyVersion
        self.unknownFields = unknownFields
    }

    // MARK: Pins

    /// Trusts keys that the caller supplies, for example from a session file, in addition to the keys already trusted.
    ///
    /// For each user, the key with the highest version becomes the current pin.
    /// - Parameter keys: The keys, of any users.
    public mutating func trust(_ keys: [VerifiedPublicKey]) {
        for key in keys { pins.add(key) }
    }

    /// Makes a pin of a user the current one, to restore the result of ``acceptChange(_:servedWith:)``.
    package mutating func restoreCurrent(_ key: VerifiedPublicKey) {
        pins.makeCurrent(key)
    }

    /// Marks a pin as replaced by a person, to restore a saved state.
    package mutating func restoreReplaced(_ key: VerifiedPublicKey) {
        pins.restoreReplaced(key)
    }

    /// Restores a rejected key of a saved state.
    package mutating func restoreRejected(_ digest: EventDigest, of user: UserID) {
        pins.restoreRejected(digest, of: user)
    }

    /// Pins the keys that the server serves for a user on first use (trust on first use); from then on throws if the
    /// served keys differ from the pins.
    ///
    /// - Parameters:
    ///   - served: The server's answer. A key whose binding signature does not verify is an error; it is not skipped.
    ///   - user: The user whose keys were requested.
    /// - Throws: `pin_changed` for a new or changed key of a pinned user, `pin_rolled_back` if the current pin is not
    ///   among the served keys, `pin_rejected` for keys that failed a check by a person; the errors of
    ///   ``bound(_:of:)``.
    public mutating func pin(_ served: [RegisteredKey], of user: UserID) throws(XChatError) {
        try pins.pin(try bound(served, of: user), of: user)
    }

    /// Accepts changed public keys of a user: the highest version becomes the current pin, and the earlier pins are
    /// replaced.
    ///
    /// Let a person compare the ``SafetyCode`` first; otherwise a server could replace the keys of any user by its own.
    /// The call makes the conversation keys that the user already has stale: they only decrypt, so rotate them before
    /// you encrypt. It also evaluates the group changes that waited for the accepted keys.
    /// - Parameters:
    ///   - keys: The keys of one user that the person accepts. The one with the highest version becomes current.
    ///   - others: Keys that the server serves with them and that the person did not check.
    /// - Throws: `unsupported` if libsodium cannot be initialised.
    public mutating func acceptChange(
        _ keys: [VerifiedPublicKey],
        servedWith others: [VerifiedPublicKey] = []
    ) throws(XChatError) {
        let before = pins
        try pins.accept(keys, servedWith: others)
        for user in Set(keys.map(\.userID)) {
            guard let old = before.current(of: user), let new = pins.current(of: user), !old.isSamePin(as: new) else {
                continue
            }
            retireKeys(readBy: user)
        }
        for (group, members) in memberships where !members.unjudged.isEmpty { judgeUnjudged(in: group) }
    }

    /// Records that served keys failed a check by a person, so that they are not pinned on first use.
    ///
    /// - Parameter keys: The keys. Those that are already pinned stay pinned, and are not recorded.
    /// - Throws: `unsupported` if libsodium cannot be initialised.
    public mutating func rejectKeys(_ keys: [VerifiedPublicKey]) throws(XChatError) {
        try pins.reject(keys)
    }

    /// Forgets the pins of users; their keys are pinned on first use again.
    package mutating func forget(_ users: some Sequence<UserID>) {
        for user in users { pins.remove(user) }
    }

    /// Whether a key change event has an entry for this account.
    package func isNamed(in event: MessageEvent) -> Bool {
        guard case .conversationKeyChangeEvent(let change) = event.detail else { return false }
        return (change.conversationParticipantKeys ?? []).contains { $0.userID == userID }
    }

    /// Makes the conversation keys that a user has stale, so that they only decrypt.
    private mutating func retireKeys(readBy user: UserID) {
        keyRing.retireKeys(of: .oneToOne(user, userID), floor: clock())
        for (group, members) in memberships where members.contains(user) {
            keyRing.retireKeys(of: group, floor: clock())
        }
    }

    /// Whether a key that verified a signature is not the user's current pin; for this account, whether it is not the
    /// registered version.
    func isRetired(_ key: VerifiedPublicKey) -> Bool {
        guard key.userID == userID, let signingKeyVersion else { return pins.isRetired(key) }
        return key.version != signingKeyVersion
    }

    /// Whether a key may be stolen: a person replaced it, or it is a key of this account that is no longer registered.
    func isReplaced(_ key: VerifiedPublicKey) -> Bool {
        guard key.userID == userID, let signingKeyVersion else { return pins.isReplaced(key) }
        return key.version != signingKeyVersion
    }

    /// Verifies the binding signature of each served key (signing key over identity key) without trusting the keys.
    ///
    /// - Parameters:
    ///   - served: The server's answer, at most 16 keys.
    ///   - user: The user whose keys were requested.
    /// - Returns: The same keys, verified.
    /// - Throws: `invalid_key`, `wrong_suite`, `too_large`; `invalid_argument` for a key of another user.
    public func bound(_ served: [RegisteredKey], of user: UserID) throws(XChatError) -> [VerifiedPublicKey] {
        guard served.count <= PinnedKeys.maximumServedKeys else {
            throw XChatError(
                .tooLarge,
                "the server serves \(served.count) keys for user \(printable(user)), and at most "
                    + "\(PinnedKeys.maximumServedKeys) are allowed; no key is used: fetch the keys again"
            )
        }
        var bound: [VerifiedPublicKey] = []
        for key in served {
            guard key.userID == user else {
                throw XChatError(
                    .invalidArgument,
                    "the keys served for user \(printable(user)) include one of user \(printable(key.userID)); no key is "
                        + "used: fetch the keys again"
                )
            }
            // The binding signature of a pinned key was verified when the key was pinned.
            if let pinned = pins[user].first(where: { $0.version == key.publicKeyVersion && $0.registered == key }) {
                bound.append(pinned)
            } else {
                bound.append(try VerifiedPublicKey(checking: key))
            }
        }
        return bound
    }

    // MARK: Conversation keys

    /// Accepts a conversation key that the caller supplies.
    ///
    /// If a different key was accepted under this version before, that key is kept and the version becomes disputed. If
    /// the conversation already has 4,096 accepted keys, one of them is only used to decrypt from then on:
    /// `docs/trust.md`, "Conversation keys".
    /// - Parameters:
    ///   - key: The key.
    ///   - conversation: The canonical conversation id.
    ///   - version: The version under which it was announced: 1 to 19 digits.
    /// - Throws: `invalid_argument` for a version that is not 1 to 19 digits.
    public mutating func addConversationKey(
        _ key: ConversationKey,
        in conversation: ConversationID,
        version: KeyVersion
    ) throws(XChatError) {
        try restoreKey(AcceptedKey(key: key), in: conversation, version: version)
    }

    /// Restores an accepted key of a saved state.
    ///
    /// - Throws: `invalid_argument` for a version that is not 1 to 19 digits, `too_large` for the key of another user
    ///   that is too old to replace one of 4,096 accepted keys.
    package mutating func restoreKey(
        _ key: AcceptedKey,
        in conversation: ConversationID,
        version: KeyVersion
    ) throws(XChatError) {
        guard version.isValid else {
            throw XChatError(.invalidArgument, "key version \(printable(version)) is not 1 to 19 digits")
        }
        guard keyRing.accept(key, in: conversation, version: version, limit: versionLimit) != .full else {
            throw XChatError(
                .tooLarge,
                "conversation \(printable(conversation)) has \(KeyRing.maximumVersions) accepted keys, which is the maximum, "
                    + "and key \(printable(version)) is too old to replace one of them"
            )
        }
    }

    /// Restores the highest version of a conversation from a saved state; a lower version than the known one is
    /// ignored.
    ///
    /// - Parameters:
    ///   - version: ``KeyRing/highestVersion(of:)`` of the saved state.
    ///   - conversation: The canonical conversation id.
    public mutating func restoreHighestVersion(_ version: UInt64, of conversation: ConversationID) {
        keyRing.raiseHighest(of: conversation, to: version)
    }

    /// Restores the rotation floor and the disputed versions of a conversation.
    package mutating func restoreKeyState(
        floor: UInt64,
        disputed: [KeyVersion],
        of conversation: ConversationID
    ) {
        keyRing.restoreFloor(floor, of: conversation)
        for version in disputed where version.isValid { keyRing.restoreDisputed(version, in: conversation) }
    }

    /// The highest key version that may be used to encrypt, one day ahead of this machine's clock; keys with higher
    /// versions only decrypt.
    ///
    /// Without the limit, a member could announce a key with the highest possible version, which no rotation replaces.
    var versionLimit: UInt64 {
        let (limit, overflow) = clock().addingReportingOverflow(24 * 3600 * 1000)
        return overflow ? .max : limit
    }

    // MARK: What signing needs

    /// Private keys that can sign, and the version under which they are registered.
    typealias Signer = (keys: PrivateKeys, version: KeyVersion)

    func signer() throws(XChatError) -> Signer {
        guard let privateKeys else {
            throw XChatError(
                .notUnlocked,
                "signing needs private keys, and the session has none: create it with private keys"
            )
        }
        _ = try privateKeys.needSigningKey()
        guard let signingKeyVersion else {
            throw XChatError(
                .notUnlocked,
                "signing needs the version under which the server registered the keys: register them, then set signingKeyVersion"
            )
        }
        return (privateKeys, signingKeyVersion)
    }
}
