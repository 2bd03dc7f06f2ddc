import ArgumentParser
import XChat
import XChatEngine
import XChatEvents

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify the signatures of events.",
        discussion: """
            Reads base64 events, one per line, and prints one line of JSON for each, in the order of the input: \
            {"index": 0, "verified": true, "type": "Message", "sender_id": "…", "public_key_version": "…", \
            "signature_version": "…", "reason": null}. The members are those of the received event; an absent one is \
            null. The exit status is 0 only if there was an event and all events verified.

            The reasons are not_an_event, no_signature, unknown_signer, wrong_signature, not_representable, \
            version_refused, key_missing, unencrypted, inconsistent, not_a_participant and never_signed.

            Example:
              xchat verify --session bob.json events.txt
            """
    )

    @OptionGroup
    var state: StateOptions

    @Argument(help: ArgumentHelp("Files of events; - is standard input. (default: -)", valueName: "file"))
    var files: [String] = []

    func run() async throws {
        var session = try await state.offlineSession()
        let events = try concurrentMap(EventLines.read(files)) { $0.event }
        // Opened together, because key change events and group changes affect the other events of the input.
        let results = session.open(events)
        var allVerified = !events.isEmpty
        for (index, (event, result)) in zip(events, results).enumerated() {
            let reason = reason(event, result)
            allVerified = allVerified && reason == nil
            try Output.result(verdictJSON(try? event.get(), reason: reason, index: index).line)
        }
        if !allVerified {
            throw ExitCode.failure
        }
    }

    /// Why an event is not verified, from the error of opening it.
    private func reason(
        _ event: Result<MessageEvent, XChatError>,
        _ result: Result<Event, XChatError>
    ) -> XChatError.Code? {
        guard case .success(let event) = event else { return .notAnEvent }
        switch result {
        case .success(let opened): return opened.isVerified ? nil : .neverSigned
        case .failure(let error):
            // Verification comes before decryption, so these errors mean that the event verified but did not decrypt.
            let isOpening = [.authenticationFailed, .malformed, .unsupported, .tooLarge].contains(error.code)
            let lacksKey = error.code == .keyMissing && event.kind == .message
            return isOpening || lacksKey ? nil : error.code
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
