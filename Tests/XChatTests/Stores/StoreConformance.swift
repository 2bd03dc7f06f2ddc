import Foundation
import LibSodium
import Testing
import XChatEngine
import XChatEvents

@testable import XChat

/// The rules that every store must keep.
///
/// A new store adds a case to ``StoreKind``.
@Suite("store conformance")
struct StoreConformance {
    @Test("committed records are there after reopening", arguments: StoreKind.allCases)
    func survives(_ kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        #expect(try await store.records(place.keys).isEmpty)
        var batch = RecordBatch()
        for (index, key) in place.keys.enumerated() {
            batch.expected[key] = 0
            batch.writes[key] = try place.value(key, index)
        }
        let revisions = try await store.commit(batch)
        #expect(Set(revisions.keys) == Set(place.keys))
        #expect(revisions.values.allSatisfy { $0 > 0 })
        for store in [store, try await place.open()] {
            let records = try await store.records(place.keys)
            #expect(records.mapValues(\.bytes) == batch.writes)
            #expect(records.mapValues(\.revision) == revisions)
            #expect(try await store.records([place.keys[2]]) == records.filter { $0.key == place.keys[2] })
        }
    }

    @Test("a batch with one wrong revision writes nothing", arguments: StoreKind.allCases)
    func conflict(_ kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        let (one, two) = (place.keys[1], place.keys[2])
        let firstBatch = try place.batch(one, 1, expecting: 0)
        let first = try await store.commit(firstBatch)
        for expected in [0, (first[one] ?? 0) + 1] {
            var batch = try place.batch(one, 2, expecting: expected)
            batch.expected[two] = 0
            batch.writes[two] = try place.value(two, 2)
            #expect(await code { try await store.commit(batch) } == .conflict)
        }
        var missing = try place.batch(one, 2, expecting: first[one])
        missing.expected[two] = 1
        #expect(await code { try await store.commit(missing) } == .conflict)
        let records = try await store.records([one, two])
        #expect(records.mapValues(\.bytes) == firstBatch.writes)
        #expect(records.mapValues(\.revision) == first)
    }

    @Test("a batch may expect revisions of records that it does not write", arguments: StoreKind.allCases)
    func expectsOnly(_ kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        let (read, written) = (place.keys[1], place.keys[2])
        let revision = try await store.commit(place.batch(read, 1, expecting: 0))[read]
        var batch = try place.batch(written, 1, expecting: 0)
        batch.expected[read] = revision
        try await store.commit(batch)
        #expect(try await store.records([read])[read]?.revision == revision)
        try await store.commit(place.batch(read, 2, expecting: revision))
        batch = try place.batch(written, 2, expecting: nil)
        batch.expected[read] = revision
        #expect(await code { try await store.commit(batch) } == .conflict)
    }

    @Test(
        "changed contents have another revision, even if the record was deleted in between",
        arguments: StoreKind.allCases
    )
    func revisions(_ kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        for key in place.keys.filter({ place.canDelete($0) }) {
            var last: UInt64 = 0
            for variant in 0..<3 {
                let revision = try await store.commit(place.batch(key, variant, expecting: last))[key]
                #expect(try #require(revision) != last)
                #expect(await code { try await store.commit(place.batch(key, variant, expecting: last)) } == .conflict)
                last = revision ?? last
            }
            var deletion = RecordBatch()
            deletion.expected[key] = last
            deletion.deletions = [key]
            #expect(try await store.commit(deletion).isEmpty)
            #expect(try await store.records([key]).isEmpty)
            #expect(await code { try await store.commit(place.batch(key, 1, expecting: last)) } == .conflict)
            let again = try await store.commit(place.batch(key, 0, expecting: 0))[key]
            #expect(try #require(again) != last, "\(key)")
        }
    }

    @Test("two stores on one place see each other's commits", arguments: StoreKind.allCases)
    func shared(_ kind: StoreKind) async throws {
        let place = try await kind.make()
        let (one, other) = (try await place.open(), try await place.open())
        for key in place.keys {
            let revision = try await one.commit(place.batch(key, 1, expecting: 0))[key]
            #expect(await code { try await other.commit(place.batch(key, 2, expecting: 0)) } == .conflict)
            // The values are made only once, because their signatures are random.
            let batch = try place.batch(key, 2, expecting: revision)
            let second = try await other.commit(batch)[key]
            let record = try await one.records([key])[key]
            #expect(record?.bytes == batch.writes[key], "\(key)")
            #expect(record?.revision == second, "\(key)")
        }
    }

    @Test("concurrent changes of one record are all counted", arguments: StoreKind.allCases)
    func noLostUpdate(_ kind: StoreKind) async throws {
        let place = try await kind.make()
        let key = RecordKey.consumer("counter")
        let stores = [try await place.open(), try await place.open()]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    let store = stores[task % 2]
                    for _ in 0..<10 { try await increment(key, store) }
                }
            }
            try await group.waitForAll()
        }
        let record = try await stores[0].records([key])[key]
        #expect(record?.bytes == [80])
    }

    private func increment(_ key: RecordKey, _ store: any AccountStore) async throws {
        while true {
            let record = try await store.records([key])[key]
            var batch = RecordBatch()
            batch.expected[key] = record?.revision ?? 0
            batch.writes[key] = [(record?.bytes.first ?? 0) + 1]
            do {
                try await store.commit(batch)
                return
            } catch {
                guard error.code == .conflict else { throw error }
            }
        }
    }

    @Test("a refused batch does not fail the batches committed with it", arguments: StoreKind.allCases)
    func refusedAlone(_ kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        let codes = await withTaskGroup(of: (Int, AccountError.Code?).self) { group in
            for number in 0..<60 {
                group.addTask {
                    var batch = RecordBatch()
                    batch.writes[.consumer("c\(number)")] = [UInt8(number)]
                    // Every third batch expects a record that does not exist.
                    if number % 3 == 0 { batch.expected[.consumer("none")] = 7 }
                    return (number, await code { try await store.commit(batch) })
                }
            }
            return await group.reduce(into: [Int: AccountError.Code]()) { $0[$1.0] = $1.1 }
        }
        #expect(codes.count == 20)
        #expect(codes.allSatisfy { $0.key % 3 == 0 && $0.value == .conflict }, "\(codes.filter { $0.key % 3 != 0 })")
        let records = try await place.open().records((0..<60).map { .consumer("c\($0)") })
        #expect(records.count == 40)
        #expect(records.allSatisfy { $0.value.bytes.count == 1 && $0.value.bytes[0] % 3 != 0 })
    }

    @Test("all keys of a kind are listed once, in pages", arguments: StoreKind.allCases)
    func lists(_ kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        let names = Set((0..<23).map { RecordKey.consumer("consumer \($0)") })
        var batch = RecordBatch()
        for key in place.keys { batch.writes[key] = try place.value(key, 0) }
        for key in names { batch.writes[key] = [1] }
        try await store.commit(batch)
        for kind in RecordKey.Kind.allCases {
            let expected = Set(batch.writes.keys).union(place.firstKeys).filter { $0.kind == kind }
            for limit in [1, 7, 23, 1000] {
                var (found, position, pages) = ([RecordKey](), [UInt8]?.none, 0)
                repeat {
                    let page = try await store.list(kind, after: position, limit: limit)
                    #expect(page.keys.count <= limit)
                    found += page.keys
                    position = page.next
                    pages += 1
                } while position != nil && pages < 100
                #expect(found.count == expected.count)
                #expect(Set(found) == Set(expected), "\(kind)")
            }
        }
        #expect(await code { _ = try await store.list(.user, after: nil, limit: 0) } == .invalidArgument)
    }

    @Test("keys are compared byte by byte", arguments: StoreKind.allCases)
    func bytewise(_ kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        // One letter in two encodings, which are equal as Swift strings; and parts that are equal when joined.
        let digest = try #require(EventDigest(stored: [UInt8](repeating: 7, count: 32)))
        let keys: [RecordKey] = [
            .consumer("\u{E9}"), .consumer("e\u{301}"), .handle("\u{E9}"), .handle("e\u{301}"),
            .reply(consumer: "a", digest, call: "bc"), .reply(consumer: "ab", digest, call: "c"),
            .reply(consumer: "", digest, call: "abc"), .seen(consumer: "a", .oneToOne("1", "2"), .texts, record: 0),
            .seen(consumer: "a", .oneToOne("1", "2"), .signed, record: 0),
            .seen(consumer: "a", .oneToOne("1", "2"), .texts, record: 1),
            .walkEvents(consumer: "a", .oneToOne("1", "2"), record: 0),
        ]
        var batch = RecordBatch()
        for (index, key) in keys.enumerated() { batch.writes[key] = [UInt8(index)] }
        #expect(batch.writes.count == keys.count)
        try await store.commit(batch)
        #expect(try await store.records(keys).mapValues(\.bytes) == batch.writes)
    }

    @Test("an invalid batch is refused, and not written", arguments: StoreKind.allCases)
    func refusals(_ kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        var batch = RecordBatch()
        batch.writes[.consumer("small")] = [1]
        batch.writes[.consumer("large")] = [UInt8](repeating: 1, count: Record.maximumBytes + 1)
        #expect(await code { try await store.commit(batch) } == .tooLarge)
        batch = RecordBatch()
        batch.writes[.consumer("small")] = [1]
        batch.deletions = [.consumer("small")]
        #expect(await code { try await store.commit(batch) } == .invalidArgument)
        #expect(try await store.list(.consumer, after: nil, limit: 9).keys.isEmpty)
        try await store.commit(RecordBatch())
    }

    @Test("the largest record is kept", arguments: StoreKind.allCases)
    func largest(_ kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        var batch = RecordBatch()
        let key = RecordKey.consumer("large")
        batch.writes[key] = [UInt8](repeating: 1, count: Record.maximumBytes)
        try await store.commit(batch)
        #expect(try await store.records([key])[key]?.bytes == batch.writes[key])
    }

    @Test("a commit writes its own records and no others", arguments: StoreKind.allCases)
    func noFullRewrite(_ kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        let keys = (0..<300).map { RecordKey.consumer("consumer \($0)") }
        var batch = RecordBatch()
        for key in keys { batch.writes[key] = [UInt8](repeating: 7, count: 1000) }
        let revisions = try await store.commit(batch)
        let before = try place.logBytes()
        let changed = keys[100]
        try await store.commit(place.batch(changed, 1, expecting: revisions[changed]))
        // The first batch has 300 KB. That is too little for a checkpoint, after which the log would start again. A
        // record has 1 KB.
        #expect(try place.logBytes() - before < 64 << 10)
        let after = try await store.records(keys)
        for key in keys where key != changed {
            #expect(after[key]?.revision == revisions[key])
            #expect(after[key]?.bytes == batch.writes[key])
        }
        #expect(after[changed]?.revision != revisions[changed])
    }

    @Test("a lease is held once, in one store and across stores", arguments: StoreKind.allCases)
    func leases(_ kind: StoreKind) async throws {
        let place = try await kind.make()
        let (one, other) = (try await place.open(), try await place.open())
        let lease = try #require(try await one.lease("consumer: default"))
        #expect(try await one.lease("consumer: default") == nil)
        #expect(try await other.lease("consumer: default") == nil)
        let second = try #require(try await other.lease("consumer: other"))
        await lease.end()
        let next = try #require(try await other.lease("consumer: default"))
        #expect(try await one.lease("consumer: default") == nil)
        await next.end()
        await second.end()
    }
}

/// The stores that must conform.
enum StoreKind: CaseIterable, Sendable {
    case accountFile, sessionFile

    func make() async throws -> any StorePlace {
        switch self {
        case .accountFile: try await AccountFilePlace()
        case .sessionFile: try await SessionFilePlace()
        }
    }
}

/// The files in which the stores of one test keep the same records.
protocol StorePlace: Sendable {
    /// Keys of every kind of record, at least one of each.
    var keys: [RecordKey] { get }
    /// The keys of records that are there from the start.
    var firstKeys: [RecordKey] { get }
    /// The folder to which the stores write.
    var folder: ScratchFolder { get }
    /// Another store on the same files.
    func open() async throws -> any AccountStore
    /// One of several values that a record of this key can have.
    func value(_ key: RecordKey, _ variant: Int) throws -> [UInt8]
    /// Whether the store can delete the record.
    func canDelete(_ key: RecordKey) -> Bool
}

extension StorePlace {
    var keys: [RecordKey] { Self.allKeys }

    static var allKeys: [RecordKey] {
        let digest = EventDigest(stored: [UInt8](0..<32))
        return [
            .account, .user("2222"), .conversation(.oneToOne("1111", "2222")), .user("3333"), .signIn,
            .conversation(ConversationID(canonicalizing: "g77")), .consumer("default"),
            .cursor(consumer: "default", .oneToOne("1111", "2222")), .handle("alice"),
            .seen(consumer: "default", .oneToOne("1111", "2222"), .signed, record: 7),
            .walk(consumer: "default", .oneToOne("1111", "2222")),
            .walkEvents(consumer: "default", .oneToOne("1111", "2222"), record: 7),
            .walkKeys(consumer: "default", .oneToOne("1111", "2222"), record: 7),
        ] + (digest.map { [.reply(consumer: "default", $0, call: "0")] } ?? [])
    }

    var firstKeys: [RecordKey] { [] }

    func value(_ key: RecordKey, _ variant: Int) throws -> [UInt8] { Array("value \(variant) of \(key)".utf8) }

    func canDelete(_ key: RecordKey) -> Bool { true }

    /// The size of the write-ahead log.
    ///
    /// It grows with every byte that a commit writes.
    func logBytes() throws -> Int {
        let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return try names.filter { $0.hasSuffix("-wal") }.reduce(0) { sum, name in
            try sum + Data(contentsOf: URL(filePath: folder.path + "/" + name)).count
        }
    }

    /// A batch that writes one record.
    func batch(_ key: RecordKey, _ variant: Int, expecting revision: UInt64?) throws -> RecordBatch {
        var batch = RecordBatch()
        batch.writes[key] = try value(key, variant)
        batch.expected[key] = revision
        return batch
    }
}

/// A folder with an account file.
struct AccountFilePlace: StorePlace {
    let folder: ScratchFolder
    let path: String

    init() async throws {
        folder = try ScratchFolder()
        path = folder.path + "/account.db"
        _ = try await AccountFile.create(path, passphrase: try passphrase("correct"), limits: .minimum)
    }

    func open() async throws -> any AccountStore { try await file() }

    func file() async throws -> AccountFile { try await AccountFile.open(path, passphrase: try passphrase("correct")) }
}

/// A folder with a session file.
///
/// Its records of users and conversations are those of the engine. The account's record exists from the start.
struct SessionFilePlace: StorePlace {
    let folder: ScratchFolder
    let path: String
    private let keysOfUsers: [PrivateKeys]
    private let conversationKeys: [ConversationKey]

    init() async throws {
        folder = try ScratchFolder()
        path = folder.path + "/session.json"
        keysOfUsers = try (0..<4).map { _ in try PrivateKeys.generate() }
        conversationKeys = try (0..<64).map { _ in try ConversationKey.generate() }
        var document = SessionDocument(userID: "1111", name: "session")
        try document.set(keysOfUsers[0])
        try Data(document.bytes).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    var keys: [RecordKey] { AccountFilePlace.allKeys.filter { $0 != .account } }

    var firstKeys: [RecordKey] { [.account] }

    func open() async throws -> any AccountStore { try await SessionFileStore.open(path, api: "https://api.x.com") }

    func value(_ key: RecordKey, _ variant: Int) throws -> [UInt8] {
        var session = try Session(userID: "1111", privateKeys: keysOfUsers[0], signingKeyVersion: "1")
        switch key {
        case .user(let user):
            // Each variant has other keys under another version.
            let keys = keysOfUsers[variant % keysOfUsers.count]
            session.trust([try keys.verifiedKey(userID: user, version: KeyVersion("\(variant + 1)"))])
            return try #require(session.state(of: user)).encoded()
        case .conversation(let conversation):
            // Keys are only added, as they are by the engine.
            for number in 0...variant {
                try session.addConversationKey(
                    conversationKeys[number],
                    in: conversation,
                    version: KeyVersion("\(1000 + number)")
                )
            }
            return try #require(session.state(of: conversation)).encoded()
        case .signIn:
            let members: JSONValue = ["access_token": .string("token \(variant)"), "later": .number(variant)]
            return Array(members.line.utf8)
        default: return Array("value \(variant) of \(key)".utf8)
        }
    }

    func canDelete(_ key: RecordKey) -> Bool { key.kind != .conversation }
}

func passphrase(_ text: String) throws -> SecretBytes {
    try SecretBytes(copying: Array(text.utf8).span)
}

/// The code of the error that the body throws, if it throws one.
func code(_ body: () async throws -> Void) async -> AccountError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? AccountError)?.code
    }
}
