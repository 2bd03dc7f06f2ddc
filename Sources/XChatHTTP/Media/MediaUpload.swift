public import Foundation
public import XChatEngine
public import XChatEvents

/// How far a transfer is, in bytes of the encrypted file.
public struct MediaProgress: Hashable, Sendable {
    /// The bytes that arrived.
    public let doneBytes: Int
    /// All of them; nil where nobody named the size.
    public let totalBytes: Int?
}

/// A file that the server keeps, encrypted, and what a message says about it.
public struct UploadedMedia: Hashable, Sendable {
    /// The name to fetch it under.
    public let mediaHashKey: String
    /// The size of the file.
    public let plaintextBytes: Int
    /// The size of what the server keeps.
    public let encryptedBytes: Int
    /// The type that the first bytes of the file stand for, if any.
    public let mimeType: String?
    /// The size of an image, as its header claims.
    public let dimensions: MediaInfo.Dimensions?
}

extension ChatClient {
    /// Encrypts a file and uploads it, in segments of 3 MiB.
    ///
    /// Nothing happens before the sequence is walked; every step of it is one call, tried again by itself as
    /// ``RetryPolicy`` says, with the same bytes. One segment is in memory at a time.
    ///
    /// ```swift
    /// for try await step in client.upload(file, key: key, in: conversation) {
    ///     if case .finished(let media) = step { … }
    /// }
    /// ```
    /// - Parameters:
    ///   - file: A regular file.
    ///   - key: The key of the conversation, the same that the message is sealed under.
    ///   - conversation: The canonical id of the conversation.
    ///   - ttlMsec: After how many milliseconds the server forgets it.
    /// - Returns: Progress, and at last the uploaded file. Throws ``APIError``; `file` when it cannot be read, or changed
    ///   meanwhile.
    public func upload(
        _ file: URL,
        key: ConversationKey,
        in conversation: ConversationID,
        ttlMsec: Int64? = nil
    ) -> MediaUpload {
        MediaUpload(client: self, file: file, key: key, conversation: conversation, ttlMsec: ttlMsec)
    }
}

/// The steps of an upload.
public struct MediaUpload: AsyncSequence, Sendable {
    /// What ends it early.
    public typealias Failure = APIError

    /// What was just done.
    public enum Element: Hashable, Sendable {
        /// The upload was opened, or a segment arrived.
        case progress(MediaProgress)
        /// The server has it all.
        case finished(UploadedMedia)
    }

    /// How much of the encrypted file one call carries, in bytes: as much as X's own programs send.
    var segmentBytes = 3 << 20
    /// The number of a segment has three digits.
    static let maximumSegments = 1000
    private static let pieceBytes = 256 << 10

    let client: ChatClient
    let file: URL
    let key: ConversationKey
    let conversation: ConversationID
    let ttlMsec: Int64?

    /// Starts from the beginning, as another upload.
    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    /// One run of the upload, for one task.
    public final class Iterator: AsyncIteratorProtocol {
        private struct Run: ~Copyable {
            let handle: FileHandle
            let plaintextBytes: Int
            let encryptedBytes: Int
            let session: UploadSession
            var encryptor: MediaEncryptor
            /// Encrypted, not sent yet.
            var pending: [UInt8] = []
            var beginning: [UInt8] = []
            var readBytes = 0
            var sentBytes = 0
            var segments = 0
            var isAtEnd = false
        }

        private let upload: MediaUpload
        private var run: Run?
        private var isOver = false

        fileprivate init(_ upload: MediaUpload) {
            self.upload = upload
        }

        /// Does the next step; nil after the last one and after an error.
        public func next() async throws(APIError) -> Element? {
            try await next(isolation: #isolation)
        }

        /// Does the next step; nil after the last one and after an error.
        public func next(isolation actor: isolated (any Actor)?) async throws(APIError) -> Element? {
            guard !isOver else { return nil }
            // Over, unless the step succeeds and another one follows.
            isOver = true
            guard var run = self.run.take() else {
                let run = try await begin()
                let progress = MediaProgress(doneBytes: 0, totalBytes: run.encryptedBytes)
                self.run = consume run
                isOver = false
                return .progress(progress)
            }
            try fill(&run)
            if run.pending.isEmpty {
                try await finalize(run)
                return .finished(
                    UploadedMedia(
                        mediaHashKey: run.session.mediaHashKey,
                        plaintextBytes: run.plaintextBytes,
                        encryptedBytes: run.encryptedBytes,
                        mimeType: MediaInfo.mimeType(of: run.beginning.span),
                        dimensions: MediaInfo.dimensions(of: run.beginning.span)
                    )
                )
            }
            let segment = run.pending.prefix(upload.segmentBytes)
            try await upload.client.perform(
                .append(segment, number: run.segments, to: run.session, limit: upload.client.limits.answerBytes)
            )
            run.sentBytes += segment.count
            run.segments += 1
            run.pending.removeFirst(segment.count)
            let progress = MediaProgress(doneBytes: run.sentBytes, totalBytes: run.encryptedBytes)
            self.run = consume run
            isOver = false
            return .progress(progress)
        }

        private func begin() async throws(APIError) -> Run {
            let (handle, size) = try Self.open(upload.file)
            guard let encryptedBytes = MediaEncryptor.encryptedSize(of: size),
                encryptedBytes <= upload.segmentBytes * MediaUpload.maximumSegments
            else {
                throw APIError(.tooLarge, "the file does not fit in \(MediaUpload.maximumSegments) segments")
            }
            let encryptor: MediaEncryptor
            do {
                encryptor = try MediaEncryptor(key: upload.key)
            } catch {
                throw APIError(.file, "the file cannot be encrypted: \(error.code)")
            }
            let session = try await upload.client.perform(
                .initializeUpload(
                    of: encryptedBytes,
                    in: upload.conversation,
                    limit: upload.client.limits.answerBytes
                )
            )
            return Run(
                handle: handle,
                plaintextBytes: size,
                encryptedBytes: encryptedBytes,
                session: session,
                encryptor: encryptor
            )
        }

        private func finalize(_ run: borrowing Run) async throws(APIError) {
            try await upload.client.perform(
                .finalize(
                    run.session,
                    segments: run.segments,
                    ttlMsec: upload.ttlMsec,
                    limit: upload.client.limits.answerBytes
                )
            )
        }

        /// Reads and encrypts until a segment is full or the file ends.
        private func fill(_ run: inout Run) throws(APIError) {
            while run.pending.count < upload.segmentBytes, !run.isAtEnd {
                let piece: Data
                do {
                    piece = try run.handle.read(upToCount: MediaUpload.pieceBytes) ?? Data()
                } catch {
                    throw APIError(.file, "the file cannot be read")
                }
                run.readBytes += piece.count
                run.isAtEnd = piece.isEmpty
                guard run.readBytes <= run.plaintextBytes, !run.isAtEnd || run.readBytes == run.plaintextBytes else {
                    throw APIError(.file, "the file changed while it was read")
                }
                let missing = MediaInfo.usefulByteCount - run.beginning.count
                if missing > 0 { run.beginning += piece.prefix(missing) }
                do {
                    if run.isAtEnd {
                        try run.encryptor.finish(appendingTo: &run.pending)
                    } else {
                        try run.encryptor.push(Array(piece), appendingTo: &run.pending)
                    }
                } catch {
                    throw APIError(.file, "the file cannot be encrypted: \(error.code)")
                }
            }
        }

        private static func open(_ file: URL) throws(APIError) -> (FileHandle, size: Int) {
            do {
                let handle = try FileHandle(forReadingFrom: file)
                let size = try handle.seekToEnd()
                try handle.seek(toOffset: 0)
                return (handle, Int(clamping: size))
            } catch {
                throw APIError(.file, "the file cannot be read")
            }
        }
    }
}
