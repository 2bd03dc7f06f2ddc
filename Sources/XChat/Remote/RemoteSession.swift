package import XChatEngine
package import XChatEvents
import XChatFiles
package import XChatHTTP

/// The user's session together with the server: fetches what is missing, and pins keys on first use.
///
/// What was learned is saved before a result that depends on it is returned, and before a request that relies on it is sent.
package struct RemoteSession: Sendable {
    /// The most signers whose keys are fetched for one page of a history.
    static let maximumSignersPerPage = 1000
    /// How many users' keys are fetched at the same time.
    private static let fetchesAtATime = 8

    /// The most users of no conversation whose pins are saved because they wrote something that was shown: 2,000.
    private static let maximumAcquaintances = 2000

    private let store: StateStore
    package let client: ChatClient
    package private(set) var session: Session
    /// The session as the state has it, and which state that is.
    private var saved: Session
    private var version: FileVersion?
    /// Users whose served keys could not be taken; their events fail, and the command with them.
    package private(set) var distrusted: Set<UserID> = []
    /// Whether a key change was refused, or the server did not deliver everything.
    package private(set) var isIncomplete = false
    /// Those of the distrusted users whose keys are refused, not missing: they are not asked for again.
    private var refused: Set<UserID> = []
    /// What was reported: the server lists key changes again and again.
    private var reported: Set<String> = []

    private let notify: @Sendable (Notice) -> Void

    package init(
        store: StateStore,
        client: @autoclosure () throws -> ChatClient,
        notify: @escaping @Sendable (Notice) -> Void
    ) throws {
        self.store = store
        self.notify = notify
        version = store.version()
        saved = try store.read().session(notify: notify)
        session = try Self.withOwnKey(saved)
        self.client = try client()
    }

    /// One's own keys come from the state alone; the server could serve any.
    private static func withOwnKey(_ session: Session) throws -> Session {
        var session = session
        if let keys = session.privateKeys, keys.signingKey != nil, let version = session.signingKeyVersion {
            session.trust([try keys.boundKey(userID: session.userID, version: version)])
        }
        return session
    }

    /// The canonical form of a conversation's id; a conversation of two other users is an error.
    package func conversation(_ id: WireString) throws(AccountError) -> ConversationID {
        let conversation = ConversationID(canonicalizing: id, sender: session.userID)
        if let (first, second) = conversation.participants, first != session.userID, second != session.userID {
            throw AccountError("user \(session.userID) does not belong to the conversation \(conversation)")
        }
        return conversation
    }

    // MARK: The state

    /// Takes the state as it is now: another process may have counted a removal, or accepted keys.
    package mutating func refresh() throws {
        let now = store.version()
        guard now != version else { return }
        saved = try store.read().session(notify: notify)
        session = try Self.withOwnKey(saved)
        version = now
    }

    /// Changes the session and saves it; on a state that another process changed meanwhile it is done again.
    package mutating func update<Value>(_ change: (inout Session) throws -> Value) throws -> Value {
        while true {
            try refresh()
            var changed = session
            let value = try change(&changed)
            do {
                let base = saved
                version = try store.update(ifStill: version) { document in
                    try document.add(learnedBy: changed, since: base)
                }
                (session, saved) = (changed, changed)
                return value
            } catch is StateChanged {
                continue
            }
        }
    }

    // MARK: Public keys

    /// Sees to it that keys of users are pinned, and that the pins are what the server serves.
    package mutating func pinKeys(of users: [UserID]) async throws {
        guard session.signingKeyVersion != nil else {
            throw AccountError(.notRegistered, "your own keys are not registered yet")
        }
        let others = users.filter { $0 != session.userID }
        let answers = await publicKeys(of: others)
        try update { session in
            for (user, answer) in zip(others, answers) {
                do {
                    try session.pin(try answer.get(), of: user)
                } catch let error as APIError where error.code == .notFound {
                } catch let error as XChatError {
                    throw AccountError(error, user: user)
                }
                guard session.pins.current(of: user) != nil else {
                    throw AccountError("user \(user) has no keys registered with this server")
                }
            }
        }
    }

    /// What the server answers for the keys of each user.
    private func publicKeys(of users: [UserID]) async -> [Result<[RegisteredKey], any Error>] {
        let client = client
        return await concurrentMap(users, atATime: Self.fetchesAtATime) { user in
            await Result { () async throws in try await client.publicKeys(of: user) }
        }
    }

    /// Signers whose keys are missing; those whom group changes or the membership log name first.
    private func signersToAsk(_ events: [MessageEvent], in conversation: ConversationID, limit: Int) -> [UserID] {
        var seen: Set<UserID> = []
        var signers: [UserID] = []
        var named: Set<UserID> = []
        var known: [UserID: Set<KeyVersion>] = [:]
        for event in events where event.kind.isSigned {
            named.formUnion(event.namedUsers)
            guard let signer = event.senderID, let version = event.messageEventSignature?.publicKeyVersion,
                signer.isUserID, signer != session.userID, mayBelong(signer, to: conversation),
                !refused.contains(signer)
            else { continue }
            let versions = known[signer] ?? Set(session.pins[signer].map(\.version))
            known[signer] = versions
            if !versions.contains(version), seen.insert(signer).inserted { signers.append(signer) }
        }
        guard signers.count > limit else { return signers }
        let members = session.memberships[conversation]
        func isNamed(_ user: UserID) -> Bool { named.contains(user) || members?.everContained(user) == true }
        return Array((signers.filter(isNamed) + signers.filter { !isNamed($0) }).prefix(limit))
    }

    private func mayBelong(_ user: UserID, to conversation: ConversationID) -> Bool {
        guard let (first, second) = conversation.participants else { return true }
        return user == first || user == second
    }

    // MARK: Events

    /// The whole conversation: its key changes taken, its other events verified and decrypted, oldest first.
    package mutating func history(of conversation: ConversationID) async throws -> [OpenedEvent] {
        let history = try await listing(of: try ConversationTarget(conversation))
        return try await open(
            history.events.map(\.encodedEvent),
            keyEvents: history.keyEvents,
            in: conversation,
            pages: history.pageCount,
            isWhole: true
        )
    }

    /// The whole conversation as the server lists it.
    package mutating func listing(of target: ConversationTarget) async throws(APIError) -> History {
        let history = try await client.history(in: target)
        for problem in history.problems {
            isIncomplete = true
            report(.incompleteHistory(problem))
        }
        return history
    }

    /// Verifies and decrypts one delivery of a conversation, and saves what was learned; key changes are taken and not returned.
    ///
    /// - Parameters:
    ///   - events: The base64 of events, oldest first.
    ///   - keyEvents: The base64 of key changes, oldest first.
    ///   - conversation: The conversation that was asked for.
    ///   - pages: How many pages of a history they are.
    ///   - isWhole: Whether they are the whole history.
    /// - Returns: One result for each of the events.
    /// - Throws: Where the state cannot be read or written.
    package mutating func open(
        _ events: [String],
        keyEvents: [String],
        in conversation: ConversationID,
        pages: Int = 1,
        isWhole: Bool = false
    ) async throws -> [OpenedEvent] {
        try refresh()
        let keyChanges = concurrentMap(keyEvents) { event($0, servedFor: conversation) }
        let others = concurrentMap(events) { event($0, servedFor: conversation) }
        let delivery = inDeliveryOrder(keyChanges: keyChanges, others: others)
        let signers = signersToAsk(
            delivery.compactMap { try? $0.event.get() },
            in: conversation,
            limit: Self.maximumSignersPerPage * max(1, pages)
        )
        let answers = await publicKeys(of: signers)
        var delivered = try deliver(delivery.map(\.event), signers, answers, in: conversation)
        if isWhole, await foundOnServersWord(conversation) {
            delivered = try deliver(delivery.map(\.event), signers, answers, in: conversation)
        }
        delivered.notices.forEach { report(.delivery($0)) }
        var results: [OpenedEvent?] = Array(repeating: nil, count: others.count)
        for (entry, result) in zip(delivery, delivered.results) {
            guard let place = entry.place else {
                reportKeyChange(entry.event, result)
                continue
            }
            let received = (try? entry.event.get()) ?? (try? MessageEvent(base64: events[place]))
            results[place] = OpenedEvent(received: received, result: result)
        }
        return results.compactMap { $0 }
    }

    /// Pins the served keys of signers, takes one delivery, and saves what was learned.
    private mutating func deliver(
        _ events: [Result<MessageEvent, XChatError>],
        _ signers: [UserID],
        _ answers: [Result<[RegisteredKey], any Error>],
        in conversation: ConversationID
    ) throws -> Delivery {
        let (delivery, failures) = try update { session -> (Delivery, [(UserID, any Error)]) in
            var failures: [(UserID, any Error)] = []
            var new: [UserID] = []
            for (signer, answer) in zip(signers, answers) {
                do {
                    let isNew = session.pins[signer].isEmpty
                    try session.pin(try answer.get(), of: signer)
                    if isNew { new.append(signer) }
                } catch {
                    failures.append((signer, error))
                }
            }
            let delivery = session.deliver(events, in: conversation)
            if conversation.isGroup { session.forget(Self.strangers(among: new, delivery, session)) }
            return (delivery, failures)
        }
        distrusted.subtract(signers)
        for (signer, error) in failures {
            distrusted.insert(signer)
            if error is XChatError { refused.insert(signer) }
            report((error as? XChatError).map { .keysRefused(signer, $0) } ?? .keysUnavailable(signer, error))
        }
        return delivery
    }

    /// Newly pinned users of whom nothing was shown and who belong to no group: a server can make up any number of them.
    private static func strangers(among new: [UserID], _ delivery: Delivery, _ session: Session) -> [UserID] {
        guard !new.isEmpty else { return [] }
        var authors: Set<UserID> = []
        for case .success(let event) in delivery.results where event.isVerified {
            if let sender = event.received.senderID { authors.insert(sender) }
        }
        let groups = session.memberships.values
        let outsiders = new.filter { user in !groups.contains { $0.everContained(user) } }
        let unseen = outsiders.filter { !authors.contains($0) }
        let shown = outsiders.filter(authors.contains)
        guard !shown.isEmpty else { return unseen }
        let known = session.pins.users.count { user in !groups.contains { $0.everContained(user) } } - outsiders.count
        return unseen + shown.dropFirst(max(0, maximumAcquaintances - known))
    }

    /// Founds the membership log of a group on the server's list, where nothing signed in its whole history founds it.
    private mutating func foundOnServersWord(_ conversation: ConversationID) async -> Bool {
        guard conversation.isGroup, session.memberships[conversation] == nil else { return false }
        do {
            let listed = try await client.conversation(try ConversationTarget(conversation)).memberIDs ?? []
            guard listed.contains(session.userID) else { return false }
            guard let notice = try update({ session in try session.found(listed, of: conversation) }) else {
                return false
            }
            report(.founded(conversation, notice))
            return true
        } catch {
            report(.membersUnavailable(conversation, error))
            return false
        }
    }

    private mutating func reportKeyChange(
        _ event: Result<MessageEvent, XChatError>,
        _ result: Result<Event, XChatError>
    ) {
        guard case .failure(let error) = result else { return }
        // One that holds nothing for us was made before we came.
        if [.keyMissing, .unknownSigner].contains(error.code), let event = try? event.get(), !session.isNamed(in: event)
        {
            return
        }
        isIncomplete = true
        report(.keyChangeRefused(error))
    }

    /// Says something once.
    mutating func report(_ notice: Notice) {
        guard reported.count < 10_000, reported.insert("\(notice)").inserted else { return }
        notify(notice)
    }

    // MARK: Own actions

    /// Takes a key change that the server accepted, and saves it.
    package mutating func adopt(_ change: KeyChange) throws {
        try update { session in try session.adopt(change) }
    }

    /// Takes a group change that the server accepted, and saves it.
    package mutating func adopt(_ change: GroupKeyChange) throws {
        try update { session in try session.adopt(change) }
    }

    /// Prepares a change that brings a fresh key.
    package mutating func prepare<Change>(_ change: (inout Session) throws(XChatError) -> Change) throws(XChatError)
        -> Change
    {
        try change(&session)
    }
}

/// What came of one event that a server delivered.
package struct OpenedEvent: Sendable {
    /// The event as it was received; nil if it did not parse.
    package let received: MessageEvent?
    /// The accepted event, or why it was refused.
    package let result: Result<Event, XChatError>

    package init(received: MessageEvent?, result: Result<Event, XChatError>) {
        self.received = received
        self.result = result
    }
}

/// The events of a delivery in the server's order: a key change comes before the first event with a higher sequence id.
///
/// The server lists key changes apart from the other events.
/// - Returns: The events, each with its place among the others; nil for a key change.
private func inDeliveryOrder(
    keyChanges: [Result<MessageEvent, XChatError>],
    others: [Result<MessageEvent, XChatError>]
) -> [(event: Result<MessageEvent, XChatError>, place: Int?)] {
    func number(_ event: Result<MessageEvent, XChatError>) -> UInt64? {
        guard let id = try? event.get().sequenceID, id.isSequenceID else { return nil }
        return id.number
    }
    // Without a number a key change comes first, where it can do no more than elsewhere.
    var waiting = keyChanges.map { (number: number($0) ?? 0, event: $0) }
    waiting.sort { $0.number < $1.number }
    var order: [(event: Result<MessageEvent, XChatError>, place: Int?)] = []
    order.reserveCapacity(keyChanges.count + others.count)
    var next = 0
    for (place, event) in others.enumerated() {
        if let limit = number(event) {
            while next < waiting.count, waiting[next].number < limit {
                order.append((waiting[next].event, nil))
                next += 1
            }
        }
        order.append((event, place))
    }
    order += waiting[next...].map { ($0.event, nil) }
    return order
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}

extension MessageEvent {
    /// Whom a creation or addition names.
    fileprivate var namedUsers: [UserID] {
        guard case .groupChangeEvent(let group) = detail else { return [] }
        switch group.groupChange {
        case .groupCreate(let create): return create.memberIDs ?? []
        case .groupMemberAdd(let addition): return (addition.memberIDs ?? []) + (addition.currentMemberIDs ?? [])
        default: return []
        }
    }
}
