import Foundation
import Testing
import XChat
import XChatEvents

@testable import XChatHTTP

/// What an API client does for an outbox.
@Suite(.timeLimit(.minutes(1)))
struct OutboxSendingTests {
    private static let patient = RetryPolicy(attempts: 3, firstPause: .milliseconds(1), longestPause: .milliseconds(2))
    private let since = Date(timeIntervalSince1970: 1_000_000)

    private func client(_ url: String) throws -> ChatClient {
        try ChatClient(api: url, token: Token("t"), retries: Self.patient)
    }

    @Test func `a message is posted once a turn, whatever the policy of the client`() async throws {
        try await RawServer.run(.http(503, "{}")) { server, url in
            let message = try Sealer().seal("x")
            let client = try client(url)
            #expect(await thrownCode { _ = try await client.post(message) } == .server)
            #expect(server.requests.count == 1)
            #expect(await thrownCode { _ = try await client.send(message) } == .server)
            #expect(server.requests.count == 4)
        }
    }

    private func event(
        _ id: WireString,
        sequence: WireString = "77",
        sender: UserID = "1111",
        in conversation: WireString = "1111:2222",
        minutes: Double = 0,
        detail: MessageEventDetail = .messageCreateEvent(MessageCreateEvent(contents: [1]))
    ) -> String {
        let milliseconds = since.addingTimeInterval(minutes * 60).milliseconds
        let event = MessageEvent(
            sequenceID: sequence,
            messageID: id,
            senderID: sender,
            conversationID: conversation,
            createdAtMsec: WireString(String(milliseconds)),
            detail: detail
        )
        return Base64.encode(event.encoded())
    }

    private func page(_ events: [String], next: String?) -> RawAnswer {
        let items = events.map { #"{"encoded_event":"\#($0)"}"# }.joined(separator: ",")
        let token = next.map { #","meta":{"next_token":"\#($0)"}"# } ?? ""
        return .http(200, #"{"data":[\#(items)]\#(token)}"#)
    }

    private func posted(_ client: ChatClient) async throws -> [WireString: WireString] {
        try await client.posted(in: Sealer.a, by: "1111", since: since)
    }

    @Test func `messages are found by sender and conversation, back to an hour before the time`() async throws {
        try await RawServer.run(
            .http(503, "{}"),
            page(
                [
                    event("own", sequence: "9"), event("another's", sender: "2222"), "no event",
                    event("elsewhere", in: "1111:3333"), event("no number", sequence: "x"),
                    event("no message", detail: .messageFailureEvent(MessageFailureEvent())),
                    event("other spelling", sequence: "8", in: "2222:1111"),
                ],
                next: "second"
            ),
            page([event("clocks differ", sequence: "7", minutes: -59), event("before", minutes: -61)], next: "third"),
            page([event("never asked for")], next: nil)
        ) { server, url in
            let found = try await posted(client(url))
            #expect(found.filter { $0.key != "before" } == ["own": "9", "other spelling": "8", "clocks differ": "7"])
            #expect(server.requests.count == 3)
            #expect(server.requests.last?.contains("pagination_token=second") == true)
        }
    }

    @Test func `a conversation that is not there has no messages, and pages that repeat are an error`() async throws {
        try await RawServer.run(.http(404, "{}")) { _, url in
            let found = try await posted(client(url))
            #expect(found.isEmpty)
        }
        try await RawServer.run(page([event("x")], next: "again")) { server, url in
            let client = try client(url)
            #expect(await thrownCode { _ = try await posted(client) } == .malformedResponse)
            #expect(server.requests.count == 2)
        }
        try await RawServer.run(.http(403, "{}")) { _, url in
            let client = try client(url)
            #expect(await thrownCode { _ = try await posted(client) } == .forbidden)
        }
    }
}
