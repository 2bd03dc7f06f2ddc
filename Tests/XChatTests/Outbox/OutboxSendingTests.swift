import TestSupport
import Testing
import XChatEngine
import XChatEvents

@testable import XChat
@testable import XChatHTTP

/// The functions of an API client that an outbox uses.
@Suite(.timeLimit(.minutes(1)))
struct OutboxSendingTests {
    private static let patient = RetryPolicy(attempts: 3, firstPause: .milliseconds(1), longestPause: .milliseconds(2))

    private func client(_ url: String) throws -> ChatClient {
        try ChatClient(api: url, token: Token("t"), retries: Self.patient)
    }

    @Test func `a message is posted once in each turn, whatever the retry policy of the client`() async throws {
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
        _ id: MessageID,
        sequence: SequenceID = "77",
        sender: UserID = "1111",
        in conversation: WireString = "1111:2222",
        version: KeyVersion? = "1001",
        created: WireString = "1000000000000"
    ) -> String {
        let create = MessageCreateEvent(contents: [1], conversationKeyVersion: version)
        return encoded(.messageCreateEvent(create), id, sequence, sender, conversation, created)
    }

    private func encoded(
        _ detail: MessageEventDetail,
        _ id: MessageID,
        _ sequence: SequenceID = "77",
        _ sender: UserID = "1111",
        _ conversation: WireString = "1111:2222",
        _ created: WireString = "1000000000000"
    ) -> String {
        let event = MessageEvent(
            sequenceID: sequence,
            messageID: id,
            senderID: sender,
            conversationID: conversation,
            createdAtMsec: created,
            detail: detail
        )
        return Base64.encode(event.encoded())
    }

    private func page(_ events: [String], next: String?) -> RawAnswer {
        let items = events.map { #"{"encoded_event":"\#($0)"}"# }.joined(separator: ",")
        let token = next.map { #","meta":{"next_token":"\#($0)"}"# } ?? ""
        return .http(200, #"{"data":[\#(items)]\#(token)}"#)
    }

    private func posted(_ client: ChatClient, _ message: SealedMessage? = nil) async throws -> PostedMessages {
        try await client.posted(message ?? Sealer().seal("x"), by: "1111")
    }

    @Test func `messages are found by sender and conversation, back to one under an older key`() async throws {
        try await RawServer.run(
            .http(503, "{}"),
            page(
                [
                    event("own", sequence: "9"), event("another's", sender: "2222"), "no event",
                    event("elsewhere", in: "1111:3333", version: "1"), event("no number", sequence: "x"),
                    encoded(.messageFailureEvent(MessageFailureEvent()), "no message"),
                    event("other spelling", sequence: "8", in: "2222:1111"), event("no version", version: nil),
                    event("newer", sequence: "7", version: "1002"), event("no number as version", version: "x"),
                ],
                next: "second"
            ),
            page([event("as old", sequence: "6"), event("older", sender: "2222", version: "999")], next: "third"),
            page([event("never asked for")], next: nil)
        ) { server, url in
            let found = try await posted(client(url))
            #expect(
                found.sequenceIDs == [
                    "own": "9", "other spelling": "8", "newer": "7", "as old": "6", "no version": "77",
                    "no number as version": "77",
                ]
            )
            #expect(found.isComplete)
            #expect(server.requests.count == 3)
            #expect(server.requests.last?.contains("pagination_token=second") == true)
        }
    }

    @Test("the time of an event does not end the search", arguments: ["0", "9999999999999"])
    func times(_ created: WireString) async throws {
        try await RawServer.run(
            page([event("other", created: created)], next: "second"),
            page([event("own", sequence: "5", created: created)], next: nil)
        ) { server, url in
            let found = try await posted(client(url))
            #expect(found.sequenceIDs["own"] == "5")
            #expect(found.isComplete)
            #expect(server.requests.count == 2)
        }
    }

    @Test func `the search ends at the message, and reports that it did not read the whole history`() async throws {
        let message = try Sealer().seal("x")
        try await RawServer.run(page([event("newer"), event(message.messageID, sequence: "5")], next: "second")) {
            server,
            url in
            let found = try await posted(client(url), message)
            #expect(found.sequenceIDs == ["newer": "77", message.messageID: "5"])
            #expect(!found.isComplete)
            #expect(server.requests.count == 1)
        }
    }

    @Test func `a history with missing events is an error, and not an absence`() async throws {
        let message = try Sealer().seal("x")
        func page(_ id: MessageID) -> RawAnswer {
            .http(200, #"{"data":[{"encoded_event":"\#(event(id))"}],"errors":[{"title":"x","type":"about:blank"}]}"#)
        }
        try await RawServer.run(page("other")) { _, url in
            let client = try client(url)
            #expect(await thrownCode { _ = try await posted(client, message) } == .malformedResponse)
        }
        try await RawServer.run(page(message.messageID)) { _, url in
            let found = try await posted(client(url), message)
            #expect(found.sequenceIDs[message.messageID] == "77")
        }
    }

    @Test func `a history of more pages than the client's limit is an error, and not an absence`() async throws {
        try await RawServer.run(page([event("x")], next: "a"), page([event("y")], next: "b")) { server, url in
            let client = try ChatClient(api: url, token: Token("t"), limits: .init(pages: 2))
            #expect(await thrownCode { _ = try await posted(client) } == .tooLarge)
            #expect(server.requests.count == 2)
        }
    }

    @Test func `a conversation that does not exist has no messages, and repeated pages are an error`() async throws {
        try await RawServer.run(.http(404, "{}")) { _, url in
            let found = try await posted(client(url))
            #expect(found == PostedMessages(sequenceIDs: [:], isComplete: true))
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
