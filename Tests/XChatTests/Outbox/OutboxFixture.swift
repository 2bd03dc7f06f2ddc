import Foundation
import LibSodium
import Synchronization
import XChatEngine
import XChatEvents

@testable import XChat
@testable import XChatHTTP

/// A folder that is deleted with its owner.
final class ScratchFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "outbox-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var file: String { path + "/account.db" }

    /// Opens the account file, and creates it if it does not exist.
    func store() async throws -> AccountFile {
        do {
            return try await AccountFile.open(file, passphrase: passphrase("outbox"))
        } catch let error as AccountError {
            guard error.code == .notFound else { throw error }
            return try await AccountFile.create(file, passphrase: passphrase("outbox"), limits: .minimum)
        }
    }

    func outbox(_ user: UserID = "1111", api: String = "https://api.x.com") async throws -> Outbox {
        try await outbox(in: store(), user, api: api)
    }

    func outbox(
        in store: any AccountStore,
        _ user: UserID = "1111",
        api: String = "https://api.x.com",
        now: Date = Date()
    ) async throws -> Outbox {
        var outbox = try await Outbox(opening: store, userID: user, api: api, now: now)
        outbox.policy.firstDelay = .milliseconds(1)
        outbox.policy.longestDelay = .milliseconds(4)
        outbox.policy.rateLimitDelay = .milliseconds(2)
        outbox.interval = .milliseconds(1)
        return outbox
    }
}

// The single steps of the worker.
extension AccountStore {
    func add(_ messages: [SealedMessage], now: Date) async throws(AccountError) {
        var batch = RecordBatch()
        (batch.messages, batch.time) = (messages, now)
        try await commit(batch)
    }

    /// The first message of each conversation that is due.
    func due(at now: Date, limit: Int) async throws(AccountError) -> [QueuedMessage] {
        let due = try await dueMessages(at: now, limit: limit, total: limit, excluding: [])
        return due.conversations.compactMap(\.first)
    }

    func hasQueued() async throws(AccountError) -> Bool {
        try await dueMessages(at: Date(), limit: 1, total: 1, excluding: []).hasQueued
    }

    func markSent(_ messageID: MessageID, sequenceID: SequenceID, now: Date) async throws(AccountError) {
        try await settle([.sent(messageID, sequenceID: sequenceID)], at: now)
    }

    func postpone(_ messageID: MessageID, until: Date, reason: String) async throws(AccountError) {
        try await settle([.postponed(messageID, until: until, reason: reason)], at: until)
    }

    func pause(until: Date, now: Date) async throws(AccountError) {
        try await settle([.paused(until: until)], at: now)
    }

    func deadLetter(_ messageID: MessageID, reason: String, isStale: Bool, now: Date) async throws(AccountError) {
        try await settle([.deadLetter(messageID, reason: reason, isStale: isStale)], at: now)
    }

    func replace(_ messageID: MessageID, with new: SealedMessage, now: Date) async throws(AccountError) {
        try await settle([.replaced(messageID, by: new)], at: now)
    }
}

/// A user with two keys for each of two conversations; only the older one is known at first.
struct Sealer: Sendable {
    static let a = ConversationID.oneToOne("1111", "2222")
    static let b = ConversationID.oneToOne("1111", "3333")

    let session: Session
    let renewed: Session

    init(_ user: UserID = "1111") throws {
        let keys = try PrivateKeys.generate()
        var session = try Session(userID: user, privateKeys: keys, signingKeyVersion: "1")
        session.trust([try keys.verifiedKey(userID: user, version: "1")])
        for id in [Self.a, Self.b] {
            try session.addConversationKey(try .generate(), in: id, version: "1000")
            try session.addConversationKey(try .generate(), in: id, version: "1001")
        }
        self.session = session
        for id in [Self.a, Self.b] { try session.addConversationKey(try .generate(), in: id, version: "1002") }
        renewed = session
    }

    func seal(_ text: String, in conversation: ConversationID = Sealer.a) throws -> SealedMessage {
        try session.seal(.text(text), in: conversation)
    }

    /// A message under the key before the first newest one.
    func sealOlder(_ text: String) throws -> SealedMessage {
        try session.seal(.text(text), in: Sealer.a, keyVersion: "1000")
    }

    func text(of event: MessageEvent) throws -> String? {
        var session = renewed
        guard case .message(let message) = try session.open(event).contents?.contents else { return nil }
        return message.messageText?.string
    }
}

/// A user in a group with two others, one of whom may be missing.
///
/// Each rotation gives another key.
struct GroupSealer: Sendable {
    static let group = ConversationID(canonicalizing: "g7")

    let session: Session
    /// The session with a newer key, and without a membership log.
    private let newer: Session

    init() throws {
        let keys = try PrivateKeys.generate()
        var session = try Session(userID: "1111", privateKeys: keys, signingKeyVersion: "1")
        session.trust([try keys.verifiedKey(userID: "1111", version: "1")])
        try session.addConversationKey(try .generate(), in: Self.group, version: "1001")
        var known = session
        try known.acceptMembers(["1111", "2222"], of: Self.group)
        self.session = known
        try session.addConversationKey(try .generate(), in: Self.group, version: "1002")
        newer = session
    }

    /// A session with the newest key and these members; nil if they are not known.
    func renewed(_ members: Set<UserID>?) throws -> Session {
        var session = newer
        if let members { try session.acceptMembers(members.sorted(), of: Self.group) }
        return session
    }

    func seal(_ text: String) throws -> SealedMessage {
        try session.seal(.text(text), in: Self.group)
    }
}

/// A server in memory: takes each id once, in the order of arrival, and refuses keys that are not the newest.
final class ToyServer: MessageSending {
    enum Fault: Sendable {
        case before(APIError)
        case after(APIError)
    }

    struct State {
        var stored: [ConversationID: [MessageEvent]] = [:]
        var newestKey: [ConversationID: KeyVersion] = [:]
        var bodies: [MessageID: String] = [:]
        var posts = 0
        var lookUps = 0
        var postsOfMessage: [MessageID: Int] = [:]
        var contradictions: [String] = []
    }

    let state = Mutex(State())
    /// Receives the message and the number of earlier posts of it.
    private let fault: @Sendable (SealedMessage, Int) -> Fault?
    /// After this many messages of a conversation its key changes.
    private let rotatesAfter: Int

    init(
        rotatesAfter: Int = .max,
        fault: @escaping @Sendable (SealedMessage, Int) -> Fault? = { _, _ in nil }
    ) {
        self.rotatesAfter = rotatesAfter
        self.fault = fault
    }

    func rotate(_ conversation: ConversationID, to version: KeyVersion = "1002") {
        state.withLock { $0.newestKey[conversation] = version }
    }

    func post(_ message: SealedMessage) async throws(APIError) -> SentMessage {
        let conversation = message.conversationID
        let before = state.withLock { state in
            state.posts += 1
            let count = state.postsOfMessage[message.messageID, default: 0]
            state.postsOfMessage[message.messageID] = count + 1
            let body = message.encodedMessageCreateEvent + " " + message.encodedMessageEventSignature
            if let known = state.bodies[message.messageID], !known.utf8.elementsEqual(body.utf8) {
                state.contradictions.append("two bodies under one id")
            }
            state.bodies[message.messageID] = body
            return count
        }
        let fault = fault(message, before)
        if case .before(let error) = fault { throw error }
        let answer = state.withLock { state -> Result<SentMessage, APIError> in
            // The key is checked first: it is not documented what a server answers to a known id under an old key.
            guard message.conversationKeyVersion == state.newestKey[conversation, default: "1001"] else {
                var error = APIError(.failureEvent, "stale")
                error.failure = .nonLatestCkeyVersion
                return .failure(error)
            }
            var events = state.stored[conversation, default: []]
            if !events.contains(where: { $0.messageID == message.messageID }) {
                events.append(message.event)
                state.stored[conversation] = events
                if events.count == rotatesAfter { state.newestKey[conversation] = "1002" }
            }
            return .success(Self.sent(message))
        }
        if case .after(let error) = fault { throw error }
        return try answer.get()
    }

    /// Walks from the newest message to the one with the id, or to one under an older key.
    func posted(_ message: SealedMessage, by sender: UserID) async throws(APIError) -> PostedMessages {
        state.withLock { state in
            state.lookUps += 1
            var posted = PostedMessages(sequenceIDs: [:], isComplete: true)
            for event in state.stored[message.conversationID, default: []].reversed() where event.senderID == sender {
                guard let id = event.messageID, case .messageCreateEvent(let create) = event.detail,
                    create.conversationKeyVersion?.number ?? 0 >= message.conversationKeyVersion.number ?? 0
                else { break }
                posted.sequenceIDs[id] = "7"
                if id == message.messageID {
                    posted.isComplete = false
                    break
                }
            }
            return posted
        }
    }

    private static func sent(_ message: SealedMessage) -> SentMessage {
        SentMessage(
            messageID: message.messageID,
            sequenceID: "7",
            conversationID: message.conversationID,
            event: message.event
        )
    }

    func texts(_ conversation: ConversationID, _ sealer: Sealer) throws -> [String?] {
        try state.withLock { $0.stored[conversation] ?? [] }.map { try sealer.text(of: $0) }
    }
}
