import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatText

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
        abstract: "Start a 1:1 conversation with a new key.",
        discussion: """
            Makes a conversation key, wraps it for both users, signs the key change event and posts it. If the \
            conversation has a key already, the new one replaces it for later messages. Prints {"conversation_id": \
            "…", "conversation_key_version": "…", "sequence_id": "…"}.

            The other user's keys are fetched from the server and pinned on first use. Your own keys come from the \
            state.

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
            throw CommandError(
                "\(conversation) is not a 1:1 conversation; give the id of a user, or for a group use: xchat group create"
            )
        }
        try await account.printNewKey(of: conversation)
    }
}

struct ConversationRotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Give a conversation or a group a new key.",
        discussion: """
            Makes a conversation key, wraps it for every present member, signs the key change event and posts it. \
            Earlier messages stay encrypted under the old key. Prints {"conversation_id": "…", \
            "conversation_key_version": "…", "sequence_id": "…"}.

            The members of a group are those of its membership log (see "group log"). The key is wrapped for their \
            pinned keys.

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
        try await account.printNewKey(of: conversation)
    }
}

extension Account {
    fileprivate func printNewKey(of conversation: ConversationID) async throws {
        let key = try await naming(conversation) { try await changeKey(of: conversation) }
        try Output.result(of: "\(conversation) has a new key", key.json)
    }
}
