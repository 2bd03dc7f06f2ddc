import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatFiles
import XChatText

struct Encrypt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encrypt and sign one message.",
        discussion: """
            Prints the body of a request to POST /2/chat/conversations/{id}/messages as one line of JSON. If neither \
            --text nor --draft is given, all of standard input is the text, unchanged.

            A draft is a JSON file. Its "kind" names a call of X's SDK, and its other members are the parameters of \
            the call:

            - message: text, entities, attachments, quick_reply, should_notify, ttl_msec
            - reply: those of message, and reply_to_event, reply_to_edit_event, reply_to_ckces, \
            reply_to_sequence_id, reply_to_sender_id, reply_to_text, reply_to_entities, reply_to_attachments
            - add_reaction and remove_reaction: target_event, emoji, target_message_sequence_id
            - edit: target_event, updated_text, entities, target_message_sequence_id

            Events in a draft are base64. Entities are [start, end, type]: an entity ends before "end", and the type \
            is url, mention, hashtag, cashtag, email, address or phone_number. For example: {"kind": "message", \
            "text": "#a", "entities": [[0, 2, "hashtag"]], "ttl_msec": 60000}.

            Example:
              xchat encrypt --conversation 2222 --text "hello" --event --session alice.json
            """
    )

    @OptionGroup
    var state: StateOptions

    @OptionGroup
    var encryption: EncryptionOptions

    // A text, unlike other values, may begin with a dash.
    @Option(parsing: .unconditional, help: "The text of the message.")
    var text: String?

    @Option(help: ArgumentHelp("A file with the message as JSON; - is standard input.", valueName: "file"))
    var draft: String?

    @Flag(help: "Print the base64 event that a recipient would receive, instead of the request's body.")
    var event = false

    func validate() throws {
        guard text == nil || draft == nil else {
            throw ValidationError("--text and --draft cannot be combined; give one of them.")
        }
    }

    func run() async throws {
        let (session, conversation) = try await state.offlineSession(in: encryption.conversation)
        let message = try session.seal(
            try message(),
            in: conversation,
            keyVersion: encryption.conversationKeyVersion
        )
        if event {
            try Output.result(Base64.encode(message.event.encoded()))
        } else {
            try Output.result(message.requestBody.line)
        }
    }

    private func message() throws -> Draft {
        if let draft {
            return try Draft(
                parsing: try openInput(draft).readAll(limit: maximumInputBytes),
                document: quoted(draft)
            )
        }
        return .text(try text ?? readStandardInputText())
    }
}

/// The options that name the conversation to encrypt for, and the version of its key.
struct EncryptionOptions: ParsableArguments {
    @Option(help: .conversation("id"), transform: ConversationArgument.init)
    var conversation: ConversationArgument

    @Option(keyVersion: "The version of the conversation key to encrypt with. (default: the newest of the state)")
    var conversationKeyVersion: KeyVersion?
}

extension Option where Value == KeyVersion? {
    /// The version of a conversation key.
    init(keyVersion help: String) {
        self.init(help: ArgumentHelp(help, valueName: "version"), transform: { KeyVersion($0) })
    }
}
