import ArgumentParser

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the whole way of one message, without network or account.",
        discussion: """
            Starts a sandbox of X's chat API inside this program, makes two identities, registers them, exchanges a \
            conversation key, encrypts, signs and posts a message over HTTP, reads it back, verifies and decrypts it, and \
            shows at each step what the server could see. Then it tampers with the message, to see it refused. The exit \
            status is 0 only if every step held.

            Example:
              xchat demo --suite sodium
            """
    )

    @Option(help: "The cipher suite: xchat for X's servers, sodium for deployments with a server of their own.")
    var suite = SuiteOption.xchat

    func run() async throws {
        try await DemoRun(suite: suite.name).run()
    }
}
