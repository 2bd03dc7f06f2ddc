import ArgumentParser
import XChat
import XChatEvents
import XChatHTTP

struct KeysTrust: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust",
        abstract: "Accept the keys that the server now serves for a user.",
        discussion: """
            The first keys served for a user are pinned. When others are served later, they are not used until they are \
            accepted here: what they signed fails, and no conversation key is made for the user. Messages under a \
            conversation key that both have already still go and come. Shows the old and the new keys, both the identity key and the signing key, \
            and asks.

            With --fingerprint only identity keys of that fingerprint are accepted, without asking. Get it from the user \
            by another way than this server.
            """
    )

    @Argument(help: ArgumentHelp("The id of the user.", valueName: "user"))
    var user: String

    // A fingerprint may begin with a dash.
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The fingerprint that the new identity key must have.", valueName: "fingerprint")
    )
    var fingerprint: String?

    @OptionGroup
    var state: StateOptions

    @OptionGroup
    var server: ServerOptions

    func validate() throws {
        _ = try userID(user)
        guard fingerprint.map({ $0.utf8.count == 43 }) ?? true else {
            throw ValidationError("A fingerprint has 43 characters.")
        }
    }

    func run() async throws {
        let user = try userID(user)
        let store = try state.store()
        var session = try store.read().session()
        guard user != session.userID else {
            throw CommandError("one's own keys are trusted from the state, not from the server")
        }
        let served: [BoundKey]
        do {
            served = try session.bound(try await server.client().publicKeys(of: user), of: user)
        } catch let error as APIError where error.code == .notFound {
            served = []
        }
        guard !served.isEmpty else { throw CommandError("the server has no keys of user \(user)") }
        if let fingerprint, let other = served.newest.first(where: { $0.identityKey.fingerprint != fingerprint }) {
            throw CommandError(
                "the newest identity key served for user \(user) has the fingerprint \(other.identityKey.fingerprint), "
                    + "not the one given; nothing was changed"
            )
        }
        let before = session.pins[user]
        let changes = session.pins.changes(in: served, of: user)
        guard !changes.isEmpty else {
            Output.note("the keys of user \(user) are the ones pinned; nothing to change")
            return
        }
        try show(before, changes)
        try confirm(changes)
        session.acceptChange(served)
        let after = session.pins[user]
        try store.update { document in try document.replaceKeys(of: user, before, with: after) }
        Output.note("the keys of user \(user) are trusted now")
    }

    private func show(_ before: [BoundKey], _ changes: [BoundKey]) throws {
        if before.isEmpty {
            try Output.result("no keys of user \(user) were trusted before")
        }
        for key in before {
            try Output.result(describe(key, "trusted until now"))
        }
        for key in changes {
            try Output.result(describe(key, "new"))
        }
        let known = Set(before.map(\.identityKey))
        if changes.contains(where: { known.contains($0.identityKey) }) {
            Output.warning(
                "an identity key is an old one, and so is its fingerprint, but not all that goes with it; "
                    + "anybody can put a signing key of their own beside a genuine identity key"
            )
        }
    }

    private func describe(_ key: BoundKey, _ what: String) -> String {
        """
        \(what): version \(visible(key.version.string)), suite \(key.suite)
          fingerprint   \(key.identityKey.fingerprint)
          identity key  \(key.identityKey.base64)
          signing key   \(key.signingKey.base64)
        """
    }

    private func confirm(_ changes: [BoundKey]) throws {
        if let fingerprint {
            guard changes.allSatisfy({ $0.identityKey.fingerprint == fingerprint }) else {
                throw CommandError("there are new identity keys of other fingerprints too; nothing was changed")
            }
            return
        }
        guard let terminal = Terminal() else {
            throw CommandError(
                "there is no terminal to ask on, so nothing was changed: name the key with --fingerprint"
            )
        }
        guard try terminal.ask("Trust the new keys? Type yes to accept them: ") == "yes" else {
            throw CommandError("not accepted; nothing was changed")
        }
    }
}
