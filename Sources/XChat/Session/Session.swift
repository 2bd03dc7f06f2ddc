public import XChatEvents

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What one user knows and trusts, and the way of a message out and in.
///
/// A value: it does no I/O, holds no lock, and copying it is a snapshot (copies share the secrets, which are wiped when
/// the last one goes). Keep it in an actor or a variable of your own.
public struct Session: Sendable {
    /// The user whose session this is.
    public let userID: UserID
    /// Signs, and unwraps conversation keys.
    ///
    /// Without them only what needs neither works.
    public let privateKeys: PrivateKeys?
    /// The version that the server registered the keys under.
    ///
    /// Signing needs it.
    public var signingKeyVersion: KeyVersion?
    /// The keys that are trusted to verify others' events, and to receive conversation keys.
    public private(set) var pins = PinBook()
    /// The conversation keys known.
    public internal(set) var keyRing = KeyRing()
    /// The members of a group, where the caller knows them: nobody else's events are accepted there.
    public var rosters: [ConversationID: Set<UserID>] = [:]
    /// Who is in a group and who was, as its verified events tell: trusted on first use, to be saved and restored.
    ///
    /// It decides, where ``rosters`` says nothing, whose conversation keys seal: those of others open what was said under
    /// them or, where a roster is known and never named the announcer, are refused. A group's creation sets it where there
    /// is none; from then on it changes only by additions and removals that a member of it signed. Of a group whose
    /// creation is not among its events, put in whom you believe to be in it, and open its key changes once more.
    public var keptRosters: [ConversationID: GroupRoster] = [:]
    /// The members of a group as its verified events tell, in the order in which they were opened.
    ///
    /// It judges what is not a key, where ``rosters`` says nothing: each message by those who were there. A session that
    /// reads a history again from its beginning should not have learned its end before: who left meanwhile would be nobody
    /// then. So it is not saved.
    package internal(set) var learnedRosters: [ConversationID: Set<UserID>] = [:]

    /// The last version that this session minted: two key changes of one millisecond must not share one.
    var lastMintedVersion: UInt64 = 0
    /// Milliseconds since 1970.
    package var clock: @Sendable () -> UInt64 = {
        UInt64(max(0, Date().timeIntervalSince1970 * 1000))
    }

    /// A session that trusts nobody yet.
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
        guard !userID.utf8.isEmpty else { throw XChatError(.invalidArgument, "the user id is empty") }
        if let signingKeyVersion, signingKeyVersion.utf8.isEmpty {
            throw XChatError(.invalidArgument, "the signing key version is empty")
        }
        self.userID = userID
        self.privateKeys = privateKeys
        self.signingKeyVersion = signingKeyVersion
    }

    // MARK: Trust

    /// Trusts keys on the caller's word, beside what is trusted already: a session file, a saved pin.
    ///
    /// - Parameter keys: Bound keys of any users.
    public mutating func trust(_ keys: [BoundKey]) {
        for key in keys { pins.add(key) }
    }

    /// Takes what the server serves for a user: pinned on first use, refused when it differs from the pins.
    ///
    /// - Parameters:
    ///   - served: The server's answer. Entries whose binding does not hold are an error, not left out.
    ///   - user: The user who was asked for.
    /// - Throws: `pin_changed` for a new or changed entry of a pinned user; `invalid_key`, `wrong_suite`.
    public mutating func pin(_ served: [RegisteredKey], of user: UserID) throws(XChatError) {
        try pins.pin(try bound(served, of: user), of: user)
    }

    /// Accepts changed keys of a user, in place of the pins of the same versions.
    ///
    /// Ask a person first.
    ///
    /// - Parameter keys: All that is served for the user, once what ``PinBook/changes(in:of:)`` finds in it is accepted. Of a
    ///   version with several keys, those left out would count as changed the next time.
    public mutating func acceptChange(_ keys: [BoundKey]) {
        pins.replace(with: keys)
    }

    /// Checks the binding of served keys without trusting them.
    ///
    /// - Parameters:
    ///   - served: The server's answer.
    ///   - user: The user who was asked for.
    /// - Returns: The same keys, bound.
    /// - Throws: `invalid_key`, `wrong_suite`; `invalid_argument` for a key of somebody else.
    public func bound(_ served: [RegisteredKey], of user: UserID) throws(XChatError) -> [BoundKey] {
        var bound: [BoundKey] = []
        for key in served {
            guard key.userID == user else {
                throw XChatError(
                    .invalidArgument,
                    "a key of user \(printable(key.userID)) among those of \(printable(user))"
                )
            }
            bound.append(try BoundKey(checking: key))
        }
        return bound
    }

    // MARK: Conversation keys

    /// Adds a conversation key on the caller's word: it counts as verified.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - conversation: The canonical conversation id.
    ///   - version: The version it was announced under.
    public mutating func addConversationKey(
        _ key: ConversationKey,
        in conversation: ConversationID,
        version: KeyVersion
    ) {
        keyRing.add(key, in: conversation, version: version, level: .verified)
    }

    /// Restores the mark of a conversation from a saved state; it is never lowered.
    ///
    /// - Parameters:
    ///   - mark: ``KeyRing/mark(of:)`` of the saved state.
    ///   - conversation: The canonical conversation id.
    public mutating func restoreMark(_ mark: UInt64, of conversation: ConversationID) {
        keyRing.raiseMark(of: conversation, to: mark)
    }

    // MARK: What signing needs

    /// Private keys that can sign, and the version they are registered under.
    typealias Signer = (keys: PrivateKeys, version: KeyVersion)

    func signer() throws(XChatError) -> Signer {
        guard let privateKeys else {
            throw XChatError(.notUnlocked, "signing needs private keys, and the session has none")
        }
        _ = try privateKeys.needSigningKey()
        guard let signingKeyVersion else {
            throw XChatError(
                .notUnlocked,
                "signing needs the registered version of the keys: keys register"
            )
        }
        return (privateKeys, signingKeyVersion)
    }
}
