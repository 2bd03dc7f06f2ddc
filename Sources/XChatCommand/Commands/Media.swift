import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatFiles

struct Media: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encrypt, upload, download and decrypt files of any size.",
        discussion: """
            Example:
              xchat media upload --conversation 2222 plan.pdf --session alice.json
            """,
        subcommands: [MediaEncrypt.self, MediaDecrypt.self, MediaUploadCommand.self, MediaDownloadCommand.self]
    )
}

struct MediaEncrypt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encrypt",
        abstract: "Encrypt a file under the key of a conversation.",
        discussion: """
            Writes the format that the media endpoints of X's API accept. Memory use does not grow with the size of \
            the file. A file that --out names appears only when it is complete.

            Example:
              xchat media encrypt --conversation 2222 \\
                --in photo.jpg --out photo.enc --session alice.json
            """
    )

    @OptionGroup
    var files: MediaOptions

    func run() async throws {
        var encryptor = try MediaEncryptor(key: try await files.encryptingKey())
        try files.transform(&encryptor)
    }
}

struct MediaDecrypt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decrypt",
        abstract: "Decrypt a file under the key of a conversation.",
        discussion: """
            Memory use does not grow with the size of the file. A file that --out names appears only if all of it \
            authenticated. Standard output receives bytes as soon as they authenticate; only the exit status 0 shows \
            that they are the whole file.

            Example:
              xchat media decrypt --conversation 2222 \\
                --in plan.enc --out received.pdf --session alice.json
            """
    )

    @OptionGroup
    var files: MediaOptions

    func run() async throws {
        var decryptor = MediaDecryptor(key: try await files.key())
        try files.transform(&decryptor)
    }
}

/// The input, the output and the conversation key of a file.
struct MediaOptions: ParsableArguments {
    @Option(help: .conversation("id"), transform: ConversationArgument.init)
    var conversation: ConversationArgument

    @Option(keyVersion: "The version of the conversation key: that of the message with the file. (default: the newest)")
    var conversationKeyVersion: KeyVersion?

    @Option(name: .customLong("in"), help: ArgumentHelp("The file to read; - is standard input.", valueName: "file"))
    var input = "-"

    @Option(help: ArgumentHelp("The file to write; - is standard output.", valueName: "file"))
    var out = "-"

    @Flag(help: "Replace the file that --out names, if it exists.")
    var force = false

    @OptionGroup
    var state: StateOptions

    func key() async throws -> ConversationKey {
        let (session, conversation) = try await state.offlineSession(in: conversation)
        guard let held = session.heldKey(of: conversation, version: conversationKeyVersion) else {
            let which = conversationKeyVersion.map { " \($0)" } ?? ""
            throw CommandError(
                "no verified key\(visible(which)) for the conversation \(visible(conversation.description)); read the "
                    + "conversation first, with: xchat read"
            )
        }
        return held.key
    }

    /// The conversation key for encryption: only one that may encrypt messages too.
    func encryptingKey() async throws -> ConversationKey {
        let (session, conversation) = try await state.offlineSession(in: conversation)
        return try session.keyToEncrypt(in: conversation, version: conversationKeyVersion).key
    }

    /// Sends the input through a stream to the output; a file appears only if all of it was written.
    ///
    /// - Parameter stream: The stream, which encrypts or decrypts.
    /// - Throws: Why the output was not written, or not all of it.
    func transform(_ stream: inout some MediaStream & ~Copyable) throws {
        let source = try openInput(input)
        do {
            guard out != "-" else { return try stream.read(source) { try Output.result($0) } }
            try checkNewFile(out, overwrites: force)
            try Files.write(out, overwrites: force) { file in try stream.read(source) { try file.writeAll($0) } }
        } catch let error as XChatError {
            throw CommandError("\(quoted(source.name)): \(error.message)")
        }
    }
}

/// Throws if a file cannot be written to a path, or exists without `--force`, before any other work is done.
func checkNewFile(_ path: String, overwrites: Bool) throws {
    guard overwrites || !Files.exists(path) else {
        throw CommandError(
            .exists,
            "\(quoted(path)): the file exists; choose another name, or add --force to replace it"
        )
    }
    _ = try Files.destination(path, overwrites: overwrites)
}
