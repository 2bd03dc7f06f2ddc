import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import XChatHTTP

/// The server that receives the answer to a sign-in.
@Suite(.timeLimit(.minutes(1)))
struct RedirectListenerTests {
    private struct Setup {
        let authorization: OAuthAuthorization
        let listener: RedirectListener
        let port: Int
        let state: String
        let ignored: Ignored

        var good: String { "/callback?state=\(state)&code=c0de" }
    }

    private final class Ignored: Sendable {
        let count = Mutex(0)
    }

    /// A listener at a port; nil if the port is in use.
    private func listen(_ host: String, _ port: Int) async throws -> Setup? {
        let authorization = try OAuthClient(clientID: "a").authorization(redirectURI: "http://\(host):\(port)/callback")
        let state = try #require(authorization.url.firstMatch(of: /state=([^&]+)/)?.1)
        let ignored = Ignored()
        guard let listener = try await start(authorization, ignored) else { return nil }
        return Setup(
            authorization: authorization,
            listener: listener,
            port: port,
            state: String(state),
            ignored: ignored
        )
    }

    private func start(_ authorization: OAuthAuthorization, _ ignored: Ignored) async throws -> RedirectListener? {
        do throws(APIError) {
            return try await RedirectListener.start(for: authorization) { _ in ignored.count.withLock { $0 += 1 } }
        } catch {
            guard error.problem == "in-use" else { throw error }
            return nil
        }
    }

    /// Listens at a free port, and stops at the end of the body.
    private func run(_ host: String = "127.0.0.1", _ body: (Setup) async throws -> Void) async throws {
        var free: Setup?
        for _ in 0..<20 where free == nil { free = try await listen(host, Int.random(in: 20_000...60_000)) }
        let setup = try #require(free, "no free port")
        do {
            try await body(setup)
        } catch {
            await setup.listener.stop(.failed)
            throw error
        }
        await setup.listener.stop(.failed)
    }

    /// Sends a request and returns the whole answer.
    private func send(
        _ target: String,
        to setup: Setup,
        method: String = "GET",
        host: String? = nil,
        headers: [String] = []
    ) async throws -> String {
        let url = "http://127.0.0.1:\(setup.port)/"
        return try await RawClient.send(method, url, target: target, host: host, headers: headers)
    }

    @Test func `the code reaches the program, and the browser gets the outcome when it is known`() async throws {
        try await run { (setup) async throws in
            async let page = send(setup.good, to: setup)
            #expect(try await setup.listener.code(within: .seconds(20)).secretText == "c0de")
            await setup.listener.stop(.signedIn)
            let answer = try await page
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains("<h1>You are signed in</h1>"))
            let headers = answer.prefix { $0 != "<" }.lowercased()
            for header in [
                "content-security-policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                "x-content-type-options: nosniff", "referrer-policy: no-referrer", "cache-control: no-store",
                "content-type: text/html; charset=utf-8",
            ] {
                #expect(headers.contains(header))
            }
            await #expect(throws: (any Error).self) { _ = try await send(setup.good, to: setup) }
        }
    }

    @Test func `what is not the answer gets a page of our own words, and the listener goes on`() async throws {
        try await run { (setup) async throws in
            func expect(
                _ status: Int,
                _ target: String,
                method: String = "GET",
                host: String? = nil,
                headers: [String] = []
            ) async throws {
                let answer = try await send(target, to: setup, method: method, host: host, headers: headers)
                #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(method) \(target): \(answer.prefix(40))")
                #expect(!answer.contains("script") && !answer.contains("alert"))
            }
            let good = setup.good
            let own = "127.0.0.1:\(setup.port)"
            let hostile = "%3Cscript%3Ealert(1)%3C/script%3E"
            try await expect(400, "/callback?state=x&code=\(hostile)")
            try await expect(400, "/callback?state=x&error=access_denied&error_description=\(hostile)")
            try await expect(400, "/callback?error=access_denied")
            try await expect(400, "/callback")
            try await expect(404, "/favicon.ico")
            try await expect(404, "/callback/?state=\(setup.state)&code=x")
            try await expect(404, "http://\(own)/callback?state=\(setup.state)&code=x")
            try await expect(405, good, method: "POST", headers: ["content-length: 0"])
            try await expect(405, good, method: "HEAD")
            try await expect(403, good, host: "evil.example:\(setup.port)")
            try await expect(403, good, host: "localhost:\(setup.port)")
            try await expect(403, good, host: "127.0.0.1")
            try await expect(403, good, headers: ["host: \(own)"])
            try await expect(403, good, headers: ["origin: https://evil.example"])
            try await expect(403, good, headers: ["origin: null"])
            #expect(setup.ignored.count.withLock { $0 } == 4)
            async let page = send(setup.good, to: setup, headers: ["origin: http://127.0.0.1:\(setup.port)"])
            #expect(try await setup.listener.code(within: .seconds(20)).secretText == "c0de")
            await setup.listener.stop(.failed)
            #expect(try await page.contains("The sign-in failed"))
        }
    }

    @Test func `connections without a request do not keep the browser away`() async throws {
        try await run { (setup) async throws in
            var idle: [any Channel] = []
            for _ in 0..<40 {
                let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connect(host: "127.0.0.1", port: setup.port).get()
                idle.append(connection)
            }
            async let page = send(setup.good, to: setup)
            // Idle connections end by themselves after 10 seconds.
            #expect(try await setup.listener.code(within: .seconds(5)).secretText == "c0de")
            await setup.listener.stop(.signedIn)
            #expect(try await page.contains("You are signed in"))
            for connection in idle { try? await connection.close() }
        }
    }

    @Test func `a second answer is refused`() async throws {
        try await run { (setup) async throws in
            async let first = send(setup.good, to: setup)
            #expect(try await setup.listener.code(within: .seconds(20)).secretText == "c0de")
            let second = try await send(setup.good.replacing("c0de", with: "other"), to: setup)
            #expect(second.hasPrefix("HTTP/1.1 409 "))
            let denied = try await send("/callback?state=\(setup.state)&error=access_denied", to: setup)
            #expect(denied.hasPrefix("HTTP/1.1 409 "))
            await setup.listener.stop(.signedIn)
            #expect(try await first.contains("You are signed in"))
        }
    }

    @Test func `a refusal reaches the program and the browser`() async throws {
        try await run { (setup) async throws in
            async let page = send("/callback?error=access_denied&state=\(setup.state)", to: setup)
            #expect(await thrownCode { _ = try await setup.listener.code(within: .seconds(20)) } == .refused)
            await setup.listener.stop(.refused)
            #expect(try await page.contains("The sign-in was refused"))
        }
    }

    @Test func `the wait ends at its time, and with its task`() async throws {
        try await run { (setup) async throws in
            #expect(await thrownCode { _ = try await setup.listener.code(within: .milliseconds(20)) } == .timedOut)
        }
        try await run { (setup) async throws in
            let task = Task { await thrownCode { _ = try await setup.listener.code(within: .seconds(50)) } }
            task.cancel()
            #expect(await task.value == .cancelled)
        }
    }

    @Test func `localhost listens at both addresses of this machine`() async throws {
        try await run("localhost") { (setup) async throws in
            let page = try await send("/x", to: setup, host: "LocalHost:\(setup.port)")
            #expect(page.hasPrefix("HTTP/1.1 404 "))
        }
    }

    @Test func `a port in use, and a redirect URI of another machine, are errors`() async throws {
        try await run { (setup) async throws in
            let error = await #expect(throws: APIError.self) {
                _ = try await RedirectListener.start(for: setup.authorization) { _ in }
            }
            #expect(error?.problem == "in-use" && error?.detail.contains("127.0.0.1, port \(setup.port)") == true)
        }
        for uri in ["https://example.com/", "xchat://callback", "https://127.0.0.1:8080/"] {
            let authorization = try OAuthClient(clientID: "a").authorization(redirectURI: uri)
            let code = await thrownCode { _ = try await RedirectListener.start(for: authorization) { _ in } }
            #expect(code == .invalidArgument)
        }
    }
}
