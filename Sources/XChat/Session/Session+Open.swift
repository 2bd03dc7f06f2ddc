import LibSodium
public import XChatEvents

extension Session {
    /// Verifies and opens events: changes of groups and key changes first, wherever they stand, then everything.
    ///
    /// Conversation keys that the events deliver join the key ring. In a group they are judged by its members after all
    /// of the events, messages and the like by those of their own place among the events. One bad event changes nothing for
    /// the others.
    /// - Parameter events: Parsed events, or why one did not parse; such an error is passed through.
    /// - Returns: One result an event, in the order of the input.
    public mutating func open(
        _ events: [Result<MessageEvent, XChatError>]
    ) -> [Result<Event, XChatError>] {
        // What bears on the rest, and so comes before it: who belongs to a group, and then whose keys seal there.
        var settled: [Int: Result<Event, XChatError>] = [:]
        var keyChanges: [Int] = []
        var groupChanges: [Event] = []
        let rosters = learnedRosters
        for index in events.indices {
            guard case .success(let event) = events[index] else { continue }
            switch event.detail {
            case .conversationKeyChangeEvent: keyChanges.append(index)
            case .groupChangeEvent:
                settled[index] = Result { () throws(XChatError) in try openLearning(event) }
                if case .success(let change)? = settled[index] { groupChanges.append(change) }
            default: continue
            }
        }
        keepRosters(from: groupChanges)
        for index in keyChanges {
            settled[index] = events[index].flatMap { (event) in
                Result { () throws(XChatError) in try open(event) }
            }
        }
        // Once more from the beginning: a message is judged by the roster of its own time.
        learnedRosters = rosters
        var isMember = Array(repeating: false, count: events.count)
        for index in events.indices {
            guard case .success(let event) = events[index] else { continue }
            switch settled[index] {
            case nil:
                isMember[index] = self.isMember(senderOf: event)
            case .failure(let error) where error.code == .keyMissing:
                // Another event may have delivered the key that this one's signature covers.
                settled[index] = Result { () throws(XChatError) in try verifiedKeyChange(event) }
            case .success(let opened):
                learnRoster(from: opened)
            case .failure:
                break
            }
        }
        // Keys and rosters are settled: what is left are signatures and boxes, each on its own.
        let (session, early, members) = (self, settled, isMember)
        return concurrentMap(events.count) { index in
            if let result = early[index] { return result }
            return events[index].flatMap { (event) in
                Result { () throws(XChatError) in try session.openOther(event, isMember: members[index]) }
            }
        }
    }

    /// Verifies and opens one event.
    ///
    /// - Parameter event: The event. A key change adds its key to the key ring, and a change of a group its members to the
    ///   rosters: opened first, so that keys of new members may seal.
    /// - Returns: The event with its contents.
    /// - Throws: A reason of ``Verifier/verify(_:keys:conversationKeys:)``, `not_a_participant`, `key_missing`,
    ///   `authentication_failed`, or `malformed` for contents that authenticated and are not a `MessageEntryHolder`.
    public mutating func open(_ event: MessageEvent) throws(XChatError) -> Event {
        if case .conversationKeyChangeEvent(let change) = event.detail {
            return try acceptKeyChange(change, of: event).get()
        }
        let opened = try openLearning(event)
        if case .groupChangeEvent = event.detail { keepRosters(from: [opened]) }
        return opened
    }

    /// Opens an event, and learns from it who is in its group from then on.
    private mutating func openLearning(_ event: MessageEvent) throws(XChatError) -> Event {
        let opened = try openOther(event, isMember: isMember(senderOf: event))
        learnRoster(from: opened)
        return opened
    }

    /// Verifies an event without opening it or keeping anything of it.
    ///
    /// - Parameter event: The event.
    /// - Throws: The reason why it is not verified; `never_signed` for the kinds that are never signed.
    public func verify(_ event: MessageEvent) throws(XChatError) {
        if case .conversationKeyChangeEvent(let change) = event.detail {
            try verifyKeyChange(event, delivered: deliveredKey(in: change))
        } else {
            try verify(event, isMember: isMember(senderOf: event))
        }
    }

    private func verify(_ event: MessageEvent, isMember: Bool) throws(XChatError) {
        try Verifier.verify(event, keys: trustedKeys(of: event))
        guard isMember else { throw notAParticipant(event) }
    }

    // MARK: Key changes

    /// Verifies a key change and, whatever came of that, keeps the key that it delivers at the level it earned.
    private mutating func acceptKeyChange(
        _ change: ConversationKeyChangeEvent,
        of event: MessageEvent
    ) -> Result<Event, XChatError> {
        let delivered = deliveredKey(in: change)
        do {
            let covered = try verifyKeyChange(event, delivered: delivered)
            // Below version 6 the signature covers the wrapped keys and not the key itself.
            keep(delivered, of: change, in: event, level: covered == nil ? .legacy : .verified)
            return .success(Event(received: event, isVerified: true))
        } catch {
            switch error.code {
            case .notAParticipant, .inconsistent: break  // Nothing of such an event is kept.
            case .unknownSigner: keep(delivered, of: change, in: event, level: .legacy)
            default: keep(delivered, of: change, in: event, level: .unverified)
            }
            return .failure(error)
        }
    }

    private func verifiedKeyChange(_ event: MessageEvent) throws(XChatError) -> Event {
        try verifyKeyChange(event, delivered: nil)
        return Event(received: event, isVerified: true)
    }

    @discardableResult
    private func verifyKeyChange(
        _ event: MessageEvent,
        delivered: ConversationKey?
    ) throws(XChatError) -> ConversationKey? {
        var keys: [ConversationKey] = []
        if let delivered {
            // Only this one: the signature must not pass for a key that was put in place of the signed one.
            keys = [delivered]
        } else if case .conversationKeyChangeEvent(let change) = event.detail,
            let conversation = event.canonicalConversationID
        {
            keys = keyRing.candidates(in: conversation, version: change.conversationKeyVersion ?? "")
        }
        let covered = try Verifier.verify(event, keys: trustedKeys(of: event), conversationKeys: keys)
        guard levelOfKey(in: event) != nil else { throw notAParticipant(event) }
        return covered
    }

    /// How far the key of a key change is trusted for its announcer's sake, at most.
    private func levelOfKey(in event: MessageEvent) -> KeyLevel? {
        guard let conversation = event.canonicalConversationID, let sender = event.senderID else { return nil }
        return level(ofKeysBy: sender, in: conversation)
    }

    private mutating func keep(
        _ key: ConversationKey?,
        of change: ConversationKeyChangeEvent,
        in event: MessageEvent,
        level: KeyLevel
    ) {
        guard let key, let conversation = event.canonicalConversationID,
            let version = change.conversationKeyVersion, let highest = levelOfKey(in: event)
        else { return }
        keyRing.add(key, in: conversation, version: version, level: min(level, highest))
    }

    /// How many entries of a key change are tried: each costs a key agreement, before anybody's signature was looked at.
    private static let maximumUnwraps = 8

    /// The key that a key change delivers to us: our own entry of our own version first, then our own, then those of
    /// others that may be meant for our version (section 16.2 of the protocol looks at no user).
    func deliveredKey(in change: ConversationKeyChangeEvent) -> ConversationKey? {
        guard let keys = privateKeys?.keys else { return nil }
        let entries = change.conversationParticipantKeys ?? []
        let own = entries.filter { $0.userID == userID }
        var ranked = own.filter { $0.publicKeyVersion == signingKeyVersion }
        ranked += own.filter { $0.publicKeyVersion != signingKeyVersion }
        ranked += entries.filter {
            $0.userID != userID && ($0.publicKeyVersion == nil || $0.publicKeyVersion == signingKeyVersion)
        }
        for entry in ranked.prefix(Self.maximumUnwraps) {
            guard let encoded = entry.encryptedConversationKey, let wrapped = try? Base64.decode(encoded),
                let key = try? keys.unwrap(wrapped)
            else { continue }
            return key
        }
        return nil
    }

    // MARK: Everything else

    private func openOther(_ event: MessageEvent, isMember: Bool) throws(XChatError) -> Event {
        guard event.kind.isSigned else {
            return Event(received: event, isVerified: false)
        }
        try verify(event, isMember: isMember)
        guard case .messageCreateEvent(let create) = event.detail else {
            return Event(received: event, isVerified: true)
        }
        let holder = try contents(of: create, in: event)
        var replyValidation: ReplyValidation?
        if case .message(let message) = holder.contents, let preview = message.replyingToPreview {
            replyValidation = validation(of: preview, conversationID: event.conversationID)
        }
        return Event(received: event, isVerified: true, contents: holder, replyValidation: replyValidation)
    }

    /// Opens what a message holds, with whichever key of its version authenticates it.
    ///
    /// Further keys of the version are asked for only where none of the key ring opens it: they cost a key agreement each.
    func contents(
        of create: MessageCreateEvent,
        in event: MessageEvent,
        furtherKeys: (KeyVersion) -> [ConversationKey] = { _ in [] }
    ) throws(XChatError) -> MessageEntryHolder {
        let box = create.contents ?? []
        guard let version = create.conversationKeyVersion else { return try holder(box) }
        let known = event.canonicalConversationID.map { keyRing.candidates(in: $0, version: version) } ?? []
        if let opened = try holder(box, openedByOneOf: known) { return opened }
        let further = furtherKeys(version)
        if let opened = try holder(box, openedByOneOf: further) { return opened }
        guard !known.isEmpty || !further.isEmpty else {
            throw XChatError(
                .keyMissing,
                "no key \(printable(version)) for conversation \(printable(event.conversationID ?? "")): "
                    + "it comes in the conversation's key changes (meta.conversation_key_events of its history), unless the "
                    + "message is older than the membership of user \(printable(userID))"
            )
        }
        throw XChatError(.authenticationFailed, "the message does not open")
    }

    private func holder(
        _ box: [UInt8],
        openedByOneOf keys: [ConversationKey]
    ) throws(XChatError) -> MessageEntryHolder? {
        for key in keys {
            guard var plaintext = try? key.open(box) else { continue }
            defer { Sodium.wipe(&plaintext) }
            return try holder(plaintext)
        }
        return nil
    }

    private func holder(_ plaintext: [UInt8]) throws(XChatError) -> MessageEntryHolder {
        do {
            return try MessageEntryHolder(decoding: plaintext)
        } catch {
            throw XChatError(error, as: .malformed, in: "the decrypted contents")
        }
    }

    // MARK: Trust

    func trustedKeys(of event: MessageEvent) -> [BoundKey] {
        event.senderID.map { pins[$0] } ?? []
    }
}

extension MessageEvent {
    /// The conversation that the event names, in canonical form: `1111-2222` and `1111:2222` are one.
    var canonicalConversationID: ConversationID? {
        conversationID.map { ConversationID(canonicalizing: $0, sender: senderID ?? "") }
    }
}
