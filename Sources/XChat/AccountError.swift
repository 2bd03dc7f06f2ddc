import XChatEngine
public import XChatEvents
public import XChatHTTP

/// Why an account, or its state, refused: a stable code to match on, and a sentence for people.
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
        /// The passphrase does not open the account file.
        public static let wrongPassphrase = Self(rawValue: "wrong_passphrase")
        /// The file is damaged, or another program wrote it; it is left as it is.
        public static let damaged = Self(rawValue: "damaged")
        /// A later version of this library wrote the file.
        public static let newerFormat = Self(rawValue: "newer_format")
        /// The disk is full, or a quota is reached; nothing was written.
        public static let full = Self(rawValue: "full")
        /// Another process kept the file locked for too long.
        public static let busy = Self(rawValue: "busy")
        /// Larger than the limit that the message names.
        public static let tooLarge = Self(rawValue: "too_large")
        /// Another process changed the same state in another way.
        public static let conflict = Self(rawValue: "conflict")
        /// The answer of the server was lost: whether it did what was asked is not known.
        public static let unclear = Self(rawValue: "unclear")
        /// There is no access token: the user has to sign in.
        public static let signInNeeded = Self(rawValue: "sign_in_needed")
        /// The account has no keys that the server knows.
        public static let notRegistered = Self(rawValue: "not_registered")
        /// The server answered what it cannot mean, or does not have what was asked for.
        public static let server = Self(rawValue: "server")
        /// The server has other keys of the user than the account.
        public static let keysExist = Self(rawValue: "keys_exist")
        /// The safety code of the served keys is not the one that the user gave.
        public static let safetyCodeDiffers = Self(rawValue: "safety_code_differs")
        /// Another task or process follows under the same consumer's name.
        public static let alreadyFollowing = Self(rawValue: "already_following")
        /// The server finally refused a message; it is kept as a dead letter.
        public static let refused = Self(rawValue: "refused")
        /// Another message has the same id.
        public static let duplicate = Self(rawValue: "duplicate")
        /// The outbox holds no message with this id.
        public static let unknownMessage = Self(rawValue: "unknown_message")
        /// The message is sent, replaced or dropped, and cannot be changed any more.
        public static let finished = Self(rawValue: "finished")
        /// Readers that no group can have: more than 10,000, or an id that is not 1 to 19 digits.
        public static let invalidReaders = Self(rawValue: "invalid_readers")
        /// The file or the message belongs to another user or another API.
        public static let otherAccount = Self(rawValue: "other_account")
        /// The account was closed before the call, or while it was in progress.
        public static let closed = Self(rawValue: "closed")
        /// No user has the handle.
        public static let unknownHandle = Self(rawValue: "unknown_handle")
        /// The server names another user for a handle than before.
        public static let handleMoved = Self(rawValue: "handle_moved")
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
    /// The handle that the error is about.
    public var handle: Handle?

    /// An error of the given code.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package init(_ code: Code, _ message: String, conversation: ConversationID) {
        self.init(code, message)
        self.conversation = conversation
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
