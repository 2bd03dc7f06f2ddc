import Testing
import XChatEngine
import XChatEvents
import XChatHTTP

@testable import XChat

/// The values that a turn saves, and when.
struct TurnTests {
    private let conversation = ConversationID.oneToOne("1111", "2222")

    private func item(_ text: String, number: UInt64) throws -> Turn.Item {
        let opened = OpenedEvent(received: nil, result: .failure(XChatError(.notAnEvent, "")))
        return try Turn.Item(opened: opened, encoded: text, number: number, isLate: false)
    }

    private func saved(_ cursors: MemoryCursors) async throws -> Cursor? {
        let key = RecordKey.cursor(consumer: "", conversation)
        return try await cursors.records([key])[key].map { try Cursor(decoding: $0.bytes) }
    }

    private func turn(_ listing: Turn.Listing) -> Turn {
        Turn(conversation: conversation, consumer: "", cursor: Cursor(), revision: 0, listing: listing)
    }

    @Test func `the time of a listing is saved only when the last event was handled`() async throws {
        let cursors = MemoryCursors()
        var turn = turn(Turn.Listing(updatedAt: 7, isSettled: true))
        turn.add(try item("a", number: 1))
        turn.add(try item("b", number: 2))
        let popped = turn.pop()
        let first = try #require(popped)
        try await turn.handled(first, in: cursors)
        // After a crash here the conversation is read again.
        #expect(try await saved(cursors)?.sequence == 1)
        #expect(try await saved(cursors)?.updatedAt == nil)
        #expect(try await saved(cursors)?.isSettled == false)
        let next = turn.pop()
        let second = try #require(next)
        try await turn.handled(second, in: cursors)
        #expect(try await saved(cursors)?.sequence == 2)
        #expect(try await saved(cursors)?.updatedAt == 7)
        #expect(try await saved(cursors)?.isSettled == true)
    }

    @Test func `the time of a listing is not saved if the conversation could not be read to its end`() async throws {
        let cursors = MemoryCursors()
        var turn = turn(Turn.Listing(updatedAt: 7, isSettled: true))
        turn.add(try item("a", number: 1))
        turn.interruption = APIError(.connection, "lost")
        let popped = turn.pop()
        let only = try #require(popped)
        try await turn.handled(only, in: cursors)
        #expect(try await saved(cursors)?.sequence == 1)
        #expect(try await saved(cursors)?.updatedAt == nil)
    }

    @Test func `an event that waits for a key is not lost with the first of several that were waiting`() async throws {
        let cursors = MemoryCursors()
        var cursor = Cursor()
        #expect(cursor.wait(for: "late a").isEmpty && cursor.wait(for: "late b").isEmpty)
        var turn = Turn(conversation: conversation, consumer: "", cursor: cursor, revision: 0)
        let opened = OpenedEvent(received: nil, result: .failure(XChatError(.notAnEvent, "")))
        for text in ["late a", "late b"] {
            turn.add(try Turn.Item(opened: opened, encoded: text, number: nil, isLate: true))
        }
        let popped = turn.pop()
        let first = try #require(popped)
        try await turn.handled(first, in: cursors)
        #expect(try await saved(cursors)?.waiting == ["late b"])
    }

    @Test func `no more than 1,000 events of a conversation wait`() {
        var cursor = Cursor()
        for number in 0..<Cursor.maximumWaiting { #expect(cursor.wait(for: "\(number)").isEmpty) }
        #expect(cursor.wait(for: "one more") == ["0"])
        #expect(cursor.waiting.count == Cursor.maximumWaiting)
    }
}
