import ArgumentParser
import Foundation
import Synchronization
import XChat
import XChatFiles
import XChatHTTP

struct Login: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sign in with a browser, instead of setting XCHAT_TOKEN.",
        discussion: """
            Shows an address on standard error, and opens it in a browser if standard error is a terminal. The user \
            allows the app there. The browser then returns to the redirect URI, where this command waits for five \
            minutes.

            Prints {"user_id": "…", "username": "…", "scopes": ["…"], "expires_at": "…"}. The tokens are saved in \
            the account, and are renewed when they expire. If there is no account, it is created without keys: add \
            them with "keys restore" or "keys generate".

            If the app has a client secret, set XCHAT_CLIENT_SECRET. The secret is saved with the tokens.

            Example:
              xchat login --client-id ID --no-browser --session alice.json
            """
    )

    /// How long the command waits for the user: five minutes.
    private static let timeLimit = Duration.seconds(300)

    @Option(
        name: .customLong("client-id"),
        help: ArgumentHelp("The client id of the app. (default: XCHAT_CLIENT_ID)", valueName: "id")
    )
    var clientID: String?

    @Option(
        name: .customLong("redirect-uri"),
        help: ArgumentHelp(
            "The address to which the browser returns, exactly as it is registered for the app.",
            valueName: "url"
        )
    )
    var redirectURI = "http://127.0.0.1:8080/callback"

    @Flag(
        help: ArgumentHelp(
            "Do not open a browser here. Read from standard input the address to which the sign-in page leads.",
            discussion:
                "Use this if the browser runs on another machine. It shows an error page for that address; this is expected."
        )
    )
    var noBrowser = false

    @OptionGroup
    var options: AccountOptions

    func run() async throws {
        guard let id = try clientID ?? Environment.text("XCHAT_CLIENT_ID") else {
            throw ValidationError("The client id of the app is missing. Give it with --client-id or XCHAT_CLIENT_ID.")
        }
        let secret = try Environment.token("XCHAT_CLIENT_SECRET")
        let client: OAuthClient
        let authorization: OAuthAuthorization
        do {
            client = try OAuthClient(clientID: id, clientSecret: secret, api: try options.server.url)
            authorization = try client.authorization(redirectURI: redirectURI)
        } catch let error as APIError where [.invalidArgument, .insecureTransport].contains(error.code) {
            throw ValidationError(error.detail)
        }
        if try Environment.token("XCHAT_TOKEN") != nil {
            Output.warning("XCHAT_TOKEN is set, so commands use that token; unset it to use this sign-in")
        }
        // The passphrase is asked for before a person spends time in the browser.
        var account = try options.configuration()
        account.user = try Environment.text("XCHAT_USER").map { try userID($0) }
        let configuration = try await account.opened()
        let isManual = noBrowser
        let result = try await untilSignal {
            isManual
                ? try await Self.paste(client, authorization, configuration)
                : try await Self.receive(client, authorization, configuration)
        }
        guard let (user, tokens) = result else { throw CommandError("interrupted; nothing was changed") }
        if tokens.refreshToken == nil {
            Output.warning("the server gave no refresh token, so sign in again when the access token expires")
        }
        try Output.result(
            of: "user \(user.id) is signed in",
            [
                "user_id": .string(user.id), "username": user.username.map { .string($0) } ?? .null,
                "scopes": .array(tokens.scopes.map { .string($0) }),
                "expires_at": .string(tokens.expiresAt.ISO8601Format()),
            ]
        )
    }

    private typealias Result = (user: TokenUser, tokens: OAuthTokens)

    /// Waits for the browser on this machine.
    private static func receive(
        _ client: OAuthClient,
        _ authorization: OAuthAuthorization,
        _ configuration: Account.Configuration
    ) async throws -> Result {
        let listener: RedirectListener
        do {
            let warnings = Mutex(0)
            listener = try await RedirectListener.start(for: authorization) { error in
                // Any page in the browser can send requests here; without a limit it could fill the terminal.
                let count = warnings.withLock { count in
                    count += 1
                    return count
                }
                guard count <= 3 else { return }
                Output.warning("a request to the redirect URI was ignored: \(error.detail)")
                if count == 3 { Output.warning("further requests are ignored without a warning") }
            }
        } catch {
            throw CommandError(
                "\(error.detail); give another redirect URI of the app with --redirect-uri, or paste the address with --no-browser"
            )
        }
        Output.note("Open this address in a browser, and allow the app there:\n\n\(authorization.url)\n")
        let page = Descriptor.standardError.isTerminal ? Browser.open(authorization.url) : nil
        defer { page?.delete() }
        do {
            let code = try await listener.code(within: timeLimit)
            let result = try await signIn(code, client, authorization, configuration)
            await listener.stop(.signedIn)
            return result
        } catch {
            await listener.stop((error as? APIError)?.code == .refused ? .refused : .failed)
            throw error
        }
    }

    /// Reads the address to which the browser returned.
    private static func paste(
        _ client: OAuthClient,
        _ authorization: OAuthAuthorization,
        _ configuration: Account.Configuration
    ) async throws -> Result {
        Output.note(
            """
            Open this address in a browser, and allow the app there:

            \(authorization.url)

            Then paste the whole address to which the browser returns, which begins with \(authorization.redirectURI):
            """
        )
        let redirect = try await line(within: timeLimit)
        return try await signIn(try authorization.code(in: redirect), client, authorization, configuration)
    }

    private static func signIn(
        _ code: Token,
        _ client: OAuthClient,
        _ authorization: OAuthAuthorization,
        _ configuration: Account.Configuration
    ) async throws -> Result {
        let tokens = try await client.exchange(code, of: authorization)
        return (try await Account.signedIn(tokens, from: client, configuration), tokens)
    }

    /// The first line of standard input without white space around it.
    private static func line(within time: Duration) async throws -> String {
        let end = ContinuousClock.now + time
        var line: [UInt8] = []
        while !line.contains(UInt8(ascii: "\n")) {
            guard ContinuousClock.now < end else {
                throw CommandError("no address was pasted within \(time.components.seconds) seconds; sign in again")
            }
            // A read without a time limit could not be interrupted.
            let bytes = try await blocking {
                try withAccountErrors { try Descriptor.standardInput.read(upTo: 4096, waitingMilliseconds: 200) }
            }
            try Task.checkCancellation()
            guard let bytes else { continue }
            guard !bytes.isEmpty else { break }
            line += bytes
            guard line.count <= 32 << 10 else {
                throw CommandError(
                    "the pasted address is longer than 32 KiB; sign in again, and paste the address alone"
                )
            }
        }
        let text = line.prefix { $0 != UInt8(ascii: "\n") }
        guard let text = String(validating: text, as: UTF8.self) else {
            throw CommandError("the pasted address is not UTF-8; sign in again, and paste the address alone")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

struct Logout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sign out: revoke the tokens of the sign-in, and delete them.",
        discussion: """
            Revokes the tokens at the API that issued them, and deletes them from the account. Keys and messages are \
            kept. Prints {"signed_out": true}, or false if the account was not signed in.

            If the server cannot be asked to revoke the tokens, they are deleted all the same, and the exit status \
            is 1. X lists the app at x.com/settings/connected_apps, where you can revoke its access.

            Example:
              xchat logout --session alice.json
            """
    )

    @OptionGroup
    var options: AccountOptions

    func run() async throws {
        let configuration = try options.configuration()
        let wasSignedIn: Bool
        do {
            wasSignedIn = try await Account.signOut(configuration)
        } catch let error as APIError {
            throw CommandError(
                "the tokens are deleted here, but the server may not have revoked them (\(error)); X lists the app at "
                    + "x.com/settings/connected_apps, where you can revoke its access"
            )
        }
        if try Environment.token("XCHAT_TOKEN") != nil {
            Output.warning("XCHAT_TOKEN is set: that token stays valid, and commands use it")
        }
        try Output.result(of: "the tokens are deleted", ["signed_out": .bool(wasSignedIn)])
    }
}

struct WhoAmI: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "whoami",
        abstract: "Show the user to whom the access token belongs.",
        discussion: """
            Asks the server, and prints {"user_id": "…", "username": "…", "name": "…"}. No signature covers these \
            values.

            Example:
              xchat whoami --session alice.json
            """
    )

    @OptionGroup
    var options: AccountOptions

    func run() async throws {
        let user = try await options.client().me()
        try Output.result(json: [
            "user_id": .string(user.id), "username": user.username.map { .string($0) } ?? .null,
            "name": user.name.map { .string($0) } ?? .null,
        ])
    }
}
