#if TESTABLE
    import LibSodium
    @testable import XChatEngine

    /// Rule: a stream has the same outcome in all ways of reading it.
    ///
    /// The input says how the stream is made and changed.
    enum MediaTarget: FuzzTargetImplementation {
        static func run(_ input: [UInt8]) throws {
            var input = FuzzInput(input)
            let isFile = input.byte() & 1 == 1
            try isFile ? checkFile(&input) : checkRun(&input)
        }

        private static let key = Array(repeating: UInt8(9), count: SecretStream.keyByteCount)

        // MARK: Runs of frames

        /// The plaintext that reading released, and the end of reading.
        private struct Outcome: Equatable {
            var output: [UInt8] = []
            var code: SodiumError.Code?
            /// How the next frame ended.
            var next: SodiumError.Code?
        }

        private static func checkRun(_ input: inout FuzzInput) throws {
            let chunkLength = 1 + input.number(below: 40)
            let count = 1 + input.number(below: 220)
            // Close to the end of the counter, a frame replaces the key by itself.
            let start = input.byte() & 7 == 0 ? UInt32.max - UInt32(input.byte()) : 1
            var tags = [UInt8](repeating: 0, count: count)
            for _ in 0..<input.number(below: 4) { tags[Int(input.byte()) % count] = input.byte() % 5 }
            var push = try SecretStream.Push(key: key.span)
            push.skip(toFrame: start)
            var frames: [UInt8] = []
            for index in 0..<count {
                let chunk = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: chunkLength)
                try push.push(chunk.span, rawTag: tags[index], appendingTo: &frames)
            }
            let changes = input.number(below: 4)
            for _ in 0..<changes { frames[input.short() % frames.count] ^= input.byte() }
            let frameLength = chunkLength + SecretStream.overheadByteCount
            let serial = try pullSerially(frames, frameLength, push.header, start)
            for cores in 1...3 {
                var pull = try SecretStream.Pull(header: push.header.span, key: key.span)
                pull.skip(toFrame: start)
                var outcome = Outcome()
                outcome.code = failure { () throws(SodiumError) in
                    try pull.pull(run: frames.span, of: frameLength, onCores: cores, appendingTo: &outcome.output)
                }
                outcome.next = failure { () throws(SodiumError) in
                    _ = try pull.pull(Array(frames.prefix(frameLength)).span)
                }
                try require(outcome == serial, "a run on \(cores) cores ends otherwise than its frames one by one")
            }
        }

        /// Opens frame by frame with libsodium's own calls; a run has no final frame.
        private static func pullSerially(
            _ frames: [UInt8],
            _ frameLength: Int,
            _ header: [UInt8],
            _ start: UInt32
        ) throws -> Outcome {
            var pull = try SecretStream.Pull(header: header.span, key: key.span)
            pull.skip(toFrame: start)
            var outcome = Outcome()
            for position in stride(from: 0, to: frames.count, by: frameLength) {
                var isFinal = false
                outcome.code = failure { () throws(SodiumError) in
                    let (chunk, tag) = try pull.pull(Array(frames[position..<position + frameLength]).span)
                    isFinal = tag == .final
                    if !isFinal { outcome.output += chunk }
                }
                if isFinal { outcome.code = .streamEnded }
                guard outcome.code == nil else {
                    // A run that was refused stays refused.
                    outcome.next = .authenticationFailed
                    return outcome
                }
            }
            outcome.next = failure { () throws(SodiumError) in
                _ = try pull.pull(Array(frames.prefix(frameLength)).span)
            }
            return outcome
        }

        private static func failure(_ body: () throws(SodiumError) -> Void) -> SodiumError.Code? {
            do {
                try body()
                return nil
            } catch {
                return error.code
            }
        }

        // MARK: Files

        private static func checkFile(_ input: inout FuzzInput) throws {
            let key = try Cast.shared.get().conversationKey
            var encryptor = try MediaEncryptor(key: key)
            let plaintext = [UInt8](repeating: input.byte(), count: input.short() % 5000)
            var stream: [UInt8] = []
            try encryptor.push(plaintext.span, appendingTo: &stream)
            try encryptor.finish(appendingTo: &stream)
            try require(
                MediaEncryptor.encryptedSize(of: plaintext.count) == stream.count,
                "another size than announced"
            )
            let original = stream
            switch input.number(below: 4) {
            case 0: break
            case 1: stream.removeLast(min(stream.count, input.short()))
            case 2: stream += input.bytes(8)
            default: stream[input.short() % stream.count] ^= input.byte()
            }
            let whole = try decrypt(stream, key, [stream.count])
            var cuts: [Int] = []
            for _ in 0..<8 { cuts.append(input.short() % 1100) }
            let cut = try decrypt(stream, key, cuts)
            try require(cut.output == whole.output && cut.isComplete == whole.isComplete, "depends on the pieces")
            try require(plaintext.starts(with: whole.output), "releases bytes that were never encrypted")
            // An empty file is only a header, so any 24 bytes are an empty file.
            let isEmptyFile = stream.count == SecretStream.headerByteCount
            try require(
                whole.isComplete == (stream == original || isEmptyFile),
                "an altered stream is complete, or a good one is not"
            )
        }

        private static func decrypt(
            _ stream: [UInt8],
            _ key: ConversationKey,
            _ cuts: [Int]
        ) throws -> (output: [UInt8], isComplete: Bool) {
            var decryptor = MediaDecryptor(key: key, cores: 2)
            var output: [UInt8] = []
            var rest = stream[...]
            do {
                for length in cuts {
                    try decryptor.push(Array(rest.prefix(length)), appendingTo: &output)
                    rest = rest.dropFirst(length)
                }
                try decryptor.push(Array(rest), appendingTo: &output)
                try decryptor.finish(appendingTo: &output)
                return (output, true)
            } catch {
                try require(printable: "\(error)")
                return (output, false)
            }
        }

        static func seeds() throws -> [String: [UInt8]] {
            [
                "run": [0, 4, 199, 1, 0, 0],
                "run-tags": [0, 4, 199, 1, 0, 3, 100, 1, 120, 2, 198, 3, 0],
                "run-final": [0, 4, 199, 1, 0, 1, 150, 3, 0],
                "run-changed": [0, 4, 199, 1, 0, 0, 1, 5, 200, 1],
                "run-wrap": [0, 4, 199, 0, 150, 0, 0],
                "file": [1, 65, 4, 0, 0, 1, 2, 3, 4],
                "file-empty": [1, 65, 0, 0, 0],
                "file-frames": [1, 65, 8, 0, 0, 4, 17, 4, 17],
                "file-cut": [1, 65, 8, 0, 1, 0, 20],
                "file-longer": [1, 65, 8, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8],
                "file-changed": [1, 65, 8, 0, 3, 2, 7, 1],
            ]
        }
    }
#endif
