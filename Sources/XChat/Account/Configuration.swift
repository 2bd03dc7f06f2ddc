public import AsyncHTTPClient
public import LibSodium
public import Logging
public import XChatEngine
public import XChatEvents
import XChatFiles
public import XChatHTTP

extension Account {
    /// Where an account is stored, and which server it uses.
    public struct Configuration: Sendable {
        /// Where keys, pins, unsent messages and cursors are stored.
        public enum Location: Sendable {
            /// An account file: all its contents are encrypted under a passphrase.
            case accountFile(String)
            /// A session file, which holds keys, pins, membership logs and tokens as plaintext. Unsent messages,
            /// cursors and the rest are encrypted in a folder with the same name and the suffix `.outbox`.
            case sessionFile(String)
            /// A store that the program provides.
            case store(any AccountStore)
        }

        /// Where the account is kept.
        public var location: Location
        /// Returns the passphrase of an account file.
        ///
        /// The function is called only if the passphrase is needed; `isNew` is true if the file will be created.
        ///
        /// The function may block, for example to ask a person, because it runs outside of Swift's cooperative thread
        /// pool.
        public var passphrase: @Sendable (_ isNew: Bool) throws -> SecretBytes
        /// The user; a new account needs one, and an existing account must belong to this user.
        public var user: UserID?
        /// The base URL of the API.
        public var api = "https://api.x.com"
        /// The user's access token; by default the saved one, see ``Account/signIn(_:from:_:)``.
        public var token: TokenSource?
        /// The app's bearer token, for the activity stream; without it ``Account/messages(consumer:)`` polls.
        public var appToken: Token?
        /// The HTTP client; by default one that the whole process shares.
        public var http: HTTPClient?
        /// Receives outcomes, counts and durations; no ids and no texts.
        public var logger: Logger?
        /// How often the conversations are listed while the activity stream is not connected.
        ///
        /// Default: 5 seconds.
        public var pollInterval = Duration.seconds(5)
        /// Whether a conversation gets a new key before a message is sent, if its newest key may no longer be used to
        /// encrypt.
        ///
        /// Default: true. Otherwise sending fails with `rotation_needed`.
        public var rotatesBeforeSending = true
        /// What to do with a message that the server refused because its key is not the newest, if more users could
        /// read it once it is encrypted under the newest key.
        ///
        /// Default: the message is held as a dead letter until a person decides.
        public var newReaders = OutboxPolicy.NewReaders.hold
        /// The suite of the keys that are generated for a new account.
        ///
        /// Default: `.xchat`; X's servers accept no other suite.
        public var suite = SuiteName.xchat
        /// Whether the keys of a new account replace other keys that the server has for the user.
        ///
        /// Default: false; then opening fails with `keys_exist` if the server has other keys. If true, messages for the
        /// old keys stay unreadable in this account.
        public var replacesKeys = false

        /// The cost of one guess of the passphrase of a new account file.
        package var passwordLimits = PasswordHash.Limits.moderate
        /// The timeout of one request to the token endpoint.
        package var tokenTimeout = Duration.seconds(30)
        /// What sets the user id and the access token, for errors.
        package var names = (user: "Configuration.user", token: "Configuration.token")
        /// The location before its store was opened, for errors.
        var openedText: String?
        /// Receives notices for a person as they arise.
        package var notify: (@Sendable (Notice) -> Void)?

        /// Creates a configuration with the defaults for everything but the location.
        ///
        /// - Parameters:
        ///   - location: Where the account is stored.
        ///   - passphrase: As for the property. The default throws `wrong_passphrase`, which is enough if no account
        ///     file is used.
        public init(
            _ location: Location,
            passphrase: @escaping @Sendable (_ isNew: Bool) throws -> SecretBytes = { _ in
                throw AccountError(
                    .wrongPassphrase,
                    "the account file needs a passphrase; configure a function that returns it"
                )
            }
        ) {
            self.location = location
            self.passphrase = passphrase
        }

        /// The configuration from environment variables.
        ///
        /// The location is `XCHAT_SESSION` (a session file), else `XCHAT_ACCOUNT` (an account file), else `account.db`
        /// in `XCHAT_HOME` or in `~/.xchat`. The passphrase comes from the file that `XCHAT_PASSPHRASE_FILE` names,
        /// else from `XCHAT_PASSPHRASE`. `XCHAT_USER`, `XCHAT_API_URL`, `XCHAT_TOKEN` and `XCHAT_APP_TOKEN` give the
        /// rest; a signed-in account needs neither `XCHAT_USER` nor `XCHAT_TOKEN`.
        /// - Throws: ``AccountError`` for a malformed variable, and for `XCHAT_DATABASE_URL`, because this module has
        ///   no store for it.
        public static var environment: Configuration {
            get throws(AccountError) {
                if try Environment.text("XCHAT_DATABASE_URL") != nil {
                    throw AccountError(
                        .invalidArgument,
                        "XCHAT_DATABASE_URL is set, but this module stores accounts in files only; unset it"
                    )
                }
                var configuration = Configuration(try location()) { _ in try passphraseOfEnvironment() }
                if let text = try Environment.text("XCHAT_USER") {
                    guard let user = UserID(validating: text) else {
                        throw AccountError(
                            .invalidArgument,
                            "XCHAT_USER is \(quoted(text)), which is not a user id; set it to 1 to 19 digits"
                        )
                    }
                    configuration.user = user
                }
                if let api = try Environment.text("XCHAT_API_URL") { configuration.api = api }
                configuration.names = (user: "XCHAT_USER", token: "XCHAT_TOKEN")
                configuration.token = try Environment.userToken(for: configuration.api).map { TokenSource($0) }
                configuration.appToken = try Environment.token("XCHAT_APP_TOKEN")
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
                    "no location for the account: set XCHAT_SESSION, XCHAT_ACCOUNT, XCHAT_HOME or HOME"
                )
            }
            return .accountFile(home + "/.xchat/account.db")
        }
    }
}

/// The longest passphrase: 4096 bytes.
private let maximumPassphraseBytes = 4096

/// The passphrase from the file that `XCHAT_PASSPHRASE_FILE` names, else from `XCHAT_PASSPHRASE`.
///
/// A newline at the end of the file is not part of the passphrase.
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
    guard !bytes.isEmpty else {
        throw AccountError(.wrongPassphrase, "the passphrase from \(source) is empty; use one of at least 1 byte")
    }
    do {
        return try SecretBytes(copying: bytes.span)
    } catch {
        throw AccountError(.file, "the passphrase from \(source) cannot be held in memory: \(error)")
    }
}
