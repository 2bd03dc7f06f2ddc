package import XChatEvents

extension Session {
    /// Decodes, verifies and decrypts events as the API serves them, over all cores; as `open(_:)` of the decoded
    /// events.
    ///
    /// - Parameter events: The base64 of events, oldest first, key changes at their places among them.
    /// - Returns: One result for each event, in the order of the input; also `not_an_event` and `too_large`.
    public mutating func open(base64 events: [String]) -> [Result<Event, XChatError>] {
        open(concurrentMap(events) { MessageEvent.decoded(base64: $0.utf8) })
    }
}

extension MessageEvent {
    /// The event of a text of base64, or why it is not an event.
    package static func decoded(base64: some Sequence<UInt8>) -> Result<MessageEvent, XChatError> {
        Result { () throws(XChatError) in
            let bytes = Array(base64)
            do throws(EventError) {
                return try MessageEvent(base64: bytes.span)
            } catch {
                throw XChatError(error.code == .tooLarge ? .tooLarge : .notAnEvent, "\(error)")
            }
        }
    }
}
