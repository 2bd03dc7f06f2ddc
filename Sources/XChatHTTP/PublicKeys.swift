import XChatEngine
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
            var keys: [RegisteredKey] = []
            var versions: [KeyVersion: RegisteredKey] = [:]
            let entries = try answer.wholeList(as: BoundedList<PublicKeyEntry>.self)
            for (index, entry) in entries.enumerated() {
                let version: KeyVersion? = try answer.number(
                    ifPresent: entry.version,
                    "data[\(index)].public_key_version"
                )
                guard let key = entry.registeredKey(of: user, version: version) else { continue }
                guard versions.updateValue(key, forKey: key.publicKeyVersion) ?? key == key else {
                    throw APIError(
                        .malformedResponse,
                        "data[\(index)] repeats the version of an earlier entry with another key"
                    )
                }
                keys.append(key)
            }
            return keys
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
            try answer.number(answer.data(RegistrationAnswer.self).publicKeyVersion, "data.public_key_version")
        }
    }
}

struct PublicKeyEntry: Decodable {
    let identityKey: String?
    let version: String?
    let signingKey: String?
    let signatureOfIdentityKey: String?
    /// The signature of the identity key over the signing key.
    ///
    /// X does not document this signature; other servers may send it.
    let signatureOfSigningKey: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case identityKey = "public_key"
        case version = "public_key_version"
        case signingKey = "signing_public_key"
        case signatureOfIdentityKey = "identity_public_key_signature"
        case signatureOfSigningKey = "signing_public_key_signature"
    }

    /// The fields to request: those that X documents, except those of the key backup.
    static let fields = CodingKeys.allCases.filter { $0 != .signatureOfSigningKey }.map(\.rawValue)
        .joined(separator: ",")

    /// The entry as a registered key of a user; the entry itself does not name its owner.
    ///
    /// The API calls the identity key `public_key`; X's SDK uses that name for the signing key. Nil for a version that
    /// is registered without a signing key: it cannot verify a signature.
    func registeredKey(of user: UserID, version: KeyVersion?) -> RegisteredKey? {
        guard let identityKey, let version, let signingKey, let signatureOfIdentityKey else { return nil }
        return RegisteredKey(
            userID: user,
            publicKeyVersion: version,
            publicKey: WireString(signingKey),
            identityPublicKey: WireString(identityKey),
            identityPublicKeySignature: WireString(signatureOfIdentityKey),
            signingPublicKeySignature: signatureOfSigningKey.map { WireString($0) }
        )
    }
}

private struct RegistrationAnswer: Decodable {
    let publicKeyVersion: String

    enum CodingKeys: String, CodingKey {
        case publicKeyVersion = "public_key_version"
    }
}
