/// A string of the wire, compared as bytes.
///
/// Swift's own `String` takes two spellings of one text for equal (`é` and `e` with an accent) and sees characters where
/// the protocol sees bytes. Ids, versions and everything that is signed must not be treated so: here `==`, `<` and the
/// hash are those of the UTF-8 bytes.
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
    public var utf8: String.UTF8View { string.utf8 }

    /// Whether there is no byte at all.
    public var isEmpty: Bool { string.utf8.isEmpty }
}

extension WireString: Hashable, Comparable {
    /// Whether the bytes are the same.
    public static func == (left: Self, right: Self) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        // The storage is contiguous since init; comparing it is several times as fast as comparing the views.
        let sameBytes = unsafe left.utf8.withContiguousStorageIfAvailable { leftBytes in
            unsafe right.utf8.withContiguousStorageIfAvailable { unsafe leftBytes.elementsEqual($0) }
        }
        return (sameBytes ?? nil) ?? left.utf8.elementsEqual(right.utf8)
    }

    /// Whether the bytes come before, as unsigned numbers from the left.
    public static func < (left: Self, right: Self) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// Feeds the bytes.
    public func hash(into hasher: inout Hasher) {
        let whole: Void? = unsafe utf8.withContiguousStorageIfAvailable { bytes in
            unsafe hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        }
        if whole == nil {
            for byte in utf8 { hasher.combine(byte) }
        }
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
    public var isDigits: Bool {
        !isEmpty && utf8.allSatisfy { $0.isDigit }
    }

    /// The text as an unsigned number.
    ///
    /// Decimal digits, leading zeros allowed, one `+` before them allowed; nil for anything else and beyond 64 bits.
    public var number: UInt64? { parsed() }

    /// The text as a signed number of 64 bits: as ``number``, with `-` allowed too.
    public var i64: Int64? { parsed() }

    /// The text as a signed number of 32 bits: as ``i64``, in that range.
    public var i32: Int32? { parsed() }

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

/// A user's id, decimal digits for a user of X.
public typealias UserID = WireString

/// The version of a conversation key or of a public key, decimal milliseconds where X's clients mint it.
public typealias KeyVersion = WireString
