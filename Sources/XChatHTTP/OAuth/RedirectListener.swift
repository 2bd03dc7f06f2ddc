import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import XChatEvents

/// Receives the answer to one sign-in: an HTTP server on this machine that serves only the redirect URI.
///
/// The listener accepts one request: a `GET` of the URI's path with the URI's host and the state of the sign-in. Any
/// other request gets a page that says what is wrong, and the listener continues, so another page in the browser cannot
/// end the sign-in. The pages contain only fixed texts and load nothing.
package final class RedirectListener: Sendable {
    /// How the sign-in ended, for the page in the browser.
    package enum Outcome: Sendable {
        case signedIn, refused, failed
    }

    /// The most connections at a time; for another one, the oldest without a request is closed.
    private static let mostConnections = 32
    /// A connection is closed if its request does not arrive within this time.
    private static let requestTime = TimeAmount.seconds(10)

    private struct State {
        var servers: [any Channel] = []
        var connections: [ObjectIdentifier: any Channel] = [:]
        /// The connections that have sent no request yet, the oldest first.
        var idle: [any Channel] = []
        var isAnswered = false
        /// The connection whose page waits for the outcome.
        var browser: (any Channel)?
    }

    private let authorization: OAuthAuthorization
    /// Scheme, host and port, as browsers write them.
    private let origin: String
    private let host: String
    private let path: String
    private let ignored: @Sendable (APIError) -> Void
    private let state = Mutex(State())
    private let answers = AsyncStream.makeStream(of: Result<Token, APIError>.self)

    private init(
        _ authorization: OAuthAuthorization,
        host: String,
        path: String,
        ignored: @escaping @Sendable (APIError) -> Void
    ) {
        self.authorization = authorization
        self.host = host
        self.path = path
        self.ignored = ignored
        origin = "http://" + host
    }

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - authorization: The sign-in. Its redirect URI must be http to this machine.
    ///   - ignored: Receives the error of each redirect that is not the answer to this sign-in.
    /// - Returns: The listener; ``stop(_:)`` ends it.
    /// - Throws: `invalid_argument` for another redirect URI, `connection` if the port is in use.
    package static func start(
        for authorization: OAuthAuthorization,
        ignored: @escaping @Sendable (APIError) -> Void
    ) async throws(APIError) -> RedirectListener {
        guard let components = URLComponents(string: authorization.redirectURI),
            components.scheme?.lowercased() == "http", components.user == nil, components.password == nil,
            let name = components.percentEncodedHost?.lowercased(), Loopback.contains(name),
            (1...65535).contains(components.port ?? 80)
        else {
            throw APIError(
                .invalidArgument,
                "only a redirect URI such as http://127.0.0.1:8080/callback can be received on this machine"
            )
        }
        let port = components.port ?? 80
        let path = components.percentEncodedPath
        let listener = RedirectListener(
            authorization,
            host: port == 80 ? name : "\(name):\(port)",
            path: path.isEmpty ? "/" : path,
            ignored: ignored
        )
        do throws(APIError) {
            switch name {
            case "localhost":
                try await listener.listen("127.0.0.1", port)
                do throws(APIError) {
                    try await listener.listen("::1", port)
                } catch  where error.problem == nil {
                    // A machine without IPv6.
                }
            default:
                try await listener.listen(name.filter { $0 != "[" && $0 != "]" }, port)
            }
        } catch {
            await listener.stop(.failed)
            throw error
        }
        return listener
    }

    private func listen(_ address: String, _ port: Int) async throws(APIError) {
        do {
            let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.backlog, value: 16)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { [weak self] channel in
                    channel.eventLoop.makeCompletedFuture {
                        guard let self, self.accepts(channel) else { throw ChannelError.eof }
                        try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
                        try channel.pipeline.syncOperations.addHandler(Connection(self))
                    }
                }
                .bind(to: SocketAddress(ipAddress: address, port: port)).get()
            state.withLock { $0.servers.append(server) }
        } catch {
            let number = (error as? IOError)?.errnoCode
            let reason = systemReason(of: error) ?? "\(type(of: error))"
            var failure = APIError(.connection, "cannot listen at \(address), port \(port): \(reason)")
            if number == EADDRINUSE { failure.problem = "in-use" }
            throw failure
        }
    }

    /// Waits for the code that the browser brings.
    ///
    /// - Parameter time: How long to wait.
    /// - Returns: The code. The browser waits for its page until ``stop(_:)`` is called.
    /// - Throws: `refused` if the user or the server refused, `timed_out`, `cancelled`.
    package func code(within time: Duration) async throws(APIError) -> Token {
        let answer = answers.continuation
        let timer = MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: TimeAmount(time.upToAYear)) {
            answer.finish()
        }
        defer { timer.cancel() }
        var iterator = answers.stream.makeAsyncIterator()
        let result = await iterator.next()
        if Task.isCancelled { throw .cancelled }
        guard let result else { throw APIError(.timedOut, "the browser brought no answer within \(time.inSeconds)") }
        return try result.get()
    }

    /// Shows the outcome in the browser, and stops listening.
    ///
    /// - Parameter outcome: How the sign-in ended.
    package func stop(_ outcome: Outcome) async {
        let (servers, browser) = state.withLock { state in
            defer { (state.servers, state.browser) = ([], nil) }
            return (state.servers, state.browser)
        }
        for server in servers { try? await server.close() }
        if let browser { try? await Self.write(Self.page(outcome), to: browser).get() }
        let connections = state.withLock { Array($0.connections.values) }
        for connection in connections { try? await connection.close() }
    }

    // MARK: Connections

    private func accepts(_ channel: any Channel) -> Bool {
        let (isAccepted, closed) = state.withLock { state -> (Bool, (any Channel)?) in
            var oldest: (any Channel)?
            if state.connections.count >= Self.mostConnections {
                // Otherwise another program could keep the browser away by connections without a request.
                guard !state.idle.isEmpty else { return (false, nil) }
                let idle = state.idle.removeFirst()
                state.connections[ObjectIdentifier(idle)] = nil
                oldest = idle
            }
            state.connections[ObjectIdentifier(channel)] = channel
            state.idle.append(channel)
            return (true, oldest)
        }
        closed?.close(promise: nil)
        guard isAccepted else { return false }
        channel.closeFuture.whenComplete { [weak self] _ in
            self?.state.withLock { state in
                state.connections[ObjectIdentifier(channel)] = nil
                state.idle.removeAll { $0 === channel }
            }
        }
        return true
    }

    /// Records that a connection has sent its request.
    private func receives(from channel: any Channel) {
        state.withLock { $0.idle.removeAll { $0 === channel } }
    }

    /// The page for a request; nil for the answer to the sign-in, whose page is sent when the outcome is known.
    private func page(for head: HTTPRequestHead, from channel: any Channel) -> BrowserPage? {
        // Against DNS rebinding: otherwise a web page whose host name resolves to this machine could read our pages.
        guard head.headers["host"].count == 1, head.headers["host"].allSatisfy({ $0.lowercased() == host }),
            head.headers["origin"].allSatisfy({ $0.lowercased() == origin })
        else { return .foreign }
        let target = head.uri.utf8.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        guard target[0].elementsEqual(path.utf8) else { return .notFound }
        guard head.method == .GET else { return .wrongMethod }
        let result: Result<Token, APIError>
        do throws(APIError) {
            let query = target.count > 1 ? "?" + String(Substring(target[1])) : ""
            let redirect = authorization.redirectURI.prefix { $0 != "?" } + query
            result = .success(try authorization.code(in: String(redirect)))
        } catch {
            guard error.code == .refused else {
                ignored(error)
                return .otherSignIn
            }
            result = .failure(error)
        }
        let isFirst = state.withLock { state in
            guard !state.isAnswered else { return false }
            state.isAnswered = true
            state.browser = channel
            return true
        }
        guard isFirst else { return .second }
        answers.continuation.yield(result)
        return nil
    }

    private static func page(_ outcome: Outcome) -> BrowserPage {
        switch outcome {
        case .signedIn: .signedIn
        case .refused: .refused
        case .failed: .failed
        }
    }

    /// One connection, which accepts one request.
    private final class Connection: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart

        private let listener: RedirectListener
        private var isAnswered = false
        private var timer: Scheduled<Void>?

        init(_ listener: RedirectListener) {
            self.listener = listener
        }

        func handlerAdded(context: ChannelHandlerContext) {
            let channel = context.channel
            timer = context.eventLoop.scheduleTask(in: RedirectListener.requestTime) { channel.close(promise: nil) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(let head) = unwrapInboundIn(data), !isAnswered else { return }
            isAnswered = true
            timer?.cancel()
            listener.receives(from: context.channel)
            guard let page = listener.page(for: head, from: context.channel) else { return }
            _ = RedirectListener.write(page, to: context.channel)
        }

        func channelInactive(context: ChannelHandlerContext) {
            timer?.cancel()
            context.fireChannelInactive()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    private static func write(_ page: BrowserPage, to channel: any Channel) -> EventLoopFuture<Void> {
        let body = ByteBuffer(string: page.html)
        var headers = HTTPHeaders()
        headers.add(name: "content-type", value: "text/html; charset=utf-8")
        headers.add(name: "content-length", value: String(body.readableBytes))
        headers.add(name: "content-security-policy", value: BrowserPage.policy)
        headers.add(name: "x-content-type-options", value: "nosniff")
        // The URL of the page contains the code, which must not reach other servers in the header Referer.
        headers.add(name: "referrer-policy", value: "no-referrer")
        headers.add(name: "cache-control", value: "no-store")
        headers.add(name: "connection", value: "close")
        let head = HTTPResponseHead(version: .http1_1, status: page.status, headers: headers)
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        channel.write(HTTPServerResponsePart.body(.byteBuffer(body)), promise: nil)
        return channel.writeAndFlush(HTTPServerResponsePart.end(nil)).flatMap { channel.close() }
    }
}

/// A page of the listener.
private struct BrowserPage: Sendable {
    let status: HTTPResponseStatus
    let title: StaticString
    let text: StaticString

    private init(_ status: HTTPResponseStatus, _ title: StaticString, _ text: StaticString) {
        (self.status, self.title, self.text) = (status, title, text)
    }

    static let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    static let signedIn = BrowserPage(.ok, "You are signed in", "You can close this page and go back to the terminal.")
    static let refused = BrowserPage(.ok, "The sign-in was refused", "Nothing was changed. You can close this page.")
    static let failed = BrowserPage(
        .badGateway,
        "The sign-in failed",
        "The reason is in the terminal. You can close this page."
    )
    static let second = BrowserPage(
        .conflict,
        "The answer came twice",
        "The first answer counts; this one was ignored. The result is in the terminal."
    )
    static let otherSignIn = BrowserPage(
        .badRequest,
        "This is not the answer to the sign-in in progress",
        "It was ignored. Open the address that the terminal shows, and decide there."
    )
    static let foreign = BrowserPage(
        .forbidden,
        "This request comes from elsewhere",
        "It was ignored: it names another host or another site."
    )
    static let notFound = BrowserPage(
        .notFound,
        "There is no such page",
        "Only the answer to a sign-in is received here."
    )
    static let wrongMethod = BrowserPage(
        .methodNotAllowed,
        "This request has the wrong method",
        "It was ignored: only GET is accepted here."
    )

    var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <meta name="color-scheme" content="light dark">
        <title>\(title)</title>
        </head>
        <body>
        <main>
        <h1>\(title)</h1>
        <p>\(text)</p>
        </main>
        </body>
        </html>

        """
    }
}
