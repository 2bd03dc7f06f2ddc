import ArgumentParser
import XChat
import XChatEngine
import XChatHTTP

extension XChatCommand {
    /// Runs one command line and says how it ended.
    ///
    /// - Parameter arguments: The arguments, without the name of the program.
    /// - Returns: The exit status: 0 done, 1 failed or not verified, 2 wrong use of the arguments.
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
            // The arguments of a command that ran; its own usage belongs to it.
            Output.note(visible("Error: \(error)\n\n\(usageString(for: type(of: command)))", keepingNewlines: true))
            return 2
        } catch let error where exitCode(for: error) == .success {
            return report(error, arguments)
        } catch {
            Output.note("xchat: \(visible(message(of: error)))")
            return 1
        }
    }

    /// Ends a command line that did not come to run: with help that was asked for, or with what is wrong in it.
    private static func report(_ error: any Error, _ arguments: [String]) -> Int32 {
        let hint = dashHint(arguments)
        guard exitCode(for: error) == .success else {
            // Arguments are quoted in it, and they may come from another user.
            let text = fullMessage(for: error) + (hint.map { "\n\($0)" } ?? "")
            Output.note(visible(text, keepingNewlines: true))
            return 2
        }
        // The letters of "-thanks" are taken for options, and its h for -h.
        guard asksForHelp(arguments) else {
            Output.note("Error: \(hint ?? "There is no such command.")")
            return 2
        }
        return (try? Output.result(fullMessage(for: error))) == nil ? 1 : 0
    }

    /// Whether help is what the arguments want, and not a text or a wrong name: a group of commands alone does too.
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

    /// What to do about a text that was taken for options.
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
        // What the engine reports to scripts has its code; a person is better served by the sentence.
        switch error {
        case let error as XChatError: error.message
        case let error as APIError where error.code == .signInNeeded: error.detail + Output.signInAdvice
        case let error as AccountError: error.message + Output.advice(error)
        default: "\(error)"
        }
    }
}
