#if TESTABLE
    import GRDB
    import LibSodium
    import Synchronization
    @testable import XChat
    @testable import XChatEngine
    import XChatEvents

    import struct Foundation.Data
    import class Foundation.FileManager
    import struct Foundation.URL

    /// A damaged account file is refused, or gives back what was stored in it.
    ///
    /// The first byte chooses: the head alone, changed bytes of a file, or a changed row.
    enum AccountFileTarget: FuzzTargetImplementation {
        static func run(_ input: [UInt8]) throws {
            var input = FuzzInput(input)
            switch input.byte() % 3 {
            case 0: try checkHead(Array(input.rest))
            case 1:
                var bytes = try Original.shared.get().bytes
                while !input.isAtEnd {
                    let offset = input.short() % bytes.count
                    for byte in input.bytes(1 + input.number(below: 16)) where offset < bytes.count {
                        bytes[offset] = byte
                    }
                }
                try check(bytes) { _ in }
            default:
                var row = input
                try check(try Original.shared.get().bytes) { database in try change(database, &row) }
            }
        }

        // MARK: The head

        private static func checkHead(_ bytes: [UInt8]) throws {
            let checksum = try GenericHash.hash(bytes.span, count: 16)
            for bytes in [bytes, bytes + checksum] {
                do {
                    let head = try StoreHead(bytes)
                    try require(try head.encoded == bytes, "a head has two encodings")
                    if let limits = head.limits {
                        try require(
                            limits.operations <= StoreHead.maximum.operations
                                && limits.memory <= StoreHead.maximum.memory,
                            "opening a file may cost more than the maximum"
                        )
                    } else {
                        _ = try? head.open(.key(SecretBytes(copying: Original.key.span)))
                    }
                } catch let error as AccountError {
                    try require(printable: "\(error)")
                }
            }
        }

        // MARK: The file

        /// A file as our own code makes it.
        private struct Original: Sendable {
            static let shared = Result { try Original() }
            static let key = Array(repeating: UInt8(7), count: 64)

            static let records: [RecordKey: [UInt8]] = [
                .account: Array("account".utf8),
                .user(Cast.bob): Array(repeating: 1, count: 500),
                .conversation(Cast.group): Array(repeating: 2, count: 3000),
                .consumer("default"): [],
                .cursor(consumer: "default", Cast.group): [9],
            ]

            let bytes: [UInt8]

            private init() throws {
                let path = try ScratchFolder.path.get() + "/original.db"
                try blocking {
                    let file = try await AccountFile.openOrCreate(path, Original.sessionKey())
                    var batch = RecordBatch()
                    batch.writes = Self.records
                    try await file.commit(batch)
                }
                let queue = try AccountFileTarget.queue(path)
                try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
                try queue.close()
                bytes = Array(try Data(contentsOf: URL(filePath: path)))
            }

            static func sessionKey() throws -> SessionDatabaseKey {
                try SessionDatabaseKey(Cast.shared.get().aliceKeys)
            }
        }

        private static let runs = Atomic<Int>(0)

        /// Opens a file without our own code, and waits for a connection that is closing.
        private static func queue(_ path: String) throws -> DatabaseQueue {
            var configuration = Configuration()
            configuration.busyMode = .timeout(10)
            return try DatabaseQueue(path: path, configuration: configuration)
        }

        private static func check(_ bytes: [UInt8], _ change: (Database) throws -> Void) throws {
            // A connection to the file before this one may still be closing.
            let number = runs.wrappingAdd(1, ordering: .relaxed).newValue
            let path = try ScratchFolder.path.get() + "/changed-\(number).db"
            defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
            try Data(bytes).write(to: URL(filePath: path))
            do {
                let queue = try queue(path)
                try? queue.writeWithoutTransaction(change)
                try queue.close()
            } catch is DatabaseError {}
            let found: [RecordKey: [UInt8]]
            do {
                found = try blocking {
                    let file = try await AccountFile.openOrCreate(path, Original.sessionKey())
                    var keys: [RecordKey] = []
                    for kind in RecordKey.Kind.allCases {
                        keys += try await file.list(kind, after: nil, limit: 100).keys
                    }
                    return try await file.records(keys).mapValues(\.bytes)
                }
            } catch let error as AccountError {
                try require(printable: "\(error)")
                return
            }
            try require(found == Original.records, "a changed file opens, and holds something else")
        }

        /// Changes one value of one row.
        private static func change(_ database: Database, _ input: inout FuzzInput) throws {
            let columns = [
                ("account", "head"), ("account", "summary"), ("record", "sealed"), ("record", "hash"),
                ("record", "revision"), ("record", "kind"),
            ]
            let number = input.number(below: columns.count + 2)
            let row = input.number(below: Original.records.count)
            let which = "(kind, hash) IN (SELECT kind, hash FROM record LIMIT 1 OFFSET \(row))"
            guard number < columns.count else {
                if number == columns.count { return try database.execute(sql: "DELETE FROM record WHERE \(which)") }
                return try database.execute(sql: "PRAGMA user_version = \(input.byte())")
            }
            let (table, column) = columns[number]
            let place = table == "record" ? " WHERE \(which)" : ""
            var value: DatabaseValue = Data(input.rest).databaseValue
            if number >= 4 { value = Int64(truncatingIfNeeded: input.short() - 5).databaseValue }
            try database.execute(sql: "UPDATE \(table) SET \(column) = ?\(place)", arguments: [value])
        }

        static func seeds() throws -> [String: [UInt8]] {
            let limits = PasswordHash.Limits(operations: 2, memory: 64 << 20)
            let passphrase = try StoreHead.make(.passphrase(SecretBytes(copying: [1, 2, 3].span)), limits: limits).head
            let key = try StoreHead.make(.key(SecretBytes(copying: Original.key.span)), limits: limits).head
            return [
                "head-passphrase": [0] + (try passphrase.encoded),
                "head-key": [0] + (try key.encoded).dropLast(16),
                "bytes-header": [1, 0, 60, 3, 0, 0, 1],
                "bytes-page": [1, 0x20, 0, 0, 7],
                "bytes-two": [1, 0x10, 5, 0, 7, 0x30, 5, 0, 7],
                "row-head": [2, 0, 0, 1, 2, 3],
                "row-summary": [2, 1, 0, 1, 2, 3],
                "row-sealed": [2, 2, 1, 1, 2, 3],
                "row-hash": [2, 3, 1, 1, 2, 3],
                "row-revision": [2, 4, 1, 0, 9],
                "row-kind": [2, 5, 1, 0, 9],
                "row-deleted": [2, 6, 1],
                "row-version": [2, 7, 1, 2],
            ]
        }
    }
#endif
