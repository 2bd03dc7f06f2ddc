import Foundation
import TestSupport
import Testing
import XChatEngine
import XChatEvents

@testable import XChatHTTP

/// The request of a send, and checks of its answer.
@Suite(.timeLimit(.minutes(1)))
struct SendTests {
    private let message: SealedMessage

    init() throws {
        var session = try Session(
            userID: "1111",
            privateKeys: .generate(),
            signingKeyVersion: "1"
        )
        let conversation = ConversationID.oneToOne("1111", "2222")
        try session.addConversationKey(try .generate(), in: conversation, version: "1001")
        message = try session.seal(.text("hi"), in: conversation)
    }

    /// The event that an honest server answers.
    private var answered: MessageEvent {
        var event = message.event
        event.sequenceID = "2070276095283454003"
        event.createdAtMsec = "1"
        event.conversationToken = "token"
        return event
    }

    private func body(_ event: MessageEvent) -> String {
        #"{"data":{"encoded_message_event":"\#(Base64.encode(event.encoded()))"}}"#
    }

    private func sent(_ status: Int, _ body: String) throws(APIError) -> SentMessage {
        let call = try Call.send(message, to: nil, conversationToken: nil, limit: 1 << 20)
        let response = APIResponse(status: status, body: Data(body.utf8))
        return try call.read(Success(response, token: Token("t")))
    }

    private func code(_ event: MessageEvent) -> APIError.Code? {
        thrownCode { _ = try sent(201, body(event)) }
    }

    @Test("the body has X's four fields, the token only when given", arguments: [nil, "eyJ.x.y"])
    func request(_ token: String?) throws {
        let call = try Call.send(message, to: nil, conversationToken: token, limit: 1)
        #expect(call.request.method == .post)
        #expect(
            call.request.url(base: "https://api.x.com") == "https://api.x.com/2/chat/conversations/1111-2222/messages"
        )
        #expect(call.request.operation == "POST /2/chat/conversations/{id}/messages")
        let body = try JSONDecoder().decode([String: String].self, from: try #require(call.request.body))
        var expected = [
            "message_id": message.messageID.string,
            "encoded_message_create_event": message.encodedMessageCreateEvent,
            "encoded_message_event_signature": message.encodedMessageEventSignature,
        ]
        expected["conversation_token"] = token
        #expect(body == expected)
    }

    @Test("accepts the event of the message with status 200 and 201", arguments: [200, 201])
    func honest(_ status: Int) throws {
        let sent = try sent(status, body(answered))
        #expect(sent.messageID == message.messageID)
        #expect(sent.sequenceID == "2070276095283454003")
        #expect(sent.conversationID.text == "1111:2222")
        #expect(sent.event == answered)
    }

    @Test("accepts any form of the conversation id in the answer", arguments: ["1111-2222", "2222:1111", "2222"])
    func forms(_ id: WireString) throws {
        var event = answered
        event.conversationID = id
        #expect(try sent(201, body(event)).conversationID.text == "1111:2222")
    }

    @Test("a failure event is an error despite a successful status", arguments: [200, 201])
    func failure(_ status: Int) throws {
        for type in 1...19 {
            var event = answered
            event.detail = .messageFailureEvent(
                MessageFailureEvent(
                    failureType: FailureType(rawValue: Int32(type)),
                    rateLimitTier: type == 12 ? .premium : nil
                )
            )
            do throws(APIError) {
                _ = try sent(status, body(event))
                Issue.record("failure \(type) was taken")
            } catch {
                #expect(error.code == .failureEvent)
                #expect(error.failure?.rawValue == Int32(type))
                #expect(error.rateLimitTier == (type == 12 ? .premium : nil))
                #expect(error.detail.contains("(\(type))"))
            }
        }
    }

    @Test func `a failure event needs no other member`() {
        #expect(code(MessageEvent(detail: .messageFailureEvent(MessageFailureEvent()))) == .failureEvent)
    }

    @Test func `rejects an answer for another message`() {
        let changes: [(inout MessageEvent) -> Void] = [
            { $0.messageID = "other" }, { $0.messageID = nil }, { $0.senderID = "3333" }, { $0.senderID = nil },
            { $0.conversationID = "1111:3333" }, { $0.conversationID = nil }, { $0.conversationID = "g1" },
            { $0.sequenceID = nil }, { $0.sequenceID = "" }, { $0.sequenceID = "abc" }, { $0.detail = nil },
            { $0.detail = .messageTypingEvent(MessageTypingEvent()) },
        ]
        for (index, change) in changes.enumerated() {
            var event = answered
            change(&event)
            #expect(code(event) == .malformedResponse, "change \(index)")
        }
    }

    @Test(
        "rejects an answer that is not a message event",
        arguments: ["", "!", "QQ", "AA==", "====", "\u{1b}[31m", "Cw==", String(repeating: "A", count: 20_000_000)]
    )
    func noEvent(_ encoded: String) throws {
        let body = try JSONSerialization.data(withJSONObject: ["data": ["encoded_message_event": encoded]])
        do throws(APIError) {
            _ = try sent(201, String(decoding: body, as: UTF8.self))
            Issue.record("it was taken")
        } catch {
            #expect(error.code == .malformedResponse)
            #expect(error.detail.utf8.count < 400)
            #expect(!error.detail.contains("\u{1b}"))
        }
    }

    @Test func `an answer with changed bytes is decoded or rejected without a crash`() throws {
        let honest = Array(body(answered).utf8)
        var generator = SystemRandomNumberGenerator()
        for round in 0..<3000 {
            var bytes = honest
            for _ in 0...(round % 4) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch round % 3 {
                case 0: bytes[place] = .random(in: .min ... .max, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.insert(.random(in: .min ... .max, using: &generator), at: place)
                }
            }
            let call = try Call.send(message, to: nil, conversationToken: nil, limit: 1 << 20)
            do throws(APIError) {
                let token = try Token("t")
                let sent = try call.read(Success(APIResponse(status: 201, body: Data(bytes)), token: token))
                #expect(sent.messageID == message.messageID && sent.conversationID == message.conversationID)
            } catch {
                #expect([.malformedResponse, .failureEvent].contains(error.code), "\(error)")
            }
        }
    }

    @Test func `rejects a target other than the message's conversation`() throws {
        for text in ["2222", "1111-2222", "2222:1111"] {
            let target = try ConversationTarget(WireString(text))
            let call = try Call.send(message, to: target, conversationToken: nil, limit: 1)
            #expect(call.request.path == "/2/chat/conversations/\(target.pathComponent)/messages")
        }
        for text in ["3333", "1111", "1111-3333", "g1"] {
            let target = try ConversationTarget(WireString(text))
            #expect(
                thrownCode { _ = try Call.send(message, to: target, conversationToken: nil, limit: 1) }
                    == .invalidArgument
            )
        }
    }

    @Test func `the error for a wrong event has operation and status`() async throws {
        var other = answered
        other.messageID = "other"
        try await RawServer.run(.http(201, body(other))) { _, url in
            let client = try ChatClient(api: url, token: Token("t"))
            do throws(APIError) {
                _ = try await client.send(message)
                Issue.record("it was taken")
            } catch {
                #expect(
                    error.description == "POST /2/chat/conversations/{id}/messages: 201 malformed_response: "
                        + "the answered event is for another message"
                )
            }
        }
    }
}
