import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatFiles
import XChatText

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

extension EventLines {
    /// The lines of all files in their order; `-` is standard input, and so is an empty list.
    static func read(_ paths: [String]) throws -> [Line] {
        var reader = EventLines()
        for path in paths.isEmpty ? ["-"] : paths {
            let source = try openInput(path)
            while true {
                let chunk = try source.read(upTo: 1 << 16)
                guard !chunk.isEmpty else { break }
                reader.append(chunk)
            }
            reader.endInput()
        }
        return reader.lines
    }
}
