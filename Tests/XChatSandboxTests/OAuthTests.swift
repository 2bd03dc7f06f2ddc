import Foundation
import TestSupport
import Testing
import XChatEngine
import XChatEvents

@testable import XChatSandbox

/// Sign-in with OAuth 2.0: the consent page, the tokens, and what is refused.
@Suite(.timeLimit(.minutes(1)))
struct OAuthTests {
    // MARK: Consent

    @Test("an app signs a user in, refreshes and revokes", arguments: ["/i/oauth2/authorize", "/2/oauth2/authorize"])
    func signIn(_ path: String) async throws {
        try await Router.test { router in
            let app = SignIn(router)
            let page = try await app.page(path)
            #expect(page.status == 200)
            let ticket = try SignIn.ticket(of: page)
            let answer = try await SignIn.answer(app.decide(ticket: ticket))
            #expect(Set(answer.keys) == ["code", "state"])
            #expect(answer["state"] == "s&t=1")

            let exchanged = try await app.exchange(try #require(answer["code"]))
            #expect(exchanged.header("cache-control") == "no-store")
            #expect(try exchanged.json["token_type"] as? String == "bearer")
            #expect(try exchanged.json["expires_in"] as? Int == 7200)
            #expect(try exchanged.json["scope"] as? String == "dm.read users.read offline.access")
            let first = try SignIn.tokens(exchanged)
            #expect(try await app.user(of: first.access) == "1111")

            let second = try await SignIn.tokens(app.refresh(first.refresh))
            #expect(Set([first.access, first.refresh, second.access, second.refresh]).count == 4)
            #expect(try await app.user(of: second.access) == "1111")

            #expect(try await app.revoke(second.refresh).status == 200)
            #expect(try await app.user(of: second.access) == nil)
            #expect(try await app.refresh(second.refresh).oauthError == "invalid_grant")
        }
    }

    @Test func `a user refuses`() async throws {
        try await Router.test { router in
            let answer = try await SignIn.answer(SignIn(router).decide("refuse"))
            #expect(answer["error"] == "access_denied")
            #expect(answer["state"] == "s&t=1")
            #expect(answer["code"] == nil)
        }
    }

    @Test(
        "an app or an address that cannot be trusted gets a page and no redirect",
        arguments: [
            ("client_id", nil), ("client_id", ""), ("client_id", "a b"),
            ("client_id", String(repeating: "a", count: 201)),
            ("redirect_uri", nil), ("redirect_uri", "https://x.com/callback"), ("redirect_uri", "javascript:alert(1)"),
            ("redirect_uri", "http://127.0.0.1:8080/callback#"),
        ] as [(String, String?)]
    )
    func errorPage(_ name: String, _ value: String?) async throws {
        try await Router.test { router in
            let answer = try await SignIn(router).with(name, value).page()
            #expect(answer.status == 400)
            #expect(answer.header("location") == nil)
            #expect(answer.type == "text/html; charset=utf-8")
            #expect(String(decoding: answer.body, as: UTF8.self).contains(name))
        }
    }

    @Test(
        "another fault of the request goes to the app with the state",
        arguments: [
            ("response_type", nil, "invalid_request"), ("response_type", "token", "unsupported_response_type"),
            ("scope", nil, "invalid_scope"), ("scope", "dm.read everything", "invalid_scope"),
            ("code_challenge", nil, "invalid_request"), ("code_challenge", "short", "invalid_request"),
            ("code_challenge_method", "S512", "invalid_request"),
            ("state", String(repeating: "s", count: 501), "invalid_request"),
        ] as [(String, String?, String)]
    )
    func errorRedirect(_ name: String, _ value: String?, _ error: String) async throws {
        try await Router.test { router in
            let answer = try await SignIn.answer(SignIn(router).with(name, value).page())
            #expect(answer["error"] == error)
            #expect(answer["state"] == (name == "state" ? nil : "s&t=1"))
        }
    }

    @Test(
        "a fault of the request starts no program of the user, and a decision goes to the app",
        arguments: ["com.example.app:/callback", "app://callback", "ms-settings:x", "mailto:a@b"]
    )
    func otherScheme(_ address: String) async throws {
        try await Router.test { router in
            let app = SignIn(router).with("redirect_uri", address)
            let faults: [(String, String?)] = [("response_type", nil), ("scope", "x"), ("code_challenge", "short")]
            for (name, value) in faults {
                let answer = try await app.with(name, value).page()
                #expect(answer.status == 400 && answer.header("location") == nil)
                #expect(String(decoding: answer.body, as: UTF8.self).contains(name))
            }
            let refusal = try await app.decide("refuse")
            #expect(refusal.header("location")?.hasPrefix(address + "?error=access_denied") == true)
        }
    }

    @Test func `a parameter that is repeated is refused`() async throws {
        try await Router.test { router in
            var app = SignIn(router)
            app.parameters.append(("scope", "dm.read"))
            let answer = try await SignIn.answer(app.page())
            #expect(answer["error"] == "invalid_request")
            app = SignIn(router)
            app.parameters.append(("redirect_uri", "http://127.0.0.1:9/"))
            #expect(try await app.page().status == 400)
        }
    }

    @Test func `a form is answered once, and only with a ticket of this server`() async throws {
        try await Router.test { router in
            let app = SignIn(router)
            let ticket = try await SignIn.ticket(of: app.page())
            #expect(try await app.decide(ticket: ticket).status == 302)
            #expect(try await app.decide(ticket: ticket).status == 400)
            #expect(try await app.decide(ticket: "guessed").status == 400)
            #expect(try await app.decide("maybe").status == 400)
            let fields = [("ticket", try await SignIn.ticket(of: app.page())), ("decision", "refuse")]
            #expect(try await app.post("/i/oauth2/authorize", fields, type: "text/plain").status == 400)
        }
    }

    @Test func `the page asks again for a user who cannot be`() async throws {
        try await Router.test { router in
            _ = try await Member("2222", .sodium, at: router)
            let app = SignIn(router)
            for (user, other) in [("other", nil), ("other", "x"), (nil, nil), ("2222", "1111"), ("a", nil)] {
                let page = try await app.decide(user: user, other: other)
                #expect(page.status == 400)
                #expect(String(decoding: page.body, as: UTF8.self).contains("role=\"alert\""))
                let ticket = try SignIn.ticket(of: page)
                #expect(try await app.decide(user: "2222", other: nil, ticket: ticket).status == 302)
            }
        }
    }

    @Test func `the page names the app, what it asks for and the known users, with everything escaped`() async throws {
        try await Router.test { router in
            _ = try await Member("2222", .sodium, at: router)
            let page = try await SignIn(router).with("client_id", "<b>&\"'").page()
            let text = String(decoding: page.body, as: UTF8.self)
            #expect(text.contains("&lt;b&gt;&amp;&quot;&#39;"))
            #expect(!text.contains("<b>"))
            #expect(text.contains("receive your encrypted messages <code>dm.read</code>"))
            #expect(text.contains("value=\"2222\" checked"))
            let policy = try #require(page.header("content-security-policy"))
            #expect(policy.contains("default-src 'none'"))
            #expect(policy.contains("frame-ancestors 'none'"))
            #expect(policy.contains("form-action 'self' http:;"))
        }
    }

    // MARK: Tokens

    @Test(
        "a code is exchanged only as it was asked for",
        arguments: [
            ("grant_type", nil, "invalid_request"), ("grant_type", "password", "unsupported_grant_type"),
            ("code", nil, "invalid_request"), ("code", "guessed", "invalid_grant"),
            ("redirect_uri", nil, "invalid_request"), ("redirect_uri", "http://127.0.0.1:8080/", "invalid_grant"),
            ("code_verifier", nil, "invalid_request"), ("code_verifier", "short", "invalid_request"),
            ("code_verifier", SignIn.challenge, "invalid_grant"), ("client_id", "other", "invalid_grant"),
            ("client_id", nil, "invalid_client"), ("client_secret", "sandbox-secret", "invalid_client"),
        ] as [(String, String?, String)]
    )
    func exchange(_ name: String, _ value: String?, _ error: String) async throws {
        try await Router.test { router in
            let app = SignIn(router)
            let answer = try await app.exchange(app.code(), changing: [(name, value)])
            #expect(answer.oauthError == error)
            #expect(answer.status == (error == "invalid_client" ? 401 : 400))
            #expect((answer.header("www-authenticate") != nil) == (answer.status == 401))
        }
    }

    @Test func `a plain challenge is its verifier, and the default method`() async throws {
        try await Router.test { router in
            let app = SignIn(router).with("code_challenge_method", nil).with("code_challenge", SignIn.verifier)
            let answer = try await app.exchange(app.code())
            #expect(answer.status == 200)
        }
    }

    @Test func `a code works once; when it comes again its tokens are revoked`() async throws {
        try await Router.test { router in
            let app = SignIn(router)
            let code = try await app.code()
            let tokens = try await SignIn.tokens(app.exchange(code))
            #expect(try await app.user(of: tokens.access) == "1111")
            #expect(try await app.exchange(code).oauthError == "invalid_grant")
            #expect(try await app.user(of: tokens.access) == nil)
            #expect(try await app.refresh(tokens.refresh).oauthError == "invalid_grant")
        }
    }

    @Test func `a code is valid for 30 seconds, an access token for its lifetime`() async throws {
        let state = try SandboxState(at: nil, faults: try SandboxFaults("token-lifetime=60"))
        let request = try AuthorizationRequest(try #require(Form(SignIn.text(SignIn.request).utf8)))
        let client = OAuthClient(id: "app", isConfidential: false)
        func exchange(after milliseconds: Int64) async throws -> OAuthTokens {
            let code = try await state.allow(request, as: "1111", now: 1000)
            return try await state.exchange(
                code: WireString(code),
                redirectURI: WireString(SignIn.redirectURI),
                verifier: WireString(SignIn.verifier),
                client: client,
                now: 1000 + milliseconds
            )
        }
        await #expect(throws: OAuthError.invalidGrant("the code is older than 30 seconds")) {
            try await exchange(after: 30_000)
        }
        let tokens = try await exchange(after: 29_999)
        #expect(tokens.lifetime == 60)
        let token = WireString(tokens.accessToken)
        #expect(try await state.user(ofAccessToken: token, now: 90_998) == "1111")
        #expect(try await state.user(ofAccessToken: token, now: 90_999) == nil)
    }

    @Test func `a refresh token that comes again revokes all tokens of its sign-in, and no other's`() async throws {
        try await Router.test { router in
            let app = SignIn(router)
            let first = try await app.tokens()
            let other = try await app.tokens()
            let second = try await SignIn.tokens(app.refresh(first.refresh))
            #expect(try await app.refresh(first.refresh).oauthError == "invalid_grant")
            #expect(try await app.user(of: first.access) == nil)
            #expect(try await app.user(of: second.access) == nil)
            #expect(try await app.refresh(second.refresh).oauthError == "invalid_grant")
            #expect(try await app.user(of: other.access) == "1111")
            #expect(try await app.refresh(other.refresh).status == 200)
        }
    }

    @Test func `without offline.access there is no refresh token`() async throws {
        try await Router.test { router in
            let app = SignIn(router).with("scope", "dm.read")
            let answer = try await app.exchange(app.code())
            #expect(answer.status == 200)
            #expect(try answer.json["refresh_token"] == nil)
        }
    }

    @Test func `a refresh narrows the scope and never widens it`() async throws {
        try await Router.test { router in
            let app = SignIn(router)
            let tokens = try await app.tokens()
            #expect(try await app.refresh(tokens.refresh, scope: "dm.read dm.write").oauthError == "invalid_scope")
            let answer = try await app.refresh(tokens.refresh, scope: "dm.read")
            #expect(try answer.json["scope"] as? String == "dm.read")
            let next = try SignIn.tokens(answer).refresh
            let widened = try await app.refresh(next)
            #expect(try widened.json["scope"] as? String == "dm.read users.read offline.access")
        }
    }

    @Test func `an app with the secret must use it for the whole sign-in`() async throws {
        try await Router.test { router in
            let app = SignIn(router)
            let basic = SignIn.basic("app", "sandbox-secret")
            for wrong in [SignIn.basic("app", "guessed"), "Basic", "Basic !", "Bearer sandbox-1111", "Basic YXBw"] {
                let answer = try await app.exchange(app.code(), authorization: wrong)
                #expect(answer.oauthError == "invalid_client", "\(wrong)")
            }
            let other = SignIn.basic("other", "sandbox-secret")
            #expect(try await app.exchange(app.code(), authorization: other).oauthError == "invalid_request")
            let exchanged = try await app.exchange(
                try await app.code(),
                authorization: basic,
                changing: [("client_id", nil)]
            )
            let tokens = try SignIn.tokens(exchanged)
            #expect(try await app.refresh(tokens.refresh).oauthError == "invalid_client")
            #expect(try await app.revoke(tokens.access).oauthError == "invalid_client")
            let refreshed = try await app.refresh(tokens.refresh, client: nil, authorization: basic)
            #expect(try await app.user(of: SignIn.tokens(refreshed).access) == "1111")
        }
    }

    @Test func `another app can neither refresh nor revoke`() async throws {
        try await Router.test { router in
            let app = SignIn(router)
            let tokens = try await app.tokens()
            #expect(try await app.refresh(tokens.refresh, client: "other").oauthError == "invalid_grant")
            for token in [tokens.access, tokens.refresh] {
                #expect(try await app.revoke(token, client: "other").oauthError == "invalid_grant")
            }
            #expect(try await app.user(of: tokens.access) == "1111")
            #expect(try await app.refresh(tokens.refresh).status == 200)
        }
    }

    @Test func `a revoked access token ends alone, and an unknown token is revoked already`() async throws {
        try await Router.test { router in
            let app = SignIn(router)
            let tokens = try await app.tokens()
            let answer = try await app.revoke(tokens.access)
            #expect(answer.status == 200)
            #expect(try answer.json["revoked"] as? Bool == true)
            #expect(try await app.user(of: tokens.access) == nil)
            #expect(try await app.refresh(tokens.refresh).status == 200)
            #expect(try await app.revoke("unknown").status == 200)
        }
    }

    @Test func `an access token is accepted wherever its user's is, and nowhere else`() async throws {
        try await Router.test { router in
            let tokens = try await SignIn(router).tokens()
            for (method, path) in Router.userRoutes + Router.appRoutes {
                let answer = try await router.ask(method, path, authorization: "Bearer \(tokens.access)", body: "{}")
                let named = try await router.ask(method, path, user: "1111", body: "{}")
                #expect(answer.status == named.status, "\(path)")
                let refresh = try await router.ask(method, path, authorization: "Bearer \(tokens.refresh)", body: "{}")
                #expect(refresh.status == 401, "\(path)")
            }
        }
    }

    @Test func `an access token of no lifetime is expired at once`() async throws {
        try await Router.test(Sandbox(faults: try SandboxFaults("token-lifetime=0"))) { router in
            let app = SignIn(router)
            let answer = try await app.exchange(app.code())
            #expect(try answer.json["expires_in"] as? Int == 0)
            let tokens = try SignIn.tokens(answer)
            #expect(try await app.user(of: tokens.access) == nil)
            #expect(try await app.refresh(tokens.refresh).status == 200)
        }
    }

    @Test func `a lost answer to a refresh leaves the old token used`() async throws {
        try await Router.test(Sandbox(faults: try SandboxFaults("lose-refresh=1")), live: true) { router in
            let app = SignIn(router)
            let tokens = try await app.tokens()
            await #expect(throws: (any Error).self) { try await app.refresh(tokens.refresh) }
        }
        try await Router.test(Sandbox(faults: try SandboxFaults("lose-refresh=1"))) { router in
            let app = SignIn(router)
            let tokens = try await app.tokens()
            _ = try? await app.refresh(tokens.refresh)
            #expect(try await app.refresh(tokens.refresh).oauthError == "invalid_grant")
        }
    }

    @Test func `tokens outlive the server, and its file contains no token`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sandbox-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "data").path
        let kept = Kept()
        try await Router.test(Sandbox(data: path)) { router in
            await kept.keep(try await SignIn(router).tokens())
        }
        let tokens = try #require(await kept.tokens)
        let files = try Scratch.contents(of: folder.path)
        #expect(files["data"] != nil)
        for bytes in files.values {
            #expect(bytes.firstRange(of: tokens.access.utf8) == nil)
            #expect(bytes.firstRange(of: tokens.refresh.utf8) == nil)
        }
        try await Router.test(Sandbox(data: path)) { router in
            let app = SignIn(router)
            #expect(try await app.user(of: tokens.access) == "1111")
            let answer = try await app.refresh(tokens.refresh)
            #expect(answer.status == 200)
        }
    }

    private actor Kept {
        var tokens: (access: String, refresh: String)?

        func keep(_ tokens: (access: String, refresh: String)) { self.tokens = tokens }
    }

    // MARK: Hostile input

    @Test(
        "an address for the answer is on this machine or an app's own",
        arguments: [
            ("http://127.0.0.1:8080/callback", true), ("http://127.0.0.1/", true), ("https://localhost:1/x?y=z", true),
            ("HTTP://LOCALHOST", true), ("http://[::1]:8080/", true), ("http://[::1]", true),
            ("com.example.app:/callback", true), ("app://callback", true), ("http://127.1/", false),
            ("http://127.0.0.1.example.com/", false), ("http://127.0.0.1@example.com/", false),
            ("http://127.0.0.1:80@example.com/", false), ("http://example.com#@127.0.0.1/", false),
            ("http://example.com\\@127.0.0.1/", false), ("http:127.0.0.1", false), ("http:/127.0.0.1/", false),
            ("http:///127.0.0.1/", false), ("http://", false), ("http://127.0.0.1:0/", false),
            ("http://127.0.0.1:/", false),
            ("http://127.0.0.1:65536/", false), ("http://127.0.0.1:99999999999999999999/", false),
            ("http://127.0.0.1: 80/", false), ("http://[::1", false), ("http://::1/", false), ("//127.0.0.1/", false),
            ("", false), (":", false), ("1a:b", false), ("JavaScript:alert(1)", false), ("data:text/html,x", false),
            ("app:/\r\nSet-Cookie: a", false), ("app:/\"onclick", false), ("app:/é", false), ("app:/#", false),
        ]
    )
    func redirectURI(_ text: String, _ isValid: Bool) {
        #expect((RedirectURI(WireString(text)) != nil) == isValid)
    }

    @Test func `a form is read as it was written`() throws {
        let form = try #require(Form("a=b+c%20%2B&d=&e&f=%C3%A9=&%61%62=1".utf8))
        #expect(try form.value("a") == "b c +")
        #expect(try form.value("d") == nil)
        #expect(try form.value("e") == nil)
        #expect(try form.value("f") == "é=")
        #expect(try form.value("ab") == "1")
        for text in ["a=%", "a=%4", "a=%zz", "a=%FF", "%C3=1"] { #expect(Form(text.utf8) == nil, "\(text)") }
        #expect(Form(String(repeating: "a&", count: 65).utf8) == nil)
        #expect(Form(String(repeating: "a", count: Form.maximumBytes + 1).utf8) == nil)
        let repeated = try #require(Form("a=1&b=2&a=1".utf8))
        #expect(throws: OAuthError.self) { try repeated.value("a") }
        #expect(try repeated.value("b") == "2")
        let all = String(decoding: (0x01...0x7F).map { UInt8($0) }, as: UTF8.self) + "é"
        let round = try #require(Form("x=\(Form.encoded(WireString(all)))".utf8))
        #expect(try round.value("x") == WireString(all))
    }

    @Test("a malformed token request is refused", arguments: ["/2/oauth2/token", "/2/oauth2/revoke"])
    func malformed(_ path: String) async throws {
        try await Router.test { router in
            let app = SignIn(router)
            let json = try await app.post(path, [], type: "application/json")
            #expect(json.oauthError == "invalid_request")
            #expect(try await app.post(path, []).oauthError != nil)
            let large = [("a", String(repeating: "a", count: Form.maximumBytes))]
            #expect(try await app.post(path, large).status == 413)
            #expect(try await app.post(path, [("client_id", "a"), ("client_id", "a")]).oauthError == "invalid_request")
        }
    }
}

extension Router.Answer {
    /// The error of an answer in the form of RFC 6749, 5.2.
    fileprivate var oauthError: String? {
        guard type == "application/json", (try? json["error_description"]) is String else { return nil }
        return try? json["error"] as? String
    }
}
