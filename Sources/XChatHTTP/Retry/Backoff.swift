/// Pauses that grow with the number of failures: exponential backoff with equal jitter.
package struct Backoff: Hashable, Sendable {
    /// How the pause grows with the number of failures.
    package enum Growth: Hashable, Sendable {
        /// ``first``, then twice as long after each further failure.
        case exponential
        /// No pause, then ``first`` longer after each further failure.
        case linear
    }

    /// The first pause.
    package var first: Duration
    /// The longest pause.
    package var longest: Duration
    /// How pauses grow.
    package var growth: Growth

    /// Makes a backoff.
    ///
    /// - Parameters:
    ///   - first: The first pause.
    ///   - longest: The longest pause.
    ///   - growth: How pauses grow.
    package init(first: Duration, longest: Duration, growth: Growth = .exponential) {
        (self.first, self.longest, self.growth) = (first, longest, growth)
    }

    /// The pause without jitter.
    ///
    /// - Parameter failures: The number of failures before; a negative number counts as 0.
    /// - Returns: The pause, at most ``longest``.
    package func pause(failures: Int) -> Duration {
        switch growth {
        case .exponential:
            var pause = first
            for _ in 0..<min(max(failures, 0), 62) where pause < longest { pause *= 2 }
            return min(pause, longest)
        case .linear:
            // The limit prevents an overflow; so many failures reach the longest pause anyway.
            return min(first * min(max(failures, 0), 1 << 20), longest)
        }
    }

    /// The pause with equal jitter: half of it is fixed, the other half is random.
    ///
    /// So clients that failed at the same time do not retry at the same time.
    /// - Parameters:
    ///   - failures: The number of failures before.
    ///   - jitter: A random number in 0...1; others are clamped.
    /// - Returns: Between half of ``pause(failures:)`` and all of it.
    package func pause(failures: Int, jitter: Double) -> Duration {
        let whole = pause(failures: failures)
        return whole / 2 + whole * (min(max(jitter, 0), 1) / 2)
    }
}
