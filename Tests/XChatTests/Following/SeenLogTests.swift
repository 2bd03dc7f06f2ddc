import Testing
import XChatEngine
import XChatEvents
import XChatHTTP

@testable import XChat

/// The log of events that a consumer handled.
struct SeenLogTests {
    private let conversation = ConversationID.oneToOne("1111", "2222")

    private func digest(_ number: Int) throws -> EventDigest { try EventDigest(ofBytes: Array("\(number)".utf8)) }

    private func item(_ number: Int) throws -> Turn.Item {
        let opened = OpenedEvent(received: nil, result: .failure(XChatError(.notAnEvent, "")))
        return try Turn.Item(opened: opened, encoded: "\(number)", number: UInt64(number), isLate: false)
    }

    @Test func `the log of handled events does not grow with the conversation`() throws {
        var list = SeenLog.Part(.signed, maximumRecords: 32, count: 0)
        var kept: Set<RecordKey> = []
        for number in 0..<20_000 {
            list.insert(try digest(number))
            var batch = RecordBatch()
            list.save(to: &batch) { .seen(consumer: "", conversation, $0, record: $1) }
            kept.formUnion(batch.writes.keys)
            kept.subtract(batch.deletions)
            #expect(kept.count <= 32)
            #expect(batch.writes.count == 1)
            #expect(batch.writes.values.allSatisfy { $0.count <= 256 * 40 })
        }
        #expect(kept.count == list.recordNumbers.count)
        for number in (20_000 - 31 * 256)..<20_000 { #expect(list.contains(try digest(number))) }
        for number in 0..<(20_000 - 32 * 256) { #expect(!list.contains(try digest(number))) }
    }

    @Test func `a log is the same after a restart, and events below its floor are treated as handled`()
        async throws
    {
        let cursors = MemoryCursors()
        var turn = Turn(conversation: conversation, consumer: "", cursor: Cursor(), revision: 0)
        for number in 1...3000 { turn.add(try item(number)) }
        while let item = turn.pop() {
            try await turn.handled(item, in: cursors)
            if let floor = turn.cursor.floor {
                #expect(floor < item.number ?? 0)
                #expect(!turn.log.texts.contains(try digest(Int(floor))))
                #expect(turn.log.texts.contains(try digest(Int(floor) + 1)))
            }
        }
        let floor = try #require(turn.cursor.floor)
        #expect(floor >= 3000 - 1024)
        let record = try await cursors.records([.cursor(consumer: "", conversation)]).values.first
        let saved = try Cursor(decoding: try #require(record?.bytes))
        #expect(saved == turn.cursor)
        let loaded = try await SeenLog.load(conversation, consumer: "", saved, from: cursors)
        for number in 1...3000 {
            #expect(loaded.texts.contains(try digest(number)) == (UInt64(number) > floor), "\(number)")
        }
        #expect(loaded.fits(saved) && !loaded.fits(Cursor()))
    }

    @Test func `the floor does not rise above an event that is not handled yet`() async throws {
        let cursors = MemoryCursors()
        var turn = Turn(conversation: conversation, consumer: "", cursor: Cursor(), revision: 0)
        turn.add(try item(1))
        turn.add(try item(2))
        // Enough events to raise the floor above the second one.
        for number in 3...3000 { turn.skip(try item(number)) }
        let popped = turn.pop()
        let first = try #require(popped)
        try await turn.handled(first, in: cursors)
        let record = try await cursors.records([.cursor(consumer: "", conversation)]).values.first
        let saved = try Cursor(decoding: try #require(record?.bytes))
        #expect(saved.floor == nil && saved.sequence == 1)
    }

    @Test func `an accepted key change is verified once, a refused one each time`() async throws {
        try await AccountFixture.run { fixture in
            let alice = try await fixture.open("1111")
            let bob = try await fixture.open("2222")
            try await alice.startConversation(with: "2222")
            let history = try await bob.wholeHistory(of: conversation)
            #expect(history.keyEvents.count == 1)
            let first = try await bob.deliver([], keyEvents: history.keyEvents, in: conversation)
            #expect(first.judgedKeyChanges == 1 && !first.isIncomplete)
            let again = try await bob.deliver([], keyEvents: history.keyEvents + ["AAAA"], in: conversation)
            #expect(again.judgedKeyChanges == 1 && again.isIncomplete)
            #expect(try await bob.deliver([], keyEvents: ["AAAA"], in: conversation).judgedKeyChanges == 1)
            // In another conversation the key change is not accepted yet.
            let other = ConversationID.oneToOne("2222", "3333")
            #expect(try await bob.deliver([], keyEvents: history.keyEvents, in: other).judgedKeyChanges == 1)
            let comparison = try await bob.compareKeys(of: "1111")
            try await bob.accept(comparison)
            #expect(try await bob.deliver([], keyEvents: history.keyEvents, in: conversation).judgedKeyChanges == 1)
            await alice.close()
            await bob.close()
        }
    }
}
