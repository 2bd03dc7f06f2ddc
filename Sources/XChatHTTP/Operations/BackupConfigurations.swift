package import XChatEngine
package import XChatEvents

import struct Foundation.Data

/// A registered key of the token's user, with the configuration of the backup of its private key.
package struct BackedUpKey: Sendable {
    /// The key; not verified.
    package let key: RegisteredKey
    /// The member `juicebox_config` as JSON, which is secret because it holds tokens of the realms.
    ///
    /// Nil if the server has none for this version.
    package let configuration: [UInt8]?
}

extension ChatClient {
    /// The registered keys of the user of the token, with the configurations of their backups.
    ///
    /// - Parameter user: The user of the token.
    /// - Returns: One entry per registered version that has a signing key.
    /// - Throws: ``APIError``.
    package func backedUpKeys(of user: UserID) async throws(APIError) -> [BackedUpKey] {
        try await perform(.backedUpKeys(of: user, limit: limits.answerBytes))
    }
}

extension Call<[BackedUpKey]> {
    /// The call `GET /2/users/{id}/public_keys`, with the configurations of the backups.
    static func backedUpKeys(of user: UserID, limit: Int) throws(APIError) -> Self {
        Call(
            request: APIRequest(
                method: .get,
                route: "/2/users/{id}/public_keys",
                path: "/2/users/\(try user.userIDPathComponent())/public_keys",
                query: [("public_key.fields", PublicKeyEntry.fields + ",juicebox_config")]
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            var keys: [BackedUpKey] = []
            for (index, entry) in try answer.wholeList(as: BoundedList<BackedUpEntry>.self).enumerated() {
                let version: KeyVersion? = try answer.number(
                    ifPresent: entry.key.version,
                    "data[\(index)].public_key_version"
                )
                guard let key = entry.key.registeredKey(of: user, version: version) else { continue }
                let configuration = entry.configuration.flatMap { try? JSONCoding.encoder.encode($0) }
                keys.append(BackedUpKey(key: key, configuration: configuration.map(Array.init)))
            }
            return keys
        }
    }
}

private struct BackedUpEntry: Decodable {
    let key: PublicKeyEntry
    let configuration: PassedOn?

    private enum CodingKeys: String, CodingKey {
        case configuration = "juicebox_config"
    }

    init(from decoder: any Decoder) throws {
        key = try PublicKeyEntry(from: decoder)
        configuration = try decoder.container(keyedBy: CodingKeys.self)
            .decodeIfPresent(PassedOn.self, forKey: .configuration)
    }
}

/// JSON that is passed on unchecked.
private enum PassedOn: Codable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case list([PassedOn])
    case object([String: PassedOn])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([PassedOn].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: PassedOn].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}
