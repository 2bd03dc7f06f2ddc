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
/// The sandbox accepts and serves public keys, wrapped keys, ciphertext and signatures, with X's paths, names and
/// statuses, and stores them in memory or in a file. It never receives the text of messages, and private keys of users
/// only in key backups, encrypted under a PIN. The page at `/` shows what the server stores, and users sign in to apps
/// with OAuth 2.0.
///
/// The sandbox is not a production server: a user's token is `sandbox-` and the user id, so anyone can guess it and act
/// as that user. The app's token is `sandbox-app`.
public struct Sandbox: Sendable {
    private let storage: Storage
    let faults: SandboxFaults
    private let host: String
    private let port: Int
    private let logger: Logger

    /// Makes a sandbox; nothing listens yet, and no file is opened.
    ///
    /// - Parameters:
    ///   - host: The address to listen on. Any address except a loopback address opens the sandbox to everyone in the
    ///     network, who can then act as any user. When it listens on a loopback address, the sandbox refuses requests
    ///     whose header Host names another machine, against DNS rebinding.
    ///   - port: The port; 0 lets the system choose.
    ///   - data: The SQLite file that stores everything, created with mode 0600 if it does not exist; nil to keep
    ///     everything in memory. Only one server at a time may use a file.
    ///   - faults: The faults to inject, and the variants of X's answers to serve.
    ///   - logger: The logger; by default the server does not log.
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

    /// Serves until the task is cancelled or a signal arrives.
    ///
    /// On a signal, the server answers the requests in progress, closes the streams, and accepts no new connection.
    /// After 3 seconds it closes the remaining connections.
    /// - Parameters:
    ///   - stopsOnSignals: Whether SIGINT and SIGTERM stop the server in this way, after which this method returns.
    ///   - onListening: Receives the URL when the port is open. Connections are accepted only after this closure
    ///     returns, so it must not make requests itself; see ``serving(_:)``.
    /// - Throws: An error if the port or the data file cannot be opened.
    public func run(
        stopsOnSignals: Bool = false,
        onListening: @escaping @Sendable (URL) -> Void
    ) async throws {
        let application = try application(onListening)
        guard stopsOnSignals else { return try await application.run() }
        try await Self.run(Self.server(application, signals: [.sigterm, .sigint], patience: .seconds(3)))
    }

    /// Makes a server that can be stopped, and then waits for open connections at most for `patience`.
    ///
    /// Without this limit, a client that has sent half of a request could keep the server running.
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
            // The time for open connections is over, so the server was stopped.
        }
    }

    private struct InvalidPort: Error, CustomStringConvertible {
        var description: String { "a port is a number from 0 to 65535" }
    }

    func application(_ onListening: @escaping @Sendable (URL) -> Void) throws -> some ApplicationProtocol {
        // The system would treat 65536 as 0.
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

    /// Serves while `body` runs.
    ///
    /// - Parameter body: Receives the URL of the running server.
    /// - Returns: The result of `body`.
    /// - Throws: The error of `body`, or an error if the port or the data file cannot be opened.
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
                    // The server is not cancelled: SwiftNIO would end the process if a connection is being accepted at
                    // that moment.
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

    /// Gives a user a handle and a name; may be called at any time.
    ///
    /// A user without a handle has a default handle: `user` and the last 11 digits of the id. If another user already
    /// has the new handle, that user gets the default handle: X reassigns handles too.
    /// - Parameter user: The user with the new handle and name.
    /// - Throws: An error if the data cannot be written.
    public func setUser(_ user: SandboxUser) async throws {
        try await storage.open().setUser(user)
    }

    /// All events of a conversation that the server stores, oldest first: this is all that it can see of the
    /// conversation.
    ///
    /// - Parameter conversation: The canonical id.
    /// - Returns: The stored events, including key change events; empty for an unknown conversation.
    /// - Throws: An error if the data cannot be read.
    public func storedEvents(in conversation: ConversationID) async throws -> [MessageEvent] {
        try await storage.open().events(in: conversation)
    }
}

/// Opens the state at its first use, so that making a sandbox cannot fail.
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
