import ArgumentParser
import Foundation
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP

struct KeysRegister: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Register your public keys with the server.",
        discussion: """
            Prints {"public_key_version": "…"}, the version that the server assigned to the keys. It is saved in the \
            state, and other users find the keys under it. Other keys that the server has of you are replaced, with a \
            warning. Keys that newer ones have replaced cannot be registered again.

            Example:
              xchat keys register --session alice.json
            """
    )

    @OptionGroup
    var options: AccountOptions

    func run() async throws {
        let account = try await options.account(replacesKeys: true)
        let registered = try await account.register(evenIfVersionIsKnown: true) { old in
            Output.warning(
                "the server had other keys of user \(account.userID), version \(safeField(old)); these keys replace them: "
                    + "other users must accept the new keys, and messages for the old ones cannot be read with the new ones"
            )
        }
        let version = registered.keyVersion ?? ""
        try Output.result(of: "the keys are registered", ["public_key_version": .string(version)])
    }
}
