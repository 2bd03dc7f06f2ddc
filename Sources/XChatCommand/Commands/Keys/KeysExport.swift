import ArgumentParser
import LibSodium
import XChat
import XChatEngine
import XChatEvents
import XChatFiles

struct KeysExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the private keys as the blob that X's SDK imports.",
        discussion: """
            The blob is the secret itself, and no passphrase protects it: any holder can read the user's messages \
            and sign in the user's name. In the xchat suite it is the identity key and the signing key, 32 bytes \
            each; X's SDK accepts it in import_keys. In the sodium suite it is this program's own format.

            Example:
              xchat keys export --out alice-keys.bin --session alice.json
            """
    )

    @OptionGroup
    var state: StateOptions

    @Flag(help: "Write base64 and a newline instead of bytes.")
    var base64 = false

    @Option(help: ArgumentHelp("Write to a new file that only its owner can read.", valueName: "file"))
    var out: String?

    func run() async throws {
        guard out != nil || base64 || !Descriptor.standardOutput.isTerminal else {
            throw CommandError(
                "the blob is binary, and standard output is a terminal: add --out FILE, or add --base64 to show it"
            )
        }
        let (userID, privateKeys) = try await Account.privateKeys(try state.configuration())
        guard let keys = privateKeys else {
            throw CommandError(
                "the state of user \(safeField(userID)) has no private keys to export; use the state that has them"
            )
        }
        var blob: [UInt8] = try keys.withExport { blob in
            base64 ? Base64.encodeBytes(blob) + [UInt8(ascii: "\n")] : blob.indices.map { blob[$0] }
        }
        defer { Sodium.wipe(&blob) }
        if let out {
            try Files.create(out, blob)
        } else {
            try Output.result(blob)
        }
        let kind = keys.signingKey == nil ? "identity key" : "identity and signing key"
        Output.note(
            "these are the private keys (\(kind), suite \(keys.suite)) of user \(safeField(userID)): "
                + "any holder can read this user's messages and sign in this user's name"
        )
    }
}
