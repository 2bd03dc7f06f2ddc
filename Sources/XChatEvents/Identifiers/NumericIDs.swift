/// The id of a user.
public struct UserID: Identifier, WireText {
    /// The text, as it is on the wire.
    public let text: WireString

    /// Wraps a text as it is, valid or not.
    public init(_ text: WireString) {
        self.text = text
    }
}

/// The number that the server gives to an event in its conversation; it is not signed.
public struct SequenceID: Identifier, WireText {
    /// The text, as it is on the wire.
    public let text: WireString

    /// Wraps a text as it is, valid or not.
    public init(_ text: WireString) {
        self.text = text
    }
}

/// The version of a conversation key or of a user's public keys; X's clients use milliseconds since 1970, in decimal.
public struct KeyVersion: Identifier, WireText {
    /// The text, as it is on the wire.
    public let text: WireString

    /// Wraps a text as it is, valid or not.
    public init(_ text: WireString) {
        self.text = text
    }
}

extension Identifier {
    /// The rule for a valid text: a number of at most 19 digits.
    public static var rule: String { "1 to \(EventLimits.digits) ASCII digits" }

    /// Whether the text is a number of at most 19 digits.
    public var isValid: Bool { text.isShortNumber }
}

extension UserID {
    /// Whether the id comes before another one in the order of the numbers: by length, then by bytes.
    package func isSmaller(than other: UserID) -> Bool {
        utf8.count == other.utf8.count ? self < other : utf8.count < other.utf8.count
    }
}
