import Testing
import XChatEvents

@Suite("Events whose signed text can be read in two ways")
struct InconsistencyTests {
    private static func event(
        _ detail: MessageEventDetail,
        sender: UserID? = "1",
        conversation: WireString? = "g9",
        version: WireString = "7"
    ) -> MessageEvent {
        MessageEvent(
            messageID: "m-1",
            senderID: sender,
            conversationID: conversation,
            detail: detail,
            messageEventSignature: MessageEventSignature(signatureVersion: version)
        )
    }

    private static func group(
        _ change: GroupChange,
        sender: UserID? = "1",
        version: WireString = "7"
    ) -> MessageEvent {
        event(.groupChangeEvent(GroupChangeEvent(groupChange: change)), sender: sender, version: version)
    }

    private static func settings(_ change: ConversationMetadataChange) -> MessageEvent {
        event(.conversationMetadataChangeEvent(ConversationMetadataChangeEvent(conversationMetadataChange: change)))
    }

    /// User 1, administrator, adds 3 to the group of 1 and 2.
    private static let addition = GroupMemberAddChange(
        memberIDs: ["3"],
        currentMemberIDs: ["1", "2"],
        currentAdminIDs: ["1"],
        currentTitle: "T",
        conversationKeyVersion: "1001",
        currentPendingMemberIDs: ["8"],
        screenCaptureBlockingEnabled: false
    )

    private static func added(_ change: (inout GroupMemberAddChange) -> Void) -> GroupMemberAddChange {
        var addition = addition
        change(&addition)
        return addition
    }

    private static let signedDetails: [MessageEventDetail] = [
        .messageCreateEvent(MessageCreateEvent(contents: [1], conversationKeyVersion: "1")),
        .conversationKeyChangeEvent(ConversationKeyChangeEvent(conversationKeyVersion: "1")),
        .messageDeleteEvent(MessageDeleteEvent(sequenceIDs: ["5", "6", "5"], deleteMessageAction: .deleteForAll)),
        .conversationDeleteEvent(ConversationDeleteEvent()),
        .markConversationReadEvent(MarkConversationReadEvent(seenUntilSequenceID: "9")),
        .markConversationUnreadEvent(MarkConversationUnreadEvent()),
        .conversationMetadataChangeEvent(
            ConversationMetadataChangeEvent(conversationMetadataChange: .muteConversation(MuteConversation()))
        ),
        .groupChangeEvent(GroupChangeEvent(groupChange: .groupMemberAdd(addition))),
        .groupChangeEvent(
            GroupChangeEvent(groupChange: .groupCreate(GroupCreate(memberIDs: ["1"], conversationKeyVersion: "1")))
        ),
    ]

    @Test("what honest senders write is consistent", arguments: signedDetails)
    func honest(_ detail: MessageEventDetail) {
        #expect(Self.event(detail).inconsistency == nil)
        #expect(Self.event(detail, conversation: "1:2").inconsistency == nil)
        #expect(Self.event(detail, version: "1").inconsistency == nil)
    }

    @Test("a signed event without a conversation id is inconsistent", arguments: signedDetails)
    func noConversation(_ detail: MessageEventDetail) {
        #expect(Self.event(detail, conversation: nil).inconsistency == "conversation_id: absent")
        #expect(Self.event(detail, conversation: "").inconsistency == "conversation_id: empty")
    }

    @Test func `events of kinds that nobody signs are left alone`() {
        for detail: MessageEventDetail in [
            .messageTypingEvent(MessageTypingEvent()), .messageFailureEvent(MessageFailureEvent()),
            .memberAccountDeleteEvent(MemberAccountDeleteEvent()),
            .unknown(UnknownField(id: 2, wireType: 2, bytes: [0])),
        ] {
            #expect(Self.event(detail, conversation: nil).inconsistency == nil)
        }
        #expect(MessageEvent().inconsistency == nil)
    }

    /// Every other way to split the lists of an addition, text unchanged.
    @Test func `no other split of the same text is consistent`() throws {
        let honest = Self.addition
        let text = try SignedPayload(of: Self.group(.groupMemberAdd(honest))).bytes
        let ids: [WireString] = ["3", "1", "2", "1"]
        var consistent: [GroupMemberAddChange] = []
        for first in 0...ids.count {
            for second in first...ids.count {
                let split = Self.added {
                    $0.memberIDs = Array(ids[..<first])
                    $0.currentMemberIDs = Array(ids[first..<second])
                    $0.currentAdminIDs = Array(ids[second...])
                }
                let event = Self.group(.groupMemberAdd(split))
                #expect(try SignedPayload(of: event).bytes == text)
                if event.inconsistency == nil { consistent.append(split) }
            }
        }
        #expect(consistent == [honest])
    }

    @Test(
        "an addition that contradicts itself is inconsistent",
        arguments: [
            (added { $0.memberIDs = [] }, "member_ids: empty"),
            (added { $0.memberIDs = ["3", "x"] }, "member_ids: an id that is not digits"),
            (added { $0.memberIDs = [""] }, "member_ids: an id that is not digits"),
            (added { $0.memberIDs = ["3", "3"] }, "member_ids: somebody twice"),
            (added { $0.memberIDs = ["3", "2"] }, "member_ids: names someone who is a member already"),
            (added { $0.currentMemberIDs = ["1", "null"] }, "current_member_ids: an id that is not digits"),
            (added { $0.currentMemberIDs = ["1", "2", "1"] }, "current_member_ids: somebody twice"),
            (added { $0.currentAdminIDs = ["1", "-5"] }, "current_admin_ids: an id that is not digits"),
            (added { $0.currentAdminIDs = ["1", "1"] }, "current_admin_ids: somebody twice"),
            (added { $0.currentAdminIDs = ["1", "4"] }, "current_admin_ids: names someone who is no member"),
            (
                added {
                    $0.currentMemberIDs = ["2"]
                    $0.currentAdminIDs = ["2"]
                }, "current_member_ids: without the sender"
            ),
            (added { $0.currentTitle = "null" }, "current_title: the word null, which stands for none"),
            (added { $0.currentAvatarURL = "null" }, "current_avatar_url: the word null, which stands for none"),
            (added { $0.currentAvatarURL = "8" }, "current_avatar_url: a number"),
            (
                added { $0.groupInviteEnable = GroupInviteEnable(inviteURL: "null") },
                "invite_url: the word null, which stands for none"
            ),
            (
                added { $0.groupInviteEnable = GroupInviteEnable(inviteURL: "u", affiliateID: "null") },
                "affiliate_id: the word null, which stands for none"
            ),
        ] as [(GroupMemberAddChange, String)]
    )
    func additions(_ addition: GroupMemberAddChange, _ reason: String) {
        #expect(Self.group(.groupMemberAdd(addition)).inconsistency == reason)
    }

    @Test func `who adds somebody is known`() {
        for sender: UserID? in [nil, "", "3", "11"] {
            let event = Self.group(.groupMemberAdd(Self.addition), sender: sender)
            #expect(event.inconsistency == "current_member_ids: without the sender")
        }
        #expect(Self.group(.groupMemberAdd(Self.addition), sender: "2").inconsistency == nil)
    }

    @Test func `an addition may leave out what is optional`() {
        let bare = Self.added {
            $0.currentAdminIDs = []
            $0.currentTitle = nil
            $0.screenCaptureBlockingEnabled = nil
            $0.currentPendingMemberIDs = nil
            $0.groupInviteEnable = GroupInviteEnable(expiresAtMsec: 1, inviteURL: "https://x.com/i/g/1")
        }
        #expect(Self.group(.groupMemberAdd(bare)).inconsistency == nil)
    }

    @Test func `pending members are looked at where they are signed`() {
        for (pending, reason) in [
            (["8", "1"], "current_pending_member_ids: names someone who is a member already"),
            (["8", "8"], "current_pending_member_ids: somebody twice"),
            (["T"], "current_pending_member_ids: an id that is not digits"),
        ] as [([WireString], String)] {
            let addition = Self.added { $0.currentPendingMemberIDs = pending }
            for version: WireString in ["3", "4", "5", "6"] {
                #expect(Self.group(.groupMemberAdd(addition), version: version).inconsistency == reason)
            }
            for version: WireString in ["2", "7"] {
                #expect(Self.group(.groupMemberAdd(addition), version: version).inconsistency == nil)
            }
        }
    }

    @Test(
        "a creation that contradicts itself is inconsistent",
        arguments: [
            (GroupCreate(memberIDs: ["2", "2"]), "member_ids: somebody twice"),
            (GroupCreate(memberIDs: ["2", "null"]), "member_ids: an id that is not digits"),
            (GroupCreate(memberIDs: ["2"], adminIDs: ["1", "1"]), "admin_ids: somebody twice"),
            (GroupCreate(memberIDs: ["2"], adminIDs: ["3"]), "admin_ids: names someone who is no member"),
            (GroupCreate(memberIDs: ["2"], title: "null"), "title: the word null, which stands for none"),
            (GroupCreate(memberIDs: ["2"], avatarURL: "null"), "avatar_url: the word null, which stands for none"),
            (GroupCreate(memberIDs: ["2"], adminIDs: ["1"], title: ""), nil),
            (GroupCreate(memberIDs: ["1", "2"], adminIDs: ["2"], title: "2024"), nil),
            (GroupCreate(memberIDs: [], adminIDs: []), nil),
        ] as [(GroupCreate, String?)]
    )
    func creations(_ create: GroupCreate, _ reason: String?) {
        #expect(Self.group(.groupCreate(create)).inconsistency == reason)
    }

    @Test func `a title that is not signed may be any`() {
        let create = GroupChange.groupCreate(GroupCreate(memberIDs: ["2"], title: "null"))
        #expect(Self.group(create, version: "3").inconsistency == nil)
        #expect(Self.group(create, version: "4").inconsistency != nil)
    }

    @Test func `lists of users hold each user once, in digits`() {
        let changes: [(String, ([WireString]?) -> GroupChange)] = [
            ("admin_ids", { .groupAdminAdd(GroupAdminAddChange(adminIDs: $0)) }),
            ("admin_ids", { .groupAdminRemove(GroupAdminRemoveChange(adminIDs: $0)) }),
            ("member_ids", { .groupMemberRemove(GroupMemberRemoveChange(memberIDs: $0)) }),
            ("rejected_user_ids", { .groupJoinReject(GroupJoinReject(rejectedUserIDs: $0)) }),
        ]
        for (field, change) in changes {
            #expect(Self.group(change(["1", "22"])).inconsistency == nil)
            #expect(Self.group(change([])).inconsistency == nil)
            #expect(Self.group(change(nil)).inconsistency == nil)
            #expect(Self.group(change(["1", "1"])).inconsistency == "\(field): somebody twice")
            for id: WireString in ["", "a", "+1", "\u{661}", "1\u{301}"] {
                #expect(Self.group(change(["1", id])).inconsistency == "\(field): an id that is not digits")
            }
        }
    }

    @Test func `an invitation's affiliate is not the word that stands for none`() {
        let invite = GroupInviteEnable(inviteURL: "null", affiliateID: "7")
        #expect(Self.group(.groupInviteEnable(invite)).inconsistency == nil)
        let forged = GroupInviteEnable(inviteURL: "u", affiliateID: "null")
        #expect(
            Self.group(.groupInviteEnable(forged)).inconsistency == "affiliate_id: the word null, which stands for none"
        )
    }

    @Test func `deleted messages are named by digits`() {
        let deletion = MessageDeleteEvent(sequenceIDs: ["5", "x"], deleteMessageAction: .deleteForAll)
        #expect(Self.event(.messageDeleteEvent(deletion)).inconsistency == "sequence_ids: an id that is not digits")
    }

    @Test func `a deleted conversation is that of the event, in whatever form`() {
        let reason = "conversationDeleteEvent.conversation_id: not the conversation of the event"
        for (inner, outer, expected) in [
            ("1:2", "1:2", nil), ("2-1", "1:2", nil), ("2", "1:2", nil), ("1:2", "2", nil), ("g9", "g9", nil),
            ("1:3", "1:2", reason), ("3", "1:2", reason), ("g9", "g8", reason), ("", "1:2", reason),
        ] as [(WireString, WireString, String?)] {
            let detail = MessageEventDetail.conversationDeleteEvent(ConversationDeleteEvent(conversationID: inner))
            #expect(Self.event(detail, conversation: outer).inconsistency == expected)
        }
    }

    @Test func `muted conversations are named by ids of conversations`() {
        for (id, expected) in [
            ("1:2", true), ("2-1", true), ("g9", true), ("2", true), ("x", false), ("", false), ("1:2:3", false),
        ] as [(WireString, Bool)] {
            let mute = Self.settings(.muteConversation(MuteConversation(mutedConversationIDs: ["g1", id])))
            let unmute = Self.settings(.unmuteConversation(UnmuteConversation(unmutedConversationIDs: [id])))
            let reason = "conversation_ids: an id that is no conversation's"
            #expect(mute.inconsistency == (expected ? nil : "muted_\(reason)"))
            #expect(unmute.inconsistency == (expected ? nil : "unmuted_\(reason)"))
        }
    }

    @Test func `users of a key change are looked at where they are signed`() {
        let keys = [ConversationParticipantKey(userID: "1"), ConversationParticipantKey(userID: "al")]
        let change = ConversationKeyChangeEvent(conversationKeyVersion: "1", conversationParticipantKeys: keys)
        let reason = "conversation_participant_keys: an id that is not digits"
        for (version, expected) in [("5", reason), ("2", reason), ("6", nil), ("7", nil)] as [(WireString, String?)] {
            let event = Self.event(.conversationKeyChangeEvent(change), version: version)
            #expect(event.inconsistency == expected)
        }
    }
}
