import Foundation
import Synchronization
import Testing
import XChat
import XChatEvents
import XChatSandbox

@testable import XChatHTTP

/// Many messages through a server that fails, sent by processes that are killed.
///
/// `XCHAT_SOAK_MESSAGES=10000 XCHAT_SOAK_KILLS=20` is the long form.
struct OutboxSoakTests {
    @Test(.timeLimit(.minutes(15))) func `senders that are killed deliver everything once and in order`() async throws {
        let total = Self.number("XCHAT_SOAK_MESSAGES") ?? 200
        let kills = Self.number("XCHAT_SOAK_KILLS") ?? 3
        var faults = SandboxFaults()
        faults.drop = 0.1
        faults.http500 = 0.05
        faults.rateLimit = .init(requests: max(50, total / 60), seconds: 1)
        let sandbox = Sandbox(faults: faults)
        let start = ContinuousClock.now
        let report = try await sandbox.serving { url in
            try await Self.soak(sandbox, url, total: total, kills: kills)
        }
        print("soak: \(report), \((ContinuousClock.now - start).components.seconds) s")
    }

    private static func number(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    private static func soak(_ sandbox: Sandbox, _ url: URL, total: Int, kills: Int) async throws -> String {
        let folder = try ScratchFolder()
        var alice = try await insist { try await User("1111", .sodium, url) }
        var conversations: [ConversationID] = []
        for number in 0..<10 {
            let peer = try await insist { try await User(UserID("\(2000 + number)"), .sodium, url) }
            conversations.append(try await started(with: peer, &alice))
        }
        let plan = try SoakPlan(alice.session, conversations, folder, url, total: total)

        for kill in 1...kills {
            // The work is to last over all of them.
            let share = total * kill / kills
            await #expect(processExitsWith: .signal(SIGKILL)) { [plan = plan as SoakPlan, share = share as Int] in
                let started = Mutex(false)
                let task = Task { try await plan.work(upTo: share) { started.withLock { $0 = true } } }
                while !started.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...plan.milliseconds)))
                _ = Foundation.kill(getpid(), SIGKILL)
                try await task.value
            }
            if kill == 1 { try await rotate(conversations[0], &alice) }
        }
        try await plan.work(upTo: total) {}

        let outbox = try plan.outbox()
        let entries = try outbox.list(Set(OutboxEntry.State.allCases))
        let acknowledged = try Set(plan.acknowledged())
        var (delivered, repeated, disordered) = (0, 0, 0)
        var numbers: Set<Int> = []
        var arrived: Set<WireString> = []
        var reader = try await plan.renewed(conversations[0], plan.session())
        for conversation in conversations {
            let events = try await sandbox.storedEvents(in: conversation).filter { $0.kind == .message }
            let here = try events.map { event -> Int in
                guard case .message(let message) = try reader.open(event).contents?.contents else { return -1 }
                return Int(message.messageText?.string ?? "") ?? -1
            }
            delivered += here.count
            repeated += here.count - Set(here).count
            disordered += zip(here, here.dropFirst()).filter { $0 >= $1 }.count
            numbers.formUnion(here)
            arrived.formUnion(events.compactMap(\.messageID))
        }
        #expect(numbers == Set(0..<total))
        #expect(delivered == total)
        #expect(repeated == 0)
        #expect(disordered == 0)
        let settled = try acknowledged.map { try #require(try outbox.entry($0)) }
        #expect(settled.allSatisfy { $0.state == .sent && arrived.contains($0.messageID) })
        #expect(try outbox.list().isEmpty)
        let failures = entries.map(\.failures).reduce(0, +)
        let resealed = entries.count { $0.state == .replaced }
        return "\(total) messages in \(conversations.count) conversations, \(kills) SIGKILLs, "
            + "\(failures) failed tries noted, \(resealed) sealed anew: \(delivered) delivered, "
            + "\(numbers.count) different, \(repeated) twice, \(disordered) out of order, "
            + "\(acknowledged.count) acknowledged and \(settled.count) of them sent"
    }

    private static func started(with peer: User, _ alice: inout User) async throws -> ConversationID {
        for _ in 0..<200 {
            if let conversation = try? await alice.start(with: peer) { return conversation }
        }
        throw APIError(.connection, "the sandbox never answered")
    }

    /// A newer key, which the sending processes do not have.
    private static func rotate(_ conversation: ConversationID, _ alice: inout User) async throws {
        let peers = conversation.participants.map { [$0.0, $0.1] } ?? []
        var keys: [BoundKey] = []
        for peer in peers {
            let served = try await insist { [client = alice.client] in try await client.publicKeys(of: peer) }
            keys += try served.map { try BoundKey(checking: $0) }
        }
        let change = try alice.session.prepareKeyChange(in: conversation, participants: keys)
        _ = try await insist { [client = alice.client] in try await client.addKeys(change) }
    }

    private static func insist<Value>(_ body: () async throws -> Value) async throws -> Value {
        for _ in 0..<200 {
            if let value = try? await body() { return value }
        }
        return try await body()
    }
}

/// What a sending process needs to know.
struct SoakPlan: Codable, Sendable {
    private let blob: [UInt8]
    private let version: String
    private let keys: [[UInt8]]
    private let versions: [String]
    private let conversations: [String]
    private let folder: String
    private let url: String
    private let total: Int
    /// At most this long does a process live once it works.
    let milliseconds: Int

    init(
        _ session: Session,
        _ conversations: [ConversationID],
        _ folder: ScratchFolder,
        _ url: URL,
        total: Int
    ) throws {
        blob = try session.privateKeys?.withExport { span in span.indices.map { span[$0] } } ?? []
        version = session.signingKeyVersion?.string ?? ""
        let newest = conversations.map { session.keyRing.newestVersion(in: $0) ?? "" }
        keys = zip(conversations, newest).map { conversation, version in
            session.keyRing.verifiedKey(in: conversation, version: version)?
                .withBytes { span in span.indices.map { span[$0] } } ?? []
        }
        versions = newest.map(\.string)
        self.conversations = conversations.map(\.value.string)
        self.folder = folder.path
        self.url = url.absoluteString
        self.total = total
        milliseconds = max(600, total / 3)
    }

    func session() throws -> Session {
        let privateKeys = try PrivateKeys(importing: blob.span)
        var session = try Session(userID: "1111", privateKeys: privateKeys, signingKeyVersion: WireString(version))
        session.trust([try privateKeys.boundKey(userID: "1111", version: WireString(version))])
        for (index, conversation) in conversations.enumerated() {
            let bytes = keys[index]
            session.addConversationKey(
                try ConversationKey(bytes: bytes.span),
                in: ConversationID(canonicalizing: WireString(conversation)),
                version: WireString(versions[index])
            )
        }
        return session
    }

    func outbox() throws -> Outbox {
        var policy = OutboxPolicy()
        policy.firstDelay = .milliseconds(5)
        policy.longestDelay = .milliseconds(100)
        return try Outbox.open(folder + "/outbox.sqlite", userID: "1111", api: url, policy: policy)
    }

    private func client() throws -> ChatClient {
        try ChatClient(api: url, token: Token("sandbox-1111"), retries: .none)
    }

    /// The session with the keys that the server has now.
    func renewed(_ conversation: ConversationID, _ session: Session) async throws -> Session {
        var session = session
        for _ in 0..<200 {
            guard let page = try? await client().events(in: ConversationTarget(conversation)) else { continue }
            for event in page.keyEvents { _ = try session.open(MessageEvent(base64: event)) }
            return session
        }
        throw APIError(.connection, "the sandbox never answered")
    }

    /// Goes on where the last process was killed: enqueues the rest, and posts meanwhile.
    func work(upTo share: Int, onStart: @Sendable () -> Void) async throws {
        let outbox = try outbox()
        let session = try session()
        let client = try client()
        let first = try outbox.list(Set(OutboxEntry.State.allCases)).count { $0.replaces == nil }
        onStart()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for number in first..<max(first, share) {
                    let conversation = conversations[number % conversations.count]
                    let id = ConversationID(canonicalizing: WireString(conversation))
                    let message = try session.seal(.text("\(number)"), in: id)
                    try outbox.enqueue(message)
                    try acknowledge(message.messageID)
                    try await Task.sleep(for: .milliseconds(1))
                }
            }
            group.addTask { try await outbox.drain(client: client) { try await renewed($0, session) } }
            try await group.waitForAll()
            // Once more, for what came after the queue had been empty.
            try await outbox.drain(client: client) { try await renewed($0, session) }
        }
    }

    private var log: String { folder + "/acknowledged" }

    private func acknowledge(_ id: WireString) throws {
        if !FileManager.default.fileExists(atPath: log) {
            _ = FileManager.default.createFile(atPath: log, contents: nil)
        }
        let file = try #require(FileHandle(forWritingAtPath: log))
        try file.seekToEnd()
        try file.write(contentsOf: Data("\(id)\n".utf8))
        try file.close()
    }

    /// The ids that ``Outbox/enqueue(_:)-swift.method`` returned for.
    func acknowledged() throws -> [WireString] {
        let bytes = try Data(contentsOf: URL(filePath: log))
        return bytes.split(separator: UInt8(ascii: "\n")).map { WireString(String(decoding: $0, as: UTF8.self)) }
    }
}
