package import XChatEngine
public import XChatEvents
import XChatFiles
public import XChatHTTP

extension Account {
    /// Sends a text with files; returns when the server has it.
    ///
    /// The files are encrypted under the conversation's key and uploaded first. What was uploaded cannot be encrypted
    /// again: if the key changes in between, the message becomes a dead letter, and the files must be sent again.
    /// - Parameters:
    ///   - text: The text; it may be empty.
    ///   - files: The paths of the files, at least one, each of a regular file. The system resolves a path, once.
    ///   - conversation: The conversation.
    ///   - progress: Is called with the position in `files` of the file that is being uploaded, and its progress.
    /// - Returns: The receipt, with the outcome `sent`.
    /// - Throws: As ``send(_:to:)-(Draft,_)``; `APIError` if a file cannot be uploaded, ``AccountError`` with `file` if
    ///   it cannot be read or changes while it is read.
    @discardableResult
    public func send(
        _ text: String,
        files: [String],
        to conversation: ConversationID,
        progress: (@Sendable (_ index: Int, MediaProgress) -> Void)? = nil
    ) async throws -> Receipt {
        try await whileOpen {
            let receipt = try await self.enqueueNow(text, files: files, to: conversation, progress: progress)
            return try await self.outcome(of: receipt)
        }
    }

    /// Uploads files and puts a message with them on disk; a worker posts it.
    ///
    /// - Parameters: As for ``send(_:files:to:progress:)``.
    /// - Returns: The receipt, with the outcome `queued`.
    /// - Throws: As ``send(_:files:to:progress:)``.
    @discardableResult
    public func enqueue(
        _ text: String,
        files: [String],
        to conversation: ConversationID,
        progress: (@Sendable (_ index: Int, MediaProgress) -> Void)? = nil
    ) async throws -> Receipt {
        try await whileOpen {
            try await self.enqueueNow(text, files: files, to: conversation, progress: progress)
        }
    }

    private func enqueueNow(
        _ text: String,
        files: [String],
        to conversation: ConversationID,
        progress: (@Sendable (_ index: Int, MediaProgress) -> Void)?
    ) async throws -> Receipt {
        let conversation = try canonical(conversation)
        let files = try await blocking { try files.map { path in try AttachmentFile(path) } }
        // The newest key is needed before the upload, not after it.
        try await learnKeys(of: conversation)
        try await prepareToEncrypt(in: conversation)
        // Whatever would refuse the message does so before anything is uploaded.
        let session = try await state.session(AccountState.Scope(conversation))
        let attachments = files.map { MessageAttachment.media($0.attachment("unknown")) }
        _ = try session.seal(.message(MessageDraft(text, attachments: attachments)), in: conversation)
        let (version, key) = try session.encryptingKey(in: conversation)
        var uploaded: [MessageAttachment] = []
        for (index, file) in files.enumerated() {
            let media = try await upload(file, under: key, in: conversation) { progress?(index, $0) }
            uploaded.append(.media(media))
        }
        return try await enqueue(
            .message(MessageDraft(text, attachments: uploaded)),
            to: conversation,
            keyVersion: version
        )
    }

    /// Encrypts a file under a key and uploads it.
    package func upload(
        _ file: AttachmentFile,
        under key: ConversationKey,
        in conversation: ConversationID,
        progress: (@Sendable (MediaProgress) -> Void)? = nil
    ) async throws -> MediaAttachment {
        let media = try await client.upload(file.file, key: key, in: conversation, progress: progress)
        return file.attachment(media.mediaHashKey)
    }

    /// Downloads and decrypts an attachment into a file.
    ///
    /// The file appears when all of it authenticated; an existing one is an error.
    /// - Parameters:
    ///   - attachment: The attachment.
    ///   - message: The message that names it.
    ///   - path: The file to make. The system resolves the path.
    ///   - progress: Is called with the progress.
    /// - Throws: `APIError`, with `authentication_failed` for altered or truncated media; ``AccountError`` if the key
    ///   of the message is not known.
    public func download(
        _ attachment: MediaAttachment,
        of message: Message,
        to path: String,
        progress: (@Sendable (MediaProgress) -> Void)? = nil
    ) async throws {
        guard let hashKey = attachment.mediaHashKey else {
            throw AccountError(.malformed, "the attachment names no uploaded file")
        }
        guard case .messageCreateEvent(let create) = message.received.event.received.detail,
            let version = create.conversationKeyVersion
        else { throw AccountError(.malformed, "the message names no key") }
        try await whileOpen {
            _ = try await self.client.download(
                hashKey.string,
                in: try ConversationTarget(message.conversation),
                key: try await self.key(of: message.conversation, version: version).key,
                to: path,
                expectedBytes: attachment.filesizeBytes.flatMap { Int(exactly: $0) },
                overwrites: false,
                progress: progress
            )
        }
    }

    /// A key of a conversation, from the state or else from the conversation's key changes.
    ///
    /// - Parameters:
    ///   - conversation: The conversation.
    ///   - version: Which; nil for the newest.
    /// - Returns: The accepted key and its version.
    /// - Throws: ``AccountError`` with `key_missing` if neither has the key.
    package func key(
        of conversation: ConversationID,
        version: KeyVersion?
    ) async throws -> (version: KeyVersion, key: ConversationKey) {
        if let found = try await heldKey(of: conversation, version: version) { return found }
        _ = try await readHistory(of: conversation)
        if let found = try await heldKey(of: conversation, version: version) { return found }
        throw AccountError(
            AccountError.Code(rawValue: XChatError.Code.keyMissing.rawValue),
            "no verified key\(version.map { " \(visible($0.string))" } ?? "") for the conversation \(conversation), "
                + "neither in the state nor among its key changes"
        )
    }

    /// A key of a conversation that encrypts.
    package func encryptingKey(
        of conversation: ConversationID,
        version: KeyVersion?
    ) async throws -> (version: KeyVersion, key: ConversationKey) {
        _ = try await key(of: conversation, version: version)
        let session = try await state.session(AccountState.Scope(conversation))
        do throws(XChatError) {
            return try session.encryptingKey(in: conversation, version: version)
        } catch {
            throw AccountError(error, conversation: conversation)
        }
    }

    private func heldKey(
        of conversation: ConversationID,
        version: KeyVersion?
    ) async throws -> (version: KeyVersion, key: ConversationKey)? {
        let session = try await state.session(AccountState.Scope(conversation))
        guard let version = version ?? session.keyRing.newestVersion(in: conversation),
            let key = session.keyRing.acceptedKey(in: conversation, version: version)
        else { return nil }
        return (version, key)
    }
}
