import Foundation

/// How fast something went, and what it cost.
struct Figure: Sendable {
    let perSecond: Double
    /// Processor time of this process for one operation, in microseconds.
    let microseconds: Double

    /// Measures `count` operations.
    static func of(_ count: Int, _ body: () async throws -> Void) async rethrows -> Figure {
        let start = ContinuousClock.now
        let processor = clock()
        try await body()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let microseconds = Double(clock() - processor) / Double(CLOCKS_PER_SEC) * 1e6
        return Figure(perSecond: Double(count) / seconds, microseconds: microseconds / Double(count))
    }
}

/// Both sides of a comparison, measured in turns.
///
/// Load of the machine that lasts longer than a round changes both sides of it, and the median of the rounds' ratios
/// leaves out the rounds in which it changed one.
struct Rounds {
    private let pairs: [(ours: Figure, floor: Figure)]

    init(_ count: Int, ours: () async throws -> Figure, floor: () async throws -> Figure) async rethrows {
        var pairs: [(ours: Figure, floor: Figure)] = []
        // The first round warms up.
        for round in 0...count {
            if round.isMultiple(of: 2) {
                let first = try await ours()
                pairs.append((first, try await floor()))
            } else {
                let first = try await floor()
                pairs.append((try await ours(), first))
            }
        }
        self.pairs = Array(pairs.dropFirst())
    }

    /// The row for the rates.
    func rates(_ name: String, _ what: String, _ target: Double) -> Row {
        row(name, what, .atLeast(target), "/s", \.perSecond)
    }

    /// The row for the processor times.
    func processorTimes(_ name: String, _ what: String, _ target: Row.Target = .low) -> Row {
        row("\(name)-cpu", "\(what); processor time", target, "µs", \.microseconds)
    }

    private func row(
        _ name: String,
        _ what: String,
        _ target: Row.Target,
        _ unit: String,
        _ path: KeyPath<Figure, Double>
    ) -> Row {
        Row(
            name,
            what,
            .ratio,
            target,
            ours: median(pairs.map { $0.ours[keyPath: path] }),
            floor: median(pairs.map { $0.floor[keyPath: path] }),
            value: median(pairs.map { $0.ours[keyPath: path] / $0.floor[keyPath: path] }),
            unit: unit
        )
    }
}

func median(_ figures: [Double]) -> Double {
    let sorted = figures.sorted()
    guard !sorted.isEmpty else { return .nan }
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
}

/// Milliseconds that something takes.
func milliseconds(_ body: () async throws -> Void) async rethrows -> Double {
    let start = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - start) / .milliseconds(1)
}
