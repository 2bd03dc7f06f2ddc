import Testing
import XChatEvents

@testable import XChatEngine

@Suite struct ServedConversationTests {
    @Test func `an event of the conversation is opened, however its id is written`() throws {
        for id: WireString in ["1111:2222", "1111-2222", "2222-1111"] {
            var pair = try Pair()
            let opened = pair.bob.open([.success(pair.change.event)], in: Pair.conversation)
            #expect(throws: Never.self) { try #require(opened.first).get() }
            let typing = MessageEvent(
                senderID: "1111",
                conversationID: id,
                detail: .messageTypingEvent(MessageTypingEvent())
            )
            _ = try pair.bob.open(typing, in: Pair.conversation)
        }
    }

    @Test func `an event of another conversation is refused before it has any effect`() throws {
        let people = try People()
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        let other = ConversationID(canonicalizing: "g8")
        var alice = people.alice
        let before = alice
        let delivery = alice.deliver(history.events.map { .success($0) }, in: other)
        for result in delivery.results {
            guard case .failure(let error) = result else {
                Issue.record("taken: \(result)")
                continue
            }
            #expect(error.code == .inconsistent)
            #expect(error.message.utf8.count < 300 && error.message.contains("'g9'"))
        }
        #expect(delivery.notices.isEmpty)
        #expect(alice.changed(since: before).conversations.isEmpty)
        #expect(code { _ = try alice.open(history.events[0], in: other) } == .inconsistent)
        #expect(alice.changed(since: before).conversations.isEmpty)
        // The same events have an effect in their own group.
        _ = alice.deliver(history.events.map { .success($0) }, in: GroupHistory.id)
        #expect(alice.changed(since: before).conversations == [GroupHistory.id])
    }

    @Test func `events of another conversation leave the rest of a delivery as it is`() throws {
        let people = try People()
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        var foreign = try #require(history.events.first)
        foreign.conversationID = "1111:2222"
        var alice = people.alice
        var events: [Result<MessageEvent, XChatError>] = history.events.map { .success($0) }
        events.insert(contentsOf: [.success(foreign), .failure(XChatError(.notAnEvent, "x"))], at: 0)
        let delivery = alice.deliver(events, in: GroupHistory.id)
        let codes = delivery.results.map { result -> XChatError.Code? in
            if case .failure(let error) = result { error.code } else { nil }
        }
        #expect(codes == [.inconsistent, .notAnEvent, nil, nil])
        #expect(alice.memberships[GroupHistory.id]?.present == ["1111", "2222"])
    }
}
