import ArgumentParser

struct Completion: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a script that completes commands and options in a shell.",
        discussion: """
            The shell reads the script from a file: bash with "source", zsh from a folder of $fpath under the name _xchat, \
            fish from ~/.config/fish/completions/xchat.fish. "script/install" of the sources puts it there.

            Example:
              xchat completion bash > xchat.bash
            """
    )

    /// A shell on the command line.
    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash
        case zsh
        case fish
    }

    @Argument(help: "The shell: bash, zsh or fish.")
    var shell: Shell

    func run() throws {
        let shell: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        try Output.result(XChatCommand.completionScript(for: shell))
    }
}
