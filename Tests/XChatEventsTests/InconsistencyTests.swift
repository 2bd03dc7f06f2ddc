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

    @Test func `events of kinds that are never signed are consistent`() {
        for detail: MessageEventDetail in [
            .messageTypingEvent(MessageTypingEvent()), .messageFailureEvent(MessageFailureEvent()),
            .memberAccountDeleteEvent(MemberAccountDeleteEvent()),
            .unknown(UnknownField(id: 2, wireType: 2, bytes: [0])),
        ] {
            #expect(Self.event(detail, conversation: nil).inconsistency == nil)
        }
        #expect(MessageEvent().inconsistency == nil)
    }

    /// Every way to read the lists of an addition that is consistent, the text unchanged.
    private static func readings(of honest: GroupMemberAddChange) throws -> [GroupMemberAddChange] {
        let text = try SignedPayload(of: group(.groupMemberAdd(honest))).bytes
        let ids = (honest.memberIDs ?? []) + (honest.currentMemberIDs ?? []) + (honest.currentAdminIDs ?? [])
        var consistent: [GroupMemberAddChange] = []
        for first in 0...ids.count {
            for second in first...ids.count {
                var split = honest
                split.memberIDs = Array(ids[..<first])
                split.currentMemberIDs = Array(ids[first..<second])
                split.currentAdminIDs = Array(ids[second...])
                let event = group(.groupMemberAdd(split))
                #expect(try SignedPayload(of: event).bytes == text)
                if event.inconsistency == nil { consistent.append(split) }
            }
        }
        return consistent
    }

    private static func lists(_ new: [UserID], _ current: [UserID], _ admins: [UserID]) -> GroupMemberAddChange {
        added {
            $0.memberIDs = new
            $0.currentMemberIDs = current
            $0.currentAdminIDs = admins
        }
    }

    @Test(
        "one who is added to a group whose first is the sender or an administrator is added in every reading",
        arguments: [
            lists(["3"], ["1", "2"], ["1"]), lists(["3"], ["1", "2"], ["2"]), lists(["3"], ["2", "1"], ["2"]),
            lists(["3"], ["2", "4", "1"], ["4", "2"]),
        ]
    )
    func oneReading(_ honest: GroupMemberAddChange) throws {
        #expect(try Self.readings(of: honest) == [honest])
    }

    /// What a relay of an addition can still change: X's signed text does not say where the new members end.
    @Test(
        "otherwise the bound between new and present members may move, and the union of both may not",
        arguments: [
            (lists(["3", "4"], ["1", "2"], ["1"]), lists(["3"], ["4", "1", "2"], ["1"])),
            (lists(["3"], ["2", "1"], ["1"]), lists(["3", "2"], ["1"], ["1"])),
        ]
    )
    func twoReadings(_ honest: GroupMemberAddChange, _ other: GroupMemberAddChange) throws {
        let readings = try Self.readings(of: honest)
        #expect(readings.count == 2)
        #expect(readings.contains(honest) && readings.contains(other))
    }

    /// Every consistent reading of a signed text under another version: nothing in the text says what its parts are.
    private static func readings(
        _ parts: [WireString],
        of text: [UInt8],
        version: Int
    ) throws -> [GroupMemberAddChange] {
        func orNil(_ part: WireString) -> WireString? { part == "null" ? nil : part }
        var found: [GroupMemberAddChange] = []
        for tail in version >= 7 ? [5, 8] : version >= 5 ? [5] : [4] where parts.count >= tail {
            let ids = parts.dropLast(tail).map { UserID($0) }
            let rest = Array(parts.suffix(tail))
            let isTail =
                (rest[2] == "null" || Int64(rest[2].string) != nil)
                && (tail == 4 || rest[4] == "null" || Bool(rest[4].string) != nil)
            guard isTail else { continue }
            for first in 0...ids.count {
                for second in first...ids.count {
                    for third in (3...6).contains(version) ? Array(second...ids.count) : [ids.count] {
                        var reading = lists(
                            Array(ids[..<first]),
                            Array(ids[first..<second]),
                            Array(ids[second..<third])
                        )
                        reading.currentPendingMemberIDs = Array(ids[third...])
                        reading.currentTitle = orNil(rest[0])
                        reading.currentAvatarURL = orNil(rest[1])
                        reading.currentTTLMsec = Int64(rest[2].string)
                        reading.conversationKeyVersion = KeyVersion(rest[3])
                        reading.screenCaptureBlockingEnabled = tail > 4 ? Bool(rest[4].string) : nil
                        if tail == 8 {
                            reading.groupInviteEnable = GroupInviteEnable(
                                expiresAtMsec: Int64(rest[7].string),
                                inviteURL: orNil(rest[5]),
                                affiliateID: orNil(rest[6])
                            )
                        }
                        let event = group(.groupMemberAdd(reading), version: WireString("\(version)"))
                        guard event.inconsistency == nil,
                            try SignedPayload(of: event, version: SignatureVersion(WireString("\(version)"))).bytes
                                == text
                        else { continue }
                        found.append(reading)
                    }
                }
            }
        }
        return found
    }

    @Test("no version of the text passes for another that says something else", arguments: 2...7)
    func versions(_ version: Int) throws {
        var additions: [GroupMemberAddChange] = []
        for title: WireString? in [nil, "T", "2024"] {
            for pending: [UserID] in [[], ["8"]] {
                for (avatar, ttl, isBlocking) in [
                    (nil, nil, false), ("https://x/a", 5, true), (nil, nil, nil),
                ] as [(WireString?, Int64?, Bool?)] {
                    additions.append(
                        Self.added {
                            $0.currentTitle = title
                            $0.currentAvatarURL = avatar
                            $0.currentTTLMsec = ttl
                            $0.currentPendingMemberIDs = pending
                            $0.screenCaptureBlockingEnabled = isBlocking
                        }
                    )
                }
            }
        }
        if version == 7 {
            additions += additions.map { addition in
                var addition = addition
                addition.groupInviteEnable = GroupInviteEnable(inviteURL: "https://x/i", affiliateID: "77")
                return addition
            }
        }
        for honest in additions {
            let event = Self.group(.groupMemberAdd(honest), version: WireString("\(version)"))
            #expect(event.inconsistency == nil)
            let text = try SignedPayload(of: event, version: SignatureVersion(WireString("\(version)"))).bytes
            let parts = String(decoding: text, as: UTF8.self).split(separator: ",", omittingEmptySubsequences: false)
                .dropFirst(4).map { WireString(String($0)) }
            for other in 2...7 {
                let readings = try Self.readings(parts, of: text, version: other)
                #expect(readings.count == 1 || other != version)
                for reading in readings {
                    // What both versions sign is the same in both.
                    #expect(reading.memberIDs == honest.memberIDs)
                    #expect(reading.currentMemberIDs == honest.currentMemberIDs)
                    #expect(reading.currentAdminIDs == honest.currentAdminIDs)
                    #expect(reading.currentTitle == honest.currentTitle)
                    #expect(reading.currentAvatarURL == honest.currentAvatarURL)
                    #expect(reading.currentTTLMsec == honest.currentTTLMsec)
                    #expect(reading.conversationKeyVersion == honest.conversationKeyVersion)
                }
            }
        }
    }

    @Test(
        "an addition that contradicts itself is inconsistent",
        arguments: [
            (added { $0.memberIDs = [] }, "member_ids: empty"),
            (added { $0.memberIDs = ["3", "x"] }, "member_ids: an id that is not digits"),
            (added { $0.memberIDs = [""] }, "member_ids: an id that is not digits"),
            (added { $0.memberIDs = ["3", "3"] }, "member_ids: a user occurs twice"),
            (added { $0.memberIDs = ["3", "2"] }, "member_ids: names a user who is already a member"),
            (added { $0.currentMemberIDs = ["1", "null"] }, "current_member_ids: an id that is not digits"),
            (added { $0.currentMemberIDs = ["1", "2", "1"] }, "current_member_ids: a user occurs twice"),
            (added { $0.currentAdminIDs = ["1", "-5"] }, "current_admin_ids: an id that is not digits"),
            (added { $0.currentAdminIDs = ["1", "1"] }, "current_admin_ids: a user occurs twice"),
            (added { $0.currentAdminIDs = ["1", "4"] }, "current_admin_ids: names a user who is not a member"),
            (
                added {
                    $0.currentMemberIDs = ["2"]
                    $0.currentAdminIDs = ["2"]
                }, "current_member_ids: does not contain the sender"
            ),
            (added { $0.currentTitle = "null" }, "current_title: the word null, which means absence"),
            (added { $0.currentAvatarURL = "null" }, "current_avatar_url: the word null, which means absence"),
            (added { $0.currentAvatarURL = "8" }, "current_avatar_url: must not be a number"),
            (added { $0.conversationKeyVersion = "false" }, "conversation_key_version: not a number"),
            (
                added { $0.groupInviteEnable = GroupInviteEnable(inviteURL: "null") },
                "invite_url: the word null, which means absence"
            ),
            (
                added { $0.groupInviteEnable = GroupInviteEnable(inviteURL: "u", affiliateID: "null") },
                "affiliate_id: the word null, which means absence"
            ),
        ] as [(GroupMemberAddChange, String)]
    )
    func additions(_ addition: GroupMemberAddChange, _ reason: String) {
        #expect(Self.group(.groupMemberAdd(addition)).inconsistency == reason)
    }

    @Test func `the sender of an addition is known`() {
        for sender: UserID? in [nil, "", "3", "11"] {
            let event = Self.group(.groupMemberAdd(Self.addition), sender: sender)
            #expect(event.inconsistency == "current_member_ids: does not contain the sender")
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
            (["8", "1"], "current_pending_member_ids: names a user who is already a member"),
            (["8", "8"], "current_pending_member_ids: a user occurs twice"),
            (["T"], "current_pending_member_ids: an id that is not digits"),
        ] as [([UserID], String)] {
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
            (GroupCreate(memberIDs: ["2", "2"]), "member_ids: a user occurs twice"),
            (GroupCreate(memberIDs: ["2", "null"]), "member_ids: an id that is not digits"),
            (GroupCreate(memberIDs: ["2"], adminIDs: ["1", "1"]), "admin_ids: a user occurs twice"),
            (GroupCreate(memberIDs: ["2"], adminIDs: ["3"]), "admin_ids: names a user who is not a member"),
            (GroupCreate(memberIDs: ["2"], title: "null"), "title: the word null, which means absence"),
            (GroupCreate(memberIDs: ["2"], avatarURL: "null"), "avatar_url: the word null, which means absence"),
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
        let changes: [(String, ([UserID]?) -> GroupChange)] = [
            ("admin_ids", { .groupAdminAdd(GroupAdminAddChange(adminIDs: $0)) }),
            ("admin_ids", { .groupAdminRemove(GroupAdminRemoveChange(adminIDs: $0)) }),
            ("member_ids", { .groupMemberRemove(GroupMemberRemoveChange(memberIDs: $0)) }),
            ("rejected_user_ids", { .groupJoinReject(GroupJoinReject(rejectedUserIDs: $0)) }),
        ]
        for (field, change) in changes {
            #expect(Self.group(change(["1", "22"])).inconsistency == nil)
            #expect(Self.group(change([])).inconsistency == nil)
            #expect(Self.group(change(nil)).inconsistency == nil)
            #expect(Self.group(change(["1", "1"])).inconsistency == "\(field): a user occurs twice")
            for id: UserID in ["", "a", "+1", "\u{661}", "1\u{301}"] {
                #expect(Self.group(change(["1", id])).inconsistency == "\(field): an id that is not digits")
            }
        }
    }

    @Test func `an invitation's affiliate is not the word null`() {
        let invite = GroupInviteEnable(inviteURL: "null", affiliateID: "7")
        #expect(Self.group(.groupInviteEnable(invite)).inconsistency == nil)
        let forged = GroupInviteEnable(inviteURL: "u", affiliateID: "null")
        #expect(
            Self.group(.groupInviteEnable(forged)).inconsistency == "affiliate_id: the word null, which means absence"
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
            let reason = "conversation_ids: an id that is not a conversation id"
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
