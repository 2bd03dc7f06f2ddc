import GRDB
public import LibSodium
import Synchronization
import XChatFiles

import struct Foundation.Data

/// An account in one file, encrypted under a passphrase.
///
/// The file is a SQLite database. Keys and values of records are encrypted, and rows are found by keyed hashes, so that
/// the file shows how many records of each kind there are, how large they are, and nothing else about them. A value is
/// bound to its key and its revision, so a value that was copied to another row cannot be decrypted. An authenticated
/// summary shows on opening whether a record is missing or older than it should be.
///
/// Several processes may use one file at the same time. The folder must be on a local disk; SQLite adds files whose
/// names end in `-wal` and `-shm`, and leases are files whose names end in `.lease-` and a hash.
public final class AccountFile: AccountStore, SealedOutboxStore, LeaseDirectory {
    let database: SealedDatabase

    private init(_ database: SealedDatabase) {
        self.database = database
    }

    /// Makes a new account file, with mode 0600.
    ///
    /// - Parameters:
    ///   - path: The file; its folder must exist. An empty file is used: a process that ended before its first commit
    ///     leaves one.
    ///   - passphrase: The passphrase.
    ///   - limits: What one guess of the passphrase costs; at most 16 passes over 1 GiB.
    /// - Returns: The open file, without records.
    /// - Throws: `exists` for a file that is not empty, `file`, `full`, `busy`.
    public static func create(
        _ path: String,
        passphrase: borrowing SecretBytes,
        limits: PasswordHash.Limits = .moderate
    ) async throws(AccountError) -> AccountFile {
        let copy = try copied(passphrase)
        return AccountFile(try await SealedDatabase.create(path, .passphrase(copy), limits: limits))
    }

    /// Opens an account file and checks that no record is missing or replaced.
    ///
    /// A damaged file is left as it is.
    /// - Parameters:
    ///   - path: The file.
    ///   - passphrase: The passphrase.
    /// - Returns: The open file.
    /// - Throws: `not_found` if the file does not exist or is empty, `wrong_passphrase`, `damaged` (also for a database
    ///   of another program), `newer_format`, `file`, `full`, `busy`.
    public static func open(
        _ path: String,
        passphrase: borrowing SecretBytes
    ) async throws(AccountError) -> AccountFile {
        let copy = try copied(passphrase)
        return AccountFile(try await SealedDatabase.open(path, .passphrase(copy)))
    }

    /// Opens a file that is encrypted under a key, or creates it.
    static func openOrCreate(_ path: String, _ key: SessionDatabaseKey) async throws(AccountError) -> AccountFile {
        while true {
            do {
                return AccountFile(try await SealedDatabase.open(path, .key(try copied(key.bytes))))
            } catch {
                guard error.code == .notFound else { throw error }
            }
            do {
                return AccountFile(
                    try await SealedDatabase.create(path, .key(try copied(key.bytes)), limits: .minimum)
                )
            } catch {
                // Another process was quicker.
                guard error.code == .exists else { throw error }
            }
        }
    }

    private static func copied(_ secret: borrowing SecretBytes) throws(AccountError) -> SecretBytes {
        try calling { () throws(SodiumError) in
            try secret.withBytes { (bytes) throws(SodiumError) in try SecretBytes(copying: bytes) }
        }
    }

    /// Where the file is.
    public var path: String { database.path }

    // MARK: Records

    /// Reads records at one point in time.
    ///
    /// - Parameter keys: The keys, each once.
    /// - Returns: The records that exist.
    /// - Throws: `damaged` with the kind of the damaged record, `file`, `busy`.
    public func records(_ keys: [RecordKey]) async throws(AccountError) -> [RecordKey: Record] {
        let seal = database.seal
        return try await database.read { database in
            var found: [RecordKey: Record] = [:]
            let statement = try database.cachedStatement(
                sql: "SELECT revision, sealed FROM record WHERE kind = ? AND hash = ?"
            )
            for key in keys {
                let place = try RecordPlace(key, seal)
                let row = try Row.fetchOne(statement, arguments: [place.kind.rawValue, Data(place.hash)])
                guard let row else { continue }
                let revision = try row.revision(0)
                let (stored, value) = try Self.open(try row.bytes(1), place, revision, seal)
                guard stored == key else { throw Self.damaged(place.kind) }
                found[key] = Record(bytes: value, revision: revision)
            }
            return found
        }
    }

    /// The keys of all records of a kind, in pages, in the order of their hashes.
    ///
    /// - Parameters:
    ///   - kind: The kind.
    ///   - position: ``RecordPage/next`` of the page before; nil for the first page.
    ///   - limit: The most keys of the page, at least 1.
    /// - Returns: The page. A record that exists throughout the walk is listed once.
    /// - Throws: As ``records(_:)``.
    public func list(
        _ kind: RecordKey.Kind,
        after position: [UInt8]?,
        limit: Int
    ) async throws(AccountError) -> RecordPage {
        guard limit > 0 else { throw AccountError(.invalidArgument, "a page has at least 1 key, not \(limit)") }
        let seal = database.seal
        return try await database.read { database in
            let statement = try database.cachedStatement(
                sql: "SELECT hash, revision, sealed FROM record WHERE kind = ? AND hash > ? ORDER BY hash LIMIT ?"
            )
            let rows = try Row.fetchCursor(statement, arguments: [kind.rawValue, Data(position ?? []), limit])
            var page = RecordPage(keys: [], next: nil)
            while let row = try rows.next() {
                let place = RecordPlace(kind: kind, hash: try row.bytes(0))
                page.keys.append(try Self.open(try row.bytes(2), place, try row.revision(1), seal).key)
                page.next = place.hash
            }
            if page.keys.count < limit { page.next = nil }
            return page
        }
    }

    /// Commits a batch: all of it or nothing.
    ///
    /// Batches that are committed at the same time are written to the disk together.
    /// - Parameter batch: The changes, and the revisions that they were computed from.
    /// - Returns: The new revisions of the records that were written.
    /// - Throws: `conflict` if a record has another revision than expected; then nothing was written. `too_large` for a
    ///   record of more than ``Record/maximumBytes``, `full`, `file`, `busy`.
    @discardableResult
    public func commit(_ batch: RecordBatch) async throws(AccountError) -> [RecordKey: UInt64] {
        try batch.check()
        let owner = database.outboxOwner
        let messages = try MessageToInsert.all(batch.messages, database.seal)
        return try await database.write { transaction in try transaction.apply(batch, messages, owner) }
    }

    /// Commits a batch together with a change of another store.
    ///
    /// - Parameters:
    ///   - batch: The changes of this file.
    ///   - change: Changes the other store; called only after it is certain that the batch has no conflict.
    /// - Returns: The new revisions, those that `change` returns included.
    /// - Throws: As ``commit(_:)``, and what `change` throws; then nothing is written here.
    func commit(
        _ batch: RecordBatch,
        with change: @escaping @Sendable () throws -> [RecordKey: UInt64]
    ) async throws(AccountError) -> [RecordKey: UInt64] {
        try batch.check()
        let owner = database.outboxOwner
        let messages = try MessageToInsert.all(batch.messages, database.seal)
        // A transaction that fails because of another batch in it is tried again.
        let done = Shared(Mutex<[RecordKey: UInt64]?>(nil))
        return try await database.write { transaction in
            let revisions = try transaction.apply(batch, messages, owner)
            let others = try done.value.withLock { done in
                let others = try done ?? change()
                done = others
                return others
            }
            return revisions.merging(others) { first, _ in first }
        }
    }

    /// Takes a lease, for work that one process does at a time; a lease ends with its process, however that ends.
    ///
    /// - Parameter name: What the lease is for.
    /// - Returns: The lease, or nil while another process or another task holds it.
    /// - Throws: `file` if the lease file cannot be made.
    public func lease(_ name: String) async throws(AccountError) -> (any StoreLease)? {
        let path = try leasePath(name)
        return try await blocking { () throws(AccountError) in try FileLease.take(path) }
    }

    /// The process that holds a lease.
    package func leaseHolder(_ name: String) async -> Int32? {
        (try? leasePath(name)).flatMap { FileLease.holder($0) }
    }

    private func leasePath(_ name: String) throws(AccountError) -> String {
        database.path + ".lease-" + (try database.seal.hash(Array(name.utf8), .lease).hexadecimal)
    }

    // MARK: Sealing

    fileprivate static func open(
        _ box: [UInt8],
        _ place: RecordPlace,
        _ revision: UInt64,
        _ seal: StoreSeal
    ) throws -> (key: RecordKey, value: [UInt8]) {
        do {
            var content = try seal.open(box, .record, place.bytes(revision: revision))
            defer { Sodium.wipe(&content) }
            var reader = ByteReader(content[...])
            guard let part = reader.part(), let key = RecordKey(encoded: Array(part)) else { throw damaged(place.kind) }
            return (key, Array(reader.remainder))
        } catch let error as AccountError where error.code == .damaged {
            throw damaged(place.kind)
        }
    }

    private static func damaged(_ kind: RecordKey.Kind) -> AccountError {
        AccountError(
            .damaged,
            "a record of the kind \(kind) is damaged, or was moved from another place; restore the file from a backup"
        )
    }
}

extension RecordPlace {
    fileprivate init(_ key: RecordKey, _ seal: StoreSeal) throws(AccountError) {
        self.init(kind: key.kind, hash: try seal.hash(key.encoded, .record))
    }
}

extension RecordBatch {
    /// Checks the rules that all stores share.
    func check() throws(AccountError) {
        for (key, value) in writes where value.count > Record.maximumBytes {
            throw AccountError(
                .tooLarge,
                "a record of the kind \(key.kind) has \(value.count) bytes; the limit is \(Record.maximumBytes) bytes"
            )
        }
        guard deletions.isDisjoint(with: writes.keys) else {
            throw AccountError(.invalidArgument, "a batch must not delete a record that it also writes")
        }
    }
}

extension StoreTransaction {
    /// Applies a batch, whose messages come with their sealed columns.
    ///
    /// - Throws: `conflict`.
    mutating func apply(
        _ batch: RecordBatch,
        _ messages: [MessageToInsert],
        _ owner: OutboxOwner?
    ) throws -> [RecordKey: UInt64] {
        for (key, expected) in batch.expected {
            guard try revision(of: RecordPlace(key, seal)) ?? 0 == expected else {
                throw AccountError(.conflict, "a record of the kind \(key.kind) changed in the meantime; try again")
            }
        }
        try enqueue(messages, owner, batch.time)
        guard !batch.writes.isEmpty || !batch.deletions.isEmpty else { return [:] }
        var summary = try summary
        let revision = try summary.nextRevision()
        var revisions: [RecordKey: UInt64] = [:]
        for (key, value) in batch.writes {
            let place = try RecordPlace(key, seal)
            if let old = try self.revision(of: place) {
                summary.remove(place.kind, try seal.summand(place.bytes(revision: old)))
            }
            let name = key.encoded
            var content: [UInt8] = []
            content.reserveCapacity(4 + name.count + value.count)
            content.append(bigEndian: UInt32(clamping: name.count))
            content += name
            content += value
            defer { Sodium.wipe(&content) }
            let box = try seal.seal(content, .record, place.bytes(revision: revision))
            try database.cachedStatement(
                sql: """
                    INSERT INTO record (kind, hash, revision, sealed) VALUES (?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET revision = excluded.revision, sealed = excluded.sealed
                    """
            ).execute(arguments: [place.kind.rawValue, Data(place.hash), Int64(clamping: revision), Data(box)])
            summary.add(place.kind, try seal.summand(place.bytes(revision: revision)))
            revisions[key] = revision
        }
        for key in batch.deletions {
            let place = try RecordPlace(key, seal)
            guard let old = try self.revision(of: place) else { continue }
            try database.cachedStatement(sql: "DELETE FROM record WHERE kind = ? AND hash = ?")
                .execute(arguments: [place.kind.rawValue, Data(place.hash)])
            summary.remove(place.kind, try seal.summand(place.bytes(revision: old)))
        }
        set(summary)
        return revisions
    }

    private func revision(of place: RecordPlace) throws -> UInt64? {
        let statement = try database.cachedStatement(sql: "SELECT revision FROM record WHERE kind = ? AND hash = ?")
        return try Row.fetchOne(statement, arguments: [place.kind.rawValue, Data(place.hash)])?.revision(0)
    }
}
