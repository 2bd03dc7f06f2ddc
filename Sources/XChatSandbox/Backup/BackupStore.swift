import Foundation
import GRDB
import LibSodium
import XChatBackup
import XChatEvents

/// The keys and records of the realms in the server's database.
struct BackupStore: Sendable {
    /// One software and two hardware realms, the same kinds as X's realms are reported to be.
    private static let ids = [
        ("b0c4e9d15a7f43c28e6102d7f9a3b586", false), ("5d20f7a86c1e49b3a4d87b6e0f92c135", true),
        ("e83b1f4c97d0425a8c56a1b20de7f964", true),
    ]

    let database: any DatabaseWriter

    /// The realms; their keys are generated when a database is new.
    func realms() throws -> [BackupRealm] {
        try Self.ids.compactMap { name, isHardware in
            guard let id = RealmID(name) else { return nil }
            let key = isHardware ? try privateKey(of: name) : nil
            return BackupRealm(id: id, privateKey: key) { token, request in
                let owner = try BackupToken(token)
                return try await answer(request, realm: name, owner: owner)
            }
        }
    }

    private func privateKey(of realm: String) throws -> Secret {
        let fresh = Data(try Sodium.randomBytes(count: 32))
        let key = try database.write { db in
            try db.execute(
                sql: "INSERT INTO backup_realm (id, private_key) VALUES (?, ?) ON CONFLICT DO NOTHING",
                arguments: [realm, fresh]
            )
            return try Data.fetchOne(db, sql: "SELECT private_key FROM backup_realm WHERE id = ?", arguments: [realm])
        }
        return try Secret(copying: Array(key ?? fresh))
    }

    /// Applies a request to one user's record in one transaction, which ends before the answer is sent.
    private func answer(
        _ request: SecretsRequest,
        realm: String,
        owner: BackupToken
    ) async throws -> SecretsResponse {
        let key = [realm, owner.user.string, owner.version.string]
        return try await database.write { db in
            let row = try Row.fetchOne(
                db,
                sql: "SELECT record, guesses_used FROM backup WHERE realm = ? AND user = ? AND version = ?",
                arguments: StatementArguments(key)
            )
            var record = try Self.record(row)
            let response = try record.answer(to: request)
            try db.execute(
                sql: "DELETE FROM backup WHERE realm = ? AND user = ? AND version = ?",
                arguments: StatementArguments(key)
            )
            var bytes: Data?
            var used: UInt16 = 0
            switch record {
            case .notRegistered: return response
            case .noGuesses: break
            case .registered(let record, let guessesUsed):
                let writer = CBORWriter()
                record.write(to: writer)
                bytes = try Data(writer.buffer.secret().published)
                used = guessesUsed
            }
            try db.execute(
                sql: "INSERT INTO backup (realm, user, version, record, guesses_used) VALUES (?, ?, ?, ?, ?)",
                arguments: StatementArguments(key) + [bytes, Int(used)]
            )
            return response
        }
    }

    private static func record(_ row: Row?) throws -> BackupRecord {
        guard let row else { return .notRegistered }
        guard let bytes = row["record"] as Data? else { return .noGuesses }
        let record = try RealmRecord(decoding: CBORNode(decoding: Secret(copying: Array(bytes))))
        return .registered(record, guessesUsed: UInt16(clamping: row["guesses_used"] as Int))
    }
}

/// A token for the realms: `sandbox-backup-`, the user, and the version of the public keys of the backup.
struct BackupToken: Sendable {
    let user: UserID
    let version: KeyVersion

    init(user: UserID, version: KeyVersion) {
        self.user = user
        self.version = version
    }

    /// Reads a token.
    ///
    /// - Throws: `BackupRealm.UnknownToken` for a malformed token.
    init(_ text: String) throws {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map(Array.init)
        guard parts.count == 4, parts[0] == Array("sandbox".utf8), parts[1] == Array("backup".utf8) else {
            throw BackupRealm.UnknownToken()
        }
        user = UserID(String(decoding: parts[2], as: UTF8.self))
        version = KeyVersion(String(decoding: parts[3], as: UTF8.self))
        guard user.isValid, version.isDigits, version.utf8.count <= 20 else { throw BackupRealm.UnknownToken() }
    }

    var text: String { "sandbox-backup-\(user.string)-\(version.string)" }
}
