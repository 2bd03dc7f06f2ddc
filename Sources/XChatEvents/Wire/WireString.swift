/// A string of the wire, compared as bytes.
///
/// Swift's `String` compares by Unicode equivalence: `é` equals `e` with a combining accent. Ids, versions and signed
/// texts must be compared byte by byte. So `==`, `<` and the hash of this type use the UTF-8 bytes.
public struct WireString: Sendable {
    /// The text, unchanged.
    public let string: String

    /// Wraps a text as it is.
    public init(_ string: String) {
        var string = string
        string.makeContiguousUTF8()
        self.string = string
    }

    /// The UTF-8 bytes.
    package var utf8: String.UTF8View { string.utf8 }

    /// Calls `body` with the UTF-8 bytes in one buffer, which is many times faster than iterating over ``utf8``.
    ///
    /// The initializer makes the bytes contiguous, so they are not copied here.
    func withContiguousBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        if let result = unsafe utf8.withContiguousStorageIfAvailable(body) { return result }
        return unsafe Array(utf8).withUnsafeBufferPointer(body)
    }

    /// Whether the text is empty.
    package var isEmpty: Bool { string.utf8.isEmpty }
}

extension WireString: Hashable, Comparable {
    /// Whether the bytes are the same.
    public static func == (left: Self, right: Self) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        return unsafe left.withContiguousBytes { leftBytes in
            unsafe right.withContiguousBytes { unsafe leftBytes.elementsEqual($0) }
        }
    }

    /// Whether the left text comes first in the lexicographic order of the bytes.
    public static func < (left: Self, right: Self) -> Bool {
        unsafe left.withContiguousBytes { leftBytes in
            unsafe right.withContiguousBytes { unsafe leftBytes.lexicographicallyPrecedes($0) }
        }
    }

    /// Feeds the bytes.
    public func hash(into hasher: inout Hasher) {
        unsafe withContiguousBytes { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(utf8.count)
    }
}

extension WireString: ExpressibleByStringLiteral, CustomStringConvertible {
    /// Wraps a literal.
    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// The text.
    public var description: String { string }
}

extension WireString {
    /// Whether the text is one or more ASCII digits and nothing else.
    package var isDigits: Bool {
        unsafe !isEmpty && withContiguousBytes { unsafe $0.allSatisfy(\.isDigit) }
    }

    /// Whether the text is a number of at most 19 digits, as X's ids and versions are.
    package var isShortNumber: Bool { utf8.count <= EventLimits.digits && isDigits }

    /// The text as an unsigned number.
    ///
    /// Accepts decimal digits, with leading zeros and with one `+` before them. Nil for any other text and for numbers
    /// of more than 64 bits.
    package var number: UInt64? { parsed() }

    /// The text as a signed number of 64 bits: like ``number``, with `-` allowed too.
    package var i64: Int64? { parsed() }

    /// The text as a signed number of 32 bits: like ``i64``, in that range.
    package var i32: Int32? { parsed() }

    private func parsed<Number: FixedWidthInteger>() -> Number? {
        // Swift accepts "-0" as an unsigned number; X's SDK does not.
        if !Number.isSigned, utf8.first == UInt8(ascii: "-") { return nil }
        return Number(string)
    }
}

extension UInt8 {
    /// Whether the byte is an ASCII digit.
    var isDigit: Bool { UInt8(ascii: "0") <= self && self <= UInt8(ascii: "9") }
}
