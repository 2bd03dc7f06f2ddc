import Crypto

/// A bearer token: the text after `Authorization: Bearer`.
///
/// The text of a token cannot be read through the public API. Interpolating, dumping or logging a token shows
/// `<token>`.
public struct Token: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    /// Makes a token from its text.
    ///
    /// - Parameter text: 1 to 8192 visible ASCII characters. Remove surrounding white space, such as
    ///   the newline at the end of a file, first.
    /// - Throws: ``APIError`` with ``APIError/Code-swift.struct/invalidArgument`` for any other text: in
    ///   a header, a line break would start another header.
    public init(_ text: String) throws(APIError) {
        guard (1...8192).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw APIError(
                .invalidArgument,
                "the token must be 1 to 8192 visible ASCII characters; remove spaces and line breaks around it"
            )
        }
        self.text = text
    }

    /// Whether it has the form of the sandbox's tokens: `sandbox-` and the name of a user or of the app.
    package var isOfSandbox: Bool { text.utf8.starts(with: "sandbox-".utf8) }

    /// Always `<token>`.
    public var description: String { "<token>" }
    /// Always `<token>`.
    public var debugDescription: String { "<token>" }
    /// A mirror without children, so that `dump` has nothing to show.
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// The text itself, for code that stores or sends it.
    package var secretText: String { text }

    /// Whether two tokens have the same bytes.
    ///
    /// Not in constant time, so use it only if both tokens are our own: otherwise the time that it takes could reveal
    /// our token to someone who chooses the other one.
    package func isSame(as other: Token) -> Bool { text.utf8.elementsEqual(other.text.utf8) }

    /// Whether two tokens have the same bytes, in a time that does not depend on where they differ.
    func isSame(inConstantTimeAs other: Token) -> Bool {
        SHA256.hash(data: Array(text.utf8)) == SHA256.hash(data: Array(other.text.utf8))
    }

    /// The message with each occurrence of the token replaced, since a server may echo the token.
    ///
    /// Compares bytes: `String` would not find a token that is followed by a combining mark.
    func redacted(from message: String) -> String {
        String(decoding: Array(message.utf8).replacing(Array(text.utf8), with: Array(description.utf8)), as: UTF8.self)
    }
}
