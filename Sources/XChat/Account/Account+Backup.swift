import Foundation
public import XChatEngine
public import XChatEvents
import XChatFiles
package import XChatHTTP

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

extension ChatClient {
    /// The registered key of a user that a backup belongs to, and the configuration of the backup.
    ///
    /// - Parameters:
    ///   - user: The user of the token.
    ///   - version: The version of the key; nil for the newest.
    /// - Returns: The key, which is not verified, and the configuration as JSON.
    /// - Throws: ``AccountError`` with `not_registered` if the server has no such key, with `server` if it names no
    ///   backup of the key; `APIError`.
    package func keyWithBackup(
        of user: UserID,
        version: KeyVersion?
    ) async throws -> (key: RegisteredKey, configuration: [UInt8]) {
        let served = try await backedUpKeysIfAny(of: user)
        guard let newest = served.newest else {
            throw AccountError(.notRegistered, "the server has no public keys of user \(user); register keys first")
        }
        guard let chosen = version.map({ version in served.first { $0.number == version.number } }) ?? newest else {
            throw AccountError(
                .notRegistered,
                "the server has no public keys of version \(safeField(version ?? "")) of user \(user); choose another version, "
                    + "or register keys first"
            )
        }
        guard let configuration = chosen.configuration else {
            throw AccountError(
                .server,
                "the server names no key backup for version \(safeField(chosen.key.publicKeyVersion)) of the keys of user "
                    + "\(user), so nothing can be stored there or restored; use another copy of the keys"
            )
        }
        return (chosen.key, configuration)
    }

    /// The registered keys of a user; empty if the server has none.
    fileprivate func backedUpKeysIfAny(of user: UserID) async throws(APIError) -> [BackedUpKey] {
        do throws(APIError) {
            return try await backedUpKeys(of: user)
        } catch {
            guard error.code == .notFound else { throw error }
            return []
        }
    }
}

extension [BackedUpKey] {
    /// The key with the highest version.
    fileprivate var newest: BackedUpKey? { self.max { ($0.number ?? 0) < ($1.number ?? 0) } }
}

extension BackedUpKey {
    fileprivate var number: UInt64? { key.publicKeyVersion.number }
}

extension PrivateKeys {
    /// Whether a served key has the public halves of these keys.
    package func isPair(of served: RegisteredKey) -> Bool {
        signingKey.map { WireString($0.base64) } == served.publicKey
            && WireString(identityKey.base64) == served.identityPublicKey
    }
}

/// How private keys relate to the keys that the server has of their user.
package enum KeyStanding: Sendable {
    /// The server has them under the known version.
    case registered(BackedUpKey)
    /// The server has them under the known version, but also newer keys, for which others encrypt.
    case superseded(BackedUpKey, by: BackedUpKey)
    /// The server has them under another version.
    case otherVersion
    /// The server has other keys of the user.
    case otherKeys
    /// The server has no keys of the user.
    case unregistered

    /// Asks the server.
    ///
    /// - Parameters:
    ///   - keys: The private keys.
    ///   - facts: What is known about their user.
    ///   - client: A client with a token of the user.
    /// - Throws: `APIError`.
    package init(of keys: PrivateKeys, _ facts: BackupFacts, at client: ChatClient) async throws(APIError) {
        let served = try await client.backedUpKeysIfAny(of: facts.userID)
        guard let newest = served.newest else {
            self = .unregistered
            return
        }
        let matching = served.filter { keys.isPair(of: $0.key) }
        guard let own = matching.first(where: { $0.number == facts.keyVersion?.number }) else {
            self = matching.isEmpty ? .otherKeys : .otherVersion
            return
        }
        self = own.number ?? 0 < newest.number ?? 0 ? .superseded(own, by: newest) : .registered(own)
    }
}
