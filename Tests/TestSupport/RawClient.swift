import Foundation
import NIOCore
import NIOPosix

/// One HTTP request as a browser sends it, as text.
package enum RawClient {
    /// Sends a request and reads up to the end of the connection.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - url: The whole URL; its host must be this machine.
    ///   - target: The request target, if it is not the path and query of the URL.
    ///   - host: The header, if it is not that of the URL.
    ///   - headers: Further headers.
    ///   - form: A body of form fields.
    /// - Returns: The answer; empty if the connection was closed without one.
    /// - Throws: If there is no connection.
    package static func send(
        _ method: String = "GET",
        _ url: String,
        target: String? = nil,
        host: String? = nil,
        headers: [String] = [],
        form: [(String, String)] = []
    ) async throws -> String {
        let rest = url.dropFirst("http://".count)
        let authority = String(rest.prefix { $0 != "/" })
        var components = URLComponents()
        components.queryItems = form.map { URLQueryItem(name: $0.0, value: $0.1) }
        let body = form.isEmpty ? "" : components.percentEncodedQuery ?? ""
        var lines = [
            "\(method) \(target ?? String(rest.dropFirst(authority.count))) HTTP/1.1", "host: \(host ?? authority)",
            "connection: close",
        ]
        lines += headers
        if !form.isEmpty {
            lines += ["content-type: application/x-www-form-urlencoded", "content-length: \(body.utf8.count)"]
        }
        let port = authority.split(separator: ":").last.flatMap { Int($0) } ?? 80
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let text = lines.joined(separator: "\r\n") + "\r\n\r\n" + body
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            var answer = ""
            for try await piece in inbound { answer += String(buffer: piece) }
            return answer
        }
    }

    /// A port of this machine that nothing listened on a moment ago.
    package static func freePort() async throws -> Int {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = server.localAddress?.port ?? 0
        try await server.close()
        return port
    }

    /// Allows an app on the sandbox's page, as a user does.
    ///
    /// - Parameters:
    ///   - address: The page.
    ///   - user: The user who allows.
    /// - Returns: Where the browser is sent; nil if the sandbox answers otherwise.
    /// - Throws: If there is no connection.
    package static func allow(_ address: String, as user: String) async throws -> String? {
        let page = try await send("GET", address)
        guard let ticket = page.firstMatch(of: /name="ticket" value="([^"]+)"/)?.1,
            let base = address.firstMatch(of: /^http:\/\/[^\/]+/)?.0
        else { return nil }
        let answer = try await send(
            "POST",
            base + "/i/oauth2/authorize",
            form: [("ticket", String(ticket)), ("decision", "allow"), ("user", "other"), ("other", user)]
        )
        return answer.firstMatch(of: /(?i)\r\nlocation: (\S+)/).map { String($0.1) }
    }
}
