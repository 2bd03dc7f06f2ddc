import ArgumentParser
import XChat
import XChatFiles
import XChatText

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the structure of an event, and what its signature covers.",
        discussion: """
            Needs no key and verifies nothing. Prints the Thrift structure with X's names, unknown fields included, \
            and the text that is signed. If that text ends with the conversation key, <conversation key> is printed \
            in its place. The fields that the signature does not cover are listed, because the server can change \
            them. The exit status is 1 if an event cannot be parsed.

            Example:
              xchat inspect < events.txt
            """
    )

    @Argument(help: "A base64 event; without one, or for -, events are read from standard input, one per line.")
    var event: String?

    @Flag(help: "Print one line of JSON per event.")
    var json = false

    func run() throws {
        var lines: [EventLines.Line]
        if let event, event != "-" {
            lines = [.text(Array(event.utf8))]
        } else {
            lines = try EventLines.read([])
        }
        guard !lines.isEmpty else {
            throw CommandError("standard input contains no event; give base64 events, one per line")
        }
        var failed = false
        for (index, line) in lines.enumerated() {
            let inspected: InspectedEvent
            do {
                inspected = try InspectedEvent(line, name: lines.count == 1 ? "the event" : "event \(index)")
            } catch {
                // One bad line does not affect the others.
                let isFile = event.map(Files.exists) ?? false
                Output.note("xchat: \(error)\(isFile ? "; to inspect the events of a file: xchat inspect < FILE" : "")")
                failed = true
                continue
            }
            try Output.result(json ? inspected.json.line : inspected.text)
        }
        if failed { throw ExitCode.failure }
    }
}
