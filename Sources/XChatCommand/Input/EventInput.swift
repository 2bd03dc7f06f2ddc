import ArgumentParser
import XChat
import XChatEngine
import XChatEvents

/// The options of a command that opens events: the files with the events, and the state.
struct EventInput: ParsableArguments {
    @OptionGroup
    var state: StateOptions

    @Argument(help: ArgumentHelp("Files of events; - is standard input. (default: -)", valueName: "file"))
    var files: [String] = []

    /// Each event, and the result of opening it.
    ///
    /// They are opened together, because key change events and group changes affect the other events of the input.
    func opened() async throws -> [(received: Result<MessageEvent, XChatError>, result: Result<Event, XChatError>)] {
        var session = try await state.offlineSession()
        let events = try concurrentMap(EventLines.read(files)) { $0.event }
        return zip(events, session.open(events)).map { ($0, $1) }
    }
}

extension EventLines.Line {
    /// The event of the line, or why it is not an event.
    fileprivate var event: Result<MessageEvent, XChatError> {
        switch self {
        case .tooLong: .failure(XChatError(.tooLarge, "the line is longer than \(EventLines.maximumLineBytes) bytes"))
        case .text(let bytes): MessageEvent.decoded(base64: bytes)
        }
    }
}
