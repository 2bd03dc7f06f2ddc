import Foundation
import XChatEngine
import XChatEvents
import XChatHTTP

/// The events of all conversations for one consumer: each once, and in order within a conversation.
///
/// The watcher marks conversations that may have new events. A ``Turn`` is the exclusive right to handle one of them:
/// the feed reads the history back to the consumer's cursor and delivers the new events to the engine, and the turn
/// returns the results one by one. The cursor moves after a result was handled, so that a crash repeats a result
/// instead of losing it. Waiting conversations are not read in advance, so memory use does not grow with their number.
actor Feed {
    /// The longest pause before a conversation that could not be read is read again, unless the server asks for more.
    private static let longestPause = Duration.seconds(60)
    /// The number of conversations whose newest handled events are kept in memory.
    private static let maximumLogs = 8
    /// Up to this number, waiting events are retried with every delivery.
    ///
    /// If more wait, they are retried only with a delivery that has a key change event or a group change.
    private static let maximumRetried = 20

    let account: Account
    nonisolated let consumer: String
    /// Where cursors and lists of handled events are stored.
    nonisolated let cursors: any RecordStore
    /// The one conversation that is followed; nil for all of them.
    private let only: ConversationID?
    private let lease: (any StoreLease)?

    /// Conversations to read, in the order in which they were marked, and why each of them is read.
    private var queue: [ConversationID] = []
    private var queued: [ConversationID: Wish] = [:]
    private var busy: Set<ConversationID> = []
    /// Conversations that could not be read: when to try again, and how often reading failed.
    private var delayed: [ConversationID: (until: ContinuousClock.Instant, failures: Int)] = [:]
    private var failure: (any Error)?
    private var isStopped = false
    private var sleepers: [CheckedContinuation<Void, Never>] = []
    private var alarm: Task<Void, Never>?
    private var watcher: Task<Void, Never>?
    /// The newest handled events of some conversations that were read last and are not being read now.
    private var logs: [(conversation: ConversationID, log: SeenLog)] = []
    private var settings: ConsumerSettings
    private var hasListed = false

    /// Why a conversation is read.
    private struct Wish {
        /// The time of the conversation's last event as the server lists it, in milliseconds since 1970.
        var updatedAt: Int64?
        /// An event of the activity stream.
        var event: ActivityEvent?
    }

    /// Takes the lease of a consumer and starts to watch.
    ///
    /// - Throws: ``AccountError`` with `already_following` while another feed has the same name, `closed`.
    static func open(_ account: Account, consumer: String) async throws -> Feed {
        try account.checkOpen()
        guard (1...200).contains(consumer.utf8.count) else {
            throw AccountError(.invalidArgument, "a consumer name must have 1 to 200 bytes, not \(consumer.utf8.count)")
        }
        guard let lease = try await account.store.lease("consumer " + consumer) else {
            throw AccountError(
                .alreadyFollowing,
                "another task or process uses the consumer name \(quoted(consumer)); end it first, or use another consumer name"
            )
        }
        let record = try await account.store.records([.consumer(consumer)])[.consumer(consumer)]
        let settings = try record.map { try ConsumerSettings(decoding: $0.bytes) } ?? ConsumerSettings()
        let feed = Feed(account, consumer, cursors: account.store, lease: lease, settings)
        try await feed.start()
        return feed
    }

    /// Follows one conversation from its beginning.
    ///
    /// No position is saved, and turns also have refused events.
    static func open(_ account: Account, only conversation: ConversationID) async throws -> Feed {
        let feed = Feed(account, "", cursors: MemoryCursors(), only: conversation, ConsumerSettings())
        try await feed.start()
        return feed
    }

    private init(
        _ account: Account,
        _ consumer: String,
        cursors: any RecordStore,
        lease: (any StoreLease)? = nil,
        only: ConversationID? = nil,
        _ settings: ConsumerSettings
    ) {
        self.account = account
        self.consumer = consumer
        self.cursors = cursors
        self.lease = lease
        self.only = only
        self.settings = settings
    }

    private func start() async throws {
        do {
            try account.add(self)
        } catch {
            await stop()
            throw error
        }
        let watcher = Watcher(account: account, feed: self, only: only, isBehind: settings.isBehind)
        self.watcher = Task { await watcher.run() }
    }

    /// Ends the feed and its lease.
    func stop() async {
        guard !isStopped else { return }
        isStopped = true
        watcher?.cancel()
        alarm?.cancel()
        wakeAll()
        await lease?.end()
    }

    // MARK: Calls of the watcher

    /// Marks listed conversations that have new events.
    ///
    /// Until they are read, a restart reads the whole list of conversations.
    func mark(_ changed: [(ConversationID, Int64?)]) async throws {
        for (conversation, updatedAt) in changed { mark(conversation, updatedAt: updatedAt) }
        try await setBehind(true)
    }

    /// Marks a conversation that may have new events.
    func mark(_ conversation: ConversationID, updatedAt: Int64? = nil, event: ActivityEvent? = nil) {
        if var wish = queued[conversation] {
            wish.updatedAt = updatedAt ?? wish.updatedAt
            // Only a single event is delivered directly; after two events the history is read, which has both.
            wish.event = nil
            queued[conversation] = wish
        } else {
            queued[conversation] = Wish(updatedAt: updatedAt, event: event)
            queue.append(conversation)
        }
        wakeAll()
    }

    /// Ends the feed with an error that waiting does not resolve.
    func fail(_ error: any Error) {
        failure = failure ?? error
        wakeAll()
    }

    /// Saves whether listed conversations wait to be read.
    private func setBehind(_ isBehind: Bool) async throws {
        guard settings.isBehind != isBehind else { return }
        settings.isBehind = isBehind
        var batch = RecordBatch()
        batch.writes[.consumer(consumer)] = settings.encoded()
        try await cursors.commit(batch)
    }

    // MARK: Turns

    /// Waits for a conversation with new events, and reads it.
    ///
    /// - Returns: The turn, or nil after ``stop()``.
    /// - Throws: The error because of which nothing more can be read.
    func turn() async throws -> Turn? {
        while true {
            try Task.checkCancellation()
            if isStopped { return nil }
            guard let conversation = nextReady() else {
                if let failure { throw failure }
                try await settleIfIdle()
                await sleep()
                continue
            }
            let wish = queued.removeValue(forKey: conversation)
            busy.insert(conversation)
            do {
                let turn = try await read(conversation, wish)
                if turn.interruption == nil { delayed[conversation] = nil }
                if !turn.isEmpty { return turn }
                end(turn)
            } catch {
                busy.remove(conversation)
                try await failed(conversation, wish, error)
            }
        }
    }

    /// Ends a turn.
    ///
    /// If its walk has more events, the conversation is queued again.
    func end(_ turn: Turn) {
        busy.remove(turn.conversation)
        if logs.count >= Self.maximumLogs { logs.removeFirst() }
        logs.append((turn.conversation, turn.log))
        if turn.hasMore, turn.interruption == nil, queued[turn.conversation] == nil {
            queued[turn.conversation] = Wish()
            queue.append(turn.conversation)
        }
        wakeAll()
    }

    private func nextReady() -> ConversationID? {
        let now = ContinuousClock.now
        let index = queue.firstIndex { conversation in
            !busy.contains(conversation) && (delayed[conversation].map { $0.until <= now } ?? true)
        }
        return index.map { queue.remove(at: $0) }
    }

    private func settleIfIdle() async throws {
        if queue.isEmpty, busy.isEmpty, delayed.isEmpty, hasListed { try await setBehind(false) }
    }

    /// Notes that the watcher has read the list of conversations since the start.
    func didList() {
        hasListed = true
        wakeAll()
    }

    /// Decides what follows when a conversation could not be read.
    private func failed(_ conversation: ConversationID, _ wish: Wish?, _ error: any Error) async throws {
        try Task.checkCancellation()
        guard let error = error as? APIError else { throw error }
        switch error.code {
        case .unauthorized, .wrongUser, .insecureTransport, .redirected, .cancelled: throw error
        case .forbidden, .notFound, .invalidArgument:
            // There is nothing else to follow.
            if only != nil { throw error }
            delayed[conversation] = nil
            account.report(Problem(error, conversation: conversation))
        default:
            let failures = (delayed[conversation]?.failures ?? 0) + 1
            let pause = min(Duration.seconds(1) * (1 << min(failures, 10)) / 2, Self.longestPause)
            // A day at most: the server's clock may be wrong.
            let asked = error.resetAt.map { Duration.seconds(min(max(0, $0.timeIntervalSinceNow), 86_400)) } ?? .zero
            delayed[conversation] = (ContinuousClock.now + max(pause, asked), failures)
            if failures == 1 {
                account.configuration.notify?(.unreadable(error))
                account.report(Problem(error, conversation: conversation))
            }
            if queued[conversation] == nil {
                queued[conversation] = Wish(updatedAt: wish?.updatedAt)
                queue.append(conversation)
            }
        }
    }

    // MARK: Waiting

    private func sleep() async {
        let next = delayed.values.map(\.until).min()
        alarm?.cancel()
        if let next {
            alarm = Task {
                try? await Task.sleep(until: next, clock: .continuous)
                if !Task.isCancelled { wakeAll() }
            }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // Something may have happened since the last look.
                if isStopped || Task.isCancelled || failure != nil || hasReady {
                    continuation.resume()
                } else {
                    sleepers.append(continuation)
                }
            }
        } onCancel: {
            Task { await self.wakeAll() }
        }
    }

    private var hasReady: Bool {
        let now = ContinuousClock.now
        return queue.contains { !busy.contains($0) && (delayed[$0].map { $0.until <= now } ?? true) }
    }

    private func wakeAll() {
        let waiting = sleepers
        sleepers = []
        for continuation in waiting { continuation.resume() }
    }

    // MARK: Reading a conversation

    private func read(_ conversation: ConversationID, _ wish: Wish?) async throws -> Turn {
        let key = RecordKey.cursor(consumer: consumer, conversation)
        let record = try await cursors.records([key])[key]
        let saved = try record.map { try Cursor(decoding: $0.bytes) } ?? Cursor()
        let new: NewEvents
        var updatedAt: Int64?
        var portion: StoredWalk.Portion?
        switch try await fetch(conversation, after: saved, wish) {
        case .direct(let events): new = events
        case .page(let events): (new, updatedAt) = (events, wish?.updatedAt)
        case .walk(let walk):
            // The event that founds the membership log of a group may be anywhere in its history.
            let isUnfounded = conversation.isGroup ? try await account.membershipLog(of: conversation) == nil : false
            let fits = walk.head.bytes <= account.client.limits.historyBytes
            let oldest = try await walk.oldest(all: isUnfounded && fits)
            (new, portion) = (oldest.new, oldest)
            if oldest.isLast { updatedAt = walk.head.updatedAt }
        }
        for problem in new.problems { account.report(Problem(problem, conversation: conversation)) }
        var turn = Turn(
            conversation: conversation,
            consumer: consumer,
            cursor: saved,
            log: try await log(of: conversation, saved),
            revision: record?.revision ?? 0,
            listing: updatedAt.map { Turn.Listing(updatedAt: $0, isSettled: saved.updatedAt == $0) },
            portion: portion
        )
        try await fill(&turn, with: new)
        if turn.isEmpty { try await turn.save(to: cursors) }
        return turn
    }

    /// The new events of a conversation.
    private enum Fetched {
        /// An event of the activity stream that directly follows the handled events.
        case direct(NewEvents)
        /// A page that reaches back to the handled events, or to the beginning.
        case page(NewEvents)
        /// Several pages, which are in the store.
        case walk(StoredWalk)
    }

    private func fetch(_ conversation: ConversationID, after saved: Cursor, _ wish: Wish?) async throws -> Fetched {
        let target = try ConversationTarget(conversation)
        var tokens = PageWalk()
        var walk: StoredWalk
        if var begun = try await StoredWalk.load(conversation, consumer: consumer, from: cursors) {
            do {
                // The server may no longer accept the token of the page.
                if let token = begun.head.token {
                    try await add(account.page(of: target, token), to: &begun, &tokens, after: saved)
                }
                walk = begun
            } catch let error as APIError where [.invalidRequest, .malformedResponse].contains(error.code) {
                try await begun.remove()
                return try await fetch(conversation, after: saved, wish)
            }
        } else {
            if let event = wish?.event, let direct = NewEvents(event, after: saved) { return .direct(direct) }
            let page = try await account.page(of: target, nil)
            let isReached = page.reaches(saved.sequence)
            guard !isReached, page.nextToken != nil else {
                var only = HistoryWalk(maximumBytes: account.client.limits.historyBytes)
                _ = try only.add(page)
                return .page(NewEvents(only.history, isWhole: !isReached))
            }
            walk = StoredWalk(conversation, consumer: consumer, updatedAt: wish?.updatedAt, cursors)
            try await add(page, to: &walk, &tokens, after: saved)
        }
        while let token = walk.head.token {
            try await add(account.page(of: target, token), to: &walk, &tokens, after: saved)
        }
        return .walk(walk)
    }

    private func add(
        _ page: EventPage,
        to walk: inout StoredWalk,
        _ tokens: inout PageWalk,
        after saved: Cursor
    ) async throws {
        for problem in page.problems { account.report(Problem(problem, conversation: walk.conversation)) }
        let next = try tokens.follow(page.nextToken)
        let isReached = page.reaches(saved.sequence)
        try await walk.add(page, next: isReached ? nil : next, isWhole: next == nil && !isReached)
    }

    /// The newest handled events of a conversation.
    private func log(of conversation: ConversationID, _ cursor: Cursor) async throws -> SeenLog {
        if let index = logs.firstIndex(where: { $0.conversation == conversation }) {
            let log = logs.remove(at: index).log
            if log.fits(cursor) { return log }
        }
        return try await SeenLog.load(conversation, consumer: consumer, cursor, from: cursors)
    }

    /// Removes events that were handled before.
    ///
    /// No signature covers a sequence id, so an event with a handled sequence id counts as new if its digest is unknown
    /// and the sequence id is above ``Cursor/floor``.
    private func unhandled(_ events: [ServedEvent], _ turn: Turn) throws -> [ServedEvent] {
        try events.filter { event in
            if let floor = turn.cursor.floor, let number = event.number, number <= floor { return false }
            return !turn.log.texts.contains(try EventDigest(ofBytes: Array(event.encodedEvent.utf8)))
        }
    }

    /// Delivers new events to the engine and adds the results to the turn.
    private func fill(_ turn: inout Turn, with new: NewEvents) async throws {
        guard !new.events.isEmpty || !new.keyEvents.isEmpty else { return }
        let mayHelp = !new.keyEvents.isEmpty || turn.cursor.waiting.count <= Self.maximumRetried || new.changesMembers
        let late = mayHelp ? turn.cursor.waiting : []
        let isLate = Set(turn.cursor.waiting.map { WireString($0) })
        let listed = new.events.filter { !isLate.contains(WireString($0.encodedEvent)) }
        let events = try unhandled(listed, turn)
        let encoded = late + events.map(\.encodedEvent)
        let numbers = late.map { _ in UInt64?.none } + events.map(\.number)
        let delivery = try await account.deliver(
            encoded,
            ids: late.map { _ in String?.none } + events.map(\.id),
            keyEvents: new.keyEvents,
            in: turn.conversation,
            pages: new.pages,
            isWhole: new.isWhole
        )
        var items: [Turn.Item] = []
        for (index, opened) in delivery.events.enumerated() {
            // The keys of the signer cannot be fetched now: this event and all later ones are read again later.
            if case .failure(let error) = opened.result, error.code == .unknownSigner,
                let sender = opened.received?.senderID, let cause = delivery.unavailable[sender]
            {
                turn.interruption = cause
                break
            }
            let item = try Turn.Item(
                opened: opened,
                encoded: encoded[index],
                number: numbers[index],
                isLate: index < late.count
            )
            items.append(item)
        }
        var inTurn: Set<EventDigest> = []
        for var item in items {
            turn.isChanged = true
            if item.isLate, case .failure(let error) = item.opened.result, error.mayPass {
                turn.skip(item, isWaiting: true)
                continue
            }
            guard !turn.log.contains(item), inTurn.insert(item.digest).inserted else {
                turn.skip(item)
                continue
            }
            switch item.opened.result {
            case .success(var event):
                if event.received.createdAtMsec?.number ?? .max < account.identity.startsAt {
                    turn.skip(item)
                    continue
                }
                if let name = item.nameDigest, turn.log.signed.contains(name) || !inTurn.insert(name).inserted {
                    event.marks.insert(.sameID)
                }
                item.opened = OpenedEvent(
                    received: item.opened.received,
                    servedID: item.opened.servedID,
                    result: .success(event)
                )
                turn.add(item)
            case .failure(let error) where error.mayPass:
                account.report(Problem(error, item.opened, conversation: turn.conversation, isFinal: false))
                for dropped in turn.cursor.wait(for: item.encoded) {
                    account.report(Problem(dropped: dropped, conversation: turn.conversation))
                }
                if only != nil { turn.add(item) } else { turn.skip(item, isWaiting: true) }
            case .failure(let error):
                if only != nil {
                    turn.add(item)
                    continue
                }
                if item.opened.received?.createdAtMsec?.number ?? .max >= account.identity.startsAt {
                    account.report(Problem(error, item.opened, conversation: turn.conversation))
                }
                turn.skip(item)
            }
        }
        if let cause = turn.interruption {
            delayed[turn.conversation] = (ContinuousClock.now + .seconds(5), 1)
            if queued[turn.conversation] == nil {
                queued[turn.conversation] = Wish()
                queue.append(turn.conversation)
            }
            account.report(Problem(cause, conversation: turn.conversation))
        }
    }
}

/// The exclusive right of one task to handle the new events of one conversation.
struct Turn: Sendable {
    /// One result and what identifies it.
    struct Item: Sendable {
        var opened: OpenedEvent
        let encoded: String
        /// The server's sequence id.
        let number: UInt64?
        /// Whether the event was first refused because a key was missing.
        let isLate: Bool
        /// The digest of the signed event, or of its text if it did not verify or is of a kind that is never signed.
        let digest: EventDigest
        /// The digest of the base64 text as the server delivered it.
        let textDigest: EventDigest
        /// Whether ``digest`` is that of a signed event.
        let isSigned: Bool
        /// The digest of the message id with its author, who must not use an id twice in a conversation; nil without a
        /// signature.
        let nameDigest: EventDigest?
        /// The events directly after this item that the consumer does not receive.
        fileprivate(set) var followers: [(number: UInt64?, text: EventDigest?)] = []

        init(opened: OpenedEvent, encoded: String, number: UInt64?, isLate: Bool) throws(XChatError) {
            self.opened = opened
            self.encoded = encoded
            self.number = number
            self.isLate = isLate
            textDigest = try EventDigest(ofBytes: Array(encoded.utf8))
            if case .success(let event) = opened.result, let signed = event.digest {
                (digest, isSigned) = (signed, true)
                // Ids have no commas, so different pairs of ids have different texts.
                let name = "\(event.received.senderID?.string ?? ""),\(event.received.messageID?.string ?? "")"
                nameDigest = try EventDigest(ofBytes: Array("same id,\(name)".utf8))
            } else {
                (digest, isSigned, nameDigest) = (textDigest, false, nil)
            }
        }
    }

    /// The entry of the list of conversations when the conversation was read.
    struct Listing: Sendable {
        /// The time of its last event, in milliseconds since 1970.
        let updatedAt: Int64
        /// As ``Cursor/isSettled``.
        let isSettled: Bool
    }

    let conversation: ConversationID
    let consumer: String
    var cursor: Cursor
    /// The newest events that were handled.
    private(set) var log: SeenLog
    var revision: UInt64
    /// Saved in the cursor with the last item: a restart before that must read the conversation again.
    private let listing: Listing?
    /// The part of a walk that the events come from; it is deleted with the last item.
    private let portion: StoredWalk.Portion?
    /// Whether the cursor or the list of handled events has changed since it was saved.
    var isChanged: Bool
    /// Why the conversation could not be read to its end.
    var interruption: APIError?

    /// The items to handle, oldest first.
    private(set) var items: [Item] = []
    private var next = 0

    init(
        conversation: ConversationID,
        consumer: String,
        cursor: Cursor,
        log: SeenLog? = nil,
        revision: UInt64,
        listing: Listing? = nil,
        portion: StoredWalk.Portion? = nil
    ) {
        self.conversation = conversation
        self.consumer = consumer
        self.cursor = cursor
        self.log = log ?? SeenLog(cursor)
        self.revision = revision
        self.listing = listing
        self.portion = portion
        isChanged = false
    }

    /// Whether there is no item to handle.
    var isEmpty: Bool { items.isEmpty }

    /// Whether the same walk has more events.
    var hasMore: Bool { portion?.isLast == false }

    mutating func add(_ item: Item) { items.append(item) }

    /// Skips an item that the consumer does not receive.
    ///
    /// - Parameters:
    ///   - item: The item.
    ///   - isWaiting: Whether the event may be accepted later; then it is in ``Cursor/waiting``.
    mutating func skip(_ item: Item, isWaiting: Bool = false) {
        if item.isLate, !isWaiting { cursor.stopWaiting(for: item.encoded) }
        let text = isWaiting ? nil : item.textDigest
        // The cursor must not pass an item that the consumer has not handled.
        if items.isEmpty {
            pass(item.number, text)
        } else {
            items[items.count - 1].followers.append((item.number, text))
        }
    }

    private mutating func pass(_ number: UInt64?, _ text: EventDigest?) {
        cursor.pass(number)
        if let text { log.insert(text: text, number: number, &cursor) }
    }

    /// The next item to handle; nil at the end of the turn.
    mutating func pop() -> Item? {
        guard next < items.count else { return nil }
        defer { next += 1 }
        return items[next]
    }

    /// Notes that an item was handled, and saves the cursor.
    ///
    /// - Parameters:
    ///   - item: The item.
    ///   - calls: The names of the calls that replied to the item. The event is not returned again, so their records
    ///     are deleted.
    ///   - store: Where to save.
    /// - Throws: ``AccountError`` of the store.
    mutating func handled(_ item: Item, calls: Set<String> = [], in store: any RecordStore) async throws {
        pass(item.number, item.textDigest)
        if item.isSigned {
            for digest in [item.digest, item.nameDigest].compactMap({ $0 }) { log.insert(signed: digest, &cursor) }
        }
        for follower in item.followers { pass(follower.number, follower.text) }
        if item.isLate { cursor.stopWaiting(for: item.encoded) }
        isChanged = true
        try await save(to: store, handled: item.digest, calls: calls)
    }

    /// Saves the cursor, if it changed.
    mutating func save(
        to store: any RecordStore,
        handled digest: EventDigest? = nil,
        calls: Set<String> = []
    ) async throws {
        if let listing, next == items.count, interruption == nil,
            cursor.updatedAt != listing.updatedAt || cursor.isSettled != listing.isSettled
        {
            (cursor.updatedAt, cursor.isSettled) = (listing.updatedAt, listing.isSettled)
            isChanged = true
        }
        var batch = RecordBatch()
        if let portion, next == items.count, interruption == nil {
            batch = portion.changes
            isChanged = true
        }
        guard isChanged else { return }
        let key = RecordKey.cursor(consumer: consumer, conversation)
        batch.expected[key] = revision
        batch.writes[key] = cursor.encoded()
        log.save(to: &batch, conversation, consumer: consumer)
        if let digest {
            batch.deletions.formUnion(calls.map { .reply(consumer: consumer, digest, call: $0) })
        }
        revision = try await store.commit(batch)[key] ?? revision
        isChanged = false
    }
}

extension SeenLog {
    /// Whether an item was handled before.
    fileprivate func contains(_ item: Turn.Item) -> Bool {
        item.isSigned ? signed.contains(item.digest) : texts.contains(item.digest)
    }
}

extension Cursor {
    /// Notes that everything up to a sequence id was handled.
    mutating func pass(_ number: UInt64?) {
        if let number { sequence = max(sequence ?? 0, number) }
    }
}

extension NewEvents {
    /// Whether an event changes the members of a group.
    fileprivate var changesMembers: Bool {
        events.contains { (try? MessageEvent(base64: $0.encodedEvent))?.kind == .groupChange }
    }

    /// A delivery of one event of the activity stream; nil if the event does not directly follow the handled events, so
    /// that the history must be read.
    ///
    /// Group changes and key change events take effect in the order of the history, so they are always read from the
    /// history.
    init?(_ event: ActivityEvent, after cursor: Cursor) {
        guard event.keyChangeEvent == nil, cursor.waiting.isEmpty, let encoded = event.encodedEvent,
            let parsed = try? MessageEvent(base64: encoded), parsed.kind != .keyChange, parsed.kind != .groupChange,
            let previous = parsed.previousSequenceID?.number, previous == cursor.sequence,
            let sequence = parsed.sequenceID, sequence.isValid, let number = sequence.number, number > previous
        else { return nil }
        events = [ServedEvent(encodedEvent: encoded, id: sequence.string, conversationToken: event.conversationToken)]
    }
}

extension XChatError {
    /// Whether the same event may be accepted later, for example after a missing key has arrived.
    var mayPass: Bool {
        [.keyMissing, .unknownSigner, .notAParticipant, .authenticationFailed].contains(code)
    }
}
