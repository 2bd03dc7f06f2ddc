package import XChatEngine
package import XChatEvents

/// Decodes an event that the server listed for a conversation, and refuses it if it names another one.
///
/// - Parameters:
///   - encoded: The base64 of the event.
///   - conversation: The conversation that was asked for.
/// - Returns: The event; `inconsistent` for one of another conversation, `not_an_event`, `too_large`.
package func event(
    _ encoded: String,
    servedFor conversation: ConversationID
) -> Result<MessageEvent, XChatError> {
    MessageEvent.decoded(base64: encoded.utf8).flatMap { event in
        Result { () throws(XChatError) in
            try event.require(conversation)
            return event
        }
    }
}
