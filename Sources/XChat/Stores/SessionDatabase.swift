import LibSodium
package import XChatEngine
package import XChatEvents
import XChatFiles

/// The database that belongs to a state in another file: a session file or the key store.
///
/// The database is in the folder that has the name of the state with `.outbox` appended, and is sealed under a key that
/// is derived from the private keys. Each combination of user, API and private keys has a separate database.
package struct SessionDatabase: Sendable {
    /// The folder, which is created with mode 0700.
    package let folder: String
    /// The file; its name shows a keyed hash only.
    package let path: String
    private let key: SessionDatabaseKey

    /// The database of a state; nothing is opened yet.
    ///
    /// - Parameters:
    ///   - state: The path of the state. Links are followed: a state has one database, whatever path leads to it.
    ///   - user: The user.
    ///   - api: The base URL of the API.
    ///   - keys: The private keys of the state.
    /// - Throws: `file` if libsodium fails.
    package init(of state: String, user: UserID, api: String, keys: PrivateKeys) throws(AccountError) {
        folder = Self.folder(of: state)
        let key = try SessionDatabaseKey(keys)
        let name = Array("name".utf8) + OutboxOwner(user: user, api: api).encoded
        let hash = try calling { () throws(SodiumError) in
            try key.bytes.withBytes { (key) throws(SodiumError) in
                try GenericHash.hash(name.span, key: key, count: 16)
            }
        }
        path = "\(folder)/\(hash.hexadecimal).db"
        self.key = key
    }

    /// The folder of a state.
    static func folder(of state: String) -> String { Files.resolved(state) + ".outbox" }

    /// Whether the database was ever created.
    package var exists: Bool { Files.exists(path) }

    /// Opens the database, or creates it.
    ///
    /// - Returns: The open database.
    /// - Throws: As ``AccountFile/open(_:passphrase:)``.
    package func open() async throws(AccountError) -> AccountFile {
        let folder = folder
        try await blocking { () throws(AccountError) in
            try withAccountErrors { () throws(FileError) in try Files.makeFolder(folder) }
        }
        return try await AccountFile.openOrCreate(path, key)
    }
}

/// The key of a database that belongs to a session file.
final class SessionDatabaseKey: Sendable {
    private static let context = Array("swift-xchat session database 1".utf8)

    let bytes: SecretBytes

    /// The keyed hash of the private keys under a context string.
    ///
    /// - Throws: `file` if libsodium fails.
    init(_ keys: PrivateKeys) throws(AccountError) {
        var secret: SecretBytes?
        do {
            try keys.withExport { (blob) throws(XChatError) in
                secret = try? GenericHash.deriveKey(blob, from: Self.context.span)
            }
        } catch {
            throw AccountError(error)
        }
        guard let secret = secret.take() else { throw AccountError(.file, "libsodium cannot be used") }
        bytes = secret
    }
}

extension [UInt8] {
    /// Two digits for each byte.
    var hexadecimal: String {
        map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
