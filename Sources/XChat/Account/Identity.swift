import Foundation
import LibSodium
package import XChatEngine
package import XChatEvents

/// The user of an account and the private keys: the record ``RecordKey/account``.
package struct Identity: Sendable {
    package let userID: UserID
    package let privateKeys: PrivateKeys?
    /// The version under which the server registered the keys; nil before that.
    package let keyVersion: KeyVersion?
    /// Milliseconds since 1970: consumers receive no older events.
    ///
    /// The value is 0 for keys that were generated for this account. For keys from elsewhere it is the time of their
    /// import: otherwise a consumer would handle the whole old history as new.
    let startsAt: UInt64
    /// All members of the record, including those that this version does not know.
    private let members: JSONObject
    /// This account's own public keys; nil before they are registered.
    private let ownKey: VerifiedPublicKey?

    /// An identity; `members` are all members of the record that it replaces, so that unknown ones are kept.
    init(
        userID: UserID,
        privateKeys: PrivateKeys?,
        keyVersion: KeyVersion?,
        startsAt: UInt64 = 0,
        members: JSONObject = JSONObject()
    ) throws(AccountError) {
        self.userID = userID
        self.privateKeys = privateKeys
        self.keyVersion = keyVersion
        self.startsAt = startsAt
        self.members = members
        do {
            if let privateKeys, privateKeys.signingKey != nil, let keyVersion {
                ownKey = try privateKeys.verifiedKey(userID: userID, version: keyVersion)
            } else {
                ownKey = nil
            }
        } catch {
            throw AccountError(error)
        }
    }

    /// Reads the record.
    init(decoding bytes: [UInt8]) throws(AccountError) {
        let document = try SessionDocument(parsing: bytes, name: "the account record")
        try self.init(
            userID: try document.userID(),
            privateKeys: try document.privateKeys(),
            keyVersion: try document.signingKeyVersion(),
            startsAt: try document.startsAt(),
            members: document.root
        )
    }

    /// The bytes of the record, which contain the private keys.
    func encoded() throws(AccountError) -> [UInt8] {
        var document = SessionDocument(userID: userID, members: members)
        do {
            if let privateKeys { try document.set(privateKeys) }
        } catch {
            throw AccountError(error)
        }
        if let keyVersion { document.set(signingKeyVersion: keyVersion) }
        document.set(startsAt: startsAt)
        return document.bytes
    }

    /// The same identity under the version that the server registered.
    func registered(as version: KeyVersion) throws(AccountError) -> Identity {
        try Identity(
            userID: userID,
            privateKeys: privateKeys,
            keyVersion: version,
            startsAt: startsAt,
            members: members
        )
    }

    /// The same identity with restored private keys.
    ///
    /// ``startsAt`` becomes the present time if the identity had no keys before; otherwise it stays the same.
    func restored(_ keys: PrivateKeys, version: KeyVersion) throws(AccountError) -> Identity {
        try Identity(
            userID: userID,
            privateKeys: keys,
            keyVersion: version,
            startsAt: privateKeys == nil ? UInt64(max(0, Date().timeIntervalSince1970 * 1000)) : startsAt,
            members: members
        )
    }

    /// The same identity with its first private keys.
    func filled(_ keys: PrivateKeys, version: KeyVersion? = nil, startsAt: UInt64 = 0) throws(AccountError) -> Identity
    {
        try Identity(userID: userID, privateKeys: keys, keyVersion: version, startsAt: startsAt, members: members)
    }

    /// The pinned realms of the backup; nil before the first use of a backup.
    func backupRealms() throws(AccountError) -> [String: String?]? {
        let place = JSONLocation(root: .object(members), document: "the account record")
        guard let realms = try place.member(Self.backupRealmsMember) else { return nil }
        var keys: [String: String?] = [:]
        for (realm, key) in try realms.members() {
            keys.updateValue(key.value == .null ? nil : try key.string().string, forKey: realm.string)
        }
        return keys
    }

    /// The same identity with pinned realms.
    func pinning(backupRealms: [String: String?]) throws(AccountError) -> Identity {
        var (members, realms) = (members, JSONObject())
        for (realm, key) in backupRealms.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            realms[WireString(realm)] = JSONValue(key.map { WireString($0) })
        }
        members[Self.backupRealmsMember] = .object(realms)
        return try Identity(
            userID: userID,
            privateKeys: privateKeys,
            keyVersion: keyVersion,
            startsAt: startsAt,
            members: members
        )
    }

    private static let backupRealmsMember: WireString = "backup_realms"

    /// A session with the account's own private keys only.
    func session() throws(AccountError) -> Session {
        do {
            return try Session(userID: userID, privateKeys: privateKeys, signingKeyVersion: keyVersion)
        } catch {
            throw AccountError(error)
        }
    }

    /// Trusts this account's own public keys from the state.
    ///
    /// These keys are never taken from the server, which could serve other keys.
    func trustOwnKey(in session: inout Session) {
        if let ownKey { session.trust([ownKey]) }
    }
}

extension SessionDocument {
    /// A document with members of another one.
    fileprivate init(userID: UserID, members: JSONObject) {
        self.init(userID: userID, name: "the account record")
        for member in members.members where member.key != "user_id" { root[member.key] = member.value }
    }

    fileprivate func startsAt() throws(AccountError) -> UInt64 {
        guard let member = try place.member("starts_at") else { return 0 }
        return try member.unsigned()
    }

    fileprivate mutating func set(startsAt: UInt64) {
        if startsAt > 0 { root["starts_at"] = .string(String(startsAt)) }
    }
}
