import Dispatch
import Foundation
import LibSodium
import Synchronization
import XChat
import XChatEvents

/// Every operation that `xchat bench` measures, each beside its floor.
struct BenchCases {
    /// One row of the result.
    struct Row: Sendable {
        let name: String
        let result: Stopwatch.Result
    }

    /// How long to measure each case.
    let secondsPerCase: Double
    /// When to stop measuring more than once.
    let end: ContinuousClock.Instant
    let cores = ProcessInfo.processInfo.activeProcessorCount
    private(set) var rows: [Row] = []

    init(isQuick: Bool) {
        secondsPerCase = isQuick ? 0.5 : 4
        end = .now + .seconds(isQuick ? 20 : 240)
    }

    private var stopwatch: Stopwatch {
        Stopwatch(end: min(end, .now + .seconds(secondsPerCase)))
    }

    private mutating func add(_ name: String, _ result: Stopwatch.Result) {
        rows.append(Row(name: name, result: result))
    }

    // MARK: Suites

    /// Measures all that depends on the suite.
    mutating func measure(_ suite: SuiteName, bare: any BareSuite, prefix: String = "") throws {
        let fixture = try BenchFixture(suite)
        for (name, count) in [("seal_text_32", 32), ("seal_text_1k", 1024), ("seal_text_10k", 10_240)] {
            try add(prefix + name, measureSeal(BenchFixture.text(count), fixture, bare))
        }
        try add(prefix + "open_text_1k", measureOpen(BenchFixture.text(1024), fixture, bare))
        try add(prefix + "verify", measureVerify(BenchFixture.text(1024), fixture, bare))
        try measureWraps(fixture, bare, prefix: prefix)
        try add(prefix + "batch_open_10k", measureBatch(fixture, bare))
    }

    private func measureSeal(
        _ text: String,
        _ fixture: BenchFixture,
        _ bare: any BareSuite
    ) throws -> Stopwatch.Result {
        let work = try BareOpening(of: fixture.sealed(text).event, bare)
        let plaintext = [UInt8](repeating: 0x78, count: work.plaintextCount)
        var box = work.box
        return try stopwatch.measure {
            keep(try fixture.sealed(text))
        } floor: {
            try require(BareCalls.secretBoxSeal(plaintext.span, key: work.key.span, into: &box))
            keep(try bare.sign(work.signedText))
        }
    }

    /// From the base64 of an event to its contents.
    private func measureOpen(
        _ text: String,
        _ fixture: BenchFixture,
        _ bare: any BareSuite
    ) throws -> Stopwatch.Result {
        let event = try fixture.sealed(text).event
        let line = Base64.encode(event.encoded())
        let work = try BareOpening(of: event, bare)
        var session = fixture.bob
        return try stopwatch.measure {
            keep(try session.open(try MessageEvent(base64: line)))
        } floor: {
            try work.perform(bare)
        }
    }

    private func measureVerify(
        _ text: String,
        _ fixture: BenchFixture,
        _ bare: any BareSuite
    ) throws -> Stopwatch.Result {
        let event = try fixture.sealed(text).event
        let line = Base64.encode(event.encoded())
        let work = try BareOpening(of: event, bare)
        return try stopwatch.measure {
            try fixture.bob.verify(try MessageEvent(base64: line))
        } floor: {
            try bare.verify(work.signature, work.signedText)
        }
    }

    private mutating func measureWraps(_ fixture: BenchFixture, _ bare: any BareSuite, prefix: String) throws {
        let recipient = fixture.bobsKeys.identityKey
        let key = fixture.key
        let wrapped = try recipient.wrap(key)
        let bareWrapped = try bare.wrap()
        let wrapping = try stopwatch.measure {
            keep(try recipient.wrap(key))
        } floor: {
            keep(try bare.wrap())
        }
        add(prefix + "wrap_key", wrapping)
        let unwrapping = try stopwatch.measure {
            keep(try fixture.bobsKeys.unwrap(wrapped))
        } floor: {
            try bare.unwrap(bareWrapped)
        }
        add(prefix + "unwrap_key", unwrapping)

        var session = fixture.alice
        let signedText = [UInt8](repeating: 0x78, count: 150)
        let change = try stopwatch.measure {
            keep(try session.prepareKeyChange(in: BenchFixture.group, participants: fixture.members))
        } floor: {
            try overCores(fixture.members.count) { _ in keep(try bare.wrap()) }
            keep(try bare.sign(signedText))
        }
        add(prefix + "key_change_100", change)
    }

    /// From the base64 of 10,000 events to their contents.
    private func measureBatch(_ fixture: BenchFixture, _ bare: any BareSuite) throws -> Stopwatch.Result {
        let lines = try fixture.batch()
        let work = try BareOpening(of: MessageEvent(base64: lines[0]), bare)
        return try stopwatch.measure {
            var session = fixture.bob
            let events = lines.map { line in
                Result { () throws(XChatError) in try MessageEvent(line: Array(line.utf8)) }
            }
            let opened = session.open(events)
            try require(opened.allSatisfy { (try? $0.get().contents) != nil })
        } floor: {
            try overCores(lines.count) { _ in try work.perform(bare) }
        }
    }

    // MARK: Streams

    /// Measures media, a mebibyte being one operation, and gives the same figures to both suites: they share the streams.
    mutating func measureStreams() throws {
        let count = 8
        let mebibyte = 1 << 20
        let key = try ConversationKey.generate()
        let keyBytes = key.withBytes { key in key.indices.map { key[$0] } }
        let piece = [UInt8](repeating: 0x78, count: mebibyte)
        var output: [UInt8] = []
        output.reserveCapacity(2 * mebibyte)
        let pieceFrames = mebibyte / 1024 * 1041
        var bareStream = [UInt8](repeating: 0, count: 24 + pieceFrames)

        let sealing = try stopwatch.measure {
            var encryptor = try MediaEncryptor(key: key)
            for _ in 0..<count {
                output.removeAll(keepingCapacity: true)
                try encryptor.push(piece.span, appendingTo: &output)
            }
            try encryptor.finish(appendingTo: &output)
        } floor: {
            for _ in 0..<count {
                let succeeded = BareCalls.streamSeal(
                    piece.span,
                    key: keyBytes.span,
                    chunkLength: 1024,
                    into: &bareStream
                )
                try require(succeeded)
            }
        }

        var encryptor = try MediaEncryptor(key: key)
        var stream: [UInt8] = []
        for _ in 0..<count { try encryptor.push(piece, appendingTo: &stream) }
        try encryptor.finish(appendingTo: &stream)
        let pieces = stride(from: 0, to: stream.count, by: mebibyte).map {
            Array(stream[$0..<min($0 + mebibyte, stream.count)])
        }
        let sealed = bareStream
        let outputs = Mutex((0..<cores).map { _ in [UInt8](repeating: 0, count: mebibyte) })
        let opening = try stopwatch.measure {
            var decryptor = MediaDecryptor(key: key)
            for piece in pieces {
                output.removeAll(keepingCapacity: true)
                try decryptor.push(piece.span, appendingTo: &output)
            }
            try decryptor.finish(appendingTo: &output)
        } floor: {
            // One stream for each core, all at once.
            try overCores(cores, share: 1) { _ in
                var plaintext = outputs.withLock { $0.popLast() } ?? []
                for _ in 0..<count {
                    let succeeded = BareCalls.streamOpen(
                        sealed.span,
                        key: keyBytes.span,
                        chunkLength: 1024,
                        into: &plaintext
                    )
                    try require(succeeded)
                }
                let used = plaintext
                outputs.withLock { $0.append(used) }
            }
        }
        for prefix in ["", "sodium_"] {
            let scale = Double(count)
            add(prefix + "stream_seal", .init(median: sealing.median / scale, floor: sealing.floor / scale))
            let floor = opening.floor / scale / Double(cores)
            add(prefix + "stream_open", .init(median: opening.median / scale, floor: floor))
        }
    }

    // MARK: Cores

    /// The floor of what is done on all cores: the same number of bare calls, shared out in the simplest way.
    private func overCores(
        _ count: Int,
        share: Int = 16,
        _ body: @Sendable (Int) throws -> Void
    ) throws {
        let failures = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: (count + share - 1) / share) { iteration in
            for index in iteration * share..<min((iteration + 1) * share, count) {
                do { try body(index) } catch { failures.add(1, ordering: .relaxed) }
            }
        }
        try require(failures.load(ordering: .relaxed) == 0)
    }
}

/// What opening a message takes at least: one signature verified, one box opened.
private struct BareOpening: Sendable {
    let signedText: [UInt8]
    let signature: [UInt8]
    let key: [UInt8]
    let box: [UInt8]
    let plaintextCount: Int

    /// Sizes as those of the given event, under keys of its own.
    init(of event: MessageEvent, _ bare: any BareSuite) throws {
        signedText = try SignedPayload(of: event, version: .current).bytes
        signature = try bare.sign(signedText)
        let key = try Sodium.randomBytes(count: 32)
        guard case .messageCreateEvent(let create) = event.detail else { throw BarePrimitiveFailed() }
        let sealed = create.contents ?? []
        plaintextCount = sealed.count - SecretBox.overheadByteCount
        let plaintext = [UInt8](repeating: 0x78, count: plaintextCount)
        var box = sealed
        try require(BareCalls.secretBoxSeal(plaintext.span, key: key.span, into: &box))
        self.box = box
        self.key = key
    }

    func perform(_ bare: any BareSuite) throws {
        try bare.verify(signature, signedText)
        var plaintext = [UInt8](repeating: 0, count: plaintextCount)
        try require(BareCalls.secretBoxOpen(box.span, key: key.span, into: &plaintext))
    }
}

/// Keeps the optimizer from leaving out what nobody looks at.
@inline(never)
private func keep<Value>(_ value: Value) {}
