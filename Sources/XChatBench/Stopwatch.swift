/// Measures an operation and its floor in turns.
package struct Stopwatch {
    /// The result of one case, in nanoseconds per operation.
    package struct Result: Sendable {
        package let median: Double
        package let floor: Double
    }

    /// When to stop taking samples.
    let end: ContinuousClock.Instant

    /// Takes samples of both in turns, so that other programs on the machine disturb both equally.
    ///
    /// - Parameters:
    ///   - operation: One operation.
    ///   - floor: The primitives of `floorCount` operations.
    ///   - floorCount: The number of operations whose primitives one call of `floor` runs.
    /// - Returns: The medians of the samples.
    /// - Throws: The error of the operation or of its floor: a failing one is not measured.
    func measure(
        _ operation: () throws -> Void,
        floor: () throws -> Void,
        floorCount: Int = 1
    ) throws -> Result {
        let count = try repetitions(of: operation)
        let floorRepetitions = try repetitions(of: floor)
        var samples: [Double] = []
        var floorSamples: [Double] = []
        repeat {
            samples.append(try time(operation, count))
            floorSamples.append(try time(floor, floorRepetitions) / Double(floorCount))
        } while ContinuousClock.now < end && samples.count < 50_000
        return Result(median: median(samples), floor: median(floorSamples))
    }

    /// The number of calls in a sample: one, or for calls of less than 20 µs as many as take about 20 µs.
    ///
    /// A short sample is rarely disturbed by other programs. The calls here also warm up the caches.
    private func repetitions(of operation: () throws -> Void) throws -> Int {
        let once = try time(operation, 1)
        guard once < 2e4 else { return 1 }
        let warm = try time(operation, 3)
        return max(1, Int(2e4 / max(warm, 1)))
    }

    private func time(_ operation: () throws -> Void, _ count: Int) throws -> Double {
        let start = ContinuousClock.now
        for _ in 0..<count { try operation() }
        return (ContinuousClock.now - start) / .nanoseconds(1) / Double(count)
    }

    private func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
