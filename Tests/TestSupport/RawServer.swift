package import NIOCore
import NIOPosix
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What a ``RawServer`` does with one request.
package enum RawAnswer: Sendable {
    /// These bytes, then the connection stays open.
    case bytes(String)
    /// These bytes, then the connection is closed.
    case bytesAndClose(String)
    /// These bytes, then `more` again and again, as fast as the peer reads, or with a pause of milliseconds before
    /// each.
    case endless(String, more: String, pause: Int64? = nil)
    /// Bytes that are no text, then the connection stays open.
    case binary([UInt8])
    /// The connection is reset.
    case reset
    /// Nothing, for ever.
    case silence

    /// A well-formed HTTP answer.
    package static func http(_ status: Int, type: String = "application/json", headers: [String] = [], _ body: String)
        -> Self
    {
        let lines = ["HTTP/1.1 \(status) X", "content-type: \(type)", "content-length: \(body.utf8.count)"] + headers
        return .bytes(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }
}

/// A TCP server on a loopback port that answers as the test says, correct HTTP or not, and remembers what it was sent.
package final class RawServer: Sendable {
    private struct State {
        var answers: [RawAnswer]
        var requests: [String] = []
        var bytesWritten = 0
    }

    private let state: Mutex<State>
    private let answering: (@Sendable (_ request: String) -> RawAnswer)?

    private init(_ answers: [RawAnswer], answering: (@Sendable (_ request: String) -> RawAnswer)? = nil) {
        state = Mutex(State(answers: answers))
        self.answering = answering
    }

    /// The requests as they came, head and body.
    package var requests: [String] { state.withLock { $0.requests } }

    /// How many bytes of endless answers the sockets have taken, their first part excepted.
    package var bytesWritten: Int { state.withLock { $0.bytesWritten } }

    fileprivate func wrote(_ count: Int) { state.withLock { $0.bytesWritten += count } }

    /// Serves the answers in turn, the last one for ever, while the body runs.
    package static func run<Result>(
        _ answers: RawAnswer...,
        body: (RawServer, _ url: String) async throws -> Result
    ) async throws -> Result {
        try await run(answers, body: body)
    }

    /// Serves the answers in turn, the last one for ever, while the body runs.
    ///
    /// - Parameters:
    ///   - answers: The answers.
    ///   - tls: Makes the handler of a connection that speaks TLS; nil for plain TCP.
    ///   - body: The test.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws.
    package static func run<Result>(
        _ answers: [RawAnswer],
        tls: (@Sendable () throws -> any ChannelHandler)? = nil,
        body: (RawServer, _ url: String) async throws -> Result
    ) async throws -> Result {
        try await run(RawServer(answers), tls: tls, body)
    }

    /// Serves what a function answers to each request, head and body, while the body runs.
    package static func run<Result>(
        answering: @escaping @Sendable (_ request: String) -> RawAnswer,
        body: (RawServer, _ url: String) async throws -> Result
    ) async throws -> Result {
        try await run(RawServer([.silence], answering: answering), body)
    }

    private static func run<Result>(
        _ server: RawServer,
        tls: (@Sendable () throws -> any ChannelHandler)? = nil,
        _ body: (RawServer, _ url: String) async throws -> Result
    ) async throws -> Result {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let handler = try tls?() { try channel.pipeline.syncOperations.addHandler(handler) }
                    try channel.pipeline.syncOperations.addHandler(Connection(server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            let result = try await body(server, "http://127.0.0.1:\(channel.localAddress?.port ?? 0)")
            try await channel.close()
            return result
        } catch {
            try? await channel.close()
            throw error
        }
    }

    fileprivate func answer(to request: String) -> RawAnswer {
        if let answering {
            state.withLock { $0.requests.append(request) }
            return answering(request)
        }
        return state.withLock { state in
            state.requests.append(request)
            return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
        }
    }

    private final class Connection: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let server: RawServer
        private var received = ""

        init(_ server: RawServer) {
            self.server = server
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
            guard let head = received.firstRange(of: "\r\n\r\n") else { return }
            let length = received.firstMatch(of: /(?i)content-length: (\d+)/).flatMap { Int($0.1) } ?? 0
            guard received[head.upperBound...].utf8.count >= length else { return }
            let answer = server.answer(to: received)
            received = ""
            switch answer {
            case .bytes(let text):
                write(text, to: context.channel, promise: nil)
            case .bytesAndClose(let text):
                let channel = context.channel
                let written = context.eventLoop.makePromise(of: Void.self)
                written.futureResult.whenComplete { _ in channel.close(promise: nil) }
                write(text, to: channel, promise: written)
            case .endless(let head, let more, let pause):
                write(head, to: context.channel, promise: nil)
                writeAgain(more, pause: pause, on: context.channel, of: server)
            case .binary(let bytes):
                context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
            case .reset:
                // To close without lingering sends a reset.
                let channel = context.channel
                (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
                    .whenComplete { _ in channel.close(promise: nil) }
            case .silence:
                break
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}

private func write(_ text: String, to channel: any Channel, promise: EventLoopPromise<Void>?) {
    channel.writeAndFlush(ByteBuffer(string: text), promise: promise)
}

private func writeAgain(_ text: String, pause: Int64?, on channel: any Channel, of server: RawServer) {
    let written = channel.eventLoop.makePromise(of: Void.self)
    written.futureResult.whenSuccess {
        server.wrote(text.utf8.count)
        if let pause {
            _ = channel.eventLoop.scheduleTask(in: .milliseconds(pause)) {
                writeAgain(text, pause: pause, on: channel, of: server)
            }
        } else {
            writeAgain(text, pause: pause, on: channel, of: server)
        }
    }
    write(text, to: channel, promise: written)
}
