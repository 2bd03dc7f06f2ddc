import Foundation
import XChatEngine
import XChatEvents
import XChatHTTP

/// Finds conversations with new events, and marks them in a feed.
///
/// With an app token, the activity stream shows new events at once. X guarantees neither the order nor the completeness
/// of the stream, so the list of conversations is read too: every minute, and at once after a doubt. A doubt is a sign
/// that the stream may have missed an event: a new connection, a line that cannot be parsed, or an event that names no
/// conversation. While the stream is not connected, the list is read at every poll interval.
///
/// The list is read newest first, down to the first conversation that has not changed. Every 15 minutes, and at a start
/// if the last run may not have read all listed conversations, the list is read to its end.
struct Watcher: Sendable {
    /// The time between two readings of the list while the stream is connected.
    private static let streamInterval = Duration.seconds(60)
    /// The shortest time between two readings of the list, however many doubts arise.
    private static let shortestInterval = Duration.seconds(1)
    /// The longest pause after failures, unless the server asks for a longer one.
    private static let longestPause = Duration.seconds(60)
    /// How often the whole list is read.
    private static let sweepInterval = Duration.seconds(900)

    let account: Account
    let feed: Feed
    /// The one conversation that is followed; nil for all of them.
    let only: ConversationID?
    let isBehind: Bool

    /// Watches until the task is cancelled.
    func run() async {
        let state = StreamTrust()
        await withTaskGroup(of: Void.self) { group in
            if let app = account.app { group.addTask { await follow(app, state) } }
            group.addTask { await poll(state) }
            await group.waitForAll()
        }
    }

    // MARK: The list

    private func poll(_ state: StreamTrust) async {
        let interval = account.configuration.pollInterval
        var lastSweep: ContinuousClock.Instant?
        var failures = 0
        while !Task.isCancelled {
            let now = ContinuousClock.now
            // Doubts that arise while the list is read cause another reading.
            let doubts = await state.doubts
            let sweeps = lastSweep.map { now - $0 >= Self.sweepInterval } ?? isBehind
            do throws(APIError) {
                try await list(isSweep: sweeps)
                if sweeps || lastSweep == nil { lastSweep = now }
                failures = 0
                await feed.didList()
                await state.wait(for: interval, whileConnected: Self.streamInterval, unlessAfter: doubts)
            } catch {
                switch error.code {
                case .cancelled: return
                case .unauthorized, .wrongUser, .insecureTransport, .redirected: return await feed.fail(error)
                default:
                    if failures == 0 { account.report(Problem(error)) }
                    failures = min(failures + 1, 8)
                    let asked = error.resetAt.map { min(max(0, $0.timeIntervalSinceNow), 86_400) } ?? 0
                    try? await Task.sleep(for: .seconds(asked))
                    // A new connection of the stream ends the pause, because the server can be reached again.
                    let pause = min(interval * (1 << (failures - 1)), max(interval, Self.longestPause))
                    await state.wait(for: pause, whileConnected: pause, unlessAfter: doubts)
                }
            }
            let next = now + min(interval, Self.shortestInterval)
            if next > .now { try? await Task.sleep(until: next, clock: .continuous) }
        }
    }

    /// Reads the list of conversations and marks those that have changed, oldest first.
    private func list(isSweep: Bool) async throws(APIError) {
        if let only { return await feed.mark(only) }
        var changed: [(ConversationID, Int64?)] = []
        pages: for try await page in account.client.conversationPages() {
            var listed: [(id: ConversationID, updatedAt: Int64?)] = []
            for conversation in page.conversations {
                guard let id = conversation.id, (try? ConversationTarget(id)) != nil else { continue }
                listed.append(
                    (ConversationID(canonicalizing: id, sender: account.userID), conversation.updatedAt?.milliseconds)
                )
            }
            let cursors = await self.cursors(of: listed.map(\.id))
            for entry in listed {
                if let cursor = cursors[entry.id], cursor.isSettled, let updatedAt = entry.updatedAt,
                    cursor.updatedAt == updatedAt
                {
                    if isSweep { continue }
                    break pages
                }
                changed.append(entry)
            }
        }
        guard !changed.isEmpty else { return }
        do {
            try await feed.mark(changed.reversed())
        } catch {
            await feed.fail(error)
        }
    }

    private func cursors(of conversations: [ConversationID]) async -> [ConversationID: Cursor] {
        let keys = conversations.map { RecordKey.cursor(consumer: feed.consumer, $0) }
        do {
            let records = try await feed.cursors.records(Array(Set(keys)))
            var cursors: [ConversationID: Cursor] = [:]
            for (conversation, key) in zip(conversations, keys) {
                if let record = records[key] { cursors[conversation] = try Cursor(decoding: record.bytes) }
            }
            return cursors
        } catch {
            await feed.fail(error)
            return [:]
        }
    }

    // MARK: The stream

    private func follow(_ app: ChatClient, _ state: StreamTrust) async {
        while !Task.isCancelled {
            do throws(APIError) {
                try await account.subscribe(app)
                for try await element in app.activity() {
                    switch element {
                    case .connected:
                        await state.set(isConnected: true)
                        // Subscriptions may have ended with the previous connection.
                        try await account.subscribe(app)
                    case .disconnected: await state.set(isConnected: false)
                    case .event(let event): if await !take(event) { await state.doubt() }
                    case .problem(let problem):
                        account.configuration.notify?(.streamProblem(problem))
                        account.report(Problem(problem))
                        await state.doubt()
                    }
                }
                return
            } catch {
                await state.set(isConnected: false)
                if error.code == .cancelled { return }
                account.configuration.notify?(
                    error.mayPass
                        ? .streamProblem(error)
                        : .noStream(error, pollInterval: account.configuration.pollInterval)
                )
                account.report(Problem(error))
                guard error.mayPass else { return }
                try? await Task.sleep(for: account.configuration.pollInterval)
            }
        }
    }

    /// Marks the conversation of an event.
    ///
    /// - Returns: False if the event may belong to this user but does not name its conversation.
    private func take(_ event: ActivityEvent) async -> Bool {
        switch event.location(for: account.userID) {
        case .unknown: return false
        case .elsewhere: return true
        case .conversation(let conversation):
            if only == nil || only == conversation { await feed.mark(conversation, event: event) }
            return true
        }
    }
}

/// Whether the activity stream is connected, and how often it may have missed events.
actor StreamTrust {
    private var isConnected = false
    /// How often the stream may have missed an event, so that the list must be read at once.
    private(set) var doubts = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Sets whether the stream is connected.
    ///
    /// A new connection and the end of a connection are doubts, because events may be missing.
    func set(isConnected: Bool) {
        let changed = self.isConnected != isConnected
        self.isConnected = isConnected
        if changed || isConnected { doubt() }
    }

    /// Counts a doubt and ends the wait for the next reading.
    func doubt() {
        doubts += 1
        wake()
    }

    private func wake() {
        let continuations = waiting
        waiting = []
        for continuation in continuations { continuation.resume() }
    }

    /// Waits for an interval, a longer one while the stream is connected, or until a doubt arises.
    ///
    /// - Parameters:
    ///   - interval: The interval.
    ///   - longer: The interval while the stream is connected.
    ///   - seen: The value of ``doubts`` that the caller has read: if there were further doubts, the function returns
    ///     at once.
    func wait(for interval: Duration, whileConnected longer: Duration, unlessAfter seen: Int) async {
        guard doubts == seen, !Task.isCancelled else { return }
        let timer = Task { [interval = isConnected ? longer : interval] in
            try? await Task.sleep(for: interval)
            if !Task.isCancelled { wake() }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if doubts != seen || Task.isCancelled { continuation.resume() } else { waiting.append(continuation) }
            }
        } onCancel: {
            Task { await self.wake() }
        }
        timer.cancel()
    }
}

extension Account {
    /// Makes sure that the app is subscribed to the user's messages.
    fileprivate func subscribe(_ app: ChatClient) async throws(APIError) {
        var missing: [ActivityEvent.Kind] = [.received, .sent]
        for try await page in app.subscriptionPages() {
            missing.removeAll { kind in page.subscriptions.contains { $0.kind == kind && $0.userID == userID } }
        }
        for kind in missing {
            _ = try await client.subscribe(to: kind, of: userID, tag: "xchat")
            configuration.notify?(.subscribed(kind))
        }
    }
}

extension ActivityEvent {
    /// Where an event belongs.
    enum Location: Hashable {
        /// To this conversation of the user.
        case conversation(ConversationID)
        /// To another user.
        case elsewhere
        /// The event names no conversation.
        case unknown
    }

    /// The conversation of a user to which the event belongs: the one that the event names, or else the one that the
    /// server names.
    func location(for user: UserID) -> Location {
        let parsed = encodedEvent.flatMap { try? MessageEvent(base64: $0) }
        let isOthers = subscribedUserID.map { $0 != user } ?? false
        guard let id = parsed?.conversationID ?? conversationID else { return isOthers ? .elsewhere : .unknown }
        let sender = parsed?.conversationID == nil ? senderID ?? "" : parsed?.senderID ?? ""
        let conversation = ConversationID(canonicalizing: id, sender: sender)
        guard (try? ConversationTarget(conversation)) != nil else { return isOthers ? .elsewhere : .unknown }
        return conversation.isOneOfTwo(user) == false ? .elsewhere : .conversation(conversation)
    }
}
