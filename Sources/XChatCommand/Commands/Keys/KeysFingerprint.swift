import ArgumentParser
import XChat
import XChatEngine
import XChatEvents

struct KeysFingerprint: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fingerprint",
        abstract: "Print a fingerprint to compare with the other person.",
        discussion: """
            The 43 characters cover the identity key: SHA-256 of its SPKI in base64url. They do not cover the signing key, \
            so an equal fingerprint alone does not make served keys trustworthy; "keys safety-code" covers both.
            """
    )

    @OptionGroup
    var state: StateOptions

    @Option(help: ArgumentHelp("A user whose keys are pinned. (default: oneself)", valueName: "id"))
    var user: String?

    func validate() throws {
        if let user { _ = try userID(user) }
    }

    func run() throws {
        let document = try state.store().read()
        let user = try user.map { UserID($0) } ?? document.userID()
        if try user == document.userID(), let keys = try document.privateKeys() {
            try Output.result(keys.identityKey.fingerprint)
            return
        }
        guard let pin = try document.session().pins.current(of: user) else {
            throw CommandError("\(document.name): no keys of user \(quoted(user.string))")
        }
        try Output.result(pin.identityKey.fingerprint)
    }
}
