import Foundation
import XChat
import XChatEvents
import XChatHTTP

/// Reads a conversation and goes on reading: its history first, then what comes.
///
/// What comes is told by the activity stream, which promises neither order nor completeness. So the newest page of the
/// history is looked at whenever the stream is opened, now and then while it lives, and often where there is none; every
/// event is printed once, however it came.
struct Follower: Sendable {
    private var remote: RemoteSession
    private let app: ChatClient?
    private let conversation: ConversationID
    private let isJSON: Bool
    private let interval: Duration

    private var printed = 0
    private var seen = SeenEvents()
    /// What was in the histories read so far, by the server's names: where looking further back ends.
    private var listed: Set<WireString> = []
    private var saved = 0
    private var savedRoster: GroupRoster?

    private var isLive = false
    private var isOwed = false
    private var lastLook = ContinuousClock.now
    /// How long a stream that lives is trusted to tell everything.
    private static let trust = Duration.seconds(300)

    /// Makes a follower; nothing is asked yet.
    ///
    /// The app's client, where there is one, has the token for the activity stream; without it the conversation is looked
    /// at once in every interval.
    init(_ remote: RemoteSession, _ conversation: ConversationID, app: ChatClient?, isJSON: Bool, interval: Duration) {
        self.remote = remote
        self.conversation = conversation
        self.app = app
        self.isJSON = isJSON
        self.interval = interval
    }

    private enum Wake: Sendable {
        case stream(ActivityStream.Element)
        case streamEnded(any Error)
        case tick
    }

    /// Reads until the task is cancelled.
    mutating func run() async throws {
        let target = try ConversationTarget(conversation)
        let history = try await remote.listing(of: target)
        try await take(history.events, keyEvents: history.keyEvents, printsRepeats: true)
        if app == nil {
            Output.note("xchat: XCHAT_APP_TOKEN is not set: without the activity stream, \(lookingInstead)")
        }
        // Whoever reads slower than it comes loses nothing: the history has it.
        let (wakes, continuation) = AsyncStream.makeStream(of: Wake.self, bufferingPolicy: .bufferingOldest(10_000))
        let streaming = Task { [self] in
            guard let app else { return }
            do {
                try await subscribe(app)
                for try await element in app.activity() { continuation.yield(.stream(element)) }
            } catch {
                continuation.yield(.streamEnded(error))
            }
        }
        let ticking = Task { [interval] in
            while !Task.isCancelled {
                try await Task.sleep(for: interval)
                continuation.yield(.tick)
            }
        }
        defer {
            streaming.cancel()
            ticking.cancel()
        }
        for await wake in wakes { try await handle(wake, target) }
    }

    private mutating func handle(_ wake: Wake, _ target: ConversationTarget) async throws {
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
            } catch let error as APIError where error.isPassing {
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
        let news: (events: [ServedEvent], keys: [String])
        do throws(APIError) {
            news = try await self.news(target)
        } catch {
            guard error.isPassing else { throw error }
            if !isOwed { Output.warning("the conversation cannot be read now: \(visible("\(error)"))") }
            isOwed = true
            return
        }
        isOwed = false
        lastLook = .now
        try await take(news.events, keyEvents: news.keys)
    }

    /// The newest events, oldest first, as far back as something that is known; else the whole history.
    private func news(_ target: ConversationTarget) async throws(APIError) -> (events: [ServedEvent], keys: [String]) {
        let page = try await remote.client.events(in: target)
        guard page.nextToken == nil || page.events.contains(where: { listed.contains($0.name) }) else {
            let history = try await remote.listing(of: target)
            return (history.events, history.keyEvents)
        }
        return (page.events.reversed(), page.keyEvents)
    }

    private mutating func take(_ events: [ServedEvent], keyEvents: [String], printsRepeats: Bool = false) async throws {
        // What was opened before is not opened again: members come and go, and it was judged by those of its time.
        let events = events.filter { !listed.contains($0.name) }
        let results = await remote.open(events.map(\.encodedEvent), keyEvents: keyEvents, in: conversation)
        for (event, result) in zip(events, results) {
            let isNew = seen.insert(result, event.encodedEvent)
            if isNew || printsRepeats { try show(result) }
            listed.insert(event.name)
        }
        try save()
    }

    // MARK: The stream

    private mutating func take(_ event: ActivityEvent, _ target: ConversationTarget) async throws {
        guard concerns(event) else { return }
        guard let encoded = event.encodedEvent else { return try await look(target) }
        let keyEvents = event.keyChangeEvent.map { [$0] } ?? []
        var result = await remote.open([encoded], keyEvents: keyEvents, in: conversation).first
        if case .failure(let error) = result, [.keyMissing, .unknownSigner, .notAParticipant].contains(error.code) {
            // A key change or a change of the group came before, and was not told of.
            try await look(target)
            result = await remote.open([encoded], keyEvents: [], in: conversation).first
        }
        if let result, seen.insert(result, encoded) { try show(result) }
        try save()
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

    // MARK: What becomes of it

    private mutating func show(_ result: Result<Event, XChatError>) throws {
        try Output.result(isJSON ? resultJSON(result, index: printed).line : eventText(result))
        printed += 1
    }

    /// Keeps what was learned, if anything was: opening the key store takes its time.
    private mutating func save() throws {
        let pins = remote.session.pins
        let learned = pins.users.reduce(remote.session.keyRing.verified.count) { $0 + pins[$1].count }
        let roster = remote.session.keptRosters[conversation]
        guard (learned, roster) != (saved, savedRoster) else { return }
        try remote.save()
        (saved, savedRoster) = (learned, roster)
    }
}

/// Tells which events were printed before.
private struct SeenEvents: Sendable {
    /// What names an event that no signature names.
    private struct Name: Hashable {
        let verdict: String
        let messageID: WireString?
        let sequenceID: WireString?
        let encoded: String?
    }

    private var verified = ReplayFilter()
    private var others: Set<Name> = []

    /// Notes what came of an event, and answers whether that is new.
    ///
    /// A message is known by its signed id. Nothing that failed can hide what verifies later.
    mutating func insert(_ result: Result<Event, XChatError>, _ encoded: String) -> Bool {
        switch result {
        case .success(let event) where event.isVerified:
            return verified.insert(event)
        case .success(let event):
            return insert(event.received.kind.rawValue, event.received, encoded)
        case .failure(let error):
            return insert(error.code.rawValue, try? MessageEvent(base64: encoded), encoded)
        }
    }

    private mutating func insert(_ verdict: String, _ event: MessageEvent?, _ encoded: String) -> Bool {
        let (messageID, sequenceID) = (event?.messageID, event?.sequenceID)
        let isNameless = messageID == nil && sequenceID == nil
        return others.insert(
            Name(
                verdict: verdict,
                messageID: messageID,
                sequenceID: sequenceID,
                encoded: isNameless ? encoded : nil
            )
        ).inserted
    }
}

extension ServedEvent {
    /// How the server names it; the event itself where it does not.
    fileprivate var name: WireString { WireString(id ?? encodedEvent) }
}

extension APIError {
    /// Whether the same call may succeed later, with nothing changed on this side.
    fileprivate var isPassing: Bool {
        [.connection, .timedOut, .server, .rateLimited, .malformedResponse].contains(code)
    }
}
