import Dispatch
import Foundation
import Testing
import XChatFuzzing

/// Every input that a fuzzer kept, and every one that once broke a rule.
@Suite(.timeLimit(.minutes(5)))
struct CorpusTests {
    /// `Fuzz/` of this checkout.
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fuzz")

    /// The inputs of a target in a folder; none if no input was kept there.
    private static func inputs(_ kind: String, _ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder = folder.appending(path: "\(kind)/\(target.rawValue)")
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            (name, Array(try Data(contentsOf: folder.appending(path: name))))
        }
    }

    /// Runs blocking code outside of Swift's concurrency pool.
    private static func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: body()) }
        }
    }

    /// Why an input breaks a rule, or nil.
    private static func failure(_ target: FuzzTarget, _ input: [UInt8]) async -> String? {
        await onThread {
            do {
                try target.run(input)
                return nil
            } catch {
                return "\(error)"
            }
        }
    }

    @Test("no input of the corpus breaks a rule, and each takes less than two seconds", arguments: FuzzTarget.allCases)
    func replay(_ target: FuzzTarget) async throws {
        let corpus = try Self.inputs("Corpus", target)
        #expect(corpus.count >= 1)
        for (name, bytes) in try corpus + Self.inputs("Crashes", target) {
            let start = ContinuousClock.now
            let failure = await Self.failure(target, bytes)
            #expect(failure == nil, "\(target) \(name): \(failure ?? "")")
            #expect(ContinuousClock.now - start < .seconds(2), "\(target) \(name) is slow")
        }
    }

    @Test("the seeds that our own code makes break no rule", arguments: FuzzTarget.allCases)
    func seeds(_ target: FuzzTarget) async throws {
        let seeds = try await Self.onThread { Result { try target.seeds() } }.get()
        #expect(!seeds.isEmpty)
        for (name, bytes) in seeds {
            let failure = await Self.failure(target, bytes)
            #expect(failure == nil, "\(target) \(name): \(failure ?? "")")
        }
    }
}
