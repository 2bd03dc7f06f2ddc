package import XChatEngine
package import XChatEvents

/// Takes an event that the server listed for a conversation, unless it belongs to another: the server could mix them.
///
/// - Parameters:
///   - encoded: The base64 of the event.
///   - conversation: The conversation that was asked for.
/// - Returns: The event; `inconsistent` for one of another conversation, `not_an_event`, `too_large`.
package func event(
    _ encoded: String,
    servedFor conversation: ConversationID
) -> Result<MessageEvent, XChatError> {
    Result { () throws(XChatError) in
        let event = try MessageEvent.decoded(base64: encoded.utf8).get()
        if let id = event.conversationID,
            ConversationID(canonicalizing: id, sender: event.senderID ?? "") != conversation
        {
            throw XChatError(.inconsistent, "the event belongs to another conversation")
        }
        return event
    }
}
