import XChatEvents

/// Finds the largest parts of a state, for the error about a state that is too large.
struct StateSize {
    private let root: JSONObject

    init(_ document: SessionDocument) {
        root = document.root
    }

    /// The largest member, and the largest entry of it if it is an object or a list.
    var largestPart: String? {
        guard let (name, value, size) = Self.largest(in: root) else { return nil }
        let part = "\(quoted(name.string)) with about \(size.formattedBytes)"
        switch value {
        case .object(let entries):
            guard let entry = Self.largest(in: entries) else { return part }
            return "\(part), and in it \(quoted(entry.name.string)) with about \(entry.size.formattedBytes)"
        case .array(let elements):
            return "\(part) in \(elements.count) entries"
        default:
            return part
        }
    }

    private static func largest(in object: JSONObject) -> (name: WireString, value: JSONValue, size: Int)? {
        let sizes = object.members.map { ($0.key, $0.value, size(of: $0.value)) }
        return sizes.max { $0.2 < $1.2 }
    }

    /// The number of bytes of a value as JSON, without whitespace and escapes.
    private static func size(of value: JSONValue) -> Int {
        switch value {
        case .null, .bool: 4
        case .number(let digits): digits.utf8.count
        case .string(let text): text.utf8.count + 2
        case .array(let elements): elements.reduce(2) { $0 + size(of: $1) + 1 }
        case .object(let object): object.members.reduce(2) { $0 + $1.key.utf8.count + 4 + size(of: $1.value) }
        }
    }
}

extension Int {
    /// A number of bytes; in MiB from 1 MiB on.
    fileprivate var formattedBytes: String {
        self < 1 << 20 ? "\(self) bytes" : "\(self >> 20) MiB"
    }
}
