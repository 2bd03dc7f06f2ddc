/// The id of a conversation in its canonical form: signatures cover this form, and keys are stored under it.
///
/// The id of a conversation of two users is their ids joined by `:`, the shorter one first, ids of equal length in the
/// order of their bytes. The id of a group is `g` followed by digits. Any other text is a valid value too and is kept
/// as it is.
public struct ConversationID: Hashable, Sendable, CustomStringConvertible, WireText {
    /// The canonical text.
    public let text: WireString
    /// The offset of the `:` in bytes; nil unless the conversation has two users.
    private let colon: Int?

    private init(text: WireString, colon: Int? = nil) {
        self.text = text
        self.colon = colon
    }

    /// Brings an id into its canonical form; never fails.
    ///
    /// See `docs/protocol.md`, "Conversation ids".
    ///
    /// Two user ids joined by `:` or `-`, or the recipient's id alone, become both users' ids joined by `:`. The
    /// shorter id comes first; ids of equal length are ordered by their bytes. Leading zeros are kept. Any other text
    /// is unchanged.
    ///
    /// - Parameters:
    ///   - id: the id in any of its forms.
    ///   - sender: the other participant; used only if `id` is the recipient's user id alone.
    public init(canonicalizing id: WireString, sender: UserID = "") {
        if let pair = Pair(id) {
            // Most ids are canonical already and need no copy.
            self = pair.isCanonical ? Self(text: id, colon: pair.separator) : .oneToOne(pair.first, pair.second)
        } else if id.isDigits && sender.isDigits {
            self = .oneToOne(UserID(id), sender)
        } else {
            self.init(text: id)
        }
    }

    /// The conversation of two users, given in either order; both may be the same user.
    public static func oneToOne(_ one: UserID, _ other: UserID) -> Self {
        let (first, second) = one.isSmaller(than: other) ? (one, other) : (other, one)
        let text = WireString("\(first):\(second)")
        return Self(text: text, colon: first.isDigits && second.isDigits ? first.utf8.count : nil)
    }

    /// The canonical text.
    public var string: String { text.string }

    /// The canonical text.
    public var description: String { text.string }

    /// Whether the canonical texts are the same bytes.
    public static func == (left: Self, right: Self) -> Bool { left.text == right.text }

    /// Feeds the canonical text.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(text)
    }

    /// The two users of a conversation of two, in canonical order; nil for any other conversation.
    public var participants: (UserID, UserID)? {
        colon.map { text.users(around: $0) }
    }

    /// Whether a user is one of the two users of a conversation of two; nil for any other conversation.
    package func isOneOfTwo(_ user: UserID) -> Bool? {
        guard let colon else { return nil }
        return unsafe text.withContiguousBytes { pair in
            unsafe user.text.withContiguousBytes { user in
                unsafe user.elementsEqual(pair[..<colon]) || user.elementsEqual(pair[(colon + 1)...])
            }
        }
    }

    /// Whether this is the id of a group: `g` and 1 to 19 digits.
    public var isGroup: Bool { text.isGroupID }

    /// The id as a component of X's REST paths; nil if the paths do not accept its form.
    ///
    /// The paths accept `A-B`, a recipient's id alone, and `g` with digits; each number has 1 to 19 digits.
    public var urlPathComponent: String? {
        if let (first, second) = participants {
            return first.isValid && second.isValid ? "\(first)-\(second)" : nil
        }
        return isGroup || UserID(text).isValid ? text.string : nil
    }
}

/// A text of two runs of digits with `:` or `-` between them.
private struct Pair {
    private let text: WireString
    /// The offset of the `:` or `-`, in bytes.
    let separator: Int
    /// Whether the separator is `:` and the ids are in canonical order: the shorter first, then by bytes.
    let isCanonical: Bool

    init?(_ text: WireString) {
        let found: (Int, Bool)? = unsafe text.withContiguousBytes { bytes in
            let separator = unsafe bytes.firstIndex { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "-") }
            guard let separator else { return nil }
            let (one, other) = unsafe (bytes[..<separator], bytes[(separator + 1)...])
            guard unsafe !one.isEmpty, unsafe !other.isEmpty, unsafe one.allSatisfy(\.isDigit),
                unsafe other.allSatisfy(\.isDigit)
            else { return nil }
            let inOrder =
                unsafe one.count == other.count
                ? !other.lexicographicallyPrecedes(one) : one.count < other.count
            return unsafe (separator, inOrder && bytes[separator] == UInt8(ascii: ":"))
        }
        guard let found else { return nil }
        self.text = text
        (separator, isCanonical) = found
    }

    var first: UserID { text.users(around: separator).0 }
    var second: UserID { text.users(around: separator).1 }
}

extension WireString {
    /// The ids before and after one byte.
    fileprivate func users(around offset: Int) -> (UserID, UserID) {
        let index = utf8.index(utf8.startIndex, offsetBy: offset)
        return (UserID(String(string[..<index])), UserID(String(string[utf8.index(after: index)...])))
    }
}
