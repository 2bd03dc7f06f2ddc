import Foundation
import GRDB
import LibSodium
import Synchronization
import TestSupport
import Testing
import XChatEngine
import XChatEvents

@testable import XChat

/// The account file: which data can be read without the passphrase, and which errors damage causes.
struct AccountFileTests {
    private let keys: [RecordKey] = [.user("2222"), .user("3333"), .conversation(.oneToOne("1111", "2222"))]

    /// An account file whose records are in the main file, without a write-ahead log.
    private func filled() async throws -> AccountFilePlace {
        let place = try await AccountFilePlace()
        let file = try await place.file()
        for (index, key) in keys.enumerated() { try await file.commit(place.batch(key, index, expecting: 0)) }
        try settle(place)
        return place
    }

    private func settle(_ place: AccountFilePlace) throws {
        try edit(place) { _ in }
    }

    /// Changes the file as a program without the passphrase could.
    private func edit(_ place: AccountFilePlace, _ change: (Database) throws -> Void) throws {
        var configuration = Configuration()
        // A store that a test has released may still be closing.
        configuration.busyMode = .timeout(5)
        let queue = try DatabaseQueue(path: place.path, configuration: configuration)
        try queue.writeWithoutTransaction { database in
            try change(database)
            _ = try database.checkpoint(.truncate)
        }
        try queue.close()
    }

    private func openCode(_ place: AccountFilePlace, _ words: String = "correct") async -> AccountError.Code? {
        await code { _ = try await AccountFile.open(place.path, passphrase: try passphrase(words)) }
    }

    // MARK: Data that can be read without the passphrase

    @Test func `ids, names, keys and values are not in the files`() async throws {
        let place = try await AccountFilePlace()
        let file = try await place.file()
        let secrets = ["7777000111", "g9000900090", "needle-consumer", "needlehandle", "needle-call", "needle-value"]
        let digest = try #require(EventDigest(stored: Array("needle-needle-needle-needle-1234".utf8)))
        let group = ConversationID(canonicalizing: "g9000900090")
        var batch = RecordBatch()
        let keys: [RecordKey] = [
            .account, .user("7777000111"), .conversation(group), .consumer("needle-consumer"),
            .cursor(consumer: "needle-consumer", group), .seen(consumer: "needle-consumer", group, .texts, record: 3),
            .reply(consumer: "needle-consumer", digest, call: "needle-call"), .handle("needlehandle"),
        ]
        for key in keys { batch.writes[key] = Array("needle-value".utf8) }
        try await file.commit(batch)
        let lease = try await file.lease("needle-consumer")
        let files = try Scratch.contents(of: place.folder.path)
        #expect(files.keys.contains { $0.hasPrefix("account.db.lease-") })
        var content = Data(files.keys.joined(separator: "\n").utf8)
        for bytes in files.values { content += bytes }
        #expect(content.count > 4096)
        for secret in secrets + ["needle", "correct"] {
            #expect(content.range(of: Data(secret.utf8)) == nil, "\(secret)")
            #expect(content.range(of: Data(secret.utf8).base64EncodedData()) == nil, "\(secret)")
        }
        await lease?.end()
    }

    @Test func `equal keys and values look different in two files`() async throws {
        var rows: [[Row]] = []
        for _ in 0..<2 {
            let place = try await filled()
            try edit(place) { rows.append(try Row.fetchAll($0, sql: "SELECT hash, sealed FROM record")) }
        }
        let columns = rows.map { Set($0.flatMap { row in [row["hash"] as Data, row["sealed"] as Data] }) }
        #expect(columns[0].count == 6)
        #expect(columns[0].isDisjoint(with: columns[1]))
    }

    @Test func `only the owner can read the files`() async throws {
        let place = try await AccountFilePlace()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: place.path)
        let file = try await place.file()
        try await file.commit(place.batch(.account, 1, expecting: 0))
        let lease = try await file.lease("x")
        let names = try FileManager.default.contentsOfDirectory(atPath: place.folder.path)
        #expect(names.count == 4)
        for name in names {
            let attributes = try FileManager.default.attributesOfItem(atPath: place.folder.path + "/" + name)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
        }
        await lease?.end()
    }

    // MARK: Opening

    @Test func `another passphrase is refused`() async throws {
        let place = try await filled()
        #expect(await openCode(place, "wrong") == .wrongPassphrase)
        #expect(await openCode(place, "") == .wrongPassphrase)
        #expect(await openCode(place) == nil)
    }

    @Test func `a missing or empty file is not found, and can be made into an account`() async throws {
        let folder = try ScratchFolder()
        let path = folder.path + "/account.db"
        #expect(await code { _ = try await AccountFile.open(path, passphrase: passphrase("x")) } == .notFound)
        try Data().write(to: URL(filePath: path))
        #expect(await code { _ = try await AccountFile.open(path, passphrase: passphrase("x")) } == .notFound)
        _ = try await AccountFile.create(path, passphrase: passphrase("x"), limits: .minimum)
        _ = try await AccountFile.open(path, passphrase: passphrase("x"))
        #expect(
            await code { _ = try await AccountFile.create(path, passphrase: passphrase("x"), limits: .minimum) }
                == .exists
        )
    }

    @Test("a path without a file or a folder is an error", arguments: ["", "/nowhere/at/all", "a\u{0}b", "/"])
    func noPath(_ path: String) async {
        let made = await code { _ = try await AccountFile.create(path, passphrase: passphrase("x"), limits: .minimum) }
        #expect(made == .file)
        let opened = await code { _ = try await AccountFile.open(path, passphrase: passphrase("x")) }
        #expect(opened == (path == "/nowhere/at/all" ? .notFound : .file))
    }

    @Test func `of many processes that make one file, one succeeds`() async throws {
        let folder = try ScratchFolder()
        let codes = await withTaskGroup(of: AccountError.Code?.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    await code {
                        _ = try await AccountFile.create(
                            folder.path + "/account.db",
                            passphrase: passphrase("x"),
                            limits: .minimum
                        )
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.count { $0 == nil } == 1)
        #expect(codes.count { $0 == .exists } == 7)
    }

    @Test(
        "a file that is not an account file is refused, and not changed",
        arguments: [
            "garbage, and not a little of it".utf8.map { $0 }, [UInt8](repeating: 0, count: 4096),
            [UInt8]("SQLite format 3\u{0}".utf8) + [UInt8](repeating: 255, count: 8176),
        ]
    )
    func garbage(_ bytes: [UInt8]) async throws {
        let folder = try ScratchFolder()
        let path = folder.path + "/account.db"
        try Data(bytes).write(to: URL(filePath: path))
        #expect(await code { _ = try await AccountFile.open(path, passphrase: passphrase("x")) } == .damaged)
        #expect(try Data(contentsOf: URL(filePath: path)) == Data(bytes))
    }

    @Test func `a database of another program and a newer format are refused`() async throws {
        let place = try await filled()
        try edit(place) { try $0.execute(sql: "PRAGMA user_version = 2") }
        #expect(await openCode(place) == .newerFormat)
        try edit(place) { try $0.execute(sql: "PRAGMA user_version = 1; PRAGMA application_id = 7") }
        #expect(await openCode(place) == .damaged)
    }

    @Test func `a hostile file cannot make its reader spend more than the limits`() async throws {
        let place = try await filled()
        var head = Data()
        try edit(place) { head = try Data.fetchOne($0, sql: "SELECT head FROM account") ?? head }
        for (operations, kibibytes) in [(17, 8), (1, 1 << 21), (0, 8), (1, 0), (UInt32.max, UInt32.max)]
            as [(UInt32, UInt32)]
        {
            var forged: [UInt8] = []
            forged.append(bigEndian: operations)
            forged.append(bigEndian: kibibytes)
            forged += head.dropFirst(8).dropLast(16)
            forged += try GenericHash.hash(forged.span, count: 16)
            try edit(place) { try $0.execute(sql: "UPDATE account SET head = ?", arguments: [Data(forged)]) }
            let start = ContinuousClock.now
            #expect(await openCode(place) == .damaged)
            #expect(ContinuousClock.now - start < .seconds(5))
        }
        try edit(place) { try $0.execute(sql: "UPDATE account SET head = ?", arguments: [head]) }
        #expect(await openCode(place) == nil)
    }

    @Test func `every commit reaches the disk`() async throws {
        let file = try await AccountFilePlace().file()
        let modes = try await file.database.read { database in
            let journal = try String.fetchOne(database, sql: "PRAGMA journal_mode")
            return (journal, try Int.fetchOne(database, sql: "PRAGMA synchronous"))
        }
        #expect(modes.0 == "wal")
        #expect(modes.1 == 2)
    }

    @Test func `revisions rise with every commit, also after a deletion`() async throws {
        let place = try await AccountFilePlace()
        let file = try await place.file()
        var last: UInt64 = 0
        for _ in 0..<3 {
            for key in keys {
                let revision = try #require(try await file.commit(place.batch(key, 1, expecting: nil))[key])
                #expect(revision > last)
                last = revision
            }
            var deletion = RecordBatch()
            deletion.deletions = Set(keys)
            try await file.commit(deletion)
        }
    }

    // MARK: Damage

    @Test func `no damaged byte gives a wrong value or makes a record vanish`() async throws {
        let place = try await filled()
        let whole = try Data(contentsOf: URL(filePath: place.path))
        let truth = try await place.file().records(keys)
        #expect(truth.count == keys.count)
        // Every third byte, and the structures of each page.
        let places = whole.indices.filter { $0 % 3 == 0 && whole[$0] != 0 || $0 % 4096 < 24 }
        var refused = 0
        for index in places {
            var bytes = whole
            bytes[index] ^= 0xA5
            for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: place.path + suffix) }
            try bytes.write(to: URL(filePath: place.path))
            do {
                let records = try await place.file().records(keys)
                #expect(records == truth, "byte \(index)")
            } catch {
                refused += 1
                let codes: [AccountError.Code] = [.damaged, .wrongPassphrase, .newerFormat, .file, .notFound]
                #expect(codes.contains((error as? AccountError)?.code ?? .server), "byte \(index): \(error)")
            }
        }
        #expect(refused > places.count / 2)
        print("account file: \(places.count) bytes damaged, \(refused) refused")
    }

    @Test("a changed, moved, deleted or older row is an error that names its kind", arguments: 0..<6)
    func rows(_ number: Int) async throws {
        let place = try await filled()
        let file = try await place.file()
        var old = Row()
        try edit(place) { old = try Row.fetchOne($0, sql: "SELECT * FROM record WHERE kind = 2 ORDER BY hash") ?? old }
        let oldest: (hash: Data, revision: Int64, sealed: Data) = (old["hash"], old["revision"], old["sealed"])
        for key in keys {
            let record = try await file.records([key])[key]
            try await file.commit(place.batch(key, 9, expecting: record?.revision))
        }
        try edit(place) { database in
            switch number {
            case 0:  // A deleted pin.
                try database.execute(sql: "DELETE FROM record WHERE kind = 2 AND hash = ?", arguments: [oldest.hash])
            case 1:  // An older version of the same pin.
                try database.execute(
                    sql: "UPDATE record SET revision = ?, sealed = ? WHERE kind = 2 AND hash = ?",
                    arguments: [oldest.revision, oldest.sealed, oldest.hash]
                )
            case 2:  // An older pin with the present revision.
                try database.execute(
                    sql: "UPDATE record SET sealed = ? WHERE kind = 2 AND hash = ?",
                    arguments: [oldest.sealed, oldest.hash]
                )
            case 3:  // The pins of two users exchanged.
                try database.execute(
                    sql: """
                        UPDATE record SET sealed = (SELECT sealed FROM record AS other
                                                    WHERE other.kind = 2 AND other.hash <> record.hash) WHERE kind = 2
                        """
                )
            case 4:  // The pins of one user under the hash of another.
                try database.execute(sql: "DELETE FROM record WHERE kind = 2 AND hash <> ?", arguments: [oldest.hash])
            default:  // A pin as a conversation.
                try database.execute(
                    sql: "UPDATE record SET kind = 3 WHERE kind = 2 AND hash = ?",
                    arguments: [oldest.hash]
                )
            }
        }
        let error = await #expect(throws: AccountError.self) {
            let file = try await place.file()
            for key in keys { _ = try await file.records([key]) }
        }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("of the kind user") == true, "\(error?.message ?? "")")
    }

    @Test func `the summary cannot be taken from an earlier state or another file`() async throws {
        let (place, other) = (try await filled(), try await filled())
        func summary(_ place: AccountFilePlace) throws -> Data {
            var summary = Data()
            try edit(place) { summary = try Data.fetchOne($0, sql: "SELECT summary FROM account") ?? summary }
            return summary
        }
        let earlier = try summary(place)
        try await place.file().commit(place.batch(.user("4444"), 1, expecting: 0))
        let current = try summary(place)
        for forged in [earlier, try summary(other), Data()] {
            try edit(place) { try $0.execute(sql: "UPDATE account SET summary = ?", arguments: [forged]) }
            #expect(await openCode(place) == .damaged)
        }
        try edit(place) { try $0.execute(sql: "UPDATE account SET summary = ?", arguments: [current]) }
        #expect(await openCode(place) == nil)
    }

    @Test func `a truncated write-ahead log restores an earlier commit, whole`() async throws {
        let place = try await filled()
        let file = try await place.file()
        let before = try await file.records(keys)
        var batch = RecordBatch()
        for key in keys { batch.writes[key] = try place.value(key, 50) }
        try await file.commit(batch)
        let after = try await file.records(keys)
        let log = try Data(contentsOf: URL(filePath: place.path + "-wal"))
        #expect(log.count > 4096)
        let copy = try ScratchFolder()
        let path = copy.path + "/account.db"
        var restored: Set<[UInt64]> = []
        for count in stride(from: 0, through: log.count, by: 509) {
            for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
            try Data(contentsOf: URL(filePath: place.path)).write(to: URL(filePath: path))
            try log.prefix(count).write(to: URL(filePath: path + "-wal"))
            let found = try await AccountFile.open(path, passphrase: passphrase("correct")).records(keys)
            #expect(found == before || found == after, "\(count)")
            restored.insert(found.values.map(\.revision).sorted())
        }
        #expect(!restored.isEmpty)
        withExtendedLifetime(file) {}
    }

    // MARK: Limits of the disk, and speed

    @Test func `a full disk is an error, and no acknowledged record is lost`() async throws {
        let place = try await AccountFilePlace()
        let file = try await place.file()
        try await file.database.queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 20") }
        var acknowledged: [RecordKey] = []
        let failure = await code {
            for number in 0..<1000 {
                let key = RecordKey.user(UserID("\(number)"))
                var batch = RecordBatch()
                batch.writes[key] = [UInt8](repeating: 1, count: 1000)
                try await file.commit(batch)
                acknowledged.append(key)
            }
        }
        #expect(failure == .full)
        #expect(!acknowledged.isEmpty)
        #expect(try await place.file().records(acknowledged).count == acknowledged.count)
        try await file.database.queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 10000") }
        try await file.commit(place.batch(.account, 1, expecting: 0))
    }

    private final class CommitCounter: TransactionObserver, Sendable {
        let count = Mutex(0)
        func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { false }
        func databaseDidChange(with event: DatabaseEvent) {}
        func databaseDidCommit(_ db: Database) { count.withLock { $0 += 1 } }
        func databaseDidRollback(_ db: Database) {}
    }

    @Test func `batches that wait at the same time are committed together`() async throws {
        let place = try await AccountFilePlace()
        let file = try await place.file()
        let counter = CommitCounter()
        file.database.queue.add(transactionObserver: counter)
        // The queue is kept busy until all of them wait.
        let (holding, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        file.database.queue.asyncWriteWithoutTransaction { _ in
            holding.signal()
            release.wait()
        }
        holding.wait()
        let revisions = try await withThrowingTaskGroup(of: [RecordKey: UInt64].self) { group in
            for number in 0..<100 {
                group.addTask { try await file.commit(place.batch(.user(UserID("\(number)")), 1, expecting: 0)) }
            }
            while file.database.waitingCount < 100 { await Task.yield() }
            release.signal()
            return try await group.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
        }
        #expect(revisions.count == 100)
        #expect(Set(revisions.values).count == 100)
        #expect(counter.count.withLock { $0 } == 1)
    }
}
