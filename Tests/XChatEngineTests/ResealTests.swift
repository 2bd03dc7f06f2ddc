import Testing
import XChatEngine
import XChatEvents

/// An own message is stored, and encrypted again under a newer key.
struct ResealTests {
    private let conversation = ConversationID.oneToOne("1111", "2222")
    private let session: Session
    private let renewed: Session

    init() throws {
        let keys = try PrivateKeys.generate()
        var session = try Session(userID: "1111", privateKeys: keys, signingKeyVersion: "1")
        session.trust([try keys.verifiedKey(userID: "1111", version: "1")])
        try session.addConversationKey(try .generate(), in: conversation, version: "999")
        self.session = session
        try session.addConversationKey(try .generate(), in: conversation, version: "1001")
        renewed = session
    }

    private func code(_ session: Session, _ message: SealedMessage) -> XChatError.Code? {
        do {
            _ = try session.reseal(message)
            return nil
        } catch {
            return error.code
        }
    }

    private func stored(_ message: SealedMessage, create: String? = nil) throws -> SealedMessage {
        try SealedMessage(
            messageID: message.messageID,
            senderID: "1111",
            conversationID: message.conversationID,
            encodedMessageCreateEvent: create ?? message.encodedMessageCreateEvent,
            encodedMessageEventSignature: message.encodedMessageEventSignature,
            readers: message.readers
        )
    }

    @Test func `a stored message comes back as it was sealed`() throws {
        let message = try session.seal(.message(.init("x", shouldNotify: false, ttlMsec: 5)), in: conversation)
        #expect(try stored(message) == message)
        #expect(throws: XChatError.self) { try stored(message, create: "AA==") }
    }

    @Test func `the contents and settings stay, key and id change`() throws {
        let message = try session.seal(.message(.init("x", shouldNotify: false, ttlMsec: 5)), in: conversation)
        let again = try renewed.reseal(stored(message))
        #expect(again.messageID != message.messageID)
        #expect(again.conversationKeyVersion == "1001")
        var reader = renewed
        #expect(try reader.open(again.event).contents == reader.open(message.event).contents)
        guard case .messageCreateEvent(let create) = again.event.detail else {
            Issue.record("no message")
            return
        }
        #expect(create.shouldNotify == false)
        #expect(create.ttlMsec == 5)
        #expect(create.conversationKeyVersion == "1001")
    }

    @Test func `a reply keeps its quote, which only readers with the old key can verify`() throws {
        var original = try session.seal(.text("quoted"), in: conversation).event
        original.sequenceID = "100"
        let draft = MessageDraft("re", reply: .event(ReplySource(Encoded(original))))
        let again = try renewed.reseal(session.seal(.message(draft), in: conversation))
        var reader = renewed
        #expect(try reader.open(again.event).replyValidation?.isValid == true)

        var newcomer = try Session(userID: "2222")
        newcomer.trust(session.pins["1111"])
        let newest = try #require(renewed.keyRing.acceptedKey(in: conversation, version: "1001"))
        try newcomer.addConversationKey(newest, in: conversation, version: "1001")
        let read = try newcomer.open(again.event)
        #expect(read.isVerified)
        #expect(read.replyValidation?.failure?.hasPrefix("key_missing") == true)
    }

    @Test func `without a newer key a message is not encrypted again`() throws {
        #expect(code(session, try session.seal(.text("x"), in: conversation)) == .keyMissing)
        #expect(code(renewed, try renewed.seal(.text("x"), in: conversation)) == .keyMissing)
    }

    @Test func `without the old key a message is not encrypted again`() throws {
        var other = try Session(userID: "1111", privateKeys: session.privateKeys, signingKeyVersion: "1")
        try other.addConversationKey(try .generate(), in: conversation, version: "1001")
        #expect(code(other, try session.seal(.text("x"), in: conversation)) == .keyMissing)
    }

    @Test func `an altered message is not signed again`() throws {
        let message = try session.seal(.text("x"), in: conversation)
        let other = try session.seal(.text("y"), in: conversation)
        let altered = try stored(message, create: other.encodedMessageCreateEvent)
        #expect(code(renewed, altered) == .wrongSignature)
    }

    @Test func `another user's message is not encrypted again`() throws {
        var other = try Session(userID: "2222", privateKeys: session.privateKeys, signingKeyVersion: "1")
        try other.addConversationKey(try .generate(), in: conversation, version: "1001")
        #expect(code(other, try session.seal(.text("x"), in: conversation)) == .notAParticipant)
    }

    @Test func `a message with uploaded media is not encrypted again: its media stay under the old key`() throws {
        let photo = MediaAttachment(
            mediaHashKey: "k",
            dimensions: MediaDimensions(width: 1, height: 1),
            filesizeBytes: 1,
            filename: "f"
        )
        let message = try session.seal(.message(.init("x", attachments: [.media(photo)])), in: conversation)
        #expect(code(renewed, message) == .unsupported)
    }
}
