import NIOCore
public import XChatEngine

extension ChatClient {
    /// Downloads a file and decrypts it.
    ///
    /// The plaintext is written, as it is authenticated, to a temporary file with mode 0600 in the folder of the
    /// destination. The file is renamed to the destination only after the whole file is authenticated; after an error
    /// the destination is unchanged. If the connection breaks, the download is retried under ``RetryPolicy`` from the
    /// first byte: X serves no ranges.
    ///
    /// - Parameters:
    ///   - mediaHashKey: The name of the file in the message: 1 to 50 letters and digits.
    ///   - target: The conversation.
    ///   - key: The conversation key of the version with which **the message** is encrypted; it may be an older
    ///     version.
    ///   - path: The path of the destination. The system resolves it.
    ///   - expectedBytes: The size of the plaintext file that the message states; any other size is an error. It does
    ///     not raise the limit ``Limits/mediaBytes``, because the sender of the message chose it.
    ///   - overwrites: Whether to replace an existing regular file. If the path is a link, the target of the link is
    ///     replaced.
    ///   - progress: Called when the server answers and after each piece of at least 256 KiB (the last one can be
    ///     smaller), one call at a time. After a broken connection `doneBytes` starts again from 0.
    /// - Throws: ``APIError``: `authentication_failed` if the file was altered or truncated, `connection` if an answer
    ///   without a length is cut off, `too_large` if the file is larger than the limit, `malformed_response` if its
    ///   size is not the expected one, `file` if the destination exists or cannot be written.
    public func download(
        _ mediaHashKey: String,
        in target: ConversationTarget,
        key: ConversationKey,
        to path: String,
        expectedBytes: Int? = nil,
        overwrites: Bool = false,
        progress: (@Sendable (MediaProgress) -> Void)? = nil
    ) async throws(APIError) {
        let download = MediaDownload(
            client: self,
            mediaHashKey: mediaHashKey,
            target: target,
            key: key,
            path: path,
            expectedBytes: expectedBytes,
            overwrites: overwrites
        )
        try await download.run(progress)
    }
}

/// One download.
struct MediaDownload: Sendable {
    private static let pieceBytes = 256 << 10

    let client: ChatClient
    let mediaHashKey: String
    let target: ConversationTarget
    let key: ConversationKey
    let path: String
    let expectedBytes: Int?
    let overwrites: Bool

    /// Downloads the file, with retries.
    ///
    /// Runs on the global executor: decryption would block the caller's actor.
    @concurrent
    func run(_ progress: (@Sendable (MediaProgress) -> Void)?) async throws(APIError) {
        var retries = RetryState(policy: client.retries, isRepeatable: true)
        var token = try await client.tokens.current(within: client.retries.budget)
        while true {
            do throws(APIError) {
                return try await attempt(token, progress)
            } catch {
                // Only pauses count against the budget: the download of a large file may take longer than the budget.
                token = try await client.proceed(after: error, &retries, elapsed: .zero, token: token)
            }
        }
    }

    private func attempt(
        _ token: Token,
        _ progress: (@Sendable (MediaProgress) -> Void)?
    ) async throws(APIError) {
        let request = try APIRequest.media(mediaHashKey, in: target)
        if let expectedBytes {
            guard let totalBytes, totalBytes <= client.limits.mediaBytes else {
                throw APIError(
                    .tooLarge,
                    "the file has \(expectedBytes) bytes; encrypted it would exceed the limit of "
                        + "\(client.limits.mediaBytes) bytes"
                )
            }
        }
        try await client.userCheck?.require(token, client)
        let file = try await TemporaryFile.make(for: path, overwrites: overwrites)
        let answer = try await client.open(request, token: token)
        var decryptor = MediaDecryptor(key: key)
        var (receivedBytes, writtenBytes) = (0, 0)
        progress?(MediaProgress(doneBytes: 0, totalBytes: totalBytes))
        while true {
            let piece = try await piece(of: answer)
            receivedBytes += piece.count
            guard receivedBytes <= limit else {
                throw APIError(.tooLarge, "the file is larger than \(limit) bytes")
            }
            var plaintext: [UInt8] = []
            do {
                try decryptor.take(piece, appendingTo: &plaintext)
            } catch {
                guard piece.isEmpty, !answer.hasMarkedEnd else { throw APIError(.authenticationFailed, error.message) }
                throw Self.cutOff
            }
            writtenBytes += plaintext.count
            try await file.write(plaintext)
            guard !piece.isEmpty else { break }
            progress?(MediaProgress(doneBytes: receivedBytes, totalBytes: totalBytes))
        }
        // A header alone is a valid empty file, but also the remainder of any file that was cut off after its header.
        guard writtenBytes > 0 || answer.hasMarkedEnd || expectedBytes == 0 else { throw Self.cutOff }
        if let expectedBytes, writtenBytes != expectedBytes {
            throw APIError(
                .malformedResponse,
                "the file has \(writtenBytes) bytes, but the message states \(expectedBytes)"
            )
        }
        try await file.publish()
    }

    private static var cutOff: APIError {
        APIError(.connection, "the connection closed before the file was complete, and the answer states no length")
    }

    /// Fetches the next bytes within the timeout of one request.
    ///
    /// - Returns: At least 256 KiB unless the file ends; no bytes at the end.
    private func piece(of answer: StreamedAnswer) async throws(APIError) -> [UInt8] {
        let clock = ContinuousClock()
        let deadline = clock.now + client.limits.timeout
        var piece: [UInt8] = []
        while piece.count < Self.pieceBytes,
            let bytes = try await answer.next(within: max(deadline - clock.now, .milliseconds(1)))
        {
            piece += bytes.readableBytesView
        }
        return piece
    }

    /// The size of the encrypted file, if the message states the size of the file.
    private var totalBytes: Int? { expectedBytes.flatMap { MediaEncryptor.encryptedSize(of: $0) } }

    /// The most bytes to receive: 64 more than expected, because other clients may add an empty frame at the end.
    private var limit: Int {
        let largest = client.limits.mediaBytes
        guard let (limit, isBeyond) = totalBytes?.addingReportingOverflow(64), !isBeyond else { return largest }
        return min(limit, largest)
    }
}
