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
        abstract: "Encrypt, sign, send, read, verify and inspect messages of X Chat.",
        discussion: """
            Results go to standard output, everything else to standard error. The exit status is 0 when everything \
            was done and verified, 1 when something failed or did not verify, and 2 when the arguments are wrong.

            No option takes a private key, a token, a passphrase or a PIN, because other users of this machine can \
            see the arguments of a process. They come from:

            - private keys: the session file (--session) or the account file;
            - the passphrase of the account file: XCHAT_PASSPHRASE_FILE, else XCHAT_PASSPHRASE, else the terminal;
            - the access token of the user: XCHAT_TOKEN, else "xchat login";
            - the bearer token of the app, for "read --follow" and "chat": XCHAT_APP_TOKEN;
            - the PIN of the key backup: XCHAT_PIN_FILE, else the terminal or standard input.

            "xchat demo" shows each step of a message, without network or account.

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
        Descriptor.occupyStandardStreams()
        limitHelpWidth()
        // Otherwise a closed pipe would end the process in the middle of writing a file; each write reports it instead.
        _ = signal(SIGPIPE, SIG_IGN)
        guard let arguments = CommandLine.validArguments else {
            Output.note(
                "Error: an argument is not UTF-8. If the path of a file is not, change into its folder, and name the file alone."
            )
            endProcess(2)
        }
        endProcess(await run(arguments))
    }
}

extension CommandLine {
    /// The arguments without the program's name; nil if one is not UTF-8, which ``arguments`` would repair silently.
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

/// Limits the width of help texts to 40 to 1000 columns, which the argument parser can use.
///
/// The parser uses `COLUMNS`, or else the width of the terminal, unchecked, and traps if its left column does not fit.
/// A terminal that is narrower breaks the lines itself.
private func limitHelpWidth() {
    let set = (try? Environment.text("COLUMNS")).flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    let columns = min(max(set ?? Descriptor.standardOutput.columns ?? 80, 40), 1000)
    _ = unsafe setenv("COLUMNS", String(columns), 1)
}

/// Keeps the memory of this process, which holds keys, from core dumps and from other processes of the user.
///
/// - Parameter exceptReports: Whether a crash reporter, which is another process, may read the memory.
private func forbidCoreDumps(exceptReports: Bool) {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    #if canImport(Glibc)
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    #else
        _ = unsafe setrlimit(RLIMIT_CORE, &none)
    #endif
    // The kernel does not apply the limit if core dumps are piped to a program.
    if !exceptReports { _ = process_forbid_dumps() }
}

/// Calls the system's `exit`, which the static method `exit` of the command hides.
private func endProcess(_ status: Int32) -> Never {
    exit(status)
}
