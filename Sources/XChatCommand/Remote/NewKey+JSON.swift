import XChat
import XChatEvents

extension NewKey {
    /// The output of a command that gives a conversation a new key.
    var json: JSONValue {
        [
            "conversation_id": .string(conversation.text),
            "conversation_key_version": .string(version),
            "sequence_id": .init(sequenceID),
        ]
    }
}
