public import AsyncHTTPClient
import Foundation
public import Logging
public import XChatEngine
public import XChatEvents

/// A client of X's encrypted chat API, or of a server that speaks it.
///
/// It moves sealed messages and served keys; it seals, opens and trusts nothing. Failed calls are tried again where that
/// is safe (``RetryPolicy``), always with the same bytes; whoever tries again after that sends the same message too.
public struct ChatClient: Sendable {
    /// How much time and memory an answer may take.
    public struct Limits: Hashable, Sendable {
        /// For one request with its whole answer.
        ///
        /// Default: 60 seconds.
        public var timeout: Duration
        /// The largest answer in bytes, history excepted.
        ///
        /// Default: 8 MiB.
        public var answerBytes: Int
        /// The largest page of history in bytes.
        ///
        /// Default: 32 MiB.
        public var pageBytes: Int
        /// The largest history in bytes as it is kept, over all its pages.
        ///
        /// Default: 256 MiB.
        public var historyBytes: Int
        /// The most pages of a history that is kept in memory whole; a walk over ``ChatClient/eventPages(in:pageSize:)``
        /// has no limit.
        ///
        /// Default: 100,000, more than ``historyBytes`` allows unless pages are nearly empty.
        public var pages: Int

        /// The largest encrypted file to download, in bytes, whatever size its message names.
        ///
        /// Default: 4 GiB, which is more than an upload in X's segments can have.
        public var mediaBytes: Int
        /// How long the activity stream may be silent before it counts as dead.
        ///
        /// Default: 25 seconds; a server shows a sign of life every 20.
        public var streamSilence: Duration

        /// Makes limits; each has its default.
        public init(
            timeout: Duration = .seconds(60),
            answerBytes: Int = 8 << 20,
            pageBytes: Int = 32 << 20,
            historyBytes: Int = 256 << 20,
            pages: Int = 100_000,
            mediaBytes: Int = 4 << 30,
            streamSilence: Duration = .seconds(25)
        ) {
            self.timeout = timeout
            self.answerBytes = answerBytes
            self.pageBytes = pageBytes
            self.historyBytes = historyBytes
            self.pages = pages
            self.mediaBytes = mediaBytes
            self.streamSilence = streamSilence
        }
    }

    let transport: Transport
    package let limits: Limits
    private(set) var retries: RetryPolicy
    let tokens: TokenSource
    let logger: Logger?

    /// Makes a client with a token that stays the same; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - api: Scheme, host, and optionally port and path prefix of the API. Plain http only to this machine.
    ///   - token: A user's access token: no chat route takes an app's.
    ///   - limits: Time and memory that an answer may take.
    ///   - retries: How often a failed call is tried again.
    ///   - http: The HTTP client, which the caller shuts down. By default one that the process shares: it follows no
    ///     redirects, keeps up to 64 connections to a host, and uses the proxy that `HTTPS_PROXY` or `ALL_PROXY` name
    ///     unless `NO_PROXY` excludes the host. `HTTPClient.shared` is refused, because it follows redirects. Configure
    ///     your own with `redirectConfiguration: .disallow`. If it would follow redirects, calls still do not: each
    ///     fails with ``APIError/Code-swift.struct/redirected`` before the new URL is asked for.
    ///   - logger: Logs method, route pattern, status and duration of each attempt, and nothing else.
    /// - Throws: ``APIError`` with ``APIError/Code-swift.struct/invalidArgument`` for an invalid base URL, an invalid
    ///   proxy variable or `HTTPClient.shared`, and ``APIError/Code-swift.struct/insecureTransport`` for http to another
    ///   machine.
    public init(
        api: String = "https://api.x.com",
        token: Token,
        limits: Limits = Limits(),
        retries: RetryPolicy = RetryPolicy(),
        http: HTTPClient? = nil,
        logger: Logger? = nil
    ) throws(APIError) {
        let tokens = TokenSource(token)
        try self.init(api: api, tokens: tokens, limits: limits, retries: retries, http: http, logger: logger)
    }

    /// Makes a client whose token is renewed when the server refuses it; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - api: Scheme, host, and optionally port and path prefix of the API. Plain http only to this machine.
    ///   - tokens: Where the token comes from; several clients may share it.
    ///   - limits: Time and memory that an answer may take.
    ///   - retries: How often a failed call is tried again.
    ///   - http: The HTTP client, as in ``init(api:token:limits:retries:http:logger:)``.
    ///   - logger: Logs method, route pattern, status and duration of each attempt, and nothing else.
    /// - Throws: As ``init(api:token:limits:retries:http:logger:)``.
    public init(
        api: String = "https://api.x.com",
        tokens: TokenSource,
        limits: Limits = Limits(),
        retries: RetryPolicy = RetryPolicy(),
        http: HTTPClient? = nil,
        logger: Logger? = nil
    ) throws(APIError) {
        transport = try Self.transport(api: api, http: http)
        self.tokens = tokens
        self.limits = limits
        self.retries = retries
        self.logger = logger
    }

    /// Posts a sealed message.
    ///
    /// - Parameters:
    ///   - message: The sealed message. After an error, send the same value again: a second id would be a second message.
    ///   - target: The conversation in a form of the caller's choice; by default the message's own.
    ///   - conversationToken: The newest token seen for the conversation. Optional, and left out by X's own clients.
    /// - Returns: What the server made of it.
    /// - Throws: ``APIError``. With ``APIError/Code-swift.struct/failureEvent`` the server refused the message although
    ///   the status said success.
    public func send(
        _ message: SealedMessage,
        to target: ConversationTarget? = nil,
        conversationToken: String? = nil
    ) async throws(APIError) -> SentMessage {
        do throws(APIError) {
            let sent = try await perform(
                .send(message, to: target, conversationToken: conversationToken, limit: limits.answerBytes)
            )
            ChatMetrics.sent()
            return sent
        } catch {
            ChatMetrics.sendFailed(error)
            throw error
        }
    }

    /// Posts a conversation key, wrapped for each participant: the start of a 1:1 or a rotation.
    ///
    /// - Parameter change: The prepared key change. Its plaintext key is not sent.
    /// - Returns: The conversation, and the place of the key change in it.
    /// - Throws: ``APIError``.
    public func addKeys(_ change: KeyChange) async throws(APIError) -> AddedKeys {
        try await perform(.addKeys(change, limit: limits.answerBytes))
    }

    /// One page of a conversation, newest first.
    ///
    /// - Parameters:
    ///   - target: The conversation.
    ///   - maxResults: 1 to 100 events.
    ///   - paginationToken: ``EventPage/nextToken`` of the page before; nil for the newest page.
    /// - Returns: The page, nothing of it verified.
    /// - Throws: ``APIError``.
    public func events(
        in target: ConversationTarget,
        maxResults: Int = 100,
        paginationToken: String? = nil
    ) async throws(APIError) -> EventPage {
        try await perform(
            .events(in: target, maxResults: maxResults, paginationToken: paginationToken, limit: limits.pageBytes)
        )
    }

    /// A whole conversation, page by page, oldest first.
    ///
    /// - Parameter target: The conversation.
    /// - Returns: Key changes and other events apart, nothing of them verified.
    /// - Throws: ``APIError``. With ``APIError/Code-swift.struct/tooLarge`` the history is beyond ``Limits``.
    public func history(in target: ConversationTarget) async throws(APIError) -> History {
        var walk = HistoryWalk(maximumPages: limits.pages, maximumBytes: limits.historyBytes)
        var token: String?
        repeat {
            token = try walk.add(try await events(in: target, paginationToken: token))
        } while token != nil
        return walk.history
    }

    /// The public keys that the server serves for a user.
    ///
    /// - Parameter user: The user, who is written into the answer: no entry of it says whose key it is.
    /// - Returns: One entry per registered version that has a signing key. Neither bound nor trusted yet.
    /// - Throws: ``APIError``.
    public func publicKeys(of user: UserID) async throws(APIError) -> [RegisteredKey] {
        try await perform(.publicKeys(of: user, limit: limits.answerBytes))
    }

    /// Registers public keys for the user whose token this is.
    ///
    /// - Parameters:
    ///   - registration: The public keys and the signatures between them.
    ///   - user: The user of the token.
    /// - Returns: The version under which the server registered them. Sign with this one, not the one sent.
    /// - Throws: ``APIError``.
    public func register(_ registration: Registration, user: UserID) async throws(APIError) -> KeyVersion {
        try await perform(.register(registration, user: user, limit: limits.answerBytes))
    }

    /// The same client for somebody who decides about further tries.
    package var tryingOnce: Self {
        var client = self
        client.retries.attempts = 1
        return client
    }

    /// The one way all calls go.
    func perform<Answer>(_ call: Call<Answer>) async throws(APIError) -> Answer {
        try await retrying(isRepeatable: call.request.isRepeatable) { (token, remaining) throws(APIError) in
            try await attempt(call, token: token, timeout: min(limits.timeout, remaining))
        }
    }

    /// Tries an operation until it succeeds or the policy says that its error counts.
    func retrying<Answer>(
        isRepeatable: Bool,
        _ operation: (_ token: Token, _ remaining: Duration) async throws(APIError) -> Answer
    ) async throws(APIError) -> Answer {
        let clock = ContinuousClock()
        let start = clock.now
        var state = RetryState(policy: retries, isRepeatable: isRepeatable)
        var token = await tokens.current
        while true {
            do throws(APIError) {
                return try await operation(token, max(retries.budget - (clock.now - start), .milliseconds(1)))
            } catch {
                token = try await proceed(after: error, &state, elapsed: clock.now - start, token: token)
            }
        }
    }

    /// Does what the state says of a failed attempt, and returns with the token of the next one.
    ///
    /// - Throws: The error itself where it counts, and a cancellation during the pause.
    func proceed(
        after error: APIError,
        _ state: inout RetryState,
        elapsed: Duration,
        token: Token
    ) async throws(APIError) -> Token {
        switch state.failed(error, elapsed: elapsed, now: Date(), jitter: Double.random(in: 0...1)) {
        case .fail:
            throw error
        case .refreshToken:
            let rest = max(retries.budget - elapsed, .milliseconds(1))
            guard let renewed = try await tokens.token(after: token, within: rest) else { throw error }
            return renewed
        case .retry(let pause):
            ChatMetrics.retried(error.code)
            try await Self.sleep(for: pause)
            return token
        }
    }

    static func sleep(for pause: Duration) async throws(APIError) {
        do {
            try await Task.sleep(for: pause)
        } catch {
            throw .cancelled
        }
    }

    private func attempt<Answer>(
        _ call: Call<Answer>,
        token: Token,
        timeout: Duration
    ) async throws(APIError) -> Answer {
        let clock = ContinuousClock()
        let start = clock.now
        var status: Int?
        do {
            let response = try await transport.send(call.request, token: token, limit: call.limit, timeout: timeout)
            status = response.status
            let answer = try call.read(Success(response, token: token))
            finished(call.request, status: status, duration: clock.now - start, code: nil)
            return answer
        } catch {
            var error = error
            error.operation = call.request.operation
            error.status = error.status ?? status
            finished(call.request, status: error.status, duration: clock.now - start, code: error.code)
            throw error
        }
    }

    /// Opens an answer whose body is read piece by piece; logs and counts the attempt.
    func open(_ request: APIRequest, token: Token) async throws(APIError) -> StreamedAnswer {
        let clock = ContinuousClock()
        let start = clock.now
        do throws(APIError) {
            let answer = try await transport.open(request, token: token, timeout: limits.timeout)
            finished(request, status: 200, duration: clock.now - start, code: nil)
            return answer
        } catch {
            var error = error
            error.operation = request.operation
            finished(request, status: error.status, duration: clock.now - start, code: error.code)
            throw error
        }
    }

    /// Logs and counts an attempt.
    func finished(_ request: APIRequest, status: Int?, duration: Duration, code: APIError.Code?) {
        ChatMetrics.finished(request, duration: duration, code: code)
        logger?.log(
            level: code == nil ? .debug : .warning,
            "\(request.operation)",
            metadata: [
                "status": "\(status ?? 0)",
                "duration": "\(duration)",
                "result": "\(code?.rawValue ?? "ok")",
            ]
        )
    }

    /// Checks a base URL and chooses the HTTP client for it.
    private static func transport(api: String, http: HTTPClient?) throws(APIError) -> Transport {
        let (base, scheme, host, port) = try parse(api)
        guard let http else {
            return Transport(base: base, http: try HTTPClients.client(scheme: scheme, host: host, port: port))
        }
        guard http !== HTTPClient.shared else {
            throw APIError(
                .invalidArgument,
                "HTTPClient.shared follows redirects; pass a client with redirectConfiguration .disallow, or none"
            )
        }
        return Transport(base: base, http: http)
    }

    /// Checks a base URL and removes the slash at its end.
    package static func base(of api: String) throws(APIError) -> String { try parse(api).base }

    private static func parse(
        _ api: String
    ) throws(APIError) -> (base: String, scheme: String, host: String, port: Int) {
        // Rejects what two URL parsers could read as two different hosts, before any parser sees it.
        let suspicious = api.utf8.contains { !(0x21...0x7E).contains($0) || #"@\?#"#.utf8.contains($0) }
        guard !suspicious, let components = URLComponents(string: api),
            let scheme = components.scheme?.lowercased(), scheme == "https" || scheme == "http",
            let host = components.host, !host.isEmpty, (1...65535).contains(components.port ?? 443)
        else {
            throw APIError(.invalidArgument, "the API's URL must be https://host, with a port and a path if needed")
        }
        guard scheme == "https" || Loopback.contains(host) else {
            throw APIError(
                .insecureTransport,
                "the API's URL is http to another machine, which would expose the token; use https"
            )
        }
        let port = components.port ?? (scheme == "https" ? 443 : 80)
        return (api.hasSuffix("/") ? String(api.dropLast()) : api, scheme, host, port)
    }
}
