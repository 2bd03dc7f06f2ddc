import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatText

struct KeysTrust: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust",
        abstract: "Accept the keys that the server now serves for a user.",
        discussion: """
            The first keys that the server serves for a user are pinned (trust on first use). If it serves other \
            keys later, these are not used until you accept them with this command: events signed with them are \
            refused, and no conversation key is wrapped for them. Otherwise the server could read your messages with \
            keys of its own.

            Shows the old and the new keys, both the identity key and the signing key, with their safety codes, and \
            asks. After you accept the new keys, the old ones are replaced:

            - events that verify with them are marked "retired_key";
            - no conversation key is wrapped for them;
            - they cannot add anyone to a group;
            - conversations with the user need a new key before anything is sent.

            With --safety-code exactly the keys of that code are accepted, and nothing is asked. Get the code from \
            the user by another way than this server: see "keys safety-code". With --fingerprint an identity key of \
            that fingerprint is accepted, if it has signed the signing key. X's API does not show that signature, so \
            use the safety code there. Keys that fail such a check are not pinned on first use afterwards. A key that \
            is pinned already stays in use.

            Example:
              xchat keys trust 2222 --session alice.json
              xchat keys trust 2222 --safety-code CODE --session alice.json
            """
    )

    @Argument(
        help: ArgumentHelp("The user: an id, or a handle as in @bob.", valueName: "user"),
        transform: UserArgument.init
    )
    var user: UserArgument

    // A fingerprint may begin with a dash.
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The fingerprint that the new identity key must have.", valueName: "fingerprint")
    )
    var fingerprint: String?

    @Option(help: ArgumentHelp("The safety code that the new keys must have: 60 digits.", valueName: "code"))
    var safetyCode: String?

    @OptionGroup
    var options: AccountOptions

    func validate() throws {
        guard fingerprint.map({ $0.utf8.count == 43 }) ?? true else {
            throw ValidationError("--fingerprint must have 43 characters. \"keys fingerprint\" prints it.")
        }
        guard safetyCode.map({ SafetyCode($0) != nil }) ?? true else {
            throw ValidationError(
                "--safety-code must have 60 digits, in groups of any length. \"keys safety-code\" prints it."
            )
        }
        guard fingerprint == nil || safetyCode == nil else {
            throw ValidationError(
                "--fingerprint and --safety-code cannot be combined; give --safety-code, which covers both keys."
            )
        }
    }

    func run() async throws {
        let account = try await options.account()
        guard let user = try await account.users([user]).first else { return }
        let served = try await account.compareKeys(of: user)
        guard served.newest != nil else {
            throw CommandError(
                "user \(user) has no keys registered with this server; the user must register keys first"
            )
        }
        if let fingerprint { try await account.check(served, hasFingerprint: fingerprint) }
        let code = safetyCode.flatMap { SafetyCode($0) }
        if served.isChanged { try show(served, account) }
        if let code {
            try await account.accept(served, ifSafetyCodeIs: code)
        } else if fingerprint != nil {
            // The check covers the newest key alone.
            try await account.acceptNewest(of: served)
        } else if served.isChanged {
            try Terminal.confirm(
                "Trust the new keys? Type yes to accept them: ",
                orElse: "give the safety code with --safety-code"
            )
            try await account.accept(served)
        }
        Output.note(
            served.isChanged
                ? "the keys of user \(user) are trusted now"
                : "the keys of user \(user) are the ones pinned; nothing to change"
        )
    }

    private func show(_ served: Account.KeyComparison, _ account: Account) throws {
        let changes = served.changes.isEmpty ? [served.newest].compactMap { $0 } : served.changes
        if served.pinned.isEmpty { try Output.result("no keys of user \(served.user) were trusted before") }
        for key in served.pinned {
            let isCurrent = served.current?.isSamePin(as: key) == true
            try Output.result(describe(key, isCurrent ? "trusted until now" : "retired", account))
        }
        for key in changes { try Output.result(describe(key, "new", account)) }
        let known = Set(served.pinned.map(\.identityKey))
        if changes.contains(where: { known.contains($0.identityKey) }) {
            Output.warning(
                "a new key has a known identity key, so its fingerprint is known too, but its signing key is new: anyone can "
                    + "combine their own signing key with a genuine identity key, so compare the safety code"
            )
        }
    }

    private func describe(_ key: VerifiedPublicKey, _ what: String, _ account: Account) -> String {
        let code = (try? account.ownKey()).flatMap { try? SafetyCode($0, key).description }
        return pinText(key, title: what) + "\n  safety code   \(code ?? "- (your own keys are not registered)")"
    }
}
