import XChatEngine
public import XChatEvents
public import XChatHTTP

/// An error of an account or of its state: a stable code to match on, and a message for people.
///
/// The message names the value, the rule and the next step. It never contains a secret; input bytes in it are escaped.
public struct AccountError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code as text, for example `wrong_passphrase`.
        public let rawValue: String

        /// Creates a code from any text.
        ///
        /// This library throws the static members and the codes of `XChatError`.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// A file, a record or a document is malformed.
        public static let malformed = Self(rawValue: "malformed")
        /// The operating system refused to read or write a file.
        public static let file = Self(rawValue: "file")
        /// There is no account at the location.
        public static let notFound = Self(rawValue: "not_found")
        /// There is already an account or a file at the location.
        public static let exists = Self(rawValue: "exists")
        /// The passphrase does not decrypt the account file.
        public static let wrongPassphrase = Self(rawValue: "wrong_passphrase")
        /// The file is damaged, or another program wrote it; it is left as it is.
        public static let damaged = Self(rawValue: "damaged")
        /// A later version of this library wrote the file.
        public static let newerFormat = Self(rawValue: "newer_format")
        /// The disk is full, or a quota is reached; nothing was written.
        public static let full = Self(rawValue: "full")
        /// Another process kept the file locked for too long.
        public static let busy = Self(rawValue: "busy")
        /// Something is larger than the limit that the message names.
        public static let tooLarge = Self(rawValue: "too_large")
        /// Another task or process changed the same state, or is changing it.
        public static let conflict = Self(rawValue: "conflict")
        /// The answer of the server was lost: it is not known whether the server carried out the request.
        public static let unclear = Self(rawValue: "unclear")
        /// There is no access token: the user has to sign in.
        public static let signInNeeded = Self(rawValue: "sign_in_needed")
        /// The account has no keys that the server knows.
        public static let notRegistered = Self(rawValue: "not_registered")
        /// The server's answer is unusable, or the server does not have what was requested.
        public static let server = Self(rawValue: "server")
        /// The server has other keys of the user than the account.
        public static let keysExist = Self(rawValue: "keys_exist")
        /// The safety code of the served keys is not the one that the user gave.
        public static let safetyCodeDiffers = Self(rawValue: "safety_code_differs")
        /// The fingerprint of the served identity key is not the one that the user gave.
        package static let fingerprintDiffers = Self(rawValue: "fingerprint_differs")
        /// The server does not send the signature of the identity key over the signing key.
        package static let signingKeyUnproven = Self(rawValue: "signing_key_unproven")
        /// Another task or process uses the same consumer name.
        public static let alreadyFollowing = Self(rawValue: "already_following")
        /// A message is a dead letter: the server finally refused it, or it is held for a decision about new readers.
        public static let refused = Self(rawValue: "refused")
        /// Another message has the same id.
        public static let duplicate = Self(rawValue: "duplicate")
        /// The outbox holds no message with this id.
        public static let unknownMessage = Self(rawValue: "unknown_message")
        /// The message was sent, replaced or dropped, and can no longer be changed.
        public static let finished = Self(rawValue: "finished")
        /// The list of readers is invalid: more than 10,000 users, or an id that is not 1 to 19 digits.
        public static let invalidReaders = Self(rawValue: "invalid_readers")
        /// The file or the message belongs to another user or another API.
        public static let otherAccount = Self(rawValue: "other_account")
        /// The account was closed before the call, or while it was in progress.
        public static let closed = Self(rawValue: "closed")
        /// The server knows no user with the handle, or the handle was never looked up and the server is not asked.
        public static let unknownHandle = Self(rawValue: "unknown_handle")
        /// The server names another user for a handle than before; the handle may have been given to another person.
        public static let handleMoved = Self(rawValue: "handle_moved")
        /// An argument is invalid.
        public static let invalidArgument = Self(rawValue: "invalid_argument")
    }

    /// The code to match on.
    public let code: Code
    /// What happened, and what to do about it.
    public let message: String
    /// The user that the error is about.
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

    /// Converts an error of the engine, and adds the user or the conversation that it is about; code and message stay
    /// the same.
    package init(_ error: XChatError, user: UserID? = nil, conversation: ConversationID? = nil) {
        self.init(Code(rawValue: error.code.rawValue), error.message)
        self.user = user
        self.conversation = conversation
    }

    /// The message.
    public var description: String { message }
}
