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
            For development and tests, without an account and without X. It is not a production server, because its \
            tokens can be guessed.

            Prints {"url": "http://127.0.0.1:PORT"} as the first line of standard output. SIGINT or SIGTERM ends it \
            with status 0.

            The token sandbox-ID belongs to user ID, and sandbox-app is the app's token. The handle of a user is \
            "user" followed by the id, or the one given with --user. The state is in memory and is lost at the end; \
            --data keeps it in a file.

            The page / shows in a browser what the server sees. Apps sign in with OAuth 2.0 at /i/oauth2/authorize \
            and /2/oauth2/token. Any client id works, without a secret or with the secret sandbox-secret.

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
            "Faults to inject, as name=value separated by commas: drop=0.1,http500=0.05.",
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

    @Flag(help: "Allow an address that other machines can reach. Anyone there can then act as any user.")
    var insecure = false

    func validate() throws {
        guard insecure || Loopback.contains(host) else {
            throw ValidationError(
                "Other machines can reach \(quoted(host)), and anyone there could act as any user. Use 127.0.0.1, or add "
                    + "--insecure to allow this."
            )
        }
    }

    func run() async throws {
        Output.note("this is a sandbox for development and tests, not a production server: anyone can guess its tokens")
        let sandbox = XChatSandbox.Sandbox(host: host, port: Int(port), data: data, faults: fault)
        do {
            for user in user { try await sandbox.setUser(user) }
            try await sandbox.run(stopsOnSignals: true) { url in
                let line = (["url": .string(url.absoluteString)] as JSONValue).line
                // A program can close the output and still use the sandbox.
                try? Output.result(line)
            }
        } catch {
            // The error of the system names neither the host nor the port.
            throw CommandError("the sandbox on \(host), port \(port): \(systemReason(of: error) ?? "\(error)")")
        }
    }
}
