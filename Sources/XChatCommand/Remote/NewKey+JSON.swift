import XChat
import XChatEvents

extension NewKey {
    /// What a command that brings a new key prints.
    var json: JSONValue {
        [
            "conversation_id": .string(conversation.text),
            "conversation_key_version": .string(version),
            "sequence_id": .init(sequenceID),
        ]
    }
}
