import Foundation
public import XChatEngine
public import XChatEvents
import XChatFiles

/// What an account knows for a backup of its private keys.
package struct BackupFacts: Sendable {
    package let userID: UserID
    package let privateKeys: PrivateKeys?
    package let keyVersion: KeyVersion?
    /// The public keys of the realms by their ids, nil for software realms; nil before the first use of a backup.
    package let realms: [String: String?]?
}

extension Account {
    /// What the account knows for a backup; nil if there is no account at the place.
    package static func backupFacts(_ configuration: Configuration) async throws -> BackupFacts? {
        guard let store = try await configuration.storeIfPresent(),
            let identity = try await Identity.stored(in: store)
        else { return nil }
        return BackupFacts(
            userID: identity.userID,
            privateKeys: identity.privateKeys,
            keyVersion: identity.keyVersion,
            realms: try identity.backupRealms()
        )
    }

    /// Pins the realms of the account's backup.
    package static func pinBackupRealms(
        _ realms: [String: String?],
        _ configuration: Configuration
    ) async throws {
        let store = try await configuration.existingStore()
        while true {
            guard let record = try await store.records([.account])[.account] else { return }
            let identity = try Identity(decoding: record.bytes)
            guard try identity.backupRealms() != realms else { return }
            do {
                return try await store.save(try identity.pinning(backupRealms: realms), revision: record.revision)
            } catch let error as AccountError where error.code == .conflict {
                try Task.checkCancellation()
            }
        }
    }

    /// Puts restored keys into the account, which is created if it does not exist.
    ///
    /// Consumers start at the time of the restoration, as for every import.
    ///
    /// - Parameters:
    ///   - keys: The private keys.
    ///   - version: The version under which the server serves their public halves.
    ///   - userID: The user.
    ///   - configuration: Where the account is, or is to be.
    /// - Throws: ``AccountError`` with `exists` if the account has other keys, `invalid_argument` if it is another
    ///   user's.
    public static func restore(
        _ keys: PrivateKeys,
        version: KeyVersion,
        of userID: UserID,
        _ configuration: Configuration
    ) async throws {
        guard let facts = try await backupFacts(configuration) else {
            return try await create(for: userID, keys: keys, version: version, isImport: true, configuration)
        }
        guard facts.userID == userID else {
            throw AccountError(belongingTo: facts.userID, not: userID)
        }
        if let known = facts.privateKeys,
            known.identityKey.base64 != keys.identityKey.base64
                || known.signingKey?.base64 != keys.signingKey?.base64
        {
            throw AccountError(
                .exists,
                "the account of user \(userID) has other private keys, and nothing was changed; restore into a new place"
            )
        }
        let store = try await configuration.existingStore()
        guard let record = try await store.records([.account])[.account] else { return }
        let identity = try Identity(decoding: record.bytes)
        try await store.save(try identity.restored(keys, version: version), revision: record.revision)
        let own = try keys.verifiedKey(userID: userID, version: version)
        let unregistered = try Identity(userID: userID, privateKeys: keys, keyVersion: nil)
        try await AccountState(store: store, identity: unregistered)
            .update(AccountState.Scope(users: [userID])) { session in session.trust([own]) }
    }
}
