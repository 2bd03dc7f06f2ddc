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
            --out in a new session file.

            Example:
              xchat keys import --user 3333 --key-version 1001 --out carol.json keys.bin
            """
    )

    @Option(help: ArgumentHelp("The id of the user whose keys these are.", valueName: "id"), transform: userID)
    var user: UserID

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
        let keys = try privateKeys()
        try await state.create(for: user, keys: keys, version: keyVersion, isImport: true)
        Output.note("imported the \(keys.suite) keys of user \(user), fingerprint \(keys.identityKey.fingerprint)")
    }

    private func privateKeys() throws -> PrivateKeys {
        var bytes = try openInput(file).readAll(limit: 4096)
        defer { Sodium.wipe(&bytes) }
        // A blob contains random bytes, so it is practically never valid base64.
        return try decodeBase64(bytes) ?? PrivateKeys(importing: bytes.span)
    }

    private func decodeBase64(_ bytes: [UInt8]) throws -> PrivateKeys? {
        var text = bytes.filter { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        defer { Sodium.wipe(&text) }
        guard var blob = try? Base64.decode(text) else { return nil }
        defer { Sodium.wipe(&blob) }
        return try PrivateKeys(importing: blob.span)
    }
}
