import XChatEvents

/// Applies the verified changes of one conversation in one delivery to a session, in the order of the delivery.
struct DeliveryWalk {
    /// A group change or key change event, and the result of its signature.
    struct Change {
        /// The position among the events of the delivery.
        let index: Int
        let event: MessageEvent
        /// The key that a key change event delivers to this account.
        let delivered: ConversationKey?
        var verdict: Result<Verifier.Signed, XChatError>
        /// Whether the signature was tried with an accepted key of the version.
        var isJudgedByAcceptedKey: Bool
    }

    var session: Session
    private(set) var notices: [Delivery.Notice] = []
    /// The results of key change events, and of changes that do not fit into the log.
    private(set) var settled: [Int: Result<Event, XChatError>] = [:]
    private var changes: [Change]
    /// The founding change of this delivery: its position, and the signer and version of its key change event.
    private var founding: (place: Int, signer: UserID, version: KeyVersion?)?

    init(session: Session, changes: [Change]) {
        (self.session, self.changes) = (session, changes)
    }

    mutating func run() {
        guard let conversation = changes.first?.event.canonicalConversationID else { return }
        if conversation.isGroup {
            judgeUnjudged(in: conversation)
            found(conversation)
        }
        for place in changes.indices { apply(at: place, in: conversation) }
        // A later event may have delivered the key that the signature of an earlier one covers.
        for place in changes.indices where verifyAgain(at: place) { apply(at: place, in: conversation) }
        endDelivery(of: conversation)
        reportMissingEntries(in: conversation)
    }

    /// Sets the bars of removed members, and limits the lists of outsiders.
    mutating func endDelivery(of conversation: ConversationID) {
        guard conversation.isGroup else { return }
        if let members = session.memberships[conversation]?.present {
            session.keyRing.boundOutsiders(in: conversation, members)
        }
        guard session.memberships[conversation]?.needsBars == true else { return }
        let (keyRing, limit) = (session.keyRing, session.versionLimit)
        let changes = session.memberships[conversation]?.highestVersion(upTo: limit) ?? 0
        session.memberships[conversation]?.endDelivery { user in
            max(changes, keyRing.barringVersion(of: conversation, upTo: limit, for: user))
        }
    }

    // MARK: Founding

    private mutating func found(_ group: ConversationID) {
        if let known = session.memberships[group], known.claim != .server { return }
        let bound = boundCreation(of: group)
        // If two creations contradict each other, an addition is no better proof.
        let isContested = notices.contains { if case .contested = $0 { true } else { false } }
        guard !isContested, let (entry, place) = bound ?? foundingAddition(of: group) else { return }
        // Keys that were accepted under the server's list become stale: the list may have named users who got these
        // keys.
        if session.memberships[group] != nil { session.keyRing.retireKeys(of: group, floor: 0) }
        let version = entry.version?.number ?? 0
        let floor = version <= session.versionLimit ? version : 0
        if session.memberships[group] == nil {
            session.memberships[group] = Membership(founding: entry, floor: floor)
        } else {
            session.memberships[group]?.replaceFounding(with: entry, floor: floor)
        }
        founding = (place, entry.signer ?? "", entry.version)
        notices.append(.founded(group, entry.claim))
    }

    /// The first creation that a key change event binds to the group.
    ///
    /// The signature of a creation does not cover the group id, so a server could replay the creation in another group.
    /// The signature of a key change event covers the group id.
    private mutating func boundCreation(of group: ConversationID) -> (Membership.Entry, place: Int)? {
        var found: (Membership.Entry, place: Int)?
        for (place, change) in changes.enumerated() {
            guard case .groupChangeEvent(let event) = change.event.detail,
                case .groupCreate(let create) = event.groupChange,
                case .success(let signed) = change.verdict, !session.isReplaced(signed.signer),
                let digest = try? signed.digest(), !hasFounded(digest),
                let version = create.conversationKeyVersion, isBound(version, by: signed.signer.userID, in: group)
            else { continue }
            let signer = signed.signer.userID
            let people = [signer] + (create.memberIDs ?? []).filter { $0 != signer }
            guard people.count <= Membership.maximumMembers else { continue }
            let entry = Membership.Entry(
                effect: .founded,
                claim: .signed,
                signer: signer,
                people: people,
                version: version,
                digest: digest
            )
            if let first = found, first.0.digest != digest {
                // A group is created only once, so one of the two creations is not genuine.
                notices.append(.contested(group, by: [first.0.signer ?? "", signer]))
                return nil
            }
            if found == nil { found = (entry, place) }
        }
        return found
    }

    /// Whether a creation founded a group already.
    private func hasFounded(_ digest: EventDigest) -> Bool {
        session.foundingsElsewhere.contains(digest) || session.memberships.values.contains { $0.founding == digest }
    }

    /// Whether a key change event of a signer for a version verified with a key that this account has.
    private func isBound(_ version: KeyVersion, by signer: UserID, in group: ConversationID) -> Bool {
        let isDelivered = changes.contains { change in
            guard case .conversationKeyChangeEvent(let key) = change.event.detail,
                key.conversationKeyVersion == version,
                case .success(let signed) = change.verdict
            else { return false }
            return signed.conversationKey != nil && signed.signer.userID == signer
        }
        return isDelivered
            || session.keyRing.accepted(in: group, version: version)?.announcer == signer
            || session.keyRing.others(in: group, version: version).contains {
                $0.level >= .retired && $0.announcer == signer
            }
    }

    /// The first addition that names this account and its signer.
    private func foundingAddition(of group: ConversationID) -> (Membership.Entry, place: Int)? {
        for (place, change) in changes.enumerated() {
            guard case .groupChangeEvent(let event) = change.event.detail,
                case .groupMemberAdd(let addition) = event.groupChange,
                case .success(let signed) = change.verdict, !session.isReplaced(signed.signer),
                let digest = try? signed.digest()
            else { continue }
            let named = (addition.memberIDs ?? []) + (addition.currentMemberIDs ?? [])
            guard named.contains(session.userID), named.contains(signed.signer.userID),
                named.count <= Membership.maximumMembers
            else { continue }
            let entry = Membership.Entry(
                effect: .founded,
                claim: .signer,
                signer: signed.signer.userID,
                people: named,
                version: addition.conversationKeyVersion,
                digest: digest
            )
            return (entry, place)
        }
        return nil
    }

    // MARK: Changes at their positions

    /// Verifies a key change event again if a key of its version was accepted after its signature did not verify.
    ///
    /// - Returns: Whether the event was verified again.
    private mutating func verifyAgain(at place: Int) -> Bool {
        guard case .failure(let error) = changes[place].verdict,
            error.code == .keyMissing || error.code == .wrongSignature, !changes[place].isJudgedByAcceptedKey
        else { return false }
        let event = changes[place].event
        let keys = session.knownKeys(forVersionOf: event)
        guard !keys.isEmpty else { return false }
        changes[place].isJudgedByAcceptedKey = true
        changes[place].verdict = Result { () throws(XChatError) in
            try session.signature(of: event, conversationKeys: keys)
        }
        return true
    }

    private mutating func apply(at place: Int, in conversation: ConversationID) {
        _ = verifyAgain(at: place)
        let change = changes[place]
        switch change.event.detail {
        case .conversationKeyChangeEvent(let detail):
            settled[change.index] = Result { () throws(XChatError) in
                try takeKey(of: detail, change, at: place, in: conversation)
            }
        case .groupChangeEvent:
            if let founding, place <= founding.place {
                // Changes older than the founding never count.
                if place < founding.place, let digest = try? change.verdict.get().digest() {
                    session.memberships[conversation]?.settle(digest)
                }
                return
            }
            applyMembership(change, in: conversation)
        default:
            return
        }
    }

    /// What to do with a change of a group.
    private enum Judgement {
        /// The change has no effect.
        case nothing
        /// The change was evaluated before.
        case evaluated(by: UserID)
        /// The change contradicts the founding of the log.
        case contest(EventDigest, by: [UserID])
        /// The change waits for the keys of its signer, or for an earlier change.
        case wait(isVerified: Bool)
        /// The change is applied to the log, which decides whether it counts.
        case count(EventDigest, widens: Bool)
    }

    private mutating func applyMembership(_ change: Change, in group: ConversationID) {
        // `judgement` releases its copy of the log before the log is changed, so that the log is changed in place:
        // copying a large group for each change would take quadratic time.
        switch judgement(of: change, in: group) {
        case .nothing: return
        case .evaluated(let signer): noteUnproven(change.event, by: signer, in: group)
        case .contest(let digest, let signers):
            session.memberships[group]?.contest(digest)
            notices.append(.contested(group, by: signers))
        case .wait(let isVerified):
            session.memberships[group]?.keepUnjudged(change.event, isVerified: isVerified)
        case .count(let digest, let widens):
            count(change.event, digest, widens: widens, index: change.index, in: group)
        }
    }

    private func judgement(of change: Change, in group: ConversationID) -> Judgement {
        guard let known = session.memberships[group] else { return .nothing }
        switch change.verdict {
        case .success(let signed):
            guard let digest = try? signed.digest() else { return .nothing }
            guard !known.isJudged(digest), !known.isSettled(change.event) else {
                return .evaluated(by: signed.signer.userID)
            }
            if contradictsFounding(change.event, by: signed.signer.userID, known, group) {
                return .contest(digest, by: [known.log.first?.signer ?? "", signed.signer.userID])
            }
            let widens = !session.isReplaced(signed.signer)
            // A change after a waiting change waits too, because the waiting change can affect whether its signer is a
            // member.
            return known.unjudged.isEmpty ? .count(digest, widens: widens) : .wait(isVerified: widens)
        case .failure(let error):
            guard error.code == .unknownSigner, let sender = change.event.senderID, known.contains(sender) else {
                return .nothing
            }
            return .wait(isVerified: false)
        }
    }

    /// Whether a verified change contradicts the founding of the log, so that at most one of them is genuine.
    ///
    /// Such a change is a second creation of the group, or a second addition of this account as a new member.
    private func contradictsFounding(
        _ event: MessageEvent,
        by signer: UserID,
        _ known: Membership,
        _ group: ConversationID
    ) -> Bool {
        guard case .groupChangeEvent(let detail) = event.detail, known.log.first?.effect == .founded else {
            return false
        }
        switch detail.groupChange {
        case .groupCreate(let create):
            return known.claim == .signed
                && create.conversationKeyVersion.map { isBound($0, by: signer, in: group) } == true
        case .groupMemberAdd(let addition):
            guard known.claim == .signer, known.contains(session.userID),
                addition.memberIDs?.contains(session.userID) == true
            else { return false }
            return !known.log.dropFirst().contains { $0.people.contains(session.userID) }
        default:
            return false
        }
    }

    private mutating func count(
        _ event: MessageEvent,
        _ digest: EventDigest,
        widens: Bool,
        index: Int?,
        in group: ConversationID
    ) {
        guard case .groupChangeEvent(let detail) = event.detail, let signer = event.senderID else { return }
        var outcome: Membership.Outcome?
        switch detail.groupChange {
        case .groupMemberAdd(let addition):
            guard widens else { return refuse(event, addition, digest, by: signer, in: group) }
            outcome = session.memberships[group]?.add(addition, by: signer, claim: .signed, digest: digest)
            if outcome == .ignored { noteUnproven(event, by: signer, in: group) }
        case .groupMemberRemove(let removal):
            outcome = session.memberships[group]?
                .remove(removal.memberIDs ?? [], by: signer, claim: .signed, digest: digest)
        default:
            return
        }
        switch outcome {
        case .counted(let returned, let left):
            notices += returned.map { .returned($0, to: group, by: signer) }
            if !left.isEmpty { session.keyRing.retireKeys(of: group, floor: session.clock()) }
        case .full:
            guard let index else { return }
            settled[index] = .failure(
                XChatError(
                    .tooLarge,
                    session.memberships[group]?.isFull == true
                        ? "the membership log of group \(printable(group)) is full: \(Membership.maximumIDs) ids; a "
                            + "person must accept the list of its members"
                        : "the addition makes group \(printable(group)) larger than \(Membership.maximumMembers) members, "
                            + "so it has no effect"
                )
            )
        case .repeated, .ignored, nil:
            return
        }
    }

    /// Settles an addition that is signed with a replaced key: the key may be stolen, and its thief must not be able to
    /// add readers.
    private mutating func refuse(
        _ event: MessageEvent,
        _ addition: GroupMemberAddChange,
        _ digest: EventDigest,
        by signer: UserID,
        in group: ConversationID
    ) {
        guard session.memberships[group]?.isJudged(digest) == false else { return }
        session.memberships[group]?.settle(digest)
        noteUnproven(event, by: signer, in: group)
        // An addition of a user who is not a member would not count under any key.
        guard session.memberships[group]?.contains(signer) == true else { return }
        notices.append(.replacedKeyAdds(addition.memberIDs ?? [], to: group, by: signer))
    }

    /// Records the users whom an addition names that does not count, if its signer is or was a member.
    private mutating func noteUnproven(_ event: MessageEvent, by signer: UserID, in group: ConversationID) {
        guard case .groupChangeEvent(let detail) = event.detail,
            case .groupMemberAdd(let addition) = detail.groupChange,
            session.memberships[group]?.everContained(signer) == true
        else { return }
        session.memberships[group]?.noteUnproven(addition)
    }

    /// Evaluates the waiting changes in their order, up to the first whose signer's keys are still not accepted.
    mutating func judgeUnjudged(in group: ConversationID) {
        while let waiting = session.memberships[group]?.unjudged.first {
            let event = waiting.event
            let verdict = Result { () throws(XChatError) in try session.signature(of: event) }
            if case .failure(let error) = verdict, error.code == .unknownSigner,
                let sender = event.senderID, session.memberships[group]?.contains(sender) == true
            {
                return
            }
            session.memberships[group]?.dropFirstUnjudged()
            guard let signed = try? verdict.get(), let digest = try? signed.digest() else { continue }
            let widens = waiting.isVerified || !session.isReplaced(signed.signer)
            count(event, digest, widens: widens, index: nil, in: group)
        }
    }

    // MARK: Key changes

    /// Stores the key that a key change event delivers, as an accepted key or as a key that is only used to decrypt.
    private mutating func takeKey(
        of detail: ConversationKeyChangeEvent,
        _ change: Change,
        at place: Int,
        in conversation: ConversationID
    ) throws(XChatError) -> Event {
        guard let version = detail.conversationKeyVersion, let sender = change.event.senderID else {
            _ = try change.verdict.get()
            throw XChatError(.malformed, "the key change event names no version or no sender")
        }
        let standing = session.standing(of: sender, in: conversation)
        let signed: Verifier.Signed
        do {
            signed = try change.verdict.get()
        } catch {
            throw refusal(of: error, change, version, standing, in: conversation)
        }
        var marks: Set<Event.Mark> = []
        let isRetired = session.isRetired(signed.signer)
        if isRetired { marks.insert(.retiredKey) }
        func keep(_ level: KeyLevel) {
            guard let key = signed.conversationKey ?? change.delivered else { return }
            session.keyRing.keep(key, in: conversation, version: version, level: level, announcer: sender)
        }
        switch standing {
        case .stranger: throw session.notAParticipant(change.event)
        case .unproven: marks.insert(.membershipUnproven)
        case .former: marks.insert(.senderLeft)
        case .unknown where conversation.isGroup: marks.insert(.membershipUnknown)
        case .unknown, .member: break
        }
        guard let key = signed.conversationKey else {
            keep(.legacy)
            return Event(received: change.event, isVerified: true, marks: marks, signer: signed.signer)
        }
        if isRetired {
            keep(.retired)
        } else if standing == .member, isInPlace(place, sender, version, in: conversation) {
            try accept(key, of: detail, by: sender, version, in: conversation)
        } else {
            keep(.announced)
        }
        return Event(received: change.event, isVerified: true, marks: marks, signer: signed.signer)
    }

    /// Whether a key change event comes after its signer became a member, or belongs to the founding.
    ///
    /// The version is checked as well as the position, because the original positions are not known when a history is
    /// delivered again.
    private func isInPlace(
        _ place: Int,
        _ sender: UserID,
        _ version: KeyVersion,
        in conversation: ConversationID
    ) -> Bool {
        if session.memberships[conversation]?.predates(version.number ?? 0, by: sender) == true { return false }
        guard let founding, place < founding.place else { return true }
        return sender == founding.signer && version == founding.version
    }

    private mutating func accept(
        _ key: ConversationKey,
        of detail: ConversationKeyChangeEvent,
        by sender: UserID,
        _ version: KeyVersion,
        in conversation: ConversationID
    ) throws(XChatError) {
        var outsiders: [UserID] = []
        if let members = session.memberships[conversation] {
            let named = (detail.conversationParticipantKeys ?? []).compactMap(\.userID)
            outsiders = Set(named.filter { !members.contains($0) }).sorted()
        }
        let accepted = AcceptedKey(key: key, announcer: sender, outsiders: outsiders)
        switch session.keyRing.accept(accepted, in: conversation, version: version, limit: session.versionLimit) {
        case .accepted, .known: return
        case .disputed:
            session.keyRing.keep(key, in: conversation, version: version, level: .announced, announcer: sender)
            throw dispute(version, by: sender, in: conversation)
        case .full:
            throw XChatError(
                .tooLarge,
                "conversation \(printable(conversation)) has \(KeyRing.maximumVersions) accepted keys, which is the maximum, "
                    + "and key \(printable(version)) is too old to replace one of them"
            )
        }
    }

    /// Handles a key change event that did not verify: stores its key if that is allowed, and returns the error.
    private mutating func refusal(
        of error: XChatError,
        _ change: Change,
        _ version: KeyVersion,
        _ standing: Session.Standing,
        in conversation: ConversationID
    ) -> XChatError {
        guard ![.inconsistent, .invalidValue].contains(error.code), standing != .stranger,
            change.event.limitViolation == nil
        else { return error }
        let sender = change.event.senderID ?? ""
        if let key = change.delivered {
            session.keyRing.keep(key, in: conversation, version: version, level: .unverified, announcer: nil)
        }
        // The signature does not cover the accepted key of the version, so the member seems to have announced another
        // key.
        let isMember = standing == .member || { if case .former = standing { true } else { false } }()
        guard error.code == .wrongSignature, isMember, change.event.signsConversationKey,
            session.keyRing.acceptedKey(in: conversation, version: version) != nil
        else { return error }
        session.keyRing.dispute(version, in: conversation)
        return dispute(version, by: sender, in: conversation)
    }

    private func dispute(_ version: KeyVersion, by sender: UserID, in conversation: ConversationID) -> XChatError {
        XChatError(
            .disputedKey,
            "user \(printable(sender)) announced another key under version \(printable(version)) of conversation "
                + "\(printable(conversation)); the first key is kept, but only used to decrypt: rotate the key"
        )
    }

    /// Reports present members for whom the newest key change event has no entry.
    private mutating func reportMissingEntries(in conversation: ConversationID) {
        guard let members = session.memberships[conversation],
            let newest = session.keyRing.newestVersion(in: conversation, upTo: session.versionLimit)
        else { return }
        for change in changes {
            guard case .conversationKeyChangeEvent(let detail) = change.event.detail,
                detail.conversationKeyVersion == newest, case .success(let signed) = change.verdict
            else { continue }
            let named = Set((detail.conversationParticipantKeys ?? []).compactMap(\.userID))
            let missing = members.present.subtracting(named).subtracting([session.userID]).sorted()
            guard !missing.isEmpty else { continue }
            notices.append(
                .keyLacksMembers(newest, in: conversation, members: missing, by: signed.signer.userID)
            )
            return
        }
    }
}

extension MessageEvent {
    /// Whether the signature of a key change event covers the conversation key itself.
    fileprivate var signsConversationKey: Bool {
        let version = try? SignatureVersion(messageEventSignature?.signatureVersion)
        return version?.number ?? 0 >= 6
    }
}
