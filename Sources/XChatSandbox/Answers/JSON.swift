import Foundation

/// A JSON value, for answers whose members are chosen by the request or by a switch.
enum JSON: Encodable, Hashable, Sendable {
    case string(String)
    case integer(Int64)
    case bool(Bool)
    case list([JSON])
    case object([String: JSON])

    /// An object of the members that are there.
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

    /// The object with the members that are asked for alone; everything when nothing is asked for.
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

    /// One line of text.
    func text() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

extension JSON: ExpressibleByStringLiteral {
    init(stringLiteral value: String) { self = .string(value) }
}

/// A date as the API writes it.
func dateText(milliseconds: Int64) -> JSON {
    let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    return .string(date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
}
