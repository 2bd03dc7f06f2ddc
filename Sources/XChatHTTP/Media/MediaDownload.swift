public import Foundation
import NIOCore
public import XChatEngine

extension ChatClient {
    /// Downloads a file and decrypts it.
    ///
    /// Nothing happens before the sequence is walked. What authenticates goes to a temporary file beside the destination,
    /// mode 0600, which gets its name only when the stream proved complete; whatever goes wrong, the destination is as it was. A
    /// connection that breaks is begun again as ``RetryPolicy`` says, from the first byte: X offers no ranges.
    /// - Parameters:
    ///   - mediaHashKey: The name that the message gives: 1 to 50 letters and digits.
    ///   - target: The conversation.
    ///   - key: The conversation key of the version that **the message** was sealed under, not the newest.
    ///   - destination: Where the file goes.
    ///   - expectedBytes: The size of the file as the message names it; the file must have it. It never lifts
    ///     ``Limits/mediaBytes``: the sender of the message chose it.
    ///   - overwrites: Whether a file that is there is replaced.
    /// - Returns: Progress; when the sequence ends, the file is there. Throws ``APIError``: `authentication_failed` for what is
    ///   altered or cut off, `too_large`, `malformed_response` for another size than was named, `file`.
    public func download(
        _ mediaHashKey: String,
        in target: ConversationTarget,
        key: ConversationKey,
        to destination: URL,
        expectedBytes: Int? = nil,
        overwrites: Bool = false
    ) -> MediaDownload {
        MediaDownload(
            client: self,
            mediaHashKey: mediaHashKey,
            target: target,
            key: key,
            destination: destination,
            expectedBytes: expectedBytes,
            overwrites: overwrites
        )
    }
}

/// The steps of a download.
public struct MediaDownload: AsyncSequence, Sendable {
    /// What ends it early.
    public typealias Failure = APIError
    /// How far it is; where a connection broke, it starts again from none.
    public typealias Element = MediaProgress

    private static let pieceBytes = 256 << 10

    let client: ChatClient
    let mediaHashKey: String
    let target: ConversationTarget
    let key: ConversationKey
    let destination: URL
    let expectedBytes: Int?
    let overwrites: Bool

    /// Starts from the beginning, as another download.
    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    /// One run of the download, for one task.
    public final class Iterator: AsyncIteratorProtocol {
        private struct Run: ~Copyable {
            let answer: StreamedAnswer
            let file: TemporaryFile
            var decryptor: MediaDecryptor
            var receivedBytes = 0
            var writtenBytes = 0
        }

        private let download: MediaDownload
        private var run: Run?
        private var retries: RetryState
        private var isOver = false

        fileprivate init(_ download: MediaDownload) {
            self.download = download
            retries = RetryState(policy: download.client.retries, isRepeatable: true)
        }

        /// Does the next step; nil when the file is there and after an error.
        public func next() async throws(APIError) -> MediaProgress? {
            try await next(isolation: #isolation)
        }

        /// Does the next step; nil when the file is there and after an error.
        public func next(isolation actor: isolated (any Actor)?) async throws(APIError) -> MediaProgress? {
            guard !isOver else { return nil }
            isOver = true
            var token = await download.client.tokens.current
            while true {
                do throws(APIError) {
                    let progress = try await step(token)
                    isOver = progress == nil
                    return progress
                } catch {
                    run = nil
                    // Pauses alone count against the budget: a large file may take its time.
                    token = try await download.client.proceed(after: error, &retries, elapsed: .zero, token: token)
                }
            }
        }

        private func step(_ token: Token) async throws(APIError) -> MediaProgress? {
            guard var run = self.run.take() else {
                self.run = try await begin(token)
                return MediaProgress(doneBytes: 0, totalBytes: totalBytes)
            }
            let piece = try await piece(of: run.answer)
            run.receivedBytes += piece.count
            guard run.receivedBytes <= limit else {
                throw APIError(.tooLarge, "the file is larger than \(limit) bytes")
            }
            var plaintext: [UInt8] = []
            do {
                if piece.isEmpty {
                    try run.decryptor.finish(appendingTo: &plaintext)
                } else {
                    try run.decryptor.push(piece, appendingTo: &plaintext)
                }
            } catch {
                throw APIError(.authenticationFailed, error.message)
            }
            run.writtenBytes += plaintext.count
            try run.file.write(plaintext)
            guard piece.isEmpty else {
                let progress = MediaProgress(doneBytes: run.receivedBytes, totalBytes: totalBytes)
                self.run = consume run
                return progress
            }
            if let expected = download.expectedBytes, run.writtenBytes != expected {
                throw APIError(.malformedResponse, "the file has \(run.writtenBytes) bytes, not the \(expected) named")
            }
            try run.file.rename(to: download.destination, overwrites: download.overwrites)
            return nil
        }

        private func begin(_ token: Token) async throws(APIError) -> Run {
            let client = download.client
            let request = try APIRequest.media(download.mediaHashKey, in: download.target)
            if let expected = download.expectedBytes {
                let largest = client.limits.mediaBytes
                guard let totalBytes, totalBytes <= largest else {
                    throw APIError(.tooLarge, "no file of \(expected) bytes is received: \(largest) is the limit")
                }
            }
            if !download.overwrites, FileManager.default.fileExists(atPath: download.destination.path) {
                throw APIError(.file, "there is a file of that name already")
            }
            let file = try TemporaryFile(beside: download.destination)
            let clock = ContinuousClock()
            let start = clock.now
            do throws(APIError) {
                let answer = try await client.transport.open(request, token: token, timeout: client.limits.timeout)
                client.finished(request, status: 200, duration: clock.now - start, code: nil)
                return Run(answer: answer, file: file, decryptor: MediaDecryptor(key: download.key))
            } catch {
                var error = error
                error.operation = request.operation
                client.finished(request, status: error.status, duration: clock.now - start, code: error.code)
                throw error
            }
        }

        /// Enough bytes to be worth a write, all within the time of one request; none at the end.
        private func piece(of answer: StreamedAnswer) async throws(APIError) -> [UInt8] {
            let clock = ContinuousClock()
            let deadline = clock.now + download.client.limits.timeout
            var piece: [UInt8] = []
            while piece.count < MediaDownload.pieceBytes,
                let bytes = try await answer.next(within: Swift.max(deadline - clock.now, .milliseconds(1)))
            {
                piece += bytes.readableBytesView
            }
            return piece
        }

        private var totalBytes: Int? { download.expectedBytes.flatMap { MediaEncryptor.encryptedSize(of: $0) } }

        /// Other writers may end the stream with an empty frame of its own.
        private var limit: Int {
            let largest = download.client.limits.mediaBytes
            guard let (limit, isBeyond) = totalBytes?.addingReportingOverflow(64), !isBeyond else { return largest }
            return Swift.min(limit, largest)
        }
    }
}
