import LibSodium
package import XChatEngine
import XChatEvents

extension PrivateKeys {
    /// Reads a blob that another client exported, as bytes or in base64.
    ///
    /// - Parameter content: The content of the file with the blob; the caller has to wipe it.
    /// - Throws: As `PrivateKeys.init(importing:)`.
    package init(importingFile content: [UInt8]) throws(XChatError) {
        var text = content.filter { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        defer { Sodium.wipe(&text) }
        // A blob contains random bytes, so it is practically never valid base64.
        guard var blob = try? Base64.decode(text) else {
            try self.init(importing: content.span)
            return
        }
        defer { Sodium.wipe(&blob) }
        try self.init(importing: blob.span)
    }
}

extension Session {
    /// This user's registered public keys.
    package func ownKey() throws -> VerifiedPublicKey { try registeredKey(of: userID, privateKeys, signingKeyVersion) }
}

/// The public keys of a user who has private keys under a registered version.
func registeredKey(of userID: UserID, _ keys: PrivateKeys?, _ version: KeyVersion?) throws -> VerifiedPublicKey {
    guard let keys, let version else {
        throw AccountError(.notRegistered, "the keys of user \(userID) are not registered yet; register them first")
    }
    return try keys.verifiedKey(userID: userID, version: version)
}
