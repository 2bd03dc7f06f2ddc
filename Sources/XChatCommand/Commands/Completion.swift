import ArgumentParser

struct Completion: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a script that completes commands and options in a shell.",
        discussion: """
            Prints the script to standard output. Save it where the shell reads it:

            - bash: any file that you load with "source";
            - zsh: a file named _xchat in a folder of $fpath;
            - fish: ~/.config/fish/completions/xchat.fish.

            In the source repository, "script/install" does this.

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
