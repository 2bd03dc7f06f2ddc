import Foundation
import LibSodium
import Synchronization
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatHTTP

@testable import XChat

/// Long histories, and histories in which a rate limit interrupts the reading.
@Suite(.timeLimit(.minutes(2)))
struct HistoryWalkTests {
    private static let conversation = ConversationID.oneToOne("1111", "2222")
    private static let limited = RawAnswer.http(
        429,
        headers: ["x-rate-limit-reset: 1"],
        #"{"title":"Too Many Requests"}"#
    )

    private static func page(next: String? = nil) -> RawAnswer {
        .http(200, #"{"data":[],"meta":{"result_count":0\#(next.map { #","next_token":"\#($0)""# } ?? "")}}"#)
    }

    /// Reads a history that a server answers in pages.
    ///
    /// - Parameters:
    ///   - answers: The answers in turn.
    ///   - notify: Receives notices.
    /// - Returns: The requested page tokens, and the error if there was one.
    /// - Throws: Why the account cannot be made.
    private func read(
        _ answers: [RawAnswer],
        notify: @escaping @Sendable (Notice) -> Void = { _ in }
    ) async throws -> (tokens: [String?], error: APIError?) {
        let scratch = try Scratch()
        // The first request asks for the user of the token, which this server does not know.
        return try await RawServer.run([.http(404, "{}")] + answers) { [scratch] server, url in
            var configuration = Account.Configuration(.accountFile(scratch.file("account.db"))) { _ in
                try SecretBytes(copying: Array("correct horse".utf8).span)
            }
            configuration.api = url
            configuration.passwordLimits = .minimum
            configuration.token = TokenSource(try Token("secret"))
            configuration.notify = notify
            let keys = try PrivateKeys.generate(.sodium)
            try await Account.create(for: "1111", keys: keys, version: "1", isImport: false, configuration)
            let account = try await Account.openUnregistered(configuration)
            var error: APIError?
            do {
                _ = try await account.readHistory(of: Self.conversation)
            } catch let thrown as APIError {
                error = thrown
            }
            await account.close()
            let tokens = server.requests.filter { $0.contains("/events?") }.map { request in
                request.firstMatch(of: /pagination_token=(\w+)/).map { String($0.1) }
            }
            return (tokens, error)
        }
    }

    @Test func `a history of more than 1,000 pages is read completely`() async throws {
        let answers = (1...1001).map { Self.page(next: "p\($0)") } + [Self.page()]
        let (tokens, error) = try await read(answers)
        #expect(error == nil)
        #expect(tokens == [nil] + (1...1001).map { "p\($0)" })
    }

    @Test func `after a rate limit within a history the same page is read, with a notice of the wait`() async throws {
        let notices = Mutex<[String]>([])
        // The number of attempts of one call.
        let limits = Array(repeating: Self.limited, count: 4)
        let (tokens, error) = try await read([Self.page(next: "a"), Self.page(next: "b")] + limits + [Self.page()]) {
            notice in
            notices.withLock { $0.append("\(notice)") }
        }
        #expect(error == nil)
        #expect(tokens == [nil, "a", "b", "b", "b", "b", "b"])
        let waits = notices.withLock { $0.filter { $0.contains("rate_limited") } }
        #expect(waits.count == 1, "\(waits)")
    }

    @Test func `a rate limit before the first page is an error that names its end`() async throws {
        let reset = Int(Date().timeIntervalSince1970) + 900
        let (tokens, error) = try await read([.http(429, headers: ["x-rate-limit-reset: \(reset)"], "{}")])
        #expect(error?.code == .rateLimited && error?.description.contains("; not before 20") == true)
        #expect(tokens == [nil])
    }
}
