public import XChatEngine
public import XChatEvents

/// A registered public key in a list of keys of several users, which does not say whose it is.
public struct ServedPublicKey: Hashable, Sendable {
    /// The identity key, base64 of its SPKI.
    public let identityPublicKey: WireString?
    /// The signing key, base64 of its SPKI; nil for a version registered without one.
    public let signingPublicKey: WireString?
    /// The signature that binds the two.
    public let identityPublicKeySignature: WireString?
    /// The version; compare it as a number.
    public let publicKeyVersion: WireString?
}

extension ChatClient {
    /// The public keys of several users.
    ///
    /// Sends one request for each user, at most 8 at a time: the route for several users does not say whose each key is.
    ///
    /// - Parameter users: The users. A repeated user is requested once.
    /// - Returns: The keys of each user; an empty list if the user has none. They are neither checked nor trusted yet.
    /// - Throws: The first ``APIError``, also if the server does not know one of the users.
    public func publicKeys(of users: [UserID]) async throws(APIError) -> [UserID: [RegisteredKey]] {
        let users = Array(Set(users))
        let keys = try await concurrentMap(users, atATime: Self.simultaneousUsers) { (user) throws(APIError) in
            try await publicKeys(of: user)
        }
        return Dictionary(uniqueKeysWithValues: zip(users, keys))
    }

    /// The public keys of several users in one response, which does not say whose each key is.
    ///
    /// To see whether known keys have changed. ``publicKeys(of:)-([UserID])`` returns the keys by user.
    ///
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
            throw APIError(.invalidArgument, "the keys of 1 to 100 users are served at once")
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
            let entries = try answer.dataIfAny(OneOrMany<PublicKeyEntry>.self)?.elements ?? []
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

/// One or many elements: X's documents differ on whether `data` of this route is a list or one object.
private struct OneOrMany<Element: Decodable>: Decodable {
    let elements: [Element]

    init(from decoder: any Decoder) throws {
        if let one = try? Element(from: decoder) {
            elements = [one]
        } else {
            elements = try [Element](from: decoder)
        }
    }
}
