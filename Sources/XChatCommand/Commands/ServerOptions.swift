import ArgumentParser
import XChatHTTP

/// The server to talk to.
struct ServerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The base URL of the chat API. (default: XCHAT_API_URL, else https://api.x.com)",
            discussion:
                "The access token is read from XCHAT_TOKEN. It goes over plain http to this machine only.",
            valueName: "url"
        )
    )
    var api: String?

    /// A client for the user's token in the environment.
    func client() throws -> ChatClient {
        guard let token = try Environment.text("XCHAT_TOKEN") else {
            throw CommandError("the access token is missing: put it into the environment variable XCHAT_TOKEN")
        }
        return try client(token)
    }

    /// A client for the app's token in the environment, which X wants for the activity stream; nil where there is none.
    func appClient() throws -> ChatClient? {
        try Environment.text("XCHAT_APP_TOKEN").map { try client($0) }
    }

    private func client(_ token: String) throws -> ChatClient {
        let bearer = try Token(token)
        do {
            return try ChatClient(api: try url, token: bearer)
        } catch let error as APIError {
            guard api != nil, error.code == .invalidArgument else { throw error }
            throw ValidationError("--api: \(error.detail)")
        }
    }

    /// The base URL, as the name of an outbox has it.
    var url: String {
        get throws {
            let url = try api ?? Environment.text("XCHAT_API_URL") ?? "https://api.x.com"
            return url.hasSuffix("/") ? String(url.dropLast()) : url
        }
    }
}
