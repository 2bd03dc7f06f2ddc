import ArgumentParser
import CProcess
import XChat
import XChatFiles

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

            Secrets are never on the command line. Keys come from a session file (--session) or from the account file, \
            its passphrase from XCHAT_PASSPHRASE_FILE, XCHAT_PASSPHRASE or the terminal, the user's access token from \
            XCHAT_TOKEN or "xchat login", and the app's, which only "read --follow" wants, from XCHAT_APP_TOKEN.

            "xchat demo" shows the whole way of a message, without network or account.

            Example:
              xchat demo
            """,
        subcommands: [
            Demo.self, Sandbox.self, Login.self, Logout.self, WhoAmI.self, Keys.self, Encrypt.self, Decrypt.self,
            Verify.self, Inspect.self, Conversation.self, Group.self, HandleCommand.self, Chat.self, Send.self,
            React.self, Edit.self, Delete.self, OutboxCommand.self, Read.self, Media.self, Bench.self, Doctor.self,
            Completion.self,
        ]
    )

    static func main() async {
        let keepsCrashReports = Environment.bytes("SWIFT_BACKTRACE") != nil
        SignalHandler.restoreDefaultActions(keepsCrashReports: keepsCrashReports)
        forbidCoreDumps(exceptReports: keepsCrashReports)
        occupyStandardDescriptors()
        limitHelpWidth()
        // A reader that went away is seen where output is written, and no reason to die halfway through a file.
        _ = signal(SIGPIPE, SIG_IGN)
        guard let arguments = CommandLine.validArguments else {
            Output.note(
                "Error: an argument is not UTF-8. To name a file in such a folder, change into the folder first."
            )
            endProcess(2)
        }
        endProcess(await run(arguments))
    }
}

extension CommandLine {
    /// The arguments without the program's name; nil where one is not UTF-8, which ``arguments`` would repair silently.
    fileprivate static var validArguments: [String]? {
        var valid: [String] = []
        for index in 1..<max(1, Int(argc)) {
            guard let argument = unsafe unsafeArgv[index], let text = unsafe String(validatingCString: argument) else {
                return nil
            }
            valid.append(text)
        }
        return valid
    }
}

/// Keeps the memory of this process, which holds keys, from core dumps and from other processes of the user.
///
/// - Parameter exceptReports: Whether another process may read the memory, which reports a crash.
private func forbidCoreDumps(exceptReports: Bool) {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    #if canImport(Glibc)
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    #else
        _ = unsafe setrlimit(RLIMIT_CORE, &none)
    #endif
    // Where core dumps go to a program, the kernel does not apply the limit.
    if !exceptReports { _ = process_forbid_dumps() }
}

/// Keeps the numbers of closed standard files from the next file or socket that is opened: what is written there by its
/// number would go into that one.
private func occupyStandardDescriptors() {
    for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) == -1 {
        // Open the other way round, so that reading or writing still fails.
        _ = unsafe open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
}

/// The system's `exit`, which the method of that name hides.
private func endProcess(_ status: Int32) -> Never {
    exit(status)
}
