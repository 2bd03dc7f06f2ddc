package import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTPCompression
import Synchronization

/// The HTTP clients of the process: for direct connections, and for each proxy that the environment names.
///
/// Clients of the API share them, so that those are plain values that need no closing.
package struct HTTPClients: Sendable {
    /// For answers that are read whole.
    package let calls: HTTPClient
    /// For answers that are read piece by piece.
    ///
    /// They do not count toward the limit of connections for other calls, and do not begin on a connection that a call
    /// has used.
    let streams: HTTPClient
    /// The proxy, as an error names it; nil for direct connections, and for clients of the caller.
    let proxy: String?

    /// How many times larger than its compressed bytes an answer may be.
    static let largestRatio = 100

    private static let shared = Mutex<[HTTPClient.Configuration.Proxy?: HTTPClients]>([:])

    /// The caller's own client, for all answers.
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

    /// The clients for a host, by a proxy where the environment asks for one.
    ///
    /// - Parameters:
    ///   - scheme: The scheme of the API's URL, in lower case.
    ///   - host: Its host.
    ///   - port: Its port.
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
        // A refused connection is reported at once. By default it is tried again until the connect timeout.
        configuration.connectionPool.retryConnectionEstablishment = false
        // With the default of 8, eight calls that wait block every other call to the host.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        return configuration
    }
}
