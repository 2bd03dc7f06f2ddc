import Foundation
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatSandbox

@testable import XChatHTTP

/// The token of an account is its user's: checked once for each token.
@Suite(.timeLimit(.minutes(1)))
struct TokenUserTests {
    private static let page = RawAnswer.http(200, #"{"meta":{"result_count":0}}"#)

    private static func user(_ id: String) -> RawAnswer { .http(200, #"{"data":{"id":"\#(id)","username":"u"}}"#) }

    /// Makes calls as user 1111, and returns their codes and the paths that were asked for.
    private func calls(
        _ count: Int,
        _ answers: RawAnswer...,
        tokens: TokenSource? = nil
    ) async throws -> (codes: [APIError.Code?], paths: [String]) {
        try await RawServer.run(answers) { server, url in
            let tokens = try tokens ?? TokenSource(Token("secret"))
            let client = try ChatClient(api: url, tokens: tokens, retries: .none).checkingTokens(areOf: "1111")
            var codes: [APIError.Code?] = []
            for _ in 0..<count { codes.append(await thrownCode { _ = try await client.conversations() }) }
            let paths = server.requests.map { request in
                String(request.split(separator: " ")[1].split(separator: "/").last?.prefix { $0 != "?" } ?? "")
            }
            return (codes, paths)
        }
    }

    @Test func `the first call asks whose token it is, and later ones do not`() async throws {
        let (codes, paths) = try await calls(3, Self.user("1111"), Self.page)
        #expect(codes == [nil, nil, nil])
        #expect(paths == ["me", "conversations", "conversations", "conversations"])
    }

    @Test func `with the token of another user nothing else is sent, and the error names both users`() async throws {
        let (codes, paths) = try await calls(2, Self.user("2222"), Self.page)
        #expect(codes == [.wrongUser, .wrongUser])
        #expect(paths == ["me"])
        try await RawServer.run(Self.user("2222")) { server, url in
            let client = try ChatClient(api: url, token: Token("secret")).checkingTokens(areOf: "1111")
            let error = await #expect(throws: APIError.self) { _ = try await client.conversations() }
            #expect(error?.detail.contains("user 1111") == true && error?.detail.contains("user 2222") == true)
            let folder = try Scratch()
            let download = await thrownCode {
                try await client.download(
                    "abc",
                    in: ConversationTarget("1-2"),
                    key: try ConversationKey.generate(),
                    to: folder.file("out")
                )
            }
            #expect(download == .wrongUser)
            #expect(server.requests.count == 1)
        }
    }

    @Test("an app without the scope, and a server without the route, are asked once", arguments: [403, 404])
    func unknown(_ status: Int) async throws {
        let (codes, paths) = try await calls(2, .http(status, "{}"), Self.page)
        #expect(codes == [nil, nil])
        #expect(paths == ["me", "conversations", "conversations"])
    }

    @Test(
        "an answer that says nothing about the user does not stop the call",
        arguments: [.http(500, "{}"), .http(429, "{}"), .bytesAndClose(""), .http(200, "{}"), user("x")] as [RawAnswer]
    )
    func failure(_ answer: RawAnswer) async throws {
        let (codes, paths) = try await calls(2, answer, Self.page)
        #expect(codes == [nil, nil])
        #expect(paths == ["me", "conversations", "conversations"])
    }

    @Test func `a renewed token is checked as well`() async throws {
        let tokens = try TokenSource(Token("old-token")) { try Token("new-token") }
        let (codes, paths) = try await calls(
            1,
            .http(401, "{}"),
            .http(401, "{}"),
            Self.user("2222"),
            Self.page,
            tokens: tokens
        )
        #expect(codes == [.wrongUser])
        #expect(paths == ["me", "conversations", "me"])
    }

    @Test func `calls at the same time ask once, and a cancelled one does not wait`() async throws {
        try await RawServer.run(Self.user("1111"), Self.page) { server, url in
            let client = try ChatClient(api: url, token: Token("secret")).checkingTokens(areOf: "1111")
            await withTaskGroup(of: APIError.Code?.self) { group in
                for _ in 0..<8 { group.addTask { await thrownCode { _ = try await client.conversations() } } }
                for await code in group { #expect(code == nil) }
            }
            #expect(server.requests.count { $0.hasPrefix("GET /2/users/me?") } == 1)
        }
        try await RawServer.run(.silence) { server, url in
            let client = try ChatClient(api: url, token: Token("secret")).checkingTokens(areOf: "1111")
            let task = Task { await thrownCode { _ = try await client.conversations() } }
            while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            let start = ContinuousClock.now
            task.cancel()
            #expect(await task.value == .cancelled)
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }

    @Test func `the sandbox says whose token it is`() async throws {
        try await Sandbox().serving { url in
            let client = try ChatClient(api: url.absoluteString, token: Token("sandbox-1234567890123456789"))
            #expect(try await client.tokenUser(Token("sandbox-1234567890123456789")) == "1234567890123456789")
        }
    }
}
