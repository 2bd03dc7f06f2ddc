import ArgumentParser
import XChat
import XChatEvents
import XChatHTTP

struct Conversation: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start conversations, and give them new keys.",
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

            The other user's keys are fetched from the server and pinned on first use; one's own come from the state.
            """
    )

    @Argument(
        help: ArgumentHelp("The other user's id, or both ids as A:B or A-B.", valueName: "to")
    )
    var to: ConversationArgument

    @OptionGroup
    var state: StateOptions

    @OptionGroup
    var server: ServerOptions

    func run() async throws {
        var remote = try RemoteSession(state, server)
        let conversation = try remote.conversation(to)
        guard let (first, second) = conversation.participants else {
            throw CommandError("a conversation of two is started with a user's id; \(conversation) is none")
        }
        try await remote.changeKey(of: conversation, members: first == second ? [first] : [first, second])
    }
}

struct ConversationRotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Give a conversation or a group a new key.",
        discussion: """
            Makes a conversation key, wraps it for every present member and posts it, signed. What was sent before stays \
            under the old one. Prints {"conversation_id": "…", "conversation_key_version": "…", "sequence_id": "…"}.

            The members of a group come from the server; where its signed events name others, nothing is done.
            """
    )

    @Argument(
        help: ArgumentHelp("The other user's id, two ids as A:B or A-B, or a group as g and digits.", valueName: "to")
    )
    var to: ConversationArgument

    @OptionGroup
    var state: StateOptions

    @OptionGroup
    var server: ServerOptions

    func run() async throws {
        var remote = try RemoteSession(state, server)
        let conversation = try remote.conversation(to)
        try await remote.changeKey(of: conversation, members: try await remote.members(of: conversation))
    }
}

extension RemoteSession {
    /// Makes a key for a conversation, posts it, keeps it, and prints where it stands.
    fileprivate mutating func changeKey(of conversation: ConversationID, members: [UserID]) async throws {
        let participants = try await keys(of: members)
        let change = try prepare { (session) throws(XChatError) in
            try session.prepareKeyChange(in: conversation, participants: participants)
        }
        let added = try await client.addKeys(change)
        try announce(change, sequenceID: added.sequenceID)
    }
}
