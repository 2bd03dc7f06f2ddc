import ArgumentParser
import XChat
import XChatEvents

struct KeysList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the public keys that are trusted, one's own and those pinned.",
        discussion: "A pin is version, identity key and signing key together; the fingerprint covers the identity key."
    )

    @OptionGroup
    var state: StateOptions

    @Flag(help: "Print one line of JSON per key.")
    var json = false

    func run() throws {
        let document = try state.store().read()
        let userID = try document.userID()
        let (keys, refused) = try document.boundKeys()
        for error in refused {
            Output.warning("left out: \(safeSentence("\(error)"))")
        }
        for key in keys {
            try Output.result(
                json ? lineJSON(key, isOwn: key.userID == userID).line : pinLine(key, isOwn: key.userID == userID)
            )
        }
        if keys.isEmpty {
            Output.note("no public key is trusted yet")
        }
    }

    private func lineJSON(_ key: BoundKey, isOwn: Bool) -> JSONValue {
        [
            "user_id": .string(key.userID),
            "public_key_version": .string(key.version),
            "suite": .string(key.suite.rawValue),
            "fingerprint": .string(key.identityKey.fingerprint),
            "identity_public_key": .string(key.identityKey.base64),
            "public_key": .string(key.signingKey.base64),
            "own": .bool(isOwn),
        ]
    }
}
