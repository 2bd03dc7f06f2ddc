import ArgumentParser
import XChat

/// Where the user's keys and trust are kept.
struct StateOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The session file to work with. It then is the whole state, and the key store is not touched.",
            valueName: "file"
        )
    )
    var session: String?

    @OptionGroup
    var keyStore: KeyStoreOptions

    func validate() throws {
        guard session == nil || keyStore.home == nil else {
            throw ValidationError("--session and --home name two states; give one of them.")
        }
    }

    /// The state that the options name.
    func store() throws -> StateStore {
        if let session {
            return StateStore(sessionFile: session, notify: Output.notice)
        }
        return StateStore(keyStore: try keyStore.keyStore(), notify: Output.notice)
    }
}

/// Where the key store is.
struct KeyStoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder of the key store, where no --session is given. (default: XCHAT_HOME, else ~/.xchat)",
            valueName: "folder"
        )
    )
    var home: String?

    func keyStore() throws -> KeyStore {
        if let folder = try home ?? Environment.text("XCHAT_HOME") {
            return KeyStore(home: folder, askPassphrase: readPassphrase)
        }
        guard let userHome = try Environment.text("HOME") else {
            throw CommandError("no folder for the key store: neither --home nor XCHAT_HOME nor HOME is set")
        }
        return KeyStore(home: userHome + "/.xchat", askPassphrase: readPassphrase)
    }
}
