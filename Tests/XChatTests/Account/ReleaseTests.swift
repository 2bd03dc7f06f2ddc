import Testing
import XChatEngine
import XChatEvents
import XChatHTTP

@testable import XChat

/// An account that is deallocated without being closed.
@Suite(.timeLimit(.minutes(1)))
struct ReleaseTests {
    private let conversation = ConversationID.oneToOne("1111", "2222")

    @Test func `a deallocated account stops its worker, and loses nothing`() async throws {
        try await AccountFixture.run { fixture in
            let bob = try await fixture.open("2222")
            weak let released = try await leave(fixture)
            // The worker ends by itself and releases its lease.
            let again = try await fixture.open("1111")
            let deadline = ContinuousClock.now + .seconds(10)
            var lease = try await again.store.lease(Outbox.lease)
            while lease == nil, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
                lease = try await again.store.lease(Outbox.lease)
            }
            #expect(lease != nil)
            #expect(released == nil)
            await lease?.end()
            again.startWorker()
            while try await fixture.texts(bob, conversation).last != "last", ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(50))
            }
            let texts = try await fixture.texts(bob, conversation)
            #expect(texts == (0..<20).map { "\($0)" } + ["last"])
            await again.close()
            await bob.close()
        }
    }

    /// Calls every function of an account that starts a task, and releases the account.
    private func leave(_ fixture: AccountFixture) async throws -> Account? {
        let account = try await fixture.open("1111", app: true)
        weak let result = account
        try await account.startConversation(with: "2222")
        try await account.send("0", to: conversation)
        var problems = account.problems.makeAsyncIterator()
        let waiting = Task { await problems.next() }
        do {
            let messages = account.messages().makeAsyncIterator()
            _ = try await messages.next()
        }
        for number in 1..<20 { try await account.enqueue(.text("\(number)"), to: conversation) }
        try await account.enqueue(.text("last"), to: conversation)
        waiting.cancel()
        return result
    }
}
