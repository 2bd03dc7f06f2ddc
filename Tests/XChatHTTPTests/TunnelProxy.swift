import NIOCore
import NIOPosix
import Synchronization

/// A proxy that opens tunnels (`CONNECT`), all of them to one port of this machine, or refuses them.
final class TunnelProxy: Sendable {
    private struct State {
        var requests: [String] = []
        var firstBytes: [[UInt8]] = []
    }

    private let state = Mutex(State())
    private let port: Int?
    private let refusal: String

    private init(port: Int?, refusal: String) {
        (self.port, self.refusal) = (port, refusal)
    }

    /// The heads of the requests.
    var requests: [String] { state.withLock { $0.requests } }

    /// The first two bytes of what each client sent through its tunnel.
    var firstBytes: [[UInt8]] { state.withLock { $0.firstBytes } }

    /// Runs a proxy while the body runs.
    ///
    /// - Parameters:
    ///   - port: Where all tunnels lead; nil to refuse them.
    ///   - refusal: The answer to a request that is refused.
    ///   - body: The test.
    /// - Throws: What the body throws.
    static func run(
        to port: Int? = nil,
        refusing refusal: String = "",
        body: (TunnelProxy, _ url: String) async throws -> Void
    ) async throws {
        let proxy = TunnelProxy(port: port, refusal: refusal)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Client(proxy))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(proxy, "http://127.0.0.1:\(channel.localAddress?.port ?? 0)")
        } catch {
            try? await channel.close()
            throw error
        }
        try await channel.close()
    }

    /// The side of the client.
    private final class Client: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let proxy: TunnelProxy
        private var head = ""
        private var server: (any Channel)?
        private var hasSent = false

        init(_ proxy: TunnelProxy) {
            self.proxy = proxy
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            if let server {
                if !hasSent {
                    proxy.state.withLock { $0.firstBytes.append(Array(buffer.readableBytesView.prefix(2))) }
                }
                hasSent = true
                return server.writeAndFlush(buffer, promise: nil)
            }
            head += String(buffer: buffer)
            guard head.utf8.count >= 4, head.hasSuffix("\r\n\r\n") else { return }
            proxy.state.withLock { $0.requests.append(head) }
            guard let port = proxy.port else {
                return context.channel.writeAndFlush(ByteBuffer(string: proxy.refusal), promise: nil)
            }
            let client = context.channel
            ClientBootstrap(group: context.eventLoop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Server(client))
                    }
                }
                .connect(host: "127.0.0.1", port: port)
                .assumeIsolated()
                .whenSuccess { server in
                    self.server = server
                    client.writeAndFlush(
                        ByteBuffer(string: "HTTP/1.1 200 Connection established\r\n\r\n"),
                        promise: nil
                    )
                }
        }

        func channelInactive(context: ChannelHandlerContext) {
            server?.close(promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    /// The side of the server.
    private final class Server: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let client: any Channel

        init(_ client: any Channel) {
            self.client = client
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            client.writeAndFlush(unwrapInboundIn(data), promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            client.close(promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
