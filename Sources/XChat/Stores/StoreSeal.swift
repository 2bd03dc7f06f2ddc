import LibSodium

/// The keys of one database, which are derived from one random root key.
///
/// Keyed BLAKE2b derives one key that encrypts, one that hashes the keys of rows, and one that hashes rows for the
/// summary of records.
final class StoreSeal: Sendable {
    /// The length of a hash by which a row is found: 16 bytes.
    static let hashByteCount = 16

    private let sealing: SecretBytes
    private let lookup: SecretBytes
    private let summing: SecretBytes

    init(rootKey: borrowing SecretBytes) throws(AccountError) {
        sealing = try Self.derive("swift-xchat account file 1: seal", rootKey)
        lookup = try Self.derive("swift-xchat account file 1: look up", rootKey)
        summing = try Self.derive("swift-xchat account file 1: summary", rootKey)
    }

    private static func derive(_ context: String, _ root: borrowing SecretBytes) throws(AccountError) -> SecretBytes {
        let context = Array(context.utf8)
        return try calling { () throws(SodiumError) in
            try root.withBytes { (root) throws(SodiumError) in try GenericHash.deriveKey(context.span, from: root) }
        }
    }

    /// The hash by which a row is found.
    ///
    /// - Parameters:
    ///   - key: The key of the row.
    ///   - table: What kind of row it is; the same key has another hash in another table.
    /// - Returns: ``hashByteCount`` bytes.
    /// - Throws: `file` if libsodium fails.
    func hash(_ key: [UInt8], _ table: Table) throws(AccountError) -> [UInt8] {
        let message = [table.rawValue] + key
        return try calling { () throws(SodiumError) in
            try lookup.withBytes { (key) throws(SodiumError) in
                try GenericHash.hash(message.span, key: key, count: Self.hashByteCount)
            }
        }
    }

    /// What a row adds to the summary of records: 32 bytes.
    func summand(_ row: [UInt8]) throws(AccountError) -> [UInt8] {
        try calling { () throws(SodiumError) in
            try summing.withBytes { (key) throws(SodiumError) in try GenericHash.hash(row.span, key: key) }
        }
    }

    /// Encrypts a value for one place.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - table: What kind of row it is for.
    ///   - place: The row and the column; opening needs the same.
    /// - Returns: What ``open(_:_:_:)`` decrypts.
    /// - Throws: `file` if libsodium fails.
    func seal(_ value: [UInt8], _ table: Table, _ place: [UInt8]) throws(AccountError) -> [UInt8] {
        let data = [table.rawValue] + place
        return try calling { () throws(SodiumError) in
            try sealing.withBytes { (key) throws(SodiumError) in
                try XChaCha20Poly1305.seal(value.span, associatedData: data.span, key: key)
            }
        }
    }

    /// Decrypts a value of a place.
    ///
    /// - Throws: `damaged` unless ``seal(_:_:_:)`` made it for this very place.
    func open(_ box: [UInt8], _ table: Table, _ place: [UInt8]) throws(AccountError) -> [UInt8] {
        let data = [table.rawValue] + place
        do {
            return try sealing.withBytes { (key) throws(SodiumError) in
                try XChaCha20Poly1305.open(box.span, associatedData: data.span, key: key)
            }
        } catch {
            throw AccountError(
                .damaged,
                "\(table.name) is damaged, or was moved from another place; restore the file from a backup"
            )
        }
    }

    /// The kinds of rows.
    enum Table: UInt8 {
        case record = 1, summary, lease, outbox, queue, message

        var name: String {
            switch self {
            case .record: "a record"
            case .summary: "the summary of the records"
            case .lease: "a lease"
            case .outbox: "the owner of the outbox"
            case .queue: "a conversation of the outbox"
            case .message: "a message of the outbox"
            }
        }
    }
}

/// The plaintext header of a database: the root key, encrypted under a key that the owner can derive, and the
/// parameters of the derivation.
struct StoreHead: Hashable, Sendable {
    /// The highest cost of opening that is accepted: a hostile file must not make its reader allocate all memory.
    ///
    /// 16 passes over 1 GiB.
    static let maximum = PasswordHash.Limits(operations: 16, memory: 1 << 30)

    /// What one guess of the passphrase costs; nil if the owner has a key instead of a passphrase.
    let limits: PasswordHash.Limits?
    let salt: [UInt8]
    let box: [UInt8]

    /// The secret that opens a database.
    enum Unlocking: ~Copyable {
        case passphrase(SecretBytes)
        /// A key of 32 bytes that cannot be guessed.
        case key(SecretBytes)
    }

    /// Encrypts a new root key.
    static func make(
        _ unlocking: borrowing Unlocking,
        limits: PasswordHash.Limits
    ) throws(AccountError) -> (head: StoreHead, seal: StoreSeal) {
        let salt = try calling { () throws(SodiumError) in
            try Sodium.randomBytes(count: PasswordHash.saltByteCount)
        }
        let limits: PasswordHash.Limits? =
            switch unlocking {
            case .passphrase: limits
            case .key: nil
            }
        let outer = try outerKey(unlocking, salt, limits)
        let root = try calling { () throws(SodiumError) in try SecretBytes.random(count: SecretBox.keyByteCount) }
        let box = try calling { () throws(SodiumError) in
            try outer.withBytes { (outer) throws(SodiumError) in
                try root.withBytes { (root) throws(SodiumError) in try SecretBox.seal(root, key: outer) }
            }
        }
        return (StoreHead(limits: limits, salt: salt, box: box), try StoreSeal(rootKey: root))
    }

    /// Decrypts the root key.
    ///
    /// - Throws: `damaged` for limits beyond ``maximum``, `wrong_passphrase`.
    func open(_ unlocking: borrowing Unlocking) throws(AccountError) -> StoreSeal {
        let outer = try Self.outerKey(unlocking, salt, limits)
        let root: SecretBytes
        do {
            root = try outer.withBytes { (outer) throws(SodiumError) in
                try SecretBox.openSecret(box.span, key: outer)
            }
        } catch {
            throw AccountError(
                .wrongPassphrase,
                "the passphrase is wrong, or the file was changed or damaged; enter the passphrase again, or, if it is "
                    + "certainly right, restore the file from a backup"
            )
        }
        return try StoreSeal(rootKey: root)
    }

    private static func outerKey(
        _ unlocking: borrowing Unlocking,
        _ salt: [UInt8],
        _ limits: PasswordHash.Limits?
    ) throws(AccountError) -> SecretBytes {
        switch unlocking {
        case .passphrase(let passphrase):
            guard let limits else {
                throw AccountError(
                    .wrongPassphrase,
                    "it is encrypted under a key, not under a passphrase; open it with its session file"
                )
            }
            return try calling { () throws(SodiumError) in
                try passphrase.withBytes { (passphrase) throws(SodiumError) in
                    try PasswordHash.key(
                        from: passphrase,
                        salt: salt.span,
                        count: SecretBox.keyByteCount,
                        limits: limits,
                        maximum: maximum
                    )
                }
            }
        case .key(let key):
            guard limits == nil else {
                throw AccountError(
                    .wrongPassphrase,
                    "it is encrypted under a passphrase, not under a key; open it with its passphrase"
                )
            }
            let context = Array("swift-xchat account file 1: outer key".utf8) + salt
            return try calling { () throws(SodiumError) in
                try key.withBytes { (key) throws(SodiumError) in
                    try GenericHash.deriveKey(context.span, from: key, count: SecretBox.keyByteCount)
                }
            }
        }
    }

    /// The head as it is stored: passes and KiB of memory (4 bytes each, 0 for a key), salt (16), box, checksum (16).
    ///
    /// The checksum distinguishes damage from a wrong passphrase; it protects against accidents only. An attacker who
    /// changes the head on purpose only makes the box refuse to open.
    var encoded: [UInt8] {
        get throws(AccountError) {
            var bytes: [UInt8] = []
            bytes.append(bigEndian: UInt32(clamping: limits?.operations ?? 0))
            bytes.append(bigEndian: UInt32(clamping: (limits?.memory ?? 0) >> 10))
            bytes += salt + box
            return bytes + (try Self.checksum(bytes[...]))
        }
    }

    private init(limits: PasswordHash.Limits?, salt: [UInt8], box: [UInt8]) {
        self.limits = limits
        self.salt = salt
        self.box = box
    }

    init(_ bytes: [UInt8]) throws(AccountError) {
        var reader = ByteReader(bytes[...])
        guard let operations = reader.number(UInt32.self), let memory = reader.number(UInt32.self),
            let salt = reader.bytes(PasswordHash.saltByteCount),
            let box = reader.bytes(SecretBox.keyByteCount + SecretBox.overheadByteCount),
            Array(reader.remainder) == (try Self.checksum(bytes.prefix(bytes.count - reader.remainder.count)))
        else {
            throw AccountError(.damaged, "the header with its encrypted key is damaged; restore the file from a backup")
        }
        if operations == 0, memory == 0 {
            limits = nil
        } else {
            let limits = PasswordHash.Limits(operations: Int(operations), memory: Int(memory) << 10)
            guard (1...Self.maximum.operations).contains(limits.operations),
                (8 << 10...Self.maximum.memory).contains(limits.memory)
            else {
                throw AccountError(
                    .damaged,
                    "the header asks for \(operations) passes over \(memory) KiB for a passphrase; the limits are "
                        + "1 to \(Self.maximum.operations) passes over 8 to \(Self.maximum.memory >> 10) KiB: restore the "
                        + "file from a backup"
                )
            }
            self.limits = limits
        }
        self.salt = Array(salt)
        self.box = Array(box)
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) throws(AccountError) -> [UInt8] {
        try calling { () throws(SodiumError) in try GenericHash.hash(Array(bytes).span, count: 16) }
    }
}

/// Calls libsodium where only the system can fail.
func calling<Value: ~Copyable>(_ body: () throws(SodiumError) -> Value) throws(AccountError) -> Value {
    do {
        return try body()
    } catch {
        throw AccountError(.file, "libsodium: \(error)")
    }
}
