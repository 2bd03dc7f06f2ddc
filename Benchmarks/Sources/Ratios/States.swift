import Dispatch
import Foundation
import LibSodium
import Synchronization
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP

/// An account that knows many users and a key of a conversation with each, in a session file and in an account file.
struct States {
    /// The two forms of a state.
    enum Kind: String, CaseIterable {
        case account, session

        var name: String { "\(rawValue) file" }
    }

    private static let api = "https://api.x.com"
    private let folder: ScratchFolder

    /// Writes both files, for `count` users whose ids begin with `first`.
    init(_ count: Int, first: Int = 10_000_000) async throws {
        folder = try ScratchFolder()
        try Data(JSONEncoder().encode(Document(count, first: first))).write(to: URL(filePath: path(.session)))
        guard chmod(path(.session), 0o600) == 0 else { throw CannotBeMade() }
        let store = try await AccountFile.create(path(.account), passphrase: Self.passphrase(), limits: .minimum)
        var batch = RecordBatch()
        batch.writes = try await records([.account, .user, .conversation])
        try await store.commit(batch)
    }

    func path(_ kind: Kind) -> String { folder.path(kind == .account ? "account.db" : "session.json") }

    private static func passphrase() throws -> SecretBytes { try SecretBytes(copying: Array("ratios".utf8).span) }

    /// The records of some kinds.
    private func records(_ kinds: [RecordKey.Kind]) async throws -> [RecordKey: [UInt8]] {
        let store = try await SessionFileStore.open(path(.session), api: Self.api)
        var records: [RecordKey: [UInt8]] = [:]
        for kind in kinds {
            let page = try await store.list(kind, after: nil, limit: .max)
            for (key, record) in try await store.records(page.keys) { records[key] = record.bytes }
        }
        return records
    }

    /// Without those of the account's own user, of whom every state has a record.
    private func othersRecords(_ kinds: [RecordKey.Kind]) async throws -> [RecordKey: [UInt8]] {
        try await records(kinds).filter { $0.key != .user(Sealer.user) }
    }

    // MARK: Opening

    /// What opening an account costs.
    struct Opening: Codable {
        /// Processor time of all cores, in milliseconds.
        let processor: Double
        /// In MiB.
        let peak: Double
    }

    /// Opens the account in a process of its own.
    func opening(_ kind: Kind) throws -> Opening {
        let process = Process()
        process.executableURL = program
        process.arguments = ["open", kind.rawValue, path(kind)]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let answer = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return try JSONDecoder().decode(Opening.self, from: answer)
    }

    /// What the process does that opens the account.
    static func open(_ kind: Kind, _ path: String) async throws {
        var configuration = Account.Configuration(kind == .account ? .accountFile(path) : .sessionFile(path)) { _ in
            try passphrase()
        }
        configuration.api = api
        configuration.token = TokenSource(try Token("t"))
        let figure = try await Figure.of(1) { _ = try await Account.open(configuration) }
        let opening = Opening(processor: figure.microseconds / 1e3, peak: Memory.peak)
        print(String(decoding: try JSONEncoder().encode(opening), as: UTF8.self))
    }

    /// Milliseconds of processor time in which SQLite alone reads the same account file.
    func bareReading() async throws -> Double {
        let database = try SQLite(path(.account))
        let sql = "SELECT kind, hash, revision, sealed FROM record ORDER BY kind, hash"
        let statement = try SQLite.Statement(database, sql)
        return try await Figure.of(1) { try statement.run() }.microseconds / 1e3
    }

    // MARK: Saving

    /// What it costs to save one user's pin, or one conversation's key; medians.
    struct Saving {
        let milliseconds: Double
        /// Processor time of all cores, in milliseconds.
        let processor: Double
        /// What the first of them added to the write-ahead log, in KiB; nil for a session file.
        let logged: Double?
    }

    /// Saves up to `count` records of one kind that another state has, each in a commit of its own.
    func saving(_ kind: Kind, _ records: RecordKey.Kind, of other: States, count: Int) async throws -> Saving {
        let store = try await store(kind)
        var figures: [Figure] = []
        var logged: Double?
        for (key, bytes) in try await other.othersRecords([records]).prefix(count) {
            var batch = RecordBatch()
            (batch.expected[key], batch.writes[key]) = (0, bytes)
            figures.append(try await Figure.of(1) { try await store.commit(batch) })
            if kind == .account, logged == nil {
                let attributes = try FileManager.default.attributesOfItem(atPath: path(kind) + "-wal")
                logged = (attributes[.size] as? NSNumber).map { $0.doubleValue / 1024 }
            }
        }
        return Saving(
            milliseconds: median(figures.map { 1e3 / $0.perSecond }),
            processor: median(figures.map { $0.microseconds / 1e3 }),
            logged: logged
        )
    }

    /// Milliseconds of processor time in which all that another state knows is saved at once.
    func savingAll(_ kind: Kind, of other: States) async throws -> Double {
        let store = try await store(kind)
        var batch = RecordBatch()
        batch.writes = try await other.othersRecords([.user, .conversation])
        return try await Figure.of(1) { try await store.commit(batch) }.microseconds / 1e3
    }

    private func store(_ kind: Kind) async throws -> any AccountStore {
        switch kind {
        case .account: return try await AccountFile.open(path(kind), passphrase: Self.passphrase())
        case .session:
            let store = try await SessionFileStore.open(path(kind), api: Self.api)
            // So that its first commit does not read the file too.
            _ = try await store.records([.account])
            return store
        }
    }

    private struct CannotBeMade: Error {}

    /// A session file.
    private struct Document: Encodable {
        let user_id = Sealer.user.string
        let signing_key_version = "1"
        let private_keys: String
        let signing_keys: [Key]
        let conversation_keys: [String: [String: String]]

        struct Key: Encodable {
            let user_id: String
            let public_key_version: String
            let public_key: String
            let identity_public_key: String
            let identity_public_key_signature: String

            init(_ key: RegisteredKey) {
                user_id = key.userID.string
                public_key_version = key.publicKeyVersion.string
                public_key = key.publicKey.string
                identity_public_key = key.identityPublicKey.string
                identity_public_key_signature = key.identityPublicKeySignature.string
            }
        }

        init(_ count: Int, first: Int) throws {
            let keys = try PrivateKeys.generate()
            private_keys = try keys.withExport { (blob) throws(XChatError) in
                Base64.encode(blob.withUnsafeBufferPointer { Array($0) })
            }
            let others = try Self.pins(count, first: first)
            signing_keys = try [Key(keys.verifiedKey(userID: Sealer.user, version: "1").registered)] + others
            var generator = SystemRandomNumberGenerator()
            conversation_keys = Dictionary(
                uniqueKeysWithValues: (0..<count).map { number in
                    let key = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
                    return ("\(Sealer.user.string):\(first + number)", ["1001": Base64.encode(key)])
                }
            )
        }

        /// A pin of each user, on all cores.
        private static func pins(_ count: Int, first: Int) throws -> [Key] {
            let parts = Mutex<[Int: Result<[Key], any Error>]>([:])
            let size = 500
            DispatchQueue.concurrentPerform(iterations: (count + size - 1) / size) { part in
                let range = (part * size)..<min(count, (part + 1) * size)
                let keys = Result {
                    try range.map { number in
                        let user = UserID("\(first + number)")
                        return Key(try PrivateKeys.generate().verifiedKey(userID: user, version: "1").registered)
                    }
                }
                parts.withLock { $0[part] = keys }
            }
            return try parts.withLock { parts in try parts.sorted { $0.key < $1.key }.flatMap { try $0.value.get() } }
        }
    }
}
