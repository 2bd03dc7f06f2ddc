import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP

struct KeysTrust: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust",
        abstract: "Accept the keys that the server now serves for a user.",
        discussion: """
            The first keys served for a user are pinned. When others are served later, they are not used until they are \
            accepted here: what they signed fails, and no conversation key is wrapped to them. Shows the old and the new keys, \
            both the identity key and the signing key, with their safety codes, and asks. Afterwards the old keys are replaced: \
            what they verify is marked "retired_key", nothing is wrapped to them, they add no one to a group, and conversations with the user need a new \
            key before anything is sent.

            With --safety-code exactly the keys of that code are accepted, without asking; get it from the user by another way \
            than this server, see "keys safety-code". With --fingerprint an identity key of that fingerprint is accepted, \
            where that key has signed the signing key; X's API does not tell, so there use the safety code. Keys that fail \
            such a check are not pinned on first use afterwards.
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

    @Option(help: ArgumentHelp("The safety code that the new keys must have: 60 digits.", valueName: "code"))
    var safetyCode: String?

    @OptionGroup
    var state: StateOptions

    @OptionGroup
    var server: ServerOptions

    func validate() throws {
        _ = try userID(user)
        guard fingerprint.map({ $0.utf8.count == 43 }) ?? true else {
            throw ValidationError("A fingerprint has 43 characters.")
        }
        guard safetyCode.map({ SafetyCode($0) != nil }) ?? true else {
            throw ValidationError("A safety code has 60 digits, in groups of any length.")
        }
        guard fingerprint == nil || safetyCode == nil else {
            throw ValidationError("--fingerprint and --safety-code are two checks; give one of them.")
        }
    }

    func run() async throws {
        let user = try userID(user)
        let store = try state.store()
        let before = try store.read().session()
        var session = before
        guard user != session.userID else {
            throw CommandError("your own keys are trusted from the state, not from the server")
        }
        let served = try await servedKeys(of: user, session)
        guard let newest = served.newest else { throw CommandError("the server has no keys of user \(user)") }
        let changes = session.pins.changes(in: served, of: user)
        if let mismatch = try mismatch(of: newest, session) {
            try session.rejectKeys(served)
            try store.update { document in try document.add(learnedBy: session, since: before) }
            throw mismatch
        }
        let isChecked = fingerprint != nil || safetyCode != nil
        let isNew = !changes.isEmpty || session.pins.current(of: user)?.isSamePin(as: newest) != true
        if isNew {
            try show(session.pins[user], changes.isEmpty ? [newest] : changes, session)
            if !isChecked { try confirm() }
        }
        if isChecked {
            // A check covers the newest key alone.
            try session.acceptChange([newest], servedWith: served)
        } else if isNew {
            try session.acceptChange(changes + [newest], servedWith: served.filter { !changes.contains($0) })
        }
        try store.update { document in try document.add(learnedBy: session, since: before) }
        Output.note(
            isNew
                ? "the keys of user \(user) are trusted now"
                : "the keys of user \(user) are the ones pinned; nothing to change"
        )
    }

    private func servedKeys(of user: UserID, _ session: Session) async throws -> [BoundKey] {
        do {
            return try session.bound(try await server.client().publicKeys(of: user), of: user)
        } catch let error as APIError where error.code == .notFound {
            return []
        }
    }

    /// Compares the newest served key with what the person gave.
    ///
    /// - Returns: What differs; nil if nothing does.
    /// - Throws: Where no comparison is possible.
    private func mismatch(of key: BoundKey, _ session: Session) throws -> CommandError? {
        if let safetyCode {
            let code = try SafetyCode(try session.ownKey(), key)
            guard code == SafetyCode(safetyCode) else {
                return CommandError(
                    "the safety code of the newest keys served for user \(user) is \(code), not the one given; nothing was "
                        + "trusted, and these keys are not pinned on first use"
                )
            }
        }
        guard let fingerprint else { return nil }
        guard key.identityKey.fingerprint == fingerprint else {
            return CommandError(
                "the newest identity key served for user \(user) has the fingerprint \(key.identityKey.fingerprint), "
                    + "not the one given; nothing was trusted, and these keys are not pinned on first use"
            )
        }
        guard key.registered.signingPublicKeySignature != nil else {
            throw CommandError(
                "the fingerprint covers the identity key alone, and the server does not show that this key signed the signing "
                    + "key; nothing was trusted; compare the safety code: xchat keys trust \(user) --safety-code CODE"
            )
        }
        return nil
    }

    private func show(_ before: [BoundKey], _ changes: [BoundKey], _ session: Session) throws {
        if before.isEmpty {
            try Output.result("no keys of user \(user) were trusted before")
        }
        for key in before {
            try Output.result(describe(key, session.pins.isRetired(key) ? "retired" : "trusted until now", session))
        }
        for key in changes {
            try Output.result(describe(key, "new", session))
        }
        let known = Set(before.map(\.identityKey))
        if changes.contains(where: { known.contains($0.identityKey) }) {
            Output.warning(
                "an identity key is an old one, and so is its fingerprint, but its signing key is new: anyone can put a signing "
                    + "key of their own beside a genuine identity key; compare the safety code"
            )
        }
    }

    private func describe(_ key: BoundKey, _ what: String, _ session: Session) -> String {
        let code = (try? session.ownKey()).flatMap { try? SafetyCode($0, key).description }
        return pinText(key, title: what) + "\n  safety code   \(code ?? "- (your own keys are not registered)")"
    }

    private func confirm() throws {
        guard let terminal = Terminal() else {
            throw CommandError(
                "there is no terminal to ask on, so nothing was changed: give the safety code with --safety-code"
            )
        }
        guard try terminal.ask("Trust the new keys? Type yes to accept them: ") == "yes" else {
            throw CommandError("not accepted; nothing was changed")
        }
    }
}
