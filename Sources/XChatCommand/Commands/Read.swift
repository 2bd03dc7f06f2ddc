import ArgumentParser
import XChat
import XChatEvents
import XChatHTTP

struct Read: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read a conversation: fetch, verify and decrypt all of it.",
        discussion: """
            Walks all pages and prints the events oldest first; --json prints them as the lines of "decrypt". Key changes \
            are used and not printed. Keys of other people are pinned on first use; keys that differ from the pins are \
            not used, see "keys trust". The exit status is 1 if any event failed.
            """
    )

    @Argument(
        help: ArgumentHelp(
            "The other user's id, two ids as A:B or A-B, or a group as g and digits.",
            valueName: "conversation"
        )
    )
    var conversation: ConversationArgument

    @Flag(help: "Print one line of JSON per event.")
    var json = false

    @OptionGroup
    var state: StateOptions

    @OptionGroup
    var server: ServerOptions

    func run() async throws {
        var remote = try RemoteSession(state, server)
        let results = try await remote.history(of: remote.conversation(conversation))
        try remote.save()
        var failed = !remote.distrusted.isEmpty
        for (index, result) in results.enumerated() {
            try Output.result(json ? resultJSON(result, index: index).line : eventText(result))
            if case .failure = result {
                failed = true
            }
        }
        if failed {
            throw ExitCode.failure
        }
    }
}
