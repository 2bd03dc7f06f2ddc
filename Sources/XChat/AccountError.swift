import XChatEngine
public import XChatEvents

/// Why an account, or the state behind it, refused: a stable code to match on, and a sentence for people.
///
/// The message names the value, the rule and the next step. It never holds a secret, and input bytes only escaped.
public struct AccountError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The word itself, for example `wrong_passphrase`.
        public let rawValue: String

        /// Takes any word; the ones this library throws are the static members.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// A file or document that is not of its form.
        public static let malformed = Self(rawValue: "malformed")
        /// The system refused to read or write a file.
        public static let file = Self(rawValue: "file")
        /// There is no account at the place.
        public static let notFound = Self(rawValue: "not_found")
        /// There is an account, or a file, at the place already.
        public static let exists = Self(rawValue: "exists")
        /// The passphrase is wrong, or the account file is damaged.
        public static let wrongPassphrase = Self(rawValue: "wrong_passphrase")
        /// Larger than the limit that the message names.
        public static let tooLarge = Self(rawValue: "too_large")
        /// Another process changed the same state in another way.
        public static let conflict = Self(rawValue: "conflict")
        /// The account has no keys that the server knows.
        public static let notRegistered = Self(rawValue: "not_registered")
        /// The server answered what it cannot mean, or does not have what was asked for.
        public static let server = Self(rawValue: "server")
        /// An argument that no call of this kind can take.
        public static let invalidArgument = Self(rawValue: "invalid_argument")
    }

    /// What to match on.
    public let code: Code
    /// What happened and where, in one sentence.
    public let message: String
    /// The user whose keys the error is about.
    public var user: UserID?
    /// The conversation that the error is about.
    public var conversation: ConversationID?

    /// An error of the given code.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package init(_ message: String) {
        self.init(.malformed, message)
    }

    /// An error of the engine, with the user or the conversation that it is about; the code stays the same.
    package init(_ error: XChatError, user: UserID? = nil, conversation: ConversationID? = nil) {
        self.init(Code(rawValue: error.code.rawValue), error.message)
        self.user = user
        self.conversation = conversation
    }

    /// The message.
    public var description: String { message }
}
