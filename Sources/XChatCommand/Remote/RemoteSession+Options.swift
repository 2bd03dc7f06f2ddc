import XChat
import XChatEngine
import XChatEvents
import XChatHTTP

extension RemoteSession {
    /// The user's session and the server that the options name.
    init(_ state: StateOptions, _ server: ServerOptions) throws {
        try self.init(store: try state.store(), client: try server.client(), notify: Output.notice)
    }

    /// The conversation that an argument names, in canonical form.
    func conversation(_ argument: ConversationArgument) throws(AccountError) -> ConversationID {
        try conversation(argument.id)
    }
}

/// What a command that brings a new key prints.
func answer(_ change: KeyChange, sequenceID: WireString?) -> JSONValue {
    [
        "conversation_id": .string(change.conversationID.value),
        "conversation_key_version": .string(change.version),
        "sequence_id": .init(sequenceID),
    ]
}
