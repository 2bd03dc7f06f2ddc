import Foundation
import Synchronization
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatSandbox

@testable import XChat
@testable import XChatHTTP

/// Many messages through a server that fails, sent by processes that are killed.
///
/// `XCHAT_SOAK_MESSAGES=10000 XCHAT_SOAK_KILLS=20` is the long form.
@Suite(.serialized)
struct OutboxSoakTests {
    @Test(
        "senders that are killed deliver everything once and in order, whatever meets a known id",
        .timeLimit(.minutes(30)),
        arguments: SandboxFaults.RepeatedID.allCases
    )
    func soak(_ repeats: SandboxFaults.RepeatedID) async throws {
        let total = Self.number("XCHAT_SOAK_MESSAGES") ?? 80
        let kills = Self.number("XCHAT_SOAK_KILLS") ?? 2
        var faults = SandboxFaults()
        faults.repeats = repeats
        faults.drop = 0.1
        faults.http500 = 0.05
        // Each rate limit stops all conversations for a second.
        faults.http429 = max(0.003, 4 / Double(total))
        let sandbox = Sandbox(faults: faults)
        let start = ContinuousClock.now
        let report = try await sandbox.serving { url in
            try await Self.soak(sandbox, url, total: total, kills: kills)
        }
        print("soak: repeat=\(repeats.rawValue): \(report), \((ContinuousClock.now - start).components.seconds) s")
    }

    private static func number(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    private static func soak(_ sandbox: Sandbox, _ url: URL, total: Int, kills: Int) async throws -> String {
        let folder = try ScratchFolder()
        _ = try await folder.store()
        var alice = try await insist { try await User("1111", .sodium, url) }
        var conversations: [ConversationID] = []
        for number in 0..<10 {
            let peer = try await insist { try await User(UserID("\(2000 + number)"), .sodium, url) }
            conversations.append(try await started(with: peer, &alice))
        }
        let plan = try SoakPlan(alice.session, conversations, folder, url)

        var leastLeft = Int.max
        var unanswered = 0
        for kill in 1...kills {
            // There must be work for all processes.
            let share = total * kill / kills
            await #expect(processExitsWith: .signal(SIGKILL)) { [plan = plan as SoakPlan, share = share as Int] in
                try await plan.work(upTo: share, isKilled: true)
            }
            let left = share - (try await plan.outbox().list([.sent]).count)
            #expect(left > 0, "the process was killed when it had nothing to do")
            leastLeft = min(leastLeft, left)
            // The key changes when the server has stored a message and the sender has not received the answer. The
            // message must not be encrypted again.
            for (number, conversation) in conversations.enumerated() {
                let queued = Set(try await plan.outbox().list([.queued]).map(\.messageID))
                let stored = try await sandbox.storedEvents(in: conversation).compactMap(\.messageID)
                let isUnanswered = !queued.isDisjoint(with: stored)
                if isUnanswered { unanswered += 1 }
                if isUnanswered || number == kill { try await rotate(conversation, &alice) }
            }
        }
        await #expect(processExitsWith: .success) { [plan = plan as SoakPlan, total = total as Int] in
            try await plan.work(upTo: total, isKilled: false)
        }

        let outbox = try await plan.outbox()
        let entries = try await outbox.list(Set(OutboxEntry.State.allCases))
        let acknowledged = try Set(plan.acknowledged())
        var (delivered, repeated, disordered) = (0, 0, 0)
        var numbers: Set<Int> = []
        var arrived: Set<MessageID> = []
        var reader = try plan.session()
        for conversation in conversations { reader = try await plan.renewed(conversation, reader) }
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
        var settled: [OutboxEntry] = []
        for id in acknowledged { settled.append(try #require(try await outbox.entry(id))) }
        #expect(settled.allSatisfy { $0.state == .sent && arrived.contains($0.messageID) })
        #expect(try await outbox.list().isEmpty)
        let resealed = entries.count { $0.state == .replaced }
        let codes = try plan.failedTries().sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        return "\(total) messages in \(conversations.count) conversations, "
            + "\(kills) SIGKILLs with at least \(leastLeft) messages left to send, "
            + "\(unanswered) stored without an answer when the key changed, "
            + "failed tries: \(codes.joined(separator: ", ")), \(resealed) encrypted again: \(delivered) delivered, "
            + "\(numbers.count) different, \(repeated) twice, \(disordered) out of order, "
            + "\(acknowledged.count) acknowledged and \(settled.count) of them sent"
    }

    private static func started(with peer: User, _ alice: inout User) async throws -> ConversationID {
        for _ in 0..<200 {
            if let conversation = try? await alice.start(with: peer) { return conversation }
        }
        throw APIError(.connection, "the sandbox never answered")
    }

    /// A newer key that the sending processes do not have.
    private static func rotate(_ conversation: ConversationID, _ alice: inout User) async throws {
        let peers = conversation.participants.map { [$0.0, $0.1] } ?? []
        var keys: [VerifiedPublicKey] = []
        for peer in peers {
            let served = try await insist { [client = alice.client] in try await client.publicKeys(of: peer) }
            keys += try served.map { try VerifiedPublicKey(checking: $0) }
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

/// The data that a sending process needs.
struct SoakPlan: Codable, Sendable {
    private let blob: [UInt8]
    private let version: String
    private let keys: [[UInt8]]
    private let versions: [String]
    private let conversations: [String]
    private let folder: String
    private let url: String

    init(_ session: Session, _ conversations: [ConversationID], _ folder: ScratchFolder, _ url: URL) throws {
        blob = try session.privateKeys?.withExport { span in span.indices.map { span[$0] } } ?? []
        version = session.signingKeyVersion?.string ?? ""
        let newest = conversations.map { session.keyRing.newestVersion(in: $0) ?? "" }
        keys = zip(conversations, newest).map { conversation, version in
            session.keyRing.acceptedKey(in: conversation, version: version)?
                .withBytes { span in span.indices.map { span[$0] } } ?? []
        }
        versions = newest.map(\.string)
        self.conversations = conversations.map(\.string)
        self.folder = folder.path
        self.url = url.absoluteString
    }

    func session() throws -> Session {
        let privateKeys = try PrivateKeys(importing: blob.span)
        var session = try Session(userID: "1111", privateKeys: privateKeys, signingKeyVersion: KeyVersion(version))
        session.trust([try privateKeys.verifiedKey(userID: "1111", version: KeyVersion(version))])
        for (index, conversation) in conversations.enumerated() {
            let bytes = keys[index]
            try session.addConversationKey(
                try ConversationKey(bytes: bytes.span),
                in: ConversationID(canonicalizing: WireString(conversation)),
                version: KeyVersion(versions[index])
            )
        }
        return session
    }

    func outbox() async throws -> Outbox {
        var policy = OutboxPolicy()
        policy.firstDelay = .milliseconds(5)
        policy.longestDelay = .milliseconds(100)
        let file = try await AccountFile.open(folder + "/account.db", passphrase: passphrase("outbox"))
        return try await Outbox(opening: file, userID: "1111", api: url, policy: policy)
    }

    private func client() throws -> ChatClient {
        // For histories only: the outbox decides how often a message is tried.
        let retries = RetryPolicy(attempts: 20, firstPause: .milliseconds(5), longestPause: .milliseconds(100))
        return try ChatClient(api: url, token: Token("sandbox-1111"), retries: retries)
    }

    /// The session with the present keys of the server.
    func renewed(_ conversation: ConversationID, _ session: Session) async throws -> Session {
        var session = session
        let page = try await client().events(in: ConversationTarget(conversation))
        for event in page.keyEvents { _ = try session.open(MessageEvent(base64: event)) }
        return session
    }

    /// Continues where the last process was killed: enqueues the other messages, and posts meanwhile.
    ///
    /// A process that is to be killed ends at a random instant after some attempts, with at least half of its work
    /// left.
    func work(upTo share: Int, isKilled: Bool) async throws {
        let outbox = try await outbox()
        let session = try session()
        let entries = try await outbox.list(Set(OutboxEntry.State.allCases))
        let first = entries.count { $0.replaces == nil }
        let left = share - entries.count { $0.state == .sent }
        let client = MortalSender(
            client: try client(),
            failures: folder + "/failed",
            triesLeft: isKilled ? Int.random(in: 1...max(1, left / 2)) : .max
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for number in first..<max(first, share) {
                    let conversation = conversations[number % conversations.count]
                    let id = ConversationID(canonicalizing: WireString(conversation))
                    let message = try session.seal(.text("\(number)"), in: id)
                    try await outbox.enqueue(message)
                    try acknowledge(message.messageID)
                }
            }
            group.addTask { try await outbox.drain(client: client) { try await renewed($0, session) } }
            try await group.waitForAll()
            // Runs once more for messages that were enqueued after the queue had been empty.
            try await outbox.drain(client: client) { try await renewed($0, session) }
        }
    }

    private var log: String { folder + "/acknowledged" }

    private func acknowledge(_ id: MessageID) throws {
        try append("\(id)", to: log)
    }

    /// The number of failed attempts by reason.
    func failedTries() throws -> [String: Int] {
        let bytes = try Data(contentsOf: URL(filePath: folder + "/failed"))
        let words = bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        return Dictionary(grouping: words, by: \.self).mapValues(\.count)
    }

    /// The ids that ``Outbox/enqueue(_:)-swift.method`` returned for.
    func acknowledged() throws -> [MessageID] {
        let bytes = try Data(contentsOf: URL(filePath: log))
        return bytes.split(separator: UInt8(ascii: "\n")).map { MessageID(String(decoding: $0, as: UTF8.self)) }
    }
}

private func append(_ line: String, to path: String) throws {
    if !FileManager.default.fileExists(atPath: path) {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
    }
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data("\(line)\n".utf8))
    try file.close()
}

/// A client whose process is killed after some attempts, at a random instant.
private struct MortalSender: MessageSending {
    let client: ChatClient
    /// A file to which the code of every failed attempt is written.
    private let failures: String
    private let triesLeft: Shared

    private final class Shared: Sendable {
        let count: Mutex<Int>

        init(_ count: Int) { self.count = Mutex(count) }
    }

    init(client: ChatClient, failures: String, triesLeft: Int) {
        self.client = client
        self.failures = failures
        self.triesLeft = Shared(triesLeft)
    }

    func post(_ message: SealedMessage) async throws(APIError) -> SentMessage {
        let isLast = triesLeft.count.withLock { count in
            count -= 1
            return count == 0
        }
        if isLast {
            Task.detached {
                try? await Task.sleep(for: .microseconds(Int.random(in: 0...20_000)))
                _ = Foundation.kill(getpid(), SIGKILL)
            }
        }
        do throws(APIError) {
            return try await client.post(message)
        } catch {
            triesLeft.count.withLock { _ in try? append(error.failure?.name ?? error.code.rawValue, to: failures) }
            throw error
        }
    }

    func posted(_ message: SealedMessage, by sender: UserID) async throws(APIError) -> PostedMessages {
        try await client.posted(message, by: sender)
    }
}
