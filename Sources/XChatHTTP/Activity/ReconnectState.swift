import struct Foundation.Date

/// Decides when the activity stream is opened again: it knows no socket and no clock.
///
/// As X's documentation has it: at once; then network errors 250 ms later each time, up to 16 s; HTTP errors after 5 s,
/// doubling to 320 s; rate limits after a minute, doubling. A later time that the server names counts, up to a day from now.
struct ReconnectState {
    enum Action: Hashable {
        case connect(after: Duration)
        case refreshToken
        /// No later connection would fare better.
        case fail
    }

    private var networkErrors = 0
    private var httpErrors = 0
    private var rateLimits = 0
    private var hasRefreshed = false
    private let longLife: Duration

    /// Makes a state.
    ///
    /// - Parameter longLife: A connection that lived this long was a good one, and what went wrong before is over.
    init(longLife: Duration) {
        self.longLife = longLife
    }

    /// Takes note of a connection that ended, or of one that did not come about.
    ///
    /// The error is nil when the server ended it in good order, the life when it never was open.
    mutating func ended(_ error: APIError?, life: Duration?, now: Date, jitter: Double) -> Action {
        if let life, life >= longLife { self = Self(longLife: longLife) }
        guard let error else { return network() }
        // One day at most: a server's clock may be anywhere.
        let named = error.resetAt.map { Duration.seconds(min(max($0.timeIntervalSince(now), 0), 86_400)) } ?? .zero
        switch error.code {
        case .cancelled, .invalidArgument, .insecureTransport, .redirected: return .fail
        case .unauthorized:
            guard !hasRefreshed else { return .fail }
            hasRefreshed = true
            return .refreshToken
        case .rateLimited:
            defer { rateLimits += 1 }
            let pause = RetryState.doubled(.seconds(60), times: rateLimits, upTo: .seconds(960))
            return .connect(after: max(named, pause) + .seconds(min(max(jitter, 0), 1)))
        default: break
        }
        guard life == nil, let status = error.status else { return network() }
        // Too many connections is a refusal that passes; every other 4xx stays what it is.
        guard status >= 500 || error.problem == "streaming-connection" else { return .fail }
        defer { httpErrors += 1 }
        return .connect(after: max(named, RetryState.doubled(.seconds(5), times: httpErrors, upTo: .seconds(320))))
    }

    /// At once the first time, and a little later each time after.
    private mutating func network() -> Action {
        defer { networkErrors += 1 }
        return .connect(after: min(.milliseconds(250) * min(networkErrors, 64), .seconds(16)))
    }
}
