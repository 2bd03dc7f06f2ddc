import ArgumentParser
import XChat
import XChatEvents
import XChatHTTP

struct Send: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encrypt, sign and send one message.",
        discussion: """
            Prints {"message_id": "…", "sequence_id": "…", "conversation_id": "…"}. The text is taken whole and unchanged \
            from standard input where none is given.

            The newest conversation key of the state is used; where there is none, the conversation's key changes are \
            fetched. A conversation without any key is never given one: that is what "conversation start" does.
            """
    )

    @Argument(
        help: ArgumentHelp("The other user's id, two ids as A:B or A-B, or a group as g and digits.", valueName: "to")
    )
    var to: ConversationArgument

    @Argument(help: "The text of the message.")
    var text: String?

    @OptionGroup
    var state: StateOptions

    @OptionGroup
    var server: ServerOptions

    func run() async throws {
        var remote = try RemoteSession(state, server)
        let draft = Draft.text(try text ?? readStandardInputText())
        let conversation = remote.conversation(to)
        if remote.session.keyRing.newestVersion(in: conversation) == nil {
            try await fetchKeys(of: conversation, &remote)
        }
        let sent = try await post(try remote.session.seal(draft, in: conversation), remote.client)
        let answer: JSONValue = [
            "message_id": .string(sent.messageID),
            "sequence_id": .string(sent.sequenceID),
            "conversation_id": .string(sent.conversationID.value),
        ]
        try Output.result(answer.line)
    }

    private func fetchKeys(of conversation: ConversationID, _ remote: inout RemoteSession) async throws {
        do {
            _ = try await remote.history(of: conversation)
        } catch let error as APIError {
            guard error.code == .notFound else { throw error }
            throw CommandError(
                "the server has no conversation \(conversation); begin it with: xchat conversation start \(to.id)"
            )
        }
        try remote.save()
    }

    private func post(_ message: SealedMessage, _ client: ChatClient) async throws -> SentMessage {
        do {
            return try await client.send(message)
        } catch {
            guard error.failure == .nonLatestCkeyVersion else { throw error }
            throw CommandError(
                "the conversation has a newer key than the state, and the server refused the message; "
                    + "fetch the key with: xchat read \(message.conversationID)"
            )
        }
    }
}
