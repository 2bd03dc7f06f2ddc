public import XChatEngine
public import XChatEvents

/// A registered public key from a list of the keys of several users; the server does not name its owner.
public struct ServedPublicKey: Hashable, Sendable {
    /// The identity key, base64 of its SPKI.
    public let identityPublicKey: WireString?
    /// The signing key, base64 of its SPKI; nil for a version registered without one.
    public let signingPublicKey: WireString?
    /// The binding signature: the signature of the signing key over the identity key.
    public let identityPublicKeySignature: WireString?
    /// The version, to be compared as a number.
    public let publicKeyVersion: KeyVersion?
}

extension ChatClient {
    /// Fetches the public keys of several users.
    ///
    /// The route for several users does not name the owner of a key, so this method makes one call per user, eight at a
    /// time.
    /// - Parameter users: The users; duplicates are ignored.
    /// - Returns: The keys of each user; the list may be empty. Neither verified nor trusted yet.
    /// - Throws: The first ``APIError``; also if the server does not know one of the users.
    public func publicKeys(of users: [UserID]) async throws(APIError) -> [UserID: [RegisteredKey]] {
        let users = Array(Set(users))
        let keys = try await concurrentMap(users, atATime: Self.simultaneousUsers) { (user) throws(APIError) in
            try await publicKeys(of: user)
        }
        return Dictionary(uniqueKeysWithValues: zip(users, keys))
    }

    /// Fetches the public keys of several users in one answer, which does not name their owners.
    ///
    /// Use this method to find out whether known keys changed. Use ``publicKeys(of:)-([UserID])`` to get the owners
    /// too.
    /// - Parameter users: 1 to 100 users.
    /// - Returns: One entry for each registered version of each user.
    /// - Throws: ``APIError``.
    public func unattributedPublicKeys(ofAnyOf users: [UserID]) async throws(APIError) -> [ServedPublicKey] {
        try await perform(.publicKeys(ofAnyOf: users, limit: limits.answerBytes))
    }

    private static let simultaneousUsers = 8
}

extension Call<[ServedPublicKey]> {
    /// The call `GET /2/users/public_keys`.
    static func publicKeys(ofAnyOf users: [UserID], limit: Int) throws(APIError) -> Self {
        guard (1...100).contains(users.count) else {
            throw APIError(.invalidArgument, "one call returns the keys of 1 to 100 users, not of \(users.count)")
        }
        let ids = try users.map { (user) throws(APIError) in try user.userIDPathComponent() }
        return Call(
            request: APIRequest(
                method: .get,
                route: "/2/users/public_keys",
                path: "/2/users/public_keys",
                query: [("ids", ids.joined(separator: ",")), ("public_key.fields", PublicKeyEntry.fields)]
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            let entries = try answer.wholeList(as: OneOrMany<PublicKeyEntry>.self)
            var keys: [ServedPublicKey] = []
            for (index, entry) in entries.enumerated() {
                let key = ServedPublicKey(
                    identityPublicKey: entry.identityKey.map { WireString($0) },
                    signingPublicKey: entry.signingKey.map { WireString($0) },
                    identityPublicKeySignature: entry.signatureOfIdentityKey.map { WireString($0) },
                    publicKeyVersion: try answer.number(
                        ifPresent: entry.version,
                        "data[\(index)].public_key_version"
                    )
                )
                keys.append(key)
            }
            return keys
        }
    }
}

/// X's two specifications disagree on whether `data` of this route is a list or one object.
private struct OneOrMany<Element: Decodable>: ElementList {
    let elements: [Element]

    init(from decoder: any Decoder) throws {
        if let one = try? Element(from: decoder) {
            elements = [one]
        } else {
            elements = try BoundedList<Element>(from: decoder).elements
        }
    }
}
