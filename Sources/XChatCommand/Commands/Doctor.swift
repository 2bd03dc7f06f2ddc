import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatText

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the installation: libraries, state, server, token, keys.",
        discussion: """
            Prints one line for each check: ok, warning or problem, the finding, and what to do. With --json a line \
            is {"check": "…", "status": "ok", "detail": "…", "advice": null}. The exit status is 1 if there is a \
            problem. If a check cannot be made because an earlier one failed, it is a warning.

            Changes nothing and asks nothing: an account file is opened only if XCHAT_PASSPHRASE_FILE or \
            XCHAT_PASSPHRASE gives its passphrase.

            Example:
              xchat doctor --session alice.json
            """
    )

    @Flag(help: "Print one line of JSON per check.")
    var json = false

    @OptionGroup
    var options: AccountOptions

    func run() async throws {
        var examination = Examination(options)
        try await examination.run()
        for finding in examination.findings { try Output.result(json ? finding.json.line : finding.line) }
        if examination.findings.contains(where: { $0.health == .problem }) { throw ExitCode.failure }
    }
}
