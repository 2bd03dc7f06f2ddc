import Foundation
import Testing
import XChatEvents

@testable import XChatEngine

@Suite struct ReceivedMessageTests {
    private func opened(_ draft: Draft, _ change: (inout MessageEvent) -> Void = { _ in }) throws -> Event {
        var pair = try Pair()
        _ = try pair.bob.open(pair.change.event)
        var event = try pair.alice.seal(draft, in: Pair.conversation).event
        change(&event)
        return try pair.bob.open(event)
    }

    @Test func `a message has sender, conversation, ids, text and time at its first level`() throws {
        let event = try opened(.text("hello")) { event in
            event.sequenceID = "77"
            event.createdAtMsec = "1700000000123"
        }
        let message = try #require(event.message)
        #expect(message.sender == "1111")
        #expect(message.conversation == Pair.conversation)
        #expect(message.id == event.received.messageID)
        #expect(message.sequenceID == "77")
        #expect(message.text == "hello")
        #expect(message.attachments.isEmpty)
        #expect(message.sentAt == Date(timeIntervalSince1970: 1_700_000_000.123))
        #expect(message.replyTo == nil && message.replyValidation == nil && message.marks.isEmpty)
        #expect(message.event == event)
    }

    @Test func `values that the server omits or garbles are nil`() throws {
        for time in [nil, "", "-1", "soon", "99999999999999999999"] as [WireString?] {
            let message = try opened(.text("a")) { event in
                event.sequenceID = nil
                event.createdAtMsec = time
            }.message
            #expect(try #require(message).sentAt == nil)
            #expect(try #require(message).sequenceID == nil)
        }
        let attachment = MessageAttachment.url(UrlAttachment(url: "https://example.com"))
        let message = try opened(.message(MessageDraft("", attachments: [attachment]))).message
        #expect(try #require(message).attachments == [attachment])
    }

    @Test func `the conversation is the canonical one, however the event spells it`() throws {
        let message = try opened(.text("a")).message
        #expect(try #require(message).conversation == Pair.conversation)
    }

    @Test func `a reply shows which message it quotes and whether the quote is valid`() throws {
        var pair = try Pair()
        _ = try pair.bob.open(pair.change.event)
        var first = try pair.alice.seal(.text("question"), in: Pair.conversation).event
        first.sequenceID = "1"
        let question = try pair.bob.open(first)
        try pair.bob.addConversationKey(pair.change.key, in: Pair.conversation, version: pair.change.version)
        let draft = Draft.message(MessageDraft("answer", reply: .event(ReplySource(Encoded(first)))))
        let answer = try #require(try pair.alice.open(pair.bob.seal(draft, in: Pair.conversation).event).message)
        #expect(answer.replyTo?.replyingToMessageID == question.message?.id)
        #expect(answer.replyValidation?.isValid == true)
    }

    @Test func `events of other kinds are no messages`() throws {
        #expect(try opened(.addReaction(ReactionDraft("👍", to: "1"))).message == nil)
        #expect(try opened(.edit(EditDraft(of: "1", text: "new"))).message == nil)
        var pair = try Pair()
        #expect(try pair.bob.open(pair.change.event).message == nil)
    }
}
