import CSodium

/// An encrypted stream of frames in which reordered, missing and changed frames are detected
/// (`crypto_secretstream_xchacha20poly1305`: XChaCha20 and Poly1305).
///
/// A stream is a header followed by frames, each 17 bytes longer than its chunk of plaintext. The caller chooses the
/// lengths of the chunks, and must know where each frame begins, because frames do not contain their lengths. A stream
/// is complete only if its last frame has the tag ``Tag/final``; otherwise it is truncated.
public enum SecretStream {
    /// The length of a key: 32 bytes.
    public static let keyByteCount = Int(crypto_secretstream_xchacha20poly1305_keybytes())
    /// The length of a header: 24 bytes.
    public static let headerByteCount = Int(crypto_secretstream_xchacha20poly1305_headerbytes())
    /// How much longer a frame is than its chunk: 17 bytes, the tag and the authenticator.
    public static let overheadByteCount = Int(crypto_secretstream_xchacha20poly1305_abytes())
    private static let stateByteCount = Int(crypto_secretstream_xchacha20poly1305_statebytes())
    static let maximumChunkByteCount = upperBound(crypto_secretstream_xchacha20poly1305_messagebytes_max())

    /// The role of a frame in its stream, encrypted and authenticated with the chunk.
    ///
    /// The value of ``final`` contains the bits of both ``push`` and ``rekey``: compare whole values, never bits.
    public enum Tag: UInt8, Hashable, Sendable {
        /// One chunk of many.
        case message = 0
        /// The last chunk of a group of chunks.
        case push = 1
        /// A chunk after which the key is replaced, so that the old key can be erased.
        case rekey = 2
        /// The last chunk of the stream.
        case final = 3
    }

    /// The writing end of a stream; its state is wiped when the value is destroyed.
    public struct Push: ~Copyable, Sendable {
        /// The first 24 bytes of the stream: random, not secret.
        public let header: [UInt8]
        /// Whether the final chunk was pushed.
        public private(set) var isEnded = false
        var state: State

        /// Begins a stream (`crypto_secretstream_xchacha20poly1305_init_push`).
        ///
        /// - Parameter key: The shared key, 32 bytes; it may be used for any number of streams.
        /// - Throws: `wrongLength`, `initializationFailed`.
        public init(key: Span<UInt8>) throws(SodiumError) {
            try require(keyByteCount, key, "key")
            var state = try State()
            header = try unsafe withPointer(key) { (key) throws(SodiumError) in
                try unsafe filled(count: headerByteCount, failure: SodiumError(.invalidParameters, "key")) { header in
                    unsafe state.call { state in
                        unsafe crypto_secretstream_xchacha20poly1305_init_push(state, header, key)
                    }
                }
            }
            self.state = state
        }

        /// Seals a chunk (`crypto_secretstream_xchacha20poly1305_push`).
        ///
        /// - Parameters:
        ///   - chunk: The chunk; may be empty.
        ///   - tag: The tag stored in the frame and authenticated with it. ``Tag/final`` ends the stream.
        /// - Returns: The frame, 17 bytes longer than the chunk.
        /// - Throws: `streamEnded`, `tooLong`.
        public mutating func push(_ chunk: Span<UInt8>, tag: Tag = .message) throws(SodiumError) -> [UInt8] {
            var frame: [UInt8] = []
            try push(chunk, tag: tag, appendingTo: &frame)
            return frame
        }

        /// Seals a chunk and appends the frame to an array.
        ///
        /// Allocates nothing if `output` has enough spare capacity.
        ///
        /// - Parameters:
        ///   - chunk: The chunk; may be empty.
        ///   - tag: The tag stored in the frame and authenticated with it. ``Tag/final`` ends the stream.
        ///   - output: The frame is appended to it, 17 bytes longer than the chunk. Unchanged on failure.
        /// - Throws: `streamEnded`, `tooLong`.
        public mutating func push(
            _ chunk: Span<UInt8>,
            tag: Tag = .message,
            appendingTo output: inout [UInt8]
        ) throws(SodiumError) {
            try push(chunk, rawTag: tag.rawValue, appendingTo: &output)
            isEnded = tag == .final
        }

        /// Seals a chunk with any tag byte, including the undefined ones, which libsodium accepts.
        package mutating func push(
            _ chunk: Span<UInt8>,
            rawTag: UInt8,
            appendingTo output: inout [UInt8]
        ) throws(SodiumError) {
            guard !isEnded else { throw SodiumError(.streamEnded, "stream") }
            let frameCount = try length(
                of: chunk,
                plus: overheadByteCount,
                maximum: maximumChunkByteCount,
                "chunk"
            )
            let chunkCount = UInt64(chunk.count)
            try unsafe withPointer(chunk) { (chunk) throws(SodiumError) in
                try unsafe append(frameCount, to: &output, failure: SodiumError(.invalidParameters, "chunk")) { frame in
                    unsafe state.call { state in
                        unsafe crypto_secretstream_xchacha20poly1305_push(
                            state,
                            frame,
                            nil,
                            chunk,
                            chunkCount,
                            nil,
                            0,
                            rawTag
                        )
                    }
                }
            }
        }
    }

    /// The reading end of a stream; its state is wiped when the value is destroyed.
    ///
    /// After a frame that fails, every later frame fails too: a stream with a missing frame is not the stream that was
    /// sent.
    public struct Pull: ~Copyable, Sendable {
        enum Progress {
            case open
            case ended
            case failed
        }

        var progress = Progress.open
        var state: State

        /// Whether the final frame was pulled: only then is the stream complete.
        public var isEnded: Bool { progress == .ended }

        /// Begins to read a stream (`crypto_secretstream_xchacha20poly1305_init_pull`).
        ///
        /// A wrong header or key is detected when the first frame is pulled, not here.
        ///
        /// - Parameters:
        ///   - header: The first 24 bytes of the stream.
        ///   - key: The shared key, 32 bytes.
        /// - Throws: `wrongLength`, `initializationFailed`.
        public init(header: Span<UInt8>, key: Span<UInt8>) throws(SodiumError) {
            try require(headerByteCount, header, "header")
            try require(keyByteCount, key, "key")
            var state = try State()
            let status = unsafe withPointers(header, key) { header, key in
                unsafe state.call { state in
                    unsafe crypto_secretstream_xchacha20poly1305_init_pull(state, header, key)
                }
            }
            guard status == 0 else { throw SodiumError(.invalidParameters, "header") }
            self.state = state
        }

        /// Opens a frame (`crypto_secretstream_xchacha20poly1305_pull`).
        ///
        /// - Parameter frame: The frame, at least 17 bytes.
        /// - Returns: The chunk and the frame's tag.
        /// - Throws: As ``pull(_:appendingTo:)``.
        public mutating func pull(_ frame: Span<UInt8>) throws(SodiumError) -> (chunk: [UInt8], tag: Tag) {
            var chunk: [UInt8] = []
            let tag = try pull(frame, appendingTo: &chunk)
            return (chunk, tag)
        }

        /// Opens a frame and appends the chunk to an array.
        ///
        /// Allocates nothing if `output` has enough spare capacity.
        ///
        /// - Parameters:
        ///   - frame: The frame, at least 17 bytes.
        ///   - output: The chunk is appended to it. Unchanged on failure.
        /// - Returns: The frame's tag.
        /// - Throws: `wrongLength` for a frame under 17 bytes; `tooLong` for a frame over libsodium's maximum;
        ///   `authenticationFailed`, also for every frame after one that failed; `invalidParameters` for an authentic
        ///   frame whose tag is not one of ``Tag``; `streamEnded` after the final frame.
        public mutating func pull(_ frame: Span<UInt8>, appendingTo output: inout [UInt8]) throws(SodiumError) -> Tag {
            switch progress {
            case .open: break
            case .ended: throw SodiumError(.streamEnded, "stream")
            case .failed: throw SodiumError(.authenticationFailed, "stream")
            }
            progress = .failed  // until this frame verifies
            let chunkCount = try length(of: frame, minus: overheadByteCount, "frame")
            guard chunkCount <= maximumChunkByteCount else { throw SodiumError(.tooLong, "frame") }
            let frameCount = UInt64(frame.count)
            let before = output.count
            var rawTag: UInt8 = 0
            try unsafe withPointer(frame) { (frame) throws(SodiumError) in
                try unsafe append(chunkCount, to: &output, failure: SodiumError(.authenticationFailed, "frame")) {
                    chunk in
                    unsafe state.call { state in
                        unsafe crypto_secretstream_xchacha20poly1305_pull(
                            state,
                            chunk,
                            nil,
                            &rawTag,
                            frame,
                            frameCount,
                            nil,
                            0
                        )
                    }
                }
            }
            guard let tag = Tag(rawValue: rawTag) else {
                output.removeLast(output.count - before)
                throw SodiumError(.invalidParameters, "tag")
            }
            progress = tag == .final ? .ended : .open
            return tag
        }
    }

    /// The libsodium state of one end of a stream: its key and nonce, in memory that is wiped.
    struct State: ~Copyable, Sendable {
        private var bytes: SecretBytes
        /// Whether a frame replaced the key while several cores opened frames; from then on one core opens all frames.
        var hasRekeyed = false

        init() throws(SodiumError) {
            bytes = try SecretBytes(count: stateByteCount) { _ in }
        }

        /// Passes the state to one call of libsodium.
        ///
        /// All members of the C struct are byte arrays, so the struct needs no alignment.
        mutating func call<R>(
            _ body: (UnsafeMutablePointer<crypto_secretstream_xchacha20poly1305_state>) -> R
        ) -> R {
            unsafe bytes.withMutablePointer { start in
                unsafe UnsafeMutableRawPointer(start)
                    .withMemoryRebound(to: crypto_secretstream_xchacha20poly1305_state.self, capacity: 1, body)
            }
        }
    }
}
