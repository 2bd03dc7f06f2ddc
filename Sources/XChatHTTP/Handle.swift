import XChatEvents

/// The handle of a user, as in `@bob`: 1 to 15 ASCII letters, digits and underscores.
///
/// Handles are compared without regard to ASCII case. Letters of other scripts are refused: some look like ASCII
/// letters, and a reader could take the handle for that of another user.
public struct Handle: Hashable, Sendable, CustomStringConvertible {
    /// The handle without `@`, in its original spelling.
    public let text: String
    /// The handle without `@`, in lower case: the same for equal handles.
    public let lowercased: String

    /// Makes a handle from a text with or without `@`.
    ///
    /// - Parameter text: The handle, such as `bob` or `@bob`.
    /// - Throws: ``APIError`` with `invalid_argument` for an invalid handle; it names the first invalid character or
    ///   the length.
    public init(_ text: String) throws(APIError) {
        let name = text.utf8.first == UInt8(ascii: "@") ? String(text.unicodeScalars.dropFirst()) : text
        if let wrong = name.unicodeScalars.first(where: { !Self.allows($0) }) {
            let code = String(wrong.value, radix: 16, uppercase: true)
            let padding = String(repeating: "0", count: max(0, 4 - code.utf8.count))
            throw APIError(
                .invalidArgument,
                "the handle \(printable(WireString(text))) has the character U+\(padding)\(code); a handle has only the "
                    + "letters A to Z, digits and underscores"
            )
        }
        guard (1...Self.maximumBytes).contains(name.utf8.count) else {
            throw APIError(
                .invalidArgument,
                "the handle \(printable(WireString(text))) has \(name.utf8.count) characters; a handle has 1 to 15"
            )
        }
        self.init(valid: name)
    }

    /// Makes a handle from a text without `@`; nil if the text is not a valid handle.
    init?(ifValid name: String) {
        guard (1...Self.maximumBytes).contains(name.utf8.count), name.unicodeScalars.allSatisfy(Self.allows) else {
            return nil
        }
        self.init(valid: name)
    }

    private init(valid name: String) {
        text = name
        lowercased = String(
            decoding: name.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 },
            as: UTF8.self
        )
    }

    private static let maximumBytes = 15

    private static func allows(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A: true
        default: false
        }
    }

    /// The handle with `@`.
    public var description: String { "@\(text)" }

    /// Whether two handles are the same without regard to ASCII case.
    public static func == (left: Handle, right: Handle) -> Bool {
        left.lowercased.utf8.elementsEqual(right.lowercased.utf8)
    }

    /// Feeds the handle in lower case into a hasher.
    public func hash(into hasher: inout Hasher) { hasher.combine(lowercased) }
}
