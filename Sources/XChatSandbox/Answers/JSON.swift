import Foundation

/// A JSON value, for answers whose members depend on the request or on ``SandboxFaults``.
enum JSON: Encodable, Hashable, Sendable {
    case string(String)
    case integer(Int64)
    case bool(Bool)
    case list([JSON])
    case object([String: JSON])

    /// Makes an object of the members that are not nil.
    static func members(_ members: KeyValuePairs<String, JSON?>) -> JSON {
        .object(
            Dictionary(
                members.compactMap { name, value in value.map { (name, $0) } },
                uniquingKeysWith: { first, _ in first }
            )
        )
    }

    static func strings(_ strings: some Sequence<String>) -> JSON {
        .list(strings.map(JSON.string))
    }

    /// The object with only the members in `fields`; unchanged if `fields` is nil.
    func only(_ fields: Set<String>?) -> JSON {
        guard let fields, case .object(let members) = self else { return self }
        return .object(members.filter { fields.contains($0.key) })
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .string(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .bool(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// The value as one line of text.
    func text() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

extension JSON: ExpressibleByStringLiteral {
    init(stringLiteral value: String) { self = .string(value) }
}

/// A date in the format of the API.
func dateText(milliseconds: Int64) -> JSON {
    let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    return .string(date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
}
