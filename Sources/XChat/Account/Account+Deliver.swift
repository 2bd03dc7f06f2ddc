package import XChatEngine
package import XChatEvents
package import XChatHTTP

/// One event of a delivery and its result.
package struct OpenedEvent: Sendable {
    /// The event as it was received; nil if it did not parse.
    package let received: MessageEvent?
    /// The id under which the server listed the event; nil if the server named no id.
    package let servedID: String?
    /// The accepted event, or the error with which it was refused.
    package let result: Result<Event, XChatError>

    package init(received: MessageEvent?, servedID: String? = nil, result: Result<Event, XChatError>) {
        self.received = received
        self.servedID = servedID
        self.result = result
    }

    /// The event, or nil if the same signed event was returned before; it is marked `same_id` if its author signed
    /// another event under the same id.
    package func unlessRepeated(_ seen: inout SeenEvents) -> OpenedEvent? {
        guard case .success(var event) = result else { return self }
        switch seen.insert(event) {
        case .new: return self
        case .repeated: return nil
        case .sameID:
            event.marks.insert(.sameID)
            return OpenedEvent(received: received, servedID: servedID, result: .success(event))
        }
    }
}

/// The results of one delivery of a conversation.
package struct OpenedDelivery: Sendable {
    /// One result for each event except key change events.
    package var events: [OpenedEvent] = []
    /// Notices for a person; they were already reported.
    package var notices: [Notice] = []
    /// Users whose served keys were refused, so that events signed with them are refused too.
    package var distrusted: Set<UserID> = []
    /// The errors for signers whose keys could not be fetched: their events cannot be verified yet.
    package var unavailable: [UserID: APIError] = [:]
    /// Whether a key change event was refused, or the server did not return everything.
    package var isIncomplete = false
    /// How many key change events were verified; events that were accepted before are not verified again.
    var judgedKeyChanges = 0
}

// The delivery of events: all events from a server go through `deliver`. It fetches the keys of unknown signers and
// pins them (trust on first use), and lets the engine verify and decrypt. It saves the changed state before it returns
// a result, so that a crash cannot lose a pin or a key that was already used.
extension Account {
    /// The most signers whose keys are fetched for one page of a history: 1,000.
    ///
    /// Each signer costs a request, and a server can invent any number of signers.
    static let maximumSignersPerPage = 1000
    /// The number of users whose keys are fetched at the same time.
    private static let concurrentFetches = 8
    /// The most users who belong to no known conversation and whose pins are saved: 2,000.
    ///
    /// The pins of such a user are saved once an event of the user was accepted. Without a limit, a server that invents
    /// users could make the store grow without bound.
    private static let maximumAcquaintances = 2000

    /// Verifies and decrypts one delivery of a conversation, and saves the changed state.
    ///
    /// - Parameters:
    ///   - events: The base64 of events, oldest first.
    ///   - ids: The ids under which the server listed them, in the same order; empty if they are not known.
    ///   - keyEvents: The base64 of key change events, oldest first.
    ///   - conversation: The conversation that was asked for.
    ///   - pages: How many pages of a history the events come from.
    ///   - isWhole: Whether the events reach back to the beginning of the conversation.
    /// - Returns: One result for each of the events, and notices for a person.
    /// - Throws: ``AccountError`` if the state cannot be read or written.
    package func deliver(
        _ events: [String],
        ids: [String?] = [],
        keyEvents: [String],
        in conversation: ConversationID,
        pages: Int = 1,
        isWhole: Bool = false
    ) async throws -> OpenedDelivery {
        let fresh = try await acceptedKeyChanges.fresh(keyEvents, in: conversation, state)
        let keyChanges = concurrentMap(fresh) { MessageEvent.decoded(base64: $0.utf8) }
        let others = concurrentMap(events) { MessageEvent.decoded(base64: $0.utf8) }
        let delivery = inDeliveryOrder(keyChanges: keyChanges, others: others)
        let parsed = delivery.compactMap { try? $0.event.get() }
        let senders = Set(parsed.compactMap(\.senderID).filter(\.isValid))
        let scope = AccountState.Scope(conversation, users: senders)
        let known = try await state.session(scope)
        let signers = signersToAsk(parsed, known, in: conversation, limit: Self.maximumSignersPerPage * max(1, pages))
        let answers = await publicKeys(of: signers)
        var opened = OpenedDelivery()
        for (signer, answer) in zip(signers, answers) {
            if case .failure(let error) = answer, error.code != .notFound { opened.unavailable[signer] = error }
        }
        let inOrder = delivery.map(\.event)
        let acquaintances = try await room(for: signers, in: conversation)
        func deliver() async throws -> (delivery: Delivery, refused: [(UserID, XChatError)]) {
            try await state.update(scope) { session in
                let (new, refused) = session.pin(answers, of: signers)
                let delivery = session.deliver(inOrder, in: conversation)
                if conversation.isGroup {
                    session.forget(strangers(among: new, delivery, session, room: acquaintances))
                }
                return (delivery, refused)
            }
        }
        var (delivered, refused) = try await deliver()
        if isWhole, let notice = await foundOnServersWord(conversation, scope) {
            opened.notices.append(notice)
            if case .founded = notice { (delivered, refused) = try await deliver() }
        }
        for (signer, error) in refused {
            opened.distrusted.insert(signer)
            refusedSigners.add(signer)
            opened.notices.append(.keysRefused(signer, error))
        }
        for (signer, error) in opened.unavailable { opened.notices.append(.keysUnavailable(signer, error)) }
        opened.notices += delivered.notices.map { .delivery($0) }
        var results: [OpenedEvent?] = Array(repeating: nil, count: others.count)
        for (entry, result) in zip(delivery, delivered.results) {
            if let place = entry.place {
                results[place] = OpenedEvent(
                    received: try? others[place].get(),
                    servedID: ids.indices.contains(place) ? ids[place] : nil,
                    result: result
                )
            } else if case .failure(let error) = result, !isFromBeforeUs(entry.event, error, known) {
                opened.isIncomplete = true
                opened.notices.append(.keyChangeRefused(error, try? entry.event.get()))
            }
        }
        opened.events = results.compactMap { $0 }
        opened.judgedKeyChanges = fresh.count
        try acceptedKeyChanges.add(
            zip(delivery, delivered.results).compactMap { entry, result in
                guard entry.place == nil, let index = entry.key, case .success(let event) = result else { return nil }
                return event.isVerified && event.marks.isEmpty ? (fresh[index], event) : nil
            },
            in: conversation
        )
        for notice in opened.notices { report(notice, in: conversation) }
        AccountMetrics.opened(opened.events.map(\.result))
        return opened
    }

    /// Whether a refused key change event has no key for this account, like an event from before the account was a
    /// member.
    private func isFromBeforeUs(
        _ event: Result<MessageEvent, XChatError>,
        _ error: XChatError,
        _ session: Session
    ) -> Bool {
        guard [.keyMissing, .unknownSigner].contains(error.code), let event = try? event.get() else { return false }
        return !session.isNamed(in: event)
    }

    // MARK: Keys of signers

    /// Signers whose keys must be fetched, at most `limit`; those whom group changes or the membership log name come
    /// first.
    private func signersToAsk(
        _ events: [MessageEvent],
        _ session: Session,
        in conversation: ConversationID,
        limit: Int
    ) -> [UserID] {
        var seen: Set<UserID> = []
        var signers: [UserID] = []
        var named: Set<UserID> = []
        var known: [UserID: Set<KeyVersion>] = [:]
        for event in events where event.kind.isSigned {
            named.formUnion(event.namedUsers)
            guard let signer = event.senderID, let version = event.messageEventSignature?.publicKeyVersion,
                signer.isValid, signer != userID, conversation.mayContain(signer), !refusedSigners.contains(signer)
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

    /// Fetches the public keys of users; one result for each user.
    func publicKeys(of users: [UserID]) async -> [Result<[RegisteredKey], APIError>] {
        let client = client
        return await concurrentMap(users, atATime: Self.concurrentFetches) { user in
            await Result { () async throws(APIError) in try await client.publicKeys(of: user) }
        }
    }

    /// How many more users who belong to no known conversation may be pinned: at most ``maximumAcquaintances``.
    private func room(for signers: [UserID], in conversation: ConversationID) async throws -> Int {
        guard conversation.isGroup, !signers.isEmpty else { return 0 }
        var strangers = Set(try await state.users())
        guard strangers.count >= Self.maximumAcquaintances else { return Self.maximumAcquaintances - strangers.count }
        var groups: [ConversationID] = []
        for known in try await state.conversations() {
            if let (first, second) = known.participants {
                strangers.subtract([first, second])
            } else {
                groups.append(known)
            }
        }
        for group in groups where strangers.count >= Self.maximumAcquaintances {
            let scope = AccountState.Scope(conversations: [group])
            if let members = try await state.session(scope).memberships[group] {
                strangers.subtract(members.everMembers)
            }
        }
        return max(0, Self.maximumAcquaintances - strangers.count)
    }

    /// Founds the membership log of a group on the server's member list, if no signed event of its whole history founds
    /// it.
    ///
    /// The group then decrypts, but does not encrypt until a person accepts its members, because the server could add
    /// members to its list.
    private func foundOnServersWord(_ conversation: ConversationID, _ scope: AccountState.Scope) async -> Notice? {
        do {
            guard conversation.isGroup, try await state.session(scope).memberships[conversation] == nil else {
                return nil
            }
            let listed = try await client.conversation(try ConversationTarget(conversation)).memberIDs ?? []
            guard listed.contains(userID) else { return nil }
            let notice = try await state.update(scope) { session in try session.found(listed, of: conversation) }
            return notice.map { .founded(conversation, $0) }
        } catch {
            return .membersUnavailable(conversation, error)
        }
    }
}

/// The newly pinned users whose pins are not saved.
///
/// These users belong to no group of the session, and either no event of theirs was accepted, or `room` other users
/// with an accepted event come first. If their pins were saved, a server that invents users could make the store grow
/// without bound.
private func strangers(among new: [UserID], _ delivery: Delivery, _ session: Session, room: Int) -> [UserID] {
    guard !new.isEmpty else { return [] }
    var authors: Set<UserID> = []
    for case .success(let event) in delivery.results where event.isVerified {
        if let sender = event.received.senderID { authors.insert(sender) }
    }
    let groups = session.memberships.values
    let outsiders = new.filter { user in !groups.contains { $0.everContained(user) } }
    return outsiders.filter { !authors.contains($0) } + outsiders.filter(authors.contains).dropFirst(room)
}

/// The events of a delivery in the server's order: a key change event comes before the first event with a higher
/// sequence id.
///
/// The server lists key change events separately from the other events.
/// - Returns: The events, each with its index in `others` or in `keyChanges`.
private func inDeliveryOrder(
    keyChanges: [Result<MessageEvent, XChatError>],
    others: [Result<MessageEvent, XChatError>]
) -> [(event: Result<MessageEvent, XChatError>, place: Int?, key: Int?)] {
    func number(_ event: Result<MessageEvent, XChatError>) -> UInt64? {
        guard let id = try? event.get().sequenceID, id.isValid else { return nil }
        return id.number
    }
    // A key change event without a sequence id comes first, because no other position gives it less effect.
    var waiting = keyChanges.enumerated().map { (number: number($1) ?? 0, event: $1, index: $0) }
    waiting.sort { $0.number < $1.number }
    var order: [(event: Result<MessageEvent, XChatError>, place: Int?, key: Int?)] = []
    order.reserveCapacity(keyChanges.count + others.count)
    var next = 0
    for (place, event) in others.enumerated() {
        if let limit = number(event) {
            while next < waiting.count, waiting[next].number < limit {
                order.append((waiting[next].event, nil, waiting[next].index))
                next += 1
            }
        }
        order.append((event, place, nil))
    }
    order += waiting[next...].map { ($0.event, nil, $0.index) }
    return order
}

extension Session {
    /// Pins the served keys of users; returns the users who were pinned for the first time, and those whose keys are
    /// refused.
    fileprivate mutating func pin(
        _ answers: [Result<[RegisteredKey], APIError>],
        of users: [UserID]
    ) -> (new: [UserID], refused: [(UserID, XChatError)]) {
        var new: [UserID] = []
        var refused: [(UserID, XChatError)] = []
        for (user, answer) in zip(users, answers) {
            guard case .success(let served) = answer else { continue }
            let isNew = pins[user].isEmpty
            do throws(XChatError) {
                try pin(served, of: user)
                if isNew { new.append(user) }
            } catch {
                refused.append((user, error))
            }
        }
        return (new, refused)
    }
}

extension ConversationID {
    /// Whether a user can take part in a conversation: in a 1:1 conversation, only its two users can.
    fileprivate func mayContain(_ user: UserID) -> Bool {
        guard let (first, second) = participants else { return true }
        return user == first || user == second
    }
}

extension MessageEvent {
    /// The users whom a group creation or a member addition names.
    fileprivate var namedUsers: [UserID] {
        guard case .groupChangeEvent(let group) = detail else { return [] }
        switch group.groupChange {
        case .groupCreate(let create): return create.memberIDs ?? []
        case .groupMemberAdd(let addition): return (addition.memberIDs ?? []) + (addition.currentMemberIDs ?? [])
        default: return []
        }
    }
}

extension Result {
    /// What an asynchronous function returned or threw.
    init(_ body: () async throws(Failure) -> Success) async {
        do throws(Failure) {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
