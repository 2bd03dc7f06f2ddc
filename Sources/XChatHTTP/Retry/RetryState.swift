import struct Foundation.Date

/// Decides what follows a failed attempt of one call.
///
/// The state uses neither a socket nor a clock, so that tests can replay any sequence of failures.
struct RetryState {
    /// What to do now.
    enum Action: Hashable {
        /// Wait, then send the same bytes again.
        case retry(after: Duration)
        /// Get a new token, then send the same bytes again.
        case refreshToken
        /// Throw the error.
        case fail
    }

    let policy: RetryPolicy
    /// Whether the server may receive the same bytes twice.
    let isRepeatable: Bool
    private(set) var attempts = 0
    private var pauses = 0
    private var rateLimits = 0
    private var hasRefreshed = false

    init(policy: RetryPolicy, isRepeatable: Bool) {
        self.policy = policy
        self.isRepeatable = isRepeatable
    }

    /// Counts a failed attempt and decides what to do.
    ///
    /// - Parameters:
    ///   - error: The error of the attempt.
    ///   - elapsed: The time since the call began.
    ///   - now: The current time, to which a time that the server names is compared.
    ///   - jitter: A random number in 0...1.
    /// - Returns: What to do.
    mutating func failed(_ error: APIError, elapsed: Duration, now: Date, jitter: Double) -> Action {
        attempts += 1
        if error.code == .unauthorized {
            // An expired token is not a failure of the server, so it does not count as an attempt.
            guard !hasRefreshed, elapsed < policy.budget else { return .fail }
            hasRefreshed = true
            attempts -= 1
            return .refreshToken
        }
        guard attempts < policy.attempts, let pause = pause(after: error, now: now, jitter: jitter),
            elapsed + pause < policy.budget
        else { return .fail }
        return .retry(after: pause)
    }

    /// The pause before the next attempt; nil if another attempt would not help or is not safe.
    private mutating func pause(after error: APIError, now: Date, jitter: Double) -> Duration? {
        switch error.disposition {
        case .rateLimited(let until):
            // Only the status 429 proves that the server did nothing.
            guard isRepeatable || error.status == 429 else { return nil }
            defer { rateLimits += 1 }
            guard let until else {
                return Backoff(first: policy.rateLimitPause, longest: policy.budget).pause(failures: rateLimits)
            }
            // Wait up to a second longer than the server asks. A time in the past means that the clocks differ.
            return .seconds(max(until.timeIntervalSince(now), 0) + min(max(jitter, 0.1), 1))
        case .transient(let retryAt):
            guard isRepeatable else { return nil }
            defer { pauses += 1 }
            let asked = retryAt.map { Duration.seconds(max($0.timeIntervalSince(now), 0)) } ?? .zero
            let backoff = Backoff(first: policy.firstPause, longest: policy.longestPause)
            return max(backoff.pause(failures: pauses, jitter: jitter), asked)
        case .unclear, .staleKey, .final, .stop:
            return nil
        }
    }
}
