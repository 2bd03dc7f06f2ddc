import Foundation
import Testing
import XChatEngine
import XChatEvents

@testable import XChatSandbox

/// The events of a conversation, page by page.
@Suite(.timeLimit(.minutes(1)))
struct HistoryTests {
    @Test func `pages are newest first, and key changes are in meta of each`() async throws {
        try await Router.test { router in
            var alice = try await Member("1111", .sodium, at: router)
            let bob = try await Member("2222", .sodium, at: router)
            try await alice.start(with: bob, at: router)
            var ids: [String] = []
            for number in 0..<25 {
                if number == 12 { try await alice.start(with: bob, at: router) }
                let message = try alice.seal("\(number)", to: bob)
                ids.append(message.messageID.string)
                let path = "/2/chat/conversations/2222/messages"
                #expect(try await router.ask(.post, path, user: "1111", json: Member.body(of: message)).status == 201)
            }

            var token: String?
            var found: [String] = []
            var counts: [Int] = []
            repeat {
                let query = token.map { "?pagination_token=\($0)" } ?? ""
                // The other user reads, and names the conversation by the id of the first user.
                let page = try await router.ask(.get, "/2/chat/conversations/1111/events\(query)", user: "2222")
                #expect(page.status == 200)
                let items = try #require(try page.json["data"] as? [[String: Any]])
                let meta = try #require(try page.json["meta"] as? [String: Any])
                #expect(meta["result_count"] as? Int == items.count)
                let keyEvents = try #require(meta["conversation_key_events"] as? [String])
                #expect(keyEvents.count == 2)
                for item in items {
                    let event = try MessageEvent(base64: try #require(item["encoded_event"] as? String))
                    #expect(item["id"] as? String == event.sequenceID?.string)
                    #expect(item["sender_id"] as? String == "1111")
                    #expect(item["conversation_id"] as? String == "1111:2222")
                    #expect(item["conversation_token"] as? String == event.conversationToken?.string)
                    let createdAt = try #require(item["created_at"] as? String)
                    #expect(createdAt.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
                    found.append(try #require(event.messageID?.string))
                }
                counts.append(items.count)
                token = meta["next_token"] as? String
                #expect(meta["has_more"] as? Bool == (token != nil))
            } while token != nil
            #expect(counts == [10, 10, 5])
            #expect(found == ids.reversed())
        }
    }

    @Test func `max_results is honoured, and a page token of nothing older ends the walk`() async throws {
        try await Router.test { router in
            var alice = try await Member("1111", .sodium, at: router)
            let bob = try await Member("2222", .sodium, at: router)
            try await alice.start(with: bob, at: router)
            let path = "/2/chat/conversations/2222"
            let empty = try await router.ask(.get, path + "/events", user: "1111")
            #expect((try empty.json["data"] as? [Any])?.isEmpty == true)
            for _ in 0..<3 {
                let body = Member.body(of: try alice.seal("x", to: bob))
                _ = try await router.ask(.post, path + "/messages", user: "1111", json: body)
            }
            for (query, count, more) in [
                ("max_results=2", 2, true), ("max_results=3", 3, false), ("max_results=100", 3, false),
                ("max_results=2&pagination_token=0000000000000000", 0, false),
            ] {
                let page = try await router.ask(.get, "\(path)/events?\(query)", user: "1111")
                #expect((try page.json["data"] as? [Any])?.count == count, "\(query)")
                #expect((try page.json["meta"] as? [String: Any])?["has_more"] as? Bool == more, "\(query)")
            }
        }
    }

    @Test func `a page ends before it grows too heavy`() throws {
        var page = EventPage(query: try PageQuery(maxResults: "100", paginationToken: nil))
        let heavy = (1...30).reversed().map { number in
            StoredEvent(sequence: number, createdAt: 0, encoded: Array(repeating: 0, count: 1 << 20))
        }
        let taken = heavy.prefix { page.add($0) }.count
        #expect((1..<10).contains(taken))
        #expect(page.events.count == taken)
        #expect(page.hasMore)
    }
}
