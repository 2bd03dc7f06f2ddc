import Synchronization
import TestSupport
import Testing
import XChatEngine
import XChatEvents

@testable import XChatHTTP

/// Retries of calls over a socket.
@Suite(.timeLimit(.minutes(1)))
struct RetryTests {
    private static let quick = RetryPolicy(
        attempts: 4,
        budget: .seconds(30),
        firstPause: .milliseconds(1),
        longestPause: .milliseconds(2),
        rateLimitPause: .milliseconds(1)
    )
    private static let page = RawAnswer.http(200, #"{"meta":{"result_count":0}}"#)

    private func client(_ url: String, _ policy: RetryPolicy = quick) throws -> ChatClient {
        try ChatClient(api: url, token: Token("secret"), retries: policy)
    }

    private func message() throws -> SealedMessage {
        var session = try Session(userID: "1111", privateKeys: .generate(), signingKeyVersion: "1")
        try session.addConversationKey(try .generate(), in: .oneToOne("1111", "2222"), version: "1001")
        return try session.seal(.text("hi"), in: .oneToOne("1111", "2222"))
    }

    @Test func `a message is retried with the same bytes until the server accepts it`() async throws {
        let message = try message()
        var event = message.event
        event.sequenceID = "77"
        let answer = #"{"data":{"encoded_message_event":"\#(Base64.encode(event.encoded()))"}}"#
        try await RawServer.run(
            .http(503, "<html>"),
            .bytesAndClose("HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{"),
            .http(429, headers: ["x-rate-limit-remaining: 0", "x-rate-limit-reset: 1"], "{}"),
            .http(201, answer)
        ) { server, url in
            let sent = try await client(url).send(message)
            #expect(sent.sequenceID == "77")
            #expect(server.requests.count == 4)
            #expect(Set(server.requests).count == 1)
        }
    }

    @Test func `a persistent failure ends with its own error after the attempts of the policy`() async throws {
        try await RawServer.run(.http(502, "{}")) { server, url in
            let client = try client(url)
            #expect(await thrownCode { _ = try await client.conversations() } == .server)
            #expect(server.requests.count == 4)
        }
    }

    @Test("a refused call is made once", arguments: [400, 403, 404, 409])
    func refusal(_ status: Int) async throws {
        try await RawServer.run(.http(status, headers: ["retry-after: 0"], "{}"), Self.page) { server, url in
            let client = try client(url)
            #expect(await thrownCode { _ = try await client.conversations() } == APIError.Code(status: status))
            #expect(server.requests.count == 1)
        }
    }

    @Test func `a registration is not retried, since it could happen twice`() async throws {
        try await RawServer.run(.http(500, "{}")) { server, url in
            let keys = try PrivateKeys.generate()
            let client = try client(url)
            let code = await thrownCode { _ = try await client.register(keys.registration(version: "1"), user: "1") }
            #expect(code == .server)
            #expect(server.requests.count == 1)
        }
    }

    @Test func `a cancelled call does not wait for its pause`() async throws {
        let policy = RetryPolicy(
            attempts: 9,
            budget: .seconds(3600),
            firstPause: .seconds(3000),
            longestPause: .seconds(3000)
        )
        try await RawServer.run(.http(500, "{}")) { server, url in
            let client = try client(url, policy)
            let task = Task { await thrownCode { _ = try await client.conversations() } }
            while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            try await Task.sleep(for: .milliseconds(50))
            task.cancel()
            #expect(await task.value == .cancelled)
        }
    }

    @Test func `the budget ends an attempt that hangs before the timeout of one request`() async throws {
        let policy = RetryPolicy(attempts: 9, budget: .milliseconds(200))
        try await RawServer.run(.silence) { server, url in
            let client = try client(url, policy)
            #expect(await thrownCode { _ = try await client.conversations() } == .timedOut)
            #expect(server.requests.count <= 1)
        }
    }

    // MARK: Tokens

    @Test func `a refused token is renewed and the call repeated`() async throws {
        try await RawServer.run(.http(401, "{}"), Self.page) { server, url in
            let tokens = try TokenSource(Token("old-token")) { try Token("new-token") }
            _ = try await ChatClient(api: url, tokens: tokens, retries: .none).conversations()
            #expect(server.requests.map { $0.contains("Bearer old-token") } == [true, false])
            #expect(server.requests.last?.contains("Bearer new-token") == true)
        }
    }

    @Test func `a renewed token that is refused is not renewed again`() async throws {
        try await RawServer.run(.http(401, "{}")) { server, url in
            let renewals = Mutex(0)
            let tokens = try TokenSource(Token("t0")) {
                try Token("t\(renewals.withLock { $0 += 1; return $0 })")
            }
            let client = try ChatClient(api: url, tokens: tokens, retries: Self.quick)
            #expect(await thrownCode { _ = try await client.conversations() } == .unauthorized)
            #expect(server.requests.count == 2)
            #expect(renewals.withLock { $0 } == 1)
        }
    }

    @Test func `the error of a renewal is not shown`() async throws {
        struct Leak: Error, CustomStringConvertible { let description = "refresh-token-secret" }
        try await RawServer.run(.http(401, "{}")) { server, url in
            let tokens = try TokenSource(Token("t0")) { throw Leak() }
            let client = try ChatClient(api: url, tokens: tokens)
            do throws(APIError) {
                _ = try await client.conversations()
                Issue.record("the call succeeded")
            } catch {
                #expect(error.code == .unauthorized)
                #expect(!error.description.contains("secret"))
            }
            #expect(server.requests.count == 1)
        }
    }

    @Test func `a renewal that hangs delays no call beyond its budget or its cancellation`() async throws {
        try await RawServer.run(.http(401, "{}")) { server, url in
            // Not cancelled with the call that waits for it.
            let old = try Token("t0")
            let tokens = TokenSource(old) {
                try await Task.sleep(for: .seconds(3000))
                return old
            }
            #expect(try await tokens.token(after: old, within: .milliseconds(20)) == nil)
            let client = try ChatClient(api: url, tokens: tokens, retries: RetryPolicy(budget: .seconds(3000)))
            let task = Task { await thrownCode { _ = try await client.conversations() } }
            while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            try await Task.sleep(for: .milliseconds(50))
            task.cancel()
            #expect(await task.value == .cancelled)
        }
    }

    @Test func `calls with the same refused token share one renewal`() async throws {
        let renewals = Mutex(0)
        let old = try Token("t0")
        let tokens = TokenSource(old) {
            renewals.withLock { $0 += 1 }
            try await Task.sleep(for: .milliseconds(20))
            return try Token("t1")
        }
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 {
                group.addTask { (try? await tokens.token(after: old, within: .seconds(50))) != nil }
            }
            for await isRenewed in group { #expect(isRenewed) }
        }
        #expect(renewals.withLock { $0 } == 1)
    }
}
