public import XChatEvents

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The keys and members that one user knows and trusts; it encrypts, signs, verifies and decrypts with them.
///
/// A session is a value: it does no I/O, holds no lock, and a copy of it is a snapshot. Copies share the secrets, which
/// are wiped when the last copy is destroyed. Keep a session in an actor or a variable of your own. ``state`` makes it
/// something to store.
public struct Session: Sendable {
    /// The user whose session this is.
    public let userID: UserID
    /// The keys that sign, and that unwrap conversation keys.
    ///
    /// A session without them can verify, and can decrypt with the conversation keys that it has.
    public let privateKeys: PrivateKeys?
    /// The version that the server registered the keys under.
    ///
    /// Signing needs it.
    public var signingKeyVersion: KeyVersion?
    /// The public keys that are trusted to verify others' events, and to receive conversation keys.
    public internal(set) var pins = PinnedKeys()
    /// The known conversation keys.
    public internal(set) var keyRing = KeyRing()
    /// The members of each group whose membership log was founded.
    ///
    /// They are stored with ``ConversationState``. If a log is lost, the first valid founding that arrives founds it
    /// again.
    public internal(set) var memberships: [ConversationID: Membership] = [:]

    /// The digests of creations that founded groups whose states were not restored here (``Membership/founding``).
    ///
    /// A creation founds one group only. A session that holds the states of a few conversations cannot see the other
    /// groups.
    package var foundingsElsewhere: Set<EventDigest> = []
    /// Fields of a restored state that only later versions of the library know.
    var unknownFields: [UInt8] = []
    /// The last version that this session minted: two key changes of one millisecond must not share one.
    var lastMintedVersion: UInt64 = 0
    /// Milliseconds since 1970.
    package var clock: @Sendable () -> UInt64 = {
        UInt64(max(0, Date().timeIntervalSince1970 * 1000))
    }

    /// A session that trusts no keys yet.
    ///
    /// - Parameters:
    ///   - userID: The user's id.
    ///   - privateKeys: The user's private keys.
    ///   - signingKeyVersion: The version that the server registered them under.
    /// - Throws: `invalid_argument` for an empty user id or version.
    public init(
        userID: UserID,
        privateKeys: PrivateKeys? = nil,
        signingKeyVersion: KeyVersion? = nil
    ) throws(XChatError) {
        guard !userID.utf8.isEmpty else {
            throw XChatError(.invalidArgument, "the user id is empty; it must name the user whose session this is")
        }
        if let signingKeyVersion, signingKeyVersion.utf8.isEmpty {
            throw XChatError(
                .invalidArgument,
                "the signing key version is empty; leave it out for keys that are not registered"
            )
        }
        self.userID = userID
        self.privateKeys = privateKeys
        self.signingKeyVersion = signingKeyVersion
    }

    /// The session of a state, whose user id and version are not empty.
    init(restoring userID: UserID, privateKeys: PrivateKeys?, signingKeyVersion: KeyVersion?, unknownFields: [UInt8]) {
        self.userID = userID
        self.privateKeys = privateKeys
        self.signingKeyVersion = signingKeyVersion
        self.unknownFields = unknownFields
    }

    // MARK: Pins

    /// Trusts keys on the caller's word, in addition to what is trusted already: a session file, a saved pin.
    ///
    /// Of each user the key with the highest version becomes the current pin.
    /// - Parameter keys: Bound keys of any users.
    public mutating func trust(_ keys: [VerifiedPublicKey]) {
        for key in keys { pins.add(key) }
    }

    /// Makes a pin of a user the current one: restores what ``acceptChange(_:)`` decided.
    package mutating func restoreCurrent(_ key: VerifiedPublicKey) {
        pins.makeCurrent(key)
    }

    /// Restores that a person replaced a pin.
    package mutating func restoreReplaced(_ key: VerifiedPublicKey) {
        pins.restoreReplaced(key)
    }

    /// Restores a rejected key of a saved state.
    package mutating func restoreRejected(_ digest: EventDigest, of user: UserID) {
        pins.restoreRejected(digest, of: user)
    }

    /// Takes what the server serves for a user: pinned on first use, refused when it differs from the pins.
    ///
    /// - Parameters:
    ///   - served: The server's answer. Entries whose binding does not hold are an error, not left out.
    ///   - user: The user who was asked for.
    /// - Throws: `pin_changed` for a new or changed entry of a pinned user, `pin_rolled_back` if only replaced keys are
    ///   served, `pin_rejected` for keys that failed a check by a person; those of ``bound(_:of:)``.
    public mutating func pin(_ served: [RegisteredKey], of user: UserID) throws(XChatError) {
        try pins.pin(try bound(served, of: user), of: user)
    }

    /// Accepts changed keys of a user: the highest version becomes current, and the pins of before are replaced.
    ///
    /// Ask a person first, who compares the ``SafetyCode``. No conversation key that the user already has encrypts
    /// afterwards: rotate first. Changes of groups that waited for the keys are judged.
    /// - Parameters:
    ///   - keys: The keys of one user that the person accepts. The one with the highest version becomes current.
    ///   - others: Keys that the server serves with them, and that the person did not check.
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

    /// Remembers that served keys failed a check by a person: they are not pinned on first use.
    ///
    /// - Parameter keys: The keys.
    /// - Throws: `unsupported` if libsodium cannot be initialised.
    public mutating func rejectKeys(_ keys: [VerifiedPublicKey]) throws(XChatError) {
        try pins.reject(keys)
    }

    /// Forgets the pins of users: they are pinned on first use again.
    package mutating func forget(_ users: some Sequence<UserID>) {
        for user in users { pins.remove(user) }
    }

    /// Whether a key change has an entry for this account.
    package func isNamed(in event: MessageEvent) -> Bool {
        guard case .conversationKeyChangeEvent(let change) = event.detail else { return false }
        return (change.conversationParticipantKeys ?? []).contains { $0.userID == userID }
    }

    /// Keeps the conversation keys that a user has from encrypting.
    private mutating func retireKeys(readBy user: UserID) {
        keyRing.retireKeys(of: .oneToOne(user, userID), floor: clock())
        for (group, members) in memberships where members.contains(user) {
            keyRing.retireKeys(of: group, floor: clock())
        }
    }

    /// Whether a key that verified something is a replaced one; of our own keys that is every version but the
    /// registered one.
    func isRetired(_ key: VerifiedPublicKey) -> Bool {
        guard key.userID == userID, let signingKeyVersion else { return pins.isRetired(key) }
        return key.version != signingKeyVersion
    }

    /// Whether a key may be a thief's: a person replaced it, or it is one of our own that is not registered any more.
    func isReplaced(_ key: VerifiedPublicKey) -> Bool {
        guard key.userID == userID, let signingKeyVersion else { return pins.isReplaced(key) }
        return key.version != signingKeyVersion
    }

    /// Checks the binding of served keys without trusting them.
    ///
    /// - Parameters:
    ///   - served: The server's answer, at most 16 keys.
    ///   - user: The user who was asked for.
    /// - Returns: The same keys, bound.
    /// - Throws: `invalid_key`, `wrong_suite`, `too_large`; `invalid_argument` for a key of another user.
    public func bound(_ served: [RegisteredKey], of user: UserID) throws(XChatError) -> [VerifiedPublicKey] {
        guard served.count <= PinnedKeys.maximumServedKeys else {
            throw XChatError(
                .tooLarge,
                "\(served.count) keys are served for user \(printable(user)), and at most \(PinnedKeys.maximumServedKeys) are "
                    + "allowed; no key is used"
            )
        }
        var bound: [VerifiedPublicKey] = []
        for key in served {
            guard key.userID == user else {
                throw XChatError(
                    .invalidArgument,
                    "the keys served for user \(printable(user)) hold one of user \(printable(key.userID)); no key is used"
                )
            }
            // The binding of a pinned key was verified when the key was pinned.
            if let pinned = pins[user].first(where: { $0.version == key.publicKeyVersion && $0.registered == key }) {
                bound.append(pinned)
            } else {
                bound.append(try VerifiedPublicKey(checking: key))
            }
        }
        return bound
    }

    // MARK: Conversation keys

    /// Accepts a conversation key on the caller's word.
    ///
    /// If another key of the version was accepted before, that one stays, and the version is disputed.
    /// - Parameters:
    ///   - key: The key.
    ///   - conversation: The canonical conversation id.
    ///   - version: The version it was announced under: 1 to 19 digits.
    /// - Throws: `invalid_argument` for another version, `too_large` for a key older than the 4,096 newest of a
    ///   conversation.
    public mutating func addConversationKey(
        _ key: ConversationKey,
        in conversation: ConversationID,
        version: KeyVersion
    ) throws(XChatError) {
        try restoreKey(AcceptedKey(key: key), in: conversation, version: version)
    }

    /// Restores an accepted key of a saved state.
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
                "key \(printable(version)) of conversation \(printable(conversation)) is older than the "
                    + "\(KeyRing.maximumVersions) newest ones, which is how many are kept"
            )
        }
    }

    /// Restores the highest version of a conversation from a saved state; it is never lowered.
    ///
    /// - Parameters:
    ///   - version: ``KeyRing/highestVersion(of:)`` of the saved state.
    ///   - conversation: The canonical conversation id.
    public mutating func restoreHighestVersion(_ version: UInt64, of conversation: ConversationID) {
        keyRing.raiseHighest(of: conversation, to: version)
    }

    /// Restores up to which version keys do not encrypt, and which versions are disputed.
    package mutating func restoreKeyState(
        floor: UInt64,
        disputed: [KeyVersion],
        of conversation: ConversationID
    ) {
        keyRing.restoreFloor(floor, of: conversation)
        for version in disputed where version.isValid { keyRing.restoreDisputed(version, in: conversation) }
    }

    /// Versions above it are more than a day ahead of our clock: such keys decrypt and never encrypt.
    var versionLimit: UInt64 {
        let (limit, overflow) = clock().addingReportingOverflow(24 * 3600 * 1000)
        return overflow ? .max : limit
    }

    // MARK: What signing needs

    /// Private keys that can sign, and the version they are registered under.
    typealias Signer = (keys: PrivateKeys, version: KeyVersion)

    func signer() throws(XChatError) -> Signer {
        guard let privateKeys else {
            throw XChatError(
                .notUnlocked,
                "signing needs private keys, and the session has none: make it with private keys"
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
