import struct Foundation.Date

/// Decides when the activity stream connects again.
///
/// The state uses neither a socket nor a clock, so that tests can replay any sequence of failures.
///
/// The pauses are those of X's documentation:
///
/// - after a network error: no pause at first, then 250 ms more each time, up to 16 s;
/// - after an HTTP error: 5 s, doubling up to 320 s;
/// - after a rate limit: 60 s, doubling up to 960 s.
///
/// If the server names a later time, the stream waits until then, at most a day.
struct ReconnectState {
    enum Action: Hashable {
        case connect(after: Duration)
        case refreshToken
        /// End the stream: no later connection would succeed.
        case fail
    }

    private static let network = Backoff(first: .milliseconds(250), longest: .seconds(16), growth: .linear)
    private static let http = Backoff(first: .seconds(5), longest: .seconds(320))
    private static let rateLimit = Backoff(first: .seconds(60), longest: .seconds(960))

    private var networkErrors = 0
    private var httpErrors = 0
    private var rateLimits = 0
    private var hasRefreshed = false
    private let longLife: Duration

    /// Makes a state.
    ///
    /// - Parameter longLife: A connection that lasted this long resets the counters of failures.
    init(longLife: Duration) {
        self.longLife = longLife
    }

    /// Counts a connection that ended or could not be opened, and decides what to do.
    ///
    /// - Parameters:
    ///   - error: The reason; nil if the server ended the connection in an orderly way.
    ///   - life: How long the connection was open; nil if it never was.
    ///   - now: The current time, to which a time that the server names is compared.
    ///   - jitter: A random number in 0...1.
    /// - Returns: What to do.
    mutating func ended(_ error: APIError?, life: Duration?, now: Date, jitter: Double) -> Action {
        if let life, life >= longLife { self = Self(longLife: longLife) }
        guard let error else { return networkError() }
        switch error.disposition {
        case .stop where error.code == .unauthorized:
            guard !hasRefreshed else { return .fail }
            hasRefreshed = true
            return .refreshToken
        case .stop, .final, .staleKey:
            return .fail
        case .rateLimited(let until):
            defer { rateLimits += 1 }
            let pause = max(Self.rest(until: until, now: now), Self.rateLimit.pause(failures: rateLimits))
            return .connect(after: pause + .seconds(min(max(jitter, 0), 1)))
        case .transient(let retryAt), .unclear(let retryAt):
            // An error after the stream was open, or an error without a status, counts as a network error.
            guard life == nil, error.status != nil else { return networkError() }
            defer { httpErrors += 1 }
            return .connect(after: max(Self.rest(until: retryAt, now: now), Self.http.pause(failures: httpErrors)))
        }
    }

    private mutating func networkError() -> Action {
        defer { networkErrors += 1 }
        return .connect(after: Self.network.pause(failures: networkErrors))
    }

    /// The time until a date, at most a day: the server's clock may be wrong.
    private static func rest(until date: Date?, now: Date) -> Duration {
        date.map { .seconds(min(max($0.timeIntervalSince(now), 0), 86_400)) } ?? .zero
    }
}
