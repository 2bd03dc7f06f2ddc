/// The id of a user.
public struct UserID: Identifier, WireText {
    /// The text, as it is on the wire.
    public let text: WireString

    /// Wraps a text as it is, valid or not.
    public init(_ text: WireString) {
        self.text = text
    }
}

/// The server's number of an event in its conversation.
public struct SequenceID: Identifier, WireText {
    /// The text, as it is on the wire.
    public let text: WireString

    /// Wraps a text as it is, valid or not.
    public init(_ text: WireString) {
        self.text = text
    }
}

/// The version of a conversation key or of a user's public keys: decimal milliseconds where X's clients create it.
public struct KeyVersion: Identifier, WireText {
    /// The text, as it is on the wire.
    public let text: WireString

    /// Wraps a text as it is, valid or not.
    public init(_ text: WireString) {
        self.text = text
    }
}

extension Identifier {
    /// What a valid text is: a number of at most 19 digits.
    public static var rule: String { "1 to \(EventLimits.digits) ASCII digits" }

    /// Whether the text is a number of at most 19 digits.
    public var isValid: Bool { text.isShortNumber }
}

extension UserID {
    /// Whether the id comes before another one: the shorter first, then by bytes, which is the order of the numbers.
    package func isSmaller(than other: UserID) -> Bool {
        utf8.count == other.utf8.count ? self < other : utf8.count < other.utf8.count
    }
}
