/// A string of the wire, compared as bytes.
///
/// Swift's own `String` takes two spellings of one text for equal (`é` and `e` with an accent) and sees characters
/// where the protocol sees bytes. Ids, versions and everything that is signed must not be treated so: here `==`, `<`
/// and the hash are those of the UTF-8 bytes.
public struct WireString: Sendable {
    /// The text, with nothing changed.
    public let string: String

    /// Wraps a text as it is.
    public init(_ string: String) {
        var string = string
        string.makeContiguousUTF8()
        self.string = string
    }

    /// The UTF-8 bytes.
    package var utf8: String.UTF8View { string.utf8 }

    /// Lends the bytes in one piece, which they are in since init; going through them there is many times as fast.
    func withContiguousBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        if let result = unsafe utf8.withContiguousStorageIfAvailable(body) { return result }
        return unsafe Array(utf8).withUnsafeBufferPointer(body)
    }

    /// Whether there is no byte at all.
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

    /// Whether the bytes come before, as unsigned numbers from the left.
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
    /// Decimal digits, leading zeros allowed, one `+` before them allowed; nil for anything else and beyond 64 bits.
    package var number: UInt64? { parsed() }

    /// The text as a signed number of 64 bits: as ``number``, with `-` allowed too.
    package var i64: Int64? { parsed() }

    /// The text as a signed number of 32 bits: as ``i64``, in that range.
    package var i32: Int32? { parsed() }

    private func parsed<Number: FixedWidthInteger>() -> Number? {
        // Swift's own conversion takes "-0" for an unsigned number; X's does not.
        if !Number.isSigned, utf8.first == UInt8(ascii: "-") { return nil }
        return Number(string)
    }
}

extension UInt8 {
    /// Whether the byte is an ASCII digit.
    var isDigit: Bool { UInt8(ascii: "0") <= self && self <= UInt8(ascii: "9") }
}
