import ArgumentParser
import XChat
import XChatEngine
import XChatEvents

struct KeysSafetyCode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "safety-code",
        abstract: "Print the safety code of you and another user.",
        discussion: """
            Prints 60 digits in 12 groups of 5. They cover the id, the identity key and the signing key of both \
            users, and the other user's client prints the same digits. Compare them by another way than this server: \
            in person or by telephone. If they are equal, the server has not replaced the keys of either user with \
            its own.

            The user's keys must be pinned: read a conversation with the user first, or check the code of the served \
            keys with "keys trust USER --safety-code CODE".

            Example:
              xchat keys safety-code 2222 --session alice.json
            """
    )

    @Argument(
        help: ArgumentHelp("The other user: an id, or a handle as in @bob that was used before.", valueName: "user"),
        transform: UserArgument.init
    )
    var user: UserArgument

    @OptionGroup
    var options: AccountOptions

    func run() async throws {
        let (session, users) = try await options.state.offlineSession(with: [user], api: options.server.api)
        guard let user = users.first else { return }
        guard let pin = session.pins.current(of: user) else {
            throw CommandError(
                "no keys of user \(user) are pinned: read a conversation with the user first, or use: xchat keys trust \(user)"
            )
        }
        try Output.result(try SafetyCode(try session.ownKey(), pin).description)
    }
}
