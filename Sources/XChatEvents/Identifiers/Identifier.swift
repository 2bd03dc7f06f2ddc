/// An id or a version of the protocol.
///
/// Each kind has its own type, so that the compiler rejects a mix-up.
///
/// An identifier wraps the text exactly as it is on the wire and compares the UTF-8 bytes. The text may be invalid:
/// check input from outside with ``init(validating:)`` or ``isValid``.
public protocol Identifier: Hashable, Comparable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The rule for a valid text, as the end of a sentence: "1 to 19 ASCII digits".
    static var rule: String { get }

    /// The text, as it is on the wire.
    var text: WireString { get }

    /// Whether the text obeys ``rule``.
    var isValid: Bool { get }

    /// Wraps a text as it is, valid or not.
    init(_ text: WireString)
}

extension Identifier {
    /// Wraps a text as it is, valid or not.
    public init(_ string: String) {
        self.init(WireString(string))
    }

    /// Wraps a literal.
    public init(stringLiteral value: String) {
        self.init(WireString(value))
    }

    /// Wraps a text that obeys ``rule``; nil for any other.
    public init?(validating string: String) {
        self.init(string)
        guard isValid else { return nil }
    }

    /// The text.
    public var string: String { text.string }

    /// The text.
    public var description: String { text.string }

    /// Whether the left text comes first in the lexicographic order of the bytes.
    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

/// A text of the wire: a ``WireString``, or an id that wraps one.
///
/// Functions that accept both take this type.
package protocol WireText {
    var text: WireString { get }
}

extension WireText {
    /// The UTF-8 bytes.
    package var utf8: String.UTF8View { text.string.utf8 }

    /// Whether the text is empty.
    package var isEmpty: Bool { text.string.utf8.isEmpty }

    /// Whether the text is one or more ASCII digits and nothing else.
    package var isDigits: Bool { text.isDigits }

    /// The text as an unsigned number: ``WireString/number``.
    package var number: UInt64? { text.number }

    /// The text as a signed number: ``WireString/i64``.
    package var i64: Int64? { text.i64 }
}

extension WireString: WireText {
    package var text: WireString { self }
}
