import Foundation
import LibSodium
import Synchronization
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatFiles
import XChatHTTP

@testable import XChat

/// Tokens of an account are stored, renewed once, and never lost.
@Suite(.timeLimit(.minutes(2)))
struct SignInTests {
    /// The kinds of store that an account can have.
    enum Kind: CaseIterable {
        case accountFile, sessionFile
    }

    /// A server, and an account that is signed in there.
    private struct Setup: Sendable {
        let server: OAuthServer
        let requests: RawServer
        let scratch: Scratch
        let configuration: Account.Configuration

        func client() async throws -> ChatClient { try await Account.client(configuration) }

        /// The sign-in on disk.
        func stored() async throws -> SignIn? {
            try await SignIn.stored(in: try await configuration.existingStore())?.signIn
        }

        /// The number of refresh requests.
        var refreshes: Int { server.with { $0.refreshes } }

        /// The access token of the last request.
        var lastToken: String? {
            requests.requests.last?.firstMatch(of: /Bearer (\S+)/).map { String($0.1) }
        }

        /// Signs in as the user whom the server knows.
        @discardableResult
        func signIn(secret: String? = nil, _ configuration: Account.Configuration? = nil) async throws -> UserID {
            let configuration = configuration ?? self.configuration
            let client = try OAuthClient(
                clientID: "app",
                clientSecret: try secret.map { try Token($0) },
                api: configuration.api
            )
            let authorization = try client.authorization(redirectURI: "http://127.0.0.1:8080/callback")
            let redirect = try #require(server.allow(authorization.url))
            let tokens = try await client.exchange(try authorization.code(in: redirect), of: authorization)
            return try await Account.signIn(tokens, from: client, configuration)
        }
    }

    private func run(
        _ kind: Kind,
        lifetime: Int? = 7200,
        signsIn: Bool = true,
        _ body: (Setup) async throws -> Void
    ) async throws {
        let scratch = try Scratch()
        try await OAuthServer.run { server, requests, url in
            server.with { $0.lifetime = lifetime }
            var configuration = Account.Configuration(
                kind == .accountFile ? .accountFile(scratch.file("a.db")) : .sessionFile(scratch.file("a.json"))
            ) { _ in try SecretBytes(copying: Array("correct horse".utf8).span) }
            configuration.api = url
            configuration.passwordLimits = .minimum
            configuration.tokenTimeout = .seconds(20)
            let setup = Setup(server: server, requests: requests, scratch: scratch, configuration: configuration)
            if signsIn { try await setup.signIn() }
            try await body(setup)
        }
    }

    private func code(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? APIError)?.code.rawValue ?? (error as? AccountError)?.code.rawValue ?? "\(error)"
        }
    }

    // MARK: Signing in

    @Test("a sign-in makes an account without keys, whose calls have its token", arguments: Kind.allCases)
    func signsIn(_ kind: Kind) async throws {
        try await run(kind, signsIn: false) { (setup) async throws in
            #expect(await code { _ = try await setup.client() } == (kind == .accountFile ? "sign_in_needed" : "file"))
            #expect(try await setup.signIn() == "1111")
            let known = try await Account.privateKeys(setup.configuration)
            #expect(known.userID == "1111" && known.keys == nil)
            #expect(try await setup.client().me().id == "1111")
            #expect(setup.lastToken?.hasPrefix("access-") == true)
            // Another sign-in takes its place.
            let first = setup.lastToken
            try await setup.signIn()
            #expect(try await setup.client().me().id == "1111")
            #expect(setup.lastToken != first)
        }
    }

    @Test("a sign-in of another user changes nothing, and its tokens are revoked", arguments: Kind.allCases)
    func wrongUser(_ kind: Kind) async throws {
        try await run(kind) { (setup) async throws in
            let before = try await setup.stored()?.encoded()
            setup.server.with { $0.user = "2222" }
            #expect(await code { try await setup.signIn() } == "wrong_user")
            #expect(setup.server.with { $0.revoked.count } == 2)
            #expect(try await setup.stored()?.encoded() == before)
        }
        try await run(kind, signsIn: false) { (setup) async throws in
            var configuration = setup.configuration
            configuration.user = "3333"
            #expect(await code { try await setup.signIn(configuration) } == "wrong_user")
            #expect(await code { _ = try await setup.client().me() } != nil)
        }
    }

    @Test("keys are added to an account that has only a sign-in, and only for its user", arguments: Kind.allCases)
    func keysLater(_ kind: Kind) async throws {
        try await run(kind) { (setup) async throws in
            let keys = try PrivateKeys.generate()
            let create = { (user: UserID) in
                try await Account.create(for: user, keys: keys, version: "7", isImport: true, setup.configuration)
            }
            #expect(await code { try await create("2222") } == "invalid_argument")
            try await create("1111")
            #expect(await code { try await create("1111") } == "exists")
            #expect(try await setup.client().me().id == "1111")
            let account = try await Account.openUnregistered(setup.configuration)
            #expect(try account.ownKey().version == "7")
            await account.close()
        }
        try await run(kind) { (setup) async throws in
            let keys = try PrivateKeys.generate()
            try await Account.restore(keys, version: "7", of: "1111", setup.configuration)
            let restored = try await Account.privateKeys(setup.configuration).keys
            #expect(restored?.identityKey.base64 == keys.identityKey.base64)
            #expect(try await setup.client().me().id == "1111")
        }
    }

    @Test("the account record and the sign-in do not overwrite each other", arguments: Kind.allCases)
    func apart(_ kind: Kind) async throws {
        try await run(kind, lifetime: 1) { (setup) async throws in
            let keys = try PrivateKeys.generate()
            try await Account.create(for: "1111", keys: keys, version: "7", isImport: true, setup.configuration)
            let store = try await setup.configuration.existingStore()
            let (identity, record) = (
                try #require(try await Identity.stored(in: store)), try await store.records([.account])[.account]
            )
            // Renews the tokens between reading and writing the other record.
            _ = try await setup.client().me()
            try await store.save(try identity.registered(as: "8"), revision: try #require(record?.revision))
            let access = setup.server.with { $0.access }
            #expect(access.contains(try #require(try await setup.stored()?.accessToken.secretText)))
            let refresh = setup.server.with { $0.refresh }
            #expect(refresh == [try #require(try await setup.stored()?.refreshToken?.secretText)])
        }
    }

    @Test("the tokens are not in the clear in an account file")
    func sealed() async throws {
        try await run(.accountFile, lifetime: 1) { (setup) async throws in
            _ = try await setup.client().me()
            #expect(setup.refreshes == 1)
            let files = try setup.scratch.contents()
            #expect(files["a.db"] != nil)
            for (name, bytes) in files {
                for word in [OAuthServer.mark, "access-", "refresh-", "dm.read"] {
                    #expect(bytes.firstRange(of: word.utf8) == nil, "\(word) in \(name)")
                }
            }
        }
    }

    @Test("unknown members of a sign-in are kept")
    func unknownMembers() async throws {
        try await run(.sessionFile, lifetime: 1) { (setup) async throws in
            let text = String(decoding: try setup.scratch.read("a.json"), as: UTF8.self)
            try setup.scratch.write("a.json", text.replacing(#""sign_in": {"#, with: #""sign_in": {"later": [1],"#))
            _ = try await setup.client().me()
            #expect(setup.refreshes == 1)
            let document = try JSONLocation(parsing: try setup.scratch.read("a.json"), document: "a.json")
            let signIn = try document.required("sign_in")
            #expect(try signIn.required("later").elements().count == 1)
            #expect(try signIn.required("refresh_token").string().string == setup.server.with { $0.refresh.first })
        }
    }

    // MARK: Renewing

    @Test("a token is renewed early, and the new refresh token is on disk before the new access token is used")
    func early() async throws {
        // 20 seconds are less than the margin.
        try await run(.sessionFile, lifetime: 20) { (setup) async throws in
            let (path, wasSaved) = (setup.scratch.file("a.json"), Shared(Mutex<[Bool]>([])))
            setup.server.with { state in
                state.used = { access in
                    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
                    let newest = setup.server.with { $0.refresh.first } ?? "none"
                    wasSaved.value.withLock { $0.append(text.contains(newest) && text.contains(access)) }
                }
            }
            let client = try await setup.client()
            for _ in 0..<3 { _ = try await client.me() }
            #expect(setup.refreshes == 1)
            #expect(wasSaved.value.withLock { $0 } == [true, true, true])
        }
    }

    @Test("a token that does not expire soon is not renewed", arguments: Kind.allCases)
    func lasting(_ kind: Kind) async throws {
        try await run(kind, lifetime: 90) { (setup) async throws in
            for _ in 0..<2 { _ = try await setup.client().me() }
            #expect(setup.refreshes == 0)
        }
    }

    @Test("a refused token is renewed once, and the call repeated", arguments: Kind.allCases)
    func refused(_ kind: Kind) async throws {
        try await run(kind) { (setup) async throws in
            let client = try await setup.client()
            _ = try await client.me()
            setup.server.with { $0.expire() }
            #expect(try await client.me().id == "1111")
            #expect(setup.refreshes == 1)
            setup.server.with { $0.revokeAll() }
            #expect(await code { _ = try await client.me() } == "sign_in_needed")
            #expect(setup.refreshes == 2)
            // The server has refused the refresh token, so it is not sent again.
            #expect(await code { _ = try await setup.client().me() } == "sign_in_needed")
            #expect(setup.refreshes == 2)
            try await setup.signIn()
            #expect(try await client.me().id == "1111")
        }
    }

    @Test("without expires_in a token is renewed before its first use, and then used until it is refused")
    func noLifetime() async throws {
        try await run(.sessionFile, lifetime: nil) { (setup) async throws in
            let client = try await setup.client()
            for _ in 0..<3 { _ = try await client.me() }
            #expect(setup.refreshes == 1)
            setup.server.with { $0.expire() }
            _ = try await client.me()
            #expect(setup.refreshes == 2)
        }
    }

    @Test("without a refresh token the access token is used until the server refuses it")
    func noRefreshToken() async throws {
        try await run(.sessionFile, signsIn: false) { (setup) async throws in
            setup.server.with { ($0.givesRefreshTokens, $0.lifetime) = (false, 1) }
            try await setup.signIn()
            let client = try await setup.client()
            #expect(try await client.me().id == "1111")
            setup.server.with { $0.expire() }
            #expect(await code { _ = try await client.me() } == "sign_in_needed")
            #expect(setup.refreshes == 0)
        }
    }

    @Test("many clients with an expired token make one refresh", arguments: Kind.allCases)
    func together(_ kind: Kind) async throws {
        try await run(kind, lifetime: 1) { (setup) async throws in
            // Each client has its own store, like a process.
            let clients = try await withThrowingTaskGroup(of: ChatClient.self) { group in
                for _ in 0..<8 { group.addTask { try await setup.client() } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            setup.server.with { $0.lifetime = 7200 }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in clients { group.addTask { _ = try await client.me() } }
                try await group.waitForAll()
            }
            #expect(setup.refreshes == 1)
        }
    }

    @Test("after a lost answer the refresh token is sent once more, and then never again", arguments: Kind.allCases)
    func lostAnswers(_ kind: Kind) async throws {
        // The server did not process the request: the second attempt succeeds.
        try await run(kind, lifetime: 0) { (setup) async throws in
            setup.server.with { $0.faults = [.instead(.reset)] }
            #expect(await code { _ = try await setup.client().me() } == "connection")
            #expect(try await setup.stored()?.attempts == 1)
            #expect(try await setup.client().me().id == "1111")
            #expect(try await setup.stored()?.attempts == 0)
        }
        // The server processed the request, and treats its repetition as theft.
        try await run(kind, lifetime: 0) { (setup) async throws in
            setup.server.with { $0.faults = [.lostAnswer] }
            #expect(await code { _ = try await setup.client().me() } == "connection")
            #expect(await code { _ = try await setup.client().me() } == "sign_in_needed")
            #expect(await code { _ = try await setup.client().me() } == "sign_in_needed")
            #expect(setup.refreshes == 2)
        }
        // No answer at all.
        try await run(kind, lifetime: 0) { (setup) async throws in
            let page = RawAnswer.http(200, type: "text/html", "<html>")
            setup.server.with { $0.faults = [.instead(page), .instead(.http(502, "<html>")), .instead(page)] }
            #expect(await code { _ = try await setup.client().me() } == "malformed_response")
            #expect(await code { _ = try await setup.client().me() } == "server")
            for _ in 0..<3 {
                #expect(await code { _ = try await setup.client().me() } == "sign_in_needed")
            }
            #expect(setup.server.with { $0.faults.count } == 1)
            #expect(setup.refreshes == 0)
        }
    }

    @Test("while the old access token can be used, one lost answer is not followed by another attempt")
    func lostAnswerToEarlyRefresh() async throws {
        try await run(.sessionFile, lifetime: 20) { (setup) async throws in
            setup.server.with { $0.faults = [.lostAnswer, .lostAnswer] }
            for _ in 0..<3 { #expect(try await setup.client().me().id == "1111") }
            #expect(setup.refreshes == 1)
            #expect(try await setup.stored()?.attempts == 1)
        }
    }

    @Test("an answer that arrives too late is treated as lost")
    func late() async throws {
        try await run(.sessionFile, lifetime: 0) { (setup) async throws in
            var configuration = setup.configuration
            configuration.tokenTimeout = .milliseconds(100)
            setup.server.with { $0.faults = [.instead(.silence), .instead(.silence)] }
            let first = try await Account.client(configuration)
            #expect(await code { _ = try await first.me() } == "timed_out")
            #expect(try await setup.stored()?.attempts == 1)
            #expect(await code { _ = try await first.me() } == "timed_out")
            #expect(await code { _ = try await first.me() } == "sign_in_needed")
        }
    }

    @Test("a refresh that the server did not process is not counted as an attempt")
    func nothingDone() async throws {
        try await run(.sessionFile, lifetime: 1) { (setup) async throws in
            // A redirect and an error page come from a machine in front of the server.
            let busy = [
                RawAnswer.http(429, "{}"), .http(503, "{}"), .http(302, ""), .http(403, type: "text/html", "<html>"),
            ]
            setup.server.with { $0.faults = busy.map { .instead($0) } }
            for _ in busy { #expect(await code { _ = try await setup.client().me() } != "sign_in_needed") }
            #expect(try await setup.client().me().id == "1111")
        }
        // A machine without network.
        try await run(.sessionFile, lifetime: 1) { (setup) async throws in
            let closed = try await RawServer.run(.silence) { _, url in url }
            let text = String(decoding: try setup.scratch.read("a.json"), as: UTF8.self)
            try setup.scratch.write("a.json", text.replacing(setup.configuration.api, with: closed))
            var configuration = setup.configuration
            configuration.api = closed
            for _ in 0..<3 {
                let client = try await Account.client(configuration)
                #expect(await code { _ = try await client.me() } == "connection")
            }
            try setup.scratch.write("a.json", text)
            #expect(try await setup.client().me().id == "1111")
        }
    }

    @Test("a failed early renewal does not stop calls while the token is valid")
    func earlyFailure() async throws {
        try await run(.sessionFile, lifetime: 20) { (setup) async throws in
            let answers = [RawAnswer.http(500, "{}"), .http(400, #"{"error":"invalid_grant"}"#)]
            setup.server.with { $0.faults = answers.map { .instead($0) } }
            let client = try await setup.client()
            for _ in 0..<3 { #expect(try await client.me().id == "1111") }
            #expect(setup.server.with { $0.faults.count } == 1)
            #expect(try await setup.client().me().id == "1111")
            #expect(setup.server.with { $0.faults.count } == 1)
            let text = String(decoding: try setup.scratch.read("a.json"), as: UTF8.self)
            let expired = text.replacing(/"expires_at": "[0-9]+"/, with: #""expires_at": "1""#)
            #expect(expired != text)
            try setup.scratch.write("a.json", expired)
            #expect(await code { _ = try await setup.client().me() } == "sign_in_needed")
            #expect(setup.server.with { $0.faults.count } == 0)
        }
    }

    @Test("tokens go to the API that gave them and to no other one")
    func otherAPI() async throws {
        try await run(.sessionFile) { (setup) async throws in
            try await RawServer.run(.http(200, "{}")) { other, url in
                var configuration = setup.configuration
                configuration.api = url
                let client = try await Account.client(configuration)
                #expect(await code { _ = try await client.me() } == "sign_in_needed")
                #expect(other.requests.isEmpty)
            }
        }
    }

    @Test("a confidential client's secret is kept and sent")
    func confidential() async throws {
        try await run(.accountFile, lifetime: 1, signsIn: false) { (setup) async throws in
            setup.server.with { $0.secret = "top-\(OAuthServer.mark)" }
            try await setup.signIn(secret: "top-\(OAuthServer.mark)")
            #expect(try await setup.client().me().id == "1111")
            #expect(setup.refreshes == 1)
        }
    }

    // MARK: Signing out

    @Test("signing out revokes both tokens and forgets them, also if the server fails", arguments: Kind.allCases)
    func signsOut(_ kind: Kind) async throws {
        try await run(kind) { (setup) async throws in
            let tokens = setup.server.with { $0.access.union($0.refresh) }
            #expect(try await Account.signOut(setup.configuration))
            #expect(setup.server.with { Set($0.revoked) } == tokens)
            #expect(try await setup.stored() == nil)
            #expect(await code { _ = try await setup.client() } == "sign_in_needed")
            #expect(try await Account.signOut(setup.configuration) == false)
        }
        try await run(kind) { (setup) async throws in
            setup.server.with { $0.revocation = .http(500, "{}") }
            #expect(await code { try await Account.signOut(setup.configuration) } == "server")
            #expect(setup.server.with { $0.revoked.count } == 2)
            #expect(try await setup.stored() == nil)
        }
    }

    @Test("after a sign-in an account opens without a user and a token, and makes its keys")
    func opensAfterSignIn() async throws {
        try await AccountFixture.run(faults: "token-lifetime=1") { fixture in
            var configuration = try fixture.configuration("1111")
            (configuration.user, configuration.token) = (nil, nil)
            let client = try OAuthClient(clientID: "app", api: configuration.api)
            let authorization = try client.authorization(redirectURI: "http://127.0.0.1:8080/callback")
            let redirect = try #require(try await RawClient.allow(authorization.url, as: "1111"))
            let tokens = try await client.exchange(try authorization.code(in: redirect), of: authorization)
            #expect(try await Account.signIn(tokens, from: client, configuration) == "1111")
            let account = try await Account.open(configuration)
            #expect(account.userID == "1111")
            #expect(try await account.client.publicKeys(of: "1111").count == 1)
            let version = try account.ownKey().version
            await account.close()
            let again = try await Account.open(configuration)
            #expect(try again.ownKey().version == version)
            await again.close()
            #expect(try await Account.signOut(configuration))
            #expect(await code { _ = try await Account.open(configuration) } == "sign_in_needed")
        }
    }

    @Test("an account without a token says so when it is opened, and makes no keys")
    func noToken() async throws {
        try await run(.accountFile, signsIn: false) { (setup) async throws in
            var configuration = setup.configuration
            configuration.user = "1111"
            #expect(await code { _ = try await Account.open(configuration) } == "sign_in_needed")
            let store = try await configuration.existingStore()
            #expect(try await store.records([.account]).isEmpty)
        }
    }
}
