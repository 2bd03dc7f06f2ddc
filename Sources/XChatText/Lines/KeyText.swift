package import XChat
package import XChatEngine
import XChatEvents

/// Public keys of one user over several lines, for a person who compares them.
///
/// - Parameters:
///   - key: The keys.
///   - title: What the keys are, such as "new".
/// - Returns: Version, suite, fingerprint, identity key and signing key. The server chooses the version, so it is
///   quoted and shortened unless it is 1 to 19 digits.
package func pinText(_ key: VerifiedPublicKey, title: String) -> String {
    """
    \(title): version \(safeField(key.version)), suite \(visible(key.suite.rawValue))
      fingerprint   \(key.identityKey.fingerprint)
      identity key  \(key.identityKey.base64)
      signing key   \(key.signingKey.base64)
    """
}

/// Public keys of one user on one line.
package func pinLine(_ key: VerifiedPublicKey, isOwn: Bool) -> String {
    let user = safeField(key.userID) + (isOwn ? " (you)" : "")
    let suite = visible(key.suite.rawValue)
    return "\(key.identityKey.fingerprint)  user \(user), version \(safeField(key.version)), \(suite)"
}

/// Public keys of one user as a line of `keys list`.
package func keyJSON(_ key: VerifiedPublicKey, isOwn: Bool, isRetired: Bool) -> JSONValue {
    [
        "user_id": .string(key.userID),
        "public_key_version": .string(key.version),
        "suite": .string(key.suite.rawValue),
        "fingerprint": .string(key.identityKey.fingerprint),
        "identity_public_key": .string(key.identityKey.base64),
        "public_key": .string(key.signingKey.base64),
        "own": .bool(isOwn),
        "retired": .bool(isRetired),
    ]
}
