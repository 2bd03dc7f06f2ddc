/// An id or a version of the protocol, with a type of its own, so that one cannot be taken for another.
///
/// It wraps the text as the wire has it, and compares its UTF-8 bytes. Not every text is valid: one that comes from
/// elsewhere is checked where it enters, by ``init(validating:)`` or ``isValid``.
public protocol Identifier: Hashable, Comparable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// What a valid text is, as the end of a sentence: "1 to 19 ASCII digits".
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

    /// Whether the bytes come before, as unsigned numbers from the left.
    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

/// A text of the wire: a ``WireString``, or an id that wraps one.
///
/// For what is the same for all of them, such as showing or signing.
package protocol WireText {
    var text: WireString { get }
}

extension WireText {
    /// The UTF-8 bytes.
    package var utf8: String.UTF8View { text.string.utf8 }

    /// Whether there is no byte at all.
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
