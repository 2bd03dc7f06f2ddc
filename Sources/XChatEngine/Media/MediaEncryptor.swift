import LibSodium

/// The lengths of the frames into which media are divided: `docs/protocol.md`, "Media".
enum MediaFraming {
    /// The length of the plaintext in every frame except the last, which contains 1 to 1024 bytes.
    static let chunkLength = 1024
    static let frameLength = chunkLength + SecretStream.overheadByteCount
    static let headerLength = SecretStream.headerByteCount
}

/// Encrypts a file under its conversation's key, in pieces of any size.
///
/// A stream is a header of 24 bytes followed by frames (`crypto_secretstream_xchacha20poly1305`). Each frame has 1024
/// bytes of plaintext and 17 more bytes; the last frame, which may be shorter, is tagged as the last. The stream of an
/// empty file is only the header. The frames do not depend on how the input was split, and memory does not depend on
/// its length.
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
    /// The last bytes of the input, at most 1024, which may be the last chunk.
    private var pending: [UInt8] = []

    /// Begins a stream with a random header; a key may be used for any number of streams.
    ///
    /// - Parameter key: The conversation's key.
    /// - Throws: `unsupported` if libsodium cannot start.
    public init(key: ConversationKey) throws(XChatError) {
        do {
            stream = try key.withBytes { (key) throws(SodiumError) in try SecretStream.Push(key: key) }
        } catch {
            throw XChatError(.unsupported, "libsodium could not begin a stream: \(error)")
        }
        pending.reserveCapacity(MediaFraming.chunkLength)
    }

    /// The length of the encrypted stream for a plaintext.
    ///
    /// - Parameter plaintextLength: The length of the plaintext in bytes.
    /// - Returns: The length in bytes; nil if it does not fit an `Int` or the argument is negative.
    public static func encryptedSize(of plaintextLength: Int) -> Int? {
        guard plaintextLength > 0 else { return plaintextLength == 0 ? MediaFraming.headerLength : nil }
        let frames = (plaintextLength - 1) / MediaFraming.chunkLength + 1
        let overhead = MediaFraming.headerLength + frames * SecretStream.overheadByteCount
        let (size, overflow) = plaintextLength.addingReportingOverflow(overhead)
        return overflow ? nil : size
    }

    /// Encrypts the next piece: writes the header in the first call, and every frame that is certainly not the last.
    ///
    /// - Parameters:
    ///   - plaintext: Any number of bytes.
    ///   - output: The encrypted bytes are appended to it. The caller may empty it between calls and keep its capacity.
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
            swap(&chunk, &pending)  // swapped back below, so that no buffer is allocated for each frame
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

    /// Encrypts the next piece from an array.
    public mutating func push(_ plaintext: [UInt8], appendingTo output: inout [UInt8]) throws(XChatError) {
        try push(plaintext.span, appendingTo: &output)
    }

    /// Ends the stream with its last frame; without this frame decryptors refuse the stream as truncated.
    ///
    /// - Parameter output: The last frame is appended to it, or the header if nothing was pushed.
    /// - Throws: `invalid_argument` on a second call.
    public mutating func finish(appendingTo output: inout [UInt8]) throws(XChatError) {
        guard !isFinished else { throw Self.finished }
        isFinished = true
        writeHeader(to: &output)
        guard !pending.isEmpty else { return }
        let chunk = pending
        do {
            try stream.push(chunk.span, tag: .final, appendingTo: &output)
        } catch {
            throw XChatError(.unsupported, "libsodium could not encrypt a frame: \(error)")
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
            throw XChatError(.unsupported, "libsodium could not encrypt a frame: \(error)")
        }
    }

    private static var finished: XChatError {
        XChatError(.invalidArgument, "the stream is finished: use a new encryptor")
    }
}

extension [UInt8] {
    mutating func append(copying bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
