import Foundation
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP

extension RemoteSession {
    /// A key of a conversation, from the state or else from the conversation's key changes.
    ///
    /// - Parameters:
    ///   - conversation: The canonical id.
    ///   - version: Which; nil for the newest.
    /// - Returns: The key and its version.
    /// - Throws: Where there is none that is verified.
    mutating func key(
        of conversation: ConversationID,
        version: KeyVersion?
    ) async throws -> (version: KeyVersion, key: ConversationKey) {
        if let found = heldKey(of: conversation, version: version) { return found }
        try await fetchKeys(of: conversation)
        if let found = heldKey(of: conversation, version: version) { return found }
        throw CommandError(
            "no verified key\(version.map { " \(visible($0.string))" } ?? "") for the conversation \(conversation), "
                + "neither in the state nor among its key changes"
        )
    }

    /// A key of a conversation that encrypts, as for a message.
    mutating func encryptingKey(
        of conversation: ConversationID,
        version: KeyVersion?
    ) async throws -> (version: KeyVersion, key: ConversationKey) {
        _ = try await key(of: conversation, version: version)
        do {
            return try session.encryptingKey(in: conversation, version: version)
        } catch {
            throw AccountError(error, conversation: conversation)
        }
    }

    private func heldKey(
        of conversation: ConversationID,
        version: KeyVersion?
    ) -> (version: KeyVersion, key: ConversationKey)? {
        guard let version = version ?? session.keyRing.newestVersion(in: conversation),
            let key = session.keyRing.acceptedKey(in: conversation, version: version)
        else { return nil }
        return (version, key)
    }

    /// Encrypts a file under a conversation's key and uploads it.
    ///
    /// If standard error is a terminal, the progress is shown there.
    func upload(
        _ file: AttachmentFile,
        under key: ConversationKey,
        in conversation: ConversationID,
        label: String,
        isQuiet: Bool
    ) async throws -> MediaAttachment {
        let display = ProgressDisplay(label, isQuiet: isQuiet)
        let media: UploadedMedia
        do throws(APIError) {
            media = try await client.upload(URL(filePath: file.path), key: key, in: conversation) { display.show($0) }
        } catch {
            throw CommandError("\(quoted(file.path)) was not uploaded: \(error)")
        }
        guard media.plaintextBytes == file.byteCount else {
            throw CommandError("\(quoted(file.path)) was not uploaded: the file changed while it was read")
        }
        return file.attachment(media.mediaHashKey)
    }
}
