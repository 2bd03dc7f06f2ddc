import CSodium

// A run is a sequence of frames of equal length. The output of a run is allocated once, and several cores can open its
// frames.

extension SecretStream.Push {
    /// Seals a run of chunks of equal length with the tag ``SecretStream/Tag/message``, and appends the frames to an
    /// array.
    ///
    /// The final chunk of the stream is not part of a run, because it needs the tag ``SecretStream/Tag/final``.
    ///
    /// - Parameters:
    ///   - chunks: The chunks in order; bytes after the last whole one are ignored.
    ///   - chunkLength: The length of each chunk in bytes, at least 1.
    ///   - output: The frames are appended to it, each 17 bytes longer than its chunk. Unchanged on failure.
    /// - Throws: `streamEnded`, `invalidParameters`, `tooLong`.
    package mutating func push(
        run chunks: Span<UInt8>,
        of chunkLength: Int,
        appendingTo output: inout [UInt8]
    ) throws(SodiumError) {
        guard !isEnded else { throw SodiumError(.streamEnded, "stream") }
        guard 1...SecretStream.maximumChunkByteCount ~= chunkLength else {
            throw SodiumError(.invalidParameters, "chunkLength")
        }
        let count = chunks.count / chunkLength
        let frameLength = chunkLength + SecretStream.overheadByteCount
        let (size, overflow) = count.multipliedReportingOverflow(by: frameLength)
        guard !overflow else { throw SodiumError(.tooLong, "chunks") }
        try unsafe withPointer(chunks) { (chunks) throws(SodiumError) in
            try unsafe append(size, to: &output, failure: SodiumError(.invalidParameters, "chunks")) { frames in
                unsafe state.call { state in
                    for index in 0..<count {
                        let status = unsafe crypto_secretstream_xchacha20poly1305_push(
                            state,
                            frames + index * frameLength,
                            nil,
                            chunks + index * chunkLength,
                            UInt64(chunkLength),
                            nil,
                            0,
                            SecretStream.Tag.message.rawValue
                        )
                        guard status == 0 else { return status }
                    }
                    return 0
                }
            }
        }
    }
}

extension SecretStream.Pull {
    /// Opens a run of frames of equal length, and appends the chunks to an array.
    ///
    /// The final frame of the stream is not part of a run. The result and the errors do not depend on the number of
    /// cores. Chunks after a bad frame are not released, even if another core has already opened their frames.
    ///
    /// - Parameters:
    ///   - frames: The frames in order; bytes after the last whole one are ignored.
    ///   - frameLength: The length of each frame in bytes, at least 18.
    ///   - cores: The number of shares of the run to open at the same time, at least 1.
    ///   - output: The chunks up to the first refused frame are appended to it.
    /// - Throws: `authenticationFailed`, also for every frame after one that failed; `streamEnded` for a final frame in
    ///   the run, and after the final frame; `invalidParameters` for an authentic frame whose tag is not one of
    ///   ``SecretStream/Tag``, or for a `frameLength` out of range.
    package mutating func pull(
        run frames: Span<UInt8>,
        of frameLength: Int,
        onCores cores: Int,
        appendingTo output: inout [UInt8]
    ) throws(SodiumError) {
        switch progress {
        case .open: break
        case .ended: throw SodiumError(.streamEnded, "stream")
        case .failed: throw SodiumError(.authenticationFailed, "stream")
        }
        progress = .failed  // until the whole run verifies
        guard frameLength > SecretStream.overheadByteCount,
            frameLength - SecretStream.overheadByteCount <= SecretStream.maximumChunkByteCount
        else { throw SodiumError(.invalidParameters, "frameLength") }
        let chunkLength = frameLength - SecretStream.overheadByteCount
        let count = frames.count / frameLength
        var end = RunEnd.good
        unsafe withPointer(frames) { frames in
            output.append(addingCapacity: count * chunkLength) { span in
                unsafe span.withUnsafeMutableBufferPointer { chunks, initializedCount in
                    guard count > 0, let chunks = chunks.baseAddress else { return }
                    let run = unsafe Run(frames: frames, chunks: chunks, frameLength: frameLength)
                    let opened: Int
                    (opened, end) = unsafe state.open(run, count: count, cores: cores)
                    initializedCount = opened * chunkLength
                }
            }
        }
        switch end {
        case .good, .rekeyed: progress = .open
        case .bad: throw SodiumError(.authenticationFailed, "frame")
        case .final: throw SodiumError(.streamEnded, "frame")
        case .unknownTag: throw SodiumError(.invalidParameters, "tag")
        }
    }
}

/// How the opening of consecutive frames ended.
private enum RunEnd {
    case good
    /// All opened frames are good, and the last of them replaced the key.
    case rekeyed
    case bad
    case final
    case unknownTag
}

/// The memory of the frames of a run and of their chunks.
@unsafe
private struct Run {
    typealias StatePointer = UnsafeMutablePointer<crypto_secretstream_xchacha20poly1305_state>

    let frames: UnsafePointer<UInt8>
    let chunks: UnsafeMutablePointer<UInt8>
    let frameLength: Int

    var chunkLength: Int { unsafe frameLength - SecretStream.overheadByteCount }

    /// Opens frames in order with libsodium's own `pull`, up to the first frame that must not be released.
    func open(_ range: Range<Int>, _ state: StatePointer, stopsAtRekey: Bool) -> (opened: Int, end: RunEnd) {
        for index in range {
            let opened = index - range.lowerBound
            var rawTag: UInt8 = 0
            let status = unsafe crypto_secretstream_xchacha20poly1305_pull(
                state,
                chunks + index * chunkLength,
                nil,
                &rawTag,
                frames + index * frameLength,
                UInt64(frameLength),
                nil,
                0
            )
            guard status == 0 else { return (opened, .bad) }
            switch SecretStream.Tag(rawValue: rawTag) {
            case .message, .push: break
            case .rekey: if stopsAtRekey { return (opened + 1, .rekeyed) }
            case .final: return (opened, .final)
            case nil: return (opened, .unknownTag)
            }
        }
        return (range.count, .good)
    }

    /// The first 8 bytes of a frame's authenticator, which libsodium xors into the nonce for the next frame.
    func nonceChange(by index: Int) -> UInt64 {
        let authenticator = unsafe frames + (index + 1) * frameLength - 16
        return unsafe UnsafeRawPointer(authenticator).loadUnaligned(as: UInt64.self)
    }
}

// This extension opens runs on several cores. It is the only code that reads or writes the members of a libsodium
// state. After each frame libsodium adds 1 to the counter (the first 4 bytes of the nonce, little-endian), and xors the
// other 8 bytes of the nonce with the first 8 bytes of the frame's authenticator. The authenticators can be read from
// the ciphertext without decrypting it. So the state before any frame of a run can be computed without opening the
// frames before it, unless a frame replaces the key: a frame with the tag `rekey` does, and so does a counter that
// wraps around to 0. If a computed state is wrong, libsodium's `pull` refuses the frame.
extension SecretStream.State {
    /// The number of frames in a share, the part of a run that one core opens at a time.
    ///
    /// A share (about 16 KiB) is so large that opening it takes much longer than handing it out, and so small that all
    /// cores finish at nearly the same time.
    private static let framesPerShare = 16
    /// The smallest number of frames that several cores open: one core opens fewer frames before another has started.
    private static let framesWorthSharing = 96

    fileprivate mutating func open(_ run: Run, count: Int, cores: Int) -> (opened: Int, end: RunEnd) {
        var opened = 0
        while cores > 1, count - opened >= Self.framesWorthSharing, !hasRekeyed {
            let part = opened..<(opened + min(count - opened, framesBeforeWrap))
            guard part.count >= Self.framesWorthSharing else { break }
            let (more, end) = unsafe openShares(run, part, cores: cores)
            opened += more
            switch end {
            case .good: break
            // A sender that replaces the key once probably does so again, and each time the work on later shares is
            // lost.
            case .rekeyed: hasRekeyed = true
            case .bad, .final, .unknownTag: return (opened, end)
            }
        }
        let (more, end) = unsafe call { state in
            unsafe run.open(opened..<count, state, stopsAtRekey: false)
        }
        return (opened + more, end)
    }

    private mutating func openShares(_ run: Run, _ part: Range<Int>, cores: Int) -> (opened: Int, end: RunEnd) {
        let count = (part.count + Self.framesPerShare - 1) / Self.framesPerShare
        // Shared by all threads: each writes only to the elements of the shares that it claims, and they are read only
        // after all threads are done.
        nonisolated(unsafe) let run = unsafe run
        nonisolated(unsafe) let states = Run.StatePointer.allocate(capacity: count)
        nonisolated(unsafe) let ends = UnsafeMutablePointer<(opened: Int, end: RunEnd)>.allocate(capacity: count)
        defer {
            unsafe sodium_memzero(states, count * MemoryLayout<crypto_secretstream_xchacha20poly1305_state>.stride)
            unsafe states.deallocate()
            unsafe ends.deallocate()
        }
        unsafe prepare(states, count: count, for: run, part)
        unsafe ends.initialize(repeating: (0, .bad), count: count)
        concurrently(count, cores: cores) { index in
            unsafe ends[index] = run.open(Self.share(index, of: part), states + index, stopsAtRekey: true)
        }
        var opened = 0
        for index in 0..<count {
            let (more, end) = unsafe ends[index]
            opened += more
            if end == .good && index < count - 1 { continue }
            // Later frames may be decrypted in the output already, and must not be released.
            let unreleased = (part.count - opened) * (unsafe run.chunkLength)
            unsafe sodium_memzero(run.chunks + (part.lowerBound + opened) * run.chunkLength, unreleased)
            unsafe call { state in unsafe state.update(from: states + index, count: 1) }
            return (opened, end)
        }
        return (opened, .good)
    }

    /// The frames of one share; the last one may be shorter than the others.
    private static func share(_ index: Int, of part: Range<Int>) -> Range<Int> {
        let start = part.lowerBound + index * framesPerShare
        return start..<min(start + framesPerShare, part.upperBound)
    }

    /// Writes the state before the first frame of each share.
    private mutating func prepare(_ states: Run.StatePointer, count: Int, for run: Run, _ part: Range<Int>) {
        unsafe call { state in
            var next = unsafe state.pointee
            defer { unsafe sodium_memzero(&next, MemoryLayout.size(ofValue: next)) }
            for index in 0..<count {
                unsafe (states + index).initialize(to: next)
                let share = Self.share(index, of: part)
                var change: UInt64 = 0
                for frame in share { change ^= unsafe run.nonceChange(by: frame) }
                unsafe withUnsafeMutableBytes(of: &next.nonce) { nonce in
                    let counter = unsafe UInt32(littleEndian: nonce.loadUnaligned(as: UInt32.self))
                    let sum = (counter &+ UInt32(share.count)).littleEndian
                    unsafe nonce.storeBytes(of: sum, as: UInt32.self)
                    let rest = unsafe nonce.loadUnaligned(fromByteOffset: 4, as: UInt64.self)
                    unsafe nonce.storeBytes(of: rest ^ change, toByteOffset: 4, as: UInt64.self)
                }
            }
        }
    }

    /// The number of frames before the one after which the counter wraps and the key is replaced.
    private var framesBeforeWrap: Int {
        mutating get { Int(UInt32.max - counter) }
    }

    /// The number of the next frame, modulo 2^32.
    ///
    /// Only tests set it, because a real stream with frames of 1 KiB wraps the counter only after 4 TiB.
    var counter: UInt32 {
        mutating get {
            unsafe call { state in
                unsafe withUnsafeBytes(of: &state.pointee.nonce) {
                    unsafe UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self))
                }
            }
        }
        set {
            unsafe call { state in
                unsafe withUnsafeMutableBytes(of: &state.pointee.nonce) {
                    unsafe $0.storeBytes(of: newValue.littleEndian, as: UInt32.self)
                }
            }
        }
    }
}

extension SecretStream.Push {
    /// Sets the number of the next frame, for tests in which the counter wraps.
    package mutating func skip(toFrame counter: UInt32) { state.counter = counter }
}

extension SecretStream.Pull {
    /// Sets the number of the next frame, for tests in which the counter wraps.
    package mutating func skip(toFrame counter: UInt32) { state.counter = counter }
}
