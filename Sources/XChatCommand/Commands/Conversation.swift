import ArgumentParser
import XChat
import XChatEvents
import XChatHTTP

struct Conversation: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start conversations.",
        subcommands: [ConversationStart.self]
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
        let session = remote.session
        let conversation = remote.conversation(to)
        guard let (first, second) = conversation.participants else {
            throw CommandError("a conversation of two is started with a user's id; \(conversation) is none")
        }
        guard first == session.userID || second == session.userID else {
            throw CommandError("user \(session.userID) does not belong to the conversation \(conversation)")
        }
        guard let keys = session.privateKeys, let version = session.signingKeyVersion else {
            throw CommandError("one's own keys are not registered yet: xchat keys register")
        }
        var participants = [try keys.boundKey(userID: session.userID, version: version)]
        let peer = first == session.userID ? second : first
        if peer != session.userID {
            let served = try await remote.servedKeys(of: peer)
            guard !served.isEmpty else { throw CommandError("user \(peer) has no keys registered with this server") }
            participants += served
        }
        let change = try remote.prepareKeyChange(in: conversation, participants: participants)
        let added = try await remote.client.addKeys(change)
        remote.adopt(change)
        try remote.save()
        let answer: JSONValue = [
            "conversation_id": .string(conversation.value),
            "conversation_key_version": .string(change.version),
            "sequence_id": .init(added.sequenceID),
        ]
        try Output.result(answer.line)
    }
}
