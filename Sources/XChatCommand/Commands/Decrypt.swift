import ArgumentParser
import XChat
import XChatEvents

struct Decrypt: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify and decrypt events.",
        discussion: """
            Reads base64 events, one per line, and prints one line of JSON for each, in the order of the input: \
            {"index": 0, "event": {…}} in the members of X's SDK for Python, or {"index": 1, "error": {"code": "…", \
            "message": "…"}}. Blank lines are skipped and not counted.

            Key changes in the input supply conversation keys, wherever they stand. The exit status is 1 if any event \
            failed.
            """
    )

    @OptionGroup
    var state: StateOptions

    @Argument(help: ArgumentHelp("Files of events; - is standard input. (default: -)", valueName: "file"))
    var files: [String] = []

    func run() throws {
        var session = try state.store().read().session()
        let events = try concurrentMap(EventLines.read(files)) { $0.event }
        let results = session.open(events)
        try print(results)
    }

    private func print(_ results: [Result<Event, XChatError>]) throws {
        var failed = false
        for (index, result) in results.enumerated() {
            try Output.result(resultJSON(result, index: index).line)
            if case .failure = result {
                failed = true
            }
        }
        if failed {
            throw ExitCode.failure
        }
    }
}

/// What became of one event, as a line of `decrypt` and `read`.
func resultJSON(_ result: Result<Event, XChatError>, index: Int) -> JSONValue {
    switch result {
    case .success(let event):
        let json = eventJSON(
            event.received,
            contents: event.contents,
            isVerified: event.isVerified,
            isReplyValid: event.replyValidation?.isValid
        )
        return ["index": .number(index), "event": json]
    case .failure(let error):
        let json: JSONValue = ["code": .string(error.code.rawValue), "message": .string(error.message)]
        return ["index": .number(index), "error": json]
    }
}
