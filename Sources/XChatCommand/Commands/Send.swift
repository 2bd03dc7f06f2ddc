import ArgumentParser
import XChat

struct Send: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encrypt, sign and send one message.",
        discussion: """
            Prints {"message_id": "…", "sequence_id": "…", "conversation_id": "…"}. The text is taken whole and unchanged \
            from standard input where none is given.

            The newest conversation key of the state is used; where there is none, the conversation's key changes are \
            fetched. A conversation without any key is never given one: that is what "conversation start" does.
            """
    )

    @Argument(
        help: ArgumentHelp("The other user's id, two ids as A:B or A-B, or a group as g and digits.", valueName: "to")
    )
    var to: ConversationArgument

    @Argument(help: "The text of the message.")
    var text: String?

    @OptionGroup
    var state: StateOptions

    @OptionGroup
    var server: ServerOptions

    func run() async throws {
        var remote = try RemoteSession(state, server)
        let draft = Draft.text(try text ?? readStandardInputText())
        try Output.result(try await remote.send(draft, in: remote.conversation(to)).line)
    }
}
