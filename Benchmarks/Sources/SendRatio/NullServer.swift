import Foundation
import NIOCore
import NIOPosix

/// A server that answers every request with the same 201: next to no time of its own, so that the client's shows.
enum NullServer {
    /// Serves on a loopback port until the process ends.
    ///
    /// - Parameters:
    ///   - body: The body of every answer.
    ///   - started: Called with the port.
    /// - Throws: If the port cannot be opened.
    static func run(body: String, started: @Sendable (Int) -> Void) async throws {
        let head =
            "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n\r\n"
        let answer = ByteBuffer(string: head + body)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup(numberOfThreads: 1))
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        started(channel.localAddress?.port ?? 0)
        try await channel.closeFuture.get()
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private static let headEnd = Array("\r\n\r\n".utf8)
        private static let length = Array("content-length: ".utf8)

        private let answer: ByteBuffer
        private var received = ByteBuffer()

        init(_ answer: ByteBuffer) {
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.writeImmutableBuffer(unwrapInboundIn(data))
            while let count = requestBytes, received.readableBytes >= count {
                received.moveReaderIndex(forwardBy: count)
                context.write(wrapOutboundOut(answer), promise: nil)
            }
            received.discardReadBytes()
            context.flush()
        }

        /// The size of the first request with its body, once its head is there.
        private var requestBytes: Int? {
            let bytes = received.readableBytesView
            guard let end = bytes.firstRange(of: Self.headEnd) else { return nil }
            let head = bytes[..<end.lowerBound]
            guard let name = head.firstRange(of: Self.length) else { return end.upperBound - bytes.startIndex }
            let digits = head[name.upperBound...].prefix { (0x30...0x39).contains($0) }
            return end.upperBound - bytes.startIndex + digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
