import XChat
import XChatEngine
import XChatEvents
import XChatText

/// A kind of event for which this engine must differ from X's SDK, with the results of both.
///
/// The conditions are computed from the event alone, by separate code that does not call the engine. If a condition
/// holds, the results must differ; if none holds, they must be equal.
struct IntendedDifference: Sendable {
    /// The short name of the SDK's weakness, by which the totals are grouped; `§6` is the rule about participants.
    let gap: String
    let reason: String
    /// The possible results of the SDK.
    let theirs: Set<Verdict>
    let ours: Set<Verdict>
    let applies: @Sendable (ConformanceCase) -> Bool

    /// The possible results of the SDK for an event with a valid signature.
    private static let signatureHolds: Set<Verdict> = [
        .verified, .keyMissing, .authenticationFailed, .malformedContents,
    ]

    /// All intended differences; the first one that applies to an event is used.
    static let all: [IntendedDifference] = [
        IntendedDifference(
            gap: "F1",
            reason: "fields of a wrong type, fields twice, and bytes after the end let two readers see two events",
            theirs: [.verified, .neverSigned, .unverifiable, .wrongSignature],
            ours: [.notAnEvent],
            applies: { $0.oddity == .looseEvent }
        ),
        IntendedDifference(
            gap: "F1",
            reason: "the same in the contents of a message",
            theirs: [.verified],
            ours: [.malformedContents],
            applies: { $0.oddity == .looseContents }
        ),
        IntendedDifference(
            gap: "F2",
            reason: "an unused ratchet tree does not spoil its event",
            theirs: [.notAnEvent],
            ours: [.verified, .versionRefused],
            applies: { $0.oddity == .brokenTree }
        ),
        IntendedDifference(
            gap: "B1",
            reason: "the signed text can be read in two ways, and only one of them is what an honest sender writes",
            theirs: signatureHolds,
            ours: [.inconsistent],
            applies: { $0.event?.isAmbiguous ?? false }
        ),
        IntendedDifference(
            gap: "limits",
            reason:
                "ids and versions are 1 to 19 digits, and message ids 64 printable characters: others fill the state, or "
                + "write lines of their own",
            theirs: signatureHolds.union([.neverSigned]),
            ours: [.invalidValue],
            applies: { $0.event?.hasInvalidValue ?? false }
        ),
        IntendedDifference(
            gap: "§6",
            reason: "the sender is neither of the two whose conversation it is",
            theirs: signatureHolds,
            ours: [.notAParticipant],
            applies: { $0.event?.isFromOutside ?? false }
        ),
        IntendedDifference(
            gap: "A1",
            reason: "a conversation's key opens the messages of that conversation and of no other",
            theirs: [.verified, .authenticationFailed, .malformedContents],
            ours: [.keyMissing],
            applies: { $0.event?.isUnderForeignKey ?? false }
        ),
        IntendedDifference(
            gap: "A1",
            reason: "a key change is judged by the key that it delivers, not by another of the same version",
            theirs: [.wrongSignature],
            ours: [.disputedKey],
            applies: { $0.oddity == .collidingVersion }
        ),
        IntendedDifference(
            gap: "A1",
            reason: "the same for any sender and any signature, and if it delivers no key at all",
            theirs: [.wrongSignature],
            ours: [.verified, .notAParticipant, .inconsistent, .wrongSignature, .unverifiable, .disputedKey],
            applies: { $0.event?.deliversKnownVersion ?? false }
        ),
        IntendedDifference(
            gap: "A8",
            reason: "a key that is wrapped to us is ours, whatever version of our identity key the entry names",
            theirs: [.unverifiable],
            ours: [.verified, .wrongSignature, .inconsistent, .notAParticipant, .invalidValue],
            applies: { $0.event?.namesOtherKeyOfBob ?? false }
        ),
    ]
}

/// A value in the JSON for which this engine must differ from X's SDK; see ``IntendedDifference`` for verdicts.
struct IntendedValue: Sendable {
    let gap: String
    let reason: String
    /// The SDK's result for the preview in a reply; this engine's result is the opposite.
    let theirs: JSONValue
    let applies: @Sendable (ConformanceCase) -> Bool

    /// The line that the comparison reports for this difference.
    var complaint: String {
        let ours: JSONValue = theirs == "Valid" ? "Invalid" : "Valid"
        return ".reply_preview_validation: \(ours.line), theirs \(theirs.line)"
    }

    static let all: [IntendedValue] = [
        IntendedValue(
            gap: "C1",
            reason: "a reply's edit event names the sequence id of the quoted message",
            theirs: "Valid",
            applies: { $0.oddity == .editOfAnother }
        ),
        IntendedValue(
            gap: "C2",
            reason: "a preview claims an attachment that its reader cannot see and the original does not have",
            theirs: "Valid",
            applies: { $0.oddity == .unseenClaim }
        ),
        IntendedValue(
            gap: "§6",
            reason: "who is quoted has to belong to the conversation",
            theirs: "Valid",
            applies: { $0.oddity == .quoteFromOutside }
        ),
    ]
}

/// One event for both engines.
struct ConformanceCase {
    enum Oddity {
        case looseEvent, looseContents, brokenTree, collidingVersion
        case editOfAnother, unseenClaim, quoteFromOutside
    }

    let name: String
    /// The base64 that both engines read.
    let line: String
    /// The event in the base64; nil if it cannot be decoded.
    var event: MessageEvent?
    var oddity: Oddity?
    /// Members, with their values, that the SDK's JSON must contain.
    var fragment: JSONValue?
}

// The rules of this engine that X's SDK lacks, implemented a second time for comparison. Events of honest senders keep
// them.
extension MessageEvent {
    /// Whether an id or a version has an invalid form.
    fileprivate var hasInvalidValue: Bool {
        var numbers = [
            senderID?.text, sequenceID?.text, previousSequenceID?.text, messageEventSignature?.publicKeyVersion?.text,
        ]
        switch detail {
        case .messageCreateEvent(let create): numbers.append(create.conversationKeyVersion?.text)
        case .conversationKeyChangeEvent(let change):
            numbers.append(change.conversationKeyVersion?.text)
            let keys = change.conversationParticipantKeys ?? []
            numbers += keys.flatMap { [$0.userID?.text, $0.publicKeyVersion?.text] }
        case .groupChangeEvent(let group): numbers += group.groupChange?.numbers ?? []
        case .markConversationReadEvent(let mark): numbers.append(mark.seenUntilSequenceID?.text)
        case .markConversationUnreadEvent(let mark): numbers.append(mark.seenUntilSequenceID?.text)
        default: break
        }
        let hasOddNumber = numbers.contains { $0.map { !isNumber($0) || $0.utf8.count > 19 } ?? false }
        let hasOddMessageID =
            messageID.map { id in
                !(1...64).contains(id.utf8.count) || !id.utf8.allSatisfy { 0x20...0x7e ~= $0 && $0 != 0x2c }
            } ?? false
        let hasOddConversation =
            conversationID.map { id in
                let text = id.string.hasPrefix("g") ? String(id.string.dropFirst()) : id.string
                let parts = text.utf8.split(omittingEmptySubsequences: false) { $0 == 0x3a || $0 == 0x2d }
                let count = id.string.hasPrefix("g") ? 1...1 : 1...2
                return !count.contains(parts.count)
                    || !parts.allSatisfy { (1...19).contains($0.count) && $0.allSatisfy { 0x30...0x39 ~= $0 } }
            } ?? false
        return hasOddNumber || hasOddMessageID || hasOddConversation
    }

    /// Whether the signed text of an event can be read in more than one way.
    fileprivate var isAmbiguous: Bool {
        guard kind.isSigned, let detail else { return false }
        // If the conversation id is dropped, the next field of the signed text can be read as the id.
        guard let conversationID, !conversationID.isEmpty else { return true }
        let version = messageEventSignature?.signatureVersion.flatMap { Int32($0.string) } ?? 7
        switch detail {
        case .conversationKeyChangeEvent(let change):
            let users = (change.conversationParticipantKeys ?? []).compactMap(\.userID)
            return version < 6 && !users.allSatisfy { isNumber($0) }
        case .messageDeleteEvent(let deletion):
            return !(deletion.sequenceIDs ?? []).allSatisfy { isNumber($0) }
        case .conversationDeleteEvent(let deletion):
            guard let inner = deletion.conversationID else { return false }
            return ConversationID(canonicalizing: inner, sender: senderID ?? "")
                != ConversationID(canonicalizing: conversationID, sender: senderID ?? "")
        case .conversationMetadataChangeEvent(let change):
            return change.conversationMetadataChange?.isAmbiguous ?? false
        case .groupChangeEvent(let event):
            return event.groupChange?.isAmbiguous(sender: senderID, version: version) ?? false
        default:
            return false
        }
    }

    /// Whether the conversation id shows that the sender is not a participant.
    fileprivate var isFromOutside: Bool {
        guard kind.isSigned, let senderID, let (first, second) = canonical?.participants else { return false }
        return senderID != first && senderID != second
    }

    /// Whether a message names a key version that Bob has only for another conversation.
    fileprivate var isUnderForeignKey: Bool {
        guard case .messageCreateEvent(let create) = detail, let version = create.conversationKeyVersion else {
            return false
        }
        let home = [Cast.pairVersion: Cast.pair, Cast.groupVersion: Cast.group][version]
        return home.map { $0 != canonical?.text } ?? false
    }

    /// Whether a key change delivers a key under a version for which Bob has a key already.
    fileprivate var deliversKnownVersion: Bool {
        guard case .conversationKeyChangeEvent(let change) = detail else { return false }
        return change.conversationKeyVersion == Cast.pairVersion || change.conversationKeyVersion == Cast.groupVersion
    }

    /// Whether a complete key change wraps the key only for public key versions that Bob does not have.
    fileprivate var namesOtherKeyOfBob: Bool {
        guard case .conversationKeyChangeEvent(let change) = detail, change.conversationKeyVersion != nil,
            messageEventSignature?.signature != nil, messageEventSignature?.publicKeyVersion == "1",
            ["1111", "2222", "3333"].contains(senderID), hasSignedText
        else { return false }
        let keys = (change.conversationParticipantKeys ?? []).filter { entry in
            entry.encryptedConversationKey.flatMap { try? Base64.decode($0).count } == 113
        }
        return !keys.isEmpty && keys.allSatisfy { $0.publicKeyVersion.map { $0 != "1" } ?? false }
    }

    private var hasSignedText: Bool {
        let version = try? SignatureVersion(messageEventSignature?.signatureVersion)
        return version.map { (try? SignedPayload(of: self, version: $0)) != nil } ?? false
    }

    private var canonical: ConversationID? {
        conversationID.map { ConversationID(canonicalizing: $0, sender: senderID ?? "") }
    }
}

extension ConversationMetadataChange {
    fileprivate var isAmbiguous: Bool {
        let ids: [WireString]
        switch self {
        case .muteConversation(let mute): ids = mute.mutedConversationIDs ?? []
        case .unmuteConversation(let unmute): ids = unmute.unmutedConversationIDs ?? []
        default: return false
        }
        return !ids.allSatisfy { id in
            let halves = ConversationID(canonicalizing: id).string.split(
                separator: ":",
                omittingEmptySubsequences: false
            )
            let isGroup = id.string.hasPrefix("g") && isNumber(WireString(String(id.string.dropFirst())))
            return isNumber(id) || isGroup
                || halves.count == 2 && halves.allSatisfy { isNumber(WireString(String($0))) }
        }
    }
}

extension GroupChange {
    /// The key version that the change names, and the ids that `isAmbiguous` does not check.
    fileprivate var numbers: [WireString?] {
        switch self {
        case .groupCreate(let create): [create.conversationKeyVersion?.text]
        case .groupMemberAdd(let addition):
            [addition.conversationKeyVersion?.text] + (addition.currentPendingMemberIDs ?? []).map(\.text)
        case .groupJoinRequest(let request): [request.requestingUserID?.text]
        case .groupInviteDisable(let invite): [invite.disabledByMemberID?.text]
        case .groupTitleChange(let title): [title.conversationKeyVersion?.text]
        case .groupAvatarChange(let avatar): [avatar.conversationKeyVersion?.text]
        default: []
        }
    }

    fileprivate func isAmbiguous(sender: UserID?, version: Int32) -> Bool {
        switch self {
        case .groupCreate(let create):
            let members = create.memberIDs ?? []
            let admins = create.adminIDs ?? []
            let names = version < 4 ? [] : [create.title, create.avatarURL]
            return !isRoll(members) || !isRoll(admins) || !Set(admins).isSubset(of: members + [sender ?? ""])
                || names.contains("null")
        case .groupMemberAdd(let addition):
            return isAmbiguous(addition, sender: sender, version: version)
        case .groupAdminAdd(let change): return !isRoll(change.adminIDs ?? [])
        case .groupAdminRemove(let change): return !isRoll(change.adminIDs ?? [])
        case .groupMemberRemove(let change): return !isRoll(change.memberIDs ?? [])
        case .groupJoinReject(let change): return !isRoll(change.rejectedUserIDs ?? [])
        case .groupInviteEnable(let invite): return invite.affiliateID == "null"
        default: return false
        }
    }

    private func isAmbiguous(_ addition: GroupMemberAddChange, sender: UserID?, version: Int32) -> Bool {
        let new = addition.memberIDs ?? []
        let current = addition.currentMemberIDs ?? []
        let admins = addition.currentAdminIDs ?? []
        let pending = (3...6).contains(version) ? addition.currentPendingMemberIDs ?? [] : []
        let invite = version >= 7 ? addition.groupInviteEnable : nil
        let words = [addition.currentTitle, addition.currentAvatarURL, invite?.inviteURL, invite?.affiliateID]
        return new.isEmpty || ![new, current, admins, pending].allSatisfy(isRoll)
            || !Set(current).isDisjoint(with: new + pending) || !Set(admins).isSubset(of: current)
            || !current.contains(sender ?? "") || words.contains("null")
            || addition.currentAvatarURL.map { isNumber($0) } ?? false
            || addition.conversationKeyVersion.map { !isNumber($0) } ?? false
            || !Set(new).isDisjoint(with: pending)
            // In a text with neither administrators nor an invitation, the ids after the sender can be read as members
            // or as pending members.
            || admins.isEmpty && invite == nil && (new + current + pending).last != sender
    }
}

/// Whether a list contains only ids, each at most once.
private func isRoll(_ ids: [UserID]) -> Bool {
    ids.allSatisfy { isNumber($0) } && Set(ids).count == ids.count
}

private func isNumber(_ text: some WireText) -> Bool {
    !text.utf8.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
}
