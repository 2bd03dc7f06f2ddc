package import XChatEngine
public import XChatEvents
import XChatFiles
public import XChatHTTP

extension Account {
    /// Sends a text with files; returns when the server has the message.
    ///
    /// The files are encrypted under the conversation's key and uploaded first. An uploaded file cannot be encrypted
    /// again: if the conversation gets a new key before the message is posted, the message becomes a dead letter, and
    /// the files must be sent again.
    /// - Parameters:
    ///   - text: The text; it may be empty.
    ///   - files: The paths of the files, at least one, each of a regular file. A path is resolved once, when the file
    ///     is opened, so that size, type and uploaded bytes belong to the same file.
    ///   - conversation: The conversation.
    ///   - progress: Called with the index in `files` of the file that is being uploaded, and its progress.
    /// - Returns: The receipt, with the outcome `sent`.
    /// - Throws: As ``send(_:to:)-(Draft,_)``; `APIError` if a file cannot be uploaded, ``AccountError`` with `file` if
    ///   a file cannot be read or changes while it is read.
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

    /// Uploads files and puts a message with them on disk; a worker posts the message.
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
        // The files are encrypted under the newest key, so it must be known before the upload.
        try await learnKeys(of: conversation)
        try await prepareToEncrypt(in: conversation)
        // Encrypting the message once checks that it can be sent, before anything is uploaded.
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
    /// The file appears only after all of it was authenticated; an existing file is an error.
    /// - Parameters:
    ///   - attachment: The attachment.
    ///   - message: The message with the attachment.
    ///   - path: The file to create.
    ///   - progress: Called with the progress.
    /// - Throws: `APIError`, with `authentication_failed` for altered or truncated media; ``AccountError`` if the key
    ///   of the message is not known.
    public func download(
        _ attachment: MediaAttachment,
        of message: Message,
        to path: String,
        progress: (@Sendable (MediaProgress) -> Void)? = nil
    ) async throws {
        guard let hashKey = attachment.mediaHashKey else {
            throw AccountError(.malformed, "the attachment has no media hash key, so there is no file to download")
        }
        guard case .messageCreateEvent(let create) = message.received.event.received.detail,
            let version = create.conversationKeyVersion
        else {
            throw AccountError(
                .malformed,
                "the message names no conversation key version, so its attachments cannot be decrypted"
            )
        }
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

    /// A verified key of a conversation.
    ///
    /// If the state does not have the key, the history is read.
    /// - Parameters:
    ///   - conversation: The conversation.
    ///   - version: The version of the key; nil for the newest.
    /// - Returns: The accepted key and its version.
    /// - Throws: ``AccountError`` with `key_missing` if the history does not bring the key either.
    package func key(
        of conversation: ConversationID,
        version: KeyVersion?
    ) async throws -> (version: KeyVersion, key: ConversationKey) {
        if let found = try await heldKey(of: conversation, version: version) { return found }
        _ = try await readHistory(of: conversation)
        if let found = try await heldKey(of: conversation, version: version) { return found }
        throw AccountError(
            AccountError.Code(rawValue: XChatError.Code.keyMissing.rawValue),
            "no verified key\(version.map { " \(visible($0.string))" } ?? "") of the conversation \(conversation): neither the "
                + "state nor the history has it; to send, rotate the key, or ask a member to do so; what is encrypted under a "
                + "missing key cannot be decrypted"
        )
    }

    /// A conversation key that may be used to encrypt.
    package func encryptingKey(
        of conversation: ConversationID,
        version: KeyVersion?
    ) async throws -> (version: KeyVersion, key: ConversationKey) {
        _ = try await key(of: conversation, version: version)
        return try await state.session(AccountState.Scope(conversation))
            .keyToEncrypt(in: conversation, version: version)
    }

    private func heldKey(
        of conversation: ConversationID,
        version: KeyVersion?
    ) async throws -> (version: KeyVersion, key: ConversationKey)? {
        try await state.session(AccountState.Scope(conversation)).heldKey(of: conversation, version: version)
    }
}

extension Session {
    /// An accepted key of a conversation, the newest or the one of a version; nil if no such key is accepted.
    package func heldKey(
        of conversation: ConversationID,
        version: KeyVersion?
    ) -> (version: KeyVersion, key: ConversationKey)? {
        guard let version = version ?? keyRing.newestVersion(in: conversation),
            let key = keyRing.acceptedKey(in: conversation, version: version)
        else { return nil }
        return (version, key)
    }

    /// The conversation key to encrypt with; the error names the conversation.
    package func keyToEncrypt(
        in conversation: ConversationID,
        version: KeyVersion? = nil
    ) throws(AccountError) -> (version: KeyVersion, key: ConversationKey) {
        do throws(XChatError) {
            return try encryptingKey(in: conversation, version: version)
        } catch {
            throw AccountError(error, conversation: conversation)
        }
    }
}
