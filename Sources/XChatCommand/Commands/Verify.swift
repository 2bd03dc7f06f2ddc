import ArgumentParser
import XChat
import XChatEvents

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify the signatures of events.",
        discussion: """
            Reads base64 events, one per line, and prints one line of JSON for each, in the order of the input: \
            {"index": 0, "verified": true, "type": "Message", "sender_id": "…", "public_key_version": "…", \
            "signature_version": "…", "reason": null}. Members are those of the event as received, null where absent.

            The reasons are not_an_event, no_signature, unknown_signer, wrong_signature, not_representable, \
            version_refused, key_missing, unencrypted, inconsistent, not_a_participant and never_signed. The exit \
            status is 0 only if there was an event and all of them verified.
            """
    )

    @OptionGroup
    var state: StateOptions

    @Argument(help: ArgumentHelp("Files of events; - is standard input. (default: -)", valueName: "file"))
    var files: [String] = []

    func run() throws {
        var session = try state.store().read().session()
        let events = try EventLines.read(files).map { $0.event }
        // The signature of a key change covers the key that it, or another one, delivers.
        _ = session.open(events.filter { (try? $0.get().kind) == .keyChange })
        var allVerified = !events.isEmpty
        for (index, event) in events.enumerated() {
            let reason = reason(of: event, in: session)
            allVerified = allVerified && reason == nil
            try Output.result(verdictJSON(try? event.get(), reason: reason, index: index).line)
        }
        if !allVerified {
            throw ExitCode.failure
        }
    }

    private func reason(of event: Result<MessageEvent, XChatError>, in session: Session) -> XChatError.Code? {
        do {
            try session.verify(try event.get())
            return nil
        } catch {
            // Whatever cannot be read is no event here.
            return error.code == .tooLarge ? .notAnEvent : error.code
        }
    }

    private func verdictJSON(_ event: MessageEvent?, reason: XChatError.Code?, index: Int) -> JSONValue {
        let signature = event?.messageEventSignature
        return [
            "index": .number(index),
            "verified": .bool(reason == nil),
            "type": .init(event.map { WireString($0.kind.rawValue) }),
            "sender_id": .init(event?.senderID),
            "public_key_version": .init(signature?.publicKeyVersion),
            "signature_version": .init(signature?.signatureVersion),
            "reason": .init(reason.map { WireString($0.rawValue) }),
        ]
    }
}
