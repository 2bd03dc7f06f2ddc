import GRDB
import XChatFiles

/// The SQLite database of the server, in memory or in a file.
enum SandboxDatabase {
    /// "XCsb": distinguishes our files from databases of other programs.
    private static let applicationID = 0x5843_7362

    /// Opens the database and creates or migrates its tables.
    ///
    /// - Parameter path: The file, which is created with mode 0600 if it does not exist; nil for memory.
    /// - Returns: The database.
    /// - Throws: `DataFileError` if the file cannot be used.
    static func database(at path: String?) throws -> any DatabaseWriter {
        guard let path else {
            let database = try DatabaseQueue()
            try migrator.migrate(database)
            return database
        }
        do {
            // The file is created here, because SQLite would create it with the permissions that the umask allows.
            do {
                try Files.makePrivate(path)
            } catch {
                throw DataFileError(path: path, reason: error.reasonText)
            }
            var configuration = Configuration()
            // A server that is being stopped may still close the same file.
            configuration.busyMode = .timeout(5)
            let database = try DatabasePool(path: path, configuration: configuration)
            try database.write { db in
                let tables = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_master")
                let id = try Int.fetchOne(db, sql: "PRAGMA application_id")
                guard tables == 0 || id == applicationID else {
                    throw DataFileError(path: path, reason: "it is the database of another program; use another path")
                }
                try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            }
            try migrator.migrate(database)
            return database
        } catch let error as DatabaseError {
            throw DataFileError(path: path, reason: error.message ?? "SQLite says \(error.resultCode)")
        }
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in try db.execute(sql: tables) }
        migrator.registerMigration("2") { db in try db.execute(sql: backupTables) }
        migrator.registerMigration("users") { db in try db.execute(sql: userTable) }
        migrator.registerMigration("oauth") { db in try db.execute(sql: oauthTables) }
        return migrator
    }

    /// Handles are compared without regard to ASCII case; users without a row have a default handle.
    private static let userTable = """
        CREATE TABLE user (
            id TEXT NOT NULL PRIMARY KEY,
            handle TEXT NOT NULL UNIQUE COLLATE NOCASE,
            name BLOB NOT NULL
        ) STRICT;
        """

    /// The tables of sign-ins: a grant is one sign-in, and its tokens are stored only as hashes.
    private static let oauthTables = """
        CREATE TABLE oauth_grant (
            id INTEGER PRIMARY KEY,
            user TEXT NOT NULL,
            client BLOB NOT NULL,
            scopes TEXT NOT NULL,
            redirect_uri BLOB NOT NULL,
            challenge_method TEXT NOT NULL,
            challenge TEXT NOT NULL,
            is_confidential INTEGER NOT NULL DEFAULT 0,
            is_revoked INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE TABLE oauth_token (
            hash BLOB NOT NULL PRIMARY KEY,
            grant_id INTEGER NOT NULL REFERENCES oauth_grant (id),
            kind TEXT NOT NULL,
            expires_at INTEGER,
            is_used INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX oauth_token_end ON oauth_token (kind, expires_at);
        """

    /// A record that is NULL has no guesses left.
    private static let backupTables = """
        CREATE TABLE backup_realm (
            id TEXT NOT NULL PRIMARY KEY,
            private_key BLOB NOT NULL
        ) STRICT;
        CREATE TABLE backup (
            realm TEXT NOT NULL,
            user TEXT NOT NULL,
            version TEXT NOT NULL,
            record BLOB,
            guesses_used INTEGER NOT NULL,
            PRIMARY KEY (realm, user, version)
        ) STRICT;
        """

    /// Columns of values that clients choose freely are BLOBs, because SQLite ends a text at its first zero byte.
    private static let tables = """
        CREATE TABLE public_key (
            user TEXT NOT NULL,
            version TEXT NOT NULL,
            entry BLOB NOT NULL,
            UNIQUE (user, version)
        ) STRICT;
        CREATE TABLE conversation (
            id TEXT NOT NULL PRIMARY KEY,
            key_version TEXT NOT NULL,
            token TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            last_event INTEGER NOT NULL,
            last_event_at INTEGER NOT NULL,
            name BLOB,
            avatar BLOB,
            ttl INTEGER
        ) STRICT;
        CREATE TABLE member (
            conversation TEXT NOT NULL REFERENCES conversation (id),
            user TEXT NOT NULL,
            is_admin INTEGER NOT NULL,
            read_until INTEGER NOT NULL DEFAULT 0,
            UNIQUE (conversation, user)
        ) STRICT;
        CREATE INDEX member_user ON member (user);
        CREATE TABLE event (
            sequence INTEGER PRIMARY KEY,
            conversation TEXT NOT NULL,
            sender TEXT NOT NULL,
            message_id BLOB NOT NULL,
            created_at INTEGER NOT NULL,
            is_key_change INTEGER NOT NULL,
            is_deleted INTEGER NOT NULL DEFAULT 0,
            visible_to TEXT,
            encoded BLOB NOT NULL,
            UNIQUE (conversation, sender, message_id)
        ) STRICT;
        CREATE INDEX event_page ON event (conversation, is_key_change, sequence);
        CREATE TABLE hidden (
            user TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            PRIMARY KEY (user, sequence)
        ) STRICT;
        CREATE TABLE group_id (
            id TEXT NOT NULL PRIMARY KEY,
            user TEXT NOT NULL
        ) STRICT;
        CREATE TABLE upload (
            session INTEGER PRIMARY KEY,
            hash_key TEXT NOT NULL UNIQUE,
            conversation TEXT NOT NULL,
            user TEXT NOT NULL,
            total_bytes INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            parts INTEGER
        ) STRICT;
        CREATE TABLE segment (
            session INTEGER NOT NULL REFERENCES upload (session) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            bytes BLOB NOT NULL,
            PRIMARY KEY (session, number)
        ) STRICT;
        CREATE TABLE subscription (
            id INTEGER PRIMARY KEY,
            event_type TEXT NOT NULL,
            user TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            direction TEXT,
            keyword BLOB,
            tag BLOB,
            webhook TEXT
        ) STRICT;
        """
}

/// The reason why a data file cannot be used.
private struct DataFileError: Error, CustomStringConvertible {
    let path: String
    let reason: String

    var description: String { "the data file \(path) cannot be used: \(reason)" }
}
