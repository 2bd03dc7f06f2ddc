public import XChatEvents

/// An action on a conversation that is signed, and that needs no new conversation key.
///
/// X's own SDK builds only the deletion of messages. The signed texts of the other actions follow the table by which
/// every client verifies them: `docs/protocol.md`, "Signed texts". It is not known whether X's servers accept each of
/// these actions.
public enum ConversationAction: Hashable, Sendable {
    /// Deletes messages by their sequence ids: for all participants, or for this user.
    case deleteMessages([SequenceID], forAll: Bool)
    /// Deletes the conversation for this user.
    case deleteConversation(clearAllMessages: Bool?, sortOrderMsec: Int64?)
    /// Marks as read up to a sequence id; the time is in milliseconds since 1970.
    case markRead(until: SequenceID, atMillis: Int64?)
    /// Marks as unread, from a sequence id on.
    case markUnread(until: SequenceID?)
    /// Removes members from a group; they can read new messages until the key is rotated.
    case removeMembers([UserID])
    /// Makes members administrators.
    case addAdmins([UserID])
    /// Removes the administrator role from members.
    case removeAdmins([UserID])
    /// Sets the title of a group; encrypt it first, otherwise the server can read it.
    case setTitle(String, keyVersion: KeyVersion)
    /// Sets the avatar of a group.
    case setAvatar(url: String, keyVersion: KeyVersion)
    /// Opens a group to all users who have the link; the time is in milliseconds since 1970.
    case enableInvite(url: String, expiresAtMsec: Int64?, affiliateID: WireString?)
    /// Disables the invitation link of a group.
    case disableInvite(by: UserID)
    /// Requests to join a group.
    case requestToJoin
    /// Rejects the requests of users to join a group.
    case rejectJoin([UserID])
    /// Makes messages disappear after a number of milliseconds.
    case setMessageDuration(ttlMsec: Int64, applyToAllMessages: Bool?)
    /// Stops the disappearing of messages; can name the present duration in milliseconds.
    case removeMessageDuration(currentTTLMsec: Int64?)
    /// Mutes conversations.
    case mute([ConversationID])
    /// Unmutes conversations.
    case unmute([ConversationID])
    /// Turns the detection of screenshots on or off.
    case setScreenCaptureDetection(Bool)
    /// Turns the blocking of screenshots on or off.
    case setScreenCaptureBlocking(Bool)
}

extension Session {
    /// Signs an action.
    ///
    /// - Parameters:
    ///   - action: The action.
    ///   - conversation: The canonical conversation id.
    /// - Returns: The signature in the form that the REST calls take, with the text that was signed.
    /// - Throws: `not_unlocked`, `not_a_participant`, `invalid_argument` naming the invalid member,
    ///   `not_representable` for a text with a comma (a group's title: encrypt it first).
    public func sign(
        _ action: ConversationAction,
        in conversation: ConversationID
    ) throws(XChatError) -> ActionSignature {
        // A request to join comes from a user outside the group.
        if action != .requestToJoin { try requireParticipation(in: conversation) }
        let detail = try action.detail(by: userID, in: conversation)
        return try sign(detail, in: conversation).action
    }

    /// Throws if this account is known not to be a participant of the conversation.
    private func requireParticipation(in conversation: ConversationID) throws(XChatError) {
        switch standing(of: userID, in: conversation) {
        case .member, .unknown: return
        case .former, .unproven, .stranger:
            throw XChatError(
                .notAParticipant,
                "user \(printable(userID)) is not a participant of conversation \(printable(conversation)), and cannot "
                    + "sign actions in it: check the conversation id, or deliver the events that add the user"
            )
        }
    }

    /// Signs any action; `key` is the conversation key that the signature of a key change event covers.
    func sign(
        _ detail: MessageEventDetail,
        in conversation: ConversationID,
        covering key: ConversationKey? = nil
    ) throws(XChatError) -> (action: ActionSignature, event: MessageEvent) {
        let (keys, signingKeyVersion) = try signer()
        let signingKey = try keys.needSigningKey()
        let builder = EventBuilder(messageID: MessageID.random(), senderID: userID, conversationID: conversation)
        let unsigned = try builder.build(detail)
        if let inconsistency = unsigned.event.inconsistency {
            throw XChatError(.invalidArgument, inconsistency)
        }
        let payload = unsigned.payload
        let signature: [UInt8]
        if let key {
            signature = try payload.withText(conversationKey: key) { (text) throws(XChatError) in
                try keys.keys.sign(text)
            }
        } else {
            signature = try keys.keys.sign(payload.bytes.span)
        }
        let action = ActionSignature(
            messageID: builder.messageID,
            encodedMessageEventDetail: Base64.encode(detail.encoded()),
            signature: WireString(Base64.encode(signature, padding: false)),
            publicKeyVersion: signingKeyVersion,
            signatureVersion: WireString(SignatureVersion.current.description),
            signingPublicKey: signingKey.base64,
            signaturePayload: key == nil ? String(decoding: payload.bytes, as: UTF8.self) : nil
        )
        return (action, unsigned.signed(signature, publicKeyVersion: signingKeyVersion))
    }
}

extension ConversationAction {
    /// Checks the values of the action, and converts it to the detail of X's schema.
    fileprivate func detail(by user: UserID, in conversation: ConversationID) throws(XChatError) -> MessageEventDetail {
        switch self {
        case .deleteMessages(let ids, let forAll):
            try require(ids, "sequence_ids")
            return .messageDeleteEvent(
                MessageDeleteEvent(sequenceIDs: ids, deleteMessageAction: forAll ? .deleteForAll : .deleteForSelf)
            )
        case .deleteConversation(let clearAll, let sortOrder):
            return .conversationDeleteEvent(
                ConversationDeleteEvent(
                    conversationID: conversation.text,
                    clearConversationOptions: clearAll == nil && sortOrder == nil
                        ? nil : ClearConversationOptions(clearAllMessages: clearAll, sortOrderMsec: sortOrder)
                )
            )
        case .markRead(let until, let millis):
            try require([until], "seen_until_sequence_id")
            return .markConversationReadEvent(
                MarkConversationReadEvent(seenUntilSequenceID: until, seenAtMillis: millis)
            )
        case .markUnread(let until):
            if let until { try require([until], "seen_until_sequence_id") }
            return .markConversationUnreadEvent(MarkConversationUnreadEvent(seenUntilSequenceID: until))
        case .setMessageDuration, .removeMessageDuration, .mute, .unmute, .setScreenCaptureDetection,
            .setScreenCaptureBlocking:
            let change = try settingsChange()
            return .conversationMetadataChangeEvent(
                ConversationMetadataChangeEvent(conversationMetadataChange: change)
            )
        default:
            guard conversation.isGroup else {
                throw XChatError(
                    .invalidArgument,
                    "conversation \(printable(conversation)) is not a group: a group id is g and digits"
                )
            }
            return .groupChangeEvent(GroupChangeEvent(groupChange: try groupChange(by: user), forKeyRotation: false))
        }
    }

    private func groupChange(by user: UserID) throws(XChatError) -> GroupChange {
        switch self {
        case .removeMembers(let ids):
            try require(ids, "member_ids")
            return .groupMemberRemove(GroupMemberRemoveChange(memberIDs: ids))
        case .addAdmins(let ids):
            try require(ids, "admin_ids")
            return .groupAdminAdd(GroupAdminAddChange(adminIDs: ids))
        case .removeAdmins(let ids):
            try require(ids, "admin_ids")
            return .groupAdminRemove(GroupAdminRemoveChange(adminIDs: ids))
        case .setTitle(let title, let keyVersion):
            return .groupTitleChange(
                GroupTitleChange(customTitle: WireString(title), conversationKeyVersion: keyVersion)
            )
        case .setAvatar(let url, let keyVersion):
            return .groupAvatarChange(
                GroupAvatarUrlChange(customAvatarURL: WireString(url), conversationKeyVersion: keyVersion)
            )
        case .enableInvite(let url, let expires, let affiliate):
            return .groupInviteEnable(
                GroupInviteEnable(expiresAtMsec: expires, inviteURL: WireString(url), affiliateID: affiliate)
            )
        case .disableInvite(let member):
            try require([member], "disabled_by_member_id")
            return .groupInviteDisable(GroupInviteDisable(disabledByMemberID: member))
        case .requestToJoin:
            return .groupJoinRequest(GroupJoinRequest(requestingUserID: user))
        case .rejectJoin(let ids):
            try require(ids, "rejected_user_ids")
            return .groupJoinReject(GroupJoinReject(rejectedUserIDs: ids))
        default:
            throw XChatError(.invalidArgument, "not an action on a group")
        }
    }

    private func settingsChange() throws(XChatError) -> ConversationMetadataChange {
        switch self {
        case .setMessageDuration(let ttl, let applyToAll):
            guard ttl >= 0 else {
                throw XChatError(.invalidArgument, "ttl_msec is negative: give 0 or more milliseconds")
            }
            return .messageDurationChange(MessageDurationChange(ttlMsec: ttl, applyToAllMessages: applyToAll))
        case .removeMessageDuration(let current):
            return .messageDurationRemove(MessageDurationRemove(currentTTLMsec: current))
        case .mute(let ids):
            guard !ids.isEmpty else {
                throw XChatError(.invalidArgument, "muted_conversation_ids is empty: name at least one conversation")
            }
            return .muteConversation(MuteConversation(mutedConversationIDs: ids.map(\.text)))
        case .unmute(let ids):
            guard !ids.isEmpty else {
                throw XChatError(.invalidArgument, "unmuted_conversation_ids is empty: name at least one conversation")
            }
            return .unmuteConversation(UnmuteConversation(unmutedConversationIDs: ids.map(\.text)))
        case .setScreenCaptureDetection(let isOn):
            return isOn
                ? .enableScreenCaptureDetection(EnableScreenCaptureDetection())
                : .disableScreenCaptureDetection(DisableScreenCaptureDetection())
        case .setScreenCaptureBlocking(let isOn):
            return isOn
                ? .enableScreenCaptureBlocking(EnableScreenCaptureBlocking())
                : .disableScreenCaptureBlocking(DisableScreenCaptureBlocking())
        default:
            throw XChatError(.invalidArgument, "not a setting")
        }
    }
}

/// Checks the ids of a signed list: there is at least one, each consists of digits, and no id occurs twice.
func require(_ ids: [some Identifier], _ name: String) throws(XChatError) {
    guard !ids.isEmpty else { throw XChatError(.invalidArgument, "\(name) is empty: name at least one id") }
    guard ids.allSatisfy({ $0.text.isDigits }) else {
        throw XChatError(.invalidArgument, "\(name) contains a value that is not an id: an id consists of digits only")
    }
    guard Set(ids).count == ids.count else {
        throw XChatError(.invalidArgument, "\(name) contains an id twice: name each id once")
    }
}
