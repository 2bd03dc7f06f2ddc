import Foundation
import GRDB
import Testing
import XChatEngine
import XChatEvents

@testable import XChat
@testable import XChatHTTP

/// The file: what is in it, who can read it, and what happens when it or the disk is not in order.
struct OutboxStoreTests {
    private let folder: ScratchFolder
    private let sealer: Sealer
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    init() throws {
        folder = try ScratchFolder()
        sealer = try Sealer()
    }

    private func store(at time: Date? = nil) throws -> SQLiteOutboxStore {
        try SQLiteOutboxStore(
            path: folder.file,
            userID: "1111",
            api: "https://api.x.com",
            retention: .seconds(100),
            now: time ?? now
        )
    }

    @Test func `what was enqueued is there after opening again, byte for byte`() throws {
        let messages = try ["one", "two", "three"].map { try sealer.seal($0) }
        try folder.outbox().enqueue(messages)
        let store = try store()
        for message in messages {
            let queued = try #require(try store.due(at: .distantFuture, limit: 9).first)
            let restored = try SealedMessage(
                messageID: queued.messageID,
                senderID: "1111",
                conversationID: queued.conversationID,
                encodedMessageCreateEvent: queued.encodedMessageCreateEvent,
                encodedMessageEventSignature: queued.encodedMessageEventSignature,
                readers: queued.readers
            )
            #expect(restored == message)
            try store.markSent(queued.messageID, sequenceID: "1", now: now)
        }
        #expect(try !store.hasQueued())
    }

    @Test func `only the owner can read the files`() throws {
        let outbox = try folder.outbox()
        try outbox.enqueue(sealer.seal("x"))
        _ = try outbox.store.tryLock()
        for suffix in ["", "-wal", "-shm", ".lock"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.file + suffix)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(suffix)")
        }
    }

    @Test func `a file that others can read is taken from their eyes`() throws {
        _ = try folder.outbox()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder.file)
        _ = try folder.outbox()
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func `every commit reaches the disk`() throws {
        let store = try store()
        #expect(try store.queue.read { try String.fetchOne($0, sql: "PRAGMA journal_mode") } == "wal")
        #expect(try store.queue.read { try Int.fetchOne($0, sql: "PRAGMA synchronous") } == 2)
    }

    @Test func `neither text nor key is in the files`() throws {
        let key = try ConversationKey.generate()
        var session = sealer.session
        try session.addConversationKey(key, in: Sealer.b, version: "1003")
        let outbox = try folder.outbox()
        try outbox.enqueue(session.seal(.text("a needle in the haystack"), in: Sealer.b))
        let secrets = [Data("needle".utf8), Data(key.withBytes { span in span.indices.map { span[$0] } })]
        for suffix in ["", "-wal"] {
            let bytes = try Data(contentsOf: URL(filePath: folder.file + suffix))
            for secret in secrets {
                #expect(bytes.range(of: secret) == nil)
                #expect(bytes.range(of: Data(secret.base64EncodedString().utf8)) == nil)
            }
        }
    }

    @Test func `the same message again changes nothing, another under its id is refused`() throws {
        let outbox = try folder.outbox()
        let message = try sealer.seal("x")
        try outbox.enqueue(message)
        try outbox.enqueue([message, message])
        #expect(try outbox.list().count == 1)
        let other = try sealer.seal("y")
        let forged = try SealedMessage(
            messageID: message.messageID,
            senderID: "1111",
            conversationID: Sealer.a,
            encodedMessageCreateEvent: other.encodedMessageCreateEvent,
            encodedMessageEventSignature: other.encodedMessageEventSignature
        )
        #expect(outboxError { try outbox.enqueue([other, forged]) } == .duplicate)
        #expect(try outbox.list().map(\.messageID) == [message.messageID], "all or none")
        try outbox.store.markSent(message.messageID, sequenceID: "1", now: now)
        try outbox.enqueue(message)
        #expect(try outbox.entry(message.messageID)?.state == .sent)
    }

    @Test func `a file is for one user of one API`() throws {
        _ = try folder.outbox()
        #expect(outboxError { _ = try folder.outbox("2222") } == .wrongOutbox)
        #expect(outboxError { _ = try folder.outbox(api: "http://127.0.0.1:1") } == .wrongOutbox)
        let stranger = try Sealer("2222").session.seal(.text("x"), in: Sealer.a)
        #expect(outboxError { try folder.outbox().enqueue(stranger) } == .wrongOutbox)
    }

    @Test func `the first of each conversation is due, the oldest first`() throws {
        let store = try store()
        let messages = try [Sealer.b, Sealer.a, Sealer.a, Sealer.b].map { try sealer.seal("x", in: $0) }
        try store.add(messages, now: now)
        let ids = messages.map(\.messageID)
        #expect(try store.due(at: now, limit: 9).map(\.messageID) == [ids[0], ids[1]])
        #expect(try store.due(at: now, limit: 1).map(\.messageID) == [ids[0]])
        try store.postpone(ids[0], until: now.addingTimeInterval(10), reason: "r")
        #expect(try store.due(at: now, limit: 9).map(\.messageID) == [ids[1]])
        #expect(try store.due(at: now.addingTimeInterval(10), limit: 9).map(\.messageID) == [ids[0], ids[1]])
        try store.setAside(ids[0], reason: "r", isStale: false, now: now)
        try store.markSent(ids[1], sequenceID: "1", now: now)
        #expect(try store.due(at: now.addingTimeInterval(10), limit: 9).map(\.messageID) == [ids[2], ids[3]])
        try store.pause(until: now.addingTimeInterval(20), now: now)
        #expect(try store.due(at: now.addingTimeInterval(10), limit: 9).isEmpty)
        #expect(try store.due(at: now.addingTimeInterval(20), limit: 9).count == 2)
        try store.retry(ids[0], allowing: [], now: now)
        #expect(try store.due(at: now, limit: 9).map(\.messageID) == [ids[0], ids[2]])
    }

    @Test func `a shorter pause does not shorten a longer one`() throws {
        let store = try store()
        try store.add([sealer.seal("x")], now: now)
        try store.pause(until: now.addingTimeInterval(20), now: now)
        try store.pause(until: now.addingTimeInterval(10), now: now)
        #expect(try store.due(at: now.addingTimeInterval(19), limit: 9).isEmpty)
        #expect(try store.due(at: now.addingTimeInterval(20), limit: 9).count == 1)
        // One from a wrong clock is none.
        try store.pause(until: now.addingTimeInterval(1e8), now: now)
        try store.pause(until: now.addingTimeInterval(30), now: now)
        #expect(try store.due(at: now.addingTimeInterval(29), limit: 9).isEmpty)
        #expect(try store.due(at: now.addingTimeInterval(30), limit: 9).count == 1)
    }

    @Test func `what was sent is no part of what is looked through for the next message`() throws {
        let plan = try store().queue.read { database in
            try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN \(SQLiteOutboxStore.dueQuery)", arguments: [0, 0, 0])
                .map { try $0.decode(String.self, forColumn: "detail") }
        }
        let tables = plan.filter { $0.contains("message") || $0.contains("conversation") }
        #expect(!tables.isEmpty)
        for step in tables {
            #expect(step.hasPrefix("SEARCH ") && (step.contains("message_queue") || step.contains("PRIMARY KEY")))
        }
    }

    @Test func `a process that runs for long forgets what is finished, once an hour at most`() throws {
        let store = try store()
        let messages = try ["one", "two", "three"].map { try sealer.seal($0) }
        try store.add(messages, now: now)
        let times = [0, 3599, 3600].map { now.addingTimeInterval($0) }
        for (message, time) in zip(messages, times) {
            #expect(try store.entry(messages[0].messageID) != nil)
            try store.markSent(message.messageID, sequenceID: "1", now: time)
        }
        #expect(try store.entries(in: [.sent]).map(\.messageID) == messages.dropFirst().map(\.messageID))
    }

    @Test func `a clock that was wrong once does not stop the queue for years`() throws {
        let store = try store()
        let message = try sealer.seal("x")
        try store.add([message], now: now)
        try store.pause(until: now.addingTimeInterval(1e8), now: now)
        try store.postpone(message.messageID, until: now.addingTimeInterval(1e8), reason: "r")
        #expect(try store.due(at: now, limit: 9).count == 1)
    }

    @Test func `what is finished can be neither retried nor dropped, and is forgotten in time`() throws {
        let store = try store()
        let messages = try ["sent", "replaced", "dropped", "aside", "queued"].map { try sealer.seal($0) }
        try store.add(messages, now: now)
        let ids = messages.map(\.messageID)
        let replacement = try sealer.renewed.reseal(messages[1])
        try store.markSent(ids[0], sequenceID: "1", now: now)
        try store.replace(ids[1], with: replacement, now: now)
        try store.drop(ids[2], now: now)
        try store.setAside(ids[3], reason: "r", isStale: false, now: now)
        for id in ids[...2] {
            #expect(outboxError { try store.retry(id, allowing: [], now: now) } == .finished)
            #expect(outboxError { try store.drop(id, now: now) } == .finished)
        }
        #expect(outboxError { try store.retry("?", allowing: [], now: now) } == .unknownMessage)
        #expect(outboxError { try store.drop("?", now: now) } == .unknownMessage)
        let kept = try store.queue.read {
            try String.fetchAll($0, sql: "SELECT state FROM message WHERE create_event <> '' ORDER BY place")
        }
        #expect(kept == ["queued", "set_aside", "queued"])

        let all = Set(OutboxEntry.State.allCases)
        #expect(try self.store(at: now.addingTimeInterval(99)).entries(in: all).count == 6)
        let left = try self.store(at: now.addingTimeInterval(101)).entries(in: all)
        #expect(left.map(\.messageID) == [replacement.messageID, ids[3], ids[4]])
    }

    @Test func `a replacement stands in the place of the refused one, linked both ways, and once`() throws {
        let store = try store()
        let messages = try ["one", "two"].map { try sealer.seal($0) }
        try store.add(messages, now: now)
        let first = try sealer.renewed.reseal(messages[0])
        try store.replace(messages[0].messageID, with: first, now: now)
        try store.replace(messages[0].messageID, with: sealer.renewed.reseal(messages[0]), now: now)
        #expect(try store.due(at: now, limit: 9).map(\.messageID) == [first.messageID])
        #expect(try store.entry(messages[0].messageID)?.replacedBy == first.messageID)
        #expect(try store.entry(first.messageID)?.replaces == messages[0].messageID)
        #expect(try store.entries(in: [.queued]).map(\.messageID) == [first.messageID, messages[1].messageID])
    }

    // MARK: What is not in order

    @Test func `a full disk is said, and nothing that was acknowledged is lost`() throws {
        let store = try store()
        let outbox = Outbox(store: store)
        try store.queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 20") }
        var acknowledged: [WireString] = []
        let code = outboxError {
            for number in 0..<1000 {
                let message = try sealer.seal("\(number)")
                try outbox.enqueue(message)
                acknowledged.append(message.messageID)
            }
        }
        #expect(code == .full)
        #expect(!acknowledged.isEmpty)
        #expect(try self.store().entries(in: [.queued]).map(\.messageID) == acknowledged)
        try store.queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 10000") }
        try outbox.enqueue(sealer.seal("now it fits"))
    }

    @Test(
        "what is no outbox is refused, and left as it is",
        arguments: [
            "garbage, and not a little of it".utf8.map { $0 }, [UInt8](repeating: 0, count: 4096),
            [UInt8]("SQLite format 3\u{0}".utf8) + [UInt8](repeating: 255, count: 8176),
        ]
    )
    func garbage(_ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(filePath: folder.file))
        #expect(outboxError { _ = try folder.outbox() } == .corrupt)
        #expect(try Data(contentsOf: URL(filePath: folder.file)) == Data(bytes))
    }

    @Test func `damage anywhere in the file is found when it is opened`() throws {
        do {
            let store = try store()
            try store.add((0..<40).map { try sealer.seal("\($0)") }, now: now)
            try store.queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            try store.queue.close()
        }
        var bytes = try Data(contentsOf: URL(filePath: folder.file))
        for index in bytes.indices where index >= 4096 && index % 4096 < 64 { bytes[index] ^= 0xA5 }
        try bytes.write(to: URL(filePath: folder.file))
        #expect(outboxError { _ = try folder.outbox() } == .corrupt)
        #expect(try Data(contentsOf: URL(filePath: folder.file)) == bytes)
    }

    @Test func `damage is found where nothing looks that opens the file`() throws {
        do {
            let store = try store()
            try store.add([sealer.seal(String(repeating: "long ", count: 10_000))], now: now)
            try store.queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            try store.queue.close()
        }
        var bytes = try Data(contentsOf: URL(filePath: folder.file))
        // What does not fit into a row's page stands in a chain of others, which begin with the number of the next.
        let chained = stride(from: 4096, to: bytes.count, by: 4096).filter { bytes[$0] == 0 }
        #expect(chained.count > 5)
        for page in chained.dropFirst().prefix(1) { bytes[page] = 0x7F }
        try bytes.write(to: URL(filePath: folder.file))
        #expect(outboxError { _ = try folder.outbox() } == .corrupt)
        #expect(try Data(contentsOf: URL(filePath: folder.file)) == bytes)
    }

    @Test func `another database, and one of tomorrow, are refused`() throws {
        let other = try DatabaseQueue(path: folder.file)
        try other.write { try $0.execute(sql: "CREATE TABLE t (x)") }
        try other.close()
        #expect(outboxError { _ = try folder.outbox() } == .corrupt)
        try FileManager.default.removeItem(atPath: folder.file)
        let store = try store()
        try store.queue.write { try $0.execute(sql: "PRAGMA user_version = 3") }
        #expect(outboxError { _ = try folder.outbox() } == .newerFormat)
    }

    @Test("a path that leads nowhere is an error", arguments: ["", "/nowhere/at/all", "a\u{0}b", "/"])
    func noPath(_ path: String) {
        #expect(outboxError { _ = try Outbox.open(path, userID: "1") } == .inaccessible)
    }

    @Test func `one at a time posts`() throws {
        let (one, other) = (try store(), try store())
        #expect(try one.tryLock())
        #expect(try !one.tryLock())
        #expect(try !other.tryLock())
        one.unlock()
        #expect(try other.tryLock())
    }
}
