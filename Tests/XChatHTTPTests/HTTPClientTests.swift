import AsyncHTTPClient
import Foundation
import NIOCore
import TestSupport
import Testing
import XChatEngine
import XChatEvents

@testable import XChatHTTP

/// The HTTP client: the caller's or one of the process.
@Suite(.timeLimit(.minutes(1)))
struct HTTPClientTests {
    private static let page = RawAnswer.http(200, #"{"meta":{"result_count":0}}"#)

    /// Runs the body with a client that is shut down afterwards.
    private func with(
        _ configuration: HTTPClient.Configuration,
        _ body: (HTTPClient) async throws -> Void
    ) async throws {
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            try await body(http)
        } catch {
            try? await http.shutdown()
            throw error
        }
        try await http.shutdown()
    }

    // MARK: The caller's client

    @Test func `HTTPClient.shared is refused because it follows redirects`() throws {
        let token = try Token("t")
        #expect(thrownCode { _ = try ChatClient(token: token, http: .shared) } == .invalidArgument)
    }

    @Test("a client that follows redirects does not follow one of the API", arguments: [301, 302, 303, 307, 308])
    func redirect(_ status: Int) async throws {
        let configuration = HTTPClient.Configuration(redirectConfiguration: .follow(max: 5, allowCycles: false))
        try await with(configuration) { http in
            try await RawServer.run(Self.page) { other, otherURL in
                let answer = RawAnswer.http(status, headers: ["location: \(otherURL)/2/x"], "")
                try await RawServer.run(answer) { server, url in
                    let client = try ChatClient(api: url, token: Token("t"), retries: .none, http: http)
                    let target = try ConversationTarget("1-2")
                    var error: APIError?
                    do throws(APIError) {
                        _ = try await client.events(in: target)
                    } catch let thrown {
                        error = thrown
                    }
                    #expect(error?.code == .redirected && error?.status == status)
                    #expect(error?.detail.contains("127.0.0.1") == true)

                    let key = try ConversationKey.generate()
                    let out = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
                    let download = await thrownCode {
                        try await client.download("abc", in: target, key: key, to: out.path)
                    }
                    #expect(download == .redirected)
                    #expect(await thrownCode { for try await _ in client.activity() {} } == .redirected)
                    #expect(server.requests.count == 3)
                }
                #expect(other.requests.isEmpty)
            }
        }
    }

    @Test func `calls use the caller's client`() async throws {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1
        try await with(configuration) { http in
            try await RawServer.run(.silence) { server, url in
                func call(_ timeout: Duration) async throws -> APIError.Code? {
                    let limits = ChatClient.Limits(timeout: timeout)
                    let client = try ChatClient(api: url, token: Token("t"), limits: limits, retries: .none, http: http)
                    return await thrownCode { _ = try await client.conversations() }
                }
                let first = Task { try await call(.seconds(50)) }
                while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
                // The client has one connection, which the first call keeps.
                #expect(try await call(.milliseconds(300)) == .timedOut)
                first.cancel()
                #expect(try await first.value == .cancelled)
                #expect(server.requests.count == 1)
            }
        }
    }

    @Test func `a call with a client that was shut down is a connection error`() async throws {
        let http = HTTPClient(eventLoopGroupProvider: .singleton)
        try await http.shutdown()
        let client = try ChatClient(api: "http://127.0.0.1:1", token: Token("t"), retries: .none, http: http)
        #expect(await thrownCode { _ = try await client.conversations() } == .connection)
        let key = try ConversationKey.generate()
        let out = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        let code = await thrownCode {
            try await client.download("abc", in: ConversationTarget("1-2"), key: key, to: out.path)
        }
        #expect(code == .connection)
    }

    // MARK: Proxies

    private func proxy(_ variables: [String: String], host: String = "api.x.com", port: Int = 443) throws(APIError)
        -> HTTPClient.Configuration.Proxy?
    {
        try ProxySettings(variables).proxy(scheme: "https", host: host, port: port)
    }

    @Test(
        "https goes by the proxy of the environment",
        arguments: [
            ("http://proxy.example:3128", "proxy.example", 3128), ("proxy.example:3128", "proxy.example", 3128),
            ("http://proxy.example", "proxy.example", 80), ("HTTP://10.0.0.1:8080/", "10.0.0.1", 8080),
            ("http://[fe80::1]:8080", "fe80::1", 8080),
        ]
    )
    func proxies(_ text: String, _ host: String, _ port: Int) throws {
        for name in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            #expect(try proxy([name: text]) == .server(host: host, port: port))
        }
    }

    @Test func `a proxy may have a password or speak SOCKS`() throws {
        let expected = HTTPClient.Configuration.Proxy.server(
            host: "p",
            port: 1,
            authorization: .basic(username: "me", password: "p w")
        )
        #expect(try proxy(["HTTPS_PROXY": "http://me:p%20w@p:1"]) == expected)
        #expect(try proxy(["ALL_PROXY": "socks5://p"]) == .socksServer(host: "p"))
        #expect(try proxy(["ALL_PROXY": "socks5h://p:9"]) == .socksServer(host: "p", port: 9))
    }

    @Test func `the first variable that is not empty counts`() throws {
        let all = ["https_proxy": "", "HTTPS_PROXY": "http://b:1", "all_proxy": "http://c:1"]
        #expect(try proxy(all) == .server(host: "b", port: 1))
        #expect(try proxy(["https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1"]) == .server(host: "a", port: 1))
        #expect(try proxy([:]) == nil)
        #expect(try proxy(["HTTP_PROXY": "http://b:1", "http_proxy": "http://b:1"]) == nil)
    }

    @Test(
        "a proxy that cannot be used is an error that does not repeat it",
        arguments: [
            "https://me:s3cret@p:1", "ftp://s3cret", "http://", "socks5://me:s3cret@p", "http://s3cret:99999", "::",
            "http://p:0", "http://p:", "http://p:1/s3cret", "http://p:1?s3cret", "http://p:1#s3cret", " http://p:1",
            "http://s3cret p:1", "http://me:s3cret@evil@p:1", #"http://me:s3cret\@p:1"#, "http://me%3A:s3cret@p:1",
            "http://me:s3cret%0d%0ax@p:1", "http://m%0ae:s3cret@p:1", "socks4://s3cret:1", "http://[fe80::1:s3cret",
            "http://s3cr\u{e9}t:1",
        ]
    )
    func invalid(_ text: String) {
        do {
            _ = try proxy(["HTTPS_PROXY": text])
            Issue.record("accepted \(text)")
        } catch {
            #expect(error.code == .invalidArgument)
            #expect(!error.detail.contains("s3cret") && error.detail.contains("HTTPS_PROXY"))
        }
    }

    @Test(
        "NO_PROXY excludes hosts and domains",
        arguments: [
            ("*", true), ("x.com", true), (".x.com", true), ("api.x.com", true), ("API.X.COM", true),
            ("a, x.com", true),
            ("x.com:443", true), ("x.com:80", false), ("i.x.com", false), ("ix.com", false), ("com.x", false),
            ("", false), (",", false), (".", false), ("pi.x.com", false), ("api.x.com.", true), ("\tx.com\t", true),
            ("10.0.0.0/8", false), ("0.0.0.0/0", false), ("*.x.com", true), ("API.x.com:443,y", true),
        ]
    )
    func exceptions(_ list: String, _ isDirect: Bool) throws {
        #expect(try (proxy(["HTTPS_PROXY": "http://p:1", "NO_PROXY": list]) == nil) == isDirect)
    }

    @Test func `NO_PROXY excludes addresses`() throws {
        let variables = ["HTTPS_PROXY": "http://p:1", "no_proxy": "10.0.0.1 fe80::1,[fe80::2]:8443"]
        #expect(try proxy(variables, host: "10.0.0.1") == nil)
        #expect(try proxy(variables, host: "10.0.0.11") != nil)
        #expect(try proxy(variables, host: "[fe80::1]") == nil)
        #expect(try proxy(variables, host: "[fe80::2]", port: 8443) == nil)
        #expect(try proxy(variables, host: "[fe80::2]") != nil)
    }

    @Test(
        "NO_PROXY excludes networks",
        arguments: [
            ("10.0.0.0/8", "10.200.3.4", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3/32", "10.1.2.3", true),
            ("10.1.2.3/32", "10.1.2.2", false), ("10.1.2.128/25", "10.1.2.129", true),
            ("10.1.2.128/25", "10.1.2.127", false), ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "[fe80::1]", false),
            ("fe80::/10", "[febf::1]", true), ("fe80::/10", "[fec0::1]", false), ("[fe80::]/10", "[fe80::9]", true),
            ("::/0", "[2001:db8::1]", true), ("::/0", "8.8.8.8", false), ("2001:DB8:0::1", "[2001:db8::1]", true),
            ("10.0.0.0/8", "10.example", false),
        ]
    )
    func networks(_ entry: String, _ host: String, _ isDirect: Bool) throws {
        #expect(try (proxy(["HTTPS_PROXY": "http://p:1", "NO_PROXY": entry], host: host) == nil) == isDirect)
    }

    @Test(
        "an entry of NO_PROXY that is not of its form is an error, also where another one would match",
        arguments: [
            "10.0.0.0/33", "fe80::/129", "10.0.0.0/", "10.0.0.0/x", "10.0.0/8", "x.com/8", "x.com:y", "x.com:0",
            "x.com:65536", "x.com:", "a;b", "a*.com", "**", "[fe80::1", "http://x.com",
        ]
    )
    func invalidException(_ entry: String) {
        do {
            _ = try proxy(["HTTPS_PROXY": "http://me:s3cret@p:1", "no_proxy": "a.example, \(entry),api.x.com"])
            Issue.record("accepted \(entry)")
        } catch {
            #expect(error.code == .invalidArgument)
            #expect(error.detail.contains("no_proxy") && error.detail.contains("\"\(entry)\""), "\(error.detail)")
            #expect(!error.detail.contains("s3cret"))
        }
    }

    @Test("this machine is never reached by a proxy", arguments: ["localhost", "127.0.0.1", "[::1]"])
    func loopback(_ host: String) throws {
        let settings = ProxySettings(["ALL_PROXY": "http://p:1"])
        #expect(try settings.proxy(scheme: "https", host: host, port: 443) == nil)
        #expect(try settings.proxy(scheme: "http", host: host, port: 80) == nil)
    }

    @Test func `a call asks the proxy for a tunnel and shows it no token`() async throws {
        try await RawServer.run(.bytesAndClose("HTTP/1.1 403 Forbidden\r\n\r\n")) { server, url in
            let http = try HTTPClients.clients(
                scheme: "https",
                host: "api.x.invalid",
                port: 443,
                environment: ["HTTPS_PROXY": url]
            ).calls
            let client = try ChatClient(
                api: "https://api.x.invalid",
                token: Token("s3cret"),
                limits: .init(timeout: .seconds(20)),
                retries: .none,
                http: http
            )
            #expect(await thrownCode { _ = try await client.conversations() } == .connection)
            let request = try #require(server.requests.first)
            #expect(request.hasPrefix("CONNECT api.x.invalid:443 HTTP/1.1\r\n"))
            #expect(!request.contains("s3cret"))
        }
    }

    @Test func `clients of one proxy are the same client`() throws {
        func client(_ environment: [String: String]) throws -> HTTPClient {
            let clients = try HTTPClients.clients(
                scheme: "https",
                host: "api.x.com",
                port: 443,
                environment: environment
            )
            #expect(clients.calls !== clients.streams)
            return clients.calls
        }
        #expect(try client([:]) === client(["NO_PROXY": "*", "ALL_PROXY": "http://p:1"]))
        #expect(try client(["ALL_PROXY": "http://p:1"]) === client(["HTTPS_PROXY": "http://p:1"]))
        #expect(try client(["ALL_PROXY": "http://p:1"]) !== client([:]))
    }
}
