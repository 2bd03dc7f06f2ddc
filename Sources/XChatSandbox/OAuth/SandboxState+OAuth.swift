import Crypto
import Foundation
import GRDB
import LibSodium
import XChatEvents

/// The tokens that the token endpoint returns.
struct OAuthTokens: Sendable {
    let accessToken: String
    /// The lifetime of the access token in seconds.
    let lifetime: Int
    let refreshToken: String?
    let scopes: [OAuthScope]

    var json: JSON {
        .members([
            "token_type": "bearer", "access_token": .string(accessToken), "expires_in": .integer(Int64(lifetime)),
            "refresh_token": refreshToken.map(JSON.string), "scope": .string(OAuthScope.text(scopes)),
        ])
    }
}

/// The users' consent, and the codes and tokens of their sign-ins.
///
/// Codes and tokens are random. The database stores only their hashes, so a copy of the file contains no usable token.
extension SandboxState {
    /// The lifetime of a code in milliseconds, the same as X's.
    private static let codeLifetime: Int64 = 30_000

    private enum TokenKind: String {
        case code, access, refresh
    }

    private struct Grant {
        let id: Int64
        let user: UserID
        let client: WireString
        let scopes: [OAuthScope]
        /// Whether the code was exchanged with the app's secret.
        let isConfidential: Bool
        let isRevoked: Bool

        init(_ row: Row) throws {
            id = row["grant_id"]
            user = UserID(row["user"])
            client = WireString(String(decoding: row["client"] as Data, as: UTF8.self))
            scopes = try OAuthScope.list(WireString(row["scopes"]))
            isConfidential = row["is_confidential"]
            isRevoked = row["is_revoked"]
        }
    }

    // MARK: Consent

    /// Stores what a user allowed, and returns a code for it.
    func allow(_ request: AuthorizationRequest, as user: UserID, now: Int64 = milliseconds()) async throws -> String {
        try await database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO oauth_grant (user, client, scopes, redirect_uri, challenge_method, challenge)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    user.string, Data(request.client.utf8), OAuthScope.text(request.scopes),
                    Data(request.redirectURI.text.utf8), request.challenge.method.rawValue,
                    request.challenge.text.string,
                ]
            )
            return try Self.newToken(.code, of: db.lastInsertedRowID, expiresAt: now + Self.codeLifetime, now: now, db)
        }
    }

    /// At most 50 of the known users, for the consent page to offer.
    func knownUsers() async throws -> [SandboxUser] {
        try await database.read { db in
            let ids = try String.fetchAll(
                db,
                sql: """
                    SELECT user FROM
                        (SELECT user FROM public_key UNION SELECT user FROM member UNION SELECT user FROM oauth_grant)
                    ORDER BY LENGTH(user), user LIMIT 50
                    """
            )
            return try ids.map { try Self.user(UserID($0), db) }
        }
    }

    // MARK: Tokens

    /// Exchanges a code, which is valid once: RFC 6749, 4.1.3.
    func exchange(
        code: WireString,
        redirectURI: WireString,
        verifier: WireString,
        client: OAuthClient,
        now: Int64 = milliseconds()
    ) async throws -> OAuthTokens {
        // A refusal can change the database too, so it is returned as a value: a thrown error would roll back.
        let result: Result<OAuthTokens, OAuthError> = try await database.write { db in
            guard let (row, grant) = try Self.row(code, .code, db) else {
                return .failure(.invalidGrant("the code is unknown"))
            }
            guard !(row["is_used"] as Bool) else {
                try Self.revoke(grant.id, db)
                return .failure(.invalidGrant("the code was used before; its tokens are revoked"))
            }
            try Self.markUsed(code, db)
            guard now < row["expires_at"] as Int64 else {
                return .failure(.invalidGrant("the code is older than 30 seconds"))
            }
            guard grant.client == client.id else { return .failure(.invalidGrant("the code belongs to another app")) }
            guard Array(row["redirect_uri"] as Data) == Array(redirectURI.utf8) else {
                return .failure(.invalidGrant("redirect_uri is not the one that the code was sent to"))
            }
            let challenge = CodeChallenge(
                method: .init(rawValue: row["challenge_method"]) ?? .s256,
                text: WireString(row["challenge"])
            )
            guard challenge.accepts(verifier) else {
                return .failure(.invalidGrant("code_verifier does not belong to the code"))
            }
            try db.execute(
                sql: "UPDATE oauth_grant SET is_confidential = ? WHERE id = ?",
                arguments: [client.isConfidential, grant.id]
            )
            return .success(try self.newTokens(of: grant.id, scopes: grant.scopes, granted: grant.scopes, now: now, db))
        }
        return try result.get()
    }

    /// Replaces a refresh token.
    ///
    /// If a used refresh token is sent again, all tokens of the sign-in are revoked, because one of the two senders may
    /// have stolen it: RFC 9700, 4.14.2.
    func refresh(
        _ token: WireString,
        scopes: WireString?,
        client: OAuthClient,
        now: Int64 = milliseconds()
    ) async throws -> OAuthTokens {
        let result: Result<OAuthTokens, OAuthError> = try await database.write { db in
            guard let (row, grant) = try Self.row(token, .refresh, db), !grant.isRevoked else {
                return .failure(.invalidGrant("the refresh token is unknown or revoked"))
            }
            if let error = Self.error(of: client, for: grant) { return .failure(error) }
            guard !(row["is_used"] as Bool) else {
                try Self.revoke(grant.id, db)
                return .failure(
                    .invalidGrant("the refresh token was used before; all tokens of the sign-in are revoked")
                )
            }
            let asked: [OAuthScope]
            do throws(OAuthError) {
                asked = try scopes.map { scopes throws(OAuthError) in try OAuthScope.list(scopes) } ?? grant.scopes
            } catch {
                return .failure(error)
            }
            guard asked.allSatisfy(grant.scopes.contains) else {
                return .failure(OAuthError(.invalidScope, "the user did not allow all of this scope"))
            }
            try Self.markUsed(token, db)
            return .success(try self.newTokens(of: grant.id, scopes: asked, granted: grant.scopes, now: now, db))
        }
        return try result.get()
    }

    /// Revokes an access token; a refresh token revokes the whole sign-in: RFC 7009.
    ///
    /// An unknown token counts as revoked already.
    func revoke(_ token: WireString, client: OAuthClient) async throws {
        let error: OAuthError? = try await database.write { db in
            if let (_, grant) = try Self.row(token, .refresh, db) {
                if let error = Self.error(of: client, for: grant) { return error }
                try Self.revoke(grant.id, db)
            } else if let (_, grant) = try Self.row(token, .access, db) {
                if let error = Self.error(of: client, for: grant) { return error }
                try db.execute(sql: "DELETE FROM oauth_token WHERE hash = ?", arguments: [Self.hash(token)])
            }
            return nil
        }
        if let error { throw error }
    }

    /// The user to whom an access token belongs; nil for a token that is unknown, expired or revoked.
    func user(ofAccessToken token: WireString, now: Int64 = milliseconds()) async throws -> UserID? {
        try await database.read { db in
            guard let (row, grant) = try Self.row(token, .access, db), !grant.isRevoked,
                now < row["expires_at"] as Int64
            else { return nil }
            return grant.user
        }
    }

    // MARK: Database

    private func newTokens(
        of grant: Int64,
        scopes: [OAuthScope],
        granted: [OAuthScope],
        now: Int64,
        _ db: Database
    ) throws -> OAuthTokens {
        let lifetime = faults.tokenLifetime
        let end = now + Int64(lifetime) * 1000
        return OAuthTokens(
            accessToken: try Self.newToken(.access, of: grant, expiresAt: end, now: now, db),
            lifetime: lifetime,
            refreshToken: granted.contains(.offlineAccess)
                ? try Self.newToken(.refresh, of: grant, expiresAt: nil, now: now, db) : nil,
            scopes: scopes
        )
    }

    private static func newToken(
        _ kind: TokenKind,
        of grant: Int64,
        expiresAt: Int64?,
        now: Int64,
        _ db: Database
    ) throws -> String {
        // Access tokens are deleted an hour after they expired: an unknown token is refused in the same way.
        try db.execute(
            sql: "DELETE FROM oauth_token WHERE kind = 'access' AND expires_at < ?",
            arguments: [now - 3_600_000]
        )
        let token = Base64.encodeURLSafe(try Sodium.randomBytes(count: 32))
        try db.execute(
            sql: "INSERT INTO oauth_token (hash, grant_id, kind, expires_at) VALUES (?, ?, ?, ?)",
            arguments: [hash(WireString(token)), grant, kind.rawValue, expiresAt]
        )
        return token
    }

    private static func row(_ token: WireString, _ kind: TokenKind, _ db: Database) throws -> (Row, Grant)? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT * FROM oauth_token JOIN oauth_grant ON oauth_grant.id = oauth_token.grant_id
                WHERE hash = ? AND kind = ?
                """,
            arguments: [hash(token), kind.rawValue]
        )
        return try row.map { ($0, try Grant($0)) }
    }

    /// The reason why an app may not use a token of a sign-in; nil if it may.
    private static func error(of client: OAuthClient, for grant: Grant) -> OAuthError? {
        guard grant.client == client.id else { return .invalidGrant("the token belongs to another app") }
        guard client.isConfidential || !grant.isConfidential else {
            return OAuthError(
                .invalidClient,
                "the code of this sign-in was exchanged with the app's secret; send the secret with its tokens too"
            )
        }
        return nil
    }

    private static func markUsed(_ token: WireString, _ db: Database) throws {
        try db.execute(sql: "UPDATE oauth_token SET is_used = 1 WHERE hash = ?", arguments: [hash(token)])
    }

    private static func revoke(_ grant: Int64, _ db: Database) throws {
        try db.execute(sql: "UPDATE oauth_grant SET is_revoked = 1 WHERE id = ?", arguments: [grant])
    }

    private static func hash(_ token: WireString) -> Data {
        Data(SHA256.hash(data: Data(token.utf8)))
    }
}
