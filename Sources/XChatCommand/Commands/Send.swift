import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatFiles

struct Send: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encrypt, sign and send one message, with or without files.",
        discussion: """
            Prints {"message_id": "…", "sequence_id": "…", "conversation_id": "…"}. The exit status is 0 only if the \
            server accepted the message.

            If neither a text nor a file is given, all of standard input is the text, unchanged. An empty text is \
            refused without --allow-empty, because a failed command in a pipe leaves an empty text. Put a text that \
            begins with a dash after --: xchat send 2222 -- "-5 degrees"

            The message is encrypted under the newest conversation key of the state. If the state has no key, the \
            conversation's key change events are fetched. This command never creates the first key of a \
            conversation; "conversation start" does. After members were removed, or changed keys of a participant \
            were accepted, the newest key must not encrypt any more; --rotate first gives the conversation a new \
            key.

            The message is encrypted and signed once. It stays in the outbox, as ciphertext, until the server has \
            it. Without a network it waits there; it is sent before the next message of the conversation, or by \
            "outbox retry". If its key is no longer the newest one by then, it is encrypted again.

            Files are encrypted under the same key and uploaded before the message. The message contains, for each \
            file, its name without the folder, its size, and its type and dimensions, which are read from its first \
            bytes. A message takes up to ten images, animations and videos, or one file of another kind. Give \
            --attach once for each file.

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
        help: ArgumentHelp("A file to send with the text; give the option once for each file.", valueName: "file"),
        completion: .file()
    )
    var attach: [String] = []

    @Flag(help: "First give the conversation a new key, if its newest one must not encrypt any more.")
    var rotate = false

    @OptionGroup
    var empty: EmptyTextOptions

    @Flag(help: "Do not show the progress of uploads on the terminal.")
    var quiet = false

    @OptionGroup
    var sending: SendingOptions

    func validate() throws {
        // A shell turns "--attach *.jpg" into one file to attach and one text.
        guard let text, !attach.isEmpty, (try? Files.size(text)) != nil else { return }
        let files = (attach + [text]).map { "--attach \(quoted($0))" }.joined(separator: " ")
        throw ValidationError(
            "\(quoted(text)) is the name of a file, but was given as the text. To send the files, use: \(files). To send this "
                + "text, send it in a message without files."
        )
    }

    func run() async throws {
        let sender = try await Sender(sending, rotates: rotate)
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
    @Flag(help: "Accept an empty text.")
    var allowEmpty = false

    /// The text, unless it is empty and must not be.
    func checked(_ text: String) throws -> String {
        guard allowEmpty || !text.utf8.isEmpty else {
            throw CommandError("the text is empty, so nothing was sent; give a text, or add --allow-empty to send it")
        }
        return text
    }
}
