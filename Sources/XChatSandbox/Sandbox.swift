public import Foundation
import Hummingbird
import HummingbirdCore
public import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals
public import XChatEvents
import XChatHTTP

/// A stand-in for X's encrypted chat API, for development and tests.
///
/// It takes and serves public keys, wrapped keys, ciphertext and signatures under X's paths, names and statuses, and
/// keeps them in memory or in a file; no plaintext and no private key ever reaches it. The page at `/` shows what it
/// holds, and users sign in to apps with OAuth 2.0. It is not a production server:
/// each caller who knows a user id has that user's token, `sandbox-` and the id, and every caller has the app's,
/// `sandbox-app`.
public struct Sandbox: Sendable {
    private let storage: Storage
    let faults: SandboxFaults
    private let host: String
    private let port: Int
    private let logger: Logger

    /// Makes a sandbox; nothing listens yet, and no file is opened.
    ///
    /// - Parameters:
    ///   - host: The address to listen on. Any address but a loopback one opens the sandbox to all users of the
    ///     network. On a loopback address, requests whose header Host has another name are refused.
    ///   - port: The port; 0 lets the system choose.
    ///   - data: The SQLite file that keeps everything over the end of the server, created with mode 0600 if it does
    ///     not exist; nil for memory. One server at a time uses a file.
    ///   - faults: What goes wrong on purpose, and which of X's habits hold.
    ///   - logger: Where the server logs to; nowhere by default.
    public init(
        host: String = "127.0.0.1",
        port: Int = 0,
        data: String? = nil,
        faults: SandboxFaults = SandboxFaults(),
        logger: Logger? = nil
    ) {
        storage = Storage(path: data, faults: faults)
        self.faults = faults
        self.host = host
        self.port = port
        self.logger = logger ?? Logger(label: "xchat.sandbox") { _ in SwiftLogNoOpLogHandler() }
    }

    /// Serves until the task is cancelled or a signal says stop.
    ///
    /// On a signal, requests that are being worked on are answered, streams are closed, and no new connection is taken.
    /// What takes longer than 3 seconds is broken off.
    /// - Parameters:
    ///   - stopsOnSignals: Whether SIGINT and SIGTERM end the server in good order, after which this returns.
    ///   - onListening: Receives the URL once the port is open. Connections are accepted when it has returned, so it
    ///     must not make requests itself; see ``serving(_:)``.
    /// - Throws: When the port or the data file cannot be opened.
    public func run(
        stopsOnSignals: Bool = false,
        onListening: @escaping @Sendable (URL) -> Void
    ) async throws {
        let application = try application(onListening)
        guard stopsOnSignals else { return try await application.run() }
        try await Self.run(Self.server(application, signals: [.sigterm, .sigint], patience: .seconds(3)))
    }

    /// A server that can be stopped, and then waits for connections no longer than its patience.
    ///
    /// A client that has sent half a request would hold it up for as long as it likes.
    private static func server(
        _ application: some ApplicationProtocol,
        signals: [UnixSignal],
        patience: Duration
    ) -> ServiceGroup {
        var configuration = ServiceGroupConfiguration(
            services: [application],
            gracefulShutdownSignals: signals,
            logger: application.logger
        )
        configuration.maximumGracefulShutdownDuration = patience
        return ServiceGroup(configuration: configuration)
    }

    private static func run(_ server: ServiceGroup) async throws {
        do {
            try await server.run()
        } catch is CancellationError where !Task.isCancelled {
            // The patience was at its end; the server is as well.
        }
    }

    private struct InvalidPort: Error, CustomStringConvertible {
        var description: String { "a port is a number from 0 to 65535" }
    }

    func application(_ onListening: @escaping @Sendable (URL) -> Void) throws -> some ApplicationProtocol {
        // The system would take 65536 for 0.
        guard (0...65535).contains(port) else { throw InvalidPort() }
        return Application(
            router: Routes(state: try storage.open(), isLoopback: Loopback.contains(host)).router(),
            server: .http1(configuration: .init(idleTimeout: .seconds(30))),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(256, logger: logger)
            ),
            onServerRunning: { [host] channel in
                var components = URLComponents()
                components.scheme = "http"
                components.host = host.contains(":") ? "[\(host)]" : host
                components.port = channel.localAddress?.port
                if let url = components.url { onListening(url) }
            },
            logger: logger
        )
    }

    /// Serves while the body runs.
    ///
    /// - Parameter body: Is given the URL of the running server.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or when the port or the data file cannot be opened.
    @discardableResult
    public func serving<Result: Sendable>(
        _ body: @escaping @Sendable (URL) async throws -> Result
    ) async throws -> Result {
        let (listening, report) = AsyncStream.makeStream(of: URL.self)
        let server = Self.server(
            try application { report.yield($0) },
            signals: [],
            patience: .milliseconds(500)
        )
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                defer { report.finish() }
                try await Self.run(server)
                return nil
            }
            group.addTask {
                for await url in listening {
                    let outcome: Swift.Result<Result, any Error>
                    do {
                        outcome = .success(try await body(url))
                    } catch {
                        outcome = .failure(error)
                    }
                    // Not by cancelling it: SwiftNIO ends the process over a connection that is just being accepted
                    // then.
                    await server.triggerGracefulShutdown()
                    return try outcome.get()
                }
                return nil
            }
            var result: Result?
            var failure: (any Error)?
            while let ended = await group.nextResult() {
                switch ended {
                case .success(let value): result = value ?? result
                case .failure(let error): failure = failure ?? error
                }
            }
            if let failure { throw failure }
            guard let result else { throw CancellationError() }
            return result
        }
    }

    /// Gives a user a handle and a name, at any time.
    ///
    /// Users without a handle of their own have the default one: `user` and the last 11 digits of the id. If another
    /// user has the handle, that user has the default one afterwards: X reassigns handles too.
    /// - Parameter user: The user.
    /// - Throws: When the data cannot be written.
    public func setUser(_ user: SandboxUser) async throws {
        try await storage.open().setUser(user)
    }

    /// What the server holds of a conversation, in order: what it could see of it, and all that it could see.
    ///
    /// - Parameter conversation: The canonical id.
    /// - Returns: The stored events, key changes among them; none for an unknown conversation.
    /// - Throws: When the data cannot be read.
    public func storedEvents(in conversation: ConversationID) async throws -> [MessageEvent] {
        try await storage.open().events(in: conversation)
    }
}

/// Opened once, when it is needed, so that making a sandbox cannot fail.
private final class Storage: Sendable {
    private let path: String?
    private let faults: SandboxFaults
    private let state = Mutex<SandboxState?>(nil)

    init(path: String?, faults: SandboxFaults) {
        self.path = path
        self.faults = faults
    }

    func open() throws -> SandboxState {
        try state.withLock { state in
            if let state { return state }
            let opened = try SandboxState(at: path, faults: faults)
            state = opened
            return opened
        }
    }
}
