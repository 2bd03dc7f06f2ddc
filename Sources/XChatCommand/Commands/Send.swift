import ArgumentParser
import XChat
import XChatEngine

struct Send: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encrypt, sign and send one message, with files if wanted.",
        discussion: """
            Prints {"message_id": "…", "sequence_id": "…", "conversation_id": "…"}. The text is taken whole and unchanged \
            from standard input where neither a text nor a file is given. A text that begins with a dash stands behind --: \
            xchat send 2222 -- "-5 degrees"

            The newest conversation key of the state is used; where there is none, the conversation's key changes are \
            fetched. A conversation without any key is never given one: that is what "conversation start" does. After a \
            removal of members, or after changed keys of a participant were accepted, the newest key does not encrypt any \
            more; --rotate gives the conversation a new one first.

            The message is sealed once and kept in the outbox, as ciphertext, until the server has it. While there is no \
            network it waits there; the next message of the conversation sends it first, and so does "outbox retry". One \
            that was sealed under a key that is no longer the newest is sealed anew.

            Files are encrypted under the same key and uploaded before the message, which names their last path component, \
            size, type and dimensions: told from their first bytes. A message takes up to ten images, animations and \
            videos, or one file of another kind.
            """
    )

    @Argument(
        help: ArgumentHelp("The other user's id, two ids as A:B or A-B, or a group as g and digits.", valueName: "to")
    )
    var to: ConversationArgument

    @Argument(help: "The text of the message.")
    var text: String?

    @Option(help: ArgumentHelp("A file to send with the text; may be repeated.", valueName: "file"))
    var attach: [String] = []

    @Flag(help: "Give the conversation a new key first, if the newest one must not encrypt any more.")
    var rotate = false

    @Flag(help: "Show no progress of uploads on the terminal.")
    var quiet = false

    @OptionGroup
    var sending: SendingOptions

    @OptionGroup
    var state: StateOptions

    @OptionGroup
    var server: ServerOptions

    func run() async throws {
        let sender = try await Sender(state, server, sending, rotates: rotate)
        let conversation = try sender.account.conversation(to.id)
        guard !attach.isEmpty else {
            let draft = Draft.text(try text ?? readStandardInputText())
            return try Output.result(try await sender.send(draft, in: conversation).line)
        }
        let answer = try await sender.send(text ?? "", with: attach, in: conversation, isQuiet: quiet)
        try Output.result(answer.line)
    }
}
