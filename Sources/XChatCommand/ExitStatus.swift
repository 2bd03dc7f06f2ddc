import ArgumentParser
import XChat
import XChatEngine
import XChatHTTP

extension XChatCommand {
    /// Runs one command line.
    ///
    /// - Parameter arguments: The arguments, without the name of the program.
    /// - Returns: The exit status: 0 for success, 1 if something failed or did not verify, 2 for wrong arguments.
    static func run(_ arguments: [String]) async -> Int32 {
        let command: any ParsableCommand
        do {
            command = try await asyncParseAsRoot(arguments)
        } catch {
            return report(error, arguments)
        }
        do {
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                var command = command
                try command.run()
            }
            return 0
        } catch is BrokenPipe {
            return 1
        } catch let status as ExitCode {
            return status.rawValue
        } catch let error as ValidationError {
            // The command found the wrong arguments while it ran, so its usage is printed, not that of the root.
            Output.note("Error: \(visible("\(error)"))\n\n\(usageString(for: type(of: command)))")
            return 2
        } catch let error where exitCode(for: error) == .success {
            return report(error, arguments)
        } catch {
            Output.note("xchat: \(visible(message(of: error)))")
            return 1
        }
    }

    /// Prints the help that was requested, or why the arguments could not be parsed; returns the exit status.
    private static func report(_ error: any Error, _ arguments: [String]) -> Int32 {
        let hint = dashHint(arguments)
        guard exitCode(for: error) == .success else {
            // The text contains arguments, which another user may have written. A newline in one would begin a line of
            // its own, so the arguments are parsed again with control characters escaped.
            let escaped = arguments.map { visible($0) }
            let text: String
            do {
                _ = try parseAsRoot(escaped)
                text = visible(fullMessage(for: error))
            } catch {
                text = visible(fullMessage(for: error), keepingNewlines: true)
            }
            Output.note(text + (hint.map { "\n\($0)" } ?? ""))
            return 2
        }
        // The parser reads "-thanks" as single-letter options, and its h as -h.
        guard asksForHelp(arguments) else {
            Output.note("Error: \(hint ?? "There is no such command; xchat help lists the commands.")")
            return 2
        }
        return (try? Output.result(fullMessage(for: error))) == nil ? 1 : 0
    }

    /// Whether the arguments request help; the name of a command with subcommands alone does too.
    private static func asksForHelp(_ arguments: [String]) -> Bool {
        if arguments.first == "help" { return isCommand(arguments.dropFirst()) }
        let isAsked = arguments.prefix { $0 != "--" }.contains { argument in
            ["-h", "--help", "--help-hidden", "--experimental-dump-help"].contains(argument)
                || argument.hasPrefix("--generate-completion-script")
        }
        return isAsked || isCommand(arguments[...])
    }

    private static func isCommand(_ names: ArraySlice<String>) -> Bool {
        var command: any ParsableCommand.Type = XChatCommand.self
        for name in names {
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == name }) else {
                return false
            }
            command = next
        }
        return true
    }

    /// Advice for a text that was parsed as options, because it begins with a dash.
    private static func dashHint(_ arguments: [String]) -> String? {
        let isText = { (argument: String) in
            let bytes = argument.utf8
            return bytes.count > 1 && bytes.starts(with: "-".utf8) && !bytes.starts(with: "--".utf8)
        }
        guard let text = arguments.prefix(while: { $0 != "--" }).first(where: isText) else { return nil }
        return "Put a text that begins with a dash after --, as in: xchat send TO -- \(quoted(text))"
    }

    /// The sentence of an error for a person.
    static func message(of error: any Error) -> String {
        // The error code is for scripts; a person reads the sentence alone.
        switch error {
        case let error as XChatError: error.message
        case let error as APIError where error.code == .signInNeeded: error.detail + Output.signInAdvice
        case let error as APIError where error.code == .connection: "\(error)\(Output.advice(unreachable: error))"
        case let error as AccountError: error.message + Output.advice(error)
        default: "\(error)"
        }
    }
}
