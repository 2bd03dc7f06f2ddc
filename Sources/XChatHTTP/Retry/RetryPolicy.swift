/// How often, and for how long, a call is tried before its error counts.
///
/// Tried again are calls that broke, ran out of time, or met a 5xx, where sending the same bytes twice does no harm:
/// reading, sending a message (its id makes it one message), deleting, marks, media segments. A 429 is tried again for
/// every call, since nothing was done. No other 4xx is.
public struct RetryPolicy: Hashable, Sendable {
    /// The most attempts, the first one included.
    ///
    /// Default: 4.
    public var attempts: Int
    /// For the whole call: attempts, and pauses between them.
    ///
    /// A pause that would end later is not begun, and the error comes at once. Default: 2 minutes.
    public var budget: Duration
    /// The longest first pause, which doubles with every failure; how much of it is waited is left to chance.
    ///
    /// Default: 250 ms.
    public var firstPause: Duration
    /// The longest pause.
    ///
    /// Default: 16 seconds. What a server asks for may be longer.
    public var longestPause: Duration
    /// The pause after a 429 that names no time, which doubles with every further one.
    ///
    /// Default: 60 seconds, as X's documentation has it.
    public var rateLimitPause: Duration

    /// Makes a policy; each part has its default.
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

    /// Every call is tried once.
    public static let none = Self(attempts: 1)
}
