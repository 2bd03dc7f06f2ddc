import Foundation
import Synchronization
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatHTTP

@testable import XChat

/// Walks over several pages, with a server that lists a real conversation in small pages.
@Suite(.timeLimit(.minutes(1)))
struct StoredWalkTests {
    @Test func `an interrupted walk continues after a restart, oldest first, each message once`() async throws {
        try await ListedConversation.run(messages: 35, pageSize: 5) { listed in
            listed.refuses = "p4"
            let first = try await listed.open()
            let feed = try await Feed.open(first, consumer: "default")
            await feed.mark(listed.conversation)
            let waiting = Task { try await feed.turn() }
            while listed.refusals.withLock({ $0 }) == 0 { try await Task.sleep(for: .milliseconds(10)) }
            await feed.stop()
            #expect(try await waiting.value == nil)
            await first.close()
            #expect(listed.tokens == [nil, "p1", "p2", "p3", "p4"])
            let content = try listed.fixture.scratch.read("2222.db") + listed.fixture.scratch.read("2222.db-wal")
            #expect(!content.contains(Array(listed.events[0].encodedEvent.utf8.prefix(40))))

            listed.refuses = nil
            let second = try await listed.open()
            let (texts, sizes) = try await listed.read(second)
            #expect(texts == (0..<35).map { "\($0)" })
            #expect(listed.tokens.dropFirst(5).first == "p4")
            #expect(listed.tokens.count { $0 == nil } == 1)
            #expect(sizes.allSatisfy { $0 <= 5 })
            for kind in [RecordKey.Kind.walk, .walkEvents, .walkKeys] {
                #expect(try await second.store.list(kind, after: nil, limit: 10).keys.isEmpty)
            }
            await second.close()
        }
    }

    @Test func `a walk whose page token the server no longer knows starts again`() async throws {
        try await ListedConversation.run(messages: 20, pageSize: 5) { listed in
            listed.refuses = "p2"
            let first = try await listed.open()
            let feed = try await Feed.open(first, consumer: "default")
            await feed.mark(listed.conversation)
            let waiting = Task { try await feed.turn() }
            while listed.refusals.withLock({ $0 }) == 0 { try await Task.sleep(for: .milliseconds(10)) }
            await feed.stop()
            _ = try await waiting.value
            await first.close()
            listed.refuses = nil
            listed.prefix = "q"
            let second = try await listed.open()
            #expect(try await listed.read(second).texts == (0..<20).map { "\($0)" })
            await second.close()
        }
    }

    @Test func `an incompletely handled part of a walk is delivered again from its first message`() async throws {
        try await ListedConversation.run(messages: 12, pageSize: 5) { listed in
            let first = try await listed.open()
            let feed = try await Feed.open(first, consumer: "default")
            await feed.mark(listed.conversation)
            let next = try await feed.turn()
            var turn = try #require(next)
            let popped = turn.pop()
            let item = try #require(popped)
            try await turn.handled(item, in: first.store)
            await feed.stop()
            await first.close()
            let second = try await listed.open()
            #expect(try await listed.read(second).texts == (1..<12).map { "\($0)" })
            #expect(listed.tokens == [nil, "p1", "p2"])
            await second.close()
        }
    }

    @Test func `a message that is delivered again under a new sequence id is not shown, even after a restart`()
        async throws
    {
        try await ListedConversation.run(messages: 12, pageSize: 5) { listed in
            let first = try await listed.open()
            #expect(try await listed.read(first).texts.count == 12)
            await first.close()
            // A server can deliver the same signed text as the newest event, with another sequence id.
            for number in [3, 7] {
                var event = try MessageEvent(base64: listed.events[number].encodedEvent)
                event.sequenceID = SequenceID("899999999999999999\(number)")
                listed.add(event)
            }
            let second = try await listed.open()
            let feed = try await Feed.open(second, consumer: "default")
            await feed.mark(listed.conversation)
            let waiting = Task { try await feed.turn() }
            while listed.tokens.count(where: { $0 == nil }) < 2 { try await Task.sleep(for: .milliseconds(10)) }
            try await Task.sleep(for: .milliseconds(300))
            await feed.stop()
            #expect(try await waiting.value == nil)
            await second.close()
        }
    }
}

/// A conversation with messages of a real account, listed by a server in pages of any size.
final class ListedConversation: Sendable {
    private struct State {
        var events: [ServedEvent] = []
        var tokens: [String?] = []
        var refuses: String?
        var prefix = "p"
    }

    let fixture: AccountFixture
    let conversation = ConversationID.oneToOne("1111", "2222")
    let refusals = Mutex(0)
    private let pageSize: Int
    private let keyEvents: [String]
    private let url = Mutex("")
    private let state: Mutex<State>

    private init(_ fixture: AccountFixture, _ events: [ServedEvent], keyEvents: [String], pageSize: Int) {
        self.fixture = fixture
        self.pageSize = pageSize
        self.keyEvents = keyEvents
        state = Mutex(State(events: events))
    }

    /// The events, oldest first.
    var events: [ServedEvent] { state.withLock { $0.events } }
    /// The requested tokens; nil is the newest page.
    var tokens: [String?] { state.withLock { $0.tokens } }
    /// The page for which the server answers with a rate limit of one hour.
    var refuses: String? {
        get { state.withLock { $0.refuses } }
        set { state.withLock { $0.refuses = newValue } }
    }
    /// The beginning of the tokens that the server accepts.
    var prefix: String {
        get { state.withLock { $0.prefix } }
        set { state.withLock { $0.prefix = newValue } }
    }

    func add(_ event: MessageEvent) {
        let served = ServedEvent(
            encodedEvent: Base64.encode(event.encoded()),
            id: event.sequenceID?.string,
            conversationToken: nil
        )
        state.withLock { $0.events.append(served) }
    }

    /// Writes messages with the numbers from 0 on, and serves them.
    static func run(
        messages: Int,
        pageSize: Int,
        _ body: @escaping @Sendable (ListedConversation) async throws -> Void
    ) async throws {
        try await AccountFixture.run { fixture in
            let alice = try await fixture.open("1111")
            let bob = try await fixture.open("2222")
            let conversation = try await alice.startConversation(with: "2222")
            for number in 0..<messages { try await alice.enqueue(.text("\(number)"), to: conversation) }
            // After this, the account knows pins and keys.
            while try await bob.history(of: conversation).count < messages {
                try await Task.sleep(for: .milliseconds(20))
            }
            let history = try await bob.wholeHistory(of: conversation)
            await alice.close()
            await bob.close()
            let listed = ListedConversation(fixture, history.events, keyEvents: history.keyEvents, pageSize: pageSize)
            try await RawServer.run(answering: { listed.answer($0) }) { _, url in
                listed.url.withLock { $0 = url }
                try await body(listed)
            }
        }
    }

    private func answer(_ request: String) -> RawAnswer {
        guard request.contains("/events?") else { return .http(200, #"{"data":[],"meta":{"result_count":0}}"#) }
        let token = request.firstMatch(of: /pagination_token=([a-z0-9]+)/).map { String($0.1) }
        return state.withLock { state in
            state.tokens.append(token)
            if let token, token == state.refuses {
                refusals.withLock { $0 += 1 }
                let reset = Int(Date().timeIntervalSince1970) + 3600
                return .http(429, headers: ["x-rate-limit-reset: \(reset)"], #"{"title":"Too Many Requests"}"#)
            }
            var page = 0
            if let token {
                guard token.hasPrefix(state.prefix), let number = Int(token.dropFirst()) else {
                    return .http(400, #"{"title":"Invalid Request","detail":"unknown token"}"#)
                }
                page = number
            }
            let newestFirst = Array(state.events.reversed())
            let events = newestFirst.dropFirst(page * pageSize).prefix(pageSize)
            var meta: [String: Any] = ["conversation_key_events": keyEvents]
            if (page + 1) * pageSize < newestFirst.count { meta["next_token"] = "\(state.prefix)\(page + 1)" }
            let body: [String: Any] = [
                "data": events.map { ["encoded_event": $0.encodedEvent, "id": $0.id ?? ""] }, "meta": meta,
            ]
            let data = (try? JSONSerialization.data(withJSONObject: body)) ?? Data()
            return .http(200, String(decoding: data, as: UTF8.self))
        }
    }

    /// Opens the reader's account at this server.
    func open() async throws -> Account {
        var configuration = try fixture.configuration("2222")
        configuration.api = url.withLock { $0 }
        return try await Account.open(configuration)
    }

    /// Follows until the last message was handled.
    ///
    /// - Returns: The texts, and the number of messages of each turn.
    func read(_ account: Account) async throws -> (texts: [String], sizes: [Int]) {
        let feed = try await Feed.open(account, consumer: "default")
        await feed.mark(conversation)
        var (texts, sizes) = ([String](), [Int]())
        let last = try MessageEvent(base64: events.last?.encodedEvent ?? "").messageID
        while var turn = try await feed.turn() {
            sizes.append(turn.items.count)
            var isLast = false
            while let item = turn.pop() {
                if case .success(let event) = item.opened.result { texts.append(event.message?.text ?? "") }
                try await turn.handled(item, in: account.store)
                isLast = isLast || item.opened.received?.messageID == last
            }
            await feed.end(turn)
            if isLast { break }
        }
        await feed.stop()
        return (texts, sizes)
    }
}
