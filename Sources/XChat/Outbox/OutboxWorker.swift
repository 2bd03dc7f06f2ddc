import Logging
import Synchronization
import XChatEngine
import XChatEvents
import XChatHTTP

import struct Foundation.Date

/// Takes messages from an outbox, posts them, and stores the outcomes.
///
/// One loop hands out conversations to tasks, each with a window of its first messages. A task posts one message after
/// the other and does not wait until the outcome of the previous one is stored, because several outcomes are committed
/// together. After a crash, the messages whose outcomes were not stored are posted again with the same ids and bytes,
/// as after a lost answer.
final class OutboxWorker: Sendable {
    /// When the worker ends by itself.
    enum Goal: Sendable {
        case empty
        case settled(MessageID)
        case never
    }

    /// The most conversations that are read at once.
    private static let conversationLimit = 256
    /// The most messages of all conversations that are read at once.
    private static let windowTotal = 512
    /// The most messages of a conversation whose outcomes are being stored while the next one is posted.
    private static let uncommittedLimit = 64
    /// How many outcomes of a conversation are stored together, if messages follow quickly.
    private static let groupSize = 32
    /// How long an outcome waits for others.
    private static let groupPause: Duration = .milliseconds(10)

    private let outbox: Outbox
    private let client: any MessageSending
    private let goal: Goal
    private let deadline: ContinuousClock.Instant?
    private let session: @Sendable (ConversationID) async throws -> Session
    /// The conversations whose key has changed.
    private let renewals = Mutex<[ConversationID: Renewal]>([:])
    private let rateLimits = Mutex(RateLimits())
    private let control = Mutex(Control())

    /// What the tasks of the worker share.
    private struct Control {
        /// Changes when no message may be posted before the queue is read again.
        var pauses = 0
        /// Conversations wait for a free task.
        var hasWaiting = false
        /// The message of the goal, or its replacement.
        var awaited: MessageID?
        var isGoalReached = false
    }

    /// The rate limits since the last message that was sent.
    ///
    /// Several attempts can be in progress when the first of them is refused. Refusals during the pause count as one.
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

    /// What is known after the server refused a message because its key is not the newest.
    ///
    /// The result is valid for every message under an older key: the server no longer accepts such messages, so it will
    /// never have a message that it does not have now.
    private struct Renewal: Sendable {
        let session: Session
        /// The newest key.
        let version: KeyVersion
        /// The messages of this user that the server has, as far as the history was read.
        let posted: PostedMessages
        /// The key version of the message that was looked for.
        let searchedVersion: KeyVersion

        /// Whether the server refuses a message because its key is older.
        func isNewer(than message: SealedMessage) -> Bool {
            guard let newest = version.number, let old = message.conversationKeyVersion.number else { return false }
            return old < newest
        }

        /// Whether it is known if the server stored a message.
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
        if case .settled(let messageID) = goal { control.withLock { $0.awaited = messageID } }
    }

    private var store: any AccountStore { outbox.store }

    func run() async throws {
        guard let lease = try await takeLease() else { return }
        do {
            try await post()
        } catch {
            await lease.end()
            await countWaiting()
            throw error
        }
        await lease.end()
        await countWaiting()
    }

    /// Waits until no other process posts; nil if the goal is reached before.
    private func takeLease() async throws -> (any StoreLease)? {
        var seen: UInt64?
        while true {
            try Task.checkCancellation()
            if isOverdue { return nil }
            let version = store.queueChanges.version
            if let lease = try await store.lease(Outbox.lease) { return lease }
            if version != seen, try await isReachedElsewhere() { return nil }
            seen = version
            try await Task.sleep(for: outbox.interval)
        }
    }

    private var isOverdue: Bool { deadline.map { ContinuousClock.now >= $0 } ?? false }

    private func isReachedElsewhere() async throws(AccountError) -> Bool {
        switch goal {
        case .never: return false
        case .empty: return try await store.queuedCount() == 0
        case .settled(let messageID): return try await outbox.entry(messageID)?.state != .queued
        }
    }

    // MARK: The loop

    private enum Event: Sendable {
        /// A task is done with a conversation; what it sent last is not stored yet.
        case posted(QueuePosition.Queue, [Sent])
        /// All outcomes of a conversation are stored.
        case settled(QueuePosition.Queue)
        /// The queue may have changed, or a time has come.
        case changed
        case overdue
    }

    /// A message that the server has.
    private struct Sent: Sendable {
        let messageID: MessageID
        let sequenceID: SequenceID
    }

    private func post() async throws {
        if isOverdue { return }
        try await withThrowingTaskGroup(of: Event.self) { group in
            if let deadline = self.deadline {
                // One message can take long.
                group.addTask {
                    try await Task.sleep(until: deadline, clock: .continuous)
                    return .overdue
                }
            }
            do {
                try await self.loop(&group)
                group.cancelAll()
                while let result = await group.nextResult() {
                    switch result {
                    case .success(.posted(_, let sent)): try await self.store(sent)
                    case .failure(let error) where !(error is CancellationError): throw error
                    default: break
                    }
                }
            } catch {
                group.cancelAll()
                throw error
            }
        }
    }

    /// Messages that were read from the queue, and the state of the queue then.
    private struct Windows {
        /// In reverse order.
        var conversations: [[QueuedMessage]] = []
        var edits: UInt64 = 0
        var pauses = 0
    }

    private func loop(_ group: inout ThrowingTaskGroup<Event, any Error>) async throws {
        let concurrency = max(1, outbox.concurrency)
        var (ready, running) = (Windows(), 0)
        /// Conversations with messages in progress, or with outcomes that are not stored.
        var busy: Set<QueuePosition.Queue> = []
        var (needsRead, isWatching, hasQueued) = (true, false, true)
        var (seen, next, watched) = (store.queueChanges.version, Date?.none, Date?.none)
        if try await isGoalReached(asksStore: true) { return }
        while true {
            try Task.checkCancellation()
            let pauses = control.withLock { $0.pauses }
            if ready.edits != store.queueChanges.edits || ready.pauses != pauses {
                // These windows may hold messages that are dropped, or lack messages that were put back.
                ready.conversations = []
                needsRead = true
            }
            if needsRead, ready.conversations.isEmpty, running < concurrency {
                needsRead = false
                seen = store.queueChanges.version
                (ready.edits, ready.pauses) = (store.queueChanges.edits, pauses)
                let due = try await store.dueMessages(
                    at: outbox.clock(),
                    limit: Self.conversationLimit,
                    total: Self.windowTotal,
                    excluding: busy
                )
                ready.conversations = due.conversations.reversed()
                (next, hasQueued) = (due.next, due.hasQueued)
            }
            while running < concurrency, let messages = ready.conversations.popLast() {
                guard let queue = messages.first?.position.queue else { continue }
                busy.insert(queue)
                running += 1
                let (edits, pauses) = (ready.edits, ready.pauses)
                group.addTask { .posted(queue, try await self.post(messages, edits, pauses)) }
            }
            let hasWaiting = !ready.conversations.isEmpty
            control.withLock { $0.hasWaiting = hasWaiting }
            if case .empty = goal, busy.isEmpty, !hasQueued { return }
            if needsRead {
                // The queue is read as soon as a task is free: until then, no change matters.
                (seen, next) = (store.queueChanges.version, nil)
            }
            if isWatching, let time = next, time < watched ?? .distantFuture {
                // The report ends the watch, which begins again with the earlier time.
                watched = next
                store.queueChanges.report()
            } else if !isWatching {
                (isWatching, watched) = (true, next)
                let (seen, next) = (seen, next)
                group.addTask {
                    await self.watch(after: seen, until: next)
                    return .changed
                }
            }
            await countWaitingAtTimes()
            switch try await group.next() {
            case .posted(let queue, let sent):
                running -= 1
                if !sent.isEmpty {
                    group.addTask {
                        try await self.store(sent)
                        return .settled(queue)
                    }
                } else {
                    busy.remove(queue)
                }
                needsRead = true
            case .settled(let queue):
                busy.remove(queue)
                needsRead = true
                if try await isGoalReached(asksStore: false) { return }
            case .changed:
                isWatching = false
                needsRead = true
                if try await isGoalReached(asksStore: true) { return }
            case .overdue, nil:
                return
            }
            try await outbox.forgetAtTimes()
        }
    }

    /// Waits until the queue may have changed, or a time has come.
    private func watch(after seen: UInt64, until next: Date?) async {
        while !Task.isCancelled {
            var pause: Duration?
            if let next {
                let rest = next.timeIntervalSince(outbox.clock())
                // The clock may be set meanwhile.
                pause = min(outbox.interval, .seconds(max(rest, 0)) + .milliseconds(1))
            }
            await store.queueChanges.wait(after: seen, upTo: pause)
            if store.queueChanges.version != seen { return }
            if let next, outbox.clock() >= next { return }
        }
    }

    private func store(_ sent: [Sent]) async throws {
        do {
            try await storeTogether(sent)
        } catch {
            // A damaged row must not keep the other outcomes from being stored, or their messages are posted again.
            guard sent.count > 1, (error as? AccountError)?.code == .damaged else { throw error }
            var failure: (any Error)?
            for one in sent {
                do { try await storeTogether([one]) } catch { failure = error }
            }
            if let failure { throw failure }
        }
    }

    private func storeTogether(_ sent: [Sent]) async throws {
        guard !sent.isEmpty else { return }
        try await store.settle(sent.map { .sent($0.messageID, sequenceID: $0.sequenceID) }, at: outbox.clock())
        for sent in sent {
            noteSettled(sent.messageID)
            note(.sent, .debug, "ok")
        }
    }

    private func isGoalReached(asksStore: Bool) async throws(AccountError) -> Bool {
        if isOverdue { return true }
        let (awaited, isReached) = control.withLock { ($0.awaited, $0.isGoalReached) }
        guard let awaited else { return false }
        if isReached { return true }
        return asksStore ? try await outbox.entry(awaited)?.state != .queued : false
    }

    /// A message is settled, or replaced by another one.
    private func noteSettled(_ messageID: MessageID, replacedBy new: MessageID? = nil) {
        defer { outbox.settlements.report() }
        let isReached = control.withLock { control in
            guard control.awaited == messageID else { return false }
            if let new { control.awaited = new } else { control.isGoalReached = true }
            return control.isGoalReached
        }
        if isReached { store.queueChanges.report() }
    }

    /// Every second at most: the messages are counted one by one.
    private let lastCount = Mutex(ContinuousClock.now - .seconds(1))

    private func countWaitingAtTimes() async {
        let isTime = lastCount.withLock { last in
            let now = ContinuousClock.now
            guard now - last >= .seconds(1) else { return false }
            last = now
            return true
        }
        if isTime { await countWaiting() }
    }

    private func countWaiting() async {
        if let count = try? await store.queuedCount() { OutboxMetrics.waiting(count) }
    }

    // MARK: One conversation

    /// What to do after a message was handled.
    private enum Turn: Sendable {
        /// The server has the message, which is not stored yet.
        case sent(SequenceID)
        /// The outcome is stored, and the next message can be posted.
        case goOn
        /// The message was replaced by another one, which must be read from the queue.
        case readAgain
        /// The conversation waits.
        case stop
    }

    /// Posts messages of one conversation until none is left, its window is over while others wait, or one cannot be
    /// sent now.
    ///
    /// - Returns: The last messages that were sent, which are not stored yet; all others are.
    private func post(_ first: [QueuedMessage], _ edits: UInt64, _ pauses: Int) async throws -> [Sent] {
        try await withThrowingTaskGroup(of: Int.self) { commits in
            var last: [Sent] = []
            var failure: (any Error)?
            do {
                try await self.post(first, edits, pauses, last: &last, &commits)
                try await commits.waitForAll()
            } catch {
                failure = error
            }
            guard let failure else { return last }
            // The server has it: a failure of another message does not change that.
            try? await self.store(last)
            throw failure
        }
    }

    private func post(
        _ first: [QueuedMessage],
        _ edits: UInt64,
        _ pauses: Int,
        last: inout [Sent],
        _ commits: inout ThrowingTaskGroup<Int, any Error>
    ) async throws {
        var (messages, edits, uncommitted) = (first[...], edits, 0)
        var elsewhere = store.queueChanges.elsewhere
        var begin = ContinuousClock.now
        while let queued = messages.popFirst() {
            try Task.checkCancellation()
            let now = store.queueChanges.elsewhere
            if now != elsewhere {
                // Another process may have dropped a message of the window.
                (elsewhere, edits) = (now, store.queueChanges.edits)
                let position = QueuePosition(queue: queued.position.queue, place: queued.position.place - 1)
                messages = try await store.queuedMessages(after: position, limit: 8)[...]
                continue
            }
            let (isStopped, hasWaiting) = control.withLock {
                ($0.pauses != pauses || $0.isGoalReached, $0.hasWaiting)
            }
            if isStopped || store.queueChanges.edits != edits { return }
            var position = queued.position
            switch try await handle(queued) {
            case .sent(let sequenceID):
                let now = ContinuousClock.now
                if last.isEmpty { begin = now }
                last.append(Sent(messageID: queued.messageID, sequenceID: sequenceID))
                if last.count >= Self.groupSize || now - begin > Self.groupPause {
                    while uncommitted > Self.uncommittedLimit - last.count, let count = try await commits.next() {
                        uncommitted -= count
                    }
                    uncommitted += last.count
                    let sent = last
                    commits.addTask {
                        try await self.store(sent)
                        return sent.count
                    }
                    last = []
                }
            case .goOn:
                break
            case .readAgain:
                messages = []
                position = QueuePosition(queue: position.queue, place: position.place - 1)
            case .stop:
                return
            }
            if messages.isEmpty, !hasWaiting {
                edits = store.queueChanges.edits
                messages = try await store.queuedMessages(after: position, limit: max(first.count, 32))[...]
            }
        }
    }

    private func handle(_ queued: QueuedMessage) async throws -> Turn {
        let message: SealedMessage
        do {
            message = try SealedMessage(
                messageID: queued.messageID,
                senderID: outbox.userID,
                conversationID: queued.conversationID,
                encodedMessageCreateEvent: queued.encodedMessageCreateEvent,
                encodedMessageEventSignature: queued.encodedMessageEventSignature,
                readers: queued.readers
            )
        } catch {
            return try await deadLetter(queued, error.description)
        }
        // A server that does not insist on the newest key would accept the message under a key that is known to be old.
        if queued.isStale { return try await reseal(queued, message) }
        if let renewal = renewals.withLock({ $0[queued.conversationID] }), renewal.isNewer(than: message) {
            guard renewal.covers(message) else { return try await reseal(queued, message) }
            if let turn = try await finish(queued, message, renewal) { return turn }
            // Perhaps the message has another key than those that the session knows: the server decides.
            renewals.withLock { $0[queued.conversationID] = nil }
        }
        // Nothing is awaited in the catch clause: optimizing that, Swift 6.3.1 crashes.
        let failure: APIError
        do {
            let sent = try await client.post(message)
            rateLimits.withLock { $0 = RateLimits() }
            return .sent(sent.sequenceID)
        } catch {
            failure = error
        }
        return try await settle(.call(failure), queued, message)
    }

    private func settle(
        _ failure: OutboxPolicy.Failure,
        _ queued: QueuedMessage,
        _ message: SealedMessage
    ) async throws -> Turn {
        let now = outbox.clock()
        let reason = failure.reason
        switch action(after: failure, queued, now) {
        case .retry(let delay):
            note(.retried, .info, reason)
            let until = now.addingTimeInterval(delay.seconds)
            try await store.settle([.postponed(queued.messageID, until: until, reason: reason)], at: now)
            return .stop
        case .pause(let delay):
            note(.paused, .notice, reason)
            let until = now.addingTimeInterval(delay.seconds)
            rateLimits.withLock { $0.add(now, until: until) }
            try await store.settle([.paused(until: until)], at: now)
            control.withLock { $0.pauses += 1 }
            return .stop
        case .reseal:
            return try await reseal(queued, message)
        case .deadLetter:
            return try await deadLetterUnlessPosted(reason, queued, message)
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
            // A rate limit is not a failure of the message.
            failures: failure.isRateLimit ? rateLimits.withLock { $0.before(now) } : queued.failures,
            now: now,
            jitter: outbox.jitter()
        )
    }

    /// Makes a message a dead letter, unless the server has it.
    ///
    /// A server may refuse an id because it has the message already, from an attempt whose answer was lost.
    private func deadLetterUnlessPosted(
        _ reason: String,
        isStale: Bool = false,
        _ queued: QueuedMessage,
        _ message: SealedMessage
    ) async throws -> Turn {
        var failure: APIError?
        do {
            let posted = try await client.posted(message, by: outbox.userID)
            if let sequenceID = posted.sequenceIDs[queued.messageID] { return .sent(sequenceID) }
        } catch {
            failure = error
        }
        // If the server also refuses the search, the first refusal decides.
        if let failure, !condemns(.call(failure), queued) { return try await settle(.call(failure), queued, message) }
        return try await deadLetter(queued, reason, isStale: isStale)
    }

    /// Whether the policy, after a failed search or key update, makes the message a dead letter or encrypts it again,
    /// and neither retries nor stops.
    private func condemns(_ failure: OutboxPolicy.Failure, _ queued: QueuedMessage) -> Bool {
        let action = action(after: failure, queued, outbox.clock())
        return action == .deadLetter || action == .reseal
    }

    private func reseal(_ queued: QueuedMessage, _ message: SealedMessage) async throws -> Turn {
        // The newest key is fetched before the search: from then on the server stores no message under an older key, so
        // the search cannot miss the message.
        let session: Session
        switch try await renewedSession(queued, message) {
        case .success(let renewed): session = renewed
        case .failure(let settled): return settled.turn
        }
        let failure: OutboxPolicy.Failure
        do {
            let posted = try await client.posted(message, by: outbox.userID)
            let renewal = Renewal(
                session: session,
                version: session.keyRing.newestVersion(in: queued.conversationID) ?? "",
                posted: posted,
                searchedVersion: message.conversationKeyVersion
            )
            renewals.withLock { $0[queued.conversationID] = renewal }
            if let turn = try await finish(queued, message, renewal) { return turn }
            failure = .noNewerKey
        } catch let error as APIError {
            failure = .call(error)
        }
        return try await settle(failure, queued, message)
    }

    /// The message was settled instead.
    private struct Settled: Error {
        let turn: Turn
    }

    /// The caller's session with the newest key, or the outcome of the message if the session is not available.
    private func renewedSession(
        _ queued: QueuedMessage,
        _ message: SealedMessage
    ) async throws -> Result<Session, Settled> {
        let failure: any Error
        do {
            return .success(try await session(queued.conversationID))
        } catch {
            failure = error
        }
        // The error of a cancelled closure is meaningless.
        try Task.checkCancellation()
        if let error = failure as? XChatError, error.code.isAboutReaders {
            let reason = error.description
            return .failure(Settled(turn: try await deadLetterUnlessPosted(reason, isStale: true, queued, message)))
        }
        // The message is not to blame: where waiting does not help, the caller gets the error.
        guard let error = failure as? APIError, !condemns(.call(error), queued) else { throw failure }
        return .failure(Settled(turn: try await settle(.call(error), queued, message)))
    }

    /// Settles a message that the server does not accept under its key: the server has it already, or it is encrypted
    /// under the newest key.
    ///
    /// - Returns: Nil if the session has no newer key, or not the key of the message.
    private func finish(
        _ queued: QueuedMessage,
        _ message: SealedMessage,
        _ renewal: Renewal
    ) async throws -> Turn? {
        if let sequenceID = renewal.posted.sequenceIDs[queued.messageID] { return .sent(sequenceID) }
        let replacement: SealedMessage
        let refusal: XChatError?
        do {
            replacement = try renewal.session.reseal(message, allowsNewReaders: outbox.policy.newReaders == .send)
            refusal = nil
        } catch {
            replacement = message
            refusal = error
        }
        if let refusal {
            if refusal.code == .keyMissing { return nil }
            return try await deadLetter(queued, refusal.description, isStale: true)
        }
        try await store.settle([.replaced(queued.messageID, by: replacement)], at: outbox.clock())
        noteSettled(queued.messageID, replacedBy: replacement.messageID)
        note(.resealed, .info, "stale_key")
        return .readAgain
    }

    private func deadLetter(_ queued: QueuedMessage, _ reason: String, isStale: Bool = false) async throws -> Turn {
        note(.deadLetter, .warning, reason)
        let outcome = MessageOutcome.deadLetter(queued.messageID, reason: reason.display(), isStale: isStale)
        try await store.settle([outcome], at: outbox.clock())
        if let deadLetters = outbox.deadLetters, let entry = try await store.entry(queued.messageID) {
            deadLetters(entry)
        }
        noteSettled(queued.messageID)
        return .goOn
    }

    /// Logs and counts an outcome with only the code of the reason, because its text may name a conversation.
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
    /// Whether the error is about who would read a message under the newest key: a person or a rotation has to settle
    /// that, and waiting does not.
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
        case .noNewerKey: "stale_key: the server says that the conversation has a newer key, but none was found"
        }
    }
}
