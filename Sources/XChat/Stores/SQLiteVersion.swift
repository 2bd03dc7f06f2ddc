import GRDB

/// The version of SQLite that this process uses, for example `3.40.1`.
///
/// - Throws: If SQLite does not work here.
package func sqliteVersion() throws -> String {
    try DatabaseQueue().read { database in
        try String.fetchOne(database, sql: "SELECT sqlite_version()") ?? "unknown"
    }
}
