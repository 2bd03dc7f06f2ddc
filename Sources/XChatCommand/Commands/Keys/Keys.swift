import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatFiles

struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make, store, register, back up and compare keys.",
        discussion: """
            Example:
              xchat keys list --session alice.json
            """,
        subcommands: [
            KeysGenerate.self, KeysImport.self, KeysExport.self, KeysList.self, KeysFingerprint.self, KeysRegister.self,
            KeysTrust.self, KeysSafetyCode.self, KeysBackup.self, KeysRestore.self, KeysChangePIN.self,
            KeysDeleteBackup.self, KeysBackupStatus.self,
        ]
    )
}

/// A cipher suite on the command line.
enum SuiteOption: String, ExpressibleByArgument, CaseIterable {
    case xchat
    case sodium

    var name: SuiteName { SuiteName(rawValue: rawValue) }
}

/// The user id of an argument.
///
/// - Throws: If it is not 1 to 19 digits, the form that X accepts in its URLs.
func userID(_ argument: String) throws(ValidationError) -> UserID {
    guard let userID = UserID(validating: argument) else {
        throw ValidationError("\(quoted(argument)) is not a user id, which has 1 to 19 digits.")
    }
    return userID
}

/// The user of a command that may run before there is an account: the account's user, else `--user` or `XCHAT_USER`.
///
/// - Parameters:
///   - option: The value of `--user`.
///   - account: The account; nil before it exists.
///   - role: Who the user is, after the words "the user".
/// - Returns: The user.
/// - Throws: If no user is known, or if `--user` names another user than the account's.
func chosenUser(_ option: UserID?, of account: BackupFacts?, _ role: String) throws -> UserID {
    guard let known = account?.userID else {
        if let user = try option ?? Environment.text("XCHAT_USER").map({ try userID($0) }) { return user }
        throw ValidationError("There is no account yet, so name the user \(role) with --user or XCHAT_USER.")
    }
    guard option == nil || option == known else {
        throw ValidationError(
            "The account belongs to user \(safeField(known)), but --user names another one. Leave out --user."
        )
    }
    return known
}

/// The version of an argument: that under which a server has public keys.
///
/// - Throws: If it is not a number.
func registeredVersion(_ argument: String) throws(ValidationError) -> KeyVersion {
    let version = KeyVersion(argument)
    guard version.number != nil else { throw ValidationError("\(quoted(argument)) is not a number.") }
    return version
}

/// The options that name the place of a new state.
struct NewStateOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The id of the user whose keys these are. (default: the user of the account, else XCHAT_USER)",
            valueName: "id"
        ),
        transform: userID
    )
    var user: UserID?

    @Option(
        help: ArgumentHelp(
            "Write a session file instead of an account file; an existing file is never overwritten.",
            valueName: "file"
        )
    )
    var out: String?

    @OptionGroup
    var home: HomeOptions

    func validate() throws {
        guard out == nil || home.home == nil else {
            throw ValidationError("--out and --home cannot be combined; give one of them.")
        }
    }

    /// Where new keys are saved, and whose keys they are.
    struct Place {
        let user: UserID
        /// The account, opened if a sign-in has made one without keys.
        let configuration: Account.Configuration

        /// Saves the keys in a new account, or in one without keys.
        func save(_ keys: PrivateKeys, version: KeyVersion?, isImport: Bool) async throws {
            try await Account.create(for: user, keys: keys, version: version, isImport: isImport, configuration)
        }
    }

    /// Opens the account if it exists, and finds the user.
    func place() async throws -> Place {
        let configuration = try await home.configuration(unless: out).openedIfPresent()
        let facts = try await Account.backupFacts(configuration)
        return Place(user: try chosenUser(user, of: facts, "whose keys these are"), configuration: configuration)
    }
}
