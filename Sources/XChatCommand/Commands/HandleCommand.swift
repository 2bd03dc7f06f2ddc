import ArgumentParser
import XChat
import XChatEvents
import XChatHTTP

struct HandleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "handle",
        abstract: "Decide about handles that moved to other users.",
        discussion: """
            Every command that takes another user also takes a handle, as in @bob. Only the server says which user \
            has a handle; no signature covers it. The first use of a handle binds it to the user id that the server \
            names. Each later use asks the server again. If it names another user, the command ends with an error, \
            because otherwise your messages could go to a stranger.

            Example:
              xchat handle accept @user2222 --user 2222 --session alice.json
            """,
        subcommands: [HandleAccept.self]
    )
}

struct HandleAccept: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: "Bind a handle to the user whom the server now names.",
        discussion: """
            Shows the user id to which the handle is bound and the one that the server names now, and asks. A handle \
            can be given to another person, so ask the user by another way than this server. With --user exactly \
            that id is accepted, if the server names it, and nothing is asked. Prints {"handle": "…", "user_id": \
            "…"}.

            The keys of the new user are pinned on first use, as those of any user, so compare the safety code.

            Example:
              xchat handle accept @user2222 --user 2222 --session alice.json
            """
    )

    @Argument(help: ArgumentHelp("The handle, as in @bob.", valueName: "handle"), transform: Handle.init(argument:))
    var handle: Handle

    @Option(
        help: ArgumentHelp("The user id that the handle must lead to; nothing is asked.", valueName: "id"),
        transform: userID
    )
    var user: UserID?

    @OptionGroup
    var options: AccountOptions

    func run() async throws {
        let account = try await options.account()
        let known = try await account.pinnedUser(of: handle)
        guard let served = try await account.servedUser(of: handle) else {
            throw CommandError(
                "no user has the handle \"\(handle)\", so nothing was changed; check the spelling, or whether the user changed "
                    + "the handle"
            )
        }
        if let user {
            guard user == served else {
                throw CommandError(
                    "the server says that \(handle) is user \(served), not user \(user); nothing was changed; ask the user for "
                        + "the id by another way than this server"
                )
            }
        } else if known != served {
            try confirm(handle, known, served)
        }
        if known != served { try await account.accept(handle, of: served, insteadOf: known) }
        let answer: JSONValue = ["handle": .string(handle.lowercased), "user_id": .string(served)]
        try Output.result(of: "\(handle) is user \(served) from now on", answer)
    }

    private func confirm(_ handle: Handle, _ known: UserID?, _ served: UserID) throws {
        Output.note("\(handle) until now: \(known.map { "user \($0)" } ?? "not used")")
        Output.note("\(handle) now, says the server: user \(served)")
        try Terminal.confirm("Accept the new user? Type yes to accept: ", orElse: "give the user id with --user")
    }
}
