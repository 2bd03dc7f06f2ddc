import Foundation
package import XChat
package import XChatEngine
import XChatEvents

extension NewKey {
    /// The output of a command that gives a conversation a new key.
    package var json: JSONValue {
        [
            "conversation_id": .string(conversation.text),
            "conversation_key_version": .string(version),
            "sequence_id": .init(sequenceID),
        ]
    }
}

extension Membership {
    /// The last line of `group log`.
    package var summaryJSON: JSONValue {
        [
            "members": .init(present.sorted()),
            "former_members": .init(bars.keys.sorted()),
            "unjudged": .number(unjudged.count),
        ]
    }
}

extension OutboxEntry {
    /// A line of `outbox list`.
    package var json: JSONValue {
        [
            "message_id": .string(messageID),
            "conversation_id": .string(conversationID.text),
            "conversation_key_version": .string(conversationKeyVersion),
            "state": .string(state.rawValue),
            "failures": .number(failures),
            "reason": reason.map { .string($0) } ?? .null,
            "sequence_id": sequenceID.map { .string($0) } ?? .null,
            "replaces": replaces.map { .string($0) } ?? .null,
            "replaced_by": replacedBy.map { .string($0) } ?? .null,
            "enqueued_at": .string(enqueuedAt.formatted(.iso8601)),
            "not_before": notBefore.map { .string($0.formatted(.iso8601)) } ?? .null,
        ]
    }

    /// The output of a command that sent the message.
    package var sentJSON: JSONValue {
        [
            "message_id": .string(messageID),
            "sequence_id": .init(sequenceID),
            "conversation_id": .string(conversationID.text),
        ]
    }
}
