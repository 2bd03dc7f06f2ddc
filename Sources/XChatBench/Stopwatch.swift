/// Measures an operation and its floor side by side.
package struct Stopwatch {
    /// What one case came to, in nanoseconds an operation.
    package struct Result: Sendable {
        package let median: Double
        package let floor: Double
    }

    /// Until when to go on sampling.
    let end: ContinuousClock.Instant

    /// The median of samples that alternate, so that whatever else the machine does hits both alike.
    ///
    /// - Parameters:
    ///   - operation: One whole operation.
    ///   - floor: The same primitives bare, for `floorCount` operations.
    ///   - floorCount: How many operations' worth of primitives one call of `floor` is.
    /// - Returns: The medians.
    /// - Throws: What the operation or its floor throws: a failing one is never measured.
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

    /// How many calls make a sample: one, unless a call is too short for the clock.
    ///
    /// A sample as short as that mostly passes undisturbed, whatever else the machine does; it also warms up.
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
