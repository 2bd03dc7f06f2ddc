import Foundation
import LibSodium
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatHTTP

@testable import XChat

/// Calls in progress when an account is closed, and calls afterwards.
@Suite(.timeLimit(.minutes(1)))
struct CloseTests {
    private let conversation = ConversationID.oneToOne("1111", "2222")

    @Test func `every call after closing throws at once`() async throws {
        try await AccountFixture.run { fixture in
            let alice = try await fixture.open("1111")
            let bob = try await fixture.open("2222")
            try await alice.startConversation(with: "2222")
            try await alice.send("a", to: conversation)
            let messages = bob.messages().makeAsyncIterator()
            let message = try #require(try await messages.next())
            let comparison = try await bob.compareKeys(of: "1111")
            await alice.close()
            await bob.close()
            #expect(try await messages.next() == nil)

            let group = ConversationID(canonicalizing: "g7")
            let file = fixture.scratch.file("a file")
            try Data("content".utf8).write(to: URL(filePath: file))
            let calls: [(String, @Sendable () async throws -> Void)] = [
                ("send", { try await bob.send("b", to: conversation) }),
                ("enqueue", { try await bob.enqueue(.text("b"), to: conversation) }),
                ("send files", { try await bob.send("b", files: [file], to: conversation) }),
                ("enqueue files", { try await bob.enqueue("b", files: [file], to: conversation) }),
                ("receipt", { _ = try await bob.receipt("x") }),
                ("reply", { try await message.reply("b", id: "again") }),
                ("react", { try await message.react("👍", id: "thumb") }),
                ("messages", { for try await _ in bob.messages() {} }),
                ("events", { for try await _ in bob.events() {} }),
                ("parallel", { try await bob.messages(inParallel: 2) { _ in } }),
                ("history", { _ = try await bob.history(of: conversation) }),
                ("markRead", { try await bob.markRead(conversation, until: "1") }),
                ("typing", { try await bob.typing(in: conversation) {} }),
                ("delete", { try await bob.delete(["1"], in: conversation) }),
                ("startConversation", { try await bob.startConversation(with: "1111") }),
                ("rotateKey", { try await bob.rotateKey(of: conversation) }),
                ("members", { _ = try await bob.members(of: group) }),
                ("membership", { _ = try await bob.membership(of: group) }),
                ("createGroup", { try await bob.createGroup(of: ["1111"]) }),
                ("add", { try await bob.add(["3333"], to: group) }),
                ("acceptMembers", { try await bob.acceptMembers(["1111", "2222"], of: group) }),
                ("compareKeys", { _ = try await bob.compareKeys(of: "1111") }),
                ("accept", { try await bob.accept(comparison) }),
                ("reject", { try await bob.reject(comparison) }),
                ("safetyCode", { _ = try await bob.safetyCode(of: "1111") }),
                ("run", { try await bob.run() }),
            ]
            for (name, call) in calls {
                let start = ContinuousClock.now
                #expect(await code(call) == .closed, "\(name)")
                #expect(ContinuousClock.now - start < .seconds(1), "\(name)")
            }
            // A sequence that has ended returns at once.
            for await _ in bob.problems {}
            await bob.close()
        }
    }

    @Test func `a call that waits for the server ends when the account is closed`() async throws {
        let scratch = try Scratch()
        try await RawServer.run(.silence) { server, url in
            let store = try await AccountFile.create(
                scratch.file("account.db"),
                passphrase: try passphrase("p"),
                limits: .minimum
            )
            var configuration = Account.Configuration(.store(store))
            configuration.api = url
            configuration.token = TokenSource(try Token("token"))
            let keys = try PrivateKeys.generate(.sodium)
            try await Account.create(for: "1111", keys: keys, version: "1", isImport: false, configuration)
            let account = try await Account.open(configuration)
            let calls: [@Sendable () async throws -> Void] = [
                { _ = try await account.history(of: conversation) },
                { try await account.send("a", to: conversation) },
                { _ = try await account.compareKeys(of: "2222") },
                { try await account.markRead(conversation, until: "1") },
                { try await account.messages(inParallel: 2) { _ in } },
                { for try await _ in account.messages(consumer: "other") {} },
                { try await account.run() },
            ]
            let tasks = calls.map { call in Task { await code(call) } }
            while server.requests.count < 5 { try await Task.sleep(for: .milliseconds(10)) }
            let start = ContinuousClock.now
            await account.close()
            var codes: [AccountError.Code?] = []
            for task in tasks { codes.append(await task.value) }
            #expect(codes == [.closed, .closed, .closed, .closed, nil, nil, nil])
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }

    @Test func `a send that waits for the outbox ends when the account is closed, and is sent by the next run`()
        async throws
    {
        try await AccountFixture.run { fixture in
            let alice = try await fixture.open("1111")
            let bob = try await fixture.open("2222")
            try await alice.startConversation(with: "2222")
            let other = try #require(try await alice.store.lease(Outbox.lease))
            let sending = Task { await code { try await alice.send("a", to: conversation) } }
            while try await alice.outbox.list().isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            await alice.close()
            #expect(await sending.value == .closed)
            await other.end()
            let again = try await fixture.open("1111")
            again.startWorker()
            while try await fixture.texts(bob, conversation) != ["a"] { try await Task.sleep(for: .milliseconds(50)) }
            await again.close()
            await bob.close()
        }
    }
}
