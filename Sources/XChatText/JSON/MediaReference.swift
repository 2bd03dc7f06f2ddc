package import XChat
import XChatEngine
package import XChatEvents

/// The values needed to download a file, from the arguments or from a message.
package struct MediaReference: Hashable, Sendable {
    package let hashKey: String
    package let conversation: ConversationID
    /// The version of the conversation key; nil for the newest.
    package let keyVersion: KeyVersion?
    /// The size of the file in bytes.
    package let size: Int?

    package init(hashKey: String, conversation: ConversationID, keyVersion: KeyVersion?, size: Int?) {
        self.hashKey = hashKey
        self.conversation = conversation
        self.keyVersion = keyVersion
        self.size = size
    }

    /// Takes a file from the JSON of a message: see ``resultJSON(_:received:servedID:handles:index:)``.
    ///
    /// - Parameters:
    ///   - number: The number of the attachment in the message, counted from 1.
    ///   - line: The JSON.
    ///   - document: The name of the JSON in errors.
    ///   - reader: The user who received the message.
    /// - Throws: If the line is not a message, or has no such attachment.
    package init(
        attachment number: Int,
        inLine line: [UInt8],
        document: String,
        readBy reader: UserID
    ) throws(AccountError) {
        let message = try JSONLocation(parsing: line, document: document).required("event")
        let attachments = try message.required("attachments")
        let elements = try attachments.elements()
        guard elements.indices.contains(number - 1) else {
            throw attachments.error("there are \(elements.count), and number \(number) was asked for")
        }
        let chosen = elements[number - 1]
        self.init(
            hashKey: try chosen.required("media_hash_key").string().string,
            conversation: ConversationID(
                canonicalizing: try message.required("conversation_id").string(),
                sender: try message.member("sender_id")?.id() ?? reader
            ),
            keyVersion: try message.required("key_version").id(),
            size: try chosen.member("filesize_bytes")?.integer(Int.self)
        )
    }
}
