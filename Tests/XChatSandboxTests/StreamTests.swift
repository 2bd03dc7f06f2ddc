import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
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
