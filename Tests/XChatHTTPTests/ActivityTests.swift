import Foundation
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatSandbox

@testable import XChatHTTP

/// Lines, events and reconnects of the activity stream, without a socket.
struct ActivityTests {
    private let now = Date(timeIntervalSince1970: 1_000_000)

    private func line(_ text: String) throws(APIError) -> ActivityLine { try ActivityLine(Array(text.utf8)) }

    // MARK: Lines

    @Test("splits the same lines from pieces of any size", arguments: [1, 2, 3, 5, 100])
    func pieces(_ size: Int) throws {
        let text = Array("{}\r\n\r\nab\n\rc\r\nend".utf8)
        var splitter = LineSplitter(maximumBytes: 10)
        var lines: [String] = []
        for start in stride(from: 0, to: text.count, by: size) {
            var piece = text[start..<min(start + size, text.count)]
            while let line = try splitter.next(from: &piece) { lines.append(String(decoding: line, as: UTF8.self)) }
            #expect(piece.isEmpty)
        }
        #expect(lines == ["{}", "", "ab", "\rc"])
        #expect(splitter.isInsideLine)
    }

    @Test func `a line longer than the limit is an error`() throws {
        var splitter = LineSplitter(maximumBytes: 4)
        var piece = Array("abcd\nabcd".utf8)[...]
        #expect(try splitter.next(from: &piece) == Array("abcd".utf8))
        #expect(try splitter.next(from: &piece) == nil)
        piece = Array("e".utf8)[...]
        #expect(thrownCode { _ = try splitter.next(from: &piece) } == .tooLarge)
    }

    @Test func `removes one line from a piece and leaves the rest`() throws {
        var splitter = LineSplitter(maximumBytes: 10)
        var piece = Array("a\nb\nc".utf8)[...]
        #expect(try splitter.next(from: &piece) == Array("a".utf8))
        #expect(piece.elementsEqual("b\nc".utf8) && !splitter.isInsideLine)
    }

    @Test(
        "empty and unknown messages are keep-alives",
        arguments: ["", " ", "\r", "{}", #"{"data":null}"#, #"{"new_kind":1}"#]
    )
    func keepAlive(_ text: String) throws {
        #expect(try line(text) == .keepAlive)
    }

    @Test func `a byte order mark before a line is not part of it`() throws {
        #expect(try line("\u{FEFF}") == .keepAlive)
        let text = #"{"data":{"event_type":"chat.sent","event_uuid":"1"}}"#
        #expect(try line("\u{FEFF}" + text) == line(text))
        #expect(thrownCode { _ = try line("x\u{FEFF}" + text) } == .malformedResponse)
    }

    @Test(
        "a line that is not a JSON event is an error",
        arguments: ["x", "[]", "{", #"{"data":[]}"#, #"{"data":{}}"#]
    )
    func malformed(_ text: String) {
        #expect(thrownCode { _ = try line(text) } == .malformedResponse)
    }

    @Test func `both spellings of X's documentation decode to the same event`() throws {
        let full = #"""
            {"data":{"event_type":"chat.received","event_uuid":"1990000000000000001","filter":{"user_id":"7"},"tag":"t",
            "payload":{"encoded_event":"E","conversation_key_change_event":"K","conversation_key_version":"9",
            "conversation_id":"1:2","sender_id":"1","id":"u","created_at_msec":"5","conversation_token":"c",
            "message_event_signature":{"signature":"s"}}}}
            """#.replacing("\n", with: "")
        guard case .event(let event) = try line(full) else { throw APIError(.malformedResponse, "no event") }
        #expect(event.kind == .received && event.uuid == "1990000000000000001" && event.tag == "t")
        #expect(event.subscribedUserID == "7" && event.senderID == "1" && event.conversationID == "1:2")
        #expect(event.encodedEvent == "E" && event.keyChangeEvent == "K" && event.conversationKeyVersion == "9")
        #expect(event.conversationToken == "c")
        let guide = #"""
            {"data":{"event_type":"chat.received","event_uuid":"6f0fadd8-0000-4000-8000-000000000000",
            "payload":{"encoded_event":"E","conversation_key_change_event":"K","conversation_key_version":"9",
            "conversation_id":"1-2","sender_id":"1"}}}
            """#
        let other = try ActivityEvent(webhookBody: Data(guide.utf8))
        #expect(other.encodedEvent == event.encodedEvent && other.keyChangeEvent == event.keyChangeEvent)
        let (id, otherID) = (try #require(event.conversationID), try #require(other.conversationID))
        #expect(try ConversationTarget(id) == ConversationTarget(otherID))
        #expect(ActivityEvent.Kind(rawValue: "chat.conversation_join") == .joined)
    }

    @Test func `malformed ids of an event count as absent`() throws {
        let digits = String(repeating: "1", count: 20)
        for bad in ["", "x", "\(digits)", "1\\u0301"] {
            let text =
                #"{"data":{"event_type":"chat.received","filter":{"user_id":"\#(bad)"},"payload":{"encoded_event":"E","#
                + #""conversation_key_version":"\#(bad)","conversation_id":"\#(bad)","sender_id":"\#(bad)"}}}"#
            guard case .event(let event) = try line(text) else { throw APIError(.malformedResponse, "no event") }
            #expect(event.conversationKeyVersion == nil && event.conversationID == nil && event.senderID == nil)
            #expect(event.subscribedUserID == nil && event.encodedEvent == "E")
        }
    }

    @Test func `decodes events with an unknown payload`() throws {
        guard
            case .event(let event) = try line(
                #"{"data":{"event_type":"post.x","payload":{"encoded_event":[1],"id":1}}}"#
            )
        else { throw APIError(.malformedResponse, "no event") }
        #expect(event.encodedEvent == nil)
    }

    @Test func `errors of the server end the connection or are reported`() throws {
        let end =
            #"{"errors":[{"title":"operational-disconnect","type":"https://api.x.com/2/problems/operational-disconnect"}]}"#
        #expect(try line(end) == .disconnect)
        guard case .problem(let problem) = try line(#"{"errors":[{"title":"Odd","code":88}]}"#) else {
            throw APIError(.malformedResponse, "no problem")
        }
        #expect(problem.code == .rateLimited && problem.detail == "Odd")
    }

    @Test func `rejects a webhook body without an event`() {
        for body in ["", "{}", #"{"errors":[{"title":"x"}]}"#, "[]"] {
            #expect(thrownCode { _ = try ActivityEvent(webhookBody: Data(body.utf8)) } == .malformedResponse)
        }
    }

    // MARK: Deliveries

    private func event(_ uuid: String?, kind: String = "chat.received", encoded: String = "E") throws -> ActivityEvent {
        let id = uuid.map { #""event_uuid":"\#($0)","# } ?? ""
        let body = #"{"data":{\#(id)"event_type":"\#(kind)","payload":{"encoded_event":"\#(encoded)"}}}"#
        return try ActivityEvent(webhookBody: Data(body.utf8))
    }

    @Test func `a repeated delivery is dropped by its id, or by its event if it has no id`() throws {
        var seen = SeenDeliveries(capacity: 2)
        #expect(seen.insert(try event("1")))
        #expect(!seen.insert(try event("1", encoded: "F")))
        #expect(seen.insert(try event("1", kind: "chat.sent")))
        #expect(seen.insert(try event(nil)))
        #expect(!seen.insert(try event(nil)))
        #expect(seen.insert(try event("1")), "two others came since: it was forgotten, as memory is bounded")
    }

    @Test func `keeps hashes and not ids, which may be as long as a line`() throws {
        var seen = SeenDeliveries()
        let name = String(repeating: "long ", count: 100)
        #expect(seen.insert(try event(name)))
        #expect(!seen.insert(try event(name)))
        var kept = ""
        dump(seen, to: &kept)
        #expect(!kept.contains("long"))
    }

    // MARK: Reconnects

    private func error(_ status: Int?, _ code: APIError.Code, problem: String? = nil, resetIn: Double? = nil)
        -> APIError
    {
        var error = APIError(code, "x", status: status)
        error.problem = problem
        error.resetAt = resetIn.map { now.addingTimeInterval($0) }
        return error
    }

    private func pauses(_ error: APIError?, life: Duration? = nil, times: Int) -> [ReconnectState.Action] {
        var state = ReconnectState(longLife: .seconds(25))
        return (0..<times).map { _ in state.ended(error, life: life, now: now, jitter: 0) }
    }

    @Test func `after network errors the pause starts at 0 and grows by 250 ms up to 16 seconds`() {
        let actions = pauses(error(nil, .connection), times: 100)
        #expect(
            actions.prefix(4) == [
                .connect(after: .zero), .connect(after: .milliseconds(250)), .connect(after: .milliseconds(500)),
                .connect(after: .milliseconds(750)),
            ]
        )
        #expect(actions.last == .connect(after: .seconds(16)))
    }

    @Test func `the pause also grows when the server closes each connection early`() {
        #expect(pauses(nil, life: .seconds(1), times: 3).last == .connect(after: .milliseconds(500)))
        #expect(pauses(error(200, .connection), life: .zero, times: 3).last == .connect(after: .milliseconds(500)))
        #expect(pauses(nil, life: .seconds(25), times: 3).last == .connect(after: .zero))
    }

    @Test func `after HTTP errors the pause starts at 5 seconds and doubles up to 320`() {
        let actions = pauses(error(503, .server), times: 9)
        #expect(
            actions.prefix(3) == [
                .connect(after: .seconds(5)), .connect(after: .seconds(10)), .connect(after: .seconds(20)),
            ]
        )
        #expect(actions.last == .connect(after: .seconds(320)))
        let tooMany = error(403, .forbidden, problem: "streaming-connection")
        #expect(pauses(tooMany, times: 1) == [.connect(after: .seconds(5))])
        #expect(pauses(error(503, .server, resetIn: 300), times: 1) == [.connect(after: .seconds(300))])
        #expect(pauses(error(503, .server, resetIn: 1e12), times: 1) == [.connect(after: .seconds(86_400))])
        #expect(pauses(error(503, .server, resetIn: -1), times: 1) == [.connect(after: .seconds(5))])
    }

    @Test func `after rate limits the pause starts at 60 seconds and doubles, or is the server's, up to a day`() {
        #expect(
            pauses(error(429, .rateLimited), times: 2) == [
                .connect(after: .seconds(60)), .connect(after: .seconds(120)),
            ]
        )
        #expect(pauses(error(429, .rateLimited, resetIn: 300), times: 1) == [.connect(after: .seconds(300))])
        #expect(pauses(error(429, .rateLimited, resetIn: 1e12), times: 1) == [.connect(after: .seconds(86_400))])
    }

    @Test("a final refusal ends the stream", arguments: [400, 403, 404])
    func refusal(_ status: Int) {
        #expect(pauses(error(status, APIError.Code(status: status) ?? .invalidRequest), times: 1) == [.fail])
    }

    @Test func `a refused token is renewed once, and again after a long connection`() {
        var state = ReconnectState(longLife: .seconds(25))
        let refusal = error(401, .unauthorized)
        #expect(state.ended(refusal, life: nil, now: now, jitter: 0) == .refreshToken)
        #expect(state.ended(refusal, life: nil, now: now, jitter: 0) == .fail)
        _ = state.ended(nil, life: .seconds(60), now: now, jitter: 0)
        #expect(state.ended(refusal, life: nil, now: now, jitter: 0) == .refreshToken)
    }

    // MARK: Webhooks

    @Test func `answers a CRC check with the known value`() throws {
        // echo -n 'challenge_string' | openssl dgst -sha256 -hmac 'secret' -binary | base64
        #expect(
            try Webhook.crcAnswer(crcToken: "challenge_string", consumerSecret: "secret")
                == #"{"response_token":"sha256=KVLX9CEwUdVdeJfmJAnltj/knkdCqwZJlA1u97xbErw="}"#
        )
    }

    @Test(
        "does not answer a CRC check whose token could be a delivery",
        arguments: [#"{"data":{}}"#, "", "a b", "é", "[1]"]
    )
    func noOracle(_ token: String) {
        #expect(thrownCode { _ = try Webhook.crcAnswer(crcToken: token, consumerSecret: "secret") } == .invalidArgument)
    }

    @Test func `a delivery is valid only with its own signature`() {
        let body = Array(#"{"data":{}}"#.utf8)
        let good = "sha256=T+pE1TuxZqwIyvm66lexxC99kPZGVvz0RVGyzvLYUz8="
        #expect(Webhook.isValid(signature: good, body: body, consumerSecret: "secret"))
        #expect(!Webhook.isValid(signature: good, body: body + [0x20], consumerSecret: "secret"))
        #expect(!Webhook.isValid(signature: good, body: body, consumerSecret: "Secret"))
        #expect(!Webhook.isValid(signature: nil, body: body, consumerSecret: "secret"))
        for bad in [
            "", "sha256=", "sha1=" + good.dropFirst(7), String(good.dropLast(4)), good.dropFirst(7).description,
        ] {
            #expect(!Webhook.isValid(signature: bad, body: body, consumerSecret: "secret"))
        }
    }

    // MARK: Subscriptions

    private func read<Answer>(_ call: Call<Answer>, _ body: String) throws(APIError) -> Answer {
        try call.read(Success(APIResponse(status: 200, body: Data(body.utf8)), token: Token("t")))
    }

    @Test(
        "decodes all three documented forms of a subscription",
        arguments: [
            #"{"data":{"subscription":{"subscription_id":"5","event_type":"chat.conversation_join","filter":{"user_id":"7"}}}}"#,
            #"{"data":{"subscription_id":"5","event_type":"chat.conversation.join","filter":{"user_id":"7"}}}"#,
            #"{"data":[{"subscription_id":"5","event_type":"chat.conversation.join","filter":{"user_id":"7"}}],"meta":{}}"#,
        ]
    )
    func subscription(_ body: String) throws {
        let call = try Call.subscribe(to: .joined, of: "7", tag: nil, webhookID: nil, limit: 1)
        let subscription = try read(call, body)
        #expect(subscription.id == "5" && subscription.kind == .joined && subscription.userID == "7")
        #expect(
            call.request.body.map { String(decoding: $0, as: UTF8.self) }
                == #"{"event_type":"chat.conversation.join","filter":{"user_id":"7"}}"#
        )
    }

    @Test func `rejects a subscription id that would change the path`() {
        #expect(thrownCode { _ = try Call.unsubscribe("1/2", limit: 1) } == .invalidArgument)
        #expect(thrownCode { _ = try Call.unsubscribe(all: ["1,2"], limit: 1) } == .invalidArgument)
        #expect(thrownCode { _ = try Call.unsubscribe(all: [], limit: 1) } == .invalidArgument)
    }
}

/// The stream over sockets, from the sandbox and from faulty servers.
@Suite(.timeLimit(.minutes(1)))
struct ActivityStreamTests {
    private static let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

    private static func chunk(_ text: String) -> String {
        "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n"
    }

    private static func line(_ number: Int) -> String {
        chunk(
            #"{"data":{"event_type":"chat.sent","event_uuid":"\#(number)","payload":{"encoded_event":"E"}}}"# + "\r\n"
        )
    }

    private func client(_ url: String, token: String = "app", silence: Duration = .seconds(300)) throws -> ChatClient {
        try ChatClient(api: url, token: Token(token), limits: .init(timeout: .seconds(50), streamSilence: silence))
    }

    /// The first elements of a stream, in short: `+` for a connection, `!` for a problem, the id of an event.
    private func first(_ count: Int, of client: ChatClient) async throws -> [String] {
        var elements: [String] = []
        for try await element in client.activity() {
            switch element {
            case .connected: elements.append("+")
            case .disconnected: elements.append("-")
            case .problem: elements.append("!")
            case .event(let event): elements.append(event.uuid ?? "?")
            }
            if elements.count == count { break }
        }
        return elements
    }

    @Test func `a broken stream continues on a new connection without repeating events`() async throws {
        try await RawServer.run(
            .bytesAndClose(Self.head + Self.line(1) + Self.chunk("\r\n") + Self.line(1) + Self.line(2)),
            .bytes(Self.head + Self.line(2) + Self.chunk("nonsense\n") + Self.line(3))
        ) { server, url in
            let elements = try await first(7, of: client(url))
            #expect(elements == ["+", "1", "2", "-", "+", "!", "3"])
            #expect(server.requests.count == 2)
        }
    }

    @Test func `reconnects when the server announces the end of the connection`() async throws {
        let end = Self.chunk(#"{"errors":[{"type":"https://api.x.com/2/problems/operational-disconnect"}]}"# + "\r\n")
        try await RawServer.run(.bytes(Self.head + Self.line(1) + end), .bytes(Self.head + Self.line(2))) { _, url in
            let elements = try await first(5, of: client(url))
            #expect(elements == ["+", "1", "-", "+", "2"])
        }
    }

    @Test func `reconnects when the stream is silent for too long`() async throws {
        try await RawServer.run(.bytes(Self.head + Self.line(1)), .bytes(Self.head + Self.line(2))) { _, url in
            let elements = try await first(5, of: client(url, silence: .seconds(1)))
            #expect(elements == ["+", "1", "-", "+", "2"])
        }
    }

    @Test func `reconnects when a line does not end in time`() async throws {
        let drip = RawAnswer.endless(Self.head + Self.line(1), more: Self.chunk("a"), pause: 20)
        try await RawServer.run(drip, .bytes(Self.head + Self.line(2))) { _, url in
            let limits = ChatClient.Limits(timeout: .seconds(3), streamSilence: .seconds(300))
            let client = try ChatClient(api: url, token: Token("app"), limits: limits)
            var events: [String?] = []
            for try await element in client.activity() {
                // A busy machine may need another attempt.
                if case .event(let event) = element { events.append(event.uuid) }
                if events.last == "2" { break }
            }
            #expect(events == ["1", "2"])
        }
    }

    @Test func `reports a connection that fails, and removes an echoed token from the server's errors`()
        async throws
    {
        let echo = Self.chunk(#"{"errors":[{"title":"Odd","detail":"for secret-app"}]}"# + "\r\n")
        try await RawServer.run(.bytesAndClose(""), .bytes(Self.head + echo)) { server, url in
            var problems: [APIError] = []
            for try await element in try client(url, token: "secret-app").activity() {
                if case .problem(let problem) = element { problems.append(problem) }
                if problems.count == 2 { break }
            }
            #expect(problems.first?.code == .connection)
            #expect(problems.last?.detail == "Odd: for <token>")
            #expect(server.requests.count == 2)
        }
    }

    @Test func `a server that is faster than the consumer has to wait`() async throws {
        let padding = String(repeating: " ", count: 1 << 20)
        let line = Self.chunk(#"{"data":{"event_type":"chat.sent","tag":"\#(padding)"}}"# + "\r\n")
        try await RawServer.run(.endless(Self.head, more: line)) { server, url in
            let iterator = try client(url).activity().makeAsyncIterator()
            #expect(try await iterator.next() == .connected)
            guard case .event = try await iterator.next() else { throw APIError(.malformedResponse, "no event") }
            // The server writes until the buffers of both sockets are full.
            var (before, now) = (-1, 0)
            while before != now {
                try await Task.sleep(for: .milliseconds(500))
                (before, now) = (now, server.bytesWritten)
            }
            #expect(now < 32 << 20)
            for _ in 0..<40 {
                guard case .event = try await iterator.next() else { throw APIError(.malformedResponse, "no event") }
            }
            #expect(server.bytesWritten > now)
        }
    }

    @Test func `a refused stream is an error`() async throws {
        try await RawServer.run(.http(403, "{}")) { server, url in
            let client = try client(url)
            #expect(await thrownCode { _ = try await first(1, of: client) } == .forbidden)
            #expect(server.requests.count == 1)
        }
    }

    @Test func `delivers a message sent in the sandbox, which decrypts`() async throws {
        try await Sandbox().serving { url in
            var alice = try await User("1111", .xchat, url)
            var bob = try await User("2222", .xchat, url)
            let app = try client(url.absoluteString, token: "sandbox-app")
            let made = try await bob.client.subscribe(to: .received, of: "2222", tag: "bot")
            #expect(try await app.subscriptions().subscriptions.map(\.id) == [made.id])
            #expect(try await app.updateSubscription(made.id, tag: "bot 2").tag == "bot 2")
            let conversation = try await alice.start(with: bob)
            try bob.session.pin(try await bob.client.publicKeys(of: "1111"), of: "1111")
            var sent: SentMessage?
            for try await element in app.activity() {
                switch element {
                case .connected: sent = try await alice.send("live", in: conversation)
                case .disconnected: break
                case .problem(let problem): throw problem
                case .event(let event):
                    #expect(event.kind == .received && event.tag == "bot 2")
                    for encoded in [event.keyChangeEvent, event.encodedEvent].compactMap({ $0 }) {
                        let opened = try bob.session.open(MessageEvent(base64: encoded))
                        if case .message(let message) = opened.contents?.contents {
                            #expect(message.messageText == "live")
                            #expect(opened.received.messageID == sent?.messageID)
                        }
                    }
                    break
                }
                if case .event = element { break }
            }
            #expect(sent != nil)
            #expect(try await app.unsubscribe(all: [made.id, "99"]) == [made.id])
            #expect(await thrownCode { try await app.unsubscribe(made.id) } == .notFound)
        }
    }

    @Test("deletes no subscription if the server does not know them", arguments: ["empty=list", "empty=absent"])
    func unknownSubscriptions(_ faults: String) async throws {
        try await Sandbox(faults: try SandboxFaults(faults)).serving { url in
            let app = try client(url.absoluteString, token: "sandbox-app")
            #expect(try await app.unsubscribe(all: ["98", "99"]) == [])
            #expect(try await app.subscriptions().subscriptions.isEmpty)
        }
    }
}
