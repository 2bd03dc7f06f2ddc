package import XChatEvents

extension Session {
    /// Decodes events from the base64 that the API serves, on all cores, and opens them like `open(_:)`.
    ///
    /// - Parameter events: Events in base64, oldest first, with key change events at their positions.
    /// - Returns: One result for each event, in the order of the input; the errors include `not_an_event` and
    ///   `too_large`.
    public mutating func open(base64 events: [String]) -> [Result<Event, XChatError>] {
        open(concurrentMap(events) { MessageEvent.decoded(base64: $0.utf8) })
    }
}

extension MessageEvent {
    /// Decodes an event from base64; the failure says why it is not an event.
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
