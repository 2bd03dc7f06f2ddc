public import AsyncHTTPClient
public import LibSodium
public import Logging
public import XChatEngine
public import XChatEvents
import XChatFiles
public import XChatHTTP

extension Account {
    /// Where an account is kept, and which server it talks to.
    public struct Configuration: Sendable {
        /// Where keys, pins, messages to send and cursors are kept.
        public enum Location: Sendable {
            /// An account file: everything in it is sealed under a passphrase.
            case accountFile(String)
            /// A session file: keys and pins are readable in it. The rest is sealed in a folder with its name and
            /// `.outbox`.
            case sessionFile(String)
            /// A store of the caller.
            case store(any AccountStore)
        }

        /// Where the account is kept.
        public var location: Location
        /// Gives the passphrase of an account file: asked once, and only when it is needed; `isNew` while the file is
        /// made.
        ///
        /// It may wait, for example for a person: it runs on a thread of its own.
        public var passphrase: @Sendable (_ isNew: Bool) throws -> SecretBytes
        /// The user; needed where there is no account yet, and checked where there is one.
        public var user: UserID?
        /// The base URL of the API.
        public var api = "https://api.x.com"
        /// The user's access token; by default that of the sign-in, see ``Account/signIn(_:from:_:)``.
        public var token: TokenSource?
        /// The app's bearer token, for the activity stream; without it ``Account/messages(consumer:)`` polls.
        public var appToken: Token?
        /// The HTTP client; by default one that this process shares.
        public var http: HTTPClient?
        /// Receives outcomes, counts and durations; no ids and no texts.
        public var logger: Logger?
        /// How often conversations are listed while there is no activity stream.
        ///
        /// Default: 5 seconds.
        public var pollInterval = Duration.seconds(5)
        /// Whether a conversation gets a new key before a message, where its newest key must not encrypt any more.
        ///
        /// Default: true. Otherwise sending fails with `rotation_needed`.
        public var rotatesBeforeSending = true
        /// What becomes of a message that the server refused for its key, if the newest key would give it to new
        /// readers.
        ///
        /// Default: it is held.
        public var newReaders = OutboxPolicy.NewReaders.hold
        /// The suite of keys that are made for a new account.
        ///
        /// Default: `.xchat`; X's servers take no other.
        public var suite = SuiteName.xchat
        /// Whether a new account takes the place of keys that the server has for the user.
        ///
        /// Default: false; opening fails with `keys_exist`. Messages for the old keys stay unreadable in this account.
        public var replacesKeys = false

        /// The cost of a guess of the passphrase of a new account file.
        package var passwordLimits = PasswordHash.Limits.moderate
        /// The time for one request to the token endpoint.
        package var tokenTimeout = Duration.seconds(30)
        /// Receives what a person should know, as it arises.
        package var notify: (@Sendable (Notice) -> Void)?

        /// A configuration; all but the place has a default.
        ///
        /// - Parameters:
        ///   - location: Where the account is kept.
        ///   - passphrase: As for the property. The default throws, so that no account file can be opened.
        public init(
            _ location: Location,
            passphrase: @escaping @Sendable (_ isNew: Bool) throws -> SecretBytes = { _ in
                throw AccountError(.wrongPassphrase, "the account file needs a passphrase, and none was given")
            }
        ) {
            self.location = location
            self.passphrase = passphrase
        }

        /// What the environment variables say.
        ///
        /// The place is `XCHAT_SESSION` (a session file), else `XCHAT_ACCOUNT` (an account file), else `account.db` in
        /// `XCHAT_HOME` or in `~/.xchat`. The passphrase comes from the file that `XCHAT_PASSPHRASE_FILE` names, else
        /// from `XCHAT_PASSPHRASE`. `XCHAT_USER`, `XCHAT_API_URL`, `XCHAT_TOKEN` and `XCHAT_APP_TOKEN` give the rest; a
        /// signed-in account needs neither `XCHAT_USER` nor `XCHAT_TOKEN`.
        /// - Throws: ``AccountError`` for a variable that is not of its form, and for `XCHAT_DATABASE_URL`, which this
        ///   module has no store for.
        public static var environment: Configuration {
            get throws(AccountError) {
                if try Environment.text("XCHAT_DATABASE_URL") != nil {
                    throw AccountError(
                        .invalidArgument,
                        "XCHAT_DATABASE_URL is set, and this module keeps accounts in files; a database needs XChatPostgres"
                    )
                }
                var configuration = Configuration(try location()) { _ in try passphraseOfEnvironment() }
                if let text = try Environment.text("XCHAT_USER") {
                    guard let user = UserID(validating: text) else {
                        throw AccountError(.invalidArgument, "XCHAT_USER is not a user id: 1 to 19 digits")
                    }
                    configuration.user = user
                }
                if let api = try Environment.text("XCHAT_API_URL") { configuration.api = api }
                configuration.token = try token("XCHAT_TOKEN").map { TokenSource($0) }
                configuration.appToken = try token("XCHAT_APP_TOKEN")
                return configuration
            }
        }

        private static func location() throws(AccountError) -> Location {
            if let session = try Environment.text("XCHAT_SESSION") { return .sessionFile(session) }
            if let account = try Environment.text("XCHAT_ACCOUNT") { return .accountFile(account) }
            if let home = try Environment.text("XCHAT_HOME") { return .accountFile(home + "/account.db") }
            guard let home = try Environment.text("HOME") else {
                throw AccountError(
                    .invalidArgument,
                    "no place for the account: set XCHAT_SESSION, XCHAT_ACCOUNT, XCHAT_HOME or HOME"
                )
            }
            return .accountFile(home + "/.xchat/account.db")
        }

        private static func token(_ variable: String) throws(AccountError) -> Token? {
            guard let text = try Environment.text(variable) else { return nil }
            do {
                return try Token(text)
            } catch {
                throw AccountError(.invalidArgument, "the environment variable \(variable): \(error.detail)")
            }
        }
    }
}

/// The longest passphrase: 4096 bytes.
private let maximumPassphraseBytes = 4096

/// The passphrase from the file that `XCHAT_PASSPHRASE_FILE` names, else from `XCHAT_PASSPHRASE`.
///
/// A newline at the end of the file is no part of it.
/// - Throws: ``AccountError`` with `wrong_passphrase` if neither is set, or the passphrase is empty.
package func passphraseOfEnvironment() throws(AccountError) -> SecretBytes {
    guard let passphrase = try passphraseIfSet() else {
        throw AccountError(
            .wrongPassphrase,
            "the account file needs its passphrase: set XCHAT_PASSPHRASE_FILE or XCHAT_PASSPHRASE"
        )
    }
    return passphrase
}

/// As ``passphraseOfEnvironment()``; nil if neither variable is set.
package func passphraseIfSet() throws(AccountError) -> SecretBytes? {
    var bytes: [UInt8]
    let source: String
    if let path = try Environment.text("XCHAT_PASSPHRASE_FILE") {
        bytes = try withAccountErrors { () throws(FileError) in try Files.read(path, limit: maximumPassphraseBytes) }
        if bytes.last == UInt8(ascii: "\n") {
            bytes.removeLast()
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        }
        source = quoted(path)
    } else if let variable = Environment.bytes("XCHAT_PASSPHRASE") {
        bytes = variable
        source = "XCHAT_PASSPHRASE"
    } else {
        return nil
    }
    defer { Sodium.wipe(&bytes) }
    guard !bytes.isEmpty else { throw AccountError(.wrongPassphrase, "the passphrase from \(source) is empty") }
    do {
        return try SecretBytes(copying: bytes.span)
    } catch {
        throw AccountError(.file, "the passphrase cannot be kept: \(error)")
    }
}
