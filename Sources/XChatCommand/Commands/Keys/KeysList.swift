import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatText

struct KeysList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the trusted public keys: your own and the pinned ones.",
        discussion: """
            Prints one line per key. A pin consists of version, identity key and signing key; the fingerprint covers \
            the identity key. One pin of each user is current: conversation keys are wrapped for it. Retired pins \
            still verify events, and mark them "retired_key".

            Example:
              xchat keys list --json --session alice.json
            """
    )

    @OptionGroup
    var state: StateOptions

    @Flag(help: "Print one line of JSON per key.")
    var json = false

    func run() async throws {
        let session = try await state.offlineSession()
        let (userID, pins) = (session.userID, session.pins)
        let keys = pins.users.flatMap { pins[$0] }
        for key in keys {
            let (isOwn, isRetired) = (key.userID == userID, pins.isRetired(key))
            try Output.result(
                json
                    ? keyJSON(key, isOwn: isOwn, isRetired: isRetired).line
                    : pinLine(key, isOwn: isOwn) + (isRetired ? ", retired" : "")
            )
        }
        if keys.isEmpty {
            Output.note("no public key is trusted yet")
        }
    }
}
