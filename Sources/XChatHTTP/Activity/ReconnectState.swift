import struct Foundation.Date

/// Decides when the activity stream connects again, without a socket and without a clock.
///
/// The pauses are those of X's documentation. After a network error: none at first, then 250 ms more each time, up to
/// 16 s. After an HTTP error: 5 s, doubling up to 320 s. After a rate limit: 60 s, doubling up to 960 s. A later time
/// that the server names wins, up to a day.
struct ReconnectState {
    enum Action: Hashable {
        case connect(after: Duration)
        case refreshToken
        /// No later connection would succeed.
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

    /// Counts a connection that ended or could not be opened, and decides.
    ///
    /// - Parameters:
    ///   - error: Why; nil if the server ended it in an orderly way.
    ///   - life: How long the connection was open; nil if it never was.
    ///   - now: The time of day, for servers that name one.
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
            // An error of a stream that was open, or one without a status, is the network's.
            guard life == nil, error.status != nil else { return networkError() }
            defer { httpErrors += 1 }
            return .connect(after: max(Self.rest(until: retryAt, now: now), Self.http.pause(failures: httpErrors)))
        }
    }

    private mutating func networkError() -> Action {
        defer { networkErrors += 1 }
        return .connect(after: Self.network.pause(failures: networkErrors))
    }

    /// A day at most: the server's clock may be wrong.
    private static func rest(until date: Date?, now: Date) -> Duration {
        date.map { .seconds(min(max($0.timeIntervalSince(now), 0), 86_400)) } ?? .zero
    }
}
