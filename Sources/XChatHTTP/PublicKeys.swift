import XChat
import XChatEvents

extension Call<[RegisteredKey]> {
    /// The call `GET /2/users/{id}/public_keys`.
    static func publicKeys(of user: UserID, limit: Int) throws(APIError) -> Self {
        Call(
            request: APIRequest(
                method: .get,
                route: "/2/users/{id}/public_keys",
                path: "/2/users/\(try user.userIDPathComponent())/public_keys",
                query: [("public_key.fields", PublicKeyEntry.fields)]
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            let entries = try answer.list(of: PublicKeyEntry.self, meta: NoMeta.self).elements
            return entries.compactMap { $0.registeredKey(of: user) }
        }
    }
}

extension Call<KeyVersion> {
    /// The call `POST /2/users/{id}/public_keys`.
    static func register(_ registration: Registration, user: UserID, limit: Int) throws(APIError) -> Self {
        Call(
            request: APIRequest(
                method: .post,
                route: "/2/users/{id}/public_keys",
                path: "/2/users/\(try user.userIDPathComponent())/public_keys",
                body: try registration.json(),
                isRepeatable: false
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            let version = WireString(try answer.data(RegistrationAnswer.self).publicKeyVersion)
            guard version.isDigits else {
                throw APIError(.malformedResponse, "data.public_key_version is not a number")
            }
            return version
        }
    }
}

struct PublicKeyEntry: Decodable {
    let identityKey: String?
    let version: String?
    let signingKey: String?
    let signatureOfIdentityKey: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case identityKey = "public_key"
        case version = "public_key_version"
        case signingKey = "signing_public_key"
        case signatureOfIdentityKey = "identity_public_key_signature"
    }

    /// What is asked for: the rest of an entry is the key backup's.
    static let fields = CodingKeys.allCases.map(\.rawValue).joined(separator: ",")

    /// The API names the identity key `public_key`; X's SDK calls the signing key so.
    ///
    /// Nil for a version registered without a signing key, which nothing can be verified under. No entry says whose it
    /// is.
    func registeredKey(of user: UserID) -> RegisteredKey? {
        guard let identityKey, let version, let signingKey, let signatureOfIdentityKey else { return nil }
        return RegisteredKey(
            userID: user,
            publicKeyVersion: WireString(version),
            publicKey: WireString(signingKey),
            identityPublicKey: WireString(identityKey),
            identityPublicKeySignature: WireString(signatureOfIdentityKey)
        )
    }
}

private struct RegistrationAnswer: Decodable {
    let publicKeyVersion: String

    enum CodingKeys: String, CodingKey {
        case publicKeyVersion = "public_key_version"
    }
}
