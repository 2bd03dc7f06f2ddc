import Foundation
import LibSodium
import Testing

struct SecretStreamTests {
    private let key = zeros(31) + [3]
    private let chunks = [[UInt8](), [1], [UInt8](repeating: 7, count: 1024), [UInt8](repeating: 9, count: 100_000)]

    private func stream(_ chunks: [[UInt8]]) throws -> (header: [UInt8], frames: [[UInt8]]) {
        var push = try SecretStream.Push(key: key.span)
        var frames: [[UInt8]] = []
        for (index, chunk) in chunks.enumerated() {
            frames.append(try push.push(chunk.span, tag: index == chunks.count - 1 ? .final : .message))
        }
        return (push.header, frames)
    }

    @Test func `what is pushed is pulled`() throws {
        let (header, frames) = try stream(chunks)
        var pull = try SecretStream.Pull(header: header.span, key: key.span)
        for (index, frame) in frames.enumerated() {
            #expect(frame.count == chunks[index].count + SecretStream.overheadByteCount)
            #expect(pull.isEnded == false)
            let (chunk, tag) = try pull.pull(frame.span)
            #expect(chunk == chunks[index])
            #expect(tag == (index == chunks.count - 1 ? .final : .message))
        }
        #expect(pull.isEnded == true)
    }

    @Test func `frames and chunks are appended to an array`() throws {
        var push = try SecretStream.Push(key: key.span)
        var sealed = push.header
        var ends: [Int] = []
        for chunk in chunks {
            try push.push(chunk.span, appendingTo: &sealed)
            ends.append(sealed.count)
        }
        var pull = try SecretStream.Pull(header: [UInt8](sealed.prefix(24)).span, key: key.span)
        var opened: [UInt8] = [42]
        var start = 24
        for end in ends {
            #expect(try pull.pull([UInt8](sealed[start..<end]).span, appendingTo: &opened) == .message)
            start = end
        }
        #expect(opened == [42] + chunks.joined())
    }

    @Test func `every tag arrives, and both ends replace the key together`() throws {
        var push = try SecretStream.Push(key: key.span)
        var pull = try SecretStream.Pull(header: push.header.span, key: key.span)
        for tag in [SecretStream.Tag.push, .rekey, .message, .rekey, .push, .final] {
            let frame = try push.push([1, 2].span, tag: tag)
            let (chunk, pulled) = try pull.pull(frame.span)
            #expect(chunk == [1, 2])
            #expect(pulled == tag)
        }
        #expect(push.isEnded == true)
        #expect(pull.isEnded == true)
    }

    @Test func `a known stream decodes`() throws {
        let stream = [UInt8](
            try #require(Data(base64Encoded: "TToSb4zqXtRaAHN8ac2BVzSOAColYU6vvaFoJI2LUAkUfXCsky0hn9Y9I58="))
        )
        var pull = try SecretStream.Pull(header: [UInt8](stream.prefix(24)).span, key: key.span)
        let (chunk, tag) = try pull.pull([UInt8](stream.dropFirst(24)).span)
        #expect(chunk == [UInt8]("abc".utf8))
        #expect(tag == .final)
    }

    @Test func `a frame with any bit flipped is refused, and nothing is released`() throws {
        let (header, frames) = try stream([[UInt8](1...20)])
        for forged in frames[0].withEachBitFlipped {
            var pull = try SecretStream.Pull(header: header.span, key: key.span)
            var output: [UInt8] = [42]
            #expect(
                refusal { () throws(SodiumError) in
                    _ = try pull.pull(forged.span, appendingTo: &output)
                }?.code == .authenticationFailed
            )
            #expect(output == [42])
        }
    }

    @Test func `no frame opens after a header with any bit flipped`() throws {
        let (header, frames) = try stream([[1]])
        let frame = frames[0]
        for forged in header.withEachBitFlipped {
            var pull = try SecretStream.Pull(header: forged.span, key: key.span)
            #expect(refusal { () throws(SodiumError) in _ = try pull.pull(frame.span) }?.code == .authenticationFailed)
        }
    }

    @Test func `a frame out of its place is refused`() throws {
        let (header, frames) = try stream([[1], [2], [3]])
        for place in [[1], [2], [0, 0], [0, 2]] {
            var pull = try SecretStream.Pull(header: header.span, key: key.span)
            for (step, index) in place.enumerated() {
                let frame = frames[index]
                let error = refusal { () throws(SodiumError) in _ = try pull.pull(frame.span) }
                #expect(error?.code == (step == place.count - 1 ? .authenticationFailed : nil))
            }
        }
    }

    @Test func `after a frame that failed, the genuine one is refused too`() throws {
        let (header, frames) = try stream([[1], [2]])
        let genuine = frames[0]
        for bad in [zeros(18), zeros(16), []] {
            var pull = try SecretStream.Pull(header: header.span, key: key.span)
            #expect(refusal { () throws(SodiumError) in _ = try pull.pull(bad.span) } != nil)
            let error = refusal { () throws(SodiumError) in _ = try pull.pull(genuine.span) }
            #expect(error?.code == .authenticationFailed)
            #expect(error?.what == "stream")
        }
    }

    @Test func `a frame under 17 bytes is refused by its length`() throws {
        let (header, frames) = try stream([[1]])
        for count in 0..<17 {
            var pull = try SecretStream.Pull(header: header.span, key: key.span)
            let cut = [UInt8](frames[0].prefix(count))
            let error = refusal { () throws(SodiumError) in _ = try pull.pull(cut.span) }
            #expect(error?.code == .wrongLength)
            #expect(error?.expected == 17)
        }
    }

    @Test func `nothing follows the final frame at either end`() throws {
        var push = try SecretStream.Push(key: key.span)
        var pull = try SecretStream.Pull(header: push.header.span, key: key.span)
        let final = try push.push([1].span, tag: .final)
        #expect(refusal { () throws(SodiumError) in _ = try push.push([2].span) }?.code == .streamEnded)
        _ = try pull.pull(final.span)
        #expect(refusal { () throws(SodiumError) in _ = try pull.pull(final.span) }?.code == .streamEnded)
        #expect(pull.isEnded == true)
    }

    @Test(arguments: [4, 7, 0x80, 0xFF] as [UInt8])
    func `an authentic frame with an undefined tag is refused`(rawTag: UInt8) throws {
        var push = try SecretStream.Push(key: key.span)
        var pull = try SecretStream.Pull(header: push.header.span, key: key.span)
        var frame: [UInt8] = []
        try push.push([1, 2, 3].span, rawTag: rawTag, appendingTo: &frame)
        var output: [UInt8] = [42]
        let error = refusal { () throws(SodiumError) in _ = try pull.pull(frame.span, appendingTo: &output) }
        #expect(error?.code == .invalidParameters)
        #expect(output == [42])
        #expect(pull.isEnded == false)
    }

    // The block counter of ChaCha20 ends at 256 GiB less two blocks, where libsodium aborts the process.
    @Test func `a chunk and a frame of 256 GiB are refused`() throws {
        var push = try SecretStream.Push(key: key.span)
        var output: [UInt8] = [42]
        let pushing = refusal(ofLength: 1 << 38) { (chunk) throws(SodiumError) in
            try push.push(chunk, appendingTo: &output)
        }
        #expect(pushing?.code == .tooLong)
        #expect(pushing?.what == "chunk")
        var pull = try SecretStream.Pull(header: push.header.span, key: key.span)
        let pulling = refusal(ofLength: 1 << 38) { (frame) throws(SodiumError) in
            _ = try pull.pull(frame, appendingTo: &output)
        }
        #expect(pulling?.code == .tooLong)
        #expect(pulling?.what == "frame")
        #expect(output == [42])
        #expect(try push.push([1].span).count == 18)
    }

    @Test func `a stream begins differently each time`() throws {
        let first = try SecretStream.Push(key: key.span)
        let second = try SecretStream.Push(key: key.span)
        #expect(first.header != second.header)
    }

    @Test(arguments: lengths(otherThan: 32))
    func `a key of another length is refused`(count: Int) {
        let refusals = [
            refusal { () throws(SodiumError) in _ = try SecretStream.Push(key: zeros(count).span) },
            refusal { () throws(SodiumError) in
                _ = try SecretStream.Pull(header: zeros(24).span, key: zeros(count).span)
            },
        ]
        for error in refusals {
            #expect(error?.code == .wrongLength)
            #expect(error?.what == "key")
        }
    }

    @Test(arguments: lengths(otherThan: 24))
    func `a header of another length is refused`(count: Int) {
        let error = refusal { () throws(SodiumError) in
            _ = try SecretStream.Pull(header: zeros(count).span, key: key.span)
        }
        #expect(error?.code == .wrongLength)
        #expect(error?.what == "header")
    }

    @Test(arguments: [Int.min, -1, 0, Int.max - 16, Int.max])
    func `a run of chunks or frames of no possible length is refused`(length: Int) throws {
        var push = try SecretStream.Push(key: key.span)
        var output: [UInt8] = [42]
        let pushing = refusal { () throws(SodiumError) in
            try push.push(run: zeros(64).span, of: length, appendingTo: &output)
        }
        #expect(pushing?.code == .invalidParameters)
        #expect(pushing?.what == "chunkLength")
        // Frames of 17 bytes are those of empty chunks, of which there is no run.
        for frameLength in [length, 17] {
            var pull = try SecretStream.Pull(header: push.header.span, key: key.span)
            let pulling = refusal { () throws(SodiumError) in
                try pull.pull(run: zeros(64).span, of: frameLength, onCores: 2, appendingTo: &output)
            }
            #expect(pulling?.code == .invalidParameters)
            #expect(pulling?.what == "frameLength")
        }
        #expect(output == [42])
    }
}
