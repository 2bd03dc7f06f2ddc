public import XChatEngine
public import XChatEvents
import XChatHTTP

extension Account {
    /// The pinned keys of a user and those that the server serves now.
    public struct KeyComparison: Sendable {
        /// The user.
        public let user: UserID
        /// The pinned keys; empty for a user without pins.
        public let pinned: [VerifiedPublicKey]
        /// The pinned key that conversation keys are wrapped for; nil for a user without pins.
        public let current: VerifiedPublicKey?
        /// The served keys that are not pinned, or whose pin differs; without keys that were rejected before.
        public let changes: [VerifiedPublicKey]
        /// The served key with the highest version; nil if the server has no keys of the user.
        public let newest: VerifiedPublicKey?
        /// The safety code of this account's keys and the newest served key; nil if one of them does not exist.
        ///
        /// The other user sees the same code, unless a server replaced a key.
        public let safetyCode: SafetyCode?
        let served: [VerifiedPublicKey]

        /// The effect of a failed check, and the next step.
        fileprivate var afterFailedCheck: String {
            guard let current else {
                return
                    "nothing was trusted, and these keys are not pinned on first use: compare the safety code with the "
                    + "user again"
            }
            return
                "no key was accepted, but key \(current.version) of the user was pinned before and stays in use: "
                + "compare the safety code with the user again, and if it really differs, send nothing to the user, because "
                + "another party may read it, until the user's own keys are served and accepted"
        }

        /// Whether the served keys differ from the pinned ones.
        public var isChanged: Bool {
            guard let newest else { return false }
            return !changes.isEmpty || current?.isSamePin(as: newest) != true
        }
    }

    /// Compares the pinned keys of a user with those that the server serves.
    ///
    /// - Parameter user: Another user.
    /// - Returns: The pinned and the served keys, with the safety code to compare with the user.
    /// - Throws: `XChatError` for served keys that are not valid, `APIError`.
    public func compareKeys(of user: UserID) async throws -> KeyComparison {
        guard user != userID else {
            throw AccountError(
                .invalidArgument,
                "user \(user) is the user of this account, whose keys are not taken from the server; name another user"
            )
        }
        return try await whileOpen { try await self.comparison(of: user) }
    }

    private func comparison(of user: UserID) async throws -> KeyComparison {
        let session = try await state.session(AccountState.Scope(users: [user]))
        var served: [VerifiedPublicKey] = []
        do {
            served = try session.bound(try await client.publicKeys(of: user), of: user)
        } catch let error as APIError where error.code == .notFound {
            // The server has no keys of the user.
        }
        let newest = served.newest
        return KeyComparison(
            user: user,
            pinned: session.pins[user],
            current: session.pins.current(of: user),
            changes: session.pins.changes(in: served, of: user),
            newest: newest,
            safetyCode: try newest.flatMap { newest in try (try? ownKey()).map { try SafetyCode($0, newest) } },
            served: served
        )
    }

    /// Accepts the keys of a comparison that a person confirmed.
    ///
    /// From then on, no conversation key is wrapped for the old keys. Every conversation with the user needs a new key
    /// before the next message, because its current key was wrapped for the old keys.
    /// - Parameter comparison: The comparison that the person was shown.
    /// - Throws: ``AccountError`` with `conflict` if the pins changed after the comparison, or if the state cannot be
    ///   written.
    public func accept(_ comparison: KeyComparison) async throws {
        guard let newest = comparison.newest else { return }
        try await accept(
            comparison.changes + [newest],
            servedWith: comparison.served.filter { !comparison.changes.contains($0) },
            comparison
        )
    }

    /// Accepts the newest of a user's keys that a person compared, and no other key of that user.
    ///
    /// A safety code is computed from the newest key alone, so it says nothing about the others.
    ///
    /// - Parameter comparison: The comparison that the person was shown.
    /// - Throws: As ``accept(_:)``.
    package func acceptNewest(of comparison: KeyComparison) async throws {
        guard let newest = comparison.newest else { return }
        try await accept([newest], servedWith: comparison.served, comparison)
    }

    /// Accepts the newest key of a comparison if the safety code equals the one that the user gave over another
    /// channel.
    ///
    /// - Parameters:
    ///   - comparison: The comparison.
    ///   - code: The code that the user gave.
    /// - Throws: ``AccountError`` with `safety_code_differs`; then the served keys are remembered as rejected, as by
    ///   ``reject(_:)``. A pinned key stays in use, because the code may be mistyped.
    public func accept(_ comparison: KeyComparison, ifSafetyCodeIs code: SafetyCode) async throws {
        guard comparison.newest != nil, comparison.safetyCode == code else {
            try await reject(comparison)
            var error = AccountError(
                .safetyCodeDiffers,
                "the safety code of the newest keys served for user \(comparison.user) is "
                    + "\(comparison.safetyCode?.description ?? "not known"), not the one given; "
                    + comparison.afterFailedCheck
            )
            error.user = comparison.user
            throw error
        }
        try await acceptNewest(of: comparison)
    }

    /// Checks the newest key of a comparison against a fingerprint that the user gave over another channel.
    ///
    /// - Parameters:
    ///   - comparison: The comparison.
    ///   - fingerprint: The fingerprint of an identity key.
    /// - Throws: ``AccountError`` with `fingerprint_differs`; then the served keys are remembered as rejected, as by
    ///   ``reject(_:)``. With `signing_key_unproven` if the fingerprint is right, but the server does not send the
    ///   identity key's signature over the signing key: the signing key could then be anyone's.
    package func check(_ comparison: KeyComparison, hasFingerprint fingerprint: String) async throws {
        let failure: AccountError.Code
        let message: String
        guard let newest = comparison.newest else {
            throw AccountError(
                .fingerprintDiffers,
                "no keys are served for user \(comparison.user); nothing was trusted"
            )
        }
        let found = newest.identityKey.fingerprint
        if !found.utf8.elementsEqual(fingerprint.utf8) {
            try await reject(comparison)
            failure = .fingerprintDiffers
            message =
                "the newest identity key served for user \(comparison.user) has the fingerprint \(found), not the one given; "
                + comparison.afterFailedCheck
        } else if newest.registered.signingPublicKeySignature == nil {
            failure = .signingKeyUnproven
            message =
                "the fingerprint covers the identity key alone, and the server does not show that this key signed the signing "
                + "key; nothing was trusted; compare the safety code"
        } else {
            return
        }
        var error = AccountError(failure, message)
        error.user = comparison.user
        throw error
    }

    /// Remembers that the served keys of a comparison failed a check, so that these keys are not pinned on first use.
    ///
    /// Keys that are pinned already stay pinned and in use.
    /// - Parameter comparison: The comparison.
    /// - Throws: ``AccountError`` if the state cannot be written.
    public func reject(_ comparison: KeyComparison) async throws {
        try await whileOpen {
            try await self.state.update(AccountState.Scope(users: [comparison.user])) { session in
                try session.rejectKeys(comparison.served)
            }
        }
    }

    private func accept(
        _ keys: [VerifiedPublicKey],
        servedWith others: [VerifiedPublicKey],
        _ comparison: KeyComparison
    ) async throws {
        try await whileOpen { try await self.acceptNow(keys, servedWith: others, comparison) }
    }

    /// Accepts keys, and in the same commit makes the current keys of all conversations with the user stale, so that
    /// they are only used to decrypt.
    private func acceptNow(
        _ keys: [VerifiedPublicKey],
        servedWith others: [VerifiedPublicKey],
        _ comparison: KeyComparison
    ) async throws {
        let user = comparison.user
        var conversations = [ConversationID.oneToOne(userID, user)]
        for group in try await state.conversations() where group.isGroup {
            if try await membership(of: group)?.everContained(user) == true { conversations.append(group) }
        }
        let scope = AccountState.Scope(conversations: conversations, users: [user], includesMembers: true)
        try await state.update(scope) { session in
            // The person decided about the pins that were shown, not about others.
            let pins = session.pins[user]
            guard pins.count == comparison.pinned.count,
                zip(pins, comparison.pinned).allSatisfy({ $0.isSamePin(as: $1) })
            else {
                var error = AccountError(
                    .conflict,
                    "the pinned keys of user \(user) changed after they were shown; nothing was changed: compare them again"
                )
                error.user = user
                throw error
            }
            try session.acceptChange(keys, servedWith: others)
        }
        refusedSigners.remove(user)
        acceptedKeyChanges.forget()
    }

    /// The safety code of this account and the pinned key of a user.
    ///
    /// - Parameter user: Another user.
    /// - Returns: The code, or nil if no key of the user is pinned.
    /// - Throws: ``AccountError`` with `not_registered`.
    public func safetyCode(of user: UserID) async throws -> SafetyCode? {
        try await whileOpen {
            let session = try await self.state.session(AccountState.Scope(users: [user]))
            guard let pin = session.pins.current(of: user) else { return nil }
            return try SafetyCode(try self.ownKey(), pin)
        }
    }

    /// This account's registered public keys.
    package func ownKey() throws -> VerifiedPublicKey {
        try registeredKey(of: userID, identity.privateKeys, identity.keyVersion)
    }

    /// Makes sure that each user has pinned keys, and that the served keys agree with the pins.
    package func pinKeys(of users: [UserID]) async throws {
        guard identity.keyVersion != nil else {
            throw AccountError(.notRegistered, "the keys of user \(userID) are not registered yet; register them first")
        }
        let others = users.filter { $0 != userID }
        let answers = await publicKeys(of: others)
        try await state.update(AccountState.Scope(users: Set(others))) { session in
            for (user, answer) in zip(others, answers) {
                do {
                    try session.pin(try answer.get(), of: user)
                } catch let error as APIError where error.code == .notFound {
                    // The server has no keys of the user; keys that were pinned before remain valid.
                } catch let error as XChatError {
                    throw AccountError(error, user: user)
                }
                guard session.pins.current(of: user) != nil else {
                    throw AccountError(
                        .server,
                        "user \(user) has no keys registered with this server; the user must register keys first"
                    )
                }
            }
        }
    }
}
