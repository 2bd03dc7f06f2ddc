import ArgumentParser
import XChatSandbox

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show each step of one message, without network or account.",
        discussion: """
            Starts a sandbox of X's chat API inside this program. Two users make keys, register them and exchange a \
            conversation key. One user encrypts a message, signs it and posts it over HTTP. The other user reads, \
            verifies and decrypts it. Then the message is tampered with, and each tampered copy must be refused.

            Prints what each user does and what the server can see. The exit status is 0 only if every step \
            succeeded.

            Example:
              xchat demo --suite sodium
            """
    )

    @Option(help: "The cipher suite: xchat for X's servers, sodium for deployments with a server of their own.")
    var suite = SuiteOption.xchat

    func run() async throws {
        try await Demonstration(suite: suite.name) { try Output.result($0) }.run()
    }
}
