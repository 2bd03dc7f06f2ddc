import Foundation
import NIOCore
import NIOPosix
import TestSupport
import Testing
import XChatEvents
import XChatSandbox

@testable import XChatHTTP

/// Start and end of the sandbox server.
@Suite(.timeLimit(.minutes(1)))
struct SandboxServerTests {
    private struct Stop: Error {}

    private func answers(_ url: URL) async throws -> Bool {
        let client = try ChatClient(api: url.absoluteString, token: Token("sandbox-1"))
        return await thrownCode { _ = try await client.publicKeys(of: "1") } == .notFound
    }

    @Test func `serves only while the body runs`() async throws {
        let url = try await Sandbox().serving { url in
            let isUp = try await answers(url)
            #expect(isUp)
            return url
        }
        #expect(url.host() == "127.0.0.1")
        #expect(try await !answers(url))
    }

    @Test func `rethrows the error of the body and ends`() async throws {
        let (urls, report) = AsyncStream.makeStream(of: URL.self)
        await #expect(throws: Stop.self) {
            try await Sandbox().serving { url -> Void in
                report.yield(url)
                report.finish()
                throw Stop()
            }
        }
        for await url in urls { #expect(try await !answers(url)) }
    }

    @Test func `a port in use is an error`() async throws {
        try await Sandbox().serving { url in
            await #expect(throws: (any Error).self) {
                try await Sandbox(port: url.port ?? 0).serving { _ in }
            }
        }
    }

    @Test("an invalid port is an error", arguments: [-1, 65536, Int.max])
    func noPort(_ port: Int) async throws {
        await #expect(throws: (any Error).self) { try await Sandbox(port: port).serving { _ in } }
    }

    @Test(.timeLimit(.minutes(1))) func `idle and incomplete connections do not delay its end`()
        async throws
    {
        try await Sandbox().serving { url in
            for text in ["", "GET /2/users/1/public_keys HTTP/1.1\r\n", Self.halfRequest] {
                let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connect(host: "127.0.0.1", port: url.port ?? 0).get()
                try await channel.writeAndFlush(ByteBuffer(string: text))
            }
            let isUp = try await answers(url)
            #expect(isUp)
        }
    }

    private static let halfRequest =
        "POST /2/users/1/public_keys HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sandbox-1\r\ncontent-length: 9\r\n\r\n{"

    @Test func `https to a server that speaks plain http is a connection error`() async throws {
        try await Sandbox().serving { url in
            let api = url.absoluteString.replacing("http:", with: "https:")
            let client = try ChatClient(api: api, token: Token("sandbox-1"))
            let code = await thrownCode { _ = try await client.publicKeys(of: "1") }
            #expect(code == .connection)
        }
    }

    @Test func `SIGTERM ends it with status 0`() async {
        await #expect(processExitsWith: .success) {
            try await Sandbox().run(stopsOnSignals: true) { _ in kill(getpid(), SIGTERM) }
        }
    }

    @Test func `SIGINT ends it with status 0`() async {
        await #expect(processExitsWith: .success) {
            try await Sandbox().run(stopsOnSignals: true) { _ in kill(getpid(), SIGINT) }
        }
    }

    @Test("a signal ends it despite an incomplete request", arguments: [SIGTERM, SIGINT])
    func halfway(_ signal: Int32) async {
        await #expect(processExitsWith: .success) { [signal = signal as Int32] in
            // Ends the process with a failure where 30 seconds of silence would end the connection.
            alarm(20)
            try await Sandbox().run(stopsOnSignals: true) { url in
                Task {
                    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                        .connect(host: "127.0.0.1", port: url.port ?? 0).get()
                    try await channel.writeAndFlush(ByteBuffer(string: Self.halfRequest))
                    try await Task.sleep(for: .milliseconds(300))
                    kill(getpid(), signal)
                }
            }
        }
    }

    @Test func `a request that is not HTTP does not end it`() async throws {
        try await Sandbox().serving { url in
            for text in ["\u{0}\u{1}\r\n\r\n", "GET\r\n\r\n", "POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n"] {
                let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connect(host: "127.0.0.1", port: url.port ?? 0).get()
                try await channel.writeAndFlush(ByteBuffer(string: text))
                try await channel.closeFuture.get()
            }
            let isUp = try await answers(url)
            #expect(isUp)
        }
    }
}
