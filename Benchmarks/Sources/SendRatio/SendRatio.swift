import AsyncHTTPClient
import Fixtures
import Foundation
import NIOCore
import NIOHTTP1
import XChatEngine
import XChatEvents
import XChatHTTP

/// Compares `ChatClient.send` with the HTTP client alone, and shows the memory over many calls.
///
/// Both post the same bytes to the same null server, in turns within one run. The server is another process.
@main
struct SendRatio {
    static let rounds = 5

    static func main() async throws {
        let arguments = CommandLine.arguments
        if arguments.count == 3, arguments[1] == "serve" {
            // Standard input ends with the process that measures, however it ends.
            Thread.detachNewThread {
                while readLine() != nil {}
                exit(0)
            }
            try await NullServer.run(body: arguments[2]) { port in
                print(port)
                fflush(nil)
            }
            return
        }
        let message = try People(.xchat).message(text(200))
        var event = message.event
        event.sequenceID = "2070276095283454003"
        let body = #"{"data":{"encoded_message_event":"\#(Base64.encode(event.encoded()))"}}"#
        let (server, url) = try startServer(answering: body)
        defer { server.terminate() }
        try await measure(Sender(url: url, message: message))
    }

    private static func startServer(answering body: String) throws -> (Process, url: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["serve", body]
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = Pipe()
        try process.run()
        let port = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        return (process, "http://127.0.0.1:\(port.filter(\.isNumber))")
    }

    private static func measure(_ sender: Sender) async throws {
        print("calls a second, median of \(rounds) rounds in turns\n")
        print("| at a time | HTTP client | ChatClient.send | ratio | processor time, µs |\n|--:|--:|--:|--:|--:|")
        for (concurrency, count) in [(1, 2_000), (16, 8_000)] {
            var (bare, chat): ([Figure], [Figure]) = ([], [])
            for round in 0...rounds {
                let first = try await run(count, concurrency) { try await sender.bare() }
                let second = try await run(count, concurrency) { try await sender.send() }
                // The first round warms up.
                if round > 0 {
                    bare.append(first)
                    chat.append(second)
                }
            }
            let ratios = zip(bare, chat).map { $1.perSecond / $0.perSecond }
            let row = [
                "\(concurrency)", whole(bare.map(\.perSecond)), whole(chat.map(\.perSecond)),
                String(format: "%.2f", median(ratios)),
                "\(whole(bare.map(\.microseconds))) / \(whole(chat.map(\.microseconds)))",
            ]
            print("| \(row.joined(separator: " | ")) |")
            fflush(nil)
        }
        print("\nresident memory over calls of ChatClient.send, 16 at a time\n\n| calls | MiB |\n|--:|--:|")
        for step in 0...4 {
            print("| \(step * 50_000) | \(residentMebibytes()) |")
            fflush(nil)
            if step < 4 { _ = try await run(50_000, 16) { try await sender.send() } }
        }
    }

    private struct Figure {
        let perSecond: Double
        /// Processor time of this process for one call.
        let microseconds: Double
    }

    private static func run(
        _ count: Int,
        _ concurrency: Int,
        _ call: @escaping @Sendable () async throws -> Void
    ) async throws -> Figure {
        let start = ContinuousClock.now
        let processor = clock()
        try await withThrowingTaskGroup { group in
            for _ in 0..<concurrency {
                group.addTask { for _ in 0..<count / concurrency { try await call() } }
            }
            try await group.waitForAll()
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let microseconds = Double(clock() - processor) / Double(CLOCKS_PER_SEC) * 1e6
        return Figure(perSecond: Double(count) / seconds, microseconds: microseconds / Double(count))
    }

    private static func median(_ figures: [Double]) -> Double { figures.sorted()[figures.count / 2] }

    private static func whole(_ figures: [Double]) -> String { String(format: "%.0f", median(figures)) }

    private static func residentMebibytes() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return (pages * Int(sysconf(Int32(_SC_PAGESIZE)))) >> 20
    }
}

/// Sends one message again and again, in both ways.
private struct Sender: Sendable {
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    let message: SealedMessage
    let client: ChatClient
    let url: String
    let body: ByteBuffer

    init(url: String, message: SealedMessage) throws {
        self.message = message
        client = try ChatClient(api: url, token: Token("t"), http: Self.http)
        self.url = url + "/2/chat/conversations/1111-2222/messages"
        let members = [
            "message_id": message.messageID.string,
            "encoded_message_create_event": message.encodedMessageCreateEvent,
            "encoded_message_event_signature": message.encodedMessageEventSignature,
        ]
        body = ByteBuffer(bytes: try JSONEncoder().encode(members))
    }

    func send() async throws {
        _ = try await client.send(message)
    }

    /// As the documentation of the HTTP client shows it.
    func bare() async throws {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "authorization", value: "Bearer t")
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(body)
        let response = try await Self.http.execute(request, timeout: .seconds(60))
        guard response.status == .created, try await response.body.collect(upTo: 1 << 20).readableBytes > 0 else {
            throw APIFailure()
        }
    }

    private struct APIFailure: Error {}
}
