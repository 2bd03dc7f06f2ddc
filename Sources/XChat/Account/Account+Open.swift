import Foundation
import LibSodium
import XChatEngine
import XChatEvents
import XChatFiles
import XChatHTTP

extension Account {
    /// Opens an account, and creates it if it does not exist.
    ///
    /// A new account needs ``Configuration/user``, or a sign-in (``signIn(_:from:_:)``). The keys of a new account are
    /// saved before they are registered, so that a crash cannot lose registered keys. If it is unknown whether the
    /// server registered them, because of a crash or a lost answer, the served keys are compared with the saved ones:
    /// equal keys count as registered, other keys are an error.
    /// - Parameter configuration: Where the account is and which server it talks to.
    /// - Returns: The account, with registered keys. The account starts no background task before its first call.
    /// - Throws: ``AccountError``: `wrong_passphrase`, `damaged`, `newer_format`, `keys_exist` if the server has other
    ///   keys of the user, `invalid_argument` if the account belongs to another user, `sign_in_needed` if there is no
    ///   token. `APIError` if the keys cannot be registered.
    public static func open(_ configuration: Configuration) async throws -> Account {
        let store = try await configuration.store()
        try await configuration.checkTokens(in: store)
        let identity = try await identity(configuration, store)
        let account = try Account(configuration, store, identity)
        guard identity.keyVersion == nil, identity.privateKeys?.signingKey != nil else { return account }
        return try Account(configuration, store, try await account.register())
    }

    /// Opens an existing account, whether or not its keys are registered.
    package static func openUnregistered(_ configuration: Configuration) async throws -> Account {
        let (store, identity) = try await existing(configuration)
        try await configuration.checkTokens(in: store)
        return try Account(configuration, store, identity)
    }

    /// A session with the whole state of an account, for work without a server.
    package static func session(_ configuration: Configuration) async throws -> Session {
        let (store, identity) = try await existing(configuration)
        return try await AccountState(store: store, identity: identity).wholeSession()
    }

    /// The outbox of an account, for work without a server.
    ///
    /// - Parameters:
    ///   - configuration: Where the account is, and the API to which the messages are posted.
    ///   - changes: Whether messages will be changed, not only listed.
    /// - Returns: The outbox.
    /// - Throws: ``AccountError``.
    package static func outbox(_ configuration: Configuration, changes: Bool) async throws -> Outbox {
        let (store, identity) = try await existing(configuration)
        if changes {
            let api = try ChatClient.base(of: configuration.api)
            return try await Outbox(opening: store, userID: identity.userID, api: api)
        }
        return Outbox(store: store, userID: identity.userID)
    }

    /// The private keys of an account.
    ///
    /// The private keys in a session file are read even if other parts of the file are malformed.
    package static func privateKeys(
        _ configuration: Configuration
    ) async throws -> (userID: UserID, keys: PrivateKeys?) {
        if case .sessionFile(let path) = configuration.location {
            return try await blocking {
                let document = try SessionFile(path, notify: configuration.notify ?? { _ in }).readPrivateKeys()
                return (try document.userID(), try document.privateKeys())
            }
        }
        let identity = try await existing(configuration).identity
        return (identity.userID, identity.privateKeys)
    }

    /// Creates an account with the given keys; at its location there must be no account, or one without private keys.
    ///
    /// - Parameters:
    ///   - userID: The user.
    ///   - keys: The private keys.
    ///   - version: The version under which the server registered them; nil if it has not.
    ///   - isImport: Whether the keys were not generated for this account: then consumers only receive events from now
    ///     on.
    ///   - configuration: Where the account will be created.
    /// - Throws: ``AccountError``, with `exists` if there is an account with private keys.
    package static func create(
        for userID: UserID,
        keys: PrivateKeys,
        version: KeyVersion?,
        isImport: Bool,
        _ configuration: Configuration
    ) async throws {
        let store = try await configuration.store()
        let record = try await store.records([.account])[.account]
        let known = try record.map { try Identity(decoding: $0.bytes) }
        guard known?.privateKeys == nil else {
            throw AccountError(
                .exists,
                "there is already an account with private keys in \(configuration.locationText); open that account, or use "
                    + "another location"
            )
        }
        let identity = try known ?? Identity(userID: userID, privateKeys: nil, keyVersion: nil)
        guard identity.userID == userID else { throw AccountError(belongingTo: identity.userID, not: userID) }
        let now = UInt64(max(0, Date().timeIntervalSince1970 * 1000))
        try await store.save(
            try identity.filled(keys, version: version, startsAt: isImport ? now : 0),
            revision: record?.revision ?? 0
        )
        guard let version, keys.signingKey != nil else { return }
        let unregistered = try Identity(userID: userID, privateKeys: keys, keyVersion: nil)
        let own = try keys.verifiedKey(userID: userID, version: version)
        try await AccountState(store: store, identity: unregistered)
            .update(AccountState.Scope(users: [userID])) { session in session.trust([own]) }
    }

    static func existing(
        _ configuration: Configuration
    ) async throws -> (store: any AccountStore, identity: Identity) {
        let store = try await configuration.existingStore()
        guard let identity = try await Identity.stored(in: store) else {
            throw AccountError(.notFound, "there is no account in \(configuration.locationText); create it first")
        }
        return (store, identity)
    }

    private static func identity(
        _ configuration: Configuration,
        _ store: any AccountStore
    ) async throws -> Identity {
        if let record = try await store.records([.account])[.account] {
            let identity = try Identity(decoding: record.bytes)
            if let user = configuration.user, user != identity.userID {
                throw AccountError(belongingTo: identity.userID, not: user)
            }
            // A sign-in creates an account without keys.
            guard identity.privateKeys == nil, identity.keyVersion == nil else { return identity }
            return try await saved(
                try identity.filled(.generate(configuration.suite)),
                revision: record.revision,
                configuration,
                store
            )
        }
        guard let user = configuration.user else {
            throw AccountError(
                .notFound,
                "there is no account in \(configuration.locationText), and no user id to create one; set \(configuration.names.user)"
            )
        }
        guard user.isValid else {
            throw AccountError(.invalidArgument, "\(quoted(user.string)) is not a user id: 1 to 19 digits")
        }
        let identity = try Identity(userID: user, privateKeys: try .generate(configuration.suite), keyVersion: nil)
        return try await saved(identity, revision: 0, configuration, store)
    }

    /// Saves an identity with new keys, or returns the one that another process saved at the same time.
    private static func saved(
        _ identity: Identity,
        revision: UInt64,
        _ configuration: Configuration,
        _ store: any AccountStore
    ) async throws -> Identity {
        do {
            try await store.save(identity, revision: revision)
            return identity
        } catch let error as AccountError where error.code == .conflict {
            return try await Self.identity(configuration, store)
        }
    }

    /// Registers the account's keys, unless the server already has them.
    ///
    /// - Parameters:
    ///   - evenIfVersionIsKnown: Whether the server is asked although the account knows the version of its keys.
    ///   - replaced: Called with the newest version of other keys of the user, which these keys replace.
    /// - Returns: The identity with the version that the server gave the keys, saved.
    /// - Throws: ``AccountError``, with `keys_exist` if the server has newer keys of the user than these and was asked
    ///   although the version is known, or if it has only other keys and they are not to be replaced; `APIError`.
    @discardableResult
    package func register(
        evenIfVersionIsKnown: Bool = false,
        replaced: (KeyVersion) -> Void = { _ in }
    ) async throws -> Identity {
        guard let keys = identity.privateKeys else {
            throw AccountError(
                .notFound,
                "the account of user \(userID) has no private keys to register; restore, import or generate them first"
            )
        }
        guard keys.signingKey != nil else {
            throw AccountError(
                .notRegistered,
                "the account of user \(userID) has no signing key, so it cannot be registered; restore keys that include one"
            )
        }
        // Two processes must not register keys at the same time: otherwise the server could list the same keys twice.
        let lease = try await lease("registration", for: "registering keys")
        let result = await Result { () async throws in
            if !evenIfVersionIsKnown, let version = try await Identity.stored(in: store)?.keyVersion { return version }
            return try await registeredVersion(keys, mustBeNewest: evenIfVersionIsKnown, replaced)
        }
        do {
            let registered = try await save(try result.get(), of: keys)
            await lease.end()
            return registered
        } catch {
            await lease.end()
            throw error
        }
    }

    /// Saves the version that the server gave the keys.
    private func save(_ version: KeyVersion, of keys: PrivateKeys) async throws -> Identity {
        do {
            let registered = try identity.registered(as: version)
            let record = try await store.records([.account])[.account]
            try await store.save(registered, revision: record?.revision ?? 0)
            let own = try keys.verifiedKey(userID: userID, version: version)
            try await state.update(AccountState.Scope(users: [userID])) { session in session.trust([own]) }
            return registered
        } catch {
            let reason = AccountError(any: error)
            throw AccountError(
                reason.code,
                "the server has the keys of user \(userID) under version \(version), but the version could not be saved: "
                    + "register again, which finds the keys (\(reason))"
            )
        }
    }

    /// Waits for a lease, at most one minute.
    ///
    /// - Parameters:
    ///   - name: The lease.
    ///   - work: What the holder of the lease does, for the error text.
    /// - Returns: The lease.
    /// - Throws: `conflict` if another task or process holds the lease for longer.
    func lease(_ name: String, for work: String) async throws -> any StoreLease {
        for _ in 0..<600 {
            if let lease = try await store.lease(name) { return lease }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw AccountError(
            .conflict,
            "another task or process of user \(userID) has been \(work) for a minute; try again after it has ended"
        )
    }

    private func registeredVersion(
        _ keys: PrivateKeys,
        mustBeNewest: Bool,
        _ replaced: (KeyVersion) -> Void
    ) async throws -> KeyVersion {
        let served = try await servedKeys()
        if let version = try served.version(of: keys, userID, mustBeNewest: mustBeNewest) { return version }
        let others = served.newest?.publicKeyVersion
        guard others == nil || configuration.replacesKeys else {
            throw AccountError(
                .keysExist,
                "the server has other keys of user \(userID); restore those from their key backup, or replace them, "
                    + "which makes messages for the old keys unreadable here"
            )
        }
        let proposed = KeyVersion(String(Int64(Date().timeIntervalSince1970 * 1000)))
        let version: KeyVersion
        do {
            version = try await client.register(try keys.registration(version: proposed), user: userID)
        } catch let error as APIError where error.isUnclear {
            // The server may have registered the keys although its answer was lost.
            guard let found = try await servedKeys().version(of: keys, userID, mustBeNewest: false) else { throw error }
            version = found
        }
        if let others { replaced(others) }
        return version
    }

    /// The keys that the server has of the user; empty if it has none.
    private func servedKeys() async throws(APIError) -> [RegisteredKey] {
        do throws(APIError) {
            return try await client.publicKeys(of: userID)
        } catch {
            guard error.code == .notFound else { throw error }
            return []
        }
    }
}

extension [RegisteredKey] {
    /// The key with the highest version.
    fileprivate var newest: RegisteredKey? {
        self.max { ($0.publicKeyVersion.number ?? 0) < ($1.publicKeyVersion.number ?? 0) }
    }

    /// The newest version of a user's private keys among the served ones; nil if they are not served.
    ///
    /// - Throws: `keys_exist` if these must be the newest keys and are not.
    fileprivate func version(
        of keys: PrivateKeys,
        _ user: UserID,
        mustBeNewest: Bool
    ) throws(AccountError) -> KeyVersion? {
        guard let own = filter({ keys.isPair(of: $0) }).newest?.publicKeyVersion else { return nil }
        if mustBeNewest, let newest = newest?.publicKeyVersion, newest.number ?? 0 > own.number ?? 0 {
            throw AccountError(
                .keysExist,
                "the server has these keys of user \(user) as version \(safeField(own)), and newer ones as version "
                    + "\(safeField(newest)), for which other users encrypt; restore the newer keys into another account, or, "
                    + "if they are lost, make and register new keys in another account"
            )
        }
        return own
    }
}

extension Identity {
    /// The stored identity; nil if there is no account.
    static func stored(in store: any AccountStore) async throws -> Identity? {
        guard var record = try await store.records([.account])[.account] else { return nil }
        defer { Sodium.wipe(&record.bytes) }
        return try Identity(decoding: record.bytes)
    }
}

extension AccountError {
    /// The error about an account of another user.
    init(belongingTo owner: UserID, not user: UserID) {
        self.init(
            .invalidArgument,
            "the account belongs to user \(owner), not to user \(user); name user \(owner), or use the account of user \(user)"
        )
    }
}

extension AccountStore {
    /// Writes the account record if it still has the given revision.
    func save(_ identity: Identity, revision: UInt64) async throws {
        var batch = RecordBatch()
        batch.expected[.account] = revision
        batch.writes[.account] = try identity.encoded()
        defer { batch.wipe() }
        try await commit(batch)
    }
}

extension APIError {
    /// Whether the server may have carried out the request although the call failed.
    var isUnclear: Bool {
        [.connection, .timedOut, .server, .malformedResponse, .cancelled].contains(code)
    }
}
