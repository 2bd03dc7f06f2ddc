import Foundation
import GRDBSQLite
import Synchronization

/// SQLite without anything in between.
final class SQLite {
    struct Failure: Error {
        let code: Int32
    }

    private static let executed = Atomic<Int>(0)

    /// How many statements the connections have begun that were opened in ``countingStatements(_:)``.
    static var executedStatements: Int { executed.load(ordering: .relaxed) }

    /// Counts the statements of each connection that a function opens, from then on.
    static func countingStatements<Value>(_ body: () async throws -> Value) async rethrows -> Value {
        typealias Hook = @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?, UnsafeRawPointer?) -> Int32
        let hook: Hook = { connection, _, _ in
            sqlite3_trace_v2(
                connection,
                UInt32(SQLITE_TRACE_STMT),
                { _, _, _, _ in
                    SQLite.executed.add(1, ordering: .relaxed)
                    return 0
                },
                nil
            )
        }
        // SQLite calls it with the connection, although the type in its header has no parameters.
        sqlite3_auto_extension(unsafeBitCast(hook, to: (@convention(c) () -> Void).self))
        defer { sqlite3_reset_auto_extension() }
        return try await body()
    }

    private let connection: OpaquePointer

    /// Opens a file, or makes it: write-ahead log, every commit on the medium.
    init(_ path: String) throws {
        var connection: OpaquePointer?
        let code = sqlite3_open(path, &connection)
        guard code == SQLITE_OK, let connection else { throw Failure(code: code) }
        self.connection = connection
        try execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    }

    deinit { sqlite3_close_v2(connection) }

    func execute(_ sql: String) throws {
        let code = sqlite3_exec(connection, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw Failure(code: code) }
    }

    /// A compiled statement.
    final class Statement {
        private let statement: OpaquePointer

        init(_ database: SQLite, _ sql: String) throws {
            var statement: OpaquePointer?
            let code = sqlite3_prepare_v2(database.connection, sql, -1, &statement, nil)
            guard code == SQLITE_OK, let statement else { throw Failure(code: code) }
            self.statement = statement
        }

        deinit { sqlite3_finalize(statement) }

        func bind(_ index: Int32, _ bytes: [UInt8]) {
            // SQLITE_TRANSIENT: SQLite copies the bytes.
            let copies = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            sqlite3_bind_blob(statement, index, bytes, Int32(bytes.count), copies)
        }

        func bind(_ index: Int32, _ number: Int64) { sqlite3_bind_int64(statement, index, number) }

        /// Runs it to its end.
        ///
        /// - Returns: The number of rows.
        @discardableResult
        func run() throws -> Int {
            var rows = 0
            while true {
                let code = sqlite3_step(statement)
                if code == SQLITE_ROW {
                    rows += 1
                    continue
                }
                sqlite3_reset(statement)
                guard code == SQLITE_DONE else { throw Failure(code: code) }
                return rows
            }
        }
    }
}

/// A table with a unique id of 16 random bytes and two values, as large as those that the outbox stores of a message.
struct InsertTable {
    private let begin: SQLite.Statement
    private let insert: SQLite.Statement
    private let commit: SQLite.Statement
    private let values = (info: [UInt8](repeating: 1, count: 168), body: [UInt8](repeating: 2, count: 760))

    init(_ path: String) throws {
        let database = try SQLite(path)
        try database.execute(
            "CREATE TABLE message (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, info BLOB, body BLOB) STRICT"
        )
        begin = try SQLite.Statement(database, "BEGIN IMMEDIATE")
        insert = try SQLite.Statement(database, "INSERT INTO message (hash, info, body) VALUES (?, ?, ?)")
        commit = try SQLite.Statement(database, "COMMIT")
    }

    /// Inserts rows, so many in each transaction.
    func insert(_ count: Int, groups size: Int) throws {
        var generator = SystemRandomNumberGenerator()
        for first in stride(from: 0, to: count, by: size) {
            try begin.run()
            for _ in first..<min(first + size, count) {
                let hash = withUnsafeBytes(of: (generator.next(), generator.next())) { Array($0) }
                insert.bind(1, hash)
                insert.bind(2, values.info)
                insert.bind(3, values.body)
                try insert.run()
            }
            try commit.run()
        }
    }
}
