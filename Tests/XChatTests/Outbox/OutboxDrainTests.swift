import Foundation
import Synchronization
import TestSupport
import Testing
import XChatEngine
import XChatEvents

@testable import XChat
@testable import XChatHTTP

/// Posting: order, faults, stale keys, and a crash between any two steps.
@Suite(.timeLimit(.minutes(1)))
struct OutboxWorkerTests {
    private let folder: ScratchFolder
    private let sealer: Sealer

    init() throws {
        folder = try ScratchFolder()
        sealer = try Sealer()
    }

    private func drain(_ outbox: Outbox, _ server: ToyServer, until: MessageID? = nil) async throws {
        try await outbox.drain(client: server, until: until) { _ in sealer.renewed }
    }

    private static func refused(_ type: FailureType) -> APIError {
        var error = APIError(.failureEvent, "refused")
        error.failure = type
        return error
    }

    @Test func `faults of every kind keep the order, and nothing is sent twice`() async throws {
        let outbox = try await folder.outbox()
        let server = ToyServer { message, count in
            switch (message.messageID.utf8.first ?? 0) % 4 {
            case 0 where count < 3: .before(APIError(.connection, "lost"))
            case 1 where count < 2: .after(APIError(.timedOut, "lost"))
            case 2 where count < 1: .before(APIError(.rateLimited, "slowly"))
            case 3 where count < 4: .after(APIError(.server, "oops"))
            default: nil
            }
        }
        let texts = (0..<20).map(String.init)
        for text in texts {
            try await outbox.enqueue([sealer.seal(text), sealer.seal(text, in: Sealer.b)])
        }
        try await drain(outbox, server)
        #expect(try server.texts(Sealer.a, sealer) == texts)
        #expect(try server.texts(Sealer.b, sealer) == texts)
        #expect(server.state.withLock { $0.contradictions }.isEmpty)
        #expect(try await outbox.list().isEmpty)
        #expect(try await outbox.list([.sent]).allSatisfy { $0.sequenceID == "7" })
    }

    @Test func `a message that the server refuses becomes a dead letter, and the others are sent`() async throws {
        let outbox = try await folder.outbox()
        let messages = try ["one", "poison", "three"].map { try sealer.seal($0) }
        let poison = messages[1].messageID
        let isHealed = Mutex(false)
        let server = ToyServer { message, _ in
            guard message.messageID == poison, !isHealed.withLock({ $0 }) else { return nil }
            return .before(Self.refused(.contentsTooLarge))
        }
        try await outbox.enqueue(messages)
        try await drain(outbox, server)
        #expect(try server.texts(Sealer.a, sealer) == ["one", "three"])
        let entry = try #require(try await outbox.list().first)
        #expect(entry.state == .deadLetter)
        #expect(entry.reason == "failure_event: refused")

        isHealed.withLock { $0 = true }
        try await outbox.retry(poison)
        try await drain(outbox, server)
        #expect(try server.texts(Sealer.a, sealer) == ["one", "three", "poison"])
    }

    @Test func `a message refused for a stale key is encrypted again, and keeps its position`() async throws {
        let outbox = try await folder.outbox()
        let messages = try ["one", "two", "three"].map { try sealer.seal($0) }
        let server = ToyServer(rotatesAfter: 1)
        try await outbox.enqueue(messages)
        try await drain(outbox, server)
        #expect(try server.texts(Sealer.a, sealer) == ["one", "two", "three"])
        let stored = server.state.withLock { $0.stored[Sealer.a] ?? [] }
        #expect(stored.first?.messageID == messages[0].messageID)
        #expect(Set(stored.compactMap(\.messageID)).isDisjoint(with: messages.dropFirst().map(\.messageID)))
        for message in messages.dropFirst() {
            let old = try #require(try await outbox.store.entry(message.messageID))
            #expect(old.state == .replaced)
            let new = try #require(try await outbox.entry(message.messageID))
            #expect(new.messageID == old.replacedBy)
            #expect(new.replaces == message.messageID)
            #expect(new.state == .sent)
            #expect(new.conversationKeyVersion == "1002")
        }
    }

    @Test func `one search for a new key serves all messages that wait under the old one`() async throws {
        let outbox = try await folder.outbox()
        let server = ToyServer(rotatesAfter: 2) { _, count in
            count == 0 ? .after(APIError(.connection, "lost")) : nil
        }
        let texts = (0..<10).map(String.init)
        try await outbox.enqueue(texts.map { try sealer.seal($0) })
        let sessions = Mutex(0)
        try await outbox.drain(client: server) { _ in
            sessions.withLock { $0 += 1 }
            return sealer.renewed
        }
        #expect(try server.texts(Sealer.a, sealer) == texts)
        // The server has the second message already. The eight others are not tried under the old key: one more search
        // shows that the server does not have them.
        #expect(server.state.withLock { $0.lookUps } == 2)
        #expect(sessions.withLock { $0 } == 2)
        #expect(server.state.withLock { $0.posts } == 2 * 10)
    }

    @Test func `a manual retry of an older message searches further back`() async throws {
        let outbox = try await folder.outbox()
        let messages = [try sealer.sealOlder("one"), try sealer.seal("two")]
        try await outbox.enqueue(messages[0])
        try await outbox.store.deadLetter(messages[0].messageID, reason: "by hand", isStale: false, now: Date())
        try await outbox.enqueue(messages[1])
        let server = ToyServer()
        server.rotate(Sealer.a, to: "1000")
        _ = try await server.post(messages[0])
        server.rotate(Sealer.a)
        let retried = Mutex(false)
        try await outbox.drain(client: server) { _ in
            // It is enqueued after the other message was refused for its key.
            if retried.withLock({
                let first = !$0; $0 = true; return first
            }) {
                try await outbox.retry(messages[0].messageID)
            }
            return sealer.renewed
        }
        #expect(try server.texts(Sealer.a, sealer) == ["one", "two"])
        #expect(server.state.withLock { $0.lookUps } == 2)
    }

    @Test func `a message whose answer was lost before the key changed is not encrypted again`() async throws {
        let outbox = try await folder.outbox()
        let message = try sealer.seal("once")
        let reference = Mutex<ToyServer?>(nil)
        let server = ToyServer { _, count in
            guard count == 0 else {
                reference.withLock { $0?.rotate(Sealer.a) }
                return nil
            }
            return .after(APIError(.connection, "lost"))
        }
        reference.withLock { $0 = server }
        try await outbox.enqueue(message)
        try await drain(outbox, server)
        reference.withLock { $0 = nil }
        #expect(try server.texts(Sealer.a, sealer) == ["once"])
        #expect(try await outbox.entry(message.messageID)?.messageID == message.messageID)
        #expect(try await outbox.entry(message.messageID)?.state == .sent)
    }

    @Test func `a message that is refused because the server has it already is settled as sent`() async throws {
        let outbox = try await folder.outbox()
        let server = ToyServer { _, count in
            count == 0
                ? .after(APIError(.connection, "lost")) : .before(APIError(.invalidRequest, "taken", status: 400))
        }
        try await outbox.enqueue(sealer.seal("once"))
        try await drain(outbox, server)
        #expect(try await outbox.list().isEmpty)
        #expect(try server.texts(Sealer.a, sealer) == ["once"])
    }

    @Test func `without a newer key the message becomes a dead letter after some tries`() async throws {
        let outbox = try await folder.outbox()
        let server = ToyServer()
        server.rotate(Sealer.a)
        try await outbox.enqueue([sealer.seal("x"), sealer.seal("y", in: Sealer.b)])
        try await outbox.drain(client: server) { _ in sealer.session }
        let entry = try #require(try await outbox.list().first)
        #expect(entry.state == .deadLetter)
        #expect(entry.reason?.hasPrefix("stale_key: ") ?? false)
        #expect(entry.failures == outbox.policy.maximumFailures)
        #expect(try server.texts(Sealer.b, sealer) == ["y"])
    }

    @Test func `a token that is refused stops the queue, and no message becomes a dead letter`() async throws {
        let outbox = try await folder.outbox()
        let server = ToyServer { _, _ in .before(APIError(.unauthorized, "who?", status: 401)) }
        try await outbox.enqueue((0..<9).map { try sealer.seal("\($0)", in: $0 % 2 == 0 ? Sealer.a : Sealer.b) })
        await #expect(throws: APIError(.unauthorized, "who?", status: 401)) { try await drain(outbox, server) }
        #expect(try await outbox.list().map(\.state) == Array(repeating: .queued, count: 9))
        #expect(try await outbox.store.lease(Outbox.lease) != nil, "others can post now")
    }

    @Test func `a caller can wait for one message, with a time limit`() async throws {
        let outbox = try await folder.outbox()
        let server = ToyServer { message, _ in
            message.conversationID == Sealer.b ? .before(APIError(.connection, "never")) : nil
        }
        let message = try sealer.seal("x")
        try await outbox.enqueue([sealer.seal("stuck", in: Sealer.b), message])
        try await drain(outbox, server, until: message.messageID)
        #expect(try await outbox.entry(message.messageID)?.state == .sent)
        try await outbox.drain(client: server, timeout: .milliseconds(50)) { _ in sealer.renewed }
        #expect(try await outbox.list().map(\.conversationID) == [Sealer.b])
        try await drain(outbox, server, until: "unknown")
    }

    @Test func `a server that does not answer does not extend the wait beyond its limit`() async throws {
        try await RawServer.run(.silence) { server, url in
            var outbox = try await folder.outbox()
            outbox.concurrency = 2
            try await outbox.enqueue([sealer.seal("x"), sealer.seal("y", in: Sealer.b)])
            let client = try ChatClient(api: url, token: Token("t"), limits: .init(timeout: .seconds(600)))
            try await outbox.drain(client: client, timeout: .milliseconds(200)) { _ in sealer.renewed }
            #expect(try await outbox.list().map(\.state) == [.queued, .queued])
            #expect(server.requests.count <= 2)
        }
    }

    @Test func `a rate limit of more than a day is kept`() async throws {
        var outbox = try await folder.outbox()
        outbox.jitter = { 0.9 }
        outbox.policy.firstDelay = .seconds(1)
        let looks = Mutex(0)
        outbox.clock = {
            looks.withLock { $0 += 1 }
            return Date()
        }
        var limited = APIError(.rateLimited, "tomorrow", status: 429)
        limited.resetAt = Date(timeIntervalSinceNow: 30 * 3600)
        let server = ToyServer { [limited] _, _ in .before(limited) }
        try await outbox.enqueue(sealer.seal("x"))
        let task = Task { [outbox] in try await outbox.run(client: server) { _ in sealer.renewed } }
        while looks.withLock({ $0 }) < 100 { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(server.state.withLock { $0.posts } == 1)
    }

    @Test func `repeated rate limits make the pauses longer, until a message is sent`() async throws {
        var outbox = try await folder.outbox()
        outbox.concurrency = 1
        outbox.policy.firstDelay = .seconds(20)
        outbox.policy.longestDelay = .seconds(1000)
        outbox.policy.rateLimitDelay = .seconds(10)
        outbox.jitter = { 0 }
        // A clock that advances by one second with each reading.
        let time = Mutex(0.0)
        outbox.clock = {
            time.withLock { time in
                time += 1
                return Date(timeIntervalSince1970: 1_800_000_000 + time)
            }
        }
        let posts = Mutex<[Double]>([])
        let server = ToyServer { _, count in
            posts.withLock { $0.append(time.withLock { $0 }) }
            return count < 4 ? .before(APIError(.rateLimited, "slowly", status: 429)) : nil
        }
        try await outbox.enqueue([sealer.seal("one"), sealer.seal("two")])
        try await drain(outbox, server)
        let times = posts.withLock { $0 }
        let pauses = zip(times.dropFirst(), times).map { Int(($0 - $1) / 10) * 10 }
        #expect(pauses == [10, 20, 40, 80, 0, 10, 20, 40, 80])
    }

    @Test func `an error of the caller's closure ends the draining, and the message stays queued`() async throws {
        struct Broken: Error {}
        let failures: [any Error & Sendable] = [
            Broken(), APIError(.notFound, "gone", status: 404), APIError(.forbidden, "no", status: 403),
            XChatError(.inconsistent, "x"), XChatError(.keyMissing, "x"),
        ]
        let outbox = try await folder.outbox()
        let server = ToyServer()
        server.rotate(Sealer.a)
        try await outbox.enqueue(sealer.seal("x"))
        for failure in failures {
            let thrown = await #expect(throws: (any Error).self) {
                try await outbox.drain(client: server) { _ in throw failure }
            }
            #expect(thrown.map { "\($0)" } == "\(failure)")
            #expect(try await outbox.list().map(\.state) == [.queued], "\(failure)")
            #expect(try await outbox.list().map(\.failures) == [0], "\(failure)")
        }
    }

    @Test func `a key that cannot be fetched now is fetched later`() async throws {
        let outbox = try await folder.outbox()
        let server = ToyServer()
        server.rotate(Sealer.a)
        try await outbox.enqueue(sealer.seal("x"))
        let left = Mutex([APIError(.connection, "lost"), APIError(.rateLimited, "slowly"), APIError(.server, "oops")])
        try await outbox.drain(client: server) { _ in
            if let error = left.withLock({ $0.popLast() }) { throw error }
            return sealer.renewed
        }
        #expect(try server.texts(Sealer.a, sealer) == ["x"])
    }

    @Test(
        "messages with uploads under an old key become dead letters after one request for all",
        arguments: [["+", "+", "+"], ["x", "+", "+"]]
    )
    func attachments(_ kinds: [String]) async throws {
        let outbox = try await folder.outbox()
        let server = ToyServer()
        server.rotate(Sealer.a)
        let photo = MediaAttachment(
            mediaHashKey: "k",
            dimensions: MediaDimensions(width: 1, height: 1),
            filesizeBytes: 1,
            filename: "f"
        )
        for kind in kinds {
            let attachments: [MessageAttachment] = kind == "+" ? [.media(photo)] : []
            let draft = MessageDraft(kind, attachments: attachments)
            try await outbox.enqueue(sealer.session.seal(.message(draft), in: Sealer.a))
        }
        try await drain(outbox, server)
        let entries = try await outbox.list()
        #expect(entries.count == kinds.count { $0 == "+" })
        #expect(entries.allSatisfy { $0.state == .deadLetter && $0.reason?.hasPrefix("unsupported: ") == true })
        #expect(server.state.withLock { $0.lookUps } == 1)
        // The first attempt with the original message and, if possible, one that is encrypted again.
        #expect(server.state.withLock { $0.posts } == (kinds[0] == "x" ? 2 : 1))
    }

    @Test func `messages enqueued while it runs are sent, and cancelling ends it`() async throws {
        let outbox = try await folder.outbox()
        let server = ToyServer()
        let task = Task { try await outbox.run(client: server) { _ in sealer.renewed } }
        for number in 0..<5 {
            let message = try sealer.seal("\(number)")
            try await outbox.enqueue(message)
            while try await outbox.entry(message.messageID)?.state != .sent {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try server.texts(Sealer.a, sealer) == ["0", "1", "2", "3", "4"])
    }

    @Test func `two outboxes on one file take turns`() async throws {
        let (one, other) = (try await folder.outbox(), try await folder.outbox())
        let server = ToyServer()
        try await one.enqueue((0..<10).map { try sealer.seal("\($0)") })
        async let first: Void = drain(one, server)
        async let second: Void = drain(other, server)
        _ = try await (first, second)
        #expect(try server.texts(Sealer.a, sealer) == (0..<10).map(String.init))
        #expect(server.state.withLock { $0.posts } == 10)
    }

    // MARK: A crash between any two steps

    /// Ends the "process" at its nth step: no later step has an effect.
    private final class Fuse: Sendable {
        private let left: Mutex<Int>

        init(_ steps: Int) { left = Mutex(steps) }

        /// Whether this step still has an effect.
        func burn() -> Bool {
            left.withLock { left in
                left -= 1
                return left >= 0
            }
        }
    }

    /// A store that fails from the nth step on, before or after one of its transactions.
    private struct MortalStore: AccountStore {
        let store: any AccountStore
        let fuse: Fuse

        private func step<Value>(_ body: () async throws(AccountError) -> Value) async throws(AccountError) -> Value {
            guard fuse.burn() else { throw AccountError(.file, "crashed before") }
            let value = try await body()
            guard fuse.burn() else { throw AccountError(.file, "crashed after") }
            return value
        }

        func commit(_ batch: RecordBatch) async throws(AccountError) -> [RecordKey: UInt64] {
            try await step { () async throws(AccountError) in try await store.commit(batch) }
        }
        func settle(_ outcomes: [MessageOutcome], at now: Date) async throws(AccountError) {
            try await step { () async throws(AccountError) in try await store.settle(outcomes, at: now) }
        }
        func records(_ keys: [RecordKey]) async throws(AccountError) -> [RecordKey: Record] {
            try await store.records(keys)
        }
        func list(
            _ kind: RecordKey.Kind,
            after position: [UInt8]?,
            limit: Int
        ) async throws(AccountError) -> RecordPage {
            try await store.list(kind, after: position, limit: limit)
        }
        func lease(_ name: String) async throws(AccountError) -> (any StoreLease)? { try await store.lease(name) }
        func openOutbox(of user: UserID, api: String) async throws(AccountError) {
            try await store.openOutbox(of: user, api: api)
        }
        func dueMessages(
            at now: Date,
            limit: Int,
            total: Int,
            excluding: Set<Int64>
        ) async throws(AccountError) -> DueMessages {
            try await store.dueMessages(at: now, limit: limit, total: total, excluding: excluding)
        }
        func queuedMessages(
            after position: QueuePosition,
            limit: Int
        ) async throws(AccountError) -> [QueuedMessage] {
            try await store.queuedMessages(after: position, limit: limit)
        }
        func retry(_ id: MessageID, allowing readers: Set<UserID>, at now: Date) async throws(AccountError) {
            try await store.retry(id, allowing: readers, at: now)
        }
        func drop(_ id: MessageID, at now: Date) async throws(AccountError) { try await store.drop(id, at: now) }
        func entry(_ id: MessageID) async throws(AccountError) -> OutboxEntry? { try await store.entry(id) }
        func entries(in states: Set<OutboxEntry.State>) async throws(AccountError) -> [OutboxEntry] {
            try await store.entries(in: states)
        }
        func queuedCount() async throws(AccountError) -> Int { try await store.queuedCount() }
        func forgetMessages(finishedBefore time: Date) async throws(AccountError) {
            try await store.forgetMessages(finishedBefore: time)
        }
        var queueChanges: QueueChanges { store.queueChanges }
    }

    /// A connection that fails before a request, or after the server has handled it.
    private struct MortalClient: MessageSending {
        let server: ToyServer
        let fuse: Fuse

        func post(_ message: SealedMessage) async throws(APIError) -> SentMessage {
            guard fuse.burn() else { throw APIError(.cancelled, "crashed before") }
            let sent = try await server.post(message)
            guard fuse.burn() else { throw APIError(.cancelled, "crashed after") }
            return sent
        }

        func posted(_ message: SealedMessage, by sender: UserID) async throws(APIError) -> PostedMessages {
            guard fuse.burn() else { throw APIError(.cancelled, "crashed") }
            return try await server.posted(message, by: sender)
        }
    }

    @Test func `a crash between any two steps loses nothing and repeats nothing`() async throws {
        var steps = 0
        while try await survivesCrash(at: steps) { steps += 1 }
        // Six messages with a fault, a rotation and a refused message take at least so many steps.
        #expect(steps > 40)
        print("outbox: \(steps) step boundaries crashed at")
    }

    /// Runs a scenario that crashes at a step, then runs it again with the files on disk.
    ///
    /// - Returns: Whether the step of the crash was reached.
    private func survivesCrash(at steps: Int) async throws -> Bool {
        let folder = try ScratchFolder()
        let messages = try [
            sealer.seal("one"), sealer.seal("poison"), sealer.seal("three"),
            sealer.seal("eins", in: Sealer.b), sealer.seal("four"), sealer.seal("zwei", in: Sealer.b),
        ]
        let poison = messages[1].messageID
        let server = ToyServer(rotatesAfter: 1) { message, count in
            if (try? sealer.text(of: message.event)) == "poison" { return .before(Self.refused(.flaggedAsSpam)) }
            if message.conversationID == Sealer.b, count == 0 { return .after(APIError(.timedOut, "lost")) }
            return count == 0 ? .before(APIError(.rateLimited, "slowly")) : nil
        }

        let fuse = Fuse(steps)
        var acknowledged = 0
        var crashed = false
        do {
            let outbox = try await folder.outbox(in: MortalStore(store: folder.store(), fuse: fuse))
            for message in messages {
                try await outbox.enqueue(message)
                acknowledged += 1
            }
            try await outbox.drain(client: MortalClient(server: server, fuse: fuse)) { _ in sealer.renewed }
        } catch {
            crashed = true
        }

        let outbox = try await folder.outbox()
        // A sender without an answer tries again.
        try await outbox.enqueue(Array(messages[acknowledged...]))
        try await drain(outbox, server)
        #expect(try server.texts(Sealer.a, sealer) == ["one", "three", "four"], "crash at step \(steps)")
        #expect(try server.texts(Sealer.b, sealer) == ["eins", "zwei"], "crash at step \(steps)")
        let letter = try await outbox.entry(poison)
        #expect(letter?.state == .deadLetter, "crash at step \(steps)")
        #expect(try await outbox.list() == [letter], "crash at step \(steps)")
        #expect(server.state.withLock { $0.contradictions }.isEmpty, "crash at step \(steps)")
        for message in messages where message.messageID != poison {
            #expect(try await outbox.entry(message.messageID)?.state == .sent, "crash at step \(steps)")
        }
        return crashed
    }
}
