import AsyncHTTPClient
import Foundation
import NIOCore
import NIOSSL
import TestSupport
import Testing
import XChatEvents

@testable import XChatHTTP

/// A connection error names the place and the reason that a person needs to do something about it.
@Suite(.timeLimit(.minutes(1)))
struct ConnectionErrorTests {
    private func failure(_ url: String, http: HTTPClient? = nil) async throws -> APIError {
        let client = try ChatClient(
            api: url,
            token: Token("s3cret"),
            limits: .init(timeout: .seconds(20)),
            retries: .none,
            http: http
        )
        do throws(APIError) {
            _ = try await client.conversations()
        } catch {
            #expect(!error.detail.contains("NIO") && !error.detail.contains("s3cret"), "\(error.detail)")
            return error
        }
        throw APIError(.refused, "the call succeeded")
    }

    private func port(_ url: String) -> String { String(url.split(separator: ":").last ?? "") }

    @Test func `a refused connection names host, port and the system's reason`() async throws {
        let url = try await RawServer.run(.silence) { _, url in url }
        let error = try await failure(url)
        #expect(error.code == .connection)
        #expect(error.detail == "no connection to 127.0.0.1:\(port(url)): Connection refused")
    }

    @Test func `a host without an address names the host`() async throws {
        let error = try await failure("https://no-such-host.invalid")
        #expect(error.code == .connection)
        let reason = "no connection to no-such-host.invalid:443: the host name cannot be resolved: "
        #expect(error.detail.hasPrefix(reason) && error.detail.utf8.count > reason.utf8.count, "\(error.detail)")
    }

    @Test func `a connection that the server resets says so`() async throws {
        try await RawServer.run(.reset) { _, url in
            let error = try await failure(url)
            #expect(error.code == .connection)
            #expect(error.detail == "the connection to 127.0.0.1:\(port(url)) broke: Connection reset by peer")
        }
    }

    @Test func `a server that closes the connection without an answer says so`() async throws {
        try await RawServer.run(.bytesAndClose("")) { _, url in
            let error = try await failure(url)
            #expect(error.detail == "127.0.0.1:\(port(url)) closed the connection before the answer was complete")
        }
    }

    @Test func `a server that does not answer names the host and the time`() async throws {
        try await RawServer.run(.silence) { _, url in
            let client = try ChatClient(
                api: url,
                token: Token("t"),
                limits: .init(timeout: .milliseconds(300)),
                retries: .none
            )
            do throws(APIError) {
                _ = try await client.conversations()
                Issue.record("the call succeeded")
            } catch {
                #expect(error.code == .timedOut)
                #expect(error.detail == "no complete answer from 127.0.0.1:\(port(url)) within 0.3 seconds")
            }
        }
    }

    // MARK: TLS

    @Test func `a server that does not speak TLS says so`() async throws {
        let handler: @Sendable () -> any ChannelHandler = { PlainAnswer() }
        try await RawServer.run([.silence], tls: handler) { _, url in
            let error = try await failure(url.replacing("http:", with: "https:"))
            #expect(error.code == .connection)
            #expect(error.detail.hasPrefix("no TLS connection to 127.0.0.1:\(port(url)): "))
            #expect(error.detail.hasSuffix("WRONG_VERSION_NUMBER"))
        }
    }

    @Test func `a certificate that is not trusted says so`() async throws {
        try await RawServer.run([.http(200, "{}")], tls: TestCertificate.server) { server, url in
            let error = try await failure(url.replacing("http:", with: "https:"))
            #expect(error.code == .connection)
            let place = "127.0.0.1:\(port(url))"
            #expect(
                error.detail
                    == "no TLS connection to \(place): its certificate is not trusted: CERTIFICATE_VERIFY_FAILED"
            )
            #expect(server.requests.isEmpty)
        }
    }

    @Test func `a certificate for another host says so`() async throws {
        try await RawServer.run([.http(200, "{}")], tls: TestCertificate.server) { server, url in
            let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: try TestCertificate.trusting())
            let error = try await failure("https://localhost:\(port(url))", http: http)
            try await http.shutdown()
            #expect(error.detail == "no TLS connection to localhost:\(port(url)): its certificate is for another host")
            #expect(server.requests.isEmpty)
        }
    }

    // MARK: Proxies

    /// A client that goes by a proxy and trusts the certificate of these tests.
    private func call(
        by proxy: String,
        _ body: (ChatClient) async throws -> Void
    ) async throws {
        let settings = ProxySettings(["HTTPS_PROXY": proxy])
        let http = HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: try TestCertificate.trusting(
                try settings.proxy(scheme: "https", host: "api.x.test", port: 443)
            )
        )
        do {
            try await body(
                try ChatClient(
                    api: "https://api.x.test",
                    token: Token("s3cret"),
                    limits: .init(timeout: .seconds(20)),
                    retries: .none,
                    http: http
                )
            )
        } catch {
            try? await http.shutdown()
            throw error
        }
        try await http.shutdown()
    }

    @Test func `a call goes through the tunnel of a proxy, which sees the host and no token`() async throws {
        let page = RawAnswer.http(200, #"{"meta":{"result_count":0}}"#)
        try await RawServer.run([page], tls: TestCertificate.server) { server, url in
            let port = Int(port(url)) ?? 0
            try await TunnelProxy.run(to: port) { proxy, proxyURL in
                let address = proxyURL.replacing("http://", with: "http://me:p%20w@")
                try await call(by: address) { client in _ = try await client.conversations() }
                let request = try #require(proxy.requests.first)
                #expect(request.hasPrefix("CONNECT api.x.test:443 HTTP/1.1\r\n"))
                // echo -n 'me:p w' | base64
                #expect(request.lowercased().contains("proxy-authorization: basic bwu6ccb3\r\n"))
                #expect(!request.contains("s3cret"))
                #expect(proxy.firstBytes == [[0x16, 0x03]], "what goes through the tunnel begins with a TLS record")
            }
            #expect(server.requests.first?.contains("Bearer s3cret") == true)
        }
    }

    @Test(
        "a proxy that refuses the tunnel is named with its reason",
        arguments: [
            ("HTTP/1.1 403 Forbidden\r\n\r\n", "it refuses the connection to api.x.test:443"),
            (
                "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
                "it wants a valid user name and password; check the proxy settings"
            ),
        ]
    )
    func refusingProxy(_ answer: String, _ reason: String) async throws {
        try await TunnelProxy.run(refusing: answer) { _, proxyURL in
            let http = try HTTPClients.clients(
                scheme: "https",
                host: "api.x.test",
                port: 443,
                environment: ["HTTPS_PROXY": proxyURL.replacing("http://", with: "http://me:s3cret@")]
            ).calls
            let error = try await failure("https://api.x.test", http: http)
            #expect(error.code == .connection)
            #expect(error.detail.hasSuffix(reason), "\(error.detail)")
        }
    }

    @Test func `a proxy that is not there is named as the proxy`() async throws {
        let proxyURL = try await RawServer.run(.silence) { _, url in url }
        try await call(by: proxyURL) { client in
            do throws(APIError) {
                _ = try await client.conversations()
                Issue.record("the call succeeded")
            } catch {
                #expect(error.detail == "no connection to the proxy 127.0.0.1:\(port(proxyURL)): Connection refused")
            }
        }
    }
}

/// Answers whatever comes first with plain HTTP.
private final class PlainAnswer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let answer = ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n")
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
    }
}
