public import AsyncHTTPClient
import Foundation
public import Logging
public import XChatEngine
public import XChatEvents

/// A client of X's encrypted chat API, or of a compatible server.
///
/// The client transports encrypted messages and public keys; it does not encrypt, decrypt or verify. It retries a
/// failed call with the same bytes if that is safe (``RetryPolicy``).
public struct ChatClient: Sendable {
    /// Limits on the time and memory of an answer.
    public struct Limits: Hashable, Sendable {
        /// The time for one request and its whole answer.
        ///
        /// Default: 60 seconds.
        public var timeout: Duration
        /// The largest answer in bytes, except pages of history.
        ///
        /// Default: 8 MiB.
        public var answerBytes: Int
        /// The largest page of history in bytes.
        ///
        /// Default: 32 MiB.
        public var pageBytes: Int
        /// The largest history that is loaded into memory as a whole, in bytes.
        ///
        /// Default: 256 MiB.
        public var historyBytes: Int
        /// The most pages of a history that is loaded into memory as a whole, and of the outbox's search for a message.
        ///
        /// ``ChatClient/eventPages(in:pageSize:)`` has no such limit.
        ///
        /// Default: 100,000. Unless pages are nearly empty, ``historyBytes`` is reached first.
        public var pages: Int

        /// The largest encrypted file to download, in bytes, even if the message states a larger size.
        ///
        /// Default: 4 GiB, more than an upload in X's segments can have.
        public var mediaBytes: Int
        /// How long the activity stream may be silent before the client drops the connection.
        ///
        /// Default: 25 seconds; the server sends a keep-alive every 20.
        public var streamSilence: Duration

        /// Makes limits.
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
    /// Checks that a token belongs to the account's user; nil for a client without an account.
    private(set) var userCheck: TokenUserCheck?

    /// Makes a client with a fixed token; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - api: Scheme, host, and optionally port and path prefix of the API. Plain http is accepted only to this
    ///     machine, because it would expose the token to the network.
    ///   - token: A user's access token. The chat routes do not accept an app's token.
    ///   - limits: Limits on the time and memory of an answer.
    ///   - retries: How often a failed call is tried again.
    ///   - http: An HTTP client, which the caller shuts down. By default a client that the process shares: it follows
    ///     no redirects, keeps up to 64 connections to a host, decompresses answers, and uses the proxy that
    ///     `HTTPS_PROXY` or `ALL_PROXY` names unless `NO_PROXY` excludes the host. `HTTPClient.shared` is refused,
    ///     because it follows redirects. Configure your own client with `redirectConfiguration: .disallow`. If it is
    ///     configured to follow redirects, a redirected call fails with ``APIError/Code-swift.struct/redirected``
    ///     before anything is sent to the new URL.
    ///   - logger: Logs method, route pattern, status and duration of each attempt, and nothing else.
    /// - Throws: ``APIError`` with ``APIError/Code-swift.struct/invalidArgument`` for an invalid base URL, an invalid
    ///   proxy variable or `HTTPClient.shared`, and ``APIError/Code-swift.struct/insecureTransport`` for http to
    ///   another machine.
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

    /// Makes a client that renews its token when the server refuses it; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - api: The base URL of the API, as in ``init(api:token:limits:retries:http:logger:)``.
    ///   - tokens: Provides the token; several clients may share it.
    ///   - limits: Limits on the time and memory of an answer.
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

    /// Sends an encrypted message.
    ///
    /// - Parameters:
    ///   - message: The message. After an error, send the same value again: with a new id it would be a second message.
    ///   - target: The conversation in any of its forms; by default that of the message.
    ///   - conversationToken: The newest token received for the conversation. Optional; X's own clients leave it out.
    /// - Returns: The accepted message with its sequence id.
    /// - Throws: ``APIError``. With ``APIError/Code-swift.struct/failureEvent`` the server refused the message with a
    ///   successful status.
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

    /// Posts a conversation key, wrapped for each participant, to start a conversation of two or to rotate a key.
    ///
    /// - Parameter change: The prepared key change event. Its plaintext key is not sent.
    /// - Returns: The conversation, and the sequence id of the key change event.
    /// - Throws: ``APIError``.
    public func addKeys(_ change: KeyChange) async throws(APIError) -> AddedKeys {
        try await perform(.addKeys(change, limit: limits.answerBytes))
    }

    /// Fetches one page of a conversation, newest first.
    ///
    /// - Parameters:
    ///   - target: The conversation.
    ///   - maxResults: 1 to 100 events.
    ///   - paginationToken: ``EventPage/nextToken`` of the previous page; nil for the newest page.
    /// - Returns: The page, not verified.
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

    /// Fetches a whole conversation into memory, oldest first.
    ///
    /// - Parameter target: The conversation.
    /// - Returns: The key change events and the other events, not verified.
    /// - Throws: ``APIError``; ``APIError/Code-swift.struct/tooLarge`` if the history exceeds ``Limits``.
    package func history(in target: ConversationTarget) async throws(APIError) -> History {
        var walk = HistoryWalk(maximumPages: limits.pages, maximumBytes: limits.historyBytes)
        var token: String?
        repeat {
            token = try walk.add(try await events(in: target, paginationToken: token))
        } while token != nil
        return walk.history
    }

    /// Fetches the public keys of a user.
    ///
    /// - Parameter user: The user. The answer names no owner, so the returned keys get this user as their owner.
    /// - Returns: One entry per registered version that has a signing key. Neither verified nor trusted yet.
    /// - Throws: ``APIError``.
    public func publicKeys(of user: UserID) async throws(APIError) -> [RegisteredKey] {
        try await perform(.publicKeys(of: user, limit: limits.answerBytes))
    }

    /// Registers public keys for the user of the token.
    ///
    /// - Parameters:
    ///   - registration: The public keys and the signatures between the identity key and the signing key.
    ///   - user: The user of the token.
    /// - Returns: The version that the server assigned. Use it in signatures, not the version that was sent.
    /// - Throws: ``APIError``.
    public func register(_ registration: Registration, user: UserID) async throws(APIError) -> KeyVersion {
        try await perform(.register(registration, user: user, limit: limits.answerBytes))
    }

    /// The same client without retries, for callers that do their own.
    package var tryingOnce: Self {
        var client = self
        client.retries.attempts = 1
        return client
    }

    /// The same client, but its calls fail with `wrong_user` if its token belongs to another user.
    package func checkingTokens(areOf user: UserID) -> Self {
        var client = self
        client.userCheck = TokenUserCheck(of: user)
        return client
    }

    /// Asks the server once, for at most ten seconds, which user the token belongs to.
    func tokenUser(_ token: Token) async throws(APIError) -> UserID {
        try await attempt(.me(limit: limits.answerBytes), token: token, timeout: min(limits.timeout, .seconds(10))).id
    }

    /// Makes a call, with retries.
    func perform<Answer>(_ call: Call<Answer>) async throws(APIError) -> Answer {
        try await retrying(isRepeatable: call.request.isRepeatable) { (token, remaining) throws(APIError) in
            try await attempt(call, token: token, timeout: min(limits.timeout, remaining))
        }
    }

    /// Repeats an operation until it succeeds or the policy allows no further attempt.
    func retrying<Answer>(
        isRepeatable: Bool,
        _ operation: (_ token: Token, _ remaining: Duration) async throws(APIError) -> Answer
    ) async throws(APIError) -> Answer {
        let clock = ContinuousClock()
        let start = clock.now
        var state = RetryState(policy: retries, isRepeatable: isRepeatable)
        var token = try await tokens.current(within: retries.budget)
        while true {
            do throws(APIError) {
                try await userCheck?.require(token, self)
                return try await operation(token, max(retries.budget - (clock.now - start), .milliseconds(1)))
            } catch {
                token = try await proceed(after: error, &state, elapsed: clock.now - start, token: token)
            }
        }
    }

    /// Waits or renews the token, as `state` decides, and returns the token for the next attempt.
    ///
    /// - Throws: `error` if there is no next attempt, the error of a renewal, or a cancellation during the pause.
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

    func attempt<Answer>(
        _ call: Call<Answer>,
        token: Token,
        timeout: Duration
    ) async throws(APIError) -> Answer {
        let clock = ContinuousClock()
        let start = clock.now
        var status: Int?
        do {
            let response = try await transport.send(call.request, .bearer(token), limit: call.limit, timeout: timeout)
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

    /// Sends a request and returns its answer, whose body is read piece by piece.
    ///
    /// Logs and counts the attempt.
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
        ChatMetrics.finished(request, status: status, duration: duration, code: code, logger)
    }

    /// Checks a base URL and chooses the HTTP client for it.
    static func transport(api: String, http: HTTPClient?) throws(APIError) -> Transport {
        let (base, scheme, host, port) = try parse(api)
        func transport(_ clients: HTTPClients) -> Transport {
            Transport(
                base: base,
                clients: clients,
                connection: ConnectionFailure(peer: "\(host):\(port)", proxy: clients.proxy)
            )
        }
        guard let http else {
            return transport(try HTTPClients.clients(scheme: scheme, host: host, port: port))
        }
        guard http !== HTTPClient.shared else {
            throw APIError(
                .invalidArgument,
                "HTTPClient.shared follows redirects; pass a client with redirectConfiguration .disallow, or none"
            )
        }
        return transport(HTTPClients(http))
    }

    /// Checks a base URL and removes the slash at its end.
    package static func base(of api: String) throws(APIError) -> String { try parse(api).base }

    private static func parse(
        _ api: String
    ) throws(APIError) -> (base: String, scheme: String, host: String, port: Int) {
        // Before any parser reads the URL, reject characters on which parsers disagree about the host.
        let suspicious = api.utf8.contains { !(0x21...0x7E).contains($0) || #"@\?#"#.utf8.contains($0) }
        guard !suspicious, let components = URLComponents(string: api),
            let scheme = components.scheme?.lowercased(), scheme == "https" || scheme == "http",
            let host = components.host, !host.isEmpty, (1...65535).contains(components.port ?? 443)
        else {
            throw APIError(
                .invalidArgument,
                "the API's URL must be https://host, or http://127.0.0.1:port for a server on this machine; a port and a path "
                    + "are allowed, a user name and a query are not"
            )
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
