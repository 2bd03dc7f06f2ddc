import Foundation
import Testing
import XChatEngine
import XChatEvents

@testable import XChatSandbox

/// Messages that are posted.
@Suite(.timeLimit(.minutes(1)))
struct SendTests {
    private static let path = "/2/chat/conversations/1111-2222/messages"

    /// Posts a body, and returns the event in the answer, whose status is always 201.
    private static func post(
        _ body: [String: Any],
        as user: String = "1111",
        to path: String = path,
        at router: Router
    ) async throws -> MessageEvent {
        let answer = try await router.ask(.post, path, user: user, json: body)
        #expect(answer.status == 201)
        #expect(answer.type == "application/json")
        return try MessageEvent(base64: try #require(try answer.data["encoded_message_event"] as? String))
    }

    private static func failure(_ event: MessageEvent) -> FailureType? {
        guard case .messageFailureEvent(let failure) = event.detail else { return nil }
        return failure.failureType
    }

    @Test(
        "an honest message is stored as it was signed, with the server's envelope",
        arguments: [SuiteName.xchat, .sodium]
    )
    func honest(_ suite: SuiteName) async throws {
        let sandbox = Sandbox()
        try await Router.test(sandbox) { router in
            var alice = try await Member("1111", suite, at: router)
            let bob = try await Member("2222", suite, at: router)
            let change = try await alice.start(with: bob, at: router)
            let message = try alice.seal("a plain secret", to: bob)
            let event = try await Self.post(Member.body(of: message), at: router)

            var signed = event
            (signed.sequenceID, signed.createdAtMsec, signed.conversationToken) = (nil, nil, nil)
            signed.previousSequenceID = nil
            #expect(signed == message.event)
            let number = try #require(event.sequenceID?.number)
            #expect(number > 2_070_276_095_283_454_002)
            #expect(event.createdAtMsec?.isDigits == true)
            #expect(event.conversationToken?.string.split(separator: ".").count == 3)

            let stored = try await sandbox.storedEvents(in: message.conversationID)
            #expect(stored.count == 2)
            #expect(stored.last == event)
            #expect(stored.first?.messageID == change.actionSignature.messageID)
            let bytes = stored.flatMap { $0.encoded() }
            let key = change.key.withBytes { (key) in (0..<key.count).map { key[$0] } }
            #expect(bytes.firstRange(of: Array("a plain secret".utf8)) == nil)
            #expect(bytes.firstRange(of: key) == nil)
            #expect(bytes.firstRange(of: Array(Base64.encode(key, padding: false).utf8)) == nil)
        }
    }

    @Test func `a repeated message id is answered with the first event`() async throws {
        let sandbox = Sandbox()
        try await Router.test(sandbox) { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            try await alice.start(with: bob, at: router)
            let message = try alice.seal("once", to: bob)
            let first = try await Self.post(Member.body(of: message), at: router)
            #expect(try await Self.post(Member.body(of: message), at: router) == first)
            try await alice.start(with: bob, at: router)
            #expect(try await Self.post(Member.body(of: message), at: router) == first)
            #expect(try await sandbox.storedEvents(in: message.conversationID).count == 3)
        }
    }

    @Test func `contents that do not decode, and a missing signature, are failure 5`() async throws {
        try await Router.test { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            try await alice.start(with: bob, at: router)
            let honest = Member.body(of: try alice.seal("x", to: bob))
            let noContents = Base64.encode(MessageCreateEvent(conversationKeyVersion: "1").encoded())
            let noSignature = Base64.encode(MessageEventSignature(publicKeyVersion: "1").encoded())
            let bodies: [(String, String?)] = [
                ("encoded_message_create_event", "not base64"), ("encoded_message_create_event", ""),
                ("encoded_message_create_event", "AAECAwQF"), ("encoded_message_create_event", noContents),
                ("encoded_message_event_signature", nil), ("encoded_message_event_signature", ""),
                ("encoded_message_event_signature", "%"), ("encoded_message_event_signature", "CwAB"),
                ("encoded_message_event_signature", noSignature),
            ]
            for (member, value) in bodies {
                var body = honest
                body[member] = value
                let event = try await Self.post(body, at: router)
                #expect(Self.failure(event) == .invalidSenderSignature, "\(member) \(value ?? "absent")")
            }
        }
    }

    @Test("a signature that does not verify is failure 13", arguments: [SuiteName.xchat, .sodium])
    func wrongSignature(_ suite: SuiteName) async throws {
        let sandbox = Sandbox()
        try await Router.test(sandbox) { router in
            var alice = try await Member("1111", suite, at: router)
            let bob = try await Member("2222", suite, at: router)
            let carol = try await Member("3333", suite, at: router)
            try await alice.start(with: bob, at: router)
            try await alice.start(with: carol, at: router)
            let message = try alice.seal("x", to: bob)
            let honest = Member.body(of: message)
            let wrong = FailureType.signatureFailedToVerifyAgainstPublicKey

            var otherID = honest
            otherID["message_id"] = "another"
            #expect(Self.failure(try await Self.post(otherID, at: router)) == wrong)
            let carols = "/2/chat/conversations/3333/messages"
            #expect(Self.failure(try await Self.post(honest, to: carols, at: router)) == wrong)
            #expect(Self.failure(try await Self.post(honest, as: "2222", at: router)) == wrong)

            var create = try MessageCreateEvent(decoding: Base64.decode(message.encodedMessageCreateEvent))
            create.contents?[30] ^= 1
            var flipped = honest
            flipped["encoded_message_create_event"] = Base64.encode(create.encoded())
            #expect(Self.failure(try await Self.post(flipped, at: router)) == wrong)

            let signature = try MessageEventSignature(decoding: Base64.decode(message.encodedMessageEventSignature))
            let changes: [(inout MessageEventSignature) -> Void] = [
                { $0.publicKeyVersion = "99" }, { $0.publicKeyVersion = nil }, { $0.signature = "AAAA" },
                { $0.signature = "%" },
                { $0.signature = WireString(Base64.encode(Array(repeating: 1, count: 64), padding: false)) },
            ]
            for change in changes {
                var signature = signature
                change(&signature)
                var body = honest
                body["encoded_message_event_signature"] = Base64.encode(signature.encoded())
                #expect(Self.failure(try await Self.post(body, at: router)) == wrong)
            }
            #expect(try await sandbox.storedEvents(in: message.conversationID).count == 1)
            // After a failure the message id can be used again.
            #expect(Self.failure(try await Self.post(honest, at: router)) == nil)
        }
    }

    @Test func `a key version that is not the present one is failure 6`() async throws {
        try await Router.test { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            try await alice.start(with: bob, at: router)
            let stale = try alice.seal("x", to: bob)
            try await alice.start(with: bob, at: router)
            #expect(Self.failure(try await Self.post(Member.body(of: stale), at: router)) == .nonLatestCkeyVersion)
            _ = try alice.keyChange(with: bob)
            let unposted = try alice.seal("x", to: bob)
            #expect(Self.failure(try await Self.post(Member.body(of: unposted), at: router)) == .nonLatestCkeyVersion)
        }
    }

    @Test("a signature version below 2 is failure 16", arguments: ["1", "0", "-7", "+1", "01"])
    func oldVersion(_ version: String) async throws {
        try await Router.test { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            try await alice.start(with: bob, at: router)
            let message = try alice.seal("x", to: bob)
            var signature = try MessageEventSignature(decoding: Base64.decode(message.encodedMessageEventSignature))
            signature.signatureVersion = WireString(version)
            var body = Member.body(of: message)
            body["encoded_message_event_signature"] = Base64.encode(signature.encoded())
            #expect(Self.failure(try await Self.post(body, at: router)) == .invalidSignatureVersion)
        }
    }

    @Test func `a sender outside of the conversation is failure 15`() async throws {
        try await Router.test { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            var carol = try await Member("3333", at: router)
            try await alice.start(with: bob, at: router)
            try await carol.start(with: bob, at: router)
            let body = Member.body(of: try carol.seal("x", to: bob))
            #expect(Self.failure(try await Self.post(body, as: "3333", at: router)) == .senderNotGroupMember)
            // She may not read the conversation either.
            let history = try await router.ask(.get, "/2/chat/conversations/1111-2222/events", user: "3333")
            #expect(history.status == 403)
            #expect(history.problem != nil)
        }
    }

    @Test func `a message that is not encrypted is failure 9`() async throws {
        try await Router.test { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            try await alice.start(with: bob, at: router)
            var body = Member.body(of: try alice.seal("x", to: bob))
            body["encoded_message_create_event"] = Base64.encode(MessageCreateEvent(contents: [0]).encoded())
            #expect(Self.failure(try await Self.post(body, at: router)) == .onlyEncryptedMessagesAllowed)
        }
    }

    @Test func `an empty message id is refused with 400`() async throws {
        try await Router.test { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            try await alice.start(with: bob, at: router)
            var body = Member.body(of: try alice.seal("x", to: bob))
            body["message_id"] = ""
            let answer = try await router.ask(.post, Self.path, user: "1111", json: body)
            #expect(answer.status == 400)
            #expect(answer.problem?.parameter == "message_id")
        }
    }
}
