import LibSodium
import Synchronization
import XChatEngine

extension BenchCases {
    /// Measures media; one operation is one mebibyte.
    ///
    /// Both suites encrypt media in the same way, so the rows of both have the same figures.
    mutating func measureStreams() throws {
        let media = try BenchMedia()
        var measured: [(name: String, result: Stopwatch.Result)] = []
        for (suffix, push) in [("", 1 << 20), ("_64k", 64 << 10), ("_1k", 1 << 10)] {
            var output: [UInt8] = []
            output.reserveCapacity(push + push / 16 + 2048)
            var bareStream = media.bareStream
            let sealing = try stopwatch.measure {
                try media.seal(inPushesOf: push, into: &output)
            } floor: {
                try media.bareSeal(into: &bareStream)
            }
            measured.append(("stream_seal" + suffix, sealing))

            // Shorter pushes are not divided among cores, so their floor uses one core too.
            let cores = suffix.isEmpty ? cores : 1
            let outputs = Mutex((0..<cores).map { _ in [UInt8](repeating: 0, count: media.mebibyte.count) })
            let opening = try stopwatch.measure {
                try media.open(inPushesOf: push, into: &output)
            } floor: {
                // One stream for each core, all at the same time.
                try overCores(cores, share: 1) { _ in
                    var plaintext = outputs.withLock { $0.popLast() } ?? []
                    try media.bareOpen(into: &plaintext)
                    let used = plaintext
                    outputs.withLock { $0.append(used) }
                }
            }
            let floor = opening.floor / Double(cores)
            measured.append(("stream_open" + suffix, .init(median: opening.median, floor: floor)))
        }
        for prefix in ["", "sodium_"] {
            for (name, result) in measured { add(prefix + name, result) }
        }
    }
}

/// A mebibyte, and its encryption and decryption by the engine and by libsodium alone.
///
/// It is small, because a sample of about a millisecond is rarely disturbed by other programs.
private struct BenchMedia: Sendable {
    let mebibyte = [UInt8](repeating: 0x78, count: 1 << 20)
    private(set) var bareStream: [UInt8]
    private var stream: [UInt8] = []
    private let key: ConversationKey
    private let bareKey: [UInt8]
    private let chunkLength = 1024

    init() throws {
        key = try ConversationKey.generate()
        bareKey = key.withBytes { key in key.indices.map { key[$0] } }
        bareStream = [UInt8](repeating: 0, count: MediaEncryptor.encryptedSize(of: mebibyte.count) ?? 0)
        var encryptor = try MediaEncryptor(key: key)
        try encryptor.push(mebibyte, appendingTo: &stream)
        try encryptor.finish(appendingTo: &stream)
        try bareSeal(into: &bareStream)
    }

    func seal(inPushesOf push: Int, into output: inout [UInt8]) throws {
        var encryptor = try MediaEncryptor(key: key)
        for start in stride(from: 0, to: mebibyte.count, by: push) {
            output.removeAll(keepingCapacity: true)
            try encryptor.push(mebibyte.span.extracting(start..<start + push), appendingTo: &output)
        }
        try encryptor.finish(appendingTo: &output)
    }

    func open(inPushesOf push: Int, into output: inout [UInt8]) throws {
        var decryptor = MediaDecryptor(key: key)
        for start in stride(from: 0, to: stream.count, by: push) {
            output.removeAll(keepingCapacity: true)
            let end = min(start + push, stream.count)
            try decryptor.push(stream.span.extracting(start..<end), appendingTo: &output)
        }
        try decryptor.finish(appendingTo: &output)
    }

    func bareSeal(into stream: inout [UInt8]) throws {
        try require(
            BareCalls.streamSeal(mebibyte.span, key: bareKey.span, chunkLength: chunkLength, into: &stream)
        )
    }

    func bareOpen(into plaintext: inout [UInt8]) throws {
        try require(
            BareCalls.streamOpen(bareStream.span, key: bareKey.span, chunkLength: chunkLength, into: &plaintext)
        )
    }
}
