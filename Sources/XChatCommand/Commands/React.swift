import ArgumentParser
import XChat
import XChatEngine
import XChatEvents

struct React: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put an emoji on a message, or take it back.",
        discussion: """
            Prints {"message_id": "…", "sequence_id": "…", "conversation_id": "…"} of the reaction, which is a message of \
            its own. Put an emoji that begins with a dash after --.

            Example:
              xchat react 2222 5001 👍 --session alice.json
            """
    )

    @OptionGroup
    var target: MessageArguments

    @Argument(help: "The emoji; any text that is not empty.")
    var emoji: String

    @Flag(help: "Take the reaction back.")
    var remove = false

    @OptionGroup
    var sending: SendingOptions

    @OptionGroup
    var options: AccountOptions

    func validate() throws {
        guard !emoji.utf8.isEmpty else { throw ValidationError("The emoji is empty.") }
    }

    func run() async throws {
        let sender = try await Sender(options, sending)
        let reaction = ReactionDraft(emoji, to: target.sequence)
        let draft: Draft = remove ? .removeReaction(reaction) : .addReaction(reaction)
        try await sender.send(draft, in: await sender.account.conversation(target.conversation))
    }
}

struct Edit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give one of your messages a new text.",
        discussion: """
            The text is taken whole and unchanged from standard input where none is given; an empty one is refused without \
            --allow-empty. A text that begins with a dash goes after --. Prints {"message_id": "…", \
            "sequence_id": "…", "conversation_id": "…"} of the edit, which is a message of its own: readers apply it only \
            if the message is yours.

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

    @OptionGroup
    var options: AccountOptions

    func run() async throws {
        let sender = try await Sender(options, sending)
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

/// Refuses what is not digits.
func requireSequenceID(_ argument: String) throws(ValidationError) {
    guard WireString(argument).isDigits else {
        throw ValidationError("\(quoted(argument)) is not a sequence id, which has digits.")
    }
}
