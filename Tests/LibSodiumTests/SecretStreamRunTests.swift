import LibSodium
import Testing

/// A run is what its frames are one by one; on several cores too, as the engine's tests of media go on to show.
@Suite("Runs of frames")
struct SecretStreamRunTests {
    private static let chunkLength = 5
    private static let frameLength = 22
    private let key = zeros(31) + [3]

    /// A stream of `count` frames, the one at `place` with a tag of its own.
    private func frames(
        _ count: Int,
        tag rawTag: UInt8 = 0,
        at place: Int = 0
    ) throws -> (header: [UInt8], frames: [UInt8], plaintext: [UInt8]) {
        var push = try SecretStream.Push(key: key.span)
        var frames: [UInt8] = []
        var plaintext: [UInt8] = []
        for index in 0..<count {
            let chunk = [UInt8](repeating: UInt8(index & 0xff), count: Self.chunkLength)
            plaintext += chunk
            try push.push(chunk.span, rawTag: index == place ? rawTag : 0, appendingTo: &frames)
        }
        return (push.header, frames, plaintext)
    }

    /// Pulls a run after one byte that is there, then once more, and returns how both ended.
    private func pull(
        _ frames: [UInt8],
        header: [UInt8],
        cores: Int
    ) throws -> (output: [UInt8], run: SodiumError?, next: SodiumError?) {
        var pull = try SecretStream.Pull(header: header.span, key: key.span)
        var output: [UInt8] = [42]
        let run = refusal { () throws(SodiumError) in
            try pull.pull(run: frames.span, of: Self.frameLength, onCores: cores, appendingTo: &output)
        }
        let next = refusal { () throws(SodiumError) in
            try pull.pull(run: frames.span, of: Self.frameLength, onCores: cores, appendingTo: &output)
        }
        return (output, run, next)
    }

    @Test func `a run that is pushed is pulled frame by frame`() throws {
        var push = try SecretStream.Push(key: key.span)
        let plaintext = [UInt8](0..<23)
        var frames: [UInt8] = []
        try push.push(run: plaintext.span, of: Self.chunkLength, appendingTo: &frames)
        #expect(frames.count == 4 * Self.frameLength)
        var pull = try SecretStream.Pull(header: push.header.span, key: key.span)
        var output: [UInt8] = []
        for index in 0..<4 {
            let frame = [UInt8](frames[(Self.frameLength * index)...].prefix(Self.frameLength))
            #expect(try pull.pull(frame.span, appendingTo: &output) == .message)
        }
        #expect(output == [UInt8](0..<20))
    }

    @Test(arguments: [1, 3])
    func `frames that are pushed one by one are pulled as a run`(cores: Int) throws {
        let (header, frames, plaintext) = try frames(200)
        var pull = try SecretStream.Pull(header: header.span, key: key.span)
        var output: [UInt8] = [42]
        // Bytes after the last whole frame are ignored.
        let run = frames + zeros(Self.frameLength - 1)
        try pull.pull(run: run.span, of: Self.frameLength, onCores: cores, appendingTo: &output)
        #expect(output == [42] + plaintext)
        #expect(pull.isEnded == false)
    }

    @Test(arguments: [1, 3])
    func `a stream is pulled in runs of any number of frames`(cores: Int) throws {
        let (header, frames, plaintext) = try frames(600)
        var pull = try SecretStream.Pull(header: header.span, key: key.span)
        var output: [UInt8] = []
        var place = 0
        // One frame, the fewest that several cores share, whole shares, and a part of one.
        for count in [1, 96, 0, 128, 97, 200, 1, 77] {
            let run = frames[(place * Self.frameLength)...].prefix(count * Self.frameLength)
            try pull.pull(run: run.span, of: Self.frameLength, onCores: cores, appendingTo: &output)
            place += count
            #expect(output == [UInt8](plaintext.prefix(place * Self.chunkLength)))
        }
        #expect(place == 600)
    }

    @Test(arguments: [1, 3])
    func `what follows a bad frame is not released, then or later`(cores: Int) throws {
        let (header, frames, plaintext) = try frames(200)
        for bad in [0, 63, 199] {
            var changed = frames
            changed[bad * Self.frameLength] ^= 1
            let (output, run, next) = try pull(changed, header: header, cores: cores)
            #expect(run?.code == .authenticationFailed)
            #expect(output == [42] + plaintext.prefix(bad * Self.chunkLength))
            #expect(next?.what == "stream")
        }
    }

    @Test("a frame that ends the stream or has an unknown tag ends the run", arguments: [1, 3])
    func ends(cores: Int) throws {
        for (tag, code) in [(3, .streamEnded), (9, .invalidParameters)] as [(UInt8, SodiumError.Code)] {
            for place in [0, 63, 199] {
                let (header, frames, plaintext) = try frames(200, tag: tag, at: place)
                let (output, run, next) = try pull(frames, header: header, cores: cores)
                #expect(run?.code == code)
                #expect(output == [42] + plaintext.prefix(place * Self.chunkLength))
                #expect(next?.code == .authenticationFailed)
            }
        }
    }

    @Test func `no run follows the final frame at either end`() throws {
        var push = try SecretStream.Push(key: key.span)
        var pull = try SecretStream.Pull(header: push.header.span, key: key.span)
        let final = try push.push([1].span, tag: .final)
        _ = try pull.pull(final.span)
        var output: [UInt8] = [42]
        let pushing = refusal { () throws(SodiumError) in
            try push.push(run: zeros(64).span, of: Self.chunkLength, appendingTo: &output)
        }
        #expect(pushing?.code == .streamEnded)
        let pulling = refusal { () throws(SodiumError) in
            try pull.pull(run: zeros(64).span, of: Self.frameLength, onCores: 2, appendingTo: &output)
        }
        #expect(pulling?.code == .streamEnded)
        #expect(output == [42])
    }
}
