import AsyncHTTPClient
import Foundation
import GRDB
import NIOCore
import NIOHTTP1
import TestSupport
import Testing
import XChatEngine
import XChatEvents

@testable import XChatSandbox

/// The activity stream over a real connection, and the end of a server.
@Suite(.timeLimit(.minutes(1)))
struct StreamTests {
    private static func request(_ url: URL, _ path: String, token: String = "sandbox-app") -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url.absoluteString + path)
        request.headers.add(name: "authorization", value: "Bearer \(token)")
        return request
    }

    @Test func `the stream gives signs of life, and a third connection is one too many`() async throws {
        try await Sandbox(faults: try SandboxFaults("keep-alive=20ms")).serving { url in
            var answers: [HTTPClientResponse] = []
            for _ in 0..<3 {
                answers.append(
                    try await HTTPClient.shared.execute(Self.request(url, "/2/activity/stream"), timeout: .seconds(45))
                )
            }
            #expect(answers.map(\.status) == [.ok, .ok, .tooManyRequests])
            var text = ""
            for try await chunk in answers[0].body {
                text += String(buffer: chunk)
                if text.utf8.count >= 10 { break }
            }
            #expect(text.replacing("\r\n", with: "").isEmpty)
        }
    }

    @Test func `a stream ends at its end_time`() async throws {
        try await Sandbox(faults: try SandboxFaults("keep-alive=20ms")).serving { url in
            let path = "/2/activity/stream?end_time=2020-01-01T00:00:00Z"
            let answer = try await HTTPClient.shared.execute(Self.request(url, path), timeout: .seconds(45))
            _ = try await answer.body.collect(upTo: 1024)
        }
    }

    @Test func `a backfill reaches the newest message, however many events come before it`() async throws {
        let scratch = try Scratch()
        let path = scratch.file("data")
        try await Router.test(Sandbox(data: path)) { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            let filter = ["event_type": "chat.sent", "filter": ["user_id": "1111"]] as [String: Any]
            #expect(try await router.ask(.post, "/2/activity/subscriptions", user: "app", json: filter).status == 200)
            try await alice.start(with: bob, at: router)
            // Events that are not messages, which cost little.
            try await DatabaseQueue(path: path).write { db in
                try db.execute(
                    sql: """
                        WITH RECURSIVE number (value) AS (
                            SELECT 1 UNION ALL SELECT value + 1 FROM number WHERE value < 10000
                        )
                        INSERT INTO event (
                            sequence, conversation, sender, message_id, created_at, is_key_change, encoded
                        )
                        SELECT value, conversation, sender, CAST(value AS BLOB), created_at, 0, encoded
                        FROM event, number
                        """
                )
            }
            for text in ["x", "y"] {
                let body = Member.body(of: try alice.seal(text, to: bob))
                _ = try await router.ask(.post, "/2/chat/conversations/2222/messages", user: "1111", json: body)
            }
            let stream = "/2/activity/stream?start_time=2020-01-01T00:00:00Z&end_time=2020-01-01T00:00:01Z"
            let answer = try await router.ask(.get, stream, user: "app")
            #expect(answer.body.split(separator: UInt8(ascii: "\n")).count { $0.count > 1 } == 2)
        }
    }

    @Test func `a signal closes a stream in good order`() async {
        await #expect(processExitsWith: .success) {
            try await Sandbox(faults: try SandboxFaults("keep-alive=20ms")).run(stopsOnSignals: true) { url in
                Task {
                    do {
                        let request = Self.request(url, "/2/activity/stream")
                        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
                        var isStopped = false
                        // If the body is cut off, this throws.
                        for try await _ in answer.body where !isStopped {
                            isStopped = true
                            kill(getpid(), SIGTERM)
                        }
                    } catch {
                        exit(1)
                    }
                }
            }
        }
    }

    @Test func `a signal lets a request finish that is being worked on`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let (answers, report) = AsyncStream.makeStream(of: Int.self)
            try await Sandbox(faults: try SandboxFaults("delay=500ms")).run(stopsOnSignals: true) { url in
                Task {
                    let request = Self.request(url, "/2/users/1/public_keys", token: "sandbox-1")
                    let answer = try? await HTTPClient.shared.execute(request, timeout: .seconds(30))
                    report.yield(Int(answer?.status.code ?? 0))
                    report.finish()
                }
                Task {
                    try await Task.sleep(for: .milliseconds(250))
                    kill(getpid(), SIGTERM)
                }
            }
            for await status in answers where status == 404 { exit(7) }
        }
    }
}
