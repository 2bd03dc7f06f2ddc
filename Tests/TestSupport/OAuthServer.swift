import Crypto
import Foundation
import Synchronization

/// An OAuth 2.0 server with `GET /2/users/me`, written from RFC 6749 and RFC 7636 apart from client and sandbox.
///
/// Its tokens contain ``mark``, so that they are found wherever they appear. A refresh token is valid once; using it
/// again ends the sign-in.
package final class OAuthServer: Sendable {
    /// Is part of each code, token and secret.
    package static let mark = "s3cr3t"

    /// What becomes of a request to the token endpoint.
    package enum Fault: Sendable {
        /// The server does its work, and the connection breaks before the answer.
        case lostAnswer
        /// The server does its work if it `works` and calls the function; the connection breaks before the answer.
        case interrupted(works: Bool, @Sendable () -> Void)
        /// The server does nothing but this.
        case instead(RawAnswer)
    }

    package struct State: Sendable {
        /// The life of an access token in seconds; nil if the answer does not say.
        package var lifetime: Int? = 7200
        /// The user who allows.
        package var user = "1111"
        /// The secret that clients must send; nil for public clients.
        package var secret: String?
        package var givesRefreshTokens = true
        package var givesScope = true
        /// For the next requests to the token endpoint.
        package var faults: [Fault] = []
        /// Called with each request that has a valid access token.
        package var used: (@Sendable (_ accessToken: String) -> Void)?
        /// What the next revocations answer.
        package var revocation = RawAnswer.http(200, "{}")
        package fileprivate(set) var refreshes = 0
        package fileprivate(set) var revoked: [String] = []
        package fileprivate(set) var access: Set<String> = []
        package fileprivate(set) var refresh: Set<String> = []
        fileprivate var rotated: Set<String> = []
        fileprivate var codes: [String: Grant] = [:]
        fileprivate var serial = 0

        /// Makes the server refuse all access tokens so far.
        package mutating func expire() { access = [] }

        /// Makes the server refuse all tokens so far.
        package mutating func revokeAll() { (access, refresh) = ([], []) }
    }

    fileprivate struct Grant {
        let clientID: String
        let redirectURI: String
        let challenge: String
        let scope: String
    }

    private let state = Mutex(State())

    private init() {}

    /// Reads or changes what the server does.
    package func with<Result>(_ body: (inout sending State) -> sending Result) -> sending Result {
        state.withLock(body)
    }

    /// Serves while the body runs.
    package static func run<Result>(
        body: (_ server: OAuthServer, _ requests: RawServer, _ url: String) async throws -> Result
    ) async throws -> Result {
        let server = OAuthServer()
        return try await RawServer.run(answering: { server.answer($0) }) { requests, url in
            try await body(server, requests, url)
        }
    }

    /// What a user's click on "allow" does.
    ///
    /// - Parameter address: The address that the browser opened.
    /// - Returns: Where the browser is sent; nil for an address that lacks something.
    package func allow(_ address: String) -> String? {
        let items = URLComponents(string: address)?.queryItems ?? []
        let members = Dictionary(items.map { ($0.name, $0.value ?? "") }) { first, _ in first }
        guard items.count == members.count, address.contains("/i/oauth2/authorize?"),
            members["response_type"] == "code", members["code_challenge_method"] == "S256",
            let clientID = members["client_id"], let redirectURI = members["redirect_uri"],
            let scope = members["scope"], let state = members["state"], state.utf8.count >= 32,
            let challenge = members["code_challenge"], challenge.utf8.count == 43
        else { return nil }
        let code = self.state.withLock { server in
            let code = server.next("code")
            server.codes[code] = Grant(clientID: clientID, redirectURI: redirectURI, challenge: challenge, scope: scope)
            return code
        }
        let encoded = code.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return "\(redirectURI)?state=\(state)&code=\(encoded)"
    }

    private func answer(_ text: String) -> RawAnswer {
        let request = Request(text)
        switch request.line {
        case "POST /2/oauth2/token":
            return state.withLock { state in
                let fault = state.faults.isEmpty ? nil : state.faults.removeFirst()
                switch fault {
                case nil: return state.token(request)
                case .instead(let answer): return answer
                case .lostAnswer: _ = state.token(request)
                case .interrupted(let works, let interrupt):
                    if works { _ = state.token(request) }
                    interrupt()
                }
                return .reset
            }
        case "POST /2/oauth2/revoke":
            return state.withLock { state in
                let token = request.form["token"] ?? ""
                state.revoked.append(token)
                (state.access, state.refresh) = (state.access.subtracting([token]), state.refresh.subtracting([token]))
                return state.revocation
            }
        default:
            let token = String(request.headers["authorization"]?.dropFirst("Bearer ".count) ?? "")
            let (isValid, user, used) = state.withLock { ($0.access.contains(token), $0.user, $0.used) }
            guard isValid else { return .http(401, #"{"title":"Unauthorized"}"#) }
            used?(token)
            return request.line.hasPrefix("GET /2/users/me")
                ? .http(200, #"{"data":{"id":"\#(user)","username":"alice","name":"Alice"}}"#)
                : .http(200, #"{"meta":{"result_count":0}}"#)
        }
    }
}

extension OAuthServer.State {
    fileprivate mutating func next(_ kind: String) -> String {
        serial += 1
        // With characters that a form has to encode.
        return "\(kind)-\(serial)-\(OAuthServer.mark)-+/="
    }

    fileprivate mutating func token(_ request: Request) -> RawAnswer {
        let form = request.form
        guard request.headers["content-type"] == "application/x-www-form-urlencoded" else {
            return Self.error("invalid_request")
        }
        let clientID: String
        if let secret {
            let basic = (request.headers["authorization"] ?? "").dropFirst("Basic ".count)
            let text = Data(base64Encoded: String(basic)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            let parts = text.split(separator: ":").compactMap { String($0).removingPercentEncoding }
            guard parts.count == 2, parts[1] == secret, form["client_id"] == nil else {
                return Self.error("invalid_client", 401)
            }
            clientID = parts[0]
        } else {
            guard let id = form["client_id"], request.headers["authorization"] == nil else {
                return Self.error("invalid_client", 401)
            }
            clientID = id
        }
        switch form["grant_type"] {
        case "authorization_code":
            let digest = SHA256.hash(data: Data((form["code_verifier"] ?? "").utf8))
            let challenge = Data(digest).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
                .replacing("=", with: "")
            guard let grant = codes.removeValue(forKey: form["code"] ?? ""), grant.clientID == clientID,
                grant.redirectURI == form["redirect_uri"], grant.challenge == challenge
            else { return Self.error("invalid_grant") }
            return tokens(scope: grant.scope)
        case "refresh_token":
            refreshes += 1
            let token = form["refresh_token"] ?? ""
            guard refresh.remove(token) != nil else {
                if rotated.contains(token) { (access, refresh) = ([], []) }
                return Self.error("invalid_grant")
            }
            rotated.insert(token)
            return tokens(scope: "dm.read users.read offline.access")
        default: return Self.error("unsupported_grant_type")
        }
    }

    private mutating func tokens(scope: String) -> RawAnswer {
        let (accessToken, refreshToken) = (next("access"), next("refresh"))
        access.insert(accessToken)
        var members = [#""token_type":"bearer""#, #""access_token":"\#(accessToken)""#]
        if let lifetime { members.append(#""expires_in":\#(lifetime)"#) }
        if givesScope { members.append(#""scope":"\#(scope)""#) }
        if givesRefreshTokens {
            refresh.insert(refreshToken)
            members.append(#""refresh_token":"\#(refreshToken)""#)
        }
        return .http(200, "{\(members.joined(separator: ","))}")
    }

    private static func error(_ word: String, _ status: Int = 400) -> RawAnswer {
        .http(status, #"{"error":"\#(word)","error_description":"no"}"#)
    }
}

/// A request as it was sent.
private struct Request {
    /// Method and path.
    let line: String
    let headers: [String: String]
    let form: [String: String]

    init(_ text: String) {
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        let lines = parts[0].split(separator: "\r\n")
        line = lines.first.map { $0.split(separator: " ").prefix(2).joined(separator: " ") } ?? ""
        headers = Dictionary(
            lines.dropFirst().compactMap { header in
                guard let colon = header.firstIndex(of: ":") else { return nil }
                let value = header[header.index(after: colon)...].drop { $0 == " " }
                return (header[..<colon].lowercased(), String(value))
            }
        ) { first, _ in first }
        var components = URLComponents()
        components.percentEncodedQuery = parts.count > 1 ? String(parts[1]) : ""
        form = Dictionary((components.queryItems ?? []).map { ($0.name, $0.value ?? "") }) { first, _ in first }
    }
}
