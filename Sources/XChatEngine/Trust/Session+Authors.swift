import XChatEvents

// This extension decides whether the sender of an event may be shown as its author. That does not depend only on
// whether the sender is a member now: see `docs/trust.md`, "Authors".
extension Session {
    /// The relation of a user to a conversation.
    enum Standing: Equatable {
        /// One of the two users of a 1:1, or a present member.
        case member
        /// A former member; the bar is nil until the delivery that removes the member ends.
        case former(bar: UInt64?)
        /// Only additions that did not count name the user.
        case unproven
        /// No membership log is known.
        case unknown
        case stranger
    }

    func standing(of user: UserID, in conversation: ConversationID) -> Standing {
        if let isOneOfTwo = conversation.isOneOfTwo(user) { return isOneOfTwo ? .member : .stranger }
        guard conversation.isGroup, let members = memberships[conversation] else { return .unknown }
        if members.contains(user) { return .member }
        if members.everContained(user) { return .former(bar: members.bars[user]) }
        return members.unproven.contains(user) ? .unproven : .stranger
    }

    /// Decides whether the sender of a verified event may be shown as its author, and with which mark.
    ///
    /// - Throws: `not_a_participant`.
    func mark(ofAuthorOf event: MessageEvent) throws(XChatError) -> Event.Mark? {
        guard let conversation = event.canonicalConversationID, let sender = event.senderID else { return nil }
        switch standing(of: sender, in: conversation) {
        case .member: return nil
        case .unknown: return conversation.isGroup ? .membershipUnknown : nil
        case .unproven: return .membershipUnproven
        case .former(let bar):
            guard let version = event.signedKeyVersion, let bar else { return .senderLeft }
            // A version that is not a number is treated as above every bar.
            if version.number ?? .max <= bar { return .senderLeft }
            throw notAParticipant(event)
        case .stranger:
            // A request to join comes from a user outside the group, and has no effect on its members.
            guard conversation.isGroup, event.isRequestToJoin(by: sender) else { throw notAParticipant(event) }
            return nil
        }
    }

    /// Throws `not_a_participant` for a quoted event whose author is known never to have been in the conversation.
    func requireAuthorship(of event: MessageEvent) throws(XChatError) {
        guard let conversation = event.canonicalConversationID, let sender = event.senderID else { return }
        if standing(of: sender, in: conversation) == .stranger { throw notAParticipant(event) }
    }

    func notAParticipant(_ event: MessageEvent) -> XChatError {
        XChatError(
            .notAParticipant,
            "sender \(printable(event.senderID ?? "")) is not in conversation \(printable(event.conversationID ?? ""))"
        )
    }
}

extension MessageEvent {
    /// The key version that the event signs, for kinds that sign one.
    var signedKeyVersion: KeyVersion? {
        switch detail {
        case .messageCreateEvent(let create): create.conversationKeyVersion
        case .conversationKeyChangeEvent(let change): change.conversationKeyVersion
        case .groupChangeEvent(let group): group.groupChange?.signedKeyVersion
        default: nil
        }
    }

    /// Whether the event is the user's own request to join a group.
    fileprivate func isRequestToJoin(by user: UserID) -> Bool {
        guard case .groupChangeEvent(let group) = detail, case .groupJoinRequest(let request) = group.groupChange else {
            return false
        }
        return request.requestingUserID == user
    }

    /// Whether the event is a change that can change a membership log.
    var movesMembership: Bool {
        guard case .groupChangeEvent(let group) = detail else { return false }
        switch group.groupChange {
        case .groupCreate, .groupMemberAdd, .groupMemberRemove: return true
        default: return false
        }
    }
}

extension GroupChange {
    fileprivate var signedKeyVersion: KeyVersion? {
        switch self {
        case .groupCreate(let create): create.conversationKeyVersion
        case .groupMemberAdd(let addition): addition.conversationKeyVersion
        case .groupTitleChange(let title): title.conversationKeyVersion
        case .groupAvatarChange(let avatar): avatar.conversationKeyVersion
        default: nil
        }
    }
}
