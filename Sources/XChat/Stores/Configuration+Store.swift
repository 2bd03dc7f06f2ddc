import LibSodium
import XChatFiles
import XChatHTTP

extension Account.Configuration {
    /// The location, for error texts.
    var locationText: String {
        switch location {
        case .accountFile(let path), .sessionFile(let path): quoted(path)
        case .store: openedText ?? "a store of the program"
        }
    }

    /// The same configuration with its store open, which is created if it does not exist.
    package func opened() async throws -> Self {
        with(try await store())
    }

    /// The same configuration with its store open, if there is one.
    package func openedIfPresent() async throws -> Self {
        try await storeIfPresent().map { with($0) } ?? self
    }

    private func with(_ store: any AccountStore) -> Self {
        var configuration = self
        configuration.openedText = locationText
        configuration.location = .store(store)
        return configuration
    }

    /// The store at the location; nil if it does not exist.
    func storeIfPresent() async throws -> (any AccountStore)? {
        if case .sessionFile(let path) = location, !Files.exists(path) { return nil }
        do {
            return try await existingStore()
        } catch let error as AccountError where error.code == .notFound {
            return nil
        }
    }

    /// The client that signed in, for a refresh or a revocation.
    func oauthClient(of signIn: SignIn) throws(APIError) -> OAuthClient {
        var client = try OAuthClient(
            clientID: signIn.clientID,
            clientSecret: signIn.clientSecret,
            api: signIn.api,
            http: http,
            logger: logger
        )
        client.timeout = tokenTimeout
        return client
    }

    /// Opens the store at the location, and creates it if it does not exist.
    func store() async throws -> any AccountStore {
        switch location {
        case .store(let store): return store
        case .sessionFile(let path):
            return try await SessionFileStore.openOrCreate(path, api: try ChatClient.base(of: api), notify: notify)
        case .accountFile(let path):
            if let store = try await existingFile(path) { return store }
            let passphrase = try await askPassphrase(isNew: true)
            try await blocking { try withAccountErrors { try Files.makeFolder(Files.folder(of: path)) } }
            do throws(AccountError) {
                return try await AccountFile.create(path, passphrase: passphrase.value, limits: passwordLimits)
            } catch {
                // Another process made it at the same time.
                guard error.code == .exists else { throw error }
                return try await AccountFile.open(path, passphrase: passphrase.value)
            }
        }
    }

    /// Opens the store at the location.
    ///
    /// - Throws: ``AccountError`` with `not_found` if it does not exist.
    func existingStore() async throws -> any AccountStore {
        switch location {
        case .store(let store): return store
        case .sessionFile(let path):
            return try await SessionFileStore.open(path, api: try ChatClient.base(of: api), notify: notify)
        case .accountFile(let path):
            guard let store = try await existingFile(path) else {
                throw AccountError(.notFound, "there is no account file \(quoted(path)); create the account first")
            }
            return store
        }
    }

    private func existingFile(_ path: String) async throws -> AccountFile? {
        let isThere = try await blocking {
            // A process that ended before its first commit leaves an empty file.
            guard Files.exists(path) else { return false }
            return try withAccountErrors { try Files.size(path) } > 0
        }
        guard isThere else { return nil }
        let passphrase = try await askPassphrase(isNew: false)
        do throws(AccountError) {
            return try await AccountFile.open(path, passphrase: passphrase.value)
        } catch {
            // Another process is creating it: SQLite has written its first page, and nothing is committed yet.
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    /// The passphrase; the function that gives it may read a file or wait for a person.
    private func askPassphrase(isNew: Bool) async throws -> Shared<SecretBytes> {
        let passphrase = passphrase
        return try await blocking { Shared(try passphrase(isNew)) }
    }
}
