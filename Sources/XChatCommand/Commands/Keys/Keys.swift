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

    /// Makes a new account.
    func create(
        for userID: UserID,
        keys: PrivateKeys,
        version: KeyVersion?,
        isImport: Bool
    ) async throws {
        let configuration = try home.configuration(unless: out)
        try await Account.create(for: userID, keys: keys, version: version, isImport: isImport, configuration)
    }
}
