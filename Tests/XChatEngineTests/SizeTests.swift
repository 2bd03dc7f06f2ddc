import Testing
import XChatEvents

@testable import XChatEngine

/// A reader accepts every event that a session makes: its size is within the limit.
@Suite struct SizeTests {
    private let pair: Pair
    private let largest = String(repeating: "x", count: 10 * 1024 * 1024)

    init() throws {
        var pair = try Pair()
        _ = try pair.bob.open(pair.change.event)
        self.pair = pair
    }

    private func refusal(_ draft: Draft) -> XChatError.Code? {
        code { _ = try pair.alice.seal(draft, in: Pair.conversation) }
    }

    @Test func `the largest text with everything that can go with it is within what a reader accepts`() throws {
        var original = try pair.bob.seal(.text("quoted"), in: Pair.conversation).event
        original.sequenceID = "100"
        let entity = RichTextEntity(startIndex: 0, endIndex: 0, content: .mention(MentionRichTextContent()))
        let draft = MessageDraft(
            "",
            entities: Array(repeating: entity, count: 10_000),
            attachments: Array(repeating: ReplyTests.photo, count: 10),
            reply: .event(ReplySource(Encoded(original)))
        )
        let event = try pair.alice.seal(.message(draft), in: Pair.conversation).event
        var bob = pair.bob
        #expect(try bob.open(event).replyValidation?.isValid == true)
        // A text adds only its own bytes; base64 makes four bytes of three.
        let bytes = event.encoded().count + largest.utf8.count
        #expect((bytes + 2) / 3 * 4 <= MessageEvent.maximumEncodedBytes)
        #expect(throws: Never.self) { try Draft.text(largest).validate() }
        #expect(throws: Never.self) { try Draft.edit(EditDraft(of: "1", text: largest)).validate() }
    }

    @Test func `a larger text is refused, in a message and in an edit`() {
        #expect(refusal(.text(largest + "x")) == .tooLarge)
        #expect(refusal(.edit(EditDraft(of: "1", text: largest + "x"))) == .tooLarge)
    }

    @Test func `parts that fit one by one are refused if they do not fit together`() {
        var draft = MessageDraft(largest)
        let passedOn = String(repeating: "y", count: 2 * 1024 * 1024)
        draft.forwardedMessage = ForwardedMessage(messageText: WireString(passedOn))
        #expect(refusal(.message(draft)) == .tooLarge)
    }
}
