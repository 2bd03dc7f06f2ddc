import XChat
import XChatEngine
import XChatEvents

extension EventLines.Line {
    /// The event of the line, or why it is not an event.
    var event: Result<MessageEvent, XChatError> {
        switch self {
        case .tooLong:
            return .failure(XChatError(.tooLarge, "the line is longer than \(EventLines.maximumLineBytes) bytes"))
        case .text(let bytes):
            return MessageEvent.decoded(base64: bytes)
        }
    }
}
