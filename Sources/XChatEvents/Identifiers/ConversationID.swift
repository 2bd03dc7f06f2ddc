/// The id of a conversation in the form that is signed, and by which keys are kept.
///
/// Two users' ids joined by `:` for a conversation of two, `g` and digits for a group; whatever has another form is kept
/// as it is.
public struct ConversationID: Hashable, Sendable, CustomStringConvertible {
    /// The canonical text.
    public let value: WireString

    private init(value: WireString) {
        self.value = value
    }

    /// Brings an id into its canonical form; never fails.
    ///
    /// Two user ids joined by `:` or `-`, or the recipient's id alone, become the pair of both joined by `:`, the shorter
    /// first, then by bytes. Leading zeros count. Everything else is unchanged.
    ///
    /// - Parameters:
    ///   - id: the id in any of its forms.
    ///   - sender: the user on whose side the id stands, for an id that is a recipient's alone.
    public init(canonicalizing id: WireString, sender: UserID = "") {
        let separator = id.utf8.firstIndex { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "-") }
        if let separator {
            let first = WireString(String(id.string[..<separator]))
            let second = WireString(String(id.string[id.utf8.index(after: separator)...]))
            self = first.isDigits && second.isDigits ? .oneToOne(first, second) : Self(value: id)
        } else if id.isDigits && sender.isDigits {
            self = .oneToOne(id, sender)
        } else {
            self.init(value: id)
        }
    }

    /// The conversation of two users, in either order; a user with herself is one too.
    public static func oneToOne(_ one: UserID, _ other: UserID) -> Self {
        let inOrder = one.utf8.count == other.utf8.count ? one < other : one.utf8.count < other.utf8.count
        let (first, second) = inOrder ? (one, other) : (other, one)
        return Self(value: WireString("\(first):\(second)"))
    }

    /// The canonical text.
    public var description: String { value.string }

    /// The two users of a conversation of two, in canonical order; nil for any other.
    public var participants: (UserID, UserID)? {
        guard let colon = value.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let first = WireString(String(value.string[..<colon]))
        let second = WireString(String(value.string[value.utf8.index(after: colon)...]))
        return first.isDigits && second.isDigits ? (first, second) : nil
    }

    /// Whether it is a group's: `g` and digits.
    public var isGroup: Bool {
        value.utf8.first == UInt8(ascii: "g") && value.utf8.count > 1 && value.utf8.dropFirst().allSatisfy(\.isDigit)
    }

    /// The id as X's REST paths take it, or nil where it has none of the three forms that they take.
    ///
    /// These are `A-B`, a recipient's id alone, and `g` with digits, each of 1 to 19 digits.
    public var urlPathComponent: String? {
        if let (first, second) = participants {
            return first.isPathID && second.isPathID ? "\(first)-\(second)" : nil
        }
        if isGroup {
            return value.utf8.count <= 20 ? value.string : nil
        }
        return value.isPathID ? value.string : nil
    }
}

extension WireString {
    /// Whether X's REST paths take it as a user's id.
    fileprivate var isPathID: Bool { isDigits && utf8.count <= 19 }
}
