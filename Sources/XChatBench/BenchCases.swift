import Foundation
import LibSodium
import Synchronization
import XChatEngine
import XChatEvents

/// How long and how much to measure.
package struct BenchEffort: Sendable {
    /// How long to repeat each case, in seconds.
    let secondsPerCase: Double
    /// The time after which each remaining case is measured only once, in seconds.
    let seconds: Double
    /// The number of messages in the batch; the name of its row always says 10k.
    let batchCount: Int

    package static let full = Self(secondsPerCase: 4, seconds: 240, batchCount: 10_000)
    package static let quick = Self(secondsPerCase: 0.5, seconds: 25, batchCount: 10_000)
}

/// Every operation that `xchat bench` measures, each with its floor.
package struct BenchCases {
    /// One row of the result.
    package struct Row: Sendable {
        package let name: String
        package let result: Stopwatch.Result
    }

    let effort: BenchEffort
    package let cores = ProcessInfo.processInfo.activeProcessorCount
    package private(set) var rows: [Row] = []
    /// When to start measuring each remaining case only once.
    private let end: ContinuousClock.Instant

    init(_ effort: BenchEffort) {
        self.effort = effort
        end = .now + .seconds(effort.seconds)
    }

    /// Measures all cases, in the order of the rows.
    package static func all(_ effort: BenchEffort) throws -> BenchCases {
        var cases = BenchCases(effort)
        try cases.measure(.xchat, bare: BareP256())
        try cases.measure(.sodium, bare: BareSodium(), prefix: "sodium_")
        try cases.measureStreams()
        return cases
    }

    var stopwatch: Stopwatch {
        Stopwatch(end: min(end, .now + .seconds(effort.secondsPerCase)))
    }

    mutating func add(_ name: String, _ result: Stopwatch.Result) {
        rows.append(Row(name: name, result: result))
    }

    // MARK: Suites

    /// Measures the cases that depend on the suite.
    mutating func measure(_ suite: SuiteName, bare: any BareSuite, prefix: String = "") throws {
        let fixture = try BenchFixture(suite, batchCount: effort.batchCount)
        for (name, count) in [("seal_text_32", 32), ("seal_text_1k", 1024), ("seal_text_10k", 10_240)] {
            try add(prefix + name, measureSeal(BenchFixture.text(count), fixture, bare))
        }
        let event = try fixture.sealed(BenchFixture.text(1024)).event
        let (line, work) = (Base64.encode(event.encoded()), try BareOpening(of: event, bare))
        try add(prefix + "open_text_1k", measureOpen(line, fixture, bare, work))
        try add(prefix + "verify", measureVerify(line, fixture, bare, work))
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

    /// Measures opening an event: from its base64 to its contents.
    private func measureOpen(
        _ line: String,
        _ fixture: BenchFixture,
        _ bare: any BareSuite,
        _ work: BareOpening
    ) throws -> Stopwatch.Result {
        var session = fixture.bob
        return try stopwatch.measure {
            keep(try session.open(try MessageEvent(base64: line)))
        } floor: {
            try work.perform(bare)
        }
    }

    private func measureVerify(
        _ line: String,
        _ fixture: BenchFixture,
        _ bare: any BareSuite,
        _ work: BareOpening
    ) throws -> Stopwatch.Result {
        try stopwatch.measure {
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
        let signedText = try signedText(
            of: session.prepareKeyChange(in: BenchFixture.group)
        )
        let change = try stopwatch.measure {
            keep(try session.prepareKeyChange(in: BenchFixture.group))
        } floor: {
            try overCores(fixture.members.count) { _ in keep(try bare.wrap()) }
            keep(try bare.sign(signedText))
        }
        add(prefix + "key_change_100", change)
    }

    /// The text that a key change signs: its payload, and then the key in base64.
    private func signedText(of change: KeyChange) throws -> [UInt8] {
        let payload = try SignedPayload(of: change.event, version: .current)
        return payload.bytes + change.key.withBytes { Base64.encodeBytes($0, padding: false) }
    }

    /// Measures opening a batch: from the base64 of its events to their contents.
    private func measureBatch(_ fixture: BenchFixture, _ bare: any BareSuite) throws -> Stopwatch.Result {
        let lines = try fixture.batch()
        let work = try BareOpening(of: MessageEvent(base64: lines[0]), bare)
        return try stopwatch.measure {
            var session = fixture.bob
            let opened = session.open(base64: lines)
            try require(opened.allSatisfy { (try? $0.get().contents) != nil })
        } floor: {
            try overCores(lines.count) { _ in try work.perform(bare) }
        }
    }

    // MARK: Cores

    /// Runs the floor of an operation on all cores: calls `body` for each index, in shares that the cores take in turn.
    func overCores(
        _ count: Int,
        share: Int = 16,
        _ body: @Sendable (Int) throws -> Void
    ) throws {
        let failures = Atomic(0)
        concurrently((count + share - 1) / share, cores: ProcessInfo.processInfo.activeProcessorCount) { iteration in
            for index in iteration * share..<min((iteration + 1) * share, count) {
                do { try body(index) } catch { failures.add(1, ordering: .relaxed) }
            }
        }
        try require(failures.load(ordering: .relaxed) == 0)
    }
}

/// The least work for opening a message: one signature is verified, and one box is decrypted.
private struct BareOpening: Sendable {
    let signedText: [UInt8]
    let signature: [UInt8]
    let key: [UInt8]
    let box: [UInt8]
    let plaintextCount: Int

    /// Makes a text and a box of the same sizes as those of an event, under other keys.
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

/// Uses a value, so that the optimizer does not remove its computation.
@inline(never)
private func keep<Value>(_ value: Value) {}
