import XChat
import XChatEngine
import XChatEvents

/// What a command that brings a new key prints.
func answer(_ change: KeyChange, sequenceID: WireString?) -> JSONValue {
    [
        "conversation_id": .string(change.conversationID.value),
        "conversation_key_version": .string(change.version),
        "sequence_id": .init(sequenceID),
    ]
}
