import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP

struct Conversation: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start conversations, and give them new keys.",
        discussion: """
            Example:
              xchat conversation start 2222 --session alice.json
            """,
        subcommands: [ConversationStart.self, ConversationRotate.self]
    )
}

struct ConversationStart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Give a conversation of two a fresh key.",
        discussion: """
            Makes a conversation key, wraps it for both and posts it, signed. Used on a conversation that has a key, it \
            replaces the key for what is sent from then on. Prints {"conversation_id": "…", "conversation_key_version": \
            "…", "sequence_id": "…"}.

            The other user's keys are fetched from the server and pinned on first use; the own keys come from the state.

            Example:
              xchat conversation start 2222 --session alice.json
            """
    )

    @Argument(
        help: ArgumentHelp("The other user: an id, a handle as in @bob, or both ids as A:B or A-B.", valueName: "to"),
        transform: ConversationArgument.init
    )
    var to: ConversationArgument

    @OptionGroup
    var options: AccountOptions

    func run() async throws {
        let account = try await options.account()
        let conversation = try await account.conversation(to)
        guard conversation.participants != nil else {
            throw CommandError("\(conversation) is not a conversation of two; start one with the id of a user")
        }
        let key = try await naming(conversation) { try await account.changeKey(of: conversation) }
        try Output.result(of: "\(conversation) has a new key", key.json)
    }
}

struct ConversationRotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Give a conversation or a group a new key.",
        discussion: """
            Makes a conversation key, wraps it for every present member and posts it, signed. What was sent before stays \
            under the old one. Prints {"conversation_id": "…", "conversation_key_version": "…", "sequence_id": "…"}.

            The key goes to the members of the group's membership log, see "group log", and is wrapped to their pinned keys.

            Example:
              xchat conversation rotate 2222 --session alice.json
            """
    )

    @Argument(help: .conversation("to"), transform: ConversationArgument.init)
    var to: ConversationArgument

    @OptionGroup
    var options: AccountOptions

    func run() async throws {
        let account = try await options.account()
        let conversation = try await account.conversation(to)
        let key = try await naming(conversation) { try await account.changeKey(of: conversation) }
        try Output.result(of: "\(conversation) has a new key", key.json)
    }
}
