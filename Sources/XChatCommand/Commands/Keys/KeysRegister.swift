import ArgumentParser
import Foundation
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP

struct KeysRegister: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Register one's own public keys with the server.",
        discussion: """
            Prints {"public_key_version": "…"}, the version that the server gave the keys, and keeps it in the state: \
            others find the keys under it.
            """
    )

    @OptionGroup
    var state: StateOptions

    @OptionGroup
    var server: ServerOptions

    func run() async throws {
        let store = try state.store()
        let document = try store.read()
        let userID = try document.userID()
        guard let keys = try document.privateKeys() else {
            throw CommandError("\(document.name): there are no private keys to register")
        }
        let proposed = KeyVersion(String(Int64(Date().timeIntervalSince1970 * 1000)))
        let version = try await server.client().register(try keys.registration(version: proposed), user: userID)
        let own = try keys.boundKey(userID: userID, version: version)
        do {
            try store.update { document in
                document.set(signingKeyVersion: version)
                if try !document.boundKeys().bound.contains(where: { $0.isSamePin(as: own) }) {
                    document.append(own.registered)
                }
            }
        } catch {
            throw CommandError(
                "the server registered the keys as version \(safeField(version)), but that could not be kept: \(error)"
            )
        }
        try Output.result((["public_key_version": .string(version)] as JSONValue).line)
    }
}
