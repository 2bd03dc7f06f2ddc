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

/// A file that vanishes unless it is given its name.
///
/// Where the system can make a file without a name (`O_TMPFILE`), nothing of the plaintext is left however the process ends.
private final class TemporaryFile {
    /// The name that it has while it is written, or gets for an instant before it replaces another file.
    private let url: URL
    private let handle: FileHandle
    private let isUnnamed: Bool

    init(beside destination: URL) throws(APIError) {
        let folder = destination.deletingLastPathComponent()
        url = folder.appending(path: ".\(UUID().uuidString).partial")
        if let handle = Self.unnamedFile(in: folder) {
            (self.handle, isUnnamed) = (handle, true)
            return
        }
        guard
            FileManager.default.createFile(atPath: url.path, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = try? FileHandle(forWritingTo: url)
        else {
            throw APIError(.file, "no file can be written at the destination")
        }
        (self.handle, isUnnamed) = (handle, false)
    }

    private static func unnamedFile(in folder: URL) -> FileHandle? {
        #if canImport(Glibc)
            // Glibc's macro is not imported: __O_TMPFILE | O_DIRECTORY.
            let flags = 0o20000000 | O_DIRECTORY | O_WRONLY | O_CLOEXEC
            let number = unsafe Glibc.open(folder.path, flags, 0o600)
            return number >= 0 ? FileHandle(fileDescriptor: number, closeOnDealloc: true) : nil
        #else
            return nil
        #endif
    }

    func write(_ bytes: [UInt8]) throws(APIError) {
        do {
            try handle.write(contentsOf: bytes)
        } catch {
            throw APIError(.file, "the file cannot be written\(error.systemReason)")
        }
    }

    func rename(to destination: URL, overwrites: Bool) throws(APIError) {
        do {
            try handle.synchronize()
            // A link, unlike a move, cannot replace a file that came into being meanwhile.
            try link(to: overwrites ? url : destination)
            if overwrites {
                guard unsafe Foundation.rename(url.path, destination.path) == 0 else { throw Self.systemError }
            }
            try handle.close()
        } catch {
            throw APIError(.file, "the file cannot be given its name\(error.systemReason)")
        }
    }

    /// Gives the file another name.
    private func link(to name: URL) throws {
        guard isUnnamed else {
            if name != url { try FileManager.default.linkItem(at: url, to: name) }
            return
        }
        #if canImport(Glibc)
            let source = "/proc/self/fd/\(handle.fileDescriptor)"
            guard unsafe linkat(AT_FDCWD, source, AT_FDCWD, name.path, AT_SYMLINK_FOLLOW) == 0 else {
                throw Self.systemError
            }
        #endif
    }

    private static var systemError: NSError { NSError(domain: NSPOSIXErrorDomain, code: Int(errno)) }

    deinit {
        try? handle.close()
        try? FileManager.default.removeItem(at: url)
    }
}

extension Error {
    /// What the system says of a file, in brackets: a full disk is the user's to empty.
    fileprivate var systemReason: String {
        let error = self as NSError
        let cause = (error.userInfo[NSUnderlyingErrorKey] as? any Error).map { $0 as NSError } ?? error
        guard cause.domain == NSPOSIXErrorDomain, let code = Int32(exactly: cause.code) else { return "" }
        return unsafe " (\(String(cString: strerror(code))))"
    }
}
