import Foundation
import LibSodium
import XChatHTTP

/// The id of a realm: 16 bytes.
package struct RealmID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package static let byteCount = 16
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) throws {
        guard bytes.count == Self.byteCount else { throw CBORError() }
        self.bytes = bytes
    }

    /// Reads hexadecimal digits in any case; dashes are ignored.
    package init?(_ text: String) {
        guard let bytes = Hexadecimal.decode(text.utf8.filter { $0 != UInt8(ascii: "-") }),
            bytes.count == Self.byteCount
        else { return nil }
        self.bytes = bytes
    }

    package var description: String { Hexadecimal.encode(bytes) }

    package static func < (left: Self, right: Self) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}

enum Hexadecimal {
    static func decode(_ digits: [UInt8]) -> [UInt8]? {
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    static func encode(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// A server that holds a share of a backup.
package struct Realm: Sendable {
    package let id: RealmID
    /// The URL of requests: the address of the realm joined with `req`.
    package let url: String
    package let host: String
    package let port: Int?
    package let scheme: String
    /// The key of a hardware realm, 32 bytes; nil for a software realm.
    package let publicKey: [UInt8]?
    /// The token in ASCII; nil if the configuration has none for this realm.
    package let token: Secret?
}

/// The realms and rules of a user's backup, as X serves them with one version of the user's public keys.
///
/// A backup is bound to one public key version: recover it with the configuration that X serves with that version.
public struct BackupConfiguration: Sendable, CustomStringConvertible {
    /// Ordered by id: a realm's position, counted from 1, is the index of its shares.
    package let realms: [Realm]
    package let registerThreshold: Int
    package let recoverThreshold: Int
    package let hashing: PINHashing
    /// The number of wrong PINs in a row that locks a new backup; nil if the configuration's number is not 1...255.
    public let guesses: Int?

    /// Reads a configuration.
    ///
    /// - Parameter json: The member `juicebox_config` of a public key, in any of its three forms: `sdk_config` and
    ///   `tokens`, `key_store_token_map_json` and `token_map`, or `token_map` alone. At most 256 KiB.
    /// - Throws: ``BackupError`` with `invalid_configuration`. The text names the member, never a token.
    public init(json: [UInt8]) throws(BackupError) {
        do {
            self = try Self.parse(json)
        } catch let error as BackupError {
            throw error
        } catch {
            throw BackupError(
                .invalidConfiguration,
                "the backup configuration is not the JSON that X documents; fetch the user's public keys again"
            )
        }
    }

    /// The number of realms and the thresholds, without tokens.
    public var description: String {
        "\(realms.count) realms, \(registerThreshold) to register, \(recoverThreshold) to recover"
    }

    /// The realms and their public keys, for pinning.
    public var pins: RealmPins {
        RealmPins(
            publicKeys: Dictionary(
                uniqueKeysWithValues: realms.map { ($0.id.description, $0.publicKey.map { Hexadecimal.encode($0) }) }
            )
        )
    }

    // MARK: Parsing

    private static func parse(_ json: [UInt8]) throws -> Self {
        guard json.count <= 256 << 10 else { throw invalid("is larger than 256 KiB") }
        let document = try JSONDecoder().decode(Document.self, from: Data(json))
        if let text = document.sdkConfig {
            guard let tokens = document.tokens else { throw invalid("has sdk_config, but no object tokens") }
            return try Self(text, tokens: tokens.compactMapValues(\.text), guesses: document.guesses ?? .number(20))
        }
        if let text = document.keyStore {
            let tokens = Dictionary(
                (document.tokenMap ?? []).map { ($0.key, $0.value.token) },
                uniquingKeysWith: { first, _ in first }
            )
            return try Self(text, tokens: tokens, guesses: document.guesses ?? .number(20))
        }
        guard let map = document.tokenMap else {
            throw invalid("has neither sdk_config nor key_store_token_map_json nor token_map")
        }
        let realms = try map.map { entry in
            guard let address = entry.value.address else { throw invalid("has a realm without an address") }
            return Inner.Realm(id: entry.key, address: address, publicKey: entry.value.publicKey)
        }
        let inner = Inner(
            realms: realms,
            registerThreshold: realms.count,
            recoverThreshold: realms.count / 2 + 1,
            hashing: PINHashing.standard2019.rawValue
        )
        let tokens = Dictionary(map.map { ($0.key, $0.value.token) }, uniquingKeysWith: { first, _ in first })
        return try Self(inner, tokens: tokens, guesses: document.guesses ?? .number(5))
    }

    private init(_ text: String, tokens: [String: String], guesses: JSONScalar) throws {
        try self.init(JSONDecoder().decode(Inner.self, from: Data(text.utf8)), tokens: tokens, guesses: guesses)
    }

    private init(_ inner: Inner, tokens: [String: String], guesses: JSONScalar) throws {
        let byRealm = Dictionary(
            tokens.compactMap { name, token in RealmID(name).map { ($0, token) } },
            uniquingKeysWith: { first, _ in first }
        )
        guard (1...255).contains(inner.realms.count) else { throw invalid("must have 1 to 255 realms") }
        realms = try inner.realms.map { realm in
            guard let id = RealmID(realm.id) else { throw invalid("has a realm id that is not 32 hexadecimal digits") }
            return try Realm(id: id, address: realm.address, publicKey: realm.publicKey, token: byRealm[id])
        }.sorted { $0.id < $1.id }
        guard Set(realms.map(\.id)).count == realms.count else { throw invalid("names a realm twice") }
        guard let hashing = PINHashing(rawValue: inner.hashing) else {
            throw invalid("has an unknown pin_hashing_mode")
        }
        self.hashing = hashing
        (registerThreshold, recoverThreshold) = (inner.registerThreshold, inner.recoverThreshold)
        guard recoverThreshold > realms.count / 2, recoverThreshold <= realms.count else {
            throw invalid("has a recover_threshold that is not a majority of its \(realms.count) realms")
        }
        guard registerThreshold >= recoverThreshold, registerThreshold <= realms.count else {
            throw invalid("has a register_threshold outside of \(recoverThreshold)...\(realms.count)")
        }
        if case .number(let number) = guesses, (1...255).contains(number) {
            self.guesses = number
        } else {
            self.guesses = nil
        }
    }
}

private func invalid(_ reason: String) -> BackupError {
    BackupError(.invalidConfiguration, "the backup configuration \(reason)")
}

/// The realms of a backup and their public keys.
///
/// Store them after the first backup or recovery and pass them to the next one. If the server then names other realms,
/// or omits the public key of one, the operation fails before anything is sent. Without pins, a server could name
/// realms that it controls, which can try all PINs of a backup that is stored there.
public struct RealmPins: Codable, Hashable, Sendable {
    /// The public keys in hexadecimal by realm id, nil for a software realm.
    public var publicKeys: [String: String?]

    /// Creates pins from stored public keys.
    ///
    /// - Parameter publicKeys: As in ``publicKeys``.
    public init(publicKeys: [String: String?]) {
        self.publicKeys = publicKeys
    }

    /// The differences from older pins, for a person who decides about them: each changed realm with its old and new
    /// public key.
    func changes(from old: RealmPins) -> String {
        func text(_ key: String??) -> String {
            switch key {
            case nil: "absent"
            case .some(nil): "without a public key"
            case .some(let key?): "public key \(key.prefix(64))"
            }
        }
        return Set(publicKeys.keys).union(old.publicKeys.keys).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            .filter { publicKeys[$0] != old.publicKeys[$0] }
            .map { "realm \($0.prefix(32)): was \(text(old.publicKeys[$0])), is \(text(publicKeys[$0]))" }
            .joined(separator: "; ")
    }
}

extension Realm {
    init(id: RealmID, address: String, publicKey: String?, token: String?) throws {
        guard let components = URLComponents(string: address), let host = components.host, !host.isEmpty,
            let scheme = components.scheme?.lowercased(), components.user == nil, components.password == nil,
            components.query == nil, components.fragment == nil, (1...65535).contains(components.port ?? 1)
        else { throw invalid("has an address of realm \(id) that is not a URL of scheme, host, port and path") }
        switch scheme {
        case "https": break
        case "http" where Loopback.contains(host): break
        case "http": throw invalid("has realm \(id) at plain http, which is allowed only for addresses of this machine")
        default: throw invalid("has an address of realm \(id) that is neither https nor http")
        }
        var target = components
        // As for the relative reference "req", the part after the last slash of the path is replaced.
        let path = components.percentEncodedPath.utf8
        let folder = path.lastIndex(of: UInt8(ascii: "/")).map { path[...$0] } ?? path[...]
        target.percentEncodedPath = (folder.isEmpty ? "/" : String(Substring(folder))) + "req"
        guard let url = target.string else { throw invalid("has an address of realm \(id) that is not a URL") }
        let key = publicKey.map { Hexadecimal.decode(Array($0.utf8)) }
        if let key, key?.count != 32 {
            throw invalid("has a public_key of realm \(id) that is not 64 hexadecimal digits")
        }
        if let token, !(1...8192).contains(token.utf8.count) || !token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            throw invalid("has a token of realm \(id) that is not 1 to 8192 visible ASCII characters")
        }
        self.id = id
        self.url = url
        self.host = host
        self.scheme = scheme
        port = components.port
        self.publicKey = key ?? nil
        self.token = try token.map { try Secret(copying: Array($0.utf8)) }
    }
}

private enum JSONScalar: Decodable {
    case number(Int)
    case text(String)
    case other

    var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else {
            self = .other
        }
    }
}

private struct Document: Decodable {
    struct Entry: Decodable {
        struct Value: Decodable {
            var address: String?
            var token: String
            var publicKey: String?

            enum CodingKeys: String, CodingKey {
                case address, token
                case publicKey = "public_key"
            }
        }
        var key: String
        var value: Value
    }

    var sdkConfig: String?
    var tokens: [String: JSONScalar]?
    var keyStore: String?
    var tokenMap: [Entry]?
    var guesses: JSONScalar?

    enum CodingKeys: String, CodingKey {
        case sdkConfig = "sdk_config"
        case tokens
        case keyStore = "key_store_token_map_json"
        case tokenMap = "token_map"
        case guesses = "max_guess_count"
    }
}

private struct Inner: Decodable {
    struct Realm: Decodable {
        var id: String
        var address: String
        var publicKey: String?

        enum CodingKeys: String, CodingKey {
            case id, address
            case publicKey = "public_key"
        }
    }

    var realms: [Realm]
    var registerThreshold: Int
    var recoverThreshold: Int
    var hashing: String

    enum CodingKeys: String, CodingKey {
        case realms
        case registerThreshold = "register_threshold"
        case recoverThreshold = "recover_threshold"
        case hashing = "pin_hashing_mode"
    }
}
