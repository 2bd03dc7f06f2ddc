import TestSupport
import Testing
import XChatEvents

@testable import XChatHTTP

/// A dead, slow, broken or hostile server leads to a typed error in bounded time.
@Suite(.timeLimit(.minutes(1)))
struct TransportTests {
    static let secret = "secret-token-3f9a"

    /// Asks for one page of history and hands back the error.
    private func failure(
        _ url: String,
        limits: ChatClient.Limits = .init(timeout: .seconds(50))
    ) async throws -> APIError? {
        let client = try ChatClient(api: url, token: Token(Self.secret), limits: limits, retries: .none)
        do {
            _ = try await client.events(in: ConversationTarget("1111-2222"))
            return nil
        } catch {
            return error
        }
    }

    @Test(.timeLimit(.minutes(1))) func `a refused connection is a connection error, at once`() async throws {
        let url = try await RawServer.run(.silence) { _, url in url }
        let error = try #require(try await failure(url))
        #expect(error.code == .connection)
        #expect(error.operation == "GET /2/chat/conversations/{id}/events")
    }

    @Test func `a server that never answers is a timeout`() async throws {
        try await RawServer.run(.silence) { _, url in
            let error = try await failure(url, limits: .init(timeout: .milliseconds(300)))
            #expect(error?.code == .timedOut)
            #expect(error?.status == nil)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `the timeout covers a body that arrives slowly`() async throws {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{"
        try await RawServer.run(.endless(head, more: " ", pause: 20)) { _, url in
            let error = try await failure(url, limits: .init(timeout: .milliseconds(400)))
            #expect(error?.code == .timedOut)
        }
    }

    @Test func `endless headers are too large`() async throws {
        let line = "x-filler: \(String(repeating: "a", count: 1000))\r\n"
        try await RawServer.run(.endless("HTTP/1.1 200 OK\r\n", more: line)) { _, url in
            let error = try await failure(url)
            #expect(error?.code == .tooLarge)
        }
    }

    @Test func `an endless body is too large`() async throws {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        let chunk = "1000\r\n\(String(repeating: " ", count: 0x1000))\r\n"
        try await RawServer.run(.endless(head, more: chunk)) { _, url in
            let error = try await failure(url, limits: .init(timeout: .seconds(20), pageBytes: 1 << 20))
            #expect(error?.code == .tooLarge)
            #expect(error?.operation == "GET /2/chat/conversations/{id}/events")
        }
    }

    @Test func `calls that hang do not block others`() async throws {
        let silent = Array(repeating: RawAnswer.silence, count: 10)
        try await RawServer.run(silent + [.http(200, #"{"meta":{"result_count":0}}"#)]) { server, url in
            let calls = silent.map { _ in Task { try await failure(url) } }
            while server.requests.count < silent.count { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await failure(url) == nil)
            for call in calls { call.cancel() }
            for call in calls { #expect(try await call.value?.code == .cancelled) }
        }
    }

    @Test func `a content-length beyond the limit is too large at once`() async throws {
        try await RawServer.run(.bytes("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n")) { _, url in
            let error = try await failure(url)
            #expect(error?.code == .tooLarge)
        }
    }

    @Test func `a refusal with an endless body keeps its status`() async throws {
        let head = "HTTP/1.1 502 Bad Gateway\r\ntransfer-encoding: chunked\r\n\r\n"
        let chunk = "1000\r\n\(String(repeating: "<p>", count: 0x1000).prefix(0x1000))\r\n"
        try await RawServer.run(.endless(head, more: chunk)) { _, url in
            let error = try await failure(url)
            #expect(error?.code == .server)
            #expect(error?.status == 502)
        }
    }

    @Test(
        "a connection that closes early is a connection error",
        arguments: [
            "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"data\":",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"da",
        ]
    )
    func closed(_ bytes: String) async throws {
        try await RawServer.run(.bytesAndClose(bytes)) { _, url in
            let error = try await failure(url)
            #expect(error?.code == .connection)
        }
    }

    @Test(
        "what is not HTTP is a malformed response",
        arguments: ["SSH-2.0-OpenSSH_9.6\r\n\r\n", "HTTP/1.1 2OO OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"]
    )
    func notHTTP(_ bytes: String) async throws {
        try await RawServer.run(.bytesAndClose(bytes)) { _, url in
            let error = try await failure(url)
            #expect(error?.code == .malformedResponse)
        }
    }

    @Test(
        "a success without a JSON object is a malformed response",
        arguments: [
            RawAnswer.http(200, "<html>hello</html>"), .http(200, ""), .http(204, ""), .http(200, "[]"),
            .http(200, "nul"),
            .http(200, #"{"data":{}}"#), .http(200, #"{"data":[{"encoded_event":5}]}"#), .http(200, #"{"data":[]"#),
            .http(200, #"{"meta":{"conversation_key_events":[1]}}"#), .http(200, "\u{0}\u{0}\u{0}{"),
            .http(200, String(repeating: "[", count: 100_000)),
        ]
    )
    func notJSON(_ answer: RawAnswer) async throws {
        try await RawServer.run(answer) { _, url in
            let error = try await failure(url)
            #expect(error?.code == .malformedResponse)
        }
    }

    @Test(
        "a redirect is an error that names the host and is not followed",
        arguments: [301, 302, 303, 307, 308]
    )
    func redirect(_ status: Int) async throws {
        try await RawServer.run(.http(200, #"{"data":[]}"#)) { other, otherURL in
            let location = "location: \(otherURL.replacing("127.0.0.1", with: "localhost"))/2/x?leak=me"
            try await RawServer.run(.http(status, headers: [location], "")) { server, url in
                let error = try #require(try await failure(url))
                #expect(error.code == .redirected)
                #expect(error.status == status)
                #expect(error.detail.contains("localhost"))
                #expect(!error.description.contains("leak"))
                #expect(server.requests.count == 1)
            }
            #expect(other.requests.isEmpty)
        }
    }

    @Test func `a redirect to the same host is not followed`() async throws {
        try await RawServer.run(.http(307, headers: ["location: /elsewhere"], "")) { server, url in
            let error = try await failure(url)
            #expect(error?.code == .redirected)
            #expect(server.requests.count == 1)
        }
    }

    @Test func `cancelling during the body is reported as cancelled`() async throws {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{"
        try await RawServer.run(.endless(head, more: " ", pause: 20)) { server, url in
            let task = Task { try await failure(url, limits: .init(timeout: .seconds(30))) }
            while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            try await Task.sleep(for: .milliseconds(100))
            task.cancel()
            #expect(try await task.value?.code == .cancelled)
        }
    }

    @Test func `the request has the token and no unneeded headers`() async throws {
        try await RawServer.run(.http(200, #"{"meta":{"result_count":0}}"#)) { server, url in
            let client = try ChatClient(api: url + "/prefix/", token: Token(Self.secret))
            let page = try await client.events(
                in: ConversationTarget("1111:2222"),
                maxResults: 7,
                paginationToken: "a b&c=d/é"
            )
            #expect(page == EventPage(events: [], keyEvents: [], nextToken: nil, problems: []))
            let request = try #require(server.requests.first)
            #expect(
                request.hasPrefix(
                    "GET /prefix/2/chat/conversations/1111-2222/events"
                        + "?max_results=7&pagination_token=a%20b%26c%3Dd%2F%C3%A9 HTTP/1.1\r\n"
                )
            )
            #expect(request.lowercased().contains("\r\nauthorization: bearer \(Self.secret)\r\n"))
            let headers = request.split(separator: "\r\n").dropFirst().map { $0.prefix { $0 != ":" }.lowercased() }
            #expect(Set(headers) == ["host", "authorization", "accept", "accept-encoding"])
        }
    }

    @Test func `an echoed token is removed from the error`() async throws {
        let body = #"{"title":"Unauthorized","detail":"bad token \#(Self.secret) given","status":401}"#
        try await RawServer.run(.http(401, body)) { _, url in
            let error = try #require(try await failure(url))
            #expect(error.code == .unauthorized)
            #expect(!error.description.contains(Self.secret))
            #expect(error.detail == "Unauthorized: bad token <token> given")
        }
    }
}
