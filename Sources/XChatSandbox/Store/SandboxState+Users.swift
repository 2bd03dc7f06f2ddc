import Foundation
import GRDB
import XChatEvents

extension SandboxState {
    /// Gives a user a handle and a name.
    ///
    /// Another user who had the handle gets the default handle.
    func setUser(_ user: SandboxUser) async throws {
        try await database.write { db in
            try db.execute(
                sql: "DELETE FROM user WHERE id = ? OR handle = ?",
                arguments: [user.id.string, user.handle]
            )
            try db.execute(
                sql: "INSERT INTO user (id, handle, name) VALUES (?, ?, ?)",
                arguments: [user.id.string, user.handle, Data(user.name.utf8)]
            )
        }
    }

    /// Finds users by their ids, in the same order; nil for a user that does not exist.
    ///
    /// A user exists if it is the caller, or has a handle that was set, registered keys or a conversation.
    func users(_ ids: [UserID], caller: UserID?) async throws -> [SandboxUser?] {
        try await database.read { db in
            try ids.map { id in
                guard try id == caller || Self.exists(id, db) else { return nil }
                return try Self.user(id, db)
            }
        }
    }

    /// Finds users by their handles, in the same order and without regard to ASCII case; nil for a free handle.
    func users(handles: [String], caller: UserID?) async throws -> [SandboxUser?] {
        try await database.read { db in
            try handles.map { handle in
                let id = try String.fetchOne(db, sql: "SELECT id FROM user WHERE handle = ?", arguments: [handle])
                if let id { return try Self.user(UserID(id), db) }
                return try Self.userOfDefaultHandle(handle, caller: caller, db)
            }
        }
    }

    private static func exists(_ id: UserID, _ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: """
                SELECT EXISTS (SELECT 1 FROM user WHERE id = ?1) OR EXISTS (SELECT 1 FROM public_key WHERE user = ?1)
                    OR EXISTS (SELECT 1 FROM member WHERE user = ?1)
                """,
            arguments: [id.string]
        ) ?? false
    }

    /// Reads a user; without a stored row, the user has the default handle and name.
    static func user(_ id: UserID, _ db: Database) throws -> SandboxUser {
        let row = try Row.fetchOne(db, sql: "SELECT handle, name FROM user WHERE id = ?", arguments: [id.string])
        guard let row else {
            return SandboxUser(stored: id, handle: try defaultHandle(of: id, db), name: "User \(id)")
        }
        return SandboxUser(
            stored: id,
            handle: row["handle"],
            name: String(decoding: row["name"] as Data, as: UTF8.self)
        )
    }

    /// `user` and the last 11 digits of the id, or `id_` and these digits if another user has that handle.
    private static func defaultHandle(of id: UserID, _ db: Database) throws -> String {
        let handle = "user\(id.string.suffix(11))"
        let isTaken = try Bool.fetchOne(
            db,
            sql: "SELECT EXISTS (SELECT 1 FROM user WHERE handle = ?)",
            arguments: [handle]
        )
        return isTaken == true ? "id_\(id.string.suffix(11))" : handle
    }

    private static func userOfDefaultHandle(
        _ handle: String,
        caller: UserID?,
        _ db: Database
    ) throws -> SandboxUser? {
        let lowercase = handle.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        guard let prefix = ["user", "id_"].first(where: { lowercase.starts(with: $0.utf8) }) else { return nil }
        let digits = String(decoding: lowercase.dropFirst(prefix.utf8.count), as: UTF8.self)
        guard UserID(validating: digits) != nil else { return nil }
        let longer = try String.fetchAll(
            db,
            sql: """
                SELECT user FROM public_key WHERE user LIKE ?1 UNION SELECT user FROM member WHERE user LIKE ?1
                ORDER BY user
                """,
            arguments: ["%\(digits)"]
        )
        for id in [UserID(digits)] + longer.map({ UserID($0) }) where try id == caller || exists(id, db) {
            let user = try user(id, db)
            if user.handle.utf8.elementsEqual(lowercase) { return user }
        }
        return nil
    }
}
