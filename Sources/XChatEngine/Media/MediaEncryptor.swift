import LibSodium

/// How media are cut into frames: `docs/protocol.md`, "Media".
enum MediaFraming {
    /// The plaintext in every frame but the last, which holds 1 to 1024 bytes.
    static let chunkLength = 1024
    static let frameLength = chunkLength + SecretStream.overheadByteCount
    static let headerLength = SecretStream.headerByteCount
}

/// Encrypts a file under its conversation's key, in pieces of any size.
///
/// A stream is a header of 24 bytes and then frames (`crypto_secretstream_xchacha20poly1305`), each of 1024 bytes of
/// plaintext and 17 more; the last frame, which may be shorter, says that it is the last. An empty file is the header
/// alone. The framing does not depend on how the input was split, and memory does not depend on its length.
///
/// ```swift
/// var encryptor = try MediaEncryptor(key: key)
/// while let piece = try file.read(upToCount: 65_536) { try encryptor.push(piece, appendingTo: &output) }
/// try encryptor.finish(appendingTo: &output)
/// ```
public struct MediaEncryptor: ~Copyable, Sendable {
    private var stream: SecretStream.Push
    private var isHeaderWritten = false
    private var isFinished = false
    /// The last up to 1024 bytes: they may turn out to be the end.
    private var pending: [UInt8] = []

    /// Begins a stream with a random header; a key may serve any number of streams.
    ///
    /// - Parameter key: The conversation's key.
    /// - Throws: `unsupported` if libsodium cannot start.
    public init(key: ConversationKey) throws(XChatError) {
        do {
            stream = try key.withBytes { (key) throws(SodiumError) in try SecretStream.Push(key: key) }
        } catch {
            throw XChatError(.unsupported, "libsodium began no stream: \(error)")
        }
        pending.reserveCapacity(MediaFraming.chunkLength)
    }

    /// The length of the stream for a plaintext.
    ///
    /// - Parameter plaintextLength: The length of the plaintext in bytes.
    /// - Returns: The length in bytes, or nil where it does not fit an `Int` or the argument is negative.
    public static func encryptedSize(of plaintextLength: Int) -> Int? {
        guard plaintextLength > 0 else { return plaintextLength == 0 ? MediaFraming.headerLength : nil }
        let frames = (plaintextLength - 1) / MediaFraming.chunkLength + 1
        let overhead = MediaFraming.headerLength + frames * SecretStream.overheadByteCount
        let (size, overflow) = plaintextLength.addingReportingOverflow(overhead)
        return overflow ? nil : size
    }

    /// Encrypts the next piece: the header, the first time, and every frame that is certainly not the last.
    ///
    /// - Parameters:
    ///   - plaintext: Any number of bytes.
    ///   - output: Grows by what is ready. The caller may empty it between calls, keeping its capacity.
    /// - Throws: `invalid_argument` after ``finish(appendingTo:)``.
    public mutating func push(_ plaintext: Span<UInt8>, appendingTo output: inout [UInt8]) throws(XChatError) {
        guard !isFinished else { throw Self.finished }
        writeHeader(to: &output)
        var rest = plaintext.indices
        if !pending.isEmpty {
            let taken = min(MediaFraming.chunkLength - pending.count, rest.count)
            pending.append(copying: plaintext.extracting(rest.prefix(taken)))
            rest = rest.dropFirst(taken)
            guard !rest.isEmpty else { return }
            var chunk: [UInt8] = []
            swap(&chunk, &pending)  // the buffer goes there and back: none is allocated per frame
            try write(run: chunk.span, to: &output)
            chunk.removeAll(keepingCapacity: true)
            swap(&chunk, &pending)
        }
        guard !rest.isEmpty else { return }
        // All but the last 1 to 1024 bytes.
        let length = (rest.count - 1) / MediaFraming.chunkLength * MediaFraming.chunkLength
        try write(run: plaintext.extracting(rest.prefix(length)), to: &output)
        pending.append(copying: plaintext.extracting(rest.dropFirst(length)))
    }

    /// The same from an array.
    public mutating func push(_ plaintext: [UInt8], appendingTo output: inout [UInt8]) throws(XChatError) {
        try push(plaintext.span, appendingTo: &output)
    }

    /// Ends the stream with its last frame; without it readers refuse the stream as truncated.
    ///
    /// - Parameter output: Grows by the last frame, or by the header where nothing was pushed.
    /// - Throws: `invalid_argument` the second time.
    public mutating func finish(appendingTo output: inout [UInt8]) throws(XChatError) {
        guard !isFinished else { throw Self.finished }
        isFinished = true
        writeHeader(to: &output)
        guard !pending.isEmpty else { return }
        let chunk = pending
        do {
            try stream.push(chunk.span, tag: .final, appendingTo: &output)
        } catch {
            throw XChatError(.unsupported, "libsodium sealed no frame: \(error)")
        }
    }

    private mutating func writeHeader(to output: inout [UInt8]) {
        guard !isHeaderWritten else { return }
        output += stream.header
        isHeaderWritten = true
    }

    private mutating func write(run chunks: Span<UInt8>, to output: inout [UInt8]) throws(XChatError) {
        do {
            try stream.push(run: chunks, of: MediaFraming.chunkLength, appendingTo: &output)
        } catch {
            throw XChatError(.unsupported, "libsodium sealed no frame: \(error)")
        }
    }

    private static var finished: XChatError { XChatError(.invalidArgument, "the stream is finished") }
}

extension [UInt8] {
    mutating func append(copying bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
