import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatFiles

struct Send: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encrypt, sign and send one message, with files if wanted.",
        discussion: """
            Prints {"message_id": "…", "sequence_id": "…", "conversation_id": "…"}. The text is taken whole and unchanged \
            from standard input where neither a text nor a file is given; an empty one is refused without --allow-empty, \
            because it is what a failed command leaves in a pipe. Put a text that begins with a dash after --: \
            xchat send 2222 -- "-5 degrees"

            The newest conversation key of the state is used; if it has no key, the conversation's key changes are \
            fetched. A conversation without any key is never given one: that is what "conversation start" does. After a \
            removal of members, or after changed keys of a participant were accepted, the newest key does not encrypt any \
            more; --rotate gives the conversation a new one first.

            The message is sealed once and kept in the outbox, as ciphertext, until the server has it. While there is no \
            network it waits there; the next message of the conversation sends it first, and so does "outbox retry". One \
            that was encrypted under a key that is no longer the newest is encrypted again.

            Files are encrypted under the same key and uploaded before the message, which names their last path component, \
            size, type and dimensions, read from their first bytes. A message takes up to ten images, animations and \
            videos, or one file of another kind. Each file has an --attach of its own.

            Example:
              xchat send 2222 "hello" --session alice.json
              xchat send 2222 "the plan" --attach plan.pdf --session alice.json
            """
    )

    @Argument(help: .conversation("to"), transform: ConversationArgument.init)
    var to: ConversationArgument

    @Argument(help: "The text of the message.")
    var text: String?

    @Option(
        help: ArgumentHelp("A file to send with the text; may be repeated.", valueName: "file"),
        completion: .file()
    )
    var attach: [String] = []

    @Flag(help: "Give the conversation a new key first, if the newest one must not encrypt any more.")
    var rotate = false

    @OptionGroup
    var empty: EmptyTextOptions

    @Flag(help: "Show no progress of uploads on the terminal.")
    var quiet = false

    @OptionGroup
    var sending: SendingOptions

    @OptionGroup
    var options: AccountOptions

    func validate() throws {
        // A shell turns "--attach *.jpg" into one file to attach and one text.
        guard let text, !attach.isEmpty, (try? Files.size(text)) != nil else { return }
        let files = (attach + [text]).map { "--attach \(quoted($0))" }.joined(separator: " ")
        throw ValidationError(
            "\(quoted(text)) is the name of a file, and was given as the text. To send the files: \(files). A text that is the "
                + "name of a file goes in a message without files."
        )
    }

    func run() async throws {
        let sender = try await Sender(options, sending, rotates: rotate)
        let conversation = try await sender.account.conversation(to)
        guard !attach.isEmpty else {
            let draft = Draft.text(try empty.checked(try text ?? readStandardInputText()))
            return try await sender.send(draft, in: conversation)
        }
        try await sender.send(text ?? "", with: attach, in: conversation, isQuiet: quiet)
    }
}

/// Whether a text may be empty.
struct EmptyTextOptions: ParsableArguments {
    @Flag(help: "Take an empty text too.")
    var allowEmpty = false

    /// The text, unless it is empty and must not be.
    func checked(_ text: String) throws -> String {
        guard allowEmpty || !text.utf8.isEmpty else {
            throw CommandError("the text is empty, so nothing was sent; --allow-empty sends it")
        }
        return text
    }
}
