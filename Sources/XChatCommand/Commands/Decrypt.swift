import ArgumentParser
import XChatEngine
import XChatEvents
import XChatText

struct Decrypt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify and decrypt events.",
        discussion: """
            Reads base64 events, one per line; blank lines are skipped and not counted. Prints one line of JSON for \
            each event, in the order of the input: {"index": 0, "event": {…}} or {"index": 1, "error": {"code": "…", \
            "message": "…"}}. The exit status is 1 if an event was refused or is marked "disputed_key".

            An event has the members that X's SDK for Python gives it, and in addition: "verified"; \
            "unverified_fields", with the names of the members that no signature covers; and marks such as \
            "sender_left": true. The error of a refused event also has the "sequence_id", "id", "sender_id" and \
            "created_at_msec" that the event claims.

            The keys of key change events in the input are used for all events of the input, also for earlier ones.

            Example:
              xchat decrypt --session bob.json events.txt
            """
    )

    @OptionGroup
    var input: EventInput

    func run() async throws {
        var failed = false
        for (index, event) in try await input.opened().enumerated() {
            try Output.result(json: resultJSON(event.result, received: try? event.received.get(), index: index))
            failed = failed || event.result.isBad
        }
        if failed { throw ExitCode.failure }
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
