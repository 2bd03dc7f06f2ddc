/// How often and for how long a call is tried before its error is thrown.
///
/// After a transient error (``APIError/disposition``: network errors, timeouts, 5xx, 408, 425), the server may have
/// processed the request. So a call is retried only if the same bytes may be sent twice. They may for reading, sending
/// a message (the server recognizes its id), deleting, marking as read, and uploading media segments. They may not for
/// new keys, new groups, added members and new subscriptions.
///
/// After a 429, every call is retried, because the server did nothing. After other errors, no call is retried.
public struct RetryPolicy: Hashable, Sendable {
    /// The most attempts, the first one included.
    ///
    /// Default: 4.
    public var attempts: Int
    /// The time for the whole call: attempts and the pauses between them.
    ///
    /// If a pause would end later, the error is thrown at once. Default: 2 minutes.
    public var budget: Duration
    /// The pause before the first retry.
    ///
    /// Each further failure doubles the pause, and equal jitter shortens it by up to half.
    ///
    /// Default: 250 ms.
    public var firstPause: Duration
    /// The longest pause.
    ///
    /// Default: 16 seconds. The server may ask for a longer one.
    public var longestPause: Duration
    /// The pause after a 429 that names no time; it doubles with each further 429.
    ///
    /// Default: 60 seconds, as X's documentation recommends.
    public var rateLimitPause: Duration

    /// Makes a policy.
    public init(
        attempts: Int = 4,
        budget: Duration = .seconds(120),
        firstPause: Duration = .milliseconds(250),
        longestPause: Duration = .seconds(16),
        rateLimitPause: Duration = .seconds(60)
    ) {
        self.attempts = attempts
        self.budget = budget
        self.firstPause = firstPause
        self.longestPause = longestPause
        self.rateLimitPause = rateLimitPause
    }

    /// Tries every call once.
    public static let none = Self(attempts: 1)
}
