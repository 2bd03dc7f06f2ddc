import ArgumentParser
import XChat
import XChatEngine
import XChatEvents

struct KeysFingerprint: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fingerprint",
        abstract: "Print a fingerprint to compare with the other person.",
        discussion: """
            Prints 43 characters: the SHA-256 of the identity key's SPKI, in base64url. They do not cover the \
            signing key, so an equal fingerprint alone does not make served keys trustworthy. "keys safety-code" \
            covers both keys.

            Example:
              xchat keys fingerprint --user 2222 --session alice.json
            """
    )

    @OptionGroup
    var state: StateOptions

    @Option(
        help: ArgumentHelp(
            "A user whose keys are pinned: an id, or a handle as in @bob that was used before. (default: this user)",
            valueName: "user"
        ),
        transform: UserArgument.init
    )
    var user: UserArgument?

    func run() async throws {
        let (session, users) = try await state.offlineSession(with: [user].compactMap { $0 })
        let user = users.first ?? session.userID
        if user == session.userID, let keys = session.privateKeys {
            try Output.result(keys.identityKey.fingerprint)
            return
        }
        guard let pin = session.pins.current(of: user) else {
            throw CommandError(
                "no keys of user \(quoted(user.string)) are pinned; read a conversation with the user first"
            )
        }
        try Output.result(pin.identityKey.fingerprint)
    }
}
