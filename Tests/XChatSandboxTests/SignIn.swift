import Crypto
import Foundation
import NIOCore
import Testing
import XChatEvents

@testable import XChatSandbox

/// An app that signs a user in, through the router.
struct SignIn: Sendable {
    static let redirectURI = "http://127.0.0.1:8080/callback"
    static let verifier = String(repeating: "v", count: 43)
    static let challenge = Base64.encodeURLSafe(Array(SHA256.hash(data: Data(verifier.utf8))))

    /// The parameters of an authorization request.
    static let request = [
        ("response_type", "code"), ("client_id", "app"), ("redirect_uri", redirectURI),
        ("scope", "dm.read users.read offline.access"), ("state", "s&t=1"), ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ]

    let router: Router
    var parameters = request

    init(_ router: Router) { self.router = router }

    /// The request with one parameter changed, or removed if the value is nil.
    func with(_ name: String, _ value: String?) -> SignIn {
        var changed = self
        let index = changed.parameters.firstIndex { $0.0 == name } ?? changed.parameters.endIndex
        if index < changed.parameters.endIndex { changed.parameters.remove(at: index) }
        if let value { changed.parameters.insert((name, value), at: index) }
        return changed
    }

    func page(_ path: String = "/i/oauth2/authorize") async throws -> Router.Answer {
        try await router.ask(.get, "\(path)?\(Self.text(parameters))", authorization: nil)
    }

    /// Submits the form of the page.
    func decide(
        _ decision: String = "allow",
        user: String? = "other",
        other: String? = "1111",
        ticket: String? = nil
    ) async throws -> Router.Answer {
        var fields = [("ticket", ticket ?? ""), ("decision", decision)]
        if ticket == nil { fields[0].1 = try Self.ticket(of: try await page()) }
        if let user { fields.append(("user", user)) }
        if let other { fields.append(("other", other)) }
        return try await post("/i/oauth2/authorize", fields)
    }

    static func ticket(of page: Router.Answer) throws -> String {
        let text = String(decoding: page.body, as: UTF8.self)
        return String(try #require(text.firstMatch(of: /name="ticket" value="([^"]+)"/)?.1))
    }

    /// The parameters with which the browser returned to the app.
    static func answer(_ redirect: Router.Answer) throws -> [String: String] {
        #expect(redirect.status == 302)
        let components = try #require(redirect.header("location").flatMap { URLComponents(string: $0) })
        let items = (components.queryItems ?? []).map { ($0.name, $0.value ?? "") }
        return Dictionary(items) { first, _ in first }
    }

    /// A code for a user.
    func code(user: String = "1111") async throws -> String {
        try #require(try Self.answer(try await decide(other: user))["code"])
    }

    func exchange(
        _ code: String,
        authorization: String? = nil,
        changing changes: [(String, String?)] = []
    ) async throws -> Router.Answer {
        var fields = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", Self.redirectURI),
            ("code_verifier", Self.verifier), ("client_id", "app"),
        ]
        for (name, value) in changes {
            fields.removeAll { $0.0 == name }
            if let value { fields.append((name, value)) }
        }
        return try await post("/2/oauth2/token", fields, authorization: authorization)
    }

    func tokens(user: String = "1111") async throws -> (access: String, refresh: String) {
        let answer = try await exchange(code(user: user))
        return try Self.tokens(answer)
    }

    static func tokens(_ answer: Router.Answer) throws -> (access: String, refresh: String) {
        #expect(answer.status == 200)
        return (
            try #require(try answer.json["access_token"] as? String),
            try #require(try answer.json["refresh_token"] as? String)
        )
    }

    func refresh(
        _ token: String,
        client: String? = "app",
        scope: String? = nil,
        authorization: String? = nil
    ) async throws -> Router.Answer {
        var fields = [("grant_type", "refresh_token"), ("refresh_token", token)]
        if let client { fields.append(("client_id", client)) }
        if let scope { fields.append(("scope", scope)) }
        return try await post("/2/oauth2/token", fields, authorization: authorization)
    }

    func revoke(_ token: String, client: String = "app") async throws -> Router.Answer {
        try await post("/2/oauth2/revoke", [("token", token), ("client_id", client)])
    }

    /// The id of the user to whom an access token belongs; nil if the server does not accept it.
    func user(of token: String) async throws -> String? {
        let answer = try await router.ask(.get, "/2/users/me", authorization: "Bearer \(token)")
        guard answer.status == 200 else {
            #expect(answer.status == 401)
            return nil
        }
        return try answer.data["id"] as? String
    }

    func post(
        _ path: String,
        _ fields: [(String, String)],
        authorization: String? = nil,
        type: String = Form.type
    ) async throws -> Router.Answer {
        let body = ByteBuffer(string: Self.text(fields))
        return try await router.ask(.post, path, authorization: authorization, type: type, bytes: body)
    }

    static func text(_ fields: [(String, String)]) -> String {
        fields.map { "\($0)=\(Form.encoded(WireString($1)))" }.joined(separator: "&")
    }

    static func basic(_ id: String, _ secret: String) -> String {
        "Basic \(Base64.encode(Array("\(id):\(secret)".utf8)))"
    }
}
