import ArgumentParser
import XChat
import XChatEngine
import XChatEvents

struct Decrypt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify and decrypt events.",
        discussion: """
            Reads base64 events, one per line, and prints one line of JSON for each, in the order of the input: \
            {"index": 0, "event": {…}} or {"index": 1, "error": {"code": "…", "message": "…"}}. Blank lines are skipped and \
            not counted.

            An event has the members of X's SDK for Python; "verified"; the names of the members that no signature \
            covers in "unverified_fields"; and marks such as "sender_left": true. An error names the "sequence_id", "id", \
            "sender_id" and "created_at_msec" that a refused event claims.

            Key changes in the input supply conversation keys, wherever they are. The exit status is 1 if any event \
            was refused or is disputed.

            Example:
              xchat decrypt --session bob.json events.txt
            """
    )

    @OptionGroup
    var state: StateOptions

    @Argument(help: ArgumentHelp("Files of events; - is standard input. (default: -)", valueName: "file"))
    var files: [String] = []

    func run() async throws {
        var session = try await state.offlineSession()
        let events = try concurrentMap(EventLines.read(files)) { $0.event }
        try print(session.open(events), of: events)
    }

    private func print(
        _ results: [Result<Event, XChatError>],
        of events: [Result<MessageEvent, XChatError>]
    ) throws {
        var failed = false
        for (index, (result, received)) in zip(results, events).enumerated() {
            try Output.result(resultJSON(result, received: try? received.get(), index: index).line)
            failed = failed || result.isBad
        }
        if failed {
            throw ExitCode.failure
        }
    }
}

extension Result<Event, XChatError> {
    /// Whether the event was refused or is disputed.
    var isBad: Bool {
        switch self {
        case .success(let event): event.marks.contains(.disputedKey)
        case .failure: true
        }
    }
}
