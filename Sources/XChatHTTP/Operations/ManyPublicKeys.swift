public import XChatEngine
public import XChatEvents

/// A registered public key as the server lists it among those of several users: it does not say whose it is.
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
    /// The public keys of several users, each user's by name.
    ///
    /// The route for several users says of no key whose it is, so every user is asked for apart, a few at a time.
    /// - Parameter users: The users; one who is named twice is asked for once.
    /// - Returns: The keys of every user, an empty list where there are none. Neither bound nor trusted yet.
    /// - Throws: ``APIError``, the first one; also when the server does not know one of them.
    public func publicKeys(of users: [UserID]) async throws(APIError) -> [UserID: [RegisteredKey]] {
        var waiting = Array(Set(users))
        let results = await withTaskGroup(of: (UserID, Result<[RegisteredKey], APIError>).self) { group in
            func askNext() {
                guard let user = waiting.popLast() else { return }
                group.addTask {
                    do throws(APIError) {
                        return (user, .success(try await publicKeys(of: user)))
                    } catch {
                        return (user, .failure(error))
                    }
                }
            }
            for _ in 0..<Self.simultaneousUsers { askNext() }
            var results: [(UserID, Result<[RegisteredKey], APIError>)] = []
            while let result = await group.next() {
                results.append(result)
                if case .failure = result.1 {
                    waiting = []
                    group.cancelAll()
                }
                askNext()
            }
            return results
        }
        var keys: [UserID: [RegisteredKey]] = [:]
        for (user, result) in results { keys[user] = try result.get() }
        return keys
    }

    /// The public keys of several users in one answer, which does not say whose each one is.
    ///
    /// For whoever knows the keys and looks for a change; ``publicKeys(of:)-([UserID])`` tells whose they are.
    /// - Parameter users: 1 to 100 users.
    /// - Returns: One entry per registered version of any of them.
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

/// X's descriptions disagree on whether `data` of this route is a list or one object.
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
