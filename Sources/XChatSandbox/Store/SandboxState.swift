import Foundation
import GRDB
import Synchronization
import XChatEngine
import XChatEvents

/// The stored state of the server (public keys, ciphertext and signatures) and the rules for its changes.
///
/// Every operation is one transaction, so a refusal or the end of the process leaves no partial change.
final class SandboxState: Sendable {
    let database: any DatabaseWriter
    let faults: SandboxFaults
    let random: SeededRandom
    let activity: ActivityHub
    let limits: RateLimits
    let backupRealms: [BackupRealm]
    let tickets = ConsentTickets()
    let lostRefreshes = Counter()
    private let lastSequenceID: Mutex<Int64>
    /// Keys that are verified already, so that their binding signatures are verified only once.
    private let verifiedKeys = Mutex<[RegisteredKey: VerifiedPublicKey]>([:])

    /// All sequence ids are above this number; see ``nextSequenceID()``.
    private static let firstSequenceID: Int64 = 2_070_276_095_283_454_002

    init(at path: String?, faults: SandboxFaults) throws {
        database = try SandboxDatabase.database(at: path)
        self.faults = faults
        random = SeededRandom(seed: faults.seed)
        activity = ActivityHub()
        limits = RateLimits(faults)
        backupRealms = try BackupStore(database: database).realms()
        let last = try database.read { db in
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT MAX(number) FROM (
                        SELECT MAX(sequence) AS number FROM event UNION SELECT MAX(session) FROM upload
                        UNION SELECT MAX(id) FROM subscription UNION SELECT MAX(CAST(SUBSTR(id, 2) AS INTEGER)) FROM group_id
                    )
                    """
            )
        }
        lastSequenceID = Mutex(max(last ?? 0, Self.firstSequenceID))
    }

    /// Makes a snowflake id like X's: milliseconds since X's epoch in the upper bits.
    ///
    /// Even if the clock is wrong, each id is greater than the one before, and than `firstSequenceID`. From that number
    /// on, X's engine refuses key change events whose signatures do not verify.
    func nextSequenceID() -> Int64 {
        let epoch: Int64 = 1_288_834_974_657
        let snowflake = max(0, Self.milliseconds() - epoch) << 22
        return lastSequenceID.withLock { last in
            last = max(last + 1, snowflake)
            return last
        }
    }

    static func milliseconds() -> Int64 {
        max(0, Int64(Date().timeIntervalSince1970 * 1000))
    }

    // MARK: Public keys

    /// A user's keys, oldest first; empty for a user who never registered keys.
    func publicKeys(of user: UserID, _ db: Database) throws -> [VerifiedPublicKey] {
        let rows = try Data.fetchAll(
            db,
            sql: "SELECT entry FROM public_key WHERE user = ? ORDER BY rowid",
            arguments: [user.string]
        )
        return try rows.map { row in
            let registered = try JSONDecoder().decode(StoredKey.self, from: row).registered(of: user)
            if let known = verifiedKeys.withLock({ $0[registered] }) { return known }
            let bound = try VerifiedPublicKey(checking: registered)
            verifiedKeys.withLock { $0[registered] = bound }
            return bound
        }
    }

    /// A user's keys, oldest first; throws for a user who never registered keys.
    func publicKeys(of user: UserID) async throws -> [VerifiedPublicKey] {
        let keys = try await database.read { db in try self.publicKeys(of: user, db) }
        guard !keys.isEmpty else { throw Problem.unknownUser }
        return keys
    }

    /// The keys of several users; users without keys are left out.
    func publicKeys(of users: [UserID]) async throws -> [UserID: [VerifiedPublicKey]] {
        try await database.read { db in try self.keys(of: users, db) }
    }

    /// Registers keys after verifying their binding signature, and returns their version.
    func register(_ request: RegistrationRequest, user: UserID) async throws -> KeyVersion {
        try await database.write { db in
            let keys = try self.publicKeys(of: user, db)
            let version: KeyVersion
            if request.generateVersion == true {
                // Milliseconds like X's versions, but always greater than every earlier version.
                let newest = keys.compactMap(\.version.number).max() ?? 0
                version = KeyVersion(String(max(UInt64(Self.milliseconds()), newest &+ 1)))
            } else {
                version = KeyVersion(request.version)
                guard version.number != nil, version.isDigits else {
                    throw Problem.invalidRequest("The version is not a number.", parameter: "version")
                }
                guard !keys.contains(where: { $0.version.number == version.number }) else {
                    throw Problem.invalidRequest("The version is registered already.", parameter: "version")
                }
            }
            let key = try request.publicKey.bound(user: user, version: version)
            try db.execute(
                sql: "INSERT INTO public_key (user, version, entry) VALUES (?, ?, ?)",
                arguments: [user.string, version.string, try JSONEncoder().encode(StoredKey(key))]
            )
            return version
        }
    }
}

/// A registered key in its stored form.
private struct StoredKey: Codable {
    let version: String
    let signingKey: String
    let identityKey: String
    let signatureOfIdentityKey: String
    let signatureOfSigningKey: String?

    init(_ key: VerifiedPublicKey) {
        version = key.registered.publicKeyVersion.string
        signingKey = key.registered.publicKey.string
        identityKey = key.registered.identityPublicKey.string
        signatureOfIdentityKey = key.registered.identityPublicKeySignature.string
        signatureOfSigningKey = key.registered.signingPublicKeySignature?.string
    }

    func registered(of user: UserID) -> RegisteredKey {
        RegisteredKey(
            userID: user,
            publicKeyVersion: KeyVersion(version),
            publicKey: WireString(signingKey),
            identityPublicKey: WireString(identityKey),
            identityPublicKeySignature: WireString(signatureOfIdentityKey),
            signingPublicKeySignature: signatureOfSigningKey.map { WireString($0) }
        )
    }
}

extension RegistrationRequest.PublicKey {
    fileprivate func bound(user: UserID, version: KeyVersion) throws(Problem) -> VerifiedPublicKey {
        let key: VerifiedPublicKey
        do {
            key = try VerifiedPublicKey(
                checking: RegisteredKey(
                    userID: user,
                    publicKeyVersion: version,
                    publicKey: WireString(signingKey),
                    identityPublicKey: WireString(identityKey),
                    identityPublicKeySignature: WireString(signatureOfIdentityKey),
                    signingPublicKeySignature: signatureOfSigningKey.map { WireString($0) }
                )
            )
        } catch {
            throw .invalidRequest("The keys do not belong together: \(error.code.rawValue).", parameter: "public_key")
        }
        if let fingerprint, WireString(fingerprint) != WireString(key.identityKey.fingerprint) {
            throw .invalidRequest(
                "The fingerprint does not match the identity key.",
                parameter: "public_key.public_key_fingerprint"
            )
        }
        return key
    }
}
