import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEngine
import XChatEvents

struct ServedEventTests {
    private func code(_ conversation: WireString?, sender: UserID = "1111") -> XChatError.Code? {
        let served = MessageEvent(senderID: sender, conversationID: conversation).base64
        guard case .failure(let error) = event(served, servedFor: Fixture.conversation) else { return nil }
        return error.code
    }

    @Test func `an event of the conversation is taken, however its id is written`() {
        for id: WireString in ["1111:2222", "2222:1111", "1111-2222", "2222"] {
            #expect(code(id) == nil)
        }
    }

    @Test func `an event of another conversation is refused`() {
        for id: WireString in ["1111:3333", "g1111", "11112222", "", "2222:1111:1"] {
            #expect(code(id) == .inconsistent)
        }
        #expect(code("2222", sender: "3333") == .inconsistent)
    }

    @Test func `an event that names no conversation is for the engine to judge`() {
        #expect(code(nil) == nil)
    }

    @Test func `what is no event is told so`() {
        for text in ["", "AA=A", "/w=="] {
            #expect(throws: XChatError.self) { try event(text, servedFor: Fixture.conversation).get() }
        }
    }
}
