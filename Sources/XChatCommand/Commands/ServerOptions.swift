import ArgumentParser
import XChat
import XChatHTTP

/// The server to talk to.
struct ServerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The base URL of the chat API. (default: XCHAT_API_URL, else https://api.x.com)",
            discussion:
                "The access token is that of XCHAT_TOKEN, else that of the sign-in (xchat login). It is sent over plain HTTP to this machine only.",
            valueName: "url"
        )
    )
    var api: String?

    /// The base URL, in the form that also names an outbox.
    var url: String {
        get throws { try Self.url(api) }
    }

    /// The base URL of the option `--api`, else of the environment, else of X.
    static func url(_ api: String? = nil) throws -> String {
        do {
            return try ChatClient.base(of: try api ?? Environment.text("XCHAT_API_URL") ?? "https://api.x.com")
        } catch let error as APIError where error.code == .invalidArgument {
            guard api == nil else { throw ValidationError("--api: \(error.detail)") }
            throw CommandError("the environment variable XCHAT_API_URL: \(error.detail)")
        }
    }
}
