import Foundation
import XChatEvents
import XChatHTTP

/// Provides the access token of a sign-in that is saved in a store, and renews it there.
///
/// One process at a time sends the refresh token; the others use the tokens that it saved. New tokens are on disk
/// before the new access token is used. Each request is counted on disk before it is sent: if the answer is lost, the
/// refresh token is sent once more and then never again, because the server may treat a repeated refresh token as
/// stolen.
struct StoredTokens: Sendable {
    /// The lease of the process that renews the tokens, or replaces them.
    static let lease = "sign-in"

    /// A token is renewed this many seconds before it expires.
    static let margin = 30.0

    let store: any AccountStore
    let configuration: Account.Configuration

    /// The tokens for a client.
    var source: TokenSource {
        TokenSource { last throws(APIError) in
            do {
                return try await token(after: last)
            } catch let error as APIError {
                throw error
            } catch let error as AccountError {
                throw APIError(.file, "the tokens of the account cannot be read or saved: \(error.message)")
            } catch {
                throw APIError(.cancelled, "the task was cancelled")
            }
        }
    }

    /// A token to use now.
    ///
    /// - Parameter last: The token that the server refused, or that is about to expire; nil before the first call.
    /// - Returns: The token.
    /// - Throws: `sign_in_needed`, and what a refresh or the store throws.
    private func token(after last: Token?) async throws -> TokenSource.Renewed {
        var (signIn, _) = try await stored()
        if last == nil, signIn.refreshToken == nil || signIn.expiresAt.timeIntervalSinceNow > Self.margin {
            return signIn.token
        }
        let old = last ?? signIn.accessToken
        var attempts = 0
        while true {
            (signIn, _) = try await stored()
            // Another process has renewed the token.
            guard signIn.accessToken.isSame(as: old) else { return signIn.token }
            if let lease = try await store.lease(Self.lease) {
                let result = await Result { () async throws in try await renewed(old) }
                await lease.end()
                return try result.get()
            }
            attempts += 1
            guard attempts < Self.mostWaits else { throw Self.tooLong }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Waits for the lease, to replace the tokens.
    func takenLease() async throws -> any StoreLease {
        for _ in 0..<Self.mostWaits {
            if let lease = try await store.lease(Self.lease) { return lease }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw Self.tooLong
    }

    private static let mostWaits = 900

    private static var tooLong: APIError {
        APIError(.timedOut, "another process has been renewing the access token for 90 seconds; try again later")
    }

    /// Renews a token; this process holds the lease.
    private func renewed(_ old: Token) async throws -> TokenSource.Renewed {
        var (signIn, revision) = try await stored()
        guard signIn.accessToken.isSame(as: old) else { return signIn.token }
        guard let refreshToken = signIn.refreshToken else { throw Self.ended("its access token has expired") }
        guard signIn.attempts < SignIn.mostAttempts else {
            throw Self.ended("the answers to its last two refreshes were lost")
        }
        // The last attempt waits until the old token has expired: otherwise a short outage could use up both.
        if signIn.attempts > 0, let current = signIn.stillUsable { return current }
        signIn.countAttempt()
        revision = try await store.save(signIn, revision: revision)
        do {
            let client = try configuration.oauthClient(of: signIn)
            signIn.take(try await client.refresh(refreshToken, scopes: signIn.scopes))
        } catch {
            return try await failed(error, signIn, revision)
        }
        try await keep(signIn, revision)
        return signIn.token
    }

    /// Saves what a failed refresh shows about the refresh token.
    ///
    /// - Returns: The old access token, if it is still valid.
    private func failed(
        _ error: any Error,
        _ signIn: SignIn,
        _ revision: UInt64
    ) async throws -> TokenSource.Renewed {
        var (signIn, error) = (signIn, error)
        if let failure = error as? APIError {
            if failure.refusesRefreshToken {
                signIn.dropRefreshToken()
                _ = try await store.save(signIn, revision: revision)
                error = Self.ended("the server refuses its refresh token: \(failure.detail)")
            } else if failure.didNothing {
                signIn.uncountAttempt()
                _ = try await store.save(signIn, revision: revision)
            }
        }
        // Tokens are renewed early: the old access token can be used until it expires.
        guard let current = signIn.stillUsable else { throw error }
        return current
    }

    /// Saves new tokens, and retries if that fails: the old refresh token may be used up, so the sign-in would be lost.
    private func keep(_ signIn: SignIn, _ revision: UInt64) async throws {
        var attempts = 0
        while true {
            do {
                _ = try await store.save(signIn, revision: revision)
                return
            } catch {
                attempts += 1
                guard attempts < 10, error.code != .conflict else {
                    throw AccountError(
                        error.code,
                        "the server has renewed the tokens, but they could not be saved (\(error.message)); sign in again if "
                            + "the next call fails"
                    )
                }
                try await Task.sleep(for: .milliseconds(300))
            }
        }
    }

    private func stored() async throws -> (signIn: SignIn, revision: UInt64) {
        guard let found = try await SignIn.stored(in: store) else {
            throw APIError(.signInNeeded, "the account has no access token: sign in")
        }
        let api = try ChatClient.base(of: configuration.api)
        guard found.signIn.api.utf8.elementsEqual(api.utf8) else {
            throw APIError(
                .signInNeeded,
                "the account is signed in to \(found.signIn.api.display()), and the request is for \(api), so its tokens were "
                    + "not sent: use \(found.signIn.api.display()), or, if \(api) is right, sign in to \(api)"
            )
        }
        return found
    }

    private static func ended(_ reason: String) -> APIError {
        APIError(.signInNeeded, "the sign-in has ended, because \(reason); sign in again")
    }
}

extension SignIn {
    /// The access token and the time at which it must be renewed; without a time it is used until the server refuses
    /// it.
    fileprivate var token: TokenSource.Renewed {
        let end = expiresAt - StoredTokens.margin
        return TokenSource.Renewed(accessToken, usedUntil: refreshToken != nil && end > Date() ? end : nil)
    }

    /// The access token, if it is to be renewed now but has not expired yet.
    fileprivate var stillUsable: TokenSource.Renewed? {
        let rest = expiresAt.timeIntervalSinceNow
        guard rest > 0, rest <= StoredTokens.margin else { return nil }
        return TokenSource.Renewed(accessToken, usedUntil: expiresAt)
    }
}

extension APIError {
    /// Whether the server says that it does not accept the refresh token (RFC 6749, section 5.2).
    fileprivate var refusesRefreshToken: Bool {
        guard let status, [400, 401, 403].contains(status), let problem else { return false }
        return [
            "invalid_grant", "invalid_request", "invalid_client", "unauthorized_client", "unsupported_grant_type",
            "invalid_scope", "access_denied",
        ].contains(problem)
    }

    /// Whether the request is taken to have had no effect on the server.
    ///
    /// A redirect, or a 4xx without an error of RFC 6749, comes from a machine in front of the server, such as a proxy
    /// with a login page. A 5xx can come from a gateway whose server did the work; 503 means that it is unavailable.
    fileprivate var didNothing: Bool {
        isUnsent || status.map { (300..<500).contains($0) || $0 == 503 } == true
    }
}

extension Account.Configuration {
    /// Throws `sign_in_needed` if there is neither a configured token nor a saved sign-in.
    func checkTokens(in store: any AccountStore) async throws {
        guard token == nil, try await SignIn.stored(in: store) == nil else { return }
        throw AccountError(
            .signInNeeded,
            "the account has no access token of its user: sign in, or set \(names.token)"
        )
    }
}
