import LibSodium
import XChatEngine
import XChatEvents

/// One version of a user's keys, with the secrets that only the model knows.
struct Identity: Sendable {
    let user: UserID
    let version: KeyVersion
    let keys: PrivateKeys
    let bound: VerifiedPublicKey
    private let signingSecret: [UInt8]

    init(user: UserID, version: KeyVersion) throws {
        self.user = user
        self.version = version
        keys = try PrivateKeys.generate(.sodium)
        bound = try keys.verifiedKey(userID: user, version: version)
        // Magic and version, the X25519 key, the Ed25519 seed.
        let blob = try keys.withExport { bytes in (0..<bytes.count).map { bytes[$0] } }
        let pair = try Sign.keyPair(seed: Array(blob.suffix(32)).span)
        signingSecret = pair.secretKey.withBytes { bytes in (0..<bytes.count).map { bytes[$0] } }
    }

    func sign(_ text: [UInt8]) throws -> [UInt8] {
        try Sign.signature(for: text.span, secretKey: signingSecret.span)
    }

    var holder: Holder { Holder(user: user, version: version) }
}

/// A version of a user's keys, as the recipient of a conversation key.
struct Holder: Hashable, Comparable, Sendable, CustomStringConvertible {
    let user: UserID
    let version: KeyVersion

    var description: String { "\(user)@\(version)" }

    static func < (left: Self, right: Self) -> Bool { (left.user, left.version) < (right.user, right.version) }
}

/// All users of the histories; made once, because keys cost time and no history depends on their bytes.
struct Cast: Sendable {
    /// Honest users, each with three versions of keys.
    let honest: [[Identity]]
    /// A member who signs any event with the own keys.
    let insider: [Identity]
    /// Users whom no honest act makes members.
    let outsiders: [[Identity]]
    /// Keys that a lying server serves: no user has them.
    let forged: [UserID: Identity]

    private let byUser: [UserID: [Identity]]

    static let shared = Result { try Cast() }

    private init() throws {
        func person(_ user: UserID) throws -> [Identity] {
            try ["1", "2", "3"].map { try Identity(user: user, version: $0) }
        }
        honest = try ["1001", "1002", "1003", "1004", "1005", "1006"].map(person)
        insider = try person("1666")
        outsiders = try ["900", "3001"].map(person)
        let all = honest + [insider] + outsiders
        byUser = Dictionary(uniqueKeysWithValues: all.compactMap { keys in keys.first.map { ($0.user, keys) } })
        forged = try byUser.mapValues { keys in
            try Identity(user: keys.first?.user ?? "", version: "4")
        }
    }

    func identities(of user: UserID) -> [Identity] { byUser[user] ?? [] }

    func identity(_ holder: Holder) -> Identity? {
        identities(of: holder.user).first { $0.version == holder.version }
    }
}
