import LibSodium
public import XChatEvents

// The one way in. First the signatures of group changes and key changes are verified, each on its own. Then they take
// effect in the order of the delivery: membership, and with it which keys encrypt. Then everything else is verified and
// decrypted, each event on its own.
extension Session {
    /// Verifies and decrypts the events of one delivery; group changes and key changes take effect.
    ///
    /// One bad event changes nothing for the others.
    /// - Parameter events: Parsed events, oldest first, key changes among them at their places; or why one did not
    ///   parse: such an error is passed through. Events of several conversations may be mixed.
    /// - Returns: One result for each event, and what a person should know.
    public mutating func deliver(_ events: [Result<MessageEvent, XChatError>]) -> Delivery {
        var settled: [Int: Result<Event, XChatError>] = [:]
        var notices: [Delivery.Notice] = []
        for changes in verifiedChanges(events) {
            var walk = takeWalk(changes)
            walk.run()
            self = walk.session
            notices += walk.notices
            settled.merge(walk.settled) { _, new in new }
        }
        let (session, early) = (self, settled)
        let results = concurrentMap(events.count) { index in
            if let result = early[index] { return result }
            return events[index].flatMap { (event) in
                Result { () throws(XChatError) in try session.opened(event) }
            }
        }
        return Delivery(results: results, notices: notices)
    }

    /// ``deliver(_:)`` without the notices.
    ///
    /// - Parameter events: As there.
    /// - Returns: One result for each event, in the order of the input.
    public mutating func open(_ events: [Result<MessageEvent, XChatError>]) -> [Result<Event, XChatError>] {
        deliver(events).results
    }

    /// Verifies and decrypts one event, as a delivery of its own.
    ///
    /// - Parameter event: The event.
    /// - Returns: The event with its contents.
    /// - Throws: A reason of ``Verifier/verify(_:keys:conversationKeys:)``, `not_a_participant`, `key_missing`,
    ///   `disputed_key`, `invalid_value`, `authentication_failed`, or `malformed` for contents that are not a
    ///   `MessageEntryHolder`.
    public mutating func open(_ event: MessageEvent) throws(XChatError) -> Event {
        guard let result = deliver([.success(event)]).results.first else {
            throw XChatError(.malformed, "the event has no result")
        }
        return try result.get()
    }

    // MARK: Events that a server serves for one conversation

    /// Verifies and decrypts the events that a server served for one conversation; group changes and key changes take
    /// effect.
    ///
    /// An event that names another conversation is refused before it has any effect. An event that names no
    /// conversation is judged as ``deliver(_:)`` judges it.
    /// - Parameters:
    ///   - events: As for ``deliver(_:)``.
    ///   - conversation: The canonical id of the conversation that was asked for.
    /// - Returns: One result for each event, `inconsistent` for events of other conversations, and what a person should
    ///   know.
    public mutating func deliver(
        _ events: [Result<MessageEvent, XChatError>],
        in conversation: ConversationID
    ) -> Delivery {
        deliver(
            events.map { event in
                event.flatMap { event in
                    Result { () throws(XChatError) in
                        try event.require(conversation)
                        return event
                    }
                }
            }
        )
    }

    /// ``deliver(_:in:)`` without the notices.
    ///
    /// - Parameters:
    ///   - events: As there.
    ///   - conversation: The canonical id of the conversation that was asked for.
    /// - Returns: One result for each event, in the order of the input.
    public mutating func open(
        _ events: [Result<MessageEvent, XChatError>],
        in conversation: ConversationID
    ) -> [Result<Event, XChatError>] {
        deliver(events, in: conversation).results
    }

    /// Verifies and decrypts one event that a server served for a conversation, as a delivery of its own.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - conversation: The canonical id of the conversation that was asked for.
    /// - Returns: The event with its contents.
    /// - Throws: `inconsistent` for an event of another conversation; as ``open(_:)-(MessageEvent)``.
    public mutating func open(_ event: MessageEvent, in conversation: ConversationID) throws(XChatError) -> Event {
        try event.require(conversation)
        return try open(event)
    }

    // MARK: Members

    /// Founds the membership log of a group on the server's word, if its whole history holds neither a bound creation
    /// nor an addition of this account.
    ///
    /// Such a log shows messages and never encrypts before ``acceptMembers(_:of:)``; a later verified founding replaces
    /// it.
    /// - Parameters:
    ///   - members: The members as the server lists them, at most 10,000.
    ///   - group: The group.
    /// - Returns: The notice of it, or nil if the group has a log.
    /// - Throws: `invalid_argument`, `too_large`.
    public mutating func found(
        _ members: [UserID],
        of group: ConversationID
    ) throws(XChatError) -> Delivery.Notice? {
        try requireList(members, of: group)
        guard memberships[group] == nil else { return nil }
        memberships[group] = Membership(
            founding: Membership.Entry(effect: .founded, claim: .server, signer: nil, people: members)
        )
        return .founded(group, .server)
    }

    /// Replaces the members of a group by a list of the caller, and bars all other known users.
    ///
    /// The way out wherever a group does not encrypt for its members' sake. Ask a person first. Key changes that were
    /// delivered before are judged by the new members when they are delivered again.
    /// - Parameters:
    ///   - members: The members, this account usually among them; at most 10,000.
    ///   - group: The group.
    /// - Throws: `invalid_argument`, `too_large`.
    public mutating func acceptMembers(_ members: [UserID], of group: ConversationID) throws(XChatError) {
        try requireList(members, of: group)
        guard var known = memberships[group] else {
            memberships[group] = Membership(
                founding: Membership.Entry(effect: .replaced, claim: .caller, signer: nil, people: members),
                floor: max(highestVersion(of: group), keyRing.highestAnnounced(in: group, upTo: versionLimit))
            )
            return
        }
        // Keys that are not accepted count too: their signatures verified, and older additions may name new people.
        let bar = max(highestVersion(of: group), keyRing.highestAnnounced(in: group, upTo: versionLimit))
        let left = try known.replace(with: members, bar: bar)
        memberships[group] = known
        if !left.isEmpty { keyRing.retireKeys(of: group, floor: clock()) }
    }

    /// Restores the membership log of a saved state.
    package mutating func restore(_ membership: Membership, of group: ConversationID) {
        memberships[group] = membership
    }

    private func requireList(_ members: [UserID], of group: ConversationID) throws(XChatError) {
        guard group.isGroup else { throw XChatError(.invalidArgument, "\(printable(group)) is not a group") }
        guard members.count <= Membership.maximumMembers else {
            throw XChatError(
                .tooLarge,
                "\(members.count) members; a group has at most \(Membership.maximumMembers)"
            )
        }
        if let odd = members.first(where: { !$0.isValid }) {
            throw XChatError(.invalidArgument, "member \(printable(odd)): a user id has 1 to 19 digits")
        }
        guard Set(members).count == members.count else {
            throw XChatError(.invalidArgument, "the list of members names a user twice")
        }
    }

    /// The highest version among accepted keys and counted changes of a group: the bar of a user who leaves now.
    func highestVersion(of group: ConversationID) -> UInt64 {
        let limit = versionLimit
        return max(
            keyRing.highestVersion(of: group).flatMap { $0 <= limit ? $0 : nil } ?? 0,
            keyRing.newestVersion(in: group, upTo: limit)?.number ?? 0,
            memberships[group]?.highestVersion(upTo: limit) ?? 0
        )
    }

    // MARK: Signatures

    /// The group changes and key changes of a delivery with what their signatures say, by conversation.
    private func verifiedChanges(_ events: [Result<MessageEvent, XChatError>]) -> [[DeliveryWalk.Change]] {
        var order: [ConversationID: Int] = [:]
        var indices: [[Int]] = []
        for (index, event) in events.enumerated() {
            guard case .success(let event) = event, let conversation = event.canonicalConversationID,
                event.kind == .keyChange || event.movesMembership
            else { continue }
            if let place = order[conversation] {
                indices[place].append(index)
            } else {
                order[conversation] = indices.count
                indices.append([index])
            }
        }
        let all = indices.flatMap { $0 }
        let verified = concurrentMap(all) { index in events[index].map { verifiedChange($0, at: index) } }
        let byIndex = Dictionary(zip(all, verified)) { first, _ in first }
        return indices.map { $0.compactMap { index in try? byIndex[index]?.get() } }
    }

    private func verifiedChange(_ event: MessageEvent, at index: Int) -> DeliveryWalk.Change {
        var delivered: ConversationKey?
        if case .conversationKeyChangeEvent(let change) = event.detail { delivered = deliveredKey(in: change) }
        let known = knownKeys(forVersionOf: event)
        let keys = (delivered.map { [$0] } ?? []) + known
        return DeliveryWalk.Change(
            index: index,
            event: event,
            delivered: delivered,
            verdict: Result { () throws(XChatError) in try signature(of: event, conversationKeys: keys) },
            isJudgedByAcceptedKey: !known.isEmpty
        )
    }

    /// The accepted key of the version that a key change announces: its signature must cover that key, or it disputes
    /// it.
    func knownKeys(forVersionOf event: MessageEvent) -> [ConversationKey] {
        guard case .conversationKeyChangeEvent(let change) = event.detail, let version = change.conversationKeyVersion,
            let conversation = event.canonicalConversationID,
            let key = keyRing.acceptedKey(in: conversation, version: version)
        else { return [] }
        return [key]
    }

    /// Verifies the signature of an event, and that all of its values are within their limits.
    func signature(
        of event: MessageEvent,
        conversationKeys: [ConversationKey] = []
    ) throws(XChatError) -> Verifier.Signed {
        let signed = try Verifier.signature(
            of: event,
            keys: trustedKeys(of: event),
            conversationKeys: conversationKeys
        )
        try event.requireLimits()
        return signed
    }

    func trustedKeys(of event: MessageEvent) -> [VerifiedPublicKey] {
        event.senderID.map { pins[$0] } ?? []
    }

    /// Hands the session to a walk, whose session replaces this one.
    ///
    /// The walk is the only owner of what it changes: a copy of all that is known for each delivery would make a long
    /// life quadratic.
    private mutating func takeWalk(_ changes: [DeliveryWalk.Change]) -> DeliveryWalk {
        let walk = DeliveryWalk(session: self, changes: changes)
        (memberships, keyRing, pins) = ([:], KeyRing(), PinnedKeys())
        return walk
    }

    // MARK: Changes that wait

    /// Judges the changes of a group that wait for keys, as far as the keys are accepted now.
    mutating func judgeUnjudged(in group: ConversationID) {
        var walk = takeWalk([])
        walk.judgeUnjudged(in: group)
        walk.endDelivery(of: group)
        self = walk.session
    }
}

extension MessageEvent {
    /// The conversation that the event names, in canonical form: `1111-2222` and `1111:2222` are one.
    var canonicalConversationID: ConversationID? {
        conversationID.map { ConversationID(canonicalizing: $0, sender: senderID ?? "") }
    }

    /// Refuses an event that names another conversation than the one that it was served for.
    ///
    /// - Parameter conversation: The canonical id of the conversation that was asked for.
    /// - Throws: `inconsistent`.
    package func require(_ conversation: ConversationID) throws(XChatError) {
        guard let named = canonicalConversationID, named != conversation else { return }
        throw XChatError(
            .inconsistent,
            "the event names conversation \(printable(named)), but was served for \(printable(conversation)): "
                + "the server mixes conversations, and the event is not used"
        )
    }

    /// Refuses an event with a value that is not of its form or beyond its limit.
    func requireLimits() throws(XChatError) {
        if let violation = limitViolation { throw XChatError(.invalidValue, violation) }
    }
}
