import XChatEvents

/// Names and values in the format `application/x-www-form-urlencoded`, from a query or from the body of a POST.
struct Form: Sendable {
    static let type = "application/x-www-form-urlencoded"
    /// The largest form in bytes.
    static let maximumBytes = 16 << 10
    private static let maximumFields = 64

    private var values: [WireString: WireString] = [:]
    private var repeated: Set<WireString> = []

    /// Reads a form; nil if it is too large or malformed, or is not UTF-8.
    init?(_ bytes: some Collection<UInt8>) {
        let fields = bytes.split(separator: UInt8(ascii: "&"))
        guard bytes.count <= Self.maximumBytes, fields.count <= Self.maximumFields else { return nil }
        for field in fields {
            let pair = field.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(pair[0]),
                let value = Self.decoded(pair.count == 2 ? pair[1] : pair[0].prefix(0))
            else { return nil }
            if values.updateValue(value, forKey: name) != nil { repeated.insert(name) }
        }
    }

    /// The value of a field.
    ///
    /// An empty value counts as absent, and a repeated field is an error: RFC 6749, 3.1 and 3.2.
    func value(_ name: WireString) throws(OAuthError) -> WireString? {
        guard !repeated.contains(name) else { throw .invalidRequest("\(name) occurs more than once") }
        return values[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    func required(_ name: WireString) throws(OAuthError) -> WireString {
        guard let value = try value(name) else { throw .invalidRequest("\(name) is missing") }
        return value
    }

    /// Decodes the escapes of a text; nil if an escape is malformed or the result is not UTF-8.
    static func decoded(_ text: some Collection<UInt8>) -> WireString? {
        var bytes: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self).map { WireString($0) }
    }

    /// Escapes a value for a query: all bytes except the unreserved characters of RFC 3986.
    static func encoded(_ text: WireString) -> String {
        text.utf8.map { byte in
            byte.isUnreserved
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}

extension UInt8 {
    /// Whether the byte is a letter, a digit, `-`, `.`, `_` or `~`.
    var isUnreserved: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
        default: false
        }
    }
}
