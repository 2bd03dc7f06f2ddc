import Benchmark
import Fixtures

/// From the base64 of many events to their contents: the time of an event is the same however many there are.
func batchBenchmarks() {
    for (senders, count) in [(1, 1000), (1, 10_000), (200, 10_000), (1, 100_000)] {
        let name = "batch-\(count)-from-\(senders)"
        Benchmark(name, configuration: .init(maxDuration: .seconds(3))) { benchmark, history in
            for _ in benchmark.scaledIterations { try history.open() }
        } setup: {
            try History(senders: senders, count: count)
        }
    }
}
