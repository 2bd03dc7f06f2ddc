import ArgumentParser
import XChat
import XChatEngine
import XChatHTTP

/// Where the user's keys and trust are kept.
struct StateOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The session file to work with. It then is the whole state, and the account file is not touched.",
            valueName: "file"
        ),
        completion: .file()
    )
    var session: String?

    @OptionGroup
    var home: HomeOptions

    func validate() throws {
        guard session == nil || home.home == nil else {
            throw ValidationError("--session and --home name two states; give one of them.")
        }
    }

    /// The account that the options name, without a token.
    func configuration() throws -> Account.Configuration {
        var configuration = Account.Configuration(
            try session.map { .sessionFile($0) } ?? home.location,
            passphrase: { isNew in try readPassphrase(isNew: isNew) }
        )
        configuration.notify = Output.notice
        return configuration
    }

    /// Everything that the state knows, for work without a server.
    func offlineSession() async throws -> Session {
        try await Account.session(try configuration())
    }
}

/// An account and the server that it works with.
struct AccountOptions: ParsableArguments {
    @OptionGroup
    var state: StateOptions

    @OptionGroup
    var server: ServerOptions

    /// The account without a token; messages to send are kept for each API.
    func configuration() throws -> Account.Configuration {
        var configuration = try state.configuration()
        configuration.api = try server.url
        return configuration
    }

    /// The account that the options name, at the server.
    ///
    /// - Parameters:
    ///   - rotates: Whether a conversation gets a new key where its newest one must not encrypt any more.
    ///   - replacesKeys: Whether keys that the server has of the user are replaced when these are registered.
    ///   - pollInterval: How often conversations are read while there is no activity stream.
    ///   - notify: Tells the person what the library has to say.
    /// - Returns: The account; its keys need not be registered.
    /// - Throws: Why the account cannot be opened.
    func account(
        rotates: Bool = false,
        replacesKeys: Bool = false,
        pollInterval: Duration = .seconds(5),
        notify: @escaping @Sendable (Notice) -> Void = Output.notice
    ) async throws -> Account {
        var configuration = try configuration()
        configuration.notify = notify
        configuration.pollInterval = pollInterval
        configuration.token = try server.token().map { TokenSource($0) }
        configuration.appToken = try server.appToken()
        configuration.rotatesBeforeSending = rotates
        configuration.replacesKeys = replacesKeys
        return try await Account.openUnregistered(configuration)
    }
}

extension AccountOptions {
    /// A client with the token of the environment, or of the sign-in.
    ///
    /// - Parameter opened: The account, if it is already open.
    /// - Returns: The client.
    /// - Throws: Why the account cannot be opened, or ``AccountError`` with `sign_in_needed` if there is no token.
    func client(_ opened: Account.Configuration? = nil) async throws -> ChatClient {
        var configuration = try opened ?? configuration()
        configuration.token = try server.token().map { TokenSource($0) }
        return try await Account.client(configuration)
    }
}

/// Where the account file is.
struct HomeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder of the account file, where no --session is given. (default: XCHAT_HOME, else ~/.xchat)",
            valueName: "folder"
        ),
        completion: .directory
    )
    var home: String?

    var location: Account.Configuration.Location {
        get throws {
            if let folder = try home ?? Environment.text("XCHAT_HOME") { return .accountFile(folder + "/account.db") }
            guard let userHome = try Environment.text("HOME") else {
                throw CommandError("no folder for the account: neither --home nor XCHAT_HOME nor HOME is set")
            }
            return .accountFile(userHome + "/.xchat/account.db")
        }
    }
}
