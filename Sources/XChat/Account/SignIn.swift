import Foundation
import LibSodium
import XChatEvents
import XChatHTTP

/// The tokens of an account's user, with everything that renewing them needs: the record ``RecordKey/signIn``.
struct SignIn: Sendable {
    /// The most times that a refresh token is sent if the answers are lost.
    static let mostAttempts = 2

    /// The base URL of the API that issued the tokens; they are sent to no other API.
    let api: String
    let clientID: String
    let clientSecret: Token?
    private(set) var accessToken: Token
    private(set) var refreshToken: Token?
    private(set) var expiresAt: Date
    private(set) var scopes: [String]
    /// How often the refresh token was sent without a known answer.
    ///
    /// The attempt is counted before the request, so that it is also counted if the process crashes.
    private(set) var attempts = 0
    /// All members of the record, including those that this version does not know.
    private var members = JSONObject()

    /// A new sign-in.
    init(_ tokens: OAuthTokens, from client: OAuthClient) {
        (api, clientID, clientSecret) = (client.api, client.clientID, client.clientSecret)
        (accessToken, refreshToken) = (tokens.accessToken, tokens.refreshToken)
        (expiresAt, scopes) = (tokens.expiresAt, tokens.scopes)
    }

    /// The tokens alone.
    var tokens: OAuthTokens {
        OAuthTokens(accessToken: accessToken, refreshToken: refreshToken, expiresAt: expiresAt, scopes: scopes)
    }

    /// Stores the tokens that a refresh returned.
    mutating func take(_ tokens: OAuthTokens) {
        (accessToken, refreshToken) = (tokens.accessToken, tokens.refreshToken)
        (expiresAt, scopes) = (tokens.expiresAt, tokens.scopes)
        attempts = 0
    }

    /// Counts a request that sends the refresh token.
    mutating func countAttempt() { attempts += 1 }

    /// Takes back the last count: the request did not reach the server, or had no effect there.
    mutating func uncountAttempt() { attempts = max(0, attempts - 1) }

    /// Removes the refresh token, which the server no longer accepts.
    mutating func dropRefreshToken() { refreshToken = nil }

    /// Reads the record.
    init(decoding bytes: [UInt8]) throws(AccountError) {
        let place = try JSONLocation(parsing: bytes, document: "the sign-in")
        members = try place.object()
        api = try place.required("api").string().string
        clientID = try place.required("client_id").string().string
        clientSecret = try place.member("client_secret")?.token()
        accessToken = try place.required("access_token").token()
        refreshToken = try place.member("refresh_token")?.token()
        expiresAt = Date(timeIntervalSince1970: Double(try place.member("expires_at")?.unsigned() ?? 0) / 1000)
        scopes = try (place.member("scopes")?.elements() ?? []).map { scope throws(AccountError) in
            try scope.string().string
        }
        attempts = try place.member("refresh_attempts")?.integer(Int.self) ?? 0
    }

    /// The bytes of the record, which contain the tokens.
    func encoded() -> [UInt8] {
        var members = members
        members["api"] = .string(api)
        members["client_id"] = .string(clientID)
        members["client_secret"] = clientSecret.map { .string($0.secretText) }
        members["access_token"] = .string(accessToken.secretText)
        members["refresh_token"] = refreshToken.map { .string($0.secretText) }
        members["expires_at"] = .string(String(UInt64(max(0, expiresAt.timeIntervalSince1970 * 1000))))
        members["scopes"] = .array(scopes.map { .string($0) })
        members["refresh_attempts"] = attempts == 0 ? nil : .number(attempts)
        return Array(JSONValue.object(members).line.utf8)
    }
}

extension SignIn {
    /// The stored sign-in with its revision; nil if the user is not signed in.
    static func stored(in store: any AccountStore) async throws(AccountError) -> (signIn: SignIn, revision: UInt64)? {
        guard var record = try await store.records([.signIn])[.signIn] else { return nil }
        defer { Sodium.wipe(&record.bytes) }
        return (try SignIn(decoding: record.bytes), record.revision)
    }
}

extension AccountStore {
    /// Writes the sign-in if its record still has the given revision.
    ///
    /// - Returns: The new revision.
    func save(_ signIn: SignIn, revision: UInt64) async throws(AccountError) -> UInt64 {
        var batch = RecordBatch()
        batch.expected[.signIn] = revision
        batch.writes[.signIn] = signIn.encoded()
        defer { batch.wipe() }
        return try await commit(batch)[.signIn] ?? 0
    }
}

extension JSONLocation {
    fileprivate func token() throws(AccountError) -> Token {
        do {
            return try Token(try string().string)
        } catch let failure as APIError {
            throw error(failure.detail)
        } catch {
            throw AccountError(any: error)
        }
    }
}
