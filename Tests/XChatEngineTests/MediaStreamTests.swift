import LibSodium
import Testing
import XChatEvents

@testable import XChatEngine

/// The result of reading a stream: the released plaintext, and the error that ended it.
private struct Reading: Equatable {
    var plaintext: [UInt8] = []
    var error: XChatError?

    /// Cuts the stream into pieces of these sizes; `pieces` is repeated.
    init(_ stream: [UInt8], _ key: ConversationKey, pieces: [Int], cores: Int = 1) {
        var decryptor = MediaDecryptor(key: key, cores: cores)
        do throws(XChatError) {
            for piece in cut(stream, pieces) { try decryptor.push(piece, appendingTo: &plaintext) }
            try decryptor.finish(appendingTo: &plaintext)
        } catch {
            self.error = error
        }
    }
}

private func cut(_ bytes: [UInt8], _ pieces: [Int]) -> [[UInt8]] {
    var result: [[UInt8]] = []
    var start = 0
    while start < bytes.count {
        let end = min(bytes.count, start + pieces[result.count % pieces.count])
        result.append(Array(bytes[start..<end]))
        start = end
    }
    return result
}

private func encrypted(_ plaintext: [UInt8], _ key: ConversationKey, pieces: [Int] = [.max / 2]) throws -> [UInt8] {
    var encryptor = try MediaEncryptor(key: key)
    var stream: [UInt8] = []
    for piece in cut(plaintext, pieces) { try encryptor.push(piece, appendingTo: &stream) }
    try encryptor.finish(appendingTo: &stream)
    return stream
}

/// A stream with frames that other writers make.
private func foreign(
    _ key: ConversationKey,
    _ chunks: [(chunk: [UInt8], rawTag: UInt8)],
    from counter: UInt32? = nil
) throws -> [UInt8] {
    var push = try key.withBytes { (key) throws(SodiumError) in try SecretStream.Push(key: key) }
    if let counter { push.skip(toFrame: counter) }
    var stream = push.header
    for (chunk, rawTag) in chunks { try push.push(chunk.span, rawTag: rawTag, appendingTo: &stream) }
    return stream
}

private func noise(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
}

private let frame = MediaFraming.frameLength

struct MediaStreamTests {
    private let key: ConversationKey

    init() throws {
        key = try Known.conversationKey()
    }

    @Test func `a known stream decodes`() throws {
        let stream = try Base64.decode("TToSb4zqXtRaAHN8ac2BVzSOAColYU6vvaFoJI2LUAkUfXCsky0hn9Y9I58=")
        let reading = Reading(stream, key, pieces: [7])
        #expect(reading.plaintext == Array("abc".utf8))
        #expect(reading.error == nil)
    }

    @Test func `every length decrypts to its plaintext, however both streams are cut`() throws {
        let plaintext = noise(5000)
        var lengths = Array(stride(from: 0, through: 5000, by: 37))
        for multiple in [1024, 2048, 3072, 4096] { lengths += [multiple - 1, multiple, multiple + 1] }
        lengths += [1, 2, 5000]
        for length in lengths {
            for _ in 0..<3 {
                let pieces = (0..<5).map { _ in Int.random(in: 1...2500) }
                let bytes = Array(plaintext[..<length])
                let stream = try encrypted(bytes, key, pieces: pieces)
                #expect(stream.count == MediaEncryptor.encryptedSize(of: length), "\(length), \(pieces)")
                let reading = Reading(stream, key, pieces: pieces.reversed())
                #expect(reading.error == nil, "\(length), \(pieces)")
                #expect(reading.plaintext == bytes, "\(length), \(pieces)")
            }
        }
    }

    @Test(arguments: [1, 1023, 1024, 1025, 1041, 65_536])
    func `the frames do not depend on how the plaintext is cut`(piece: Int) throws {
        let plaintext = noise(4096)
        let stream = try encrypted(plaintext, key, pieces: [piece])
        let header = Array(stream[..<24])
        var pull = try key.withBytes { (key) throws(SodiumError) in
            try SecretStream.Pull(header: header.span, key: key)
        }
        for index in 0..<4 {
            let start = 24 + index * frame
            let sealed = Array(stream[start..<start + frame])
            let (chunk, tag) = try pull.pull(sealed.span)
            #expect(chunk == Array(plaintext[index * 1024..<(index + 1) * 1024]))
            #expect(tag == (index == 3 ? .final : .message))
        }
        #expect(stream.count == 24 + 4 * frame)
    }

    @Test func `the header is output first, and a frame only when more data follows`() throws {
        var encryptor = try MediaEncryptor(key: key)
        var stream: [UInt8] = []
        let steps: [(Int, Int)] = [(0, 24), (1, 24), (1023, 24), (1, 24 + frame), (2047, 24 + 2 * frame)]
        for (pushed, expected) in steps {
            try encryptor.push(noise(pushed), appendingTo: &stream)
            #expect(stream.count == expected)
        }
        var decryptor = MediaDecryptor(key: key)
        var plaintext: [UInt8] = []
        try decryptor.push(Array(stream[..<(24 + frame)]), appendingTo: &plaintext)
        #expect(plaintext.isEmpty)
        try decryptor.push(Array(stream[(24 + frame)...]), appendingTo: &plaintext)
        #expect(plaintext.count == 1024)
    }

    @Test func `an empty file is its header alone`() throws {
        let stream = try encrypted([], key)
        #expect(stream.count == 24)
        let reading = Reading(stream, key, pieces: [5])
        #expect(reading == Reading(noise(24), key, pieces: [24]))  // no part of it is authenticated
        #expect(reading.error == nil)
        #expect(reading.plaintext.isEmpty)
    }

    @Test func `sizes are computed up to the largest`() {
        let sizes = [0, 1, 1024, 1025].map { MediaEncryptor.encryptedSize(of: $0) }
        #expect(sizes == [24, 42, 1065, 1083])
        #expect(MediaEncryptor.encryptedSize(of: .max) == nil)
        #expect(MediaEncryptor.encryptedSize(of: -1) == nil)
        let largest = 9_072_750_207_242_353_879
        #expect(MediaEncryptor.encryptedSize(of: largest) == Int.max)
        #expect(MediaEncryptor.encryptedSize(of: largest + 1) == nil)
    }

    // MARK: Altered streams

    @Test func `every flipped bit is refused, and only what precedes it is released`() throws {
        let plaintext = noise(1100)
        let stream = try encrypted(plaintext, key)
        for byte in stream.indices {
            var forged = stream
            forged[byte] ^= 1 << UInt8.random(in: 0..<8)
            let reading = Reading(forged, key, pieces: [300])
            #expect(reading.error?.code == .authenticationFailed, "byte \(byte)")
            #expect(reading.plaintext == (byte < 24 + frame ? [] : Array(plaintext[..<1024])), "byte \(byte)")
        }
    }

    @Test func `every truncation but the empty file is refused`() throws {
        let plaintext = noise(2500)
        let stream = try encrypted(plaintext, key)
        for length in 0..<stream.count {
            let reading = Reading(Array(stream[..<length]), key, pieces: [1000])
            if length == 24 {
                #expect(reading.error == nil)  // it cannot be distinguished from an empty file
                continue
            }
            #expect(reading.error?.code == .authenticationFailed, "\(length) bytes")
            #expect(plaintext.starts(with: reading.plaintext) && reading.plaintext.count < plaintext.count)
            let rest = (length - 24) % frame
            if length < 24 || rest < 17 {
                #expect(reading.error?.message.contains("truncated") == true, "\(length) bytes")
            }
        }
    }

    @Test func `frames in another order, twice, left out or from another stream are refused`() throws {
        let plaintext = noise(4000)
        let stream = try encrypted(plaintext, key)
        let other = try encrypted(plaintext, key)
        let header = Array(stream[..<24])
        let frames = cut(Array(stream[24...]), [frame])
        let forgeries: [(frames: [[UInt8]], authentic: Int)] = [
            ([frames[1], frames[0], frames[2], frames[3]], 0),
            ([frames[0], frames[2], frames[1], frames[3]], 1),
            ([frames[0], frames[0], frames[1], frames[2], frames[3]], 1),
            ([frames[0], frames[2], frames[3]], 1),
            ([frames[0], frames[1], frames[3]], 2),
            ([frames[0], Array(other[24 + frame..<24 + 2 * frame]), frames[2], frames[3]], 1),
        ]
        for (forged, authentic) in forgeries {
            let reading = Reading(header + forged.joined(), key, pieces: [1500])
            #expect(reading.error?.code == .authenticationFailed)
            #expect(reading.plaintext == Array(plaintext[..<(authentic * 1024)]))
        }
    }

    @Test(arguments: [1, 17, 1041, 5000])
    func `nothing follows the last frame`(more: Int) throws {
        let plaintext = noise(2048)
        let stream = try encrypted(plaintext, key) + noise(more)
        let reading = Reading(stream, key, pieces: [1041])
        #expect(reading.error?.code == .authenticationFailed)
        #expect(reading.error?.message.contains("after the last frame") == true)
        #expect(reading.plaintext == Array(plaintext[..<1024]))
    }

    @Test func `a stream does not open under another key`() throws {
        let reading = Reading(try encrypted(noise(3000), key), try ConversationKey.generate(), pieces: [999])
        #expect(reading.error?.code == .authenticationFailed)
        #expect(reading.plaintext.isEmpty)
    }

    @Test func `after a failure the genuine rest is refused with the same error`() throws {
        let stream = try encrypted(noise(3000), key)
        var forged = Array(stream[..<1200])
        forged[100] ^= 1
        var decryptor = MediaDecryptor(key: key)
        var plaintext: [UInt8] = []
        var errors: [XChatError] = []
        for piece in [forged, stream, []] {
            do throws(XChatError) {
                try decryptor.push(piece, appendingTo: &plaintext)
            } catch {
                errors.append(error)
            }
        }
        do throws(XChatError) {
            try decryptor.finish(appendingTo: &plaintext)
        } catch {
            errors.append(error)
        }
        #expect(
            errors == Array(repeating: XChatError(.authenticationFailed, "frame 0 does not authenticate"), count: 4)
        )
        #expect(plaintext.isEmpty)
    }

    @Test func `a finished encryptor or decryptor refuses further calls`() throws {
        var encryptor = try MediaEncryptor(key: key)
        var stream: [UInt8] = []
        try encryptor.finish(appendingTo: &stream)
        var codes: [XChatError.Code] = []
        do throws(XChatError) { try encryptor.push([1], appendingTo: &stream) } catch { codes.append(error.code) }
        do throws(XChatError) { try encryptor.finish(appendingTo: &stream) } catch { codes.append(error.code) }
        var decryptor = MediaDecryptor(key: key)
        var plaintext: [UInt8] = []
        try decryptor.push(stream, appendingTo: &plaintext)
        try decryptor.finish(appendingTo: &plaintext)
        do throws(XChatError) { try decryptor.push([1], appendingTo: &plaintext) } catch { codes.append(error.code) }
        do throws(XChatError) { try decryptor.finish(appendingTo: &plaintext) } catch { codes.append(error.code) }
        #expect(codes == Array(repeating: .invalidArgument, count: 4))
        #expect(stream.count == 24)
    }

    // MARK: Other writers

    @Test func `frames that end a push or replace the key and an empty last frame are accepted`() throws {
        let chunks = (0..<5).map { _ in noise(1024) }
        let stream = try foreign(key, Array(zip(chunks, [0, 2, 1, 2, 0])) + [([], 3)])
        let reading = Reading(stream, key, pieces: [2000])
        #expect(reading.error == nil)
        #expect(reading.plaintext == Array(chunks.joined()))
    }

    @Test func `an authentic frame of an unknown kind is malformed`() throws {
        let stream = try foreign(key, [(noise(1024), 0), (noise(1024), 6), (noise(10), 3)])
        let reading = Reading(stream, key, pieces: [5000])
        #expect(reading.error?.code == .malformed)
        #expect(reading.plaintext.count == 1024)
    }

    @Test func `a short frame in the middle is refused`() throws {
        let stream = try foreign(key, [(noise(1024), 0), (noise(1000), 0), (noise(1024), 3)])
        let reading = Reading(stream, key, pieces: [100])
        #expect(reading.error?.code == .authenticationFailed)
        #expect(reading.plaintext.count == 1024)
    }

    // MARK: Several cores

    /// Long enough for many shares; the last one is shorter.
    private static let longCount = 64 * 5 + 21

    @Test func `several cores read a long stream as one does, however it is cut`() throws {
        let plaintext = noise(Self.longCount * 1024 + 333)
        let stream = try encrypted(plaintext, key)
        for pieces in [[stream.count], [200_000], [1, 300_000, 24], [70_000, 1041 * 128 + 1]] {
            for cores in [1, 2, 3, 16] {
                let reading = Reading(stream, key, pieces: pieces, cores: cores)
                #expect(reading.error == nil)
                #expect(reading.plaintext == plaintext, "\(pieces), \(cores) cores")
            }
        }
    }

    @Test(arguments: [0, 1, 15, 16, 17, 63, 64, 200, 319, 335, 336, 340, 341])
    func `nothing is released after a tampered frame, on several cores as on one`(bad: Int) throws {
        let plaintext = noise(Self.longCount * 1024 + 333)
        var stream = try encrypted(plaintext, key)
        // The byte of the tag, a byte of the plaintext, and the first and last byte of the authenticator.
        for offset in [0, 200, 334, -16, -1] {
            let start = 24 + bad * frame
            let end = min(start + frame, stream.count)
            let place = offset < 0 ? end + offset : start + offset
            stream[place] ^= 0x10
            let serial = Reading(stream, key, pieces: [stream.count], cores: 1)
            #expect(serial.error?.code == .authenticationFailed)
            #expect(serial.plaintext == Array(plaintext[..<(bad * 1024)]))
            for cores in [2, 5] {
                #expect(Reading(stream, key, pieces: [stream.count], cores: cores) == serial)
                #expect(Reading(stream, key, pieces: [150_000], cores: cores) == serial)
            }
            stream[place] ^= 0x10
        }
    }

    @Test func `frames left out, exchanged or ended too early are refused on several cores as on one`() throws {
        let stream = try encrypted(noise(Self.longCount * 1024 + 333), key)
        let frames = cut(Array(stream[24...]), [frame])
        var forgeries: [[[UInt8]]] = []
        for place in [5, 64, 100, 255] {
            var missing = frames
            missing.remove(at: place)
            var exchanged = frames
            exchanged.swapAt(place, place + 64)
            forgeries += [missing, exchanged, Array(frames[..<place]), frames + frames]
        }
        for forged in forgeries {
            let bytes = stream[..<24] + forged.joined()
            let serial = Reading(Array(bytes), key, pieces: [bytes.count], cores: 1)
            #expect(serial.error?.code == .authenticationFailed)
            #expect(Reading(Array(bytes), key, pieces: [bytes.count], cores: 2) == serial)
        }
    }

    @Test(arguments: [[0], [63], [64], [130], [5, 6, 7, 200], [127, 128], [319], [320], [330]])
    func `new keys and odd frames in a long stream are read on several cores as on one`(places: [Int]) throws {
        for tag: UInt8 in [1, 2, 3, 9] {
            var chunks = (0..<Self.longCount).map { (chunk: noise(1024), rawTag: places.contains($0) ? tag : 0) }
            chunks.append((noise(9), 3))
            let stream = try foreign(key, chunks)
            let serial = Reading(stream, key, pieces: [stream.count], cores: 1)
            #expect((serial.error == nil) == (tag < 3))
            #expect(serial.plaintext.count == (tag < 3 ? Self.longCount * 1024 + 9 : places[0] * 1024))
            for cores in [2, 4] {
                #expect(Reading(stream, key, pieces: [stream.count], cores: cores) == serial, "tag \(tag)")
                #expect(Reading(stream, key, pieces: [99_999], cores: cores) == serial, "tag \(tag)")
            }
        }
    }

    @Test(arguments: [0, 1, 63, 64, 65, 130, 300])
    func `when the frame counter wraps, several cores read as one does`(framesBefore: UInt32) throws {
        // The counter is 1 before the first frame. When it wraps, libsodium replaces the key.
        let counter = UInt32.max - framesBefore
        let chunks = (0..<Self.longCount).map { _ in (chunk: noise(1024), rawTag: UInt8(0)) }
        let stream = try foreign(key, chunks, from: counter)
        var results: [[UInt8]] = []
        let header = Array(stream[..<24])
        let frames = Array(stream[24...])
        for cores in [1, 2, 4] {
            var pull = try key.withBytes { (key) throws(SodiumError) in
                try SecretStream.Pull(header: header.span, key: key)
            }
            pull.skip(toFrame: counter)
            var plaintext: [UInt8] = []
            try pull.pull(run: frames.span, of: frame, onCores: cores, appendingTo: &plaintext)
            results.append(plaintext)
        }
        let expected = chunks.flatMap(\.chunk)
        #expect(results == [expected, expected, expected])
    }
}
