import Foundation
import Synchronization
import TestSupport
import Testing
import XChatEvents

@testable import XChatHTTP

/// Sign-in with OAuth 2.0, against a server that was written apart from it.
@Suite(.timeLimit(.minutes(1)))
struct OAuthTests {
    private static let redirectURI = "http://127.0.0.1:8080/callback"

    private func client(_ url: String, secret: String? = nil, timeout: Duration = .seconds(20)) throws -> OAuthClient {
        var client = try OAuthClient(clientID: "app", clientSecret: try secret.map { try Token($0) }, api: url)
        client.timeout = timeout
        return client
    }

    private func authorization(_ client: OAuthClient) throws -> OAuthAuthorization {
        try client.authorization(redirectURI: Self.redirectURI)
    }

    /// A sign-in up to its tokens.
    private func signIn(_ client: OAuthClient, at server: OAuthServer) async throws -> OAuthTokens {
        let authorization = try authorization(client)
        let redirect = try #require(server.allow(authorization.url))
        return try await client.exchange(try authorization.code(in: redirect), of: authorization)
    }

    @Test("a code is exchanged, a token refreshed and revoked", arguments: [nil, "\(OAuthServer.mark)+:/%"])
    func flow(secret: String?) async throws {
        try await OAuthServer.run { server, requests, url in
            server.with { $0.secret = secret }
            let client = try client(url, secret: secret)
            let before = Date()
            let tokens = try await signIn(client, at: server)
            #expect(tokens.scopes == OAuthClient.chatScopes)
            #expect(abs(tokens.expiresAt.timeIntervalSince(before) - 7200) < 30)
            #expect(try await ChatClient(api: url, token: tokens.accessToken).me().id == "1111")
            let first = try #require(tokens.refreshToken)
            let renewed = try await client.refresh(first)
            #expect(renewed.scopes == ["dm.read", "users.read", "offline.access"])
            #expect(try await ChatClient(api: url, token: renewed.accessToken).me().username == "alice")
            try await client.revoke(renewed.accessToken)
            let refused = await thrownCode { _ = try await ChatClient(api: url, token: renewed.accessToken).me() }
            #expect(refused == .unauthorized)
            // Used for the second time.
            let error = await #expect(throws: APIError.self) { _ = try await client.refresh(first) }
            #expect(error?.problem == "invalid_grant" && error?.code == .invalidRequest)
            for request in requests.requests {
                let line = request.split(separator: "\r\n").first.map { String($0) } ?? ""
                #expect(!line.contains(OAuthServer.mark))
            }
        }
    }

    @Test func `each sign-in has a state and a challenge of its own, and X asks at another host than its API`() throws {
        let client = try OAuthClient(clientID: "a&b+")
        let urls = try (0..<50).map { _ in try authorization(client).url }
        #expect(Set(urls).count == 50)
        let fixed = """
            https://x.com/i/oauth2/authorize?response_type=code&client_id=a%26b%2B\
            &redirect_uri=http%3A%2F%2F127.0.0.1%3A8080%2Fcallback\
            &scope=dm.read%20dm.write%20tweet.read%20users.read%20media.write%20offline.access&state=
            """
        #expect(urls.allSatisfy { $0.hasPrefix(fixed) && $0.hasSuffix("&code_challenge_method=S256") })
        var values: Set<String> = []
        for url in urls {
            let parts = url.dropFirst(fixed.count).split(separator: "&")
            values.insert(String(parts[0]))
            values.insert(String(parts[1].dropFirst("code_challenge=".count)))
        }
        #expect(values.count == 100)
        #expect(values.allSatisfy { $0.utf8.count == 43 })
        let other = try OAuthClient(clientID: "a", api: "https://api.x.com/", page: "https://example.com/x")
        #expect(try authorization(other).url.hasPrefix("https://example.com/x/i/oauth2/authorize?"))
        #expect(other.api == "https://api.x.com")
        let private_ = try OAuthClient(clientID: "a", api: "http://127.0.0.1:9/p")
        #expect(try authorization(private_).url.hasPrefix("http://127.0.0.1:9/p/i/oauth2/authorize?"))
    }

    @Test("plain http to another machine is refused")
    func insecure() throws {
        #expect(thrownCode { _ = try OAuthClient(clientID: "a", api: "http://10.0.0.1") } == .insecureTransport)
        #expect(thrownCode { _ = try OAuthClient(clientID: "a", page: "http://x.com") } == .insecureTransport)
        let client = try OAuthClient(clientID: "a")
        for uri in ["http://10.0.0.1/", "http://127.0.0.1.evil.example/", "http:/x"] {
            #expect(thrownCode { _ = try client.authorization(redirectURI: uri) } == .insecureTransport, "\(uri)")
        }
        for uri in ["", "callback", "http://127.0.0.1/#x", "http://127.0.0.1/ x", "http://127.0.0.1/ä"] {
            #expect(thrownCode { _ = try client.authorization(redirectURI: uri) } == .invalidArgument, "\(uri)")
        }
        for id in ["", "a b", "a\n", "ä"] {
            #expect(thrownCode { _ = try OAuthClient(clientID: id) } == .invalidArgument, "\(id)")
        }
    }

    // MARK: Redirects

    @Test func `a redirect counts with the state of its sign-in alone`() throws {
        let client = try OAuthClient(clientID: "a")
        let authorization = try authorization(client)
        let state = try #require(authorization.url.firstMatch(of: /state=([^&]+)/)?.1)
        let uri = Self.redirectURI
        let code = try authorization.code(in: "\(uri)?code=a%2Bb%63&state=\(state)")
        #expect(code.secretText == "a+bc")
        let refused: [String] = [
            "\(uri)?code=a", "\(uri)?code=a&state=", "\(uri)?code=a&state=\(state)x",
            "\(uri)?code=a&state=\(state.dropLast())", "\(uri)?code=a&state=\(state.lowercased())",
            "\(uri)?code=a&state=\(state)&state=\(state)", "\(uri)?code=a&code=b&state=\(state)",
            "\(uri)?state=\(state)", "\(uri)?code=&state=\(state)", "\(uri)?code=%zz&state=\(state)",
            "\(uri)?code=%+1&state=\(state)", "\(uri)?code=%ff&state=\(state)", "\(uri)?code=a%00&state=\(state)",
            "\(uri)/?code=a&state=\(state)", "\(uri)#?code=a&state=\(state)",
            "http://localhost:8080/callback?code=a&state=\(state)",
            "\(uri)?error=access_denied", "\(uri)?error=access_denied&state=x", uri, "", "?",
        ]
        let long = uri + "?state=\(state)&code=" + String(repeating: "a", count: 20_000)
        for redirect in refused + [long] {
            #expect(thrownCode { _ = try authorization.code(in: redirect) } == .invalidArgument, "\(redirect)")
        }
    }

    @Test func `a refusal is an error of its own, and the server's words are made safe`() throws {
        let authorization = try authorization(OAuthClient(clientID: "a"))
        let state = try #require(authorization.url.firstMatch(of: /state=([^&]+)/)?.1)
        let start = "\(Self.redirectURI)?state=\(state)&code=a&error="
        let denied = thrownReason { _ = try authorization.code(in: start + "access_denied&error_description=x") }
        #expect(denied == "the user does not allow the sign-in")
        let hostile = start + "server_error&error_description=%1B%5B2J%E2%80%AEx"
        let text = thrownReason { _ = try authorization.code(in: hostile) }
        #expect(text?.contains("server_error") == true)
        let bytes = Array((text ?? "\u{7}").utf8)
        #expect(bytes.allSatisfy { byte in byte >= 0x20 && byte < 0x7F })
        #expect(thrownCode { _ = try authorization.code(in: start + "x") } == .refused)
    }

    // MARK: Answers

    /// An answer without tokens, and the error that it is.
    struct BadAnswer: Sendable {
        let answer: RawAnswer
        let code: APIError.Code
        let text: String

        init(_ answer: RawAnswer, _ code: APIError.Code, _ text: String) {
            (self.answer, self.code, self.text) = (answer, code, text)
        }

        /// A success with this body.
        init(_ body: String, _ text: String) { self.init(.http(200, body), .malformedResponse, text) }

        static let cutOff = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"
        static let large = String(repeating: " ", count: 70_000)

        static let all: [BadAnswer] = [
            BadAnswer(.http(200, type: "text/html; charset=utf-8", "<html>"), .malformedResponse, "text/html"),
            BadAnswer("[]", "not JSON with an access token"),
            BadAnswer(#"{"access_token":7}"#, "not JSON with an access token"),
            BadAnswer(#"{"access_token":"a b"}"#, "access_token"),
            BadAnswer(#"{"access_token":"a","refresh_token":"ä"}"#, "refresh_token"),
            BadAnswer(#"{"access_token":"a","token_type":"mac"}"#, "bearer"),
            BadAnswer(#"{"access_token":"a","scope":"a\u0007"}"#, "scope"),
            BadAnswer("", "not JSON with an access token"),
            BadAnswer(.http(503, type: "text/html", "<html>"), .server, "no reason in JSON"),
            BadAnswer(.http(429, headers: ["retry-after: 9"], "{}"), .rateLimited, "no reason in JSON"),
            BadAnswer(.http(400, #"{"error":"invalid_grant"}"#), .invalidRequest, "invalid_grant"),
            BadAnswer(.http(401, #"{"title":"No","detail":"later"}"#), .unauthorized, "No: later"),
            BadAnswer(.http(302, headers: ["location: https://evil.example/x"], ""), .redirected, "evil.example"),
            BadAnswer(.http(200, large), .tooLarge, "65536"),
            BadAnswer(.bytesAndClose(cutOff), .connection, "closed the connection"),
            BadAnswer(.bytes(cutOff), .timedOut, "0.5 seconds"),
            BadAnswer(.silence, .timedOut, "0.5 seconds"),
        ]
    }

    @Test("an answer without tokens is an error that says what it is", arguments: BadAnswer.all.indices)
    func badAnswer(_ index: Int) async throws {
        let bad = BadAnswer.all[index]
        try await RawServer.run(bad.answer) { server, url in
            let client = try client(url, timeout: .milliseconds(500))
            let error = await #expect(throws: APIError.self) { _ = try await client.refresh(try Token("old")) }
            #expect(error?.code == bad.code)
            #expect(error?.operation == "POST /2/oauth2/token")
            #expect(error?.detail.contains(bad.text) == true, "\(error?.detail ?? "")")
            #expect(error?.isUnsent == false)
            #expect(server.requests.count == 1)
        }
    }

    @Test(
        "an answer without expires_in counts as expired",
        arguments: ["", #","expires_in":"7200""#, #","expires_in":-5"#, #","expires_in":null"#]
    )
    func noLifetime(_ member: String) async throws {
        try await RawServer.run(.http(200, #"{"access_token":"a"\#(member)}"#)) { _, url in
            let tokens = try await client(url).refresh(try Token("old"), scopes: ["x"])
            #expect(abs(tokens.expiresAt.timeIntervalSinceNow) < 20)
            #expect(tokens.scopes == ["x"])
            // RFC 6749, section 6: without a new refresh token the old one stays.
            #expect(tokens.refreshToken?.secretText == "old")
        }
    }

    @Test func `a life of a thousand years is cut short`() async throws {
        try await RawServer.run(.http(200, #"{"access_token":"a","expires_in":1e300}"#)) { _, url in
            let tokens = try await client(url).refresh(try Token("old"))
            #expect(tokens.expiresAt.timeIntervalSinceNow < 316_000_000)
        }
    }

    @Test func `secrets that the server echoes are removed from its errors`() async throws {
        try await RawServer.run(answering: { request in
            let body = request.split(separator: "\r\n\r\n").last ?? ""
            let basic = request.firstMatch(of: /Basic (\S+)/)?.1 ?? ""
            let text = "got \(body) \(basic) old+one sec+ret"
            return .http(400, #"{"error":"invalid_request","error_description":"\#(text)"}"#)
        }) { _, url in
            let client = try client(url, secret: "sec+ret")
            let error = await #expect(throws: APIError.self) { _ = try await client.refresh(try Token("old+one")) }
            let text = error?.description ?? ""
            #expect(text.contains("<token>") && text.contains("refresh_token="))
            let basic = Base64.encode(Array("app:sec%2Bret".utf8))
            for secret in ["old", "sec", basic] {
                #expect(!text.contains(secret), "\(text)")
            }
            let revocation = await #expect(throws: APIError.self) { try await client.revoke(try Token("old+one")) }
            #expect(revocation?.description.contains("old") == false)
        }
    }

    @Test func `no description of a sign-in contains its secrets`() async throws {
        try await OAuthServer.run { server, _, url in
            let client = try client(url, secret: OAuthServer.mark)
            server.with { $0.secret = OAuthServer.mark }
            let authorization = try authorization(client)
            let tokens = try await signIn(client, at: server)
            var dumped = ""
            dump(tokens, to: &dumped)
            dump(authorization, to: &dumped)
            let reflected = [String(reflecting: tokens), String(reflecting: authorization)]
            for text in ["\(tokens)", "\(authorization)", dumped] + reflected {
                #expect(!text.contains(OAuthServer.mark), "\(text)")
                #expect(!text.contains(authorization.verifier.secretText), "\(text)")
            }
        }
    }

    @Test func `a request that never left is no lost answer`() async throws {
        let refresh = { (url: String) async -> APIError? in
            do {
                _ = try await client(url).refresh(try Token("old"))
                return nil
            } catch {
                return error as? APIError
            }
        }
        let closed = try await RawServer.run(.silence) { _, url in url }
        let unsent = await refresh(closed)
        #expect(unsent?.code == .connection && unsent?.isUnsent == true)
        let lost = try await RawServer.run(.reset) { _, url in await refresh(url) }
        #expect(lost?.code == .connection && lost?.isUnsent == false)
    }

    // MARK: Token sources

    @Test func `a token is renewed before its first call and before it expires, and errors of the renewal are shown`()
        async throws
    {
        try await RawServer.run(.http(200, #"{"meta":{"result_count":0}}"#)) { server, url in
            let renewals = Mutex<[Bool]>([])
            let tokens = TokenSource { last throws(APIError) in
                let count = renewals.withLock { renewals in
                    renewals.append(last == nil)
                    return renewals.count
                }
                guard count < 4 else { throw APIError(.signInNeeded, "sign in") }
                // The first one has expired already, the second one has no end, as far as the source knows.
                return TokenSource.Renewed(try Token("t\(count)"), usedUntil: count == 1 ? .distantPast : nil)
            }
            let client = try ChatClient(api: url, tokens: tokens, retries: .none)
            for _ in 0..<3 { _ = try await client.conversations() }
            let used = server.requests.map { $0.contains("Bearer t1") ? 1 : 2 }
            #expect(used == [1, 2, 2])
            #expect(renewals.withLock { $0 } == [true, false])
        }
        try await RawServer.run(.http(401, "{}")) { server, url in
            let tokens = TokenSource { last throws(APIError) in
                guard last == nil else { throw APIError(.signInNeeded, "sign in") }
                return TokenSource.Renewed(try Token("t"))
            }
            let client = try ChatClient(api: url, tokens: tokens, retries: .none)
            #expect(await thrownCode { _ = try await client.conversations() } == .signInNeeded)
            #expect(server.requests.count == 1)
        }
    }
}
