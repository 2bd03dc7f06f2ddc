import Foundation
import TestSupport
import Testing
import XChatEvents

@testable import XChatHTTP

/// The pages of a conversation, joined to a history.
@Suite(.timeLimit(.minutes(1)))
struct HistoryTests {
    private func page(_ events: [String], keys: [String] = [], next: String? = nil) -> EventPage {
        EventPage(
            events: events.map { ServedEvent(encodedEvent: $0, id: nil, conversationToken: nil) },
            keyEvents: keys,
            nextToken: next,
            problems: []
        )
    }

    @Test func `events are in order, oldest first, without duplicates`() throws {
        var walk = HistoryWalk(maximumPages: 10, maximumBytes: 1000)
        #expect(try walk.add(page(["e5", "e4"], keys: ["k2", "k1"], next: "t1")) == "t1")
        #expect(try walk.add(page([], next: "t2")) == "t2")
        #expect(try walk.add(page(["e4", "e3", "", ""], keys: ["k1", "k2"])) == nil)
        #expect(walk.history.events.map(\.encodedEvent) == ["", "", "e3", "e4", "e5"])
        #expect(walk.history.keyEvents == ["k1", "k2"])
        #expect(walk.history.pageCount == 3)
    }

    @Test func `a repeated page token is an error`() throws {
        var walk = HistoryWalk(maximumPages: 10, maximumBytes: 1000)
        _ = try walk.add(page(["a"], next: "t1"))
        _ = try walk.add(page(["b"], next: "t2"))
        #expect(thrownCode { _ = try walk.add(page(["c"], next: "t1")) } == .malformedResponse)
    }

    @Test func `limits pages and bytes`() throws {
        var pages = HistoryWalk(maximumPages: 2, maximumBytes: 1000)
        _ = try pages.add(page(["a"], next: "t1"))
        #expect(thrownCode { _ = try pages.add(page(["b"], next: "t2")) } == .tooLarge)
        let size = MemoryLayout<ServedEvent>.stride + MemoryLayout<String>.stride + 5
        var bytes = HistoryWalk(maximumPages: 10, maximumBytes: size)
        _ = try bytes.add(page(["abc"], keys: ["de"], next: "t1"))
        #expect(thrownCode { _ = try bytes.add(page(["f"])) } == .tooLarge)
    }

    @Test func `empty elements, tokens and problems count toward the byte limit`() throws {
        let token = ServedEvent(encodedEvent: "", id: nil, conversationToken: String(repeating: "t", count: 5000))
        let problem = APIError(.server, String(repeating: "p", count: 5000))
        for page in [
            page(Array(repeating: "", count: 100)), page([], keys: Array(repeating: "", count: 300)),
            EventPage(events: [token], keyEvents: [], nextToken: nil, problems: []),
            EventPage(events: [], keyEvents: [], nextToken: nil, problems: [problem]),
        ] {
            var walk = HistoryWalk(maximumPages: 10, maximumBytes: 4000)
            #expect(thrownCode { _ = try walk.add(page) } == .tooLarge)
        }
    }

    @Test func `rejects a page of more than 1000 elements and keeps the first hundred errors`() throws {
        func list(_ count: Int, _ element: String) -> String {
            "[" + Array(repeating: element, count: count).joined(separator: ",") + "]"
        }
        let call = try Call.events(in: ConversationTarget("g7"), maxResults: 1, paginationToken: nil, limit: 1)
        func page(_ body: String) throws(APIError) -> EventPage {
            try call.read(Success(APIResponse(status: 200, body: Data(body.utf8)), token: Token("t")))
        }
        #expect(try page(#"{"data":\#(list(1000, "{}"))}"#).events.count == 1000)
        #expect(thrownCode { _ = try page(#"{"data":\#(list(1001, "{}"))}"#) } == .malformedResponse)
        #expect(thrownReason { _ = try page(#"{"data":\#(list(1001, "{}"))}"#) }?.contains("1001 elements") == true)
        let problems = try page(#"{"data":[],"errors":\#(list(5000, #"{"title":"x"}"#))}"#).problems
        #expect(problems.count == 100)
    }

    @Test func `a history sends each page token back and reads the meta of every page`() async throws {
        try await RawServer.run(
            .http(
                200,
                #"""
                {"data":[{"encoded_event":"e3","id":"3","conversation_token":"ct","sender_id":"1","future":{}},{"id":"2"}],
                "errors":[{"title":"one is missing"}],
                "meta":{"conversation_key_events":["k2"],"next_token":"a/b","has_more":false,"result_count":2}}
                """#
            ),
            .http(200, #"{"data":[{"encoded_event":"e1"}],"meta":{"conversation_key_events":["k1"],"next_token":""}}"#)
        ) { server, url in
            let client = try ChatClient(api: url, token: Token("t"))
            let history = try await client.history(in: ConversationTarget("g7"))
            #expect(history.events.map(\.encodedEvent) == ["e1", "", "e3"])
            #expect(history.events.last == ServedEvent(encodedEvent: "e3", id: "3", conversationToken: "ct"))
            #expect(history.keyEvents == ["k1", "k2"])
            #expect(history.problems.map(\.detail) == ["one is missing"])
            let lines = server.requests.map { $0.prefix { $0 != "\r\n" } }
            #expect(
                lines == [
                    "GET /2/chat/conversations/g7/events?max_results=100 HTTP/1.1",
                    "GET /2/chat/conversations/g7/events?max_results=100&pagination_token=a%2Fb HTTP/1.1",
                ]
            )
        }
    }

    @Test func `a server that repeats one page forever is an error`() async throws {
        try await RawServer.run(.http(200, #"{"data":[],"meta":{"next_token":"again"}}"#)) { server, url in
            let client = try ChatClient(api: url, token: Token("t"))
            #expect(
                await thrownCode { _ = try await client.history(in: ConversationTarget("1")) } == .malformedResponse
            )
            #expect(server.requests.count == 2)
        }
    }
}
