import ArgumentParser
import XChatText

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify the signatures of events.",
        discussion: """
            Reads base64 events, one per line, and prints one line of JSON for each, in the order of the input: \
            {"index": 0, "verified": true, "type": "Message", "sender_id": "…", "public_key_version": "…", \
            "signature_version": "…", "reason": null}. The members are those of the received event; an absent one is \
            null. The exit status is 0 only if there was an event and all events verified.

            The reasons are not_an_event, invalid_value, no_signature, unknown_signer, wrong_signature, \
            not_representable, version_refused, key_missing, unencrypted, inconsistent, not_a_participant, \
            disputed_key and never_signed.

            Example:
              xchat verify --session bob.json events.txt
            """
    )

    @OptionGroup
    var input: EventInput

    func run() async throws {
        let events = try await input.opened()
        var allVerified = !events.isEmpty
        for (index, event) in events.enumerated() {
            let verdict = Verdict(event.received, event.result)
            allVerified = allVerified && verdict.isVerified
            try Output.result(json: verdict.json(index: index))
        }
        if !allVerified { throw ExitCode.failure }
    }
}
