import struct Foundation.Date

/// Decides what follows on a failed attempt: it knows no socket and no clock.
package struct RetryState {
    /// What is to be done.
    enum Action: Hashable {
        /// Wait, then send the same bytes again.
        case retry(after: Duration)
        /// Get a new token, then send the same bytes again.
        case refreshToken
        /// The error counts.
        case fail
    }

    let policy: RetryPolicy
    /// Whether the same bytes may arrive twice.
    let isRepeatable: Bool
    private(set) var attempts = 0
    private var pauses = 0
    private var rateLimits = 0
    private var hasRefreshed = false

    init(policy: RetryPolicy, isRepeatable: Bool) {
        self.policy = policy
        self.isRepeatable = isRepeatable
    }

    /// Takes note of a failed attempt.
    ///
    /// Elapsed is the time since the call began, `now` what the clock on the wall says, for servers that name a time. The
    /// jitter, 0 to 1, says how much of the pause is waited, so that clients who failed together do not return together.
    mutating func failed(_ error: APIError, elapsed: Duration, now: Date, jitter: Double) -> Action {
        attempts += 1
        if error.code == .unauthorized {
            // One attempt more than the policy has: an expired token is no failure of the server.
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

    private mutating func pause(after error: APIError, now: Date, jitter: Double) -> Duration? {
        let jitter = min(max(jitter, 0), 1)
        let isBroken = error.code == .connection || error.code == .timedOut
        let isServers = error.status.map { (500..<600).contains($0) } ?? false
        if error.status == 429 {
            defer { rateLimits += 1 }
            guard let resetAt = error.resetAt else {
                return Self.doubled(policy.rateLimitPause, times: rateLimits, upTo: policy.budget)
            }
            // Up to a second later than asked for; a time that has passed is a clock that differs.
            return .seconds(max(resetAt.timeIntervalSince(now), 0) + max(jitter, 0.1))
        }
        guard isRepeatable, isBroken || isServers else { return nil }
        let longest = Self.doubled(policy.firstPause, times: pauses, upTo: policy.longestPause)
        pauses += 1
        let asked = error.resetAt.map { Duration.seconds(max($0.timeIntervalSince(now), 0)) } ?? .zero
        return max(longest * (0.5 + jitter / 2), asked)
    }

    package static func doubled(_ pause: Duration, times: Int, upTo longest: Duration) -> Duration {
        var pause = pause
        for _ in 0..<min(times, 62) where pause < longest { pause *= 2 }
        return min(pause, longest)
    }
}
