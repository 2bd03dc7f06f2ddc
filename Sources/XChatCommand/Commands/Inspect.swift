import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatFiles

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
            let inspected: Inspected
            do {
                inspected = try Inspected(line, name: lines.count == 1 ? "the event" : "event \(index)")
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

/// What can be seen of an event without any key.
private struct Inspected {
    private let structure: StructureNode
    private let payload: Result<SignedPayload, CommandError>
    private let coverage: SignatureCoverage?

    init(_ line: EventLines.Line, name: String) throws(CommandError) {
        guard case .text(let text) = line else {
            throw CommandError("\(name): the line is longer than \(EventLines.maximumLineBytes) bytes")
        }
        do {
            let bytes = try Base64.decode(text)
            structure = try StructureNode(describing: bytes, as: MessageEvent.self)
            let event = Result { try MessageEvent(decoding: bytes) }
            payload = Self.payload(of: event)
            // Computed from the received structure: decoding drops unknown fields, which are not signed either.
            coverage = try? event.get().signatureCoverage(in: structure)
        } catch {
            throw CommandError("\(name): \(error)")
        }
    }

    private static func payload(of event: Result<MessageEvent, any Error>) -> Result<SignedPayload, CommandError> {
        do {
            let event = try event.get()
            let version = try SignatureVersion(event.messageEventSignature?.signatureVersion)
            return .success(try SignedPayload(of: event, version: version))
        } catch {
            return .failure(CommandError("\(error)"))
        }
    }

    /// The signed text, with a placeholder for the conversation key at its end, which only members know.
    private var signedText: Result<String, CommandError> {
        payload.map { payload in
            String(decoding: payload.bytes, as: UTF8.self)
                + (payload.endsWithConversationKey ? "<conversation key>" : "")
        }
    }

    var json: JSONValue {
        var json: JSONObject = ["structure": structureJSON(structure), "signed_payload": nil]
        switch signedText {
        case .success(let text): json["signed_payload"] = .string(text)
        case .failure(let error): json["signed_payload_error"] = .string(error.description)
        }
        if let coverage {
            json["covered_fields"] = .array(coverage.covered.map { .string(WireString($0)) })
            json["uncovered_fields"] = .array(coverage.uncovered.map { .string(WireString($0)) })
        }
        return .object(json)
    }

    var text: String {
        let signed =
            switch signedText {
            case .success(let text): "signed payload: \(visible(text))"
            case .failure(let error): "no signed payload: \(visible(error.description))"
            }
        let uncovered = coverage.map { "not covered by the signature: \($0.uncovered.joined(separator: ", "))\n" } ?? ""
        return structureText(structure) + uncovered + signed
    }
}
