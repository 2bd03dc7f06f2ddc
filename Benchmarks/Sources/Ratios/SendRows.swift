import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import XChatEngine
import XChatEvents
import XChatHTTP

/// `ChatClient.send`, against the HTTP client alone with the same requests to the same server.
struct SendRows {
    private let client: ChatClient
    private let message: SealedMessage
    private let url: String
    private let body: ByteBuffer
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    init(_ sealer: Sealer, _ server: Server) throws {
        message = try sealer.messages(1)[0]
        client = try ChatClient(api: server.url, token: Token("t"), http: Self.http)
        let conversation = try ConversationTarget(message.conversationID).pathComponent
        url = "\(server.url)/2/chat/conversations/\(conversation)/messages"
        let members = [
            "message_id": message.messageID.string,
            "encoded_message_create_event": message.encodedMessageCreateEvent,
            "encoded_message_event_signature": message.encodedMessageEventSignature,
        ]
        body = ByteBuffer(bytes: try JSONEncoder().encode(members))
    }

    /// The rates and the processor times.
    func rates(concurrency: Int, count: Int) async throws -> [Row] {
        let rounds = try await Rounds(7) {
            try await send(count, concurrency)
        } floor: {
            try await Figure.of(count) {
                try await concurrently(Array(0..<count), concurrency) { _ in try await bare() }
            }
        }
        let what = "ChatClient.send, \(concurrency) at a time; AsyncHTTPClient"
        return [
            rounds.rates("send-\(concurrency)", what, 0.7),
            rounds.processorTimes("send-\(concurrency)", what, .atMost(1 / 0.7)),
        ]
    }

    /// Resident memory after 200,000 calls, against that after 50,000.
    func memory() async throws -> Row {
        var resident: [Double] = []
        for _ in 0..<4 {
            _ = try await send(50_000, 16)
            resident.append(Memory.resident)
        }
        return Row(
            "memory",
            "resident memory after 200,000 calls of ChatClient.send; after 50,000",
            .ratio,
            .atMost(1.1),
            ours: resident[3],
            floor: resident[0],
            unit: "MiB"
        )
    }

    private func send(_ count: Int, _ concurrency: Int) async throws -> Figure {
        try await Figure.of(count) {
            try await concurrently(Array(0..<count), concurrency) { _ in _ = try await client.send(message) }
        }
    }

    /// As the documentation of the HTTP client shows it.
    private func bare() async throws {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "authorization", value: "Bearer t")
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(body)
        let response = try await Self.http.execute(request, timeout: .seconds(60))
        guard response.status == .created, try await response.body.collect(upTo: 1 << 20).readableBytes > 0 else {
            throw UnexpectedRefusal()
        }
    }
}

/// The memory of this process, in MiB.
enum Memory {
    static var resident: Double {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? .nan
        return pages * Double(sysconf(Int32(_SC_PAGESIZE))) / Double(1 << 20)
    }

    /// The most that was resident at a time.
    ///
    /// `getrusage` would count what the parent had when it made this process.
    static var peak: Double {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return (line.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? .nan) / 1024
    }
}
