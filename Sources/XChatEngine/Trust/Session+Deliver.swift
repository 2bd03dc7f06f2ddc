import LibSodium
public import XChatEvents

// All events enter a session here. First the signatures of group changes and key change events are verified, each
// independently of the others. Then these events take effect in the order of the delivery: they change the member lists
// and the keys that may be used to encrypt. Then all other events are verified and decrypted, each independently.
extension Session {
    /// Verifies and decrypts the events of one delivery; group changes and key change events take effect.
    ///
    /// A bad event does not affect the results of the others.
    /// - Parameter events: Parsed events, oldest first, with key change events at their positions. The error of an
    ///   event that did not parse is passed through. Events of several conversations may be mixed.
    /// - Returns: One result for each event, and notices for people.
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

    /// Works like ``deliver(_:)`` without the notices.
    ///
    /// - Parameter events: As for ``deliver(_:)``.
    /// - Returns: One result for each event, in the order of the input.
    public mutating func open(_ events: [Result<MessageEvent, XChatError>]) -> [Result<Event, XChatError>] {
        deliver(events).results
    }

    /// Verifies and decrypts one event as a separate delivery.
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

    /// Verifies and decrypts the events that a server served for one conversation; group changes and key change events
    /// take effect.
    ///
    /// An event that names another conversation is refused before it has any effect. An event that names no
    /// conversation is handled as by ``deliver(_:)``.
    /// - Parameters:
    ///   - events: As for ``deliver(_:)``.
    ///   - conversation: The canonical id of the conversation that was requested.
    /// - Returns: One result for each event, `inconsistent` for events of other conversations, and notices for people.
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

    /// Works like ``deliver(_:in:)`` without the notices.
    ///
    /// - Parameters:
    ///   - events: As for ``deliver(_:)``.
    ///   - conversation: The canonical id of the conversation that was requested.
    /// - Returns: One result for each event, in the order of the input.
    public mutating func open(
        _ events: [Result<MessageEvent, XChatError>],
        in conversation: ConversationID
    ) -> [Result<Event, XChatError>] {
        deliver(events, in: conversation).results
    }

    /// Verifies and decrypts one event that a server served for a conversation, as a separate delivery.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - conversation: The canonical id of the conversation that was requested.
    /// - Returns: The event with its contents.
    /// - Throws: `inconsistent` for an event of another conversation; the errors of ``open(_:)-(MessageEvent)``.
    public mutating func open(_ event: MessageEvent, in conversation: ConversationID) throws(XChatError) -> Event {
        try event.require(conversation)
        return try open(event)
    }

    // MARK: Members

    /// Starts the membership log of a group with the member list of the server.
    ///
    /// Call it only if the whole history of the group contains neither a creation with its key change event nor an
    /// addition of this account: these prove more than the list. With such a log messages are shown, but nothing is
    /// encrypted before ``acceptMembers(_:of:)``, because the server could name a user who is not a member. A later
    /// verified founding replaces the list.
    /// - Parameters:
    ///   - members: The members as the server lists them, at most 10,000.
    ///   - group: The group.
    /// - Returns: The notice; nil if the group already has a log.
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

    /// Sets the members of a group to `members`, and excludes every other user known in the group.
    ///
    /// Use it when a group refuses to encrypt because of its member list: `membership_unproven` or
    /// `membership_unjudged`. Let a person confirm the list first. Key change events that were already processed are
    /// not evaluated again; when they are delivered again, they are checked against the new list.
    /// - Parameters:
    ///   - members: The members, usually including this account; at most 10,000.
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
        // Versions of announced keys that are not accepted are included: otherwise older additions that sign them could
        // count later, and add users whom the list does not name.
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
        guard group.isGroup else {
            throw XChatError(
                .invalidArgument,
                "conversation \(printable(group)) is not a group: a group id is g and digits"
            )
        }
        guard members.count <= Membership.maximumMembers else {
            throw XChatError(
                .tooLarge,
                "the list has \(members.count) members, and a group has at most \(Membership.maximumMembers)"
            )
        }
        if let odd = members.first(where: { !$0.isValid }) {
            throw XChatError(.invalidArgument, "member \(printable(odd)): a user id has 1 to 19 digits")
        }
        guard Set(members).count == members.count else {
            throw XChatError(.invalidArgument, "the list of members names a user twice: name each user once")
        }
    }

    /// The highest version among the accepted keys and the counted changes of a group.
    func highestVersion(of group: ConversationID) -> UInt64 {
        let limit = versionLimit
        return max(
            keyRing.highestVersion(of: group).flatMap { $0 <= limit ? $0 : nil } ?? 0,
            keyRing.newestVersion(in: group, upTo: limit)?.number ?? 0,
            memberships[group]?.highestVersion(upTo: limit) ?? 0
        )
    }

    // MARK: Signatures

    /// Verifies the signatures of the group changes and key change events of a delivery, and groups the results by
    /// conversation.
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

    /// The accepted key of the version that a key change event announces.
    ///
    /// If the signature of the event does not cover this key, the version becomes disputed.
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

    /// Moves the contents of the session into a walk; the caller then replaces this session by that of the walk.
    ///
    /// The walk must be the only owner of the data that it changes: copies of all data for each delivery would take
    /// quadratic time over the life of a session.
    private mutating func takeWalk(_ changes: [DeliveryWalk.Change]) -> DeliveryWalk {
        let walk = DeliveryWalk(session: self, changes: changes)
        (memberships, keyRing, pins) = ([:], KeyRing(), PinnedKeys())
        return walk
    }

    // MARK: Changes that wait

    /// Evaluates the waiting changes of a group, as far as the keys of their signers are accepted now.
    mutating func judgeUnjudged(in group: ConversationID) {
        var walk = takeWalk([])
        walk.judgeUnjudged(in: group)
        walk.endDelivery(of: group)
        self = walk.session
    }
}

extension MessageEvent {
    /// The conversation that the event names, in canonical form: `1111-2222` and `1111:2222` are the same.
    package var canonicalConversationID: ConversationID? {
        conversationID.map { ConversationID(canonicalizing: $0, sender: senderID ?? "") }
    }

    /// Throws for an event that names another conversation than the one for which it was served.
    ///
    /// - Parameter conversation: The canonical id of the conversation that was requested.
    /// - Throws: `inconsistent`.
    package func require(_ conversation: ConversationID) throws(XChatError) {
        guard let named = canonicalConversationID, named != conversation else { return }
        throw XChatError(
            .inconsistent,
            "the event names conversation \(printable(named)), but was served for \(printable(conversation)): "
                + "the server mixes conversations, and the event is not used"
        )
    }

    /// Throws for an event with a value that is malformed or over its limit.
    func requireLimits() throws(XChatError) {
        if let violation = limitViolation { throw XChatError(.invalidValue, violation) }
    }
}
