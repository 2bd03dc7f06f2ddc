import Benchmark
import Fixtures
import XChatEngine
import XChatEvents

/// Key changes wrap on all cores from 17 members on.
func keyBenchmarks() {
    for suite in [SuiteName.xchat, .sodium] {
        for count in [2, 100, 1000, 10_000] {
            Benchmark("key-change-\(count)-\(suite)") { benchmark, input in
                var alice = input
                for _ in benchmark.scaledIterations {
                    blackHole(try alice.prepareKeyChange(in: People.group))
                }
            } setup: { () throws -> Session in
                try People(suite).aliceInGroup(of: count)
            }
        }
        // A thousand wraps and one signature, reported as one wrap.
        Benchmark("wrap-\(suite)", configuration: .init(scalingFactor: .kilo)) { benchmark, input in
            var alice = input
            blackHole(try alice.prepareKeyChange(in: People.group))
        } setup: { () throws -> Session in
            try People(suite).aliceInGroup(of: BenchmarkScalingFactor.kilo.rawValue)
        }
        // The signer is unknown: the key is unwrapped, and no signature verified.
        Benchmark("unwrap-\(suite)") { benchmark, input in
            var stranger = input.people.stranger
            for _ in benchmark.scaledIterations {
                blackHole(Result { () throws(XChatError) in try stranger.open(input.event) })
            }
        } setup: { () throws -> (people: People, event: MessageEvent) in
            let people = try People(suite)
            return (people: people, event: try people.keyChange().event)
        }
    }
}
