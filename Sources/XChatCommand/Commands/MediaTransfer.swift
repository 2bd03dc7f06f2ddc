import ArgumentParser
import Foundation
import XChat
import XChatEngine
import XChatEvents
import XChatFiles
import XChatHTTP
import XChatText

struct MediaUploadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upload",
        abstract: "Encrypt a file under the key of a conversation and upload it.",
        discussion: """
            Prints one line of JSON, an attachment in the form of drafts (see "encrypt --draft"): \
            {"attachment_type": "media", "media_hash_key": "…", "media_type": 1, "width": …, "height": …, \
            "filesize_bytes": …, "filename": "…"}. It also contains "conversation_id", "conversation_key_version" and \
            "mime_type", which is null if the first bytes of the file do not show the type. The message must be \
            encrypted under the same key version. "send --attach" uploads and sends in one step.

            Memory use does not grow with the size of the file. Failed requests are retried. If standard error is a \
            terminal, the progress is shown there.

            Example:
              xchat media upload --conversation 2222 plan.pdf --session alice.json
            """
    )

    @OptionGroup
    var encryption: EncryptionOptions

    @Argument(help: ArgumentHelp("The file to upload, which must be a regular file.", valueName: "file"))
    var file: String

    @Flag(help: "Do not show the progress on the terminal.")
    var quiet = false

    @OptionGroup
    var options: AccountOptions

    func run() async throws {
        let attachment = try AttachmentFile(file)
        let account = try await options.account()
        let conversation = try await account.conversation(encryption.conversation)
        let (version, key) = try await naming(conversation) {
            try await account.encryptingKey(of: conversation, version: encryption.conversationKeyVersion)
        }
        let display = ProgressDisplay(isQuiet: quiet)
        let media: MediaAttachment
        do {
            media = try await account.upload(attachment, under: key, in: conversation) { progress in
                display.show(progress, of: "uploading")
            }
        } catch {
            throw CommandError("\(quoted(file)) was not uploaded: \(error)")
        }
        var answer = media.draftJSON
        answer["mime_type"] = attachment.mimeType.map { .string($0) } ?? .null
        answer["conversation_id"] = .string(conversation.text)
        answer["conversation_key_version"] = .string(version)
        try Output.result(of: "the file was uploaded", .object(answer))
    }
}

struct MediaDownloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "download",
        abstract: "Download a file of a message and decrypt it.",
        discussion: """
            A message names its file by a media hash key, which "read --json" prints. Give that line of JSON with \
            --event; it contains everything that is needed:

            xchat read 2222 --json | tail -n 1 | xchat media download --event - --out photo.jpg

            Or give the media hash key, --conversation, --conversation-key-version and --size as in the message. The \
            file appears only if all of it authenticated and has the named size. At most 4 GiB are received, \
            whatever size the message names.

            Memory use does not grow with the size of the file. If standard error is a terminal, the progress is \
            shown there.

            Example:
              xchat media download --event message.json \\
                --out received.pdf --session alice.json
            """
    )

    @Argument(
        help: ArgumentHelp("The name of the file in the message: letters and digits.", valueName: "media-hash-key")
    )
    var mediaHashKey: String?

    @Option(help: .conversation("id"), transform: ConversationArgument.init)
    var conversation: ConversationArgument?

    @Option(
        keyVersion: "The version of the conversation key: the \"key_version\" of the message. (default: the newest)"
    )
    var conversationKeyVersion: KeyVersion?

    @Option(help: ArgumentHelp("The size of the file in bytes; a file of another size is refused.", valueName: "bytes"))
    var size: Int?

    @Option(
        help: ArgumentHelp(
            "A file with the message as \"read --json\" prints it; - is standard input.",
            valueName: "file"
        )
    )
    var event: String?

    @Option(help: ArgumentHelp("The number of the attachment in the --event, counted from 1.", valueName: "number"))
    var attachment = 1

    @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
    var out: String

    @Flag(help: "Replace the file that --out names, if it exists.")
    var force = false

    @Flag(help: "Do not show the progress on the terminal.")
    var quiet = false

    @OptionGroup
    var options: AccountOptions

    func validate() throws {
        let isNamed = mediaHashKey != nil || conversation != nil || conversationKeyVersion != nil || size != nil
        if event != nil, isNamed {
            throw ValidationError(
                "--event cannot be combined with a media hash key, --conversation, --conversation-key-version or --size."
            )
        }
        if event == nil, mediaHashKey == nil || conversation == nil {
            throw ValidationError("Give the media hash key and --conversation, or the message with --event.")
        }
        guard size ?? 0 >= 0 else { throw ValidationError("--size \(size ?? 0) is negative.") }
        guard attachment >= 1 else { throw ValidationError("--attachment \(attachment): the count begins at 1.") }
    }

    func run() async throws {
        let account = try await options.account()
        let media = try await media(for: account)
        try checkNewFile(out, overwrites: force)
        let target = try ConversationTarget(media.conversation)
        let key = try await account.key(of: media.conversation, version: media.keyVersion).key
        let client = account.client
        let (out, quiet, force) = (out, quiet, force)
        let finished: Void? = try await untilSignal {
            let display = ProgressDisplay(isQuiet: quiet)
            do {
                try await client.download(
                    media.hashKey,
                    in: target,
                    key: key,
                    to: out,
                    expectedBytes: media.size,
                    overwrites: force,
                    progress: { display.show($0, of: "downloading") }
                )
            } catch {
                throw CommandError("\(quoted(out)) was not written: \(error)")
            }
        }
        if finished == nil { throw CommandError("\(quoted(out)) was not written: interrupted") }
    }

    /// The file to download, as the arguments or the message describe it.
    private func media(for account: Account) async throws -> MediaReference {
        guard let event else {
            guard let conversation else {
                throw ValidationError("The conversation of the file is missing. Give it with --conversation.")
            }
            return MediaReference(
                hashKey: mediaHashKey ?? "",
                conversation: try await account.conversation(conversation),
                keyVersion: conversationKeyVersion,
                size: size
            )
        }
        return try MediaReference(
            attachment: attachment,
            inLine: try openInput(event).readAll(limit: maximumInputBytes),
            document: event == "-" ? "standard input" : quoted(event),
            readBy: account.userID
        )
    }
}
