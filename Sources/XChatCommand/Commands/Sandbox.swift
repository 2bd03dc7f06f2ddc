import ArgumentParser
import Foundation
import XChat
import XChatEvents
import XChatHTTP
import XChatSandbox

struct Sandbox: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a stand-in for X's chat API on this machine.",
        discussion: """
            For development and tests, without account and without X: it is no production server. The first line on \
            standard output is {"url": "http://127.0.0.1:PORT"}. A caller with the token sandbox-ID is user ID, and \
            sandbox-app is the app's token. Users have the handle user and their id, or the one given with --user. State \
            is in memory and ends with the program, or with --data in a file. SIGINT and \
            SIGTERM end it.

            A browser shows at / what the server sees. Apps sign in with OAuth 2.0 at /i/oauth2/authorize and /2/oauth2/token: \
            any client id works, without a secret or with sandbox-secret.

            Example:
              xchat sandbox --port 8080 --data sandbox.sqlite
            """
    )

    @Option(help: ArgumentHelp("The address to listen on.", valueName: "host"))
    var host = "127.0.0.1"

    @Option(help: ArgumentHelp("The port to listen on; 0 picks a free one.", valueName: "port"))
    var port: UInt16 = 0

    @Option(help: ArgumentHelp("An SQLite file to keep the state in. (default: memory)", valueName: "file"))
    var data: String?

    @Option(
        help: ArgumentHelp(
            "A user with a handle and a name, as ID:HANDLE or ID:HANDLE:NAME; may be repeated.",
            valueName: "user"
        ),
        transform: { text in
            do {
                return try SandboxUser(text)
            } catch {
                throw ValidationError("--user \(quoted(text)): \(error).")
            }
        }
    )
    var user: [SandboxUser] = []

    @Option(
        help: ArgumentHelp(
            "What goes wrong, as name=value with commas between: drop=0.1,http500=0.05.",
            discussion: SandboxFaults.help,
            valueName: "faults"
        ),
        transform: { text in
            do {
                return try SandboxFaults(text)
            } catch {
                throw ValidationError("\(error)")
            }
        }
    )
    var fault = SandboxFaults()

    @Flag(help: "Allow an address that other machines can reach: every caller there can then be any user.")
    var insecure = false

    func validate() throws {
        guard insecure || Loopback.contains(host) else {
            throw ValidationError(
                "Other machines can reach \(quoted(host)), and every caller there can be any user; to allow that, add --insecure."
            )
        }
    }

    func run() async throws {
        Output.note("this is a sandbox for development and tests, no production server: every token is easily guessed")
        let sandbox = XChatSandbox.Sandbox(host: host, port: Int(port), data: data, faults: fault)
        do {
            for user in user { try await sandbox.setUser(user) }
            try await sandbox.run(stopsOnSignals: true) { url in
                let line = (["url": .string(url.absoluteString)] as JSONValue).line
                // A program that started the sandbox and no longer reads its output can still use it.
                try? Output.result(line)
            }
        } catch {
            // What the system says names neither.
            throw CommandError("the sandbox on \(host), port \(port): \(error)")
        }
    }
}
