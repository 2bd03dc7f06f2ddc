import Foundation
import LibSodium
import Synchronization
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP

/// Reads a conversation and goes on reading: its history first, then what comes.
///
/// The activity stream promises neither order nor completeness. So the history is read when the stream opens, every five
/// minutes, and after each doubt about the stream. Each signed event is shown once. An event that was refused for want of a key
/// is tried again when the key arrives.
struct Follower: Sendable {
    private var remote: RemoteSession
    private let app: ChatClient?
    private let conversation: ConversationID
    private let isJSON: Bool
    private let interval: Duration

    private var printed = 0
    private var printer = EventPrinter()
    private var seen = SeenEvents()
    /// What was delivered before and does not have to be opened again.
    private var settled = SeenTexts()
    /// What histories listed, to which the next walk goes back: the stream may have skipped something before what it told.
    private var listed = SeenTexts()
    /// Events that were refused and may be accepted later, oldest first; at most 1,000.
    private var refused: [String] = []
    private var shownRefusals = SeenTexts()

    private var isLive = false
    private var isOwed = false
    private var lastLook = ContinuousClock.now
    /// How long a stream that lives is relied on without a look at the history.
    private static let trust = Duration.seconds(300)
    private static let maximumRefused = 1000

    /// Makes a follower; nothing is asked yet.
    ///
    /// The app's client, where there is one, has the token for the activity stream; without it the conversation is read once
    /// in every interval.
    init(_ remote: RemoteSession, _ conversation: ConversationID, app: ChatClient?, isJSON: Bool, interval: Duration) {
        self.remote = remote
        self.conversation = conversation
        self.app = app
        self.isJSON = isJSON
        self.interval = interval
    }

    /// Reads until the task is cancelled.
    mutating func run() async throws {
        let target = try ConversationTarget(conversation)
        let history = try await remote.listing(of: target)
        try await take(history.events.map(\.encodedEvent), history.keyEvents, pages: history.pageCount, isWhole: true)
        for event in history.events { listed.insert(event.encodedEvent) }
        if app == nil {
            Output.note("xchat: XCHAT_APP_TOKEN is not set: without the activity stream, \(lookingInstead)")
        }
        let wakes = WakeQueue()
        let streaming = Task { [self] in
            guard let app else { return }
            do {
                try await subscribe(app)
                for try await element in app.activity() { wakes.add(.stream(element)) }
            } catch {
                wakes.add(.streamEnded(error))
            }
        }
        let ticking = Task { [interval] in
            while !Task.isCancelled {
                try await Task.sleep(for: interval)
                wakes.add(.tick)
            }
        }
        defer {
            streaming.cancel()
            ticking.cancel()
        }
        for await _ in wakes.signals {
            while let wake = wakes.next() { try await handle(wake, target) }
            if wakes.takeGap() { try await look(target) }
        }
    }

    private mutating func handle(_ wake: WakeQueue.Wake, _ target: ConversationTarget) async throws {
        switch wake {
        case .stream(.connected):
            isLive = true
            // Subscriptions may have gone with the connection before.
            if let app { try? await subscribeOnce(app) }
            try await look(target)
        case .stream(.event(let event)):
            try await take(event, target)
        case .stream(.problem(let problem)):
            // One that names its call is a stream that could not be opened.
            if problem.operation != nil { isLive = false }
            Output.warning("the activity stream: \(visible("\(problem)"))")
            // What could not be read may have been an event.
            try await look(target)
        case .streamEnded(let error):
            isLive = false
            tellThereIsNoStream(error)
        case .tick:
            guard !isLive || isOwed || ContinuousClock.now - lastLook >= Self.trust else { return }
            try await look(target)
        }
    }

    private var lookingInstead: String {
        "the conversation is looked at every \(interval.components.seconds) s instead"
    }

    /// Sees to it that the app is told of the user's messages.
    ///
    /// - Throws: Where the next try would fare no better.
    private func subscribe(_ app: ChatClient) async throws {
        while true {
            do {
                return try await subscribeOnce(app)
            } catch let error as APIError where error.mayPass {
                Output.warning("the activity stream: \(visible("\(error)"))")
                try await Task.sleep(for: interval)
            }
        }
    }

    private func subscribeOnce(_ app: ChatClient) async throws {
        let user = remote.session.userID
        var missing: [ActivityEvent.Kind] = [.received, .sent]
        for try await page in app.subscriptionPages() {
            missing.removeAll { kind in
                page.subscriptions.contains { $0.kind == kind && $0.userID == user }
            }
        }
        for kind in missing {
            do {
                _ = try await remote.client.subscribe(to: kind, of: user, tag: "xchat")
            } catch {
                guard [.forbidden, .unauthorized].contains(error.code) else { throw error }
                throw CommandError("\(error); user \(user) must have allowed the app to read messages")
            }
            Output.note("xchat: the app is subscribed to \(kind) of user \(user), and stays so")
        }
    }

    private func tellThereIsNoStream(_ error: any Error) {
        let isRefused = [.unauthorized, .forbidden].contains((error as? APIError)?.code)
        let advice = isRefused ? "XCHAT_APP_TOKEN takes the bearer token of an app that may use it; " : ""
        Output.warning("the activity stream cannot be had: \(visible("\(error)")); \(advice)\(lookingInstead)")
    }

    // MARK: Histories

    /// Reads what is new in the history; where it cannot be read now, that is made up for at the next tick.
    private mutating func look(_ target: ConversationTarget) async throws {
        let news: (events: [String], keys: [String], pages: Int)
        do throws(APIError) {
            news = try await self.news(target)
        } catch {
            guard error.mayPass else { throw error }
            if !isOwed { Output.warning("the conversation cannot be read now: \(visible("\(error)"))") }
            isOwed = true
            return
        }
        isOwed = false
        lastLook = .now
        try await take(news.events, news.keys, pages: news.pages)
        for event in news.events { listed.insert(event) }
    }

    /// The newest events, oldest first, as far back as an event that a history listed before.
    private mutating func news(
        _ target: ConversationTarget
    ) async throws(APIError) -> (events: [String], keys: [String], pages: Int) {
        var pages: [EventPage] = []
        for try await page in remote.client.eventPages(in: target) {
            pages.append(page)
            if page.events.contains(where: { listed.contains($0.encodedEvent) }) { break }
        }
        let oldestFirst = pages.reversed()
        return (
            oldestFirst.flatMap { $0.events.reversed() }.map(\.encodedEvent), oldestFirst.flatMap(\.keyEvents),
            pages.count
        )
    }

    /// Takes one delivery: what is new in it, after what was refused before and may be accepted now.
    private mutating func take(
        _ events: [String],
        _ keyEvents: [String],
        pages: Int = 1,
        isWhole: Bool = false
    ) async throws {
        let again = refused
        let isTriedAgain = Set(again.map { WireString($0) })
        let new = events.filter { !settled.contains($0) && !isTriedAgain.contains(WireString($0)) }
        guard !again.isEmpty || !new.isEmpty || !keyEvents.isEmpty else { return }
        let encoded = again + new
        let opened = try await remote.open(
            encoded,
            keyEvents: keyEvents,
            in: conversation,
            pages: pages,
            isWhole: isWhole
        )
        refused = []
        for (event, text) in zip(opened, encoded) {
            switch event.result {
            case .success:
                settled.insert(text)
                try show(event)
            case .failure(let error):
                if error.mayPass, refused.count < Self.maximumRefused {
                    refused.append(text)
                } else {
                    settled.insert(text)
                }
                if shownRefusals.insert("\(error.code.rawValue) \(text)") { try print(event) }
            }
        }
    }

    // MARK: The stream

    private mutating func take(_ event: ActivityEvent, _ target: ConversationTarget) async throws {
        guard concerns(event) else { return }
        guard let encoded = event.encodedEvent, let parsed = try? MessageEvent(base64: encoded) else {
            return try await look(target)
        }
        // Who is in a group and which key encrypts is decided in the order of the history.
        if event.keyChangeEvent != nil || parsed.kind == .keyChange || parsed.kind == .groupChange {
            return try await look(target)
        }
        guard !settled.contains(encoded) else { return }
        let opened = try await remote.open([encoded], keyEvents: [], in: conversation)
        guard case .failure(let error)? = opened.first?.result, error.mayPass else {
            settled.insert(encoded)
            if let event = opened.first { try show(event) }
            return
        }
        // A key change or a change of the group came before, and the stream did not tell.
        if refused.count < Self.maximumRefused { refused.append(encoded) }
        try await look(target)
    }

    /// Whether an event is of this conversation: its own word counts, and the server's where it has none.
    private func concerns(_ event: ActivityEvent) -> Bool {
        let parsed = event.encodedEvent.flatMap { try? MessageEvent(base64: $0) }
        if let id = parsed?.conversationID {
            return ConversationID(canonicalizing: id, sender: parsed?.senderID ?? "") == conversation
        }
        guard let id = event.conversationID else { return false }
        return ConversationID(canonicalizing: id, sender: event.senderID ?? "") == conversation
    }

    // MARK: Output

    private mutating func show(_ event: OpenedEvent) throws {
        guard let event = event.unlessRepeated(&seen) else { return }
        try print(event)
    }

    private mutating func print(_ event: OpenedEvent) throws {
        try Output.result(event.line(&printer, isJSON: isJSON, index: printed))
        printed += 1
    }
}

/// What wakes a follower, in order; bounded by bytes.
///
/// A reader that is slower than the stream loses nothing: what does not fit is dropped, and the history has it.
private final class WakeQueue: Sendable {
    enum Wake: Sendable {
        case stream(ActivityStream.Element)
        case streamEnded(any Error)
        case tick
    }

    private struct State {
        var wakes: [Wake] = []
        var bytes = 0
        var hasGap = false
    }

    /// The most bytes of events that wait: 16 MiB, and one event.
    private static let maximumBytes = 16 << 20
    private static let maximumCount = 10_000

    /// An element whenever something is added.
    let signals: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    init() {
        (signals, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func add(_ wake: Wake) {
        state.withLock { state in
            if case .stream = wake, state.bytes >= Self.maximumBytes || state.wakes.count >= Self.maximumCount {
                state.hasGap = true
                return
            }
            if case .tick = wake, case .tick? = state.wakes.last { return }
            state.bytes += wake.byteCount
            state.wakes.append(wake)
        }
        continuation.yield()
    }

    func next() -> Wake? {
        state.withLock { state in
            guard !state.wakes.isEmpty else { return nil }
            let wake = state.wakes.removeFirst()
            state.bytes -= wake.byteCount
            return wake
        }
    }

    /// Whether events were dropped since this was last asked.
    func takeGap() -> Bool {
        state.withLock { state in
            defer { state.hasGap = false }
            return state.hasGap
        }
    }
}

extension WakeQueue.Wake {
    fileprivate var byteCount: Int {
        guard case .stream(.event(let event)) = self else { return 64 }
        return 64 + (event.encodedEvent?.utf8.count ?? 0) + (event.keyChangeEvent?.utf8.count ?? 0)
    }
}

/// Texts that were seen: the newest 100,000 of them, each as a digest.
private struct SeenTexts: Sendable {
    private static let limit = 100_000
    private var digests: Set<[UInt8]> = []
    private var order: [[UInt8]] = []
    private var oldest = 0

    func contains(_ text: String) -> Bool {
        guard let digest = Self.digest(text) else { return false }
        return digests.contains(digest)
    }

    /// Notes a text; false if it was noted before.
    @discardableResult
    mutating func insert(_ text: String) -> Bool {
        guard let digest = Self.digest(text) else { return true }
        guard digests.insert(digest).inserted else { return false }
        if order.count < Self.limit {
            order.append(digest)
        } else {
            digests.remove(order[oldest])
            order[oldest] = digest
            oldest = (oldest + 1) % Self.limit
        }
        return true
    }

    private static func digest(_ text: String) -> [UInt8]? {
        let bytes = Array(text.utf8)
        return try? GenericHash.hash(bytes.span)
    }
}

extension XChatError {
    /// Whether the same event may be accepted later: a key that is missing may come.
    fileprivate var mayPass: Bool {
        [.keyMissing, .unknownSigner, .notAParticipant, .authenticationFailed].contains(code)
    }
}
