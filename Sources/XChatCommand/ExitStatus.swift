import ArgumentParser
import XChat

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
            return report(error)
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
        } catch let error where error is ValidationError || error is CleanExit {
            return report(error)
        } catch let error where exitCode(for: error) == .success {
            return report(error)
        } catch {
            Output.note("xchat: \(visible(message(of: error)))")
            return 1
        }
    }

    /// Ends a command line that did not come to run: with help that was asked for, or with what is wrong in it.
    private static func report(_ error: any Error) -> Int32 {
        let text = fullMessage(for: error)
        guard exitCode(for: error) == .success else {
            Output.note(text)
            return 2
        }
        return (try? Output.result(text)) == nil ? 1 : 0
    }

    private static func message(of error: any Error) -> String {
        // What the engine reports to scripts has its code; a person is better served by the sentence.
        (error as? XChatError)?.message ?? "\(error)"
    }
}
