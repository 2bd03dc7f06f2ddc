import ArgumentParser
import XChat
import XChatEngine
import XChatHTTP

/// The options that name the state: the file with the user's keys and pins.
struct StateOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The session file to use. It is then the whole state, and the account file is neither read nor changed.",
            valueName: "file"
        ),
        completion: .file()
    )
    var session: String?

    @OptionGroup
    var home: HomeOptions

    func validate() throws {
        guard session == nil || home.home == nil else {
            throw ValidationError("--session and --home cannot be combined; give one of them.")
        }
    }

    /// The account that the options name, without a token.
    func configuration() throws -> Account.Configuration {
        var configuration = try home.configuration(unless: session)
        configuration.notify = Output.notice
        return configuration
    }

    /// The session with the whole state, for work without a server.
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
    ///   - rotates: Whether a conversation gets a new key before a message if its newest one must not encrypt any more.
    ///   - replacesKeys: Whether registration replaces other keys that the server has of the user.
    ///   - pollInterval: How often conversations are read while there is no activity stream.
    ///   - notify: Reports the notices of the library to the person.
    /// - Returns: The account; its keys need not be registered.
    /// - Throws: Why the account cannot be opened.
    func account(
        rotates: Bool = false,
        replacesKeys: Bool = false,
        pollInterval: Duration = .seconds(5),
        notify: @escaping @Sendable (Notice) -> Void = Output.notice
    ) async throws -> Account {
        var configuration = try remoteConfiguration()
        configuration.notify = notify
        configuration.pollInterval = pollInterval
        configuration.appToken = try Environment.token("XCHAT_APP_TOKEN")
        configuration.rotatesBeforeSending = rotates
        configuration.replacesKeys = replacesKeys
        return try await Account.openUnregistered(configuration)
    }

    /// A client with the token of the environment, or of the sign-in.
    ///
    /// - Parameter opened: The account, if it is already open.
    /// - Returns: The client.
    /// - Throws: Why the account cannot be opened, or ``AccountError`` with `sign_in_needed` if there is no token.
    func client(_ opened: Account.Configuration? = nil) async throws -> ChatClient {
        try await Account.client(try remoteConfiguration(opened))
    }

    private func remoteConfiguration(_ opened: Account.Configuration? = nil) throws -> Account.Configuration {
        var configuration = try opened ?? configuration()
        configuration.token = try Environment.userToken(for: server.url).map { TokenSource($0) }
        return configuration
    }
}

/// How often the history of a conversation is read if there is no activity stream.
struct PollOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How often to read the history if there is no activity stream, 1 to 3600.",
            valueName: "seconds"
        )
    )
    var poll = 5

    var interval: Duration { .seconds(poll) }

    func validate() throws {
        guard (1...3600).contains(poll) else { throw ValidationError("--poll takes 1 to 3600 seconds.") }
    }
}

/// The option that names the folder of the account file.
struct HomeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder of the account file. (default: XCHAT_HOME, else ~/.xchat)",
            valueName: "folder"
        ),
        completion: .directory
    )
    var home: String?

    /// The account in a session file, or, if `session` is nil, the account file in the folder.
    func configuration(unless session: String?) throws -> Account.Configuration {
        let location: Account.Configuration.Location =
            if let session { .sessionFile(session) } else { .accountFile(try folder() + "/account.db") }
        var configuration = Account.Configuration(location) { isNew in try readPassphrase(isNew: isNew) }
        configuration.names = (user: "XCHAT_USER", token: "XCHAT_TOKEN")
        return configuration
    }

    private func folder() throws -> String {
        if let folder = try home ?? Environment.text("XCHAT_HOME") { return folder }
        guard let userHome = try Environment.text("HOME") else {
            throw CommandError("the folder of the account file is not known: give --home, or set XCHAT_HOME or HOME")
        }
        return userHome + "/.xchat"
    }
}
