import Logging
import Synchronization
import TestSupport
import Testing
import XChatEvents

@testable import XChatHTTP

/// Logs contain the call and its result, and no ids, tokens, queries or bodies.
@Suite(.timeLimit(.minutes(1)))
struct LoggingTests {
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    private struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = (event.metadata ?? [:]).map { "\($0)=\($1)" }.sorted()
            lines.add("\(event.level) \(event.message) \(metadata.joined(separator: " "))")
        }
    }

    @Test func `logs method, route, status, duration and result, and nothing else`() async throws {
        let lines = Lines()
        let logger = Logger(label: "test") { _ in Handler(lines: lines) }
        let body = #"{"detail":"secret-body"}"#
        try await RawServer.run(.http(200, #"{"meta":{}}"#), .http(404, body)) { _, url in
            let client = try ChatClient(api: url, token: Token("secret-token"), logger: logger)
            let target = try ConversationTarget("1111-2222")
            _ = try await client.events(in: target, paginationToken: "secret-page")
            _ = await thrownCode { _ = try await client.publicKeys(of: "3333") }
        }
        #expect(lines.all.count == 2)
        let pattern =
            /(debug GET \/2\/chat\/conversations\/\{id\}\/events|warning GET \/2\/users\/\{id\}\/public_keys) duration=[^ ]+ seconds result=(ok|not_found) status=(200|404)/
        for line in lines.all { #expect(line.wholeMatch(of: pattern) != nil, "\(line)") }
    }
}
