import Foundation
public import XChatEngine
public import XChatEvents
import XChatFiles

/// The data of an account that a key backup needs.
package struct BackupFacts: Sendable {
    package let userID: UserID
    package let privateKeys: PrivateKeys?
    package let keyVersion: KeyVersion?
    /// The pinned public keys of the backup's realms by realm id; the key of a software realm is nil.
    ///
    /// Nil before the first use of a backup.
    package let realms: [String: String?]?
}

extension Account {
    /// Reads the data that a key backup needs; nil if the account does not exist.
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

    /// Saves the realms of the account's backup as pinned.
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

    /// Saves restored private keys in the account, which is created if it does not exist.
    ///
    /// If the account had no keys, its consumers only receive events from the time of this call on.
    ///
    /// - Parameters:
    ///   - keys: The private keys.
    ///   - version: The version under which the server serves the public keys.
    ///   - userID: The user.
    ///   - configuration: Where the account is or will be created.
    /// - Throws: ``AccountError`` with `exists` if the account has other keys, `invalid_argument` if it belongs to
    ///   another user.
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
                "the account of user \(userID) has other private keys; nothing was changed: restore at another location"
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
