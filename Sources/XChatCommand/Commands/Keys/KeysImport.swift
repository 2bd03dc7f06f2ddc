import ArgumentParser
import LibSodium
import XChat
import XChatEngine
import XChatEvents
import XChatFiles

struct KeysImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import private keys that another client exported.",
        discussion: """
            Reads the private key blob, as bytes or in base64: the 32 or 64 bytes that X's SDK exports, or a blob of \
            the sodium suite. The bytes show which suite it is. The keys are saved in a new account file, or with \
            --out in a new session file. An account that "xchat login" made without keys gets them.

            Example:
              xchat keys import --user 3333 --key-version 1001 --out carol.json keys.bin
            """
    )

    @Option(
        help: ArgumentHelp(
            "The version under which the server registered the keys. Without it, nothing can be signed before \"keys register\".",
            valueName: "version"
        ),
        transform: registeredVersion
    )
    var keyVersion: KeyVersion?

    @OptionGroup
    var state: NewStateOptions

    @Argument(help: ArgumentHelp("The file with the blob; - is standard input.", valueName: "file"))
    var file = "-"

    func run() async throws {
        let place = try await state.place()
        let keys = try privateKeys()
        try await place.save(keys, version: keyVersion, isImport: true)
        let fingerprint = keys.identityKey.fingerprint
        Output.note("imported the \(keys.suite) keys of user \(place.user), fingerprint \(fingerprint)")
    }

    private func privateKeys() throws -> PrivateKeys {
        var bytes = try openInput(file).readAll(limit: 4096)
        defer { Sodium.wipe(&bytes) }
        return try PrivateKeys(importingFile: bytes)
    }
}
