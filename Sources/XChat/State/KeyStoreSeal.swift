package import LibSodium

/// How the key store is sealed: Argon2id turns the passphrase into a key, secretbox seals the content under it.
///
/// The file is magic (8 bytes), version (1), passes (4) and kibibytes of memory (4) of Argon2id as big-endian numbers,
/// salt (16), box. Nothing of this head is secret; who changes it only makes the box refuse to open.
package struct KeyStoreSeal: Hashable, Sendable {
    /// The first bytes of every key store.
    static let magic = Array("xchstore".utf8)
    static let version: UInt8 = 1
    private static let saltOffset = magic.count + 1 + 4 + 4
    private static let headByteCount = saltOffset + PasswordHash.saltByteCount
    /// How much larger the file is than its content.
    static let overheadByteCount = headByteCount + SecretBox.overheadByteCount

    /// What opening may cost at most: a hostile file must not make its reader allocate all memory.
    static let maximum = PasswordHash.Limits(operations: 16, memory: 1 << 30)

    private let limits: PasswordHash.Limits
    private let salt: [UInt8]

    /// A fresh seal: a new salt, and the price of one guess.
    package init(limits: PasswordHash.Limits = .moderate) throws(SodiumError) {
        self.limits = limits
        salt = try Sodium.randomBytes(count: PasswordHash.saltByteCount)
    }

    /// The seal of a key store, and the box behind it.
    ///
    /// - Throws: when the file is none, is of a later version or asks for more than opening may cost.
    package static func read(_ file: [UInt8], name: String) throws(AccountError) -> (seal: KeyStoreSeal, box: [UInt8]) {
        guard file.count >= headByteCount, file.starts(with: magic) else {
            throw AccountError("\(name): this is not a key store of xchat")
        }
        guard file[magic.count] == version else {
            throw AccountError("\(name): of version \(file[magic.count]), and this program reads version \(version)")
        }
        let limits = PasswordHash.Limits(
            operations: number(file[(magic.count + 1)...].prefix(4)),
            memory: number(file[(magic.count + 5)...].prefix(4)) << 10
        )
        guard (1...maximum.operations).contains(limits.operations), (8 << 10...maximum.memory).contains(limits.memory)
        else {
            throw AccountError("\(name): asks for more passes or memory than this program spends on a passphrase")
        }
        let seal = KeyStoreSeal(limits: limits, salt: Array(file[saltOffset..<headByteCount]))
        return (seal, Array(file[headByteCount...]))
    }

    private init(limits: PasswordHash.Limits, salt: [UInt8]) {
        self.limits = limits
        self.salt = salt
    }

    /// The key that the passphrase makes.
    package func key(_ passphrase: borrowing SecretBytes) throws(SodiumError) -> SecretBytes {
        try passphrase.withBytes { (passphrase) throws(SodiumError) in
            try PasswordHash.key(
                from: passphrase,
                salt: salt.span,
                count: SecretBox.keyByteCount,
                limits: limits,
                maximum: Self.maximum
            )
        }
    }

    /// The file that holds a content.
    package func file(sealing content: Span<UInt8>, key: borrowing SecretBytes) throws(SodiumError) -> [UInt8] {
        let box = try key.withBytes { (key) throws(SodiumError) in try SecretBox.seal(content, key: key) }
        let memory = limits.memory >> 10
        return Self.magic + [Self.version] + Self.bytes(limits.operations) + Self.bytes(memory) + salt + box
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.reduce(0) { $0 << 8 | Int($1) }
    }

    private static func bytes(_ number: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}
