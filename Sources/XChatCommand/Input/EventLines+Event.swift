import XChat
import XChatEvents

extension EventLines.Line {
    /// The event of the line, or why it is none.
    var event: Result<MessageEvent, XChatError> {
        switch self {
        case .tooLong:
            return .failure(XChatError(.tooLarge, "the line is longer than \(EventLines.maximumLineBytes) bytes"))
        case .text(let bytes):
            return Result { () throws(XChatError) in try XChatEvents.MessageEvent(line: bytes) }
        }
    }
}

extension MessageEvent {
    /// Reads the base64 of one event.
    init(line: [UInt8]) throws(XChatError) {
        do {
            try self.init(decoding: try Base64.decode(line))
        } catch {
            let code: XChatError.Code = error.code == .tooLarge ? .tooLarge : .notAnEvent
            throw XChatError(code, "\(error)")
        }
    }
}
