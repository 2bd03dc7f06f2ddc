import Foundation
import LibSodium

/// Decrypts the media streams that ``MediaEncryptor`` and other X Chat clients make, in pieces of any size.
///
/// Bytes are released in order, and only after they authenticated. But **the file is proven complete only when
/// ``finish(appendingTo:)`` returns**. Until then the output can be the beginning of a truncated file: write it to a
/// temporary file, and rename that file at the end.
///
/// Memory does not depend on the length of the stream. If a call contains enough frames, several cores decrypt them,
/// with the same results and the same errors.
///
/// The decryptor also accepts what other writers make: frames with the tags `push` and `rekey`, and an empty last
/// frame. A header without frames is an empty file.
public struct MediaDecryptor: ~Copyable, Sendable {
    private let key: ConversationKey
    private let cores: Int
    private var stream: SecretStream.Pull?
    private var openedFrames = 0
    /// A part of the header; later the last bytes received, at most 1041, which may be the last frame.
    private var pending: [UInt8] = []
    private var isFinished = false
    private var failure: XChatError?

    /// Begins to read a stream; a wrong key is detected at the first frame.
    ///
    /// - Parameters:
    ///   - key: The conversation's key.
    ///   - cores: The number of cores that decrypt frames; by default all that the process may use.
    public init(key: ConversationKey, cores: Int? = nil) {
        self.key = key
        self.cores = max(1, cores ?? ProcessInfo.processInfo.activeProcessorCount)
        pending.reserveCapacity(MediaFraming.frameLength)
    }

    /// Decrypts the next piece: every whole frame that is certainly not the last.
    ///
    /// - Parameters:
    ///   - ciphertext: Any number of bytes.
    ///   - output: The bytes that authenticated are appended to it, also if the call throws.
    /// - Throws: `authentication_failed` for an altered stream, a stream that continues after its last frame, or a
    ///   wrong key; `malformed` for an authentic frame with an unknown tag; after one of these errors the same error
    ///   again; `invalid_argument` after ``finish(appendingTo:)``.
    public mutating func push(_ ciphertext: Span<UInt8>, appendingTo output: inout [UInt8]) throws(XChatError) {
        try requireUsable()
        var rest = ciphertext.indices
        if stream == nil {
            let taken = min(MediaFraming.headerLength - pending.count, rest.count)
            pending.append(copying: ciphertext.extracting(rest.prefix(taken)))
            rest = rest.dropFirst(taken)
            guard pending.count == MediaFraming.headerLength else { return }
            try begin()
        }
        if !pending.isEmpty {
            let taken = min(MediaFraming.frameLength - pending.count, rest.count)
            pending.append(copying: ciphertext.extracting(rest.prefix(taken)))
            rest = rest.dropFirst(taken)
            guard !rest.isEmpty else { return }
            var frame: [UInt8] = []
            swap(&frame, &pending)  // swapped back below, so that no buffer is allocated for each frame
            try open(run: frame.span, to: &output)
            frame.removeAll(keepingCapacity: true)
            swap(&frame, &pending)
        }
        guard !rest.isEmpty else { return }
        // All but the last 1 to 1041 bytes.
        let length = (rest.count - 1) / MediaFraming.frameLength * MediaFraming.frameLength
        try open(run: ciphertext.extracting(rest.prefix(length)), to: &output)
        pending.append(copying: ciphertext.extracting(rest.dropFirst(length)))
    }

    /// Decrypts the next piece from an array.
    public mutating func push(_ ciphertext: [UInt8], appendingTo output: inout [UInt8]) throws(XChatError) {
        try push(ciphertext.span, appendingTo: &output)
    }

    /// Decrypts the last frame, and proves that the stream is complete.
    ///
    /// - Parameter output: The last chunk is appended to it. Unchanged on failure.
    /// - Throws: `authentication_failed`, whose message says whether the stream is known to be truncated; `malformed`;
    ///   `invalid_argument` on a second call.
    public mutating func finish(appendingTo output: inout [UInt8]) throws(XChatError) {
        try requireUsable()
        guard stream != nil else {
            throw fail(.authenticationFailed, "the stream is truncated: it ends inside its header")
        }
        if pending.isEmpty {
            isFinished = true  // a header alone: the empty file
            return
        }
        guard pending.count >= SecretStream.overheadByteCount else {
            throw fail(.authenticationFailed, "the stream is truncated: it ends inside frame \(openedFrames)")
        }
        let frame = pending
        let before = output.count
        let tag: SecretStream.Tag?
        do {
            tag = try stream?.pull(frame.span, appendingTo: &output)
        } catch {
            guard error.code == .authenticationFailed else { throw fail(error) }
            throw fail(
                .authenticationFailed,
                "frame \(openedFrames), the last one, does not authenticate: it is altered, or the stream is truncated"
            )
        }
        guard tag == .final else {
            output.removeLast(output.count - before)
            throw fail(.authenticationFailed, "the stream is truncated: it ends before its last frame")
        }
        isFinished = true
    }

    private mutating func begin() throws(XChatError) {
        do {
            stream = try key.withBytes { (key) throws(SodiumError) in
                try SecretStream.Pull(header: pending.span, key: key)
            }
        } catch {
            throw fail(.unsupported, "libsodium could not begin a stream: \(error)")
        }
        pending.removeAll(keepingCapacity: true)
    }

    private mutating func open(run frames: Span<UInt8>, to output: inout [UInt8]) throws(XChatError) {
        let before = output.count
        do {
            try stream?.pull(run: frames, of: MediaFraming.frameLength, onCores: cores, appendingTo: &output)
            openedFrames += (output.count - before) / MediaFraming.chunkLength
        } catch {
            openedFrames += (output.count - before) / MediaFraming.chunkLength
            throw fail(error)
        }
    }

    private func requireUsable() throws(XChatError) {
        if let failure { throw failure }
        guard !isFinished else { throw XChatError(.invalidArgument, "the stream is finished: use a new decryptor") }
    }

    private mutating func fail(_ error: SodiumError) -> XChatError {
        switch error.code {
        case .streamEnded:
            fail(.authenticationFailed, "there is data after the last frame, frame \(openedFrames)")
        case .invalidParameters:
            fail(.malformed, "frame \(openedFrames) has an unknown tag")
        default:
            fail(.authenticationFailed, "frame \(openedFrames) does not authenticate")
        }
    }

    private mutating func fail(_ code: XChatError.Code, _ message: String) -> XChatError {
        let error = XChatError(code, message)
        failure = error
        return error
    }
}
