import Fixtures
import Foundation
import XChatEngine
import XChatEvents
import XChatHTTP

/// Encrypts messages of 200 bytes for many conversations, all with ids of the same length.
struct Sealer: Sendable {
    static let user: UserID = "1111"

    private let session: Session
    private let conversations: [ConversationID]

    init(conversations count: Int) throws {
        var session = try Session(userID: Self.user, privateKeys: try .generate(), signingKeyVersion: "1")
        conversations = (0..<count).map { .oneToOne(Self.user, UserID(String(10_000_000 + $0))) }
        for conversation in conversations {
            try session.addConversationKey(try .generate(), in: conversation, version: "1001")
        }
        self.session = session
    }

    /// Makes new messages, in turns for the first `number` conversations.
    func messages(_ count: Int, conversations number: Int = 1) throws -> [SealedMessage] {
        try (0..<count).map { try session.seal(.text(text(200)), in: conversations[$0 % number]) }
    }
}

/// The null server in a separate process, and a client of it.
final class Server {
    let client: ChatClient
    let url: String
    private let process: Process

    /// Starts the server.
    init(_ sealer: Sealer) throws {
        guard let message = try sealer.messages(1).first else { throw NoServer() }
        var event = message.event
        event.sequenceID = "2070276095283454003"
        process = Process()
        process.executableURL = program
        process.arguments = [
            "serve", Base64.encode(event.encoded()), message.messageID.string, message.conversationID.text.string,
        ]
        let output = Pipe()
        process.standardOutput = output
        // When this process ends, the pipe ends too, and the server stops.
        process.standardInput = Pipe()
        try process.run()
        let port = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).filter(\.isNumber)
        url = "http://127.0.0.1:\(port)"
        client = try ChatClient(api: url, token: Token("t"))
    }

    deinit { process.terminate() }

    /// Runs the server, in its process, until standard input ends.
    static func serve(_ arguments: [String]) throws {
        guard arguments.count == 3,
            let template = NullServer.Template(
                event: try Base64.decode(arguments[0]),
                messageID: arguments[1],
                conversationID: arguments[2]
            )
        else { throw NoServer() }
        let server = try NullServer(template)
        print(server.port)
        // Flushed before a thread reads standard input: fflush(nil) waits for all streams.
        fflush(nil)
        Thread.detachNewThread {
            while readLine() != nil {}
            exit(0)
        }
        try server.run()
    }

    private struct NoServer: Error {}
}

/// The executable of this program, to start it in other processes.
let program = URL(filePath: Bundle.main.executablePath ?? CommandLine.arguments[0])

/// Calls a function with each element, `concurrency` of them at a time.
func concurrently<Element: Sendable>(
    _ elements: [Element],
    _ concurrency: Int,
    _ call: @escaping @Sendable (Element) async throws -> Void
) async throws {
    try await withThrowingTaskGroup { group in
        for first in 0..<concurrency {
            group.addTask {
                for index in stride(from: first, to: elements.count, by: concurrency) {
                    try await call(elements[index])
                }
            }
        }
        try await group.waitForAll()
    }
}
