public import AsyncHTTPClient
import Foundation
public import Logging
import XChatEvents

/// Signs users in with OAuth 2.0: authorization code with PKCE (RFC 6749 and RFC 7636).
///
/// The user opens ``OAuthAuthorization/url`` in a browser and allows the app. The server then sends the browser to the
/// redirect URI with a code. No call is retried: each code, and each refresh token, is valid once.
public struct OAuthClient: Sendable {
    /// The scopes that a chat client needs.
    ///
    /// `offline.access` gives a refresh token; `users.read` allows the client to ask which user the token belongs to.
    public static let chatScopes = [
        "dm.read", "dm.write", "tweet.read", "users.read", "media.write", "offline.access",
    ]

    /// The largest answer in bytes: 64 KiB.
    private static let answerBytes = 64 << 10

    /// The base URL of the API, without a slash at its end.
    public let api: String
    /// The app's client id.
    public let clientID: String
    /// The app's secret; nil for an app that cannot keep a secret.
    package let clientSecret: Token?
    /// The time for one request and its whole answer.
    package var timeout = Duration.seconds(30)
    private let page: String
    private let transport: Transport
    private let logger: Logger?

    /// Makes a client; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - clientID: The app's client id.
    ///   - clientSecret: The secret of a confidential client; nil for a public one.
    ///   - api: The base URL of the API, which has the token endpoint. Plain http is accepted only to this machine,
    ///     because it would expose the tokens to the network.
    ///   - page: The base URL of the page on which the user decides. By default `https://x.com` for X's API, and
    ///     otherwise the API's base URL.
    ///   - http: The HTTP client, as in ``ChatClient/init(api:token:limits:retries:http:logger:)``.
    ///   - logger: Logs method, route pattern, status and duration of each attempt, and nothing else.
    /// - Throws: The errors of ``ChatClient/init(api:token:limits:retries:http:logger:)``, and
    ///   ``APIError/Code-swift.struct/invalidArgument`` for a client id that is not 1 to 512 visible ASCII characters.
    public init(
        clientID: String,
        clientSecret: Token? = nil,
        api: String = "https://api.x.com",
        page: String? = nil,
        http: HTTPClient? = nil,
        logger: Logger? = nil
    ) throws(APIError) {
        guard (1...512).contains(clientID.utf8.count), clientID.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw APIError(.invalidArgument, "the client id must be 1 to 512 visible ASCII characters")
        }
        transport = try ChatClient.transport(api: api, http: http)
        self.api = transport.base
        let isOfX = transport.base.lowercased().utf8.elementsEqual("https://api.x.com".utf8)
        self.page = try ChatClient.base(of: page ?? (isOfX ? "https://x.com" : api))
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.logger = logger
    }

    /// Prepares a sign-in with a new random state and verifier.
    ///
    /// - Parameters:
    ///   - redirectURI: The URI to which the browser is sent with the answer; it must equal one that the app has
    ///     registered. Plain http is accepted only to this machine, because it would expose the code to the network.
    ///   - scopes: The scopes that the user is asked to allow, at least one.
    /// - Returns: The sign-in, with the URL to open.
    /// - Throws: ``APIError`` for a redirect URI or a scope that cannot be used.
    public func authorization(
        redirectURI: String,
        scopes: [String] = chatScopes
    ) throws(APIError) -> OAuthAuthorization {
        try OAuthAuthorization(page: page, clientID: clientID, redirectURI: redirectURI, scopes: scopes)
    }

    /// Exchanges the code of a sign-in for tokens.
    ///
    /// - Parameters:
    ///   - code: The code from ``OAuthAuthorization/code(in:)``.
    ///   - authorization: The sign-in that asked for it.
    /// - Returns: The tokens. They do not name the user; `GET /2/users/me` does.
    /// - Throws: ``APIError``.
    public func exchange(_ code: Token, of authorization: OAuthAuthorization) async throws(APIError) -> OAuthTokens {
        let asked = Date()
        let answer = try await post(
            "/2/oauth2/token",
            [
                ("grant_type", "authorization_code"), ("code", code.secretText),
                ("redirect_uri", authorization.redirectURI), ("code_verifier", authorization.verifier.secretText),
            ],
            code,
            [authorization.verifier]
        )
        return try tokens(answer) { body throws(APIError) in
            try OAuthTokens(body, asked: asked, scopes: authorization.scopes)
        }
    }

    /// Exchanges a refresh token for new tokens.
    ///
    /// The old refresh token is no longer valid afterwards. Store the new one before you use the new access token:
    /// otherwise a crash loses it, and the user has to sign in again. If the answer is lost, the caller cannot know
    /// whether the old refresh token is still valid.
    /// - Parameters:
    ///   - refreshToken: The newest refresh token of the sign-in.
    ///   - scopes: The scopes that the user allowed before; used if the answer does not list them.
    /// - Returns: The tokens, with the old refresh token if the answer has no new one.
    /// - Throws: ``APIError``; ``APIError/problem`` is the server's error code, such as `invalid_grant`.
    public func refresh(_ refreshToken: Token, scopes: [String] = []) async throws(APIError) -> OAuthTokens {
        let asked = Date()
        let answer = try await post(
            "/2/oauth2/token",
            [("grant_type", "refresh_token"), ("refresh_token", refreshToken.secretText)],
            refreshToken
        )
        return try tokens(answer) { body throws(APIError) in
            try OAuthTokens(body, asked: asked, scopes: scopes, refreshToken: refreshToken)
        }
    }

    /// Revokes a token: the server refuses it from now on (RFC 7009).
    ///
    /// - Parameter token: An access token or a refresh token.
    /// - Throws: ``APIError``. An unknown token is not an error.
    public func revoke(_ token: Token) async throws(APIError) {
        _ = try await post("/2/oauth2/revoke", [("token", token.secretText)], token)
    }

    // MARK: Requests

    /// Posts a form once, without retries, and returns the answer if it is a success.
    private func post(
        _ path: String,
        _ form: [(name: String, value: String)],
        _ secret: Token,
        _ others: [Token] = []
    ) async throws(APIError) -> APIResponse {
        var form = form
        var credentials = Credentials.none
        if let clientSecret {
            credentials = .basic(id: clientID, secret: clientSecret)
        } else {
            form.append(("client_id", clientID))
        }
        var request = APIRequest(method: .post, route: path, path: path)
        request.isRepeatable = false
        request.accept = "application/json"
        request.contentType = "application/x-www-form-urlencoded"
        request.body = Data(
            form.map { "\(APIRequest.escaped($0.name))=\(APIRequest.escaped($0.value))" }.joined(separator: "&").utf8
        )
        let clock = ContinuousClock()
        let start = clock.now
        var status: Int?
        do throws(APIError) {
            let answer = try await transport.send(request, credentials, limit: Self.answerBytes, timeout: timeout)
            status = answer.status
            guard (200..<300).contains(answer.status) else {
                throw APIError(refusal: answer, secret, others + credentials.secrets)
            }
            ChatMetrics.finished(request, status: status, duration: clock.now - start, code: nil, logger)
            return answer
        } catch {
            var error = error
            error.operation = request.operation
            ChatMetrics.finished(request, status: status, duration: clock.now - start, code: error.code, logger)
            throw error
        }
    }

    /// Reads the tokens of an answer.
    ///
    /// If the answer has no tokens, the error names its content type.
    private func tokens(
        _ answer: APIResponse,
        _ read: (Data) throws(APIError) -> OAuthTokens
    ) throws(APIError) -> OAuthTokens {
        do throws(APIError) {
            return try read(answer.body)
        } catch {
            let type = (answer.headers.value("content-type") ?? "").prefix { $0 != ";" }.lowercased()
            var failure = APIError(
                .malformedResponse,
                type.hasSuffix("json")
                    ? error.detail
                    : "\(error.detail); its content type is \(type.isEmpty ? "missing" : type.display(limit: 60)), so it "
                        + "may be a web page; check the API's URL and the proxy",
                status: answer.status
            )
            failure.operation = "POST /2/oauth2/token"
            throw failure
        }
    }
}

extension APIError {
    /// The error of a token endpoint (RFC 6749, section 5.2), without the secrets that the server may echo.
    fileprivate init(refusal answer: APIResponse, _ secret: Token, _ others: [Token]) {
        let general = APIError(refusal: answer, token: secret)
        guard general.code != .redirected else {
            self = general
            return
        }
        let body = try? JSONCoding.decoder.decode(OAuthErrorBody.self, from: answer.body)
        let object = (try? JSONCoding.decoder.decode(ErrorBody.self, from: answer.body))?.objects.first
        let texts = body.map { [$0.error, $0.description ?? ""] } ?? object?.texts ?? []
        var text = texts.filter { !$0.isEmpty }.joined(separator: ": ")
        for secret in [secret] + others {
            text = secret.redacted(from: text)
            // The secret in the encoding of the request's body.
            if let encoded = try? Token(APIRequest.escaped(secret.secretText)) { text = encoded.redacted(from: text) }
        }
        self.init(
            general.code,
            text.isEmpty ? "the server gives no reason in JSON" : text.display(),
            status: answer.status
        )
        resetAt = general.resetAt
        if let word = body?.error, word.utf8.count <= 64,
            word.utf8.allSatisfy({ (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "_") })
        {
            problem = word
        }
    }
}

private struct OAuthErrorBody: Decodable {
    let error: String
    let description: String?

    private enum CodingKeys: String, CodingKey {
        case error
        case description = "error_description"
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        error = try members.decode(String.self, forKey: .error)
        description = try? members.decodeIfPresent(String.self, forKey: .description)
    }
}
