/// A bearer token, as it stands after `Authorization: Bearer`.
///
/// It has no readable member: interpolating, dumping or logging it shows `<token>`.
public struct Token: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    /// Takes a token from its text.
    ///
    /// - Parameter text: 1 to 8192 visible ASCII characters. White space around it, such as the newline at the end of
    ///   a file, is the caller's to remove.
    /// - Throws: ``APIError`` with ``APIError/Code-swift.struct/invalidArgument`` when the text could not stand in a
    ///   header, where a line break would start a header of its own.
    public init(_ text: String) throws(APIError) {
        guard (1...8192).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw APIError(.invalidArgument, "the token must be 1 to 8192 visible ASCII characters")
        }
        self.text = text
    }

    /// Always `<token>`.
    public var description: String { "<token>" }
    /// Always `<token>`.
    public var debugDescription: String { "<token>" }
    /// A mirror without children, so that `dump` has nothing to show.
    public var customMirror: Mirror { Mirror(self, children: []) }

    var headerValue: String { "Bearer \(text)" }

    /// Compares the bytes of two tokens of one's own.
    func isSame(as other: Token) -> Bool { text.utf8.elementsEqual(other.text.utf8) }

    /// The text without any occurrence of the token: a server may echo what it was sent.
    ///
    /// Bytes are compared: to a string, a token before a combining mark is not the token.
    func redacted(from message: String) -> String {
        String(decoding: Array(message.utf8).replacing(Array(text.utf8), with: Array(description.utf8)), as: UTF8.self)
    }
}
