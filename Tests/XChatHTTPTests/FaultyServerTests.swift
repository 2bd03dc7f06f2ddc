import Foundation
import NIOCore
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatSandbox

@testable import XChatHTTP

/// The injected faults of the sandbox, seen by a client over sockets.
@Suite(.timeLimit(.minutes(1)))
struct FaultyServerTests {
    private static let patient = RetryPolicy(attempts: 40, firstPause: .milliseconds(1), longestPause: .milliseconds(4))

    /// Two users and their conversation, at a server that begins to fail when they have met.
    private func withPair(
        _ faults: String,
        _ body: @escaping @Sendable (URL, User, User, ConversationID) async throws -> Void
    ) async throws {
        let folder = try Scratch()
        let path = folder.path + "/data"
        let (alice, bob, conversation) = try await Sandbox(data: path).serving { url in
            var alice = try await User("1111", .sodium, url)
            var bob = try await User("2222", .sodium, url)
            let conversation = try await alice.start(with: bob)
            try bob.session.pin(try await bob.client.publicKeys(of: "1111"), of: "1111")
            for user in ["1111", "2222"] as [UserID] {
                let app = try ChatClient(api: url.absoluteString, token: Token("sandbox-app"))
                _ = try await app.subscribe(to: user == "1111" ? .sent : .received, of: user)
            }
            return (alice, bob, conversation)
        }
        try await Sandbox(data: path, faults: try SandboxFaults(faults)).serving { url in
            func moved(_ user: User) throws -> User {
                var user = user
                let token = try Token("sandbox-\(user.session.userID)")
                user.client = try ChatClient(api: url.absoluteString, token: token, retries: Self.patient)
                return user
            }
            try await body(url, moved(alice), moved(bob), conversation)
        }
        withExtendedLifetime(folder) {}
    }

    @Test func `a connection that breaks before every answer is a connection error`() async throws {
        try await withPair("drop=1") { url, alice, _, conversation in
            let client = try ChatClient(api: url.absoluteString, token: Token("sandbox-1111"), retries: .none)
            let message = try alice.session.seal(.text("x"), in: conversation)
            #expect(await thrownCode { _ = try await client.send(message) } == .connection)
            #expect(await thrownCode { _ = try await client.publicKeys(of: "1111") } == .connection)
        }
    }

    @Test(
        "each message arrives once, whether the server fails before or after its work",
        arguments: ["drop=0.5", "http500=0.5", "http502=0.5", "http503=0.5", "drop=0.2,http500=0.2,send-status=200"]
    )
    func once(_ faults: String) async throws {
        try await withPair(faults + ",seed=1") { _, alice, bob, conversation in
            let texts = (0..<12).map(String.init)
            for text in texts { _ = try await alice.send(text, in: conversation) }
            var bob = bob
            let history = try await bob.client.history(in: ConversationTarget(conversation))
            #expect(try bob.open(history) == texts)
        }
    }

    /// Sends while the stream is read, and answers the events of one kind until all were there.
    private func told(
        _ faults: String,
        backfillMinutes: Int? = nil,
        _ check: @escaping @Sendable ([ActivityEvent], _ connections: Int, [SentMessage]) throws -> Void
    ) async throws {
        try await withPair("seed=5," + faults) { url, alice, bob, conversation in
            let app = try ChatClient(api: url.absoluteString, token: Token("sandbox-app"))
            var sent: [SentMessage] = []
            var events: [ActivityEvent] = []
            var connections = 0
            for try await element in app.activity(backfillMinutes: backfillMinutes) {
                switch element {
                case .problem(let problem): throw problem
                case .event(let event): events.append(event)
                case .disconnected: break
                case .connected:
                    connections += 1
                    guard sent.isEmpty else { continue }
                    for number in 0..<12 { sent.append(try await alice.send("\(number)", in: conversation)) }
                }
                let ids = Set(events.filter { $0.kind == .received }.compactMap(\.encodedEvent)).count
                let others = Set(events.filter { $0.kind == .sent }.compactMap(\.encodedEvent)).count
                if ids == 12, others == 12 { break }
            }
            // All events decrypt, in any order.
            var session = bob.session
            let history = try await bob.client.history(in: ConversationTarget(conversation))
            for event in history.keyEvents { _ = try session.open(MessageEvent(base64: event)) }
            for event in events {
                let encoded = try MessageEvent(base64: try #require(event.encodedEvent))
                #expect(try session.open(encoded).isVerified)
                let id = try #require(event.conversationID)
                #expect(ConversationID(canonicalizing: id, sender: "1111") == ConversationID.oneToOne("1111", "2222"))
            }
            try check(events, connections, sent)
        }
    }

    @Test func `the fault that repeats events repeats each one`() async throws {
        try await withPair("keep-alive=20ms,duplicate=1") { url, alice, _, conversation in
            let app = try ChatClient(api: url.absoluteString, token: Token("sandbox-app"))
            let request = try APIRequest.activity(backfillMinutes: nil)
            let answer = try await app.transport.open(request, token: Token("sandbox-app"), timeout: .seconds(30))
            _ = try await alice.send("x", in: conversation)
            var splitter = LineSplitter(maximumBytes: 1 << 20)
            var lines: [[UInt8]] = []
            while lines.count < 4, let piece = try await answer.next(within: .seconds(30)) {
                var rest = piece.readableBytesView
                while let line = try splitter.next(from: &rest) {
                    if !line.isEmpty { lines.append(line) }
                }
            }
            #expect(lines.count == 4 && lines[0] == lines[1] && lines[2] == lines[3] && lines[0] != lines[2])
        }
    }

    @Test func `events delivered twice are yielded once`() async throws {
        try await told("keep-alive=20ms,duplicate=1") { events, connections, _ in
            #expect(events.count == 24)
            #expect(Set(events.map(\.uuid)).count == 24)
            #expect(connections == 1)
        }
    }

    @Test func `events out of order are all yielded`() async throws {
        // A delayed event comes with the next one or with a keep-alive.
        try await told("keep-alive=1s,reorder=0.5") { events, _, _ in
            #expect(events.count == 24)
            let numbers = events.compactMap { $0.uuid.flatMap { UInt64($0) } }
            #expect(numbers.count == 24 && numbers != numbers.sorted(), "nothing was out of order")
        }
    }

    @Test func `a stream that ends repeatedly is reopened with a backfill`() async throws {
        try await told("keep-alive=20ms,disconnect=0.2", backfillMinutes: 5) { _, connections, _ in
            #expect(connections > 1)
        }
    }

    @Test func `the spelling of X's guide lacks key and number, and the mixed spelling has both`() async throws {
        try await told("keep-alive=20ms,activity=guide") { events, _, _ in
            for event in events {
                #expect(event.uuid.flatMap { UUID(uuidString: $0) } != nil)
                #expect(event.keyChangeEvent == nil && event.conversationToken == nil && event.subscribedUserID == nil)
                #expect(event.conversationID == "1111-2222" && event.senderID == "1111")
            }
        }
        try await told("keep-alive=20ms,activity=mixed") { events, _, _ in
            #expect(Set(events.map(\.conversationID)) == ["1111-2222", "1111:2222"])
            #expect(Set(events.map { $0.keyChangeEvent == nil }) == [true, false])
        }
    }

    @Test func `a backfill delivers earlier events`() async throws {
        try await withPair("keep-alive=20ms") { url, alice, _, conversation in
            let app = try ChatClient(api: url.absoluteString, token: Token("sandbox-app"))
            let before = try await alice.send("before", in: conversation)
            for (minutes, first) in [(5, "before"), (nil, "now"), (0, "now")] as [(Int?, String)] {
                var now: MessageID?
                for try await element in app.activity(backfillMinutes: minutes) {
                    guard case .event(let event) = element else {
                        now = try await alice.send("now", in: conversation).messageID
                        continue
                    }
                    let id = try MessageEvent(base64: event.encodedEvent ?? "").messageID
                    #expect(id == (first == "before" ? before.messageID : now), "\(minutes ?? -1)")
                    break
                }
            }
            let wrong = app.activity(backfillMinutes: 6)
            #expect(await thrownCode { for try await _ in wrong {} } == .invalidArgument)
        }
    }
}
