import AsyncHTTPClient
import Foundation
import LibSodium
import Logging
public import ServiceLifecycle
import Synchronization
import XChatEngine
public import XChatEvents
import XChatFiles
public import XChatHTTP

/// An account of X Chat.
///
/// An account receives, verifies and decrypts messages, sends messages and replies, and saves its state on disk.
///
/// The guarantees are in `docs/account.md`, "Guarantees": events that do not verify are never handed out, conversation
/// keys are wrapped only for pinned public keys, and pins and keys are saved before they are used. A message to send is
/// first saved on disk; then a worker posts the message. All functions may be called from any task.
///
/// The worker ends with ``close()``, or when the last reference to the account is released. Messages that are not sent
/// by then are posted after the account is opened again.
public final class Account: Sendable {
    /// The user of the account.
    public var userID: UserID { identity.userID }
    /// The configuration that the account was opened with.
    let configuration: Configuration
    let store: any AccountStore
    let identity: Identity
    let state: AccountState
    package let client: ChatClient
    let app: ChatClient?
    package let outbox: Outbox
    let refusedSigners = RefusedSigners()
    let acceptedKeyChanges = AcceptedKeyChanges()
    private let poster: OutboxPoster
    let calls = OpenCalls()
    private let running = Mutex(Running())
    /// Notices that were already reported.
    private let reported = Mutex<Set<String>>([])
    private static let maximumReported = 10_000

    /// The background tasks.
    private struct Running {
        var worker: Task<Void, Never>?
        var feeds: [WeakFeed] = []
        var isClosed = false
    }

    private struct WeakFeed {
        weak var feed: Feed?
    }

    init(_ configuration: Configuration, _ store: any AccountStore, _ identity: Identity) throws {
        self.configuration = configuration
        self.store = store
        self.identity = identity
        state = AccountState(store: store, identity: identity)
        client = try configuration.client(store).checkingTokens(areOf: identity.userID)
        app = try configuration.appClient()
        var policy = OutboxPolicy()
        policy.newReaders = configuration.newReaders
        outbox = Outbox(store: store, userID: identity.userID, policy: policy)
        poster = OutboxPoster(configuration, outbox, client)
    }

    deinit {
        // The worker's task holds no strong reference to the account, so it must be cancelled here.
        running.withLock { $0.worker?.cancel() }
        poster.problems.finish()
    }

    /// The problems that arise while the account runs: refused events, messages that were not sent, changed public
    /// keys.
    ///
    /// Each reader gets the problems that arise after it starts to iterate.
    public var problems: Problems { Problems(broadcast: poster.problems) }

    func report(_ problem: Problem) { poster.report(problem) }

    /// Reports a notice, but only the first time: servers list the same key change events again and again.
    func report(_ notice: Notice, in conversation: ConversationID) {
        let isNew = reported.withLock { reported in
            guard reported.count < Self.maximumReported else { return false }
            return reported.insert("\(notice)").inserted
        }
        guard isNew else { return }
        configuration.notify?(notice)
        report(Problem(notice, conversation: conversation))
    }

    /// Adds a feed that ``close()`` ends.
    ///
    /// - Throws: `closed`.
    func add(_ feed: Feed) throws(AccountError) {
        running.withLock { running in
            running.feeds.removeAll { $0.feed == nil }
            running.feeds.append(WeakFeed(feed: feed))
        }
        // `close()` refuses calls before it collects the feeds, so a feed that was added too late is refused here.
        try calls.check()
    }

    /// Runs a call that ``close()`` ends.
    ///
    /// - Throws: What `body` throws; `closed` if the account is closed before the end of `body`.
    func whileOpen<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await calls.run(body)
    }

    /// Refuses a call of a closed account.
    func checkOpen() throws(AccountError) { try calls.check() }

    /// Passes an event that came by webhook to the loops over messages and events, which verify it like any other
    /// event.
    ///
    /// - Parameter event: The event of a request whose signature was checked, see `XChatHTTP.Webhook`.
    public func receive(_ event: ActivityEvent) {
        guard case .conversation(let conversation) = event.location(for: userID) else { return }
        let feeds = running.withLock { $0.feeds.compactMap(\.feed) }
        Task { for feed in feeds { await feed.mark(conversation, event: event) } }
    }

    // MARK: The worker

    /// Starts the worker that posts messages, unless it runs.
    package func startWorker() {
        running.withLock { running in
            guard running.worker == nil, !running.isClosed else { return }
            running.worker = Task { [weak self, poster] in
                await poster.run { [weak self] conversation in
                    guard let self else { throw CancellationError() }
                    return try await self.refreshed(conversation)
                }
            }
        }
    }

    /// Binds the outbox to the user and the API before its first use, so that no message is posted for another user or
    /// to another API.
    package func openOutbox() async throws { try await poster.open() }

    /// Why the worker cannot post anything at present, for example because the token is refused; nil while it can.
    package var workerFailure: (any Error)? { poster.failure }

    /// The id of another process that posts this account's messages now; nil if no other process posts them, or if its
    /// id is not known.
    package func otherPoster() async -> Int32? {
        let holder = await (store as? any LeaseDirectory)?.leaseHolder(Outbox.lease)
        return holder == ProcessID.own ? nil : holder
    }

    /// A session that knows the newest key of a conversation, after its history was read.
    private func refreshed(_ conversation: ConversationID) async throws -> Session {
        try await learnKeys(of: conversation)
        return try await state.session(AccountState.Scope(conversation))
    }

    /// Closes the account: loops over messages end, and a message that is being posted is either sent or stays in the
    /// outbox.
    ///
    /// Calls in progress and all later calls throw `closed`. A message whose outcome a call was waiting for stays on
    /// disk. If a program ends without closing the account, no message is lost: unsent messages are on disk.
    public func close() async {
        let worker = running.withLock { running in
            running.isClosed = true
            return running.worker.take()
        }
        await calls.close()
        let feeds = running.withLock { running in
            defer { running.feeds = [] }
            return running.feeds.compactMap(\.feed)
        }
        for feed in feeds { await feed.stop() }
        worker?.cancel()
        await worker?.value
        poster.problems.finish()
    }
}

extension Account: Service {
    /// Runs the worker that posts messages, until a graceful shutdown or the end of the task; then closes the account.
    ///
    /// - Throws: ``AccountError`` with `closed` for a closed account.
    public func run() async throws {
        try checkOpen()
        startWorker()
        let ended = AsyncStream<Void>.makeStream()
        try await withTaskCancellationOrGracefulShutdownHandler {
            do {
                try await whileOpen { for await _ in ended.stream {} }
            } catch let error as AccountError where error.code == .closed {
                // Another task closed the account.
            }
        } onCancelOrGracefulShutdown: {
            ended.continuation.finish()
        }
        await close()
    }
}

extension Account.Configuration {
    fileprivate func client(_ store: any AccountStore) throws -> ChatClient {
        let tokens = token ?? StoredTokens(store: store, configuration: self).source
        return try ChatClient(api: api, tokens: tokens, http: http, logger: logger)
    }

    fileprivate func appClient() throws -> ChatClient? {
        try appToken.map { try ChatClient(api: api, token: $0, http: http, logger: logger) }
    }
}

/// Users whose served keys were refused: their keys are not fetched again with every event.
final class RefusedSigners: Sendable {
    /// The most users that are remembered: 10,000.
    private static let limit = 10_000
    private let users = Mutex<Set<UserID>>([])

    func contains(_ user: UserID) -> Bool { users.withLock { $0.contains(user) } }

    func add(_ user: UserID) {
        users.withLock { users in
            if users.count >= Self.limit { users.removeAll() }
            users.insert(user)
        }
    }

    func remove(_ user: UserID) { users.withLock { _ = $0.remove(user) } }
}
