package import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTPCompression
import Synchronization

/// The HTTP clients that the process shares: for direct connections, and for each proxy that the environment names.
///
/// Because ``ChatClient`` values share these clients, a ``ChatClient`` does not need to be shut down.
package struct HTTPClients: Sendable {
    /// The client for answers that are read as a whole.
    package let calls: HTTPClient
    /// The client for answers that are read piece by piece.
    ///
    /// A separate client, because streams stay open and would otherwise use up the connections of ``calls``.
    let streams: HTTPClient
    /// The proxy, as an error names it; nil for direct connections, and for the caller's own HTTP client.
    let proxy: String?

    /// The largest allowed ratio of an answer's size to its compressed size, against decompression bombs.
    static let largestRatio = 100

    private static let shared = Mutex<[HTTPClient.Configuration.Proxy?: HTTPClients]>([:])

    /// Uses the caller's own client for all answers.
    init(_ client: HTTPClient) {
        (calls, streams, proxy) = (client, client, nil)
    }

    private init(_ proxy: HTTPClient.Configuration.Proxy?) {
        func client() -> HTTPClient {
            HTTPClient(eventLoopGroupProvider: .singleton, configuration: Self.configuration(proxy))
        }
        (calls, streams) = (client(), client())
        self.proxy = proxy.map { proxy in
            let host = proxy.host.utf8.contains(UInt8(ascii: ":")) ? "[\(proxy.host)]" : proxy.host
            return "\(host):\(proxy.port)"
        }
    }

    /// The clients for a host, through a proxy if the environment names one for this host.
    ///
    /// - Parameters:
    ///   - scheme: The scheme of the API's URL, in lower case.
    ///   - host: The host of the API's URL.
    ///   - port: The port of the API's URL.
    ///   - environment: The variables of the process.
    /// - Returns: Clients that follow no redirects and keep at most 64 connections to one host.
    /// - Throws: `invalid_argument` for a proxy that cannot be used.
    package static func clients(
        scheme: String,
        host: String,
        port: Int,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(APIError) -> HTTPClients {
        let proxy = try ProxySettings(environment).proxy(scheme: scheme, host: host, port: port)
        return shared.withLock { shared in
            if let clients = shared[proxy] { return clients }
            let clients = HTTPClients(proxy)
            shared[proxy] = clients
            return clients
        }
    }

    static func configuration(_ proxy: HTTPClient.Configuration.Proxy?) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10)),
            proxy: proxy,
            decompression: .enabled(limit: .ratio(largestRatio))
        )
        // Report a refused connection at once. The default is to try again until the connect timeout.
        configuration.connectionPool.retryConnectionEstablishment = false
        // With the default of 8, eight waiting calls block every other call to the host.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        return configuration
    }
}
