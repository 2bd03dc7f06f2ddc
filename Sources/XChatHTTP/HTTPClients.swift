package import AsyncHTTPClient
import Foundation
import NIOCore
import Synchronization

/// The HTTP clients of the process: one for direct connections, and one for each proxy that the environment names.
///
/// Clients of the API share them, so that those are plain values that need no closing.
package enum HTTPClients {
    private static let clients = Mutex<[HTTPClient.Configuration.Proxy?: HTTPClient]>([:])

    /// The client for a host, by a proxy where the environment asks for one.
    ///
    /// - Parameters:
    ///   - scheme: The scheme of the API's URL, in lower case.
    ///   - host: Its host.
    ///   - port: Its port.
    ///   - environment: The variables of the process.
    /// - Returns: A client that follows no redirects and keeps at most 64 connections to one host.
    /// - Throws: `invalid_argument` for a proxy that cannot be used.
    package static func client(
        scheme: String,
        host: String,
        port: Int,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(APIError) -> HTTPClient {
        let proxy = try ProxySettings(environment).proxy(scheme: scheme, host: host, port: port)
        return clients.withLock { clients in
            if let client = clients[proxy] { return client }
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration(proxy))
            clients[proxy] = client
            return client
        }
    }

    private static func configuration(_ proxy: HTTPClient.Configuration.Proxy?) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10)),
            proxy: proxy
        )
        // A refused connection is reported at once. By default it is tried again until the connect timeout.
        configuration.connectionPool.retryConnectionEstablishment = false
        // With the default of 8, eight downloads or open streams block every other call to the host.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        return configuration
    }
}

/// The proxy variables of the environment, read as curl reads them: `https_proxy` before `HTTPS_PROXY`, then
/// `all_proxy` before `ALL_PROXY`; and `no_proxy` before `NO_PROXY`.
///
/// Plain http never goes by a proxy: it is allowed to this machine only, and a proxy would see the token. For the same
/// reason `HTTP_PROXY` is not read, and this machine needs no entry in `NO_PROXY`.
struct ProxySettings: Sendable {
    private let name: String
    private let proxy: String?
    private let exceptions: [String]

    init(_ environment: [String: String]) {
        func value(_ names: [String]) -> (name: String, text: String)? {
            names.lazy.compactMap { name in environment[name].map { (name, $0) } }.first { !$0.1.isEmpty }
        }
        let found = value(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
        (name, proxy) = (found?.name ?? "", found?.text)
        exceptions = (value(["no_proxy", "NO_PROXY"])?.text ?? "").lowercased().split { $0 == "," || $0 == " " }
            .map(String.init)
    }

    /// The proxy for a host.
    ///
    /// - Parameters:
    ///   - scheme: The scheme of the URL, in lower case.
    ///   - host: The host, an IPv6 address with or without brackets.
    ///   - port: The port.
    /// - Returns: The proxy; nil to connect directly.
    /// - Throws: `invalid_argument` if the variable is not `http://host:port` or `socks5://host:port`. The text does not
    ///   repeat it, since it may hold a password.
    func proxy(scheme: String, host: String, port: Int) throws(APIError) -> HTTPClient.Configuration.Proxy? {
        guard let proxy, scheme == "https", !Loopback.contains(host), !isException(host, port: port) else { return nil }
        let text = proxy.contains("://") ? proxy : "http://" + proxy
        guard let components = URLComponents(string: text), let host = components.host, !host.isEmpty,
            let scheme = components.scheme?.lowercased(), (1...65535).contains(components.port ?? 1)
        else { throw invalid }
        let server = String(host.drop { $0 == "[" }.prefix { $0 != "]" })
        switch scheme {
        case "http":
            let authorization = components.user.map {
                HTTPClient.Authorization.basic(username: $0, password: components.password ?? "")
            }
            return .server(host: server, port: components.port ?? 80, authorization: authorization)
        case "socks5", "socks5h":
            // The client cannot log in to a SOCKS server.
            guard components.user == nil else { throw invalid }
            return .socksServer(host: server, port: components.port ?? 1080)
        default:
            throw invalid
        }
    }

    private var invalid: APIError {
        APIError(
            .invalidArgument,
            "the variable \(name) is not a usable proxy; it must be http://host:port or socks5://host:port"
        )
    }

    /// Whether `NO_PROXY` names the host: `*`, the host itself, or a domain that it is in, with or without a leading
    /// dot; a port in the entry must be the URL's.
    private func isException(_ host: String, port: Int) -> Bool {
        func withoutBrackets(_ host: some StringProtocol) -> String {
            String(host.drop { $0 == "[" }.prefix { $0 != "]" })
        }
        let name = withoutBrackets(host.lowercased())
        return exceptions.contains { entry in
            if entry == "*" { return true }
            var (pattern, wanted) = (entry, port)
            // A port ends the entry; the colons of an IPv6 address without brackets are not ports.
            if let colon = entry.lastIndex(of: ":"), entry.filter({ $0 == ":" }).count == 1 || entry.contains("]:") {
                guard let number = Int(entry[entry.index(after: colon)...]) else { return false }
                (pattern, wanted) = (String(entry[..<colon]), number)
            }
            pattern = withoutBrackets(pattern.drop { $0 == "." })
            guard wanted == port, !pattern.isEmpty else { return false }
            return name == pattern || name.hasSuffix("." + pattern)
        }
    }
}
