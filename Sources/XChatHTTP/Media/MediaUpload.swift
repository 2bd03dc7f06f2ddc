public import XChatEngine
public import XChatEvents
package import XChatFiles

/// How much of a transfer is done, in bytes of the encrypted file.
public struct MediaProgress: Hashable, Sendable {
    /// The bytes transferred so far.
    public let doneBytes: Int
    /// The size of the encrypted file; nil if a download does not know it.
    public let totalBytes: Int?
}

/// An encrypted file on the server, with the properties that a message states.
public struct UploadedMedia: Hashable, Sendable {
    /// The name that the server gave to the file: 1 to 50 letters and digits.
    public let mediaHashKey: String
    /// The size of the file before encryption, in bytes.
    public let plaintextBytes: Int
    /// The size of the encrypted file, in bytes.
    public let encryptedBytes: Int
    /// The media type, recognized by the first bytes of the file; nil if they are not recognized.
    public let mimeType: String?
    /// The size of an image that its header states.
    public let dimensions: MediaInfo.Dimensions?
}

extension ChatClient {
    /// Encrypts a file and uploads it, in segments of 3 MiB.
    ///
    /// Each segment is one call, which is retried under ``RetryPolicy`` with the same bytes. One segment is in memory
    /// at a time.
    ///
    /// ```swift
    /// let media = try await client.upload("photo.jpg", key: key, in: conversation) { print($0.doneBytes) }
    /// ```
    /// - Parameters:
    ///   - path: A regular file of at most about 2.9 GiB (1000 segments). The system resolves the path once.
    ///   - key: The conversation key with which the message is encrypted.
    ///   - conversation: The canonical id of the conversation.
    ///   - ttlMsec: The milliseconds after which the server deletes the file; nil to keep it.
    ///   - progress: Called when the server has opened the upload and after each segment, one call at a time.
    /// - Returns: The file on the server.
    /// - Throws: ``APIError``; `file` if the file cannot be read or changes during the upload, `too_large` if it needs
    ///   more than 1000 segments.
    public func upload(
        _ path: String,
        key: ConversationKey,
        in conversation: ConversationID,
        ttlMsec: Int64? = nil,
        progress: (@Sendable (MediaProgress) -> Void)? = nil
    ) async throws(APIError) -> UploadedMedia {
        let file: RegularFile
        do {
            file = try await blocking { () throws(FileError) in try RegularFile(path) }
        } catch {
            throw APIError(.file, "the file cannot be read: \(error.reasonText)")
        }
        return try await upload(file, key: key, in: conversation, ttlMsec: ttlMsec, progress: progress)
    }

    /// Like ``upload(_:key:in:ttlMsec:progress:)``, for an open file.
    package func upload(
        _ file: RegularFile,
        key: ConversationKey,
        in conversation: ConversationID,
        ttlMsec: Int64? = nil,
        progress: (@Sendable (MediaProgress) -> Void)? = nil
    ) async throws(APIError) -> UploadedMedia {
        let upload = MediaUpload(client: self, file: file, key: key, conversation: conversation, ttlMsec: ttlMsec)
        return try await upload.run(progress)
    }
}

/// One upload.
struct MediaUpload: Sendable {
    /// The most segments: their numbers have three digits.
    static let maximumSegments = 1000
    private static let pieceBytes = 256 << 10

    let client: ChatClient
    let file: RegularFile
    let key: ConversationKey
    let conversation: ConversationID
    let ttlMsec: Int64?
    /// How many bytes of the encrypted file one call sends; the same number as in X's own clients.
    var segmentBytes = 3 << 20

    /// Uploads the file.
    ///
    /// Runs on the global executor: encryption would block the caller's actor.
    @concurrent
    func run(_ progress: (@Sendable (MediaProgress) -> Void)?) async throws(APIError) -> UploadedMedia {
        var source = try Source(file, key: key)
        guard let encryptedBytes = MediaEncryptor.encryptedSize(of: source.plaintextBytes),
            encryptedBytes <= segmentBytes * Self.maximumSegments
        else {
            throw APIError(
                .tooLarge,
                "the encrypted file would exceed \(segmentBytes * Self.maximumSegments) bytes, the most that one upload holds"
            )
        }
        let limit = client.limits.answerBytes
        let session = try await client.perform(.initializeUpload(of: encryptedBytes, in: conversation, limit: limit))
        progress?(MediaProgress(doneBytes: 0, totalBytes: encryptedBytes))
        var (sentBytes, segments) = (0, 0)
        while true {
            try await source.fill(to: segmentBytes)
            guard !source.encrypted.isEmpty else { break }
            let segment = source.encrypted.prefix(segmentBytes)
            try await client.perform(.append(segment, number: segments, to: session, limit: limit))
            sentBytes += segment.count
            segments += 1
            source.encrypted.removeFirst(segment.count)
            progress?(MediaProgress(doneBytes: sentBytes, totalBytes: encryptedBytes))
        }
        try await client.perform(.finalize(session, segments: segments, ttlMsec: ttlMsec, limit: limit))
        return UploadedMedia(
            mediaHashKey: session.mediaHashKey,
            plaintextBytes: source.plaintextBytes,
            encryptedBytes: encryptedBytes,
            mimeType: MediaInfo.mimeType(of: source.beginning.span),
            dimensions: MediaInfo.dimensions(of: source.beginning.span)
        )
    }

    /// The file, encrypted while it is read.
    private struct Source: ~Copyable {
        var plaintextBytes: Int { file.byteCount }
        /// Encrypted bytes that are not sent yet.
        var encrypted: [UInt8] = []
        /// The first bytes of the file, which show its type.
        private(set) var beginning: [UInt8] = []
        private let file: RegularFile
        private var encryptor: MediaEncryptor
        private var readBytes = 0
        private var isAtEnd = false

        init(_ file: RegularFile, key: ConversationKey) throws(APIError) {
            do throws(XChatError) {
                encryptor = try MediaEncryptor(key: key)
            } catch {
                throw APIError(.file, "the file cannot be encrypted: \(error.code)")
            }
            self.file = file
        }

        /// Reads and encrypts until a segment is full or the file ends.
        mutating func fill(to segmentBytes: Int) async throws(APIError) {
            while encrypted.count < segmentBytes, !isAtEnd {
                if Task.isCancelled { throw APIError(.cancelled, "the task was cancelled") }
                let (file, offset) = (file, readBytes)
                let piece: [UInt8]
                do {
                    piece = try await blocking { () throws(FileError) in
                        try file.read(upTo: MediaUpload.pieceBytes, at: offset)
                    }
                } catch {
                    throw APIError(.file, "the file cannot be read: \(error.reasonText)")
                }
                readBytes += piece.count
                isAtEnd = piece.isEmpty
                guard readBytes <= plaintextBytes, !isAtEnd || readBytes == plaintextBytes else {
                    throw APIError(.file, "the file changed while it was read; try again when nothing writes to it")
                }
                beginning += piece.prefix(max(MediaInfo.usefulByteCount - beginning.count, 0))
                do {
                    try encryptor.take(piece, appendingTo: &encrypted)
                } catch {
                    throw APIError(.file, "the file cannot be encrypted: \(error.code)")
                }
            }
        }
    }
}
