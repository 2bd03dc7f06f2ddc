import XChatEngine
public import XChatEvents
public import XChatHTTP

extension Account {
    /// Signs the user of an account in: saves the tokens, which the account renews from then on.
    ///
    /// If the account does not exist, it is created without private keys: ``open(_:)`` generates them later. An account
    /// that is open at the same time uses the new tokens when its current token expires or is refused.
    ///
    /// ```swift
    /// let client = try OAuthClient(clientID: id)
    /// let authorization = try client.authorization(redirectURI: "http://127.0.0.1:8080/callback")
    /// // Open authorization.url in the user's browser, and receive where it is redirected to.
    /// let tokens = try await client.exchange(try authorization.code(in: redirect), of: authorization)
    /// try await Account.signIn(tokens, from: client, configuration)
    /// ```
    /// - Parameters:
    ///   - tokens: The tokens that the server issued.
    ///   - client: The client that received the tokens. Its id, its secret and its API are saved too.
    ///   - configuration: Where the account is; its token is not used.
    /// - Returns: The user.
    /// - Throws: `APIError` with `wrong_user` if the tokens belong to another user than the account; ``AccountError``
    ///   if they cannot be saved. After an error the tokens are revoked.
    @discardableResult
    public static func signIn(
        _ tokens: OAuthTokens,
        from client: OAuthClient,
        _ configuration: Configuration
    ) async throws -> UserID {
        try await signedIn(tokens, from: client, configuration).id
    }

    /// Signs in like ``signIn(_:from:_:)``, and returns the server's description of the user.
    package static func signedIn(
        _ tokens: OAuthTokens,
        from client: OAuthClient,
        _ configuration: Configuration
    ) async throws -> TokenUser {
        do {
            let user = try await ChatClient(
                api: client.api,
                token: tokens.accessToken,
                http: configuration.http,
                logger: configuration.logger
            ).me()
            try await keep(SignIn(tokens, from: client), of: user.id, configuration)
            return user
        } catch {
            // Tokens that are not saved are revoked now, because nothing could revoke them later. The revocation has a
            // task of its own, because this one may be cancelled.
            await Task { _ = try? await client.revoke(tokens) }.value
            throw error
        }
    }

    private static func keep(_ signIn: SignIn, of user: UserID, _ configuration: Configuration) async throws {
        let store = try await configuration.store()
        let lease = try await StoredTokens(store: store, configuration: configuration).takenLease()
        let result = await Result { () async throws in try await replace(signIn, of: user, configuration, store) }
        await lease.end()
        try result.get()
    }

    private static func replace(
        _ signIn: SignIn,
        of user: UserID,
        _ configuration: Configuration,
        _ store: any AccountStore
    ) async throws {
        while true {
            let identity = try await Identity.stored(in: store)
            if let owner = identity?.userID ?? configuration.user, owner != user {
                throw APIError(
                    .wrongUser,
                    "user \(user) signed in, but the account belongs to user \(owner); nothing was changed: sign in as user \(owner), "
                        + "or use the account of user \(user)"
                )
            }
            var batch = RecordBatch()
            batch.writes[.signIn] = signIn.encoded()
            if identity == nil {
                batch.expected[.account] = 0
                batch.writes[.account] = try Identity(userID: user, privateKeys: nil, keyVersion: nil).encoded()
            }
            defer { batch.wipe() }
            do {
                try await store.commit(batch)
                return
            } catch {
                // Another process made the account at the same time.
                guard error.code == .conflict, identity == nil else { throw error }
                try Task.checkCancellation()
            }
        }
    }

    /// Signs the user of an account out: revokes the tokens at the server, and deletes them.
    ///
    /// Private keys and messages stay.
    /// - Parameter configuration: Where the account is; its token is not used.
    /// - Returns: Whether the user was signed in.
    /// - Throws: `APIError` if the server did not confirm that the tokens are revoked; they are deleted from the
    ///   account anyway.
    @discardableResult
    public static func signOut(_ configuration: Configuration) async throws -> Bool {
        guard let store = try await configuration.storeIfPresent() else { return false }
        let lease = try await StoredTokens(store: store, configuration: configuration).takenLease()
        let result = await Result { () async throws in try await forget(configuration, store) }
        await lease.end()
        return try result.get()
    }

    private static func forget(_ configuration: Configuration, _ store: any AccountStore) async throws -> Bool {
        guard let (signIn, _) = try await SignIn.stored(in: store) else { return false }
        var failure: (any Error)?
        do {
            try await configuration.oauthClient(of: signIn).revoke(signIn.tokens)
        } catch {
            failure = error
        }
        var batch = RecordBatch()
        batch.deletions = [.signIn]
        try await store.commit(batch)
        if let failure { throw failure }
        return true
    }

    /// A client with the token of a configuration, or else with the saved tokens of its account.
    package static func client(_ configuration: Configuration) async throws -> ChatClient {
        let tokens: TokenSource
        if let token = configuration.token {
            tokens = token
        } else {
            let store: any AccountStore
            do {
                store = try await configuration.existingStore()
            } catch let error as AccountError where error.code == .notFound {
                throw AccountError(
                    .signInNeeded,
                    "no access token is configured, and there is no account with a saved one: sign in"
                )
            }
            try await configuration.checkTokens(in: store)
            tokens = StoredTokens(store: store, configuration: configuration).source
        }
        return try ChatClient(
            api: configuration.api,
            tokens: tokens,
            http: configuration.http,
            logger: configuration.logger
        )
    }
}

extension OAuthClient {
    /// Revokes both tokens; the first failure is thrown after both were tried.
    fileprivate func revoke(_ tokens: OAuthTokens) async throws(APIError) {
        var failure: APIError?
        for token in [tokens.refreshToken, tokens.accessToken] {
            guard let token else { continue }
            do throws(APIError) {
                try await revoke(token)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }
}
