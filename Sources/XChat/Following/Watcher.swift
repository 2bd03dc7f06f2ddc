import Foundation
import XChatEngine
import XChatEvents
import XChatHTTP

/// Finds the conversations that have something new, and tells a feed.
///
/// With an app token the activity stream says so at once; X promises neither its order nor its completeness, so the list of
/// conversations is read as well: when the stream connects, and every five minutes. Without the stream the list is read in
/// every interval. It is read newest first, down to the first conversation that has not changed; every 15 minutes, and when
/// conversations may have been left over, to its end.
struct Watcher: Sendable {
    /// How long a connected stream is relied on without reading the list.
    private static let streamInterval = Duration.seconds(300)
    /// How often the whole list is read.
    private static let sweepInterval = Duration.seconds(900)

    let account: Account
    let feed: Feed
    /// The one conversation that is followed; nil for all of them.
    let only: ConversationID?
    let isBehind: Bool

    /// Watches until the task is cancelled.
    func run() async {
        let state = StreamState()
        await withTaskGroup(of: Void.self) { group in
            if let app = account.app { group.addTask { await follow(app, state) } }
            group.addTask { await poll(state) }
            await group.waitForAll()
        }
    }

    // MARK: The list

    private func poll(_ state: StreamState) async {
        var lastSweep: ContinuousClock.Instant?
        var backoff = 0
        while !Task.isCancelled {
            let now = ContinuousClock.now
            let sweeps = lastSweep.map { now - $0 >= Self.sweepInterval } ?? isBehind
            do throws(APIError) {
                try await list(isSweep: sweeps)
                if sweeps || lastSweep == nil { lastSweep = now }
                backoff = 0
                await feed.didList()
                await state.wait(for: account.configuration.pollInterval, whileConnected: Self.streamInterval)
            } catch {
                switch error.code {
                case .cancelled: return
                case .unauthorized, .insecureTransport, .redirected: return await feed.fail(error)
                default:
                    if backoff == 0 { account.report(Problem(error)) }
                    backoff = min(backoff + 1, 8)
                    let asked = error.resetAt.map { Duration.seconds(max(0, $0.timeIntervalSinceNow)) } ?? .zero
                    try? await Task.sleep(for: max(asked, account.configuration.pollInterval * (1 << (backoff - 1))))
                }
            }
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

    private func follow(_ app: ChatClient, _ state: StreamState) async {
        while !Task.isCancelled {
            do throws(APIError) {
                try await account.subscribe(app)
                for try await element in app.activity() {
                    switch element {
                    case .connected:
                        await state.set(isConnected: true)
                        // Subscriptions may have ended with the connection before.
                        try await account.subscribe(app)
                    case .event(let event): await take(event)
                    case .problem(let problem):
                        if problem.operation != nil { await state.set(isConnected: false) }
                        account.configuration.notify?(.streamProblem(problem))
                        account.report(Problem(problem))
                        await state.wake()
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

    private func take(_ event: ActivityEvent) async {
        guard let conversation = event.conversation(of: account.userID), only == nil || only == conversation else {
            return
        }
        await feed.mark(conversation, event: event)
    }
}

/// Whether the activity stream is connected, and who waits for that to change.
private actor StreamState {
    private var isConnected = false
    private var wakes = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func set(isConnected: Bool) {
        let changed = self.isConnected != isConnected
        self.isConnected = isConnected
        if changed || isConnected { wake() }
    }

    func wake() {
        wakes += 1
        let continuations = waiting
        waiting = []
        for continuation in continuations { continuation.resume() }
    }

    /// Waits for an interval, a longer one while the stream is connected, or until the state changes.
    func wait(for interval: Duration, whileConnected longer: Duration) async {
        let seen = wakes
        let timer = Task { [interval = isConnected ? longer : interval] in
            try? await Task.sleep(for: interval)
            if !Task.isCancelled { wake() }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if wakes != seen || Task.isCancelled { continuation.resume() } else { waiting.append(continuation) }
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
    /// The conversation that an event belongs to: the one that it names, or else the one that the server names.
    ///
    /// Nil for a conversation that the user does not belong to.
    func conversation(of user: UserID) -> ConversationID? {
        let parsed = encodedEvent.flatMap { try? MessageEvent(base64: $0) }
        guard let id = parsed?.conversationID ?? conversationID else { return nil }
        let sender = parsed?.conversationID == nil ? senderID ?? "" : parsed?.senderID ?? ""
        let conversation = ConversationID(canonicalizing: id, sender: sender)
        guard (try? ConversationTarget(conversation)) != nil, conversation.isOneOfTwo(user) != false else { return nil }
        return conversation
    }
}
