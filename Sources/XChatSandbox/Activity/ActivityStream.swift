import Foundation
import Hummingbird
import NIOCore
import ServiceLifecycle

/// One connection to the activity stream.
///
/// The connection carries a line for each event, and keep-alives.
struct ActivityStream {
    let stream: ActivityHub.Stream
    let faults: SandboxFaults
    let random: SeededRandom
    /// The events before the connection; nil if the request does not ask for them.
    let backfill: ActivityBackfill?
    /// When the stream ends, in milliseconds since 1970; nil for a stream without an end.
    let end: Int64?

    /// The body of the answer.
    ///
    /// The body ends when the client or the server closes the connection, at the requested time, or by a fault.
    func body(of request: Request) -> ResponseBody {
        ResponseBody { writer in
            let continuation = stream.continuation
            // The end of the client's requests shows that it closed the connection. A failing write would show it
            // later.
            try await request.body.consumeWithInboundCloseHandler { _ in
                try await withGracefulShutdownHandler {
                    try await write(to: &writer)
                } onGracefulShutdown: {
                    continuation.finish()
                }
            } onInboundClosed: {
                continuation.finish()
            }
            try await writer.finish(nil)
        }
    }

    @concurrent
    private func write(to writer: inout any ResponseBodyWriter) async throws {
        // The head is sent with the first bytes, and a client waits for it.
        try await writer.write(Self.lineEnd)
        var backfill = backfill
        while !Task.isShuttingDownGracefully, let lines = try await backfill?.next() {
            for line in lines { try await writer.write(Self.line(line)) }
        }
        let (continuation, keepAlive, end) = (stream.continuation, faults.keepAlive, end)
        let ticking = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: keepAlive)
                continuation.yield(.tick)
            }
        }
        defer { ticking.cancel() }
        let ending = Task {
            guard let end else { return }
            try await Task.sleep(for: .milliseconds(max(0, end - SandboxState.milliseconds())))
            continuation.finish()
        }
        defer { ending.cancel() }
        try await writeItems(to: &writer)
    }

    @concurrent
    private func writeItems(to writer: inout any ResponseBodyWriter) async throws {
        var held: ByteBuffer?
        for await item in stream.items {
            switch item {
            case .tick:
                try await writer.write(Self.lineEnd)
            case .line(let line):
                // The prefix of server-sent events.
                let isGarbled = random.happens(faults.garble)
                let line = Self.line(isGarbled ? Data("data: ".utf8) + line : line)
                if held == nil, random.happens(faults.reorder) {
                    held = line
                    continue
                }
                try await writer.write(line)
                if random.happens(faults.duplicate) { try await writer.write(line) }
                if random.happens(faults.disconnect) {
                    try await writer.write(Self.line(try Self.disconnection.text()))
                    return
                }
            }
            // A held line is sent after the next item, which is another line or a keep-alive.
            if let line = held {
                try await writer.write(line)
                held = nil
            }
        }
    }

    private static let lineEnd = ByteBuffer(string: "\r\n")

    private static func line(_ data: Data) -> ByteBuffer {
        var buffer = ByteBuffer(bytes: data)
        buffer.writeString("\r\n")
        return buffer
    }

    private static let disconnection = JSON.object([
        "errors": .list([
            .object([
                "title": "operational-disconnect",
                "disconnect_type": "UpstreamOperationalDisconnect",
                "detail": "This stream has been disconnected upstream for operational reasons.",
                "type": "https://api.x.com/2/problems/operational-disconnect",
            ])
        ])
    ])
}
