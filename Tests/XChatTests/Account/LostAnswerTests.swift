import Foundation
import Synchronization
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatHTTP

@testable import XChat

/// Groups, keys and members that a server made are found again, however the call ended.
@Suite(.timeLimit(.minutes(1)))
struct LostAnswerTests {
    /// The groups of a user, as the server lists them.
    private func groups(of account: Account) async throws -> Set<WireString> {
        Set(try await account.client.conversations().conversations.filter { $0.type == "group" }.compactMap(\.id))
    }

    /// Runs a test with an account whose store fails as long as a hook demands it.
    private func run(
        _ hook: @escaping HookedStore.Hook,
        _ body: @escaping @Sendable (AccountFixture, Account) async throws -> Void
    ) async throws {
        try await AccountFixture.run { fixture in
            _ = try await User("2222", .sodium, fixture.url)
            var configuration = try fixture.configuration("1111")
            configuration.location = .store(HookedStore(try await configuration.store(), hook))
            let account = try await Account.open(configuration)
            try await body(fixture, account)
            await account.close()
        }
    }

    @Test func `a group whose answer is lost is found, and no other one is created`() async throws {
        try await AccountFixture.run(faults: "lose=1") { fixture in
            let (alice, bob) = (try await fixture.open("1111"), try await fixture.open("2222"))
            let group = try await alice.createGroup(of: ["2222"], title: "Club")
            #expect(try await groups(of: alice) == [group.text])
            try await alice.send("hello", to: group)
            #expect(try await fixture.texts(bob, group) == ["hello"])
            #expect(try await alice.state.keys(of: .creation).isEmpty)
            for account in [alice, bob] { await account.close() }
        }
    }

    @Test func `a new key whose answer is lost is found`() async throws {
        try await AccountFixture.run(faults: "lose=1") { fixture in
            let (alice, bob) = (try await fixture.open("1111"), try await fixture.open("2222"))
            let key = try await alice.changeKey(of: .oneToOne("1111", "2222"))
            #expect(key.sequenceID == nil, "the answer was lost")
            let session = try await alice.state.session(AccountState.Scope(key.conversation))
            #expect(session.keyRing.newestVersion(in: key.conversation) == key.version)
            try await alice.send("hello", to: key.conversation)
            #expect(try await fixture.texts(bob, key.conversation) == ["hello"])
            for account in [alice, bob] { await account.close() }
        }
    }

    @Test func `members whose addition has a lost answer are members, and are not added twice`() async throws {
        try await AccountFixture.run(faults: "lose=2") { fixture in
            let alice = try await fixture.open("1111")
            _ = try await User("2222", .sodium, fixture.url)
            _ = try await User("3333", .sodium, fixture.url)
            let group = try await alice.createGroup(of: ["2222"])
            try await alice.add(["3333"], to: group)
            #expect(try await alice.members(of: group) == ["1111", "2222", "3333"])
            let error = await #expect(throws: AccountError.self) { try await alice.add(["3333"], to: group) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("user 3333 is a member of \(group) already") == true)
            await alice.close()
        }
    }

    @Test func `a group that could not be saved is named by the error, and found by the same call`() async throws {
        let isFull = Mutex(false)
        try await run { batch, isDone throws(AccountError) in
            guard isFull.withLock({ $0 }), !isDone else { return }
            if batch.writes.keys.contains(where: { $0.kind == .conversation }) {
                throw AccountError(.full, "the disk is full")
            }
        } _: { fixture, account in
            isFull.withLock { $0 = true }
            let error = await #expect(throws: AccountError.self) {
                try await account.createGroup(of: ["2222"], title: "Club")
            }
            let group = try #require(error?.conversation)
            #expect(error?.code == .full)
            #expect(error?.message.contains("\(group)") == true)
            #expect(try await groups(of: account) == [group.text])
            isFull.withLock { $0 = false }
            // Another title is another group.
            let other = try await account.createGroup(of: ["2222"], title: "Other")
            #expect(other != group)
            #expect(try await account.createGroup(of: ["2222"], title: "Club") == group)
            try await account.send("hello", to: group)
            #expect(try await groups(of: account) == [group.text, other.text])
            // The outcome is now known, so the next call creates another group.
            #expect(try await account.createGroup(of: ["2222"], title: "Club") != group)
        }
    }

    @Test func `a group that cannot be recorded is not created`() async throws {
        let isFull = Mutex(false)
        try await run { batch, _ throws(AccountError) in
            if isFull.withLock({ $0 }), batch.writes.keys.contains(where: { $0.kind == .creation }) {
                throw AccountError(.full, "the disk is full")
            }
        } _: { fixture, account in
            isFull.withLock { $0 = true }
            await #expect(throws: AccountError.self) { try await account.createGroup(of: ["2222"]) }
            let created = try await groups(of: account)
            #expect(created.isEmpty)
        }
    }

    /// A record as a process leaves it that ends before or after its request.
    private func record(_ group: ConversationID, in account: Account, at time: Date) async throws {
        let milliseconds = Int64(time.timeIntervalSince1970 * 1000)
        let text = #"{"members":["1111","2222"],"administrators":["1111"],"title":"","asked_at":\#(milliseconds)}"#
        var batch = RecordBatch()
        batch.writes[.creation(group)] = Array(text.utf8)
        try await account.store.commit(batch)
    }

    @Test func `a call after a crash uses the recorded id, so that the group is created once`() async throws {
        try await run { _, _ in
        } _: { fixture, account in
            let group = try await account.client.initializeGroup()
            try await record(group, in: account, at: Date())
            #expect(try await account.createGroup(of: ["2222"]) == group)
            #expect(try await groups(of: account) == [group.text])
            #expect(try await account.state.keys(of: .creation).isEmpty)
        }
    }

    @Test func `a record of an earlier day is forgotten`() async throws {
        try await run { _, _ in
        } _: { fixture, account in
            let group = try await account.client.initializeGroup()
            try await record(group, in: account, at: Date(timeIntervalSinceNow: -90_000))
            #expect(try await account.createGroup(of: ["2222"]) != group)
            #expect(try await account.state.keys(of: .creation).isEmpty)
        }
    }

    @Test func `equal calls at the same time create a group each`() async throws {
        try await run { _, _ in
        } _: { fixture, account in
            async let first = account.createGroup(of: ["2222"])
            async let second = account.createGroup(of: ["2222"])
            let groups = try await [first, second]
            #expect(groups[0] != groups[1])
        }
    }
}
