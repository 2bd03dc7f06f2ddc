import Benchmark

// Names have neither space nor slash: the tool would not find their thresholds again.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .peakMemoryResident],
        maxDuration: .seconds(1),
        thresholds: thresholds
    )
    messageBenchmarks()
    keyBenchmarks()
    batchBenchmarks()
    wireBenchmarks()
    mediaBenchmarks()
    sodiumBenchmarks()
}

/// How much worse than the committed figures a run may be, in percent.
///
/// Wide enough for a machine that does other things too; what they are there to catch is a path that became another
/// one.
private var thresholds: [BenchmarkMetric: BenchmarkThresholds] {
    [
        .wallClock: .init(relative: [.p90: 200]),
        .peakMemoryResident: .init(relative: [.p90: 50]),
    ]
}
