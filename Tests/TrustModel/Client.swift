import XChatEngine
import XChatEvents

/// An event in the envelope in which a server delivers it.
struct Item: Sendable {
    let act: Act
    let event: MessageEvent
    /// Whether the signature still verifies because no signed value was changed.
    let isAuthentic: Bool

    init(_ act: Act, _ event: MessageEvent) {
        self.act = act
        self.event = event
        let (signature, signed) = (event.messageEventSignature, act.event.messageEventSignature)
        guard event.senderID == act.event.senderID, signature?.signature == signed?.signature,
            signature?.publicKeyVersion == signed?.publicKeyVersion,
            let version = try? SignatureVersion(signature?.signatureVersion),
            let payload = try? SignedPayload(of: event, version: version)
        else {
            isAuthentic = false
            return
        }
        isAuthentic = payload.bytes == act.signedText
    }

    init(_ act: Act) {
        self.init(act, act.event)
    }

    /// Whether it is delivered in the conversation that its author intended.
    var isInPlace: Bool {
        event.conversationID.map { ConversationID(canonicalizing: $0, sender: event.senderID ?? "") }
            == act.conversation
    }

    /// The users whom the entries of a key change name, as it is delivered.
    var listed: Set<UserID> {
        guard case .conversationKeyChangeEvent(let change) = event.detail else { return [] }
        return Set((change.conversationParticipantKeys ?? []).compactMap(\.userID))
    }
}

/// The output of a client for a signed event.
struct Shown {
    let text: String?
    let marks: Set<Event.Mark>
    let act: Int
}

/// An honest client: a session of the engine, used as the command uses it, and the model's knowledge about it.
struct Client {
    let user: UserID
    private(set) var identity: Identity
    var session: Session
    /// How much its clock differs from a true one, in milliseconds.
    let clockOffset: Int

    /// The current pin of each user, and all pins, by the rules.
    private(set) var accepted: [UserID: KeyVersion] = [:]
    private(set) var pinned: [UserID: Set<KeyVersion>] = [:]
    /// The true times at which changed public keys were accepted.
    private(set) var acceptedAt: [UserID: UInt64] = [:]
    /// The groups of which each of these users was a member at that time, as far as the client knew.
    private(set) var groupsAtAcceptance: [UserID: Set<ConversationID>] = [:]

    /// Events that were refused and may be accepted later.
    var refused: [Item] = []
    private var seen = SeenEvents()
    private(set) var shown: [EventDigest: Shown] = [:]

    /// The signed acts that were delivered unchanged, in any delivery.
    private(set) var delivered: Set<Int> = []
    /// For each delivered key change, the users that every delivered copy lists.
    private(set) var listed: [Int: Set<UserID>] = [:]
    /// Key changes that were delivered while their author's keys were the current pin.
    private(set) var underCurrentPin: Set<Int> = []
    /// Key changes with an entry for the identity key of that time.
    private(set) var unwrapped: Set<Int> = []
    /// Former members by group, with the highest version that this client knew at the end of the delivery that removed
    /// them.
    private(set) var out: [ConversationID: [UserID: UInt64]] = [:]
    /// The highest version under which a message of each former member may be shown.
    private(set) var shownUpTo: [ConversationID: [UserID: UInt64]] = [:]
    /// The true time at which each former member was removed.
    private(set) var outSince: [ConversationID: [UserID: UInt64]] = [:]
    /// Whether an accepted list may be needed: a removal that waited for keys was applied when a person accepted them,
    /// or an addition was signed with a replaced key.
    private(set) var hasWaited = false
    /// Removals by present members whose keys are not accepted.
    private(set) var waiting: [ConversationID: Set<Int>] = [:]
    /// The removals that waited when a person accepted a list: they are settled and never applied.
    private(set) var answered: Set<Int> = []
    private var restarts = 0
    /// Keys that this client made itself, by group and version.
    private(set) var own: [ConversationID: [KeyVersion: [UInt8]]] = [:]
    /// The users to whom the client could encrypt before, by group.
    private(set) var views: [ConversationID: View] = [:]

    init(_ identity: Identity, clockOffset: Int) throws {
        user = identity.user
        self.identity = identity
        self.clockOffset = clockOffset
        session = try Session(userID: user, privateKeys: identity.keys, signingKeyVersion: identity.version)
        session.trust([identity.bound])
        accepted[user] = identity.version
        pinned[user] = [identity.version]
    }

    mutating func setClock(to time: UInt64) {
        let now = UInt64(Int(time) + clockOffset)
        session.clock = { now }
    }

    // MARK: Keys of users

    /// Asks the server for the keys of a user.
    mutating func pin(_ served: [Identity], of user: UserID) throws {
        let versions = Set(served.map(\.version))
        let expected: XChatError.Code?
        if let current = accepted[user] {
            let isKnown = served.allSatisfy { pinned[user]?.contains($0.version) == true }
            expected = !isKnown ? .pinChanged : versions.isEmpty || versions.contains(current) ? nil : .pinRolledBack
        } else {
            expected = nil
        }
        var code: XChatError.Code?
        do {
            try session.pin(served.map(\.bound.registered), of: user)
        } catch {
            code = error.code
        }
        guard code == expected else {
            throw Violation(
                invariant: 1,
                reason: "\(self.user) asked for the keys of \(user): \(code?.rawValue ?? "pinned"), "
                    + "not \(expected?.rawValue ?? "pinned")"
            )
        }
        if accepted[user] == nil, let newest = versions.max() {
            accepted[user] = newest
            pinned[user] = versions
        }
        try requirePin(of: user)
    }

    /// A person accepts changed keys.
    mutating func note(_ notices: [Delivery.Notice]) {
        for case .replacedKeyAdds in notices { hasWaited = true }
    }

    mutating func accept(_ served: [Identity], of user: UserID, at time: UInt64) throws {
        guard let newest = served.last else { return }
        let isChange = accepted[user] != nil && accepted[user] != newest.version
        let before = session.memberships[World.group]
        try session.acceptChange(served.map(\.bound))
        if session.memberships[World.group]?.bars != before?.bars { hasWaited = true }
        accepted[user] = newest.version
        pinned[user, default: []].formUnion(served.map(\.version))
        if isChange {
            acceptedAt[user] = time
            groupsAtAcceptance[user] = Set(session.memberships.filter { $0.value.contains(user) }.map(\.key))
        }
        try requirePin(of: user)
    }

    private func requirePin(of user: UserID) throws {
        guard session.pins.current(of: user)?.version == accepted[user] else {
            throw Violation(invariant: 1, reason: "\(self.user) has another current pin of \(user) than was accepted")
        }
    }

    /// Makes new own keys.
    ///
    /// Keys that are only used to decrypt are not saved, and the new identity key cannot unwrap them again.
    mutating func replaceKeys(with identity: Identity, world: World) throws {
        unwrapped = unwrapped.filter { index in
            guard let version = world.acts[index].event.keyVersion else { return false }
            let known = session.keyRing.acceptedKey(in: world.acts[index].conversation, version: version)
            return known.map(Self.bytes) == world.acts[index].key
        }
        self.identity = identity
        session = try rebuilt(keys: identity.keys, version: identity.version)
        session.trust([identity.bound])
        session.restoreCurrent(identity.bound)
        accepted[user] = identity.version
        pinned[user, default: []].insert(identity.version)
    }

    // MARK: Restart

    /// Ends the client and starts it again with its saved state.
    mutating func restart() throws {
        let old = session
        session = try rebuilt(keys: identity.keys, version: identity.version)
        let conversations = Set(old.keyRing.conversations + old.memberships.keys)
        for conversation in conversations.sorted(by: { $0.text < $1.text }) {
            let (before, after) = (encryption(by: old, in: conversation), encryption(by: session, in: conversation))
            guard before == after else {
                throw Violation(
                    invariant: 5,
                    reason: "\(user) restarted: \(conversation) encrypted with \(before), and now with \(after)"
                )
            }
            let (log, again) = (old.memberships[conversation], session.memberships[conversation])
            guard log?.log == again?.log, log?.present == again?.present, log?.bars == again?.bars,
                log?.unjudged == again?.unjudged, log?.isFull == again?.isFull
            else { throw Violation(invariant: 5, reason: "\(user) restarted: the members of \(conversation) differ") }
            guard old.keyRing.rotationFloor(of: conversation) == session.keyRing.rotationFloor(of: conversation),
                old.keyRing.highestVersion(of: conversation) == session.keyRing.highestVersion(of: conversation)
            else {
                throw Violation(
                    invariant: 5,
                    reason: "\(user) restarted: the state of the keys of \(conversation) is lost"
                )
            }
        }
        for user in old.pins.users { try requirePin(of: user) }
        let stored = try restoredFromRecords(of: old)
        let differences = stored.changed(since: old)
        guard differences.users.isEmpty, differences.conversations.isEmpty else {
            throw Violation(
                invariant: 5,
                reason: "\(user) restarted: the records of \(differences) do not hold what was known"
            )
        }
        // Restores from a session file and from records in turns.
        restarts += 1
        if restarts.isMultiple(of: 2) { session = stored }
    }

    /// The session that the records of an account store would give.
    private func restoredFromRecords(of old: Session) throws -> Session {
        let state = old.state
        var new = try Session(userID: user, privateKeys: identity.keys, signingKeyVersion: identity.version)
        new.clock = old.clock
        for record in state.users { new.restore(try UserState(decoding: record.encoded())) }
        for record in state.conversations { new.restore(try ConversationState(decoding: record.encoded())) }
        return new
    }

    private func encryption(by session: Session, in conversation: ConversationID) -> String {
        do {
            return try session.encryptingVersion(in: conversation).string
        } catch {
            return error.code.rawValue
        }
    }

    /// The session that the command's session document would give.
    private func rebuilt(keys: PrivateKeys, version: KeyVersion) throws -> Session {
        let old = session
        var new = try Session(userID: user, privateKeys: keys, signingKeyVersion: version)
        new.clock = old.clock
        for user in old.pins.users {
            new.trust(old.pins[user])
            if let current = old.pins.current(of: user) { new.restoreCurrent(current) }
            for key in old.pins[user] where old.pins.isReplaced(key) { new.restoreReplaced(key) }
            for digest in old.pins.rejected[user] ?? [] { new.restoreRejected(digest, of: user) }
        }
        do {
            for held in old.keyRing.accepted {
                try new.restoreKey(held.key, in: held.conversation, version: held.version)
            }
            for conversation in old.keyRing.keptConversations {
                if let highest = old.keyRing.highestVersion(of: conversation) {
                    new.restoreHighestVersion(highest, of: conversation)
                }
                new.restoreKeyState(
                    floor: old.keyRing.rotationFloor(of: conversation),
                    disputed: old.keyRing.disputedVersions(in: conversation),
                    of: conversation
                )
            }
            for (group, log) in old.memberships {
                let restored = try Membership(
                    log: log.log,
                    present: log.present,
                    bars: log.bars,
                    unjudged: log.unjudged.map { change in
                        Membership.Unjudged(
                            event: try MessageEvent(decoding: change.event.encoded()),
                            isVerified: change.isVerified
                        )
                    },
                    isFull: log.isFull,
                    isContested: log.isContested,
                    floor: log.floor,
                    settled: log.settled
                )
                new.restore(restored, of: group)
            }
        } catch {
            throw Violation(invariant: 5, reason: "\(user) cannot load what was saved: \(error)")
        }
        return new
    }

    // MARK: The client's next message

    /// The key that a client would use now, and the users to whom a rotation would give a key.
    struct View {
        var members: Membership?
        var counted: Set<EventDigest> = []
        var version: KeyVersion?
        var key: [UInt8]?
        /// The present members, if the client would wrap a key to them.
        var readers: Set<UserID> = []
        /// The accepted keys, by version.
        var accepted: [KeyVersion: [UInt8]] = [:]

        var present: Set<UserID>? { members?.present }
    }

    func view(of group: ConversationID) -> View {
        var view = View(members: session.memberships[group])
        view.counted = Set(view.members?.log.compactMap(\.digest) ?? [])
        for version in session.keyRing.versions(in: group) {
            view.accepted[version] = session.keyRing.acceptedKey(in: group, version: version).map(Self.bytes)
        }
        do {
            let version = try session.encryptingVersion(in: group)
            view.version = version
            view.key = view.accepted[version]
            view.readers = view.present ?? []
        } catch {
            let blocking: [XChatError.Code] = [.membershipUnproven, .membershipUnjudged, .notAParticipant]
            if !blocking.contains(error.code) { view.readers = view.present ?? [] }
        }
        return view
    }

    static func bytes(of key: ConversationKey) -> [UInt8] {
        key.withBytes { bytes in (0..<bytes.count).map { bytes[$0] } }
    }

    // MARK: Bookkeeping of the model

    mutating func note(_ view: View, of group: ConversationID) {
        views[group] = view
    }

    mutating func noteOwnKey(_ change: KeyChange) {
        own[change.conversationID, default: [:]][change.version] = Self.bytes(of: change.key)
    }

    mutating func noteDelivery(_ items: [Item]) {
        for item in items where item.isAuthentic && item.isInPlace {
            delivered.insert(item.act.index)
            guard item.act.kind == .keyChange else { continue }
            listed[item.act.index] = listed[item.act.index]?.intersection(item.listed) ?? item.listed
            if accepted[item.act.author.user] == item.act.author.version { underCurrentPin.insert(item.act.index) }
        }
    }

    mutating func noteOut(_ user: UserID, of group: ConversationID, bar: UInt64, at time: UInt64) {
        out[group, default: [:]][user] = bar
        outSince[group, default: [:]][user] = time
        shownUpTo[group, default: [:]][user] = bar
    }

    mutating func noteOut(_ user: UserID, of group: ConversationID, shownUpTo bar: UInt64) {
        let known = shownUpTo[group]?[user] ?? 0
        shownUpTo[group]?[user] = max(bar, known)
    }

    mutating func noteBack(_ user: UserID, in group: ConversationID) {
        out[group]?[user] = nil
        outSince[group]?[user] = nil
        shownUpTo[group]?[user] = nil
    }

    mutating func forgetOut(of group: ConversationID) {
        out[group] = nil
        outSince[group] = nil
        shownUpTo[group] = nil
    }

    mutating func noteAcceptedList(of group: ConversationID) {
        answered.formUnion(waiting.removeValue(forKey: group) ?? [])
    }

    mutating func noteWaiting(_ acts: Set<Int>, in group: ConversationID) {
        waiting[group] = acts.isEmpty ? nil : acts
    }

    /// Records a key change that was accepted.
    mutating func noteAccepted(_ item: Item) {
        if item.act.kind == .keyChange, item.act.entries.contains(identity.holder) { unwrapped.insert(item.act.index) }
    }

    /// Records the output of a delivery, like a follower; returns the part that is shown for the first time.
    mutating func show(_ event: Event, of act: Act) -> Shown? {
        guard event.isVerified, let digest = event.digest else { return nil }
        switch seen.insert(event) {
        case .repeated: return nil
        case .new, .sameID:
            let shown = Shown(text: event.text, marks: event.marks, act: act.index)
            self.shown[digest] = shown
            return shown
        }
    }
}

extension MessageEvent {
    /// The version that a key change announces.
    fileprivate var keyVersion: KeyVersion? {
        guard case .conversationKeyChangeEvent(let change) = detail else { return nil }
        return change.conversationKeyVersion
    }
}

extension Event {
    /// The text of a message or of an edit.
    var text: String? {
        switch contents?.contents {
        case .message(let message): message.messageText?.string
        case .messageEdit(let edit): edit.updatedText?.string
        default: nil
        }
    }
}

extension XChatError {
    /// Whether a follower tries the event again in later deliveries.
    var mayPass: Bool {
        [.keyMissing, .unknownSigner, .notAParticipant, .authenticationFailed].contains(code)
    }
}
