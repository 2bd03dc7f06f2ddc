import Foundation
import GRDB
import Synchronization
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatHTTP

@testable import XChat

/// When the worker reads its queue, and which changes one commit contains.
@Suite(.timeLimit(.minutes(1)), .serialized)
struct OutboxWakeTests {
    private let folder: ScratchFolder
    private let sealer: Sealer

    init() throws {
        folder = try ScratchFolder()
        sealer = try Sealer()
    }

    private final class Count: Sendable {
        let value = Mutex(0)
    }

    /// Counts the statements that a store runs from now on.
    private func countStatements(_ store: AccountFile) async throws -> Count {
        let count = Count()
        try await store.database.queue.writeWithoutTransaction { database in
            database.trace { _ in count.value.withLock { $0 += 1 } }
        }
        return count
    }

    /// Whether a store soon runs no statement for two seconds.
    ///
    /// Before that, it checks files that have just changed once more.
    private func isSilent(_ store: AccountFile) async throws -> Bool {
        let count = try await countStatements(store)
        for _ in 0..<5 {
            let before = count.value.withLock { $0 }
            try await Task.sleep(for: .seconds(2))
            if count.value.withLock({ $0 }) == before { return true }
        }
        return false
    }

    /// Runs an outbox with its normal intervals while the body runs.
    private func running(
        _ store: AccountFile,
        _ server: some MessageSending,
        _ body: (Outbox) async throws -> Void
    ) async throws {
        var outbox = try await folder.outbox(in: store)
        outbox.interval = .milliseconds(250)
        let task = Task { [outbox] in try await outbox.run(client: server) { _ in sealer.renewed } }
        try await body(outbox)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    private func isSent(_ message: SealedMessage, _ outbox: Outbox) async throws -> Bool {
        try await outbox.entry(message.messageID)?.state == .sent
    }

    @Test func `an idle outbox runs no query, nor does one that waits for a time`() async throws {
        let store = try await folder.store()
        let server = ToyServer { message, _ in
            message.conversationID == Sealer.b ? .before(APIError(.connection, "lost")) : nil
        }
        try await running(store, server) { outbox in
            let message = try sealer.seal("x")
            try await outbox.enqueue(message)
            while try await !isSent(message, outbox) { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await isSilent(store))
        }
        var waiting = try await folder.outbox(in: store)
        waiting.policy.firstDelay = .seconds(60)
        waiting.policy.longestDelay = .seconds(60)
        waiting.interval = .milliseconds(250)
        try await waiting.enqueue(sealer.seal("later", in: Sealer.b))
        let task = Task { [waiting] in try await waiting.run(client: server) { _ in sealer.renewed } }
        while try await waiting.list().first?.failures != 1 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try await isSilent(store))
        task.cancel()
        _ = await task.result
    }

    @Test func `a message of this process wakes the worker at once`() async throws {
        let store = try await folder.store()
        let server = ToyServer()
        try await running(store, server) { outbox in
            try await Task.sleep(for: .milliseconds(600))
            var times: [Duration] = []
            for number in 0..<20 {
                let message = try sealer.seal("\(number)")
                let start = ContinuousClock.now
                try await outbox.enqueue(message)
                while server.state.withLock({ $0.posts }) <= number { await Task.yield() }
                times.append(ContinuousClock.now - start)
            }
            let median = times.sorted()[10]
            // If the worker polled every 250 ms, it would be 125 ms.
            #expect(median < .milliseconds(60), "\(median)")
            print("outbox: from enqueue to post in \(median)")
        }
    }

    @Test func `a message of another process is noticed`() async throws {
        let server = ToyServer()
        let other = try await folder.outbox()
        try await running(folder.store(), server) { outbox in
            for number in 0..<3 {
                try await Task.sleep(for: .milliseconds(400))
                let message = try sealer.seal("\(number)")
                let start = ContinuousClock.now
                try await other.enqueue(message)
                while try await !isSent(message, outbox) { try await Task.sleep(for: .milliseconds(5)) }
                #expect(ContinuousClock.now - start < .seconds(5))
            }
        }
        #expect(try server.texts(Sealer.a, sealer) == ["0", "1", "2"])
    }

    /// Delays all requests until it is opened.
    private final class Gate: MessageSending {
        let hasReached = Mutex(false)
        let isOpen = Mutex(false)
        private let server: ToyServer

        init(_ server: ToyServer) { self.server = server }

        func post(_ message: SealedMessage) async throws(APIError) -> SentMessage {
            hasReached.withLock { $0 = true }
            while !isOpen.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(1)) }
            return try await server.post(message)
        }

        func posted(_ message: SealedMessage, by sender: UserID) async throws(APIError) -> PostedMessages {
            try await server.posted(message, by: sender)
        }
    }

    @Test("a message that is dropped after it was read is not posted", arguments: [true, false])
    func dropped(_ isElsewhere: Bool) async throws {
        let server = ToyServer()
        let gate = Gate(server)
        let messages = try ["one", "two", "three", "four"].map { try sealer.seal($0) }
        let store = try await folder.store()
        let other = isElsewhere ? try await folder.outbox() : try await folder.outbox(in: store)
        try await running(store, gate) { outbox in
            try await outbox.enqueue(messages)
            while !gate.hasReached.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
            try await other.drop(messages[1].messageID)
            try await other.drop(messages[2].messageID)
            gate.isOpen.withLock { $0 = true }
            while try await !isSent(messages[3], outbox) { try await Task.sleep(for: .milliseconds(5)) }
        }
        #expect(try server.texts(Sealer.a, sealer) == ["one", "four"])
    }

    @Test func `many conversations are posted in order, with few statements for each message`() async throws {
        let store = try await folder.store()
        var outbox = try await folder.outbox(in: store)
        outbox.concurrency = 16
        var session = sealer.session
        let conversations = (0..<300).map { ConversationID.oneToOne("1111", UserID("\(5000 + $0)")) }
        for conversation in conversations {
            try session.addConversationKey(try .generate(), in: conversation, version: "1001")
        }
        let messages = try (0..<3).flatMap { number in
            try conversations.map { try session.seal(.text("\(number)"), in: $0) }
        }
        try await outbox.enqueue(messages)
        let count = try await countStatements(store)
        let server = ToyServer()
        try await outbox.drain(client: server) { [session] _ in session }
        #expect(server.state.withLock { $0.posts } == 900)
        let stored = server.state.withLock { $0.stored }
        for conversation in conversations {
            let ids = messages.filter { $0.conversationID == conversation }.map(\.messageID)
            #expect(stored[conversation]?.compactMap(\.messageID) == ids)
        }
        let statements = count.value.withLock { $0 }
        #expect(statements < 900 * 15, "\(statements)")
        print("outbox: \(statements) statements for 900 messages in 300 conversations")
    }

    @Test func `a record and a message are committed together or not at all`() async throws {
        let outbox = try await folder.outbox()
        let (first, second) = (try sealer.seal("one"), try sealer.seal("two"))
        let key = RecordKey.consumer("default")
        var batch = RecordBatch()
        (batch.expected[key], batch.writes[key], batch.messages) = (0, [1], [first])
        try await outbox.store.commit(batch)
        #expect(try await outbox.list().map(\.messageID) == [first.messageID])

        batch.messages = [second]
        #expect(await code { try await outbox.store.commit(batch) } == .conflict)
        #expect(try await outbox.list().map(\.messageID) == [first.messageID])

        // If the message's id is taken, the record is not written either.
        batch = RecordBatch()
        batch.writes[key] = [2]
        batch.messages = [
            second,
            try SealedMessage(
                messageID: first.messageID,
                senderID: "1111",
                conversationID: Sealer.a,
                encodedMessageCreateEvent: second.encodedMessageCreateEvent,
                encodedMessageEventSignature: second.encodedMessageEventSignature
            ),
        ]
        #expect(await code { try await outbox.store.commit(batch) } == .duplicate)
        #expect(try await outbox.store.records([key])[key]?.bytes == [1])
        #expect(try await outbox.list().map(\.messageID) == [first.messageID])
    }

    @Test func `ids, conversations, reasons and contents of messages are not in the files`() async throws {
        let outbox = try await folder.outbox()
        let sent = try sealer.seal("sent")
        let refused = try sealer.seal("refused")
        let server = ToyServer { message, _ in
            message.messageID == refused.messageID
                ? .before(APIError(.invalidRequest, "needle-reason", status: 400)) : nil
        }
        try await outbox.enqueue([sent, refused])
        try await outbox.drain(client: server) { _ in sealer.renewed }
        #expect(try await outbox.list().first?.reason?.contains("needle-reason") == true)
        let secrets = [
            sent.messageID.string, refused.messageID.string, "1111:2222", "needle-reason", "api.x.com",
            refused.encodedMessageCreateEvent, String(refused.encodedMessageEventSignature.prefix(24)),
        ]
        let files = try Scratch.contents(of: folder.path)
        #expect(files["account.db"] != nil)
        for (name, bytes) in files {
            for secret in secrets { #expect(bytes.firstRange(of: secret.utf8) == nil, "\(secret) in \(name)") }
        }
    }

    @Test func `a damaged row does not keep the outcomes of other messages from being stored`() async throws {
        let store = try await folder.store()
        let outbox = try await folder.outbox(in: store)
        let messages = try ["one", "two", "three"].map { try sealer.seal($0) }
        try await outbox.enqueue(messages)
        try await store.database.queue.write { try $0.execute(sql: "UPDATE message SET note = x'00' WHERE id = 2") }
        let server = ToyServer()
        #expect(await code { try await outbox.drain(client: server) { _ in sealer.renewed } } == .damaged)
        #expect(try server.texts(Sealer.a, sealer) == ["one", "two", "three"])
        #expect(try await store.entry(messages[0].messageID)?.state == .sent)
        #expect(try await store.entry(messages[2].messageID)?.state == .sent)
    }
}
