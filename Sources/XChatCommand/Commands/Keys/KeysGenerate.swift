import ArgumentParser
import Foundation
import XChat
import XChatEngine
import XChatEvents
import XChatText

struct KeysGenerate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Make new private keys.",
        discussion: """
            Prints the registration payload, which a client posts to /2/users/{id}/public_keys, as one line of JSON. \
            The private keys are saved in a new account file, or with --out in a new session file, which only its \
            file permissions protect. An account that "xchat login" made without keys gets them.

            Example:
              xchat keys generate --user 3333 --out carol.json
            """
    )

    @Option(help: "The cipher suite: xchat for X's servers, sodium for deployments with a server of their own.")
    var suite = SuiteOption.xchat

    @OptionGroup
    var state: NewStateOptions

    func run() async throws {
        let place = try await state.place()
        // The server may assign another version; X's SDK asks for this one.
        let version = KeyVersion(String(Int64(Date().timeIntervalSince1970 * 1000)))
        let keys = try PrivateKeys.generate(suite.name)
        let registration = try keys.registration(version: version)
        // A session file is trusted, so its keys work at once and offline, before any server has registered them.
        try await place.save(keys, version: state.out == nil ? nil : version, isImport: false)
        try Output.result(json: registration.json)
    }
}
