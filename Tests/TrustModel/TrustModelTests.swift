import LibSodium
import Synchronization
import Testing

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Checks the rules of `docs/trust.md` in random histories.
///
/// `XCHAT_MODEL_HISTORIES` sets how many (2,000), `XCHAT_MODEL_RUN` the seed of the run (1), and `XCHAT_MODEL_SEED` the
/// seed of one history, which is printed step by step.
@Suite struct TrustModelTests {
    /// The invariant that a history broke.
    struct Failure: Sendable {
        let number: Int
        let seed: UInt64
        let reason: String
        let trace: [String]
    }

    private static func variable(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    @Test func `the trust rules hold in random histories with a lying server`() throws {
        if let seed = Self.variable("XCHAT_MODEL_SEED") {
            let failure = Self.run(seed: seed, number: 0)
            print((failure?.trace ?? Self.trace(seed: seed)).joined(separator: "\n"))
            #expect(failure == nil, "seed \(seed): \(failure?.reason ?? "")")
            return
        }
        let count = Int(Self.variable("XCHAT_MODEL_HISTORIES") ?? 2000)
        let seed = Self.variable("XCHAT_MODEL_RUN") ?? 1
        print("model: \(count) histories, seed of the run \(seed)")
        let failures = Self.run(count, seed: seed)
        for failure in failures {
            print("model: history \(failure.number), XCHAT_MODEL_SEED=\(failure.seed): \(failure.reason)")
        }
        if let first = failures.first { print(first.trace.joined(separator: "\n")) }
        #expect(
            failures.isEmpty,
            "\(failures.first.map { "history \($0.number), seed \($0.seed): \($0.reason)" } ?? "")"
        )
    }

    /// Runs histories on all cores; ends after the third failure.
    private static func run(_ count: Int, seed: UInt64) -> [Failure] {
        let failures = Mutex<[Failure]>([])
        concurrently(count, cores: ProcessInfo.processInfo.activeProcessorCount) { number in
            guard failures.withLock({ $0.count < 3 }) else { return }
            var random = ModelRandom(seed: seed &* 1_000_003 &+ UInt64(number))
            guard let failure = run(seed: random.next() >> 16, number: number) else { return }
            failures.withLock { $0.append(failure) }
        }
        return failures.withLock { $0 }.sorted { $0.number < $1.number }
    }

    /// Runs one history; if it fails, runs it again for the trace.
    private static func run(seed: UInt64, number: Int) -> Failure? {
        do {
            var history = try History(seed: seed)
            try history.run()
            return nil
        } catch {
            return Failure(number: number, seed: seed, reason: "\(error)", trace: trace(seed: seed) + ["\(error)"])
        }
    }

    private static func trace(seed: UInt64) -> [String] {
        guard var history = try? History(seed: seed) else { return [] }
        history.isTracing = true
        try? history.run()
        return history.trace
    }
}

extension History {
    /// Runs the history that its seed describes; one in four is honest.
    mutating func run() throws {
        if seed % 4 == 0 { try runHonestly() } else { try runWithAdversary() }
    }
}
