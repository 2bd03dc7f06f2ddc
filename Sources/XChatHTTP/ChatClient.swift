import Foundation
public import Logging
public import XChat
public import XChatEvents

/// A client of X's encrypted chat API, or of a server that speaks it.
///
/// It moves sealed messages and served keys; it seals, opens and trusts nothing. Nothing is retried: a request that
/// failed may be sent again as it is, and a message must be, under the same id.
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
        /// The largest history in bytes of base64, over all its pages.
        ///
        /// Default: 256 MiB.
        public var historyBytes: Int
        /// The most pages of one history.
        ///
        /// Default: 1000.
        public var pages: Int

        /// Makes limits; each has its default.
        public init(
            timeout: Duration = .seconds(60),
            answerBytes: Int = 8 << 20,
            pageBytes: Int = 32 << 20,
            historyBytes: Int = 256 << 20,
            pages: Int = 1000
        ) {
            self.timeout = timeout
            self.answerBytes = answerBytes
            self.pageBytes = pageBytes
            self.historyBytes = historyBytes
            self.pages = pages
        }
    }

    private let transport: Transport
    private let limits: Limits
    private let logger: Logger?

    /// Makes a client; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - api: Scheme, host, and optionally port and path prefix of the API. Plain http only to this machine.
    ///   - token: A user's access token: no chat route takes an app's.
    ///   - limits: Time and memory that an answer may take.
    ///   - logger: Is told method, route pattern, status and duration of each call, and nothing else.
    /// - Throws: ``APIError`` with ``APIError/Code-swift.struct/invalidArgument`` for a URL that is no base URL, and
    ///   ``APIError/Code-swift.struct/insecureTransport`` for http to another machine.
    public init(
        api: String = "https://api.x.com",
        token: Token,
        limits: Limits = Limits(),
        logger: Logger? = nil
    ) throws(APIError) {
        transport = Transport(base: try Self.base(of: api), token: token, timeout: limits.timeout)
        self.limits = limits
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
        try await perform(
            .send(message, to: target, conversationToken: conversationToken, limit: limits.answerBytes)
        )
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

    private func perform<Answer>(_ call: Call<Answer>) async throws(APIError) -> Answer {
        let clock = ContinuousClock()
        let start = clock.now
        var status: Int?
        do {
            let response = try await transport.send(call.request, limit: call.limit)
            status = response.status
            let answer = try call.read(Success(response, token: transport.token))
            log(call.request, status: status, duration: clock.now - start, code: nil)
            return answer
        } catch {
            var error = error
            error.operation = call.request.operation
            error.status = error.status ?? status
            log(call.request, status: error.status, duration: clock.now - start, code: error.code)
            throw error
        }
    }

    private func log(_ request: APIRequest, status: Int?, duration: Duration, code: APIError.Code?) {
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

    /// Checks a base URL and takes the slash from its end.
    private static func base(of api: String) throws(APIError) -> String {
        // What could make two parsers see two hosts is refused before one of them is asked.
        let suspicious = api.utf8.contains { !(0x21...0x7E).contains($0) || #"@\?#"#.utf8.contains($0) }
        guard !suspicious, let components = URLComponents(string: api),
            let scheme = components.scheme?.lowercased(), scheme == "https" || scheme == "http",
            let host = components.host, !host.isEmpty, (1...65535).contains(components.port ?? 443)
        else {
            throw APIError(.invalidArgument, "the API's URL must be https://host, with a port and a path if needed")
        }
        guard scheme == "https" || Loopback.contains(host) else {
            throw APIError(.insecureTransport, "no token goes over plain http, except to this machine")
        }
        return api.hasSuffix("/") ? String(api.dropLast()) : api
    }
}
