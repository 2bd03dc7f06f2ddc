import ArgumentParser
import XChat
import XChatEngine
import XChatEvents

struct React: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Add a reaction to a message, or remove it.",
        discussion: """
            Prints {"message_id": "…", "sequence_id": "…", "conversation_id": "…"} of the reaction, which is sent as \
            a message of its own. Put an emoji that begins with a dash after --.

            Example:
              xchat react 2222 5001 👍 --session alice.json
            """
    )

    @OptionGroup
    var target: MessageArguments

    @Argument(help: "The emoji; any text that is not empty.")
    var emoji: String

    @Flag(help: "Remove the reaction.")
    var remove = false

    @OptionGroup
    var sending: SendingOptions

    func validate() throws {
        guard !emoji.utf8.isEmpty else { throw ValidationError("The emoji is empty.") }
    }

    func run() async throws {
        let sender = try await Sender(sending)
        let reaction = ReactionDraft(emoji, to: target.sequence)
        let draft: Draft = remove ? .removeReaction(reaction) : .addReaction(reaction)
        try await sender.send(draft, in: await sender.account.conversation(target.conversation))
    }
}

struct Edit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change the text of one of your messages.",
        discussion: """
            Prints {"message_id": "…", "sequence_id": "…", "conversation_id": "…"} of the edit, which is sent as a \
            message of its own. Recipients apply it only if the message is yours.

            If no text is given, all of standard input is the text, unchanged. An empty text is refused without \
            --allow-empty. Put a text that begins with a dash after --.

            Example:
              xchat edit 2222 5001 "a better text" --session alice.json
            """
    )

    @OptionGroup
    var target: MessageArguments

    @Argument(help: "The new text.")
    var text: String?

    @OptionGroup
    var empty: EmptyTextOptions

    @OptionGroup
    var sending: SendingOptions

    func run() async throws {
        let sender = try await Sender(sending)
        let edit = EditDraft(of: target.sequence, text: try empty.checked(try text ?? readStandardInputText()))
        try await sender.send(.edit(edit), in: await sender.account.conversation(target.conversation))
    }
}

/// A message on the command line: its conversation and its sequence id.
struct MessageArguments: ParsableArguments {
    @Argument(help: .conversation("to"), transform: ConversationArgument.init)
    var conversation: ConversationArgument

    @Argument(help: ArgumentHelp("The sequence id of the message.", valueName: "sequence-id"))
    var sequenceID: String

    var sequence: SequenceID { SequenceID(sequenceID) }

    func validate() throws { try requireSequenceID(sequenceID) }
}

/// Throws unless an argument consists of digits.
func requireSequenceID(_ argument: String) throws(ValidationError) {
    guard WireString(argument).isDigits else {
        throw ValidationError(
            "\(quoted(argument)) is not a sequence id, which has only digits. \"xchat read\" prints it."
        )
    }
}
