import Foundation
import LibSodium
import Synchronization
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP

/// An outbox in an account file of its own, in a folder that goes away with it.
struct ScratchOutbox {
    let outbox: Outbox
    private let folder: ScratchFolder

    init(concurrency: Int = 4) async throws {
        folder = try ScratchFolder()
        let passphrase = try SecretBytes(copying: Array("ratios".utf8).span)
        let store = try await AccountFile.create(folder.path("account.db"), passphrase: passphrase, limits: .minimum)
        var outbox = try await Outbox(opening: store, userID: Sealer.user)
        outbox.concurrency = concurrency
        self.outbox = outbox
    }

    /// Posts all that is queued.
    func drain(_ client: some MessageSending) async throws {
        try await outbox.drain(client: client) { _ in throw UnexpectedRefusal() }
    }

    /// Posts what is enqueued while a function runs.
    func running(_ client: some MessageSending, _ body: () async throws -> Void) async throws {
        let outbox = outbox
        try await withThrowingTaskGroup { group in
            group.addTask { try await outbox.run(client: client) { _ in throw UnexpectedRefusal() } }
            try await body()
            group.cancelAll()
            // The worker ends with a cancellation.
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }
}

/// The null server refuses nothing.
struct UnexpectedRefusal: Error {}

/// A folder that goes away with its owner.
final class ScratchFolder {
    private let url = FileManager.default.temporaryDirectory.appending(path: "ratios-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appending(path: name).path() }
}

/// Sending with the outbox, against `ChatClient.send` of as many new messages to the same server.
struct DrainRows {
    let sealer: Sealer
    let server: Server

    /// From the queues of some conversations, all at a time, in each of them one message after the other.
    func few(_ number: Int, _ target: Double) async throws -> [Row] {
        let rounds = try await rounds(count: number == 1 ? 2_000 : 6_000, conversations: number)
        let what = "outbox, \(number) conversation\(number == 1 ? "" : "s"); ChatClient.send, \(number) at a time"
        return [
            rounds.rates("drain-\(number)", what, target),
            rounds.processorTimes("drain-\(number)", what),
        ]
    }

    /// From the queues of many conversations; the floor is the outbox itself with as many messages of few
    /// conversations.
    func many() async throws -> [Row] {
        let (many, few) = (try await ScratchOutbox(concurrency: 16), try await ScratchOutbox(concurrency: 16))
        let rounds = try await Rounds(7) {
            try await drain(many, count: 6_000, conversations: 3_000)
        } floor: {
            try await drain(few, count: 6_000, conversations: 16)
        }
        let what = "outbox, 3,000 conversations; 16 conversations; both 16 at a time"
        return [rounds.rates("drain-3000", what, 0.5), rounds.processorTimes("drain-3000", what)]
    }

    private func rounds(count: Int, conversations: Int) async throws -> Rounds {
        let scratch = try await ScratchOutbox(concurrency: conversations)
        let client = server.client
        return try await Rounds(7) {
            try await drain(scratch, count: count, conversations: conversations)
        } floor: {
            let messages = try sealer.messages(count, conversations: conversations)
            return try await Figure.of(count) {
                try await concurrently(messages, conversations) { _ = try await client.send($0) }
            }
        }
    }

    private func drain(_ scratch: ScratchOutbox, count: Int, conversations: Int) async throws -> Figure {
        try await scratch.outbox.enqueue(try sealer.messages(count, conversations: conversations))
        return try await Figure.of(count) { try await scratch.drain(server.client) }
    }
}

/// The outbox that waits, and how soon it sends what comes then.
struct IdleRows {
    let sealer: Sealer
    let server: Server

    /// Statements of SQL while nothing is queued.
    func statements() async throws -> Row {
        let seconds = 4
        let scratch = try await SQLite.countingStatements { try await ScratchOutbox() }
        var count = 0
        try await scratch.running(server.client) {
            try await Task.sleep(for: .seconds(1))
            let before = SQLite.executedStatements
            try await Task.sleep(for: .seconds(seconds))
            count = SQLite.executedStatements - before
        }
        let rate = Double(count) / Double(seconds)
        return Row("idle", "SQL statements of an idle outbox", .ours, .atMost(0), ours: rate, unit: "/s")
    }

    /// From `enqueue` to the server's answer, against `ChatClient.send` alone; medians.
    func latency() async throws -> Row {
        let scratch = try await ScratchOutbox()
        let client = NotingClient(client: server.client)
        var (ours, floor): ([Double], [Double]) = ([], [])
        try await scratch.running(client) {
            for message in try sealer.messages(300) {
                let direct = try sealer.messages(1)[0]
                floor.append(try await milliseconds { _ = try await server.client.send(direct) })
                let (answers, answer) = AsyncStream.makeStream(of: Void.self)
                client.answered.withLock { $0 = answer }
                ours.append(
                    try await milliseconds {
                        try await scratch.outbox.enqueue(message)
                        for await _ in answers { break }
                    }
                )
                // Each message finds an idle outbox.
                try await Task.sleep(for: .milliseconds(15))
            }
        }
        let what = "enqueue until the server has the message; ChatClient.send"
        return Row("wake", what, .difference, .atMost(2), ours: median(ours), floor: median(floor), unit: "ms")
    }

    /// Posts with a client, and tells when the answer is there.
    private final class NotingClient: MessageSending {
        let answered = Mutex<AsyncStream<Void>.Continuation?>(nil)
        private let client: ChatClient

        init(client: ChatClient) { self.client = client }

        func post(_ message: SealedMessage) async throws(APIError) -> SentMessage {
            let sent = try await client.post(message)
            answered.withLock { _ = $0?.yield() }
            return sent
        }

        func posted(_ message: SealedMessage, by sender: UserID) async throws(APIError) -> PostedMessages {
            try await client.posted(message, by: sender)
        }
    }
}

/// Writing messages to the queue, against inserts of the same bytes with the same durability in the same file system.
struct EnqueueRows {
    let sealer: Sealer

    /// In batches of `size`.
    func batches(of size: Int, count: Int) async throws -> [Row] {
        let scratch = try await ScratchOutbox()
        let folder = try ScratchFolder()
        let table = try InsertTable(folder.path("floor.db"))
        let rounds = try await Rounds(7) {
            let messages = try sealer.messages(count)
            return try await Figure.of(count) {
                for first in stride(from: 0, to: count, by: size) {
                    try await scratch.outbox.enqueue(Array(messages[first..<min(first + size, count)]))
                }
            }
        } floor: {
            try await Figure.of(count) { try table.insert(count, groups: size) }
        }
        let what = "enqueue, \(size) at a time; SQLite inserts in as large transactions"
        return [rounds.rates("enqueue-\(size)", what, 0.8), rounds.processorTimes("enqueue-\(size)", what)]
    }
}
