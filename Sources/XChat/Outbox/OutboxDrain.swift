import Logging
import Synchronization
import XChatEngine
import XChatEvents
import XChatHTTP

import struct Foundation.Date

/// Takes messages from an outbox, posts them, and notes what came of it.
final class Drain: Sendable {
    /// When it ends by itself.
    enum Goal: Sendable {
        case empty
        case settled(WireString)
        case never
    }

    private enum Step {
        case post(QueuedMessage)
        case wait
        case finished
    }

    private let outbox: Outbox
    private let client: any MessageSending
    private let goal: Goal
    private let deadline: ContinuousClock.Instant?
    private let session: @Sendable (ConversationID) async throws -> Session
    /// Conversations with a message under way: the next one waits for its outcome.
    private let busy = Mutex<Set<ConversationID>>([])
    /// The conversations whose key has changed.
    private let renewals = Mutex<[ConversationID: Renewal]>([:])
    private let rateLimits = Mutex(RateLimits())

    /// The rate limits since the last message that went through.
    ///
    /// Several tries can be under way when the first of them is refused, so those that are refused during the pause are
    /// one with it.
    private struct RateLimits {
        private(set) var count = 0
        private var pausedUntil = Date.distantPast

        /// How many came before one that comes now.
        func before(_ now: Date) -> Int { now < pausedUntil ? count - 1 : count }

        mutating func add(_ now: Date, until: Date) {
            if now >= pausedUntil { count += 1 }
            pausedUntil = max(pausedUntil, until)
        }
    }

    /// What was found out when a server refused a message for its key.
    ///
    /// It holds for every message under an older key: the server takes none of them any more, so what it has not by now
    /// it will never have.
    private struct Renewal: Sendable {
        let session: Session
        /// The newest key.
        let version: KeyVersion
        /// The messages of ours that the server has, as far as the history was read.
        let posted: PostedMessages
        /// The key version of the message that was looked for.
        let searchedVersion: KeyVersion

        /// Whether the server refuses a message for its key.
        func isNewer(than message: SealedMessage) -> Bool {
            guard let newest = version.number, let old = message.conversationKeyVersion.number else { return false }
            return old < newest
        }

        /// Whether it is known of a message that the server stored it, or that it did not.
        func covers(_ message: SealedMessage) -> Bool {
            if posted.sequenceIDs[message.messageID] != nil { return true }
            guard let searched = searchedVersion.number, let old = message.conversationKeyVersion.number else {
                return false
            }
            return posted.isComplete && old >= searched
        }
    }

    init(
        _ outbox: Outbox,
        _ client: any MessageSending,
        goal: Goal,
        timeout: Duration?,
        session: @escaping @Sendable (ConversationID) async throws -> Session
    ) {
        self.outbox = outbox
        self.client = client
        self.goal = goal
        self.session = session
        deadline = timeout.map { ContinuousClock.now + $0 }
    }

    private var store: any OutboxStore { outbox.store }

    func run() async throws {
        while try !store.tryLock() {
            if try isReached(isIdle: true) { return }
            try await Task.sleep(for: outbox.interval)
        }
        defer {
            store.unlock()
            countWaiting()
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, outbox.concurrency) {
                group.addTask { try await self.work() }
            }
            if let deadline = self.deadline {
                // The workers look at the clock between two messages, and one message can take long.
                group.addTask { try await Task.sleep(until: deadline, clock: .continuous) }
            }
            // The first to finish, or to fail, decides for all.
            try await group.next()
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }

    /// Every second at most: it is a walk over the queue.
    private let lastCount = Mutex(ContinuousClock.now - .seconds(1))

    private func countWaitingAtTimes() {
        let isTime = lastCount.withLock { last in
            let now = ContinuousClock.now
            guard now - last >= .seconds(1) else { return false }
            last = now
            return true
        }
        if isTime { countWaiting() }
    }

    private func countWaiting() {
        if let count = try? store.queuedCount() { OutboxMetrics.waiting(count) }
    }

    private func work() async throws {
        while true {
            try Task.checkCancellation()
            countWaitingAtTimes()
            switch try next() {
            case .finished: return
            case .wait: try await Task.sleep(for: outbox.interval)
            case .post(let message):
                defer { busy.withLock { _ = $0.remove(message.conversationID) } }
                try await handle(message)
            }
        }
    }

    /// What a free worker does next.
    ///
    /// The store is asked under the lock: no two workers take one conversation.
    private func next() throws(OutboxError) -> Step {
        try busy.withLock { (busy) throws(OutboxError) in
            if try isReached(isIdle: busy.isEmpty) { return .finished }
            let due = try store.due(at: outbox.clock(), limit: busy.count + 1)
            guard let message = due.first(where: { !busy.contains($0.conversationID) }) else { return .wait }
            busy.insert(message.conversationID)
            return .post(message)
        }
    }

    private func isReached(isIdle: Bool) throws(OutboxError) -> Bool {
        if let deadline, ContinuousClock.now >= deadline { return true }
        switch goal {
        case .never: return false
        case .empty:
            guard isIdle else { return false }
            return try !store.hasQueued()
        case .settled(let messageID): return try outbox.entry(messageID)?.state != .queued
        }
    }

    // MARK: One message

    private func handle(_ queued: QueuedMessage) async throws {
        let message: SealedMessage
        do {
            message = try SealedMessage(
                messageID: queued.messageID,
                senderID: store.userID,
                conversationID: queued.conversationID,
                encodedMessageCreateEvent: queued.encodedMessageCreateEvent,
                encodedMessageEventSignature: queued.encodedMessageEventSignature,
                readers: queued.readers
            )
        } catch {
            return try setAside(queued, error.description)
        }
        // The server would take it under a key that is known to be old if it does not insist on the newest.
        if queued.isStale { return try await reseal(queued, message) }
        if let renewal = renewals.withLock({ $0[queued.conversationID] }), renewal.isNewer(than: message) {
            guard renewal.covers(message) else { return try await reseal(queued, message) }
            if try finish(queued, message, renewal) { return }
            // Another key than those that the session knows, perhaps: the server decides.
            renewals.withLock { $0[queued.conversationID] = nil }
        }
        do {
            let sent = try await client.post(message)
            rateLimits.withLock { $0 = RateLimits() }
            try markSent(sent.messageID, sent.sequenceID)
        } catch let error as APIError {
            try await settle(.call(error), queued, message)
        }
    }

    private func settle(
        _ failure: OutboxPolicy.Failure,
        _ queued: QueuedMessage,
        _ message: SealedMessage
    ) async throws {
        let now = outbox.clock()
        let reason = failure.reason
        switch action(after: failure, queued, now) {
        case .retry(let delay):
            note(.retried, .info, reason)
            try store.postpone(queued.messageID, until: now.addingTimeInterval(delay.seconds), reason: reason)
        case .pause(let delay):
            note(.paused, .notice, reason)
            let until = now.addingTimeInterval(delay.seconds)
            rateLimits.withLock { $0.add(now, until: until) }
            try store.pause(until: until, now: now)
        case .reseal:
            try await reseal(queued, message)
        case .setAside:
            try await setAsideUnlessPosted(reason, queued, message)
        case .stop:
            if case .call(let error) = failure, error.code != .cancelled { throw error }
            throw CancellationError()
        }
    }

    private func action(
        after failure: OutboxPolicy.Failure,
        _ queued: QueuedMessage,
        _ now: Date
    ) -> OutboxPolicy.Action {
        outbox.policy.action(
            after: failure,
            // A rate limit is no failure of the message.
            failures: failure.isRateLimit ? rateLimits.withLock { $0.before(now) } : queued.failures,
            now: now,
            jitter: outbox.jitter()
        )
    }

    /// A server may refuse an id because it has the message already, from a try whose answer was lost.
    private func setAsideUnlessPosted(
        _ reason: String,
        isStale: Bool = false,
        _ queued: QueuedMessage,
        _ message: SealedMessage
    ) async throws {
        do {
            let posted = try await client.posted(message, by: store.userID)
            if let sequenceID = posted.sequenceIDs[queued.messageID] {
                return try markSent(queued.messageID, sequenceID)
            }
        } catch let error as APIError {
            // Where even the question is refused, the first refusal stands.
            if !condemns(.call(error), queued) { return try await settle(.call(error), queued, message) }
        }
        try setAside(queued, reason, isStale: isStale)
    }

    /// Whether a failure of a question speaks against the message that made us ask.
    private func condemns(_ failure: OutboxPolicy.Failure, _ queued: QueuedMessage) -> Bool {
        let action = action(after: failure, queued, outbox.clock())
        return action == .setAside || action == .reseal
    }

    private func reseal(_ queued: QueuedMessage, _ message: SealedMessage) async throws {
        // In this order: what was posted after the newest key came is under it, and none of ours.
        guard let session = try await renewedSession(queued, message) else { return }
        // Nothing is awaited in the catch clauses: optimizing that, Swift 6.3.1 crashes.
        let failure: OutboxPolicy.Failure
        do {
            let posted = try await client.posted(message, by: store.userID)
            let renewal = Renewal(
                session: session,
                version: session.keyRing.newestVersion(in: queued.conversationID) ?? "",
                posted: posted,
                searchedVersion: message.conversationKeyVersion
            )
            renewals.withLock { $0[queued.conversationID] = renewal }
            if try finish(queued, message, renewal) { return }
            failure = .noNewerKey
        } catch let error as APIError {
            failure = .call(error)
        }
        try await settle(failure, queued, message)
    }

    /// The caller's session with the newest key; nil where that has to wait, and the message with it.
    private func renewedSession(_ queued: QueuedMessage, _ message: SealedMessage) async throws -> Session? {
        let failure: any Error
        do {
            return try await session(queued.conversationID)
        } catch {
            failure = error
        }
        // What a cancelled closure throws says nothing.
        try Task.checkCancellation()
        if let error = failure as? XChatError, error.code.isAboutReaders {
            try await setAsideUnlessPosted(error.description, isStale: true, queued, message)
            return nil
        }
        // The message is not to blame: where waiting does not help, the caller is told.
        guard let error = failure as? APIError, !condemns(.call(error), queued) else { throw failure }
        try await settle(.call(error), queued, message)
        return nil
    }

    /// Ends a message that the server does not take under its key: it has it already, or gets it under the newest.
    ///
    /// - Returns: Whether it has ended; false where the session has no key that is newer, or not the message's own.
    private func finish(_ queued: QueuedMessage, _ message: SealedMessage, _ renewal: Renewal) throws -> Bool {
        if let sequenceID = renewal.posted.sequenceIDs[queued.messageID] {
            try markSent(queued.messageID, sequenceID)
            return true
        }
        do {
            let replacement = try renewal.session.reseal(
                message,
                allowsNewReaders: outbox.policy.newReaders == .send
            )
            try store.replace(queued.messageID, with: replacement, now: outbox.clock())
            note(.resealed, .info, "stale_key")
        } catch let error as XChatError {
            if error.code == .keyMissing { return false }
            try setAside(queued, error.description, isStale: true)
        }
        return true
    }

    private func markSent(_ messageID: WireString, _ sequenceID: WireString) throws(OutboxError) {
        try store.markSent(messageID, sequenceID: sequenceID, now: outbox.clock())
        note(.sent, .debug, "ok")
    }

    private func setAside(_ queued: QueuedMessage, _ reason: String, isStale: Bool = false) throws(OutboxError) {
        note(.setAside, .warning, reason)
        try store.setAside(queued.messageID, reason: reason.display(), isStale: isStale, now: outbox.clock())
    }

    /// Logs and counts; of the reason the code alone: its words may name a conversation.
    private func note(_ outcome: OutboxMetrics.Outcome, _ level: Logger.Level, _ reason: String) {
        let code = String(reason.prefix { $0 != ":" })
        OutboxMetrics.settled(outcome, code: code)
        outbox.logger?.log(
            level: level,
            "outbox",
            metadata: ["outcome": "\(outcome.rawValue)", "code": "\(code)"]
        )
    }
}

extension XChatError.Code {
    /// Whether it speaks of who would read a message under the newest key: a person or a rotation has to settle that,
    /// and waiting does not.
    fileprivate var isAboutReaders: Bool {
        [
            .membersChanged, .rotationNeeded, .membershipUnjudged, .membershipUnproven, .disputedKey, .notAParticipant,
        ].contains(self)
    }
}

extension OutboxPolicy.Failure {
    fileprivate var isRateLimit: Bool {
        guard case .call(let error) = self else { return false }
        return error.code == .rateLimited
    }

    /// `code: detail`.
    fileprivate var reason: String {
        switch self {
        case .call(let error): "\(error.code): \(error.detail)"
        case .noNewerKey: "stale_key: the server says that the conversation has a newer key, and none was found"
        }
    }
}
