import ArgumentParser

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The command `xchat`.
@main
struct XChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xchat",
        abstract: "Encrypt, sign, send, read, verify and look into messages of X Chat.",
        discussion: """
            The exit status is 0 when everything was done and verified, 1 when something failed or did not verify, and \
            2 when the arguments are wrong. Results go to standard output, everything else to standard error.

            Secrets never stand on the command line. Keys come from a session file (--session) or from the key store, \
            its passphrase from XCHAT_PASSPHRASE_FILE, XCHAT_PASSPHRASE or the terminal, the access token from XCHAT_TOKEN.

            "xchat demo" shows the whole way of a message, without network or account.
            """,
        subcommands: [
            Demo.self, Sandbox.self, Keys.self, Encrypt.self, Decrypt.self, Verify.self, Inspect.self,
            Conversation.self, Send.self, Read.self,
        ]
    )

    static func main() async {
        // A reader that went away is seen where output is written, and no reason to die halfway through a file.
        _ = signal(SIGPIPE, SIG_IGN)
        endProcess(await run(Array(CommandLine.arguments.dropFirst())))
    }
}

/// The system's `exit`, which the method of that name hides.
private func endProcess(_ status: Int32) -> Never {
    exit(status)
}
