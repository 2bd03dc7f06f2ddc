import Foundation
import GRDB
import Synchronization
import Testing
import XChatEngine
import XChatEvents

@testable import XChat
@testable import XChatHTTP

/// The file of the outbox: its contents, its permissions, and the errors if it is damaged or the disk is full.
struct OutboxStoreTests {
    private let folder: ScratchFolder
    private let sealer: Sealer
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    init() throws {
        folder = try ScratchFolder()
        sealer = try Sealer()
    }

    private func store(at time: Date? = nil) async throws -> AccountFile {
        let store = try await folder.store()
        _ = try await outbox(store, at: time ?? now)
        return store
    }

    private func outbox(_ store: AccountFile, at time: Date) async throws -> Outbox {
        try await Outbox(opening: store, userID: "1111", retention: .seconds(100), now: time)
    }

    @Test func `enqueued messages are the same after reopening, byte for byte`() async throws {
        let messages = try ["one", "two", "three"].map { try sealer.seal($0) }
        try await folder.outbox().enqueue(messages)
        let store = try await store()
        for message in messages {
            let queued = try #require(try await store.due(at: .distantFuture, limit: 9).first)
            let restored = try SealedMessage(
                messageID: queued.messageID,
                senderID: "1111",
                conversationID: queued.conversationID,
                encodedMessageCreateEvent: queued.encodedMessageCreateEvent,
                encodedMessageEventSignature: queued.encodedMessageEventSignature,
                readers: queued.readers
            )
            #expect(restored == message)
            try await store.markSent(queued.messageID, sequenceID: "1", now: now)
        }
        #expect(try await !store.hasQueued())
    }

    @Test func `only the owner can read the files`() async throws {
        let outbox = try await folder.outbox()
        try await outbox.enqueue(sealer.seal("x"))
        let lease = try #require(try await outbox.store.lease(Outbox.lease))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.count == 4)
        for name in names {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/" + name)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
        }
        await lease.end()
    }

    @Test func `a file that others can read is made private`() async throws {
        _ = try await folder.outbox()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder.file)
        _ = try await folder.outbox()
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func `every commit reaches the disk`() async throws {
        let store = try await store()
        #expect(try await store.database.queue.read { try String.fetchOne($0, sql: "PRAGMA journal_mode") } == "wal")
        #expect(try await store.database.queue.read { try Int.fetchOne($0, sql: "PRAGMA synchronous") } == 2)
    }

    @Test func `neither text nor key is in the files`() async throws {
        let key = try ConversationKey.generate()
        var session = sealer.session
        try session.addConversationKey(key, in: Sealer.b, version: "1003")
        let outbox = try await folder.outbox()
        try await outbox.enqueue(session.seal(.text("a needle in the haystack"), in: Sealer.b))
        let secrets = [Data("needle".utf8), Data(key.withBytes { span in span.indices.map { span[$0] } })]
        for suffix in ["", "-wal"] {
            let bytes = try Data(contentsOf: URL(filePath: folder.file + suffix))
            for secret in secrets {
                #expect(bytes.range(of: secret) == nil)
                #expect(bytes.range(of: Data(secret.base64EncodedString().utf8)) == nil)
            }
        }
    }

    @Test func `the same message again changes nothing, another under its id is refused`() async throws {
        let outbox = try await folder.outbox()
        let message = try sealer.seal("x")
        try await outbox.enqueue(message)
        try await outbox.enqueue([message, message])
        #expect(try await outbox.list().count == 1)
        let other = try sealer.seal("y")
        let forged = try SealedMessage(
            messageID: message.messageID,
            senderID: "1111",
            conversationID: Sealer.a,
            encodedMessageCreateEvent: other.encodedMessageCreateEvent,
            encodedMessageEventSignature: other.encodedMessageEventSignature
        )
        #expect(await code { try await outbox.enqueue([other, forged]) } == .duplicate)
        #expect(try await outbox.list().map(\.messageID) == [message.messageID], "all or none")
        try await outbox.store.markSent(message.messageID, sequenceID: "1", now: now)
        try await outbox.enqueue(message)
        #expect(try await outbox.entry(message.messageID)?.state == .sent)
    }

    @Test func `outcomes are stored in order, all or none`() async throws {
        let store = try await store()
        let messages = try ["a", "b", "c"].map { try sealer.seal($0) }
        let ids = messages.map(\.messageID)
        try await store.add(messages, now: now)
        let replacedByAnother = [MessageOutcome.sent(ids[0], sequenceID: "1"), .replaced(ids[1], by: messages[2])]
        #expect(await code { try await store.settle(replacedByAnother, at: now) } == .duplicate)
        #expect(try await store.due(at: now, limit: 9).map(\.messageID) == [ids[0]])
        let outcomes = [
            MessageOutcome.sent(ids[0], sequenceID: "1"), .deadLetter(ids[1], reason: "r", isStale: false),
            .sent(ids[1], sequenceID: "2"),
        ]
        try await store.settle(outcomes, at: now)
        #expect(try await store.due(at: now, limit: 9).map(\.messageID) == [ids[2]])
        #expect(try await store.entry(ids[1])?.state == .sent)
    }

    @Test func `a file is for one user of one API`() async throws {
        _ = try await folder.outbox()
        #expect(await code { _ = try await folder.outbox("2222") } == .otherAccount)
        #expect(await code { _ = try await folder.outbox(api: "http://127.0.0.1:1") } == .otherAccount)
        let stranger = try Sealer("2222").session.seal(.text("x"), in: Sealer.a)
        #expect(await code { try await folder.outbox().enqueue(stranger) } == .otherAccount)
    }

    @Test func `the first of each conversation is due, the oldest first`() async throws {
        let store = try await store()
        let messages = try [Sealer.b, Sealer.a, Sealer.a, Sealer.b].map { try sealer.seal("x", in: $0) }
        try await store.add(messages, now: now)
        let ids = messages.map(\.messageID)
        #expect(try await store.due(at: now, limit: 9).map(\.messageID) == [ids[0], ids[1]])
        #expect(try await store.due(at: now, limit: 1).map(\.messageID) == [ids[0]])
        try await store.postpone(ids[0], until: now.addingTimeInterval(10), reason: "r")
        #expect(try await store.due(at: now, limit: 9).map(\.messageID) == [ids[1]])
        #expect(try await store.due(at: now.addingTimeInterval(10), limit: 9).map(\.messageID) == [ids[0], ids[1]])
        try await store.deadLetter(ids[0], reason: "r", isStale: false, now: now)
        try await store.markSent(ids[1], sequenceID: "1", now: now)
        #expect(try await store.due(at: now.addingTimeInterval(10), limit: 9).map(\.messageID) == [ids[2], ids[3]])
        try await store.pause(until: now.addingTimeInterval(20), now: now)
        #expect(try await store.due(at: now.addingTimeInterval(10), limit: 9).isEmpty)
        #expect(try await store.due(at: now.addingTimeInterval(20), limit: 9).count == 2)
        try await store.retry(ids[0], allowing: [], at: now)
        #expect(try await store.due(at: now, limit: 9).map(\.messageID) == [ids[0], ids[2]])
    }

    @Test func `a shorter pause does not shorten a longer one`() async throws {
        let store = try await store()
        try await store.add([sealer.seal("x")], now: now)
        try await store.pause(until: now.addingTimeInterval(20), now: now)
        try await store.pause(until: now.addingTimeInterval(10), now: now)
        #expect(try await store.due(at: now.addingTimeInterval(19), limit: 9).isEmpty)
        #expect(try await store.due(at: now.addingTimeInterval(20), limit: 9).count == 1)
        // A time from a wrong clock is ignored.
        try await store.pause(until: now.addingTimeInterval(1e8), now: now)
        try await store.pause(until: now.addingTimeInterval(30), now: now)
        #expect(try await store.due(at: now.addingTimeInterval(29), limit: 9).isEmpty)
        #expect(try await store.due(at: now.addingTimeInterval(30), limit: 9).count == 1)
    }

    @Test func `finding the next message does not read sent ones`() async throws {
        let plan = try await store().database.queue.read { database in
            try [SealedDatabase.dueQuery, SealedDatabase.windowQuery].flatMap { query in
                try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN \(query)", arguments: [0, 0, 0])
                    .map { try $0.decode(String.self, forColumn: "detail") }
            }
        }
        let tables = plan.filter { $0.contains("message") || $0.contains("queue") }
        #expect(tables.count == 4)
        for step in tables {
            #expect(
                step.hasPrefix("SEARCH ") && (step.contains("message_queue") || step.contains("queue_due")),
                "\(step)"
            )
        }
        #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "rows are read in the order of an index")
    }

    @Test func `a long-running process deletes finished messages, at most once an hour`() async throws {
        var outbox = try await outbox(folder.store(), at: now)
        let time = Mutex(now)
        outbox.clock = { time.withLock { $0 } }
        let messages = try ["one", "two", "three"].map { try sealer.seal($0) }
        for (message, seconds) in zip(messages, [0, 3599, 3600] as [Double]) {
            time.withLock { $0 = now.addingTimeInterval(seconds) }
            try await outbox.enqueue(message)
            #expect(try await outbox.entry(messages[0].messageID) != nil)
            try await outbox.drain(client: ToyServer()) { _ in sealer.renewed }
        }
        #expect(try await outbox.list([.sent]).map(\.messageID) == messages.dropFirst().map(\.messageID))
    }

    @Test func `a clock that was wrong once does not stop the queue for years`() async throws {
        let store = try await store()
        let message = try sealer.seal("x")
        try await store.add([message], now: now)
        try await store.pause(until: now.addingTimeInterval(1e8), now: now)
        try await store.postpone(message.messageID, until: now.addingTimeInterval(1e8), reason: "r")
        #expect(try await store.due(at: now, limit: 9).count == 1)
    }

    @Test func `a finished message can be neither retried nor dropped, and is deleted in time`() async throws {
        let store = try await store()
        let messages = try ["sent", "replaced", "dropped", "aside", "queued"].map { try sealer.seal($0) }
        try await store.add(messages, now: now)
        let ids = messages.map(\.messageID)
        let replacement = try sealer.renewed.reseal(messages[1])
        try await store.markSent(ids[0], sequenceID: "1", now: now)
        try await store.replace(ids[1], with: replacement, now: now)
        try await store.drop(ids[2], at: now)
        try await store.deadLetter(ids[3], reason: "r", isStale: false, now: now)
        for id in ids[...2] {
            #expect(await code { try await store.retry(id, allowing: [], at: now) } == .finished)
            #expect(await code { try await store.drop(id, at: now) } == .finished)
        }
        #expect(await code { try await store.retry("?", allowing: [], at: now) } == .unknownMessage)
        #expect(await code { try await store.drop("?", at: now) } == .unknownMessage)
        let kept = try await store.database.queue.read {
            try Int.fetchAll($0, sql: "SELECT state FROM message WHERE body IS NOT NULL ORDER BY place")
        }
        // The replacement, the dead letter and the last one.
        #expect(kept == [0, 1, 0])

        let all = Set(OutboxEntry.State.allCases)
        #expect(try await self.store(at: now.addingTimeInterval(99)).entries(in: all).count == 6)
        let left = try await self.store(at: now.addingTimeInterval(101)).entries(in: all)
        #expect(left.map(\.messageID) == [replacement.messageID, ids[3], ids[4]])
    }

    @Test func `a replacement takes the place of the refused one, linked both ways, and once`() async throws {
        let store = try await store()
        let messages = try ["one", "two"].map { try sealer.seal($0) }
        try await store.add(messages, now: now)
        let first = try sealer.renewed.reseal(messages[0])
        try await store.replace(messages[0].messageID, with: first, now: now)
        try await store.replace(messages[0].messageID, with: sealer.renewed.reseal(messages[0]), now: now)
        #expect(try await store.due(at: now, limit: 9).map(\.messageID) == [first.messageID])
        #expect(try await store.entry(messages[0].messageID)?.replacedBy == first.messageID)
        #expect(try await store.entry(first.messageID)?.replaces == messages[0].messageID)
        #expect(try await store.entries(in: [.queued]).map(\.messageID) == [first.messageID, messages[1].messageID])
    }

    // MARK: Damage and full disks

    @Test func `a full disk is reported, and no acknowledged message is lost`() async throws {
        let store = try await store()
        let outbox = try await outbox(store, at: now)
        try await store.database.queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 20") }
        var acknowledged: [MessageID] = []
        let code = await code {
            for number in 0..<1000 {
                let message = try sealer.seal("\(number)")
                try await outbox.enqueue(message)
                acknowledged.append(message.messageID)
            }
        }
        #expect(code == .full)
        #expect(!acknowledged.isEmpty)
        #expect(try await self.store().entries(in: [.queued]).map(\.messageID) == acknowledged)
        try await store.database.queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 10000") }
        try await outbox.enqueue(sealer.seal("now it fits"))
    }

    @Test(
        "a file that is not an outbox is refused, and not changed",
        arguments: [
            "garbage, and not a little of it".utf8.map { $0 }, [UInt8](repeating: 0, count: 4096),
            [UInt8]("SQLite format 3\u{0}".utf8) + [UInt8](repeating: 255, count: 8176),
        ]
    )
    func garbage(_ bytes: [UInt8]) async throws {
        try Data(bytes).write(to: URL(filePath: folder.file))
        #expect(await code { _ = try await folder.outbox() } == .damaged)
        #expect(try Data(contentsOf: URL(filePath: folder.file)) == Data(bytes))
    }

    @Test func `damage anywhere in the file is found when it is opened`() async throws {
        do {
            let store = try await store()
            try await store.add((0..<40).map { try sealer.seal("\($0)") }, now: now)
            try await store.database.queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            try store.database.queue.close()
        }
        var bytes = try Data(contentsOf: URL(filePath: folder.file))
        for index in bytes.indices where index >= 4096 && index % 4096 < 64 { bytes[index] ^= 0xA5 }
        try bytes.write(to: URL(filePath: folder.file))
        #expect(await code { _ = try await folder.outbox() } == .damaged)
        #expect(try Data(contentsOf: URL(filePath: folder.file)) == bytes)
    }

    @Test func `damage is found in pages that opening the file does not read`() async throws {
        do {
            let store = try await store()
            try await store.add([sealer.seal(String(repeating: "long ", count: 10_000))], now: now)
            try await store.database.queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            try store.database.queue.close()
        }
        var bytes = try Data(contentsOf: URL(filePath: folder.file))
        // The part of a row that does not fit into its page is in a chain of other pages, each of which begins with the
        // number of the next.
        let chained = stride(from: 4096, to: bytes.count, by: 4096).filter { bytes[$0] == 0 }
        #expect(chained.count > 5)
        for page in chained.dropFirst().prefix(1) { bytes[page] = 0x7F }
        try bytes.write(to: URL(filePath: folder.file))
        #expect(await code { _ = try await folder.outbox() } == .damaged)
        #expect(try Data(contentsOf: URL(filePath: folder.file)) == bytes)
    }

    @Test func `another database, and one of a later version, are refused`() async throws {
        let other = try DatabaseQueue(path: folder.file)
        try await other.write { try $0.execute(sql: "CREATE TABLE t (x)") }
        try other.close()
        #expect(await code { _ = try await folder.outbox() } == .damaged)
        try FileManager.default.removeItem(atPath: folder.file)
        let store = try await store()
        try await store.database.queue.write { try $0.execute(sql: "PRAGMA user_version = 2") }
        #expect(await code { _ = try await folder.outbox() } == .newerFormat)
    }

    @Test func `one process at a time posts`() async throws {
        let (one, other) = (try await store(), try await store())
        let lease = try #require(try await one.lease(Outbox.lease))
        #expect(try await one.lease(Outbox.lease) == nil)
        #expect(try await other.lease(Outbox.lease) == nil)
        await lease.end()
        let next = try #require(try await other.lease(Outbox.lease))
        await next.end()
    }
}
