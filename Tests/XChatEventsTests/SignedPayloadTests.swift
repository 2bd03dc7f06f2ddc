import Testing
import XChatEvents

/// An event of user 1111 with message id m-1.
private func event(_ detail: MessageEventDetail?, conversation: WireString? = "1111:2222") -> MessageEvent {
    MessageEvent(messageID: "m-1", senderID: "1111", conversationID: conversation, detail: detail)
}

private func text(_ event: MessageEvent, version: WireString? = nil) throws -> String {
    String(decoding: try SignedPayload(of: event, version: SignatureVersion(version)).bytes, as: UTF8.self)
}

private func group(_ change: GroupChange?) -> MessageEventDetail {
    .groupChangeEvent(GroupChangeEvent(groupChange: change, forKeyRotation: true))
}

private func settings(_ change: ConversationMetadataChange?) -> MessageEventDetail {
    .conversationMetadataChangeEvent(ConversationMetadataChangeEvent(conversationMetadataChange: change))
}

/// One case of the table: what happens, at which version, and the components after sender and conversation.
struct PayloadCase: CustomTestStringConvertible, Sendable {
    let detail: MessageEventDetail
    var version: WireString?
    let name: String
    let components: String
    var hasConversation = true

    var testDescription: String { "\(name) v\(version?.string ?? "7"): \(components)" }

    init(
        _ name: String,
        _ components: String,
        _ detail: MessageEventDetail,
        v version: WireString? = nil,
        hasConversation: Bool = true
    ) {
        self.detail = detail
        self.version = version
        self.name = name
        self.components = components
        self.hasConversation = hasConversation
    }
}

private let keys = [
    ConversationParticipantKey(userID: "1111", encryptedConversationKey: "AAA=", publicKeyVersion: "5"),
    ConversationParticipantKey(),
]
private let keyChange = MessageEventDetail.conversationKeyChangeEvent(
    ConversationKeyChangeEvent(conversationKeyVersion: "1001", conversationParticipantKeys: keys, forKeyRotation: false)
)
private let bareAddition = GroupMemberAddChange(
    memberIDs: ["3"],
    currentMemberIDs: ["1", "2"],
    currentAdminIDs: ["1"],
    conversationKeyVersion: "1001"
)
private let fullAddition = GroupMemberAddChange(
    memberIDs: ["3", "4"],
    currentMemberIDs: [],
    currentAdminIDs: ["1"],
    currentTitle: "T",
    currentAvatarURL: "A",
    conversationKeyVersion: "1001",
    currentTTLMsec: -5,
    currentPendingMemberIDs: ["8", "9"],
    screenCaptureBlockingEnabled: true,
    groupInviteEnable: GroupInviteEnable(expiresAtMsec: 17, inviteURL: "u", affiliateID: "f")
)

struct PayloadCases {
    static let all: [PayloadCase] = messages + keyChanges + groups + additions + settingsChanges

    private static let messages: [PayloadCase] = [
        PayloadCase(
            "MessageCreateEvent",
            ",1001,/////w",
            .messageCreateEvent(
                MessageCreateEvent(
                    contents: [0xff, 0xff, 0xff, 0xff],
                    conversationKeyVersion: "1001",
                    shouldNotify: true,
                    ttlMsec: 5
                )
            )
        ),
        PayloadCase("MessageCreateEvent", ",,", .messageCreateEvent(MessageCreateEvent(contents: []))),
        PayloadCase(
            "MessageCreateEvent",
            ",,QQ",
            .messageCreateEvent(
                MessageCreateEvent(contents: [0x41], conversationKeyVersion: "")
            ),
            v: "2"
        ),
        PayloadCase(
            "MessageDeleteEvent",
            ",2,5,6",
            .messageDeleteEvent(
                MessageDeleteEvent(sequenceIDs: ["5", "6"], deleteMessageAction: .deleteForAll)
            )
        ),
        PayloadCase(
            "MessageDeleteEvent",
            ",-9",
            .messageDeleteEvent(
                MessageDeleteEvent(sequenceIDs: [], deleteMessageAction: DeleteMessageAction(rawValue: -9))
            )
        ),
        PayloadCase(
            "ConversationDeleteEvent",
            "",
            .conversationDeleteEvent(
                ConversationDeleteEvent(conversationID: "5:6")
            )
        ),
        PayloadCase(
            "ConversationDeleteEvent",
            ",false,17",
            .conversationDeleteEvent(
                ConversationDeleteEvent(
                    clearConversationOptions: ClearConversationOptions(clearAllMessages: false, sortOrderMsec: 17)
                )
            )
        ),
        PayloadCase(
            "ConversationDeleteEvent",
            ",-17",
            .conversationDeleteEvent(
                ConversationDeleteEvent(
                    clearConversationOptions: ClearConversationOptions(sortOrderMsec: -17)
                )
            )
        ),
        PayloadCase(
            "MarkConversationReadEvent",
            ",9,17",
            .markConversationReadEvent(
                MarkConversationReadEvent(seenUntilSequenceID: "9", seenAtMillis: 17)
            )
        ),
        PayloadCase(
            "MarkConversationReadEvent",
            ",9",
            .markConversationReadEvent(
                MarkConversationReadEvent(seenUntilSequenceID: "9")
            )
        ),
        PayloadCase(
            "MarkConversationUnreadEvent",
            ",9",
            .markConversationUnreadEvent(
                MarkConversationUnreadEvent(seenUntilSequenceID: "9")
            )
        ),
        PayloadCase("MarkConversationUnreadEvent", "", .markConversationUnreadEvent(MarkConversationUnreadEvent())),
    ]

    private static let keyChanges: [PayloadCase] =
        ["6", "7", "99", "x"].map { PayloadCase("ConversationKeyChangeEvent", ",1001,", keyChange, v: $0) }
        + ["2", "3", "4", "5"].map {
            PayloadCase("ConversationKeyChangeEvent", ",1001,1111,AAA=,5,,,", keyChange, v: $0)
        }

    private static let create = group(
        .groupCreate(
            GroupCreate(
                memberIDs: ["1", "2"],
                adminIDs: ["1"],
                title: "T",
                conversationKeyVersion: "1001",
                ttlMsec: 5
            )
        )
    )
    private static let fullCreate = group(
        .groupCreate(
            GroupCreate(
                memberIDs: [],
                avatarURL: "A",
                conversationKeyVersion: "1001",
                isLegacyGroupUpgrade: true
            )
        )
    )

    private static let groups: [PayloadCase] =
        ["2", "3"].map { .init("GroupChangeEvent.GroupCreate", ",1001,1,2", create, v: $0, hasConversation: false) }
        + ["4", "5", "6", "7"].map {
            .init("GroupChangeEvent.GroupCreate", ",1001,1,2,null,T,null", create, v: $0, hasConversation: false)
        } + [
            .init("GroupChangeEvent.GroupCreate", ",1001,true,null,A", fullCreate, hasConversation: false),
            .init(
                "GroupChangeEvent.GroupTitleChange",
                ",1001,T",
                group(
                    .groupTitleChange(
                        GroupTitleChange(customTitle: "T", conversationKeyVersion: "1001")
                    )
                )
            ),
            .init(
                "GroupChangeEvent.GroupTitleChange",
                ",1001,",
                group(
                    .groupTitleChange(
                        GroupTitleChange(conversationKeyVersion: "1001")
                    )
                )
            ),
            .init(
                "GroupChangeEvent.GroupAvatarUrlChange",
                ",1001,A",
                group(
                    .groupAvatarChange(
                        GroupAvatarUrlChange(customAvatarURL: "A", conversationKeyVersion: "1001")
                    )
                )
            ),
            .init(
                "GroupChangeEvent.GroupAvatarUrlChange",
                ",1001,",
                group(
                    .groupAvatarChange(
                        GroupAvatarUrlChange(conversationKeyVersion: "1001")
                    )
                )
            ),
            .init(
                "GroupChangeEvent.GroupAdminAddChange",
                ",3,4",
                group(
                    .groupAdminAdd(
                        GroupAdminAddChange(adminIDs: ["3", "4"])
                    )
                )
            ),
            .init(
                "GroupChangeEvent.GroupAdminRemoveChange",
                ",3",
                group(
                    .groupAdminRemove(
                        GroupAdminRemoveChange(adminIDs: ["3"])
                    )
                )
            ),
            .init(
                "GroupChangeEvent.GroupMemberRemoveChange",
                "",
                group(
                    .groupMemberRemove(
                        GroupMemberRemoveChange(memberIDs: [])
                    )
                )
            ),
            .init(
                "GroupChangeEvent.GroupInviteEnable",
                ",u,17,f",
                group(
                    .groupInviteEnable(
                        GroupInviteEnable(expiresAtMsec: 17, inviteURL: "u", affiliateID: "f")
                    )
                )
            ),
            .init(
                "GroupChangeEvent.GroupInviteEnable",
                ",u,null,null",
                group(
                    .groupInviteEnable(
                        GroupInviteEnable(inviteURL: "u")
                    )
                )
            ),
            .init(
                "GroupChangeEvent.GroupInviteDisable",
                ",3",
                group(
                    .groupInviteDisable(
                        GroupInviteDisable(disabledByMemberID: "3")
                    )
                )
            ),
            .init(
                "GroupChangeEvent.GroupJoinRequest",
                ",3",
                group(
                    .groupJoinRequest(
                        GroupJoinRequest(requestingUserID: "3")
                    )
                )
            ),
            .init(
                "GroupChangeEvent.GroupJoinReject",
                ",3,4",
                group(
                    .groupJoinReject(
                        GroupJoinReject(rejectedUserIDs: ["3", "4"])
                    )
                )
            ),
        ]

    private static func addition(_ change: GroupMemberAddChange, _ version: WireString, _ text: String) -> PayloadCase {
        PayloadCase("GroupChangeEvent.GroupMemberAddChange", text, group(.groupMemberAdd(change)), v: version)
    }

    private static let additions: [PayloadCase] = [
        addition(fullAddition, "2", ",3,4,1,T,A,-5,1001"),
        addition(fullAddition, "3", ",3,4,1,8,9,T,A,-5,1001"),
        addition(fullAddition, "4", ",3,4,1,8,9,T,A,-5,1001"),
        addition(fullAddition, "5", ",3,4,1,8,9,T,A,-5,1001,true"),
        addition(fullAddition, "6", ",3,4,1,8,9,T,A,-5,1001,true"),
        addition(fullAddition, "7", ",3,4,1,T,A,-5,1001,true,u,f,17"),
        addition(fullAddition, "8", ",3,4,1,T,A,-5,1001,true,u,f,17"),
        addition(bareAddition, "2", ",3,1,2,1,null,null,null,1001"),
        addition(bareAddition, "4", ",3,1,2,1,null,null,null,1001"),
        addition(bareAddition, "6", ",3,1,2,1,null,null,null,1001,null"),
        addition(bareAddition, "7", ",3,1,2,1,null,null,null,1001,null"),
    ]

    private static func settingsCase(
        _ name: String,
        _ text: String,
        _ change: ConversationMetadataChange
    ) -> PayloadCase {
        PayloadCase("ConversationMetadataChangeEvent.\(name)", text, settings(change))
    }

    private static let settingsChanges: [PayloadCase] = [
        settingsCase(
            "MessageDurationChange",
            ",5",
            .messageDurationChange(
                MessageDurationChange(ttlMsec: 5, applyToAllMessages: true)
            )
        ),
        settingsCase("MessageDurationRemove", "", .messageDurationRemove(MessageDurationRemove(currentTTLMsec: 5))),
        settingsCase(
            "MuteConversation",
            ",1:2,g3",
            .muteConversation(
                MuteConversation(mutedConversationIDs: ["1:2", "g3"])
            )
        ),
        settingsCase("MuteConversation", "", .muteConversation(MuteConversation())),
        settingsCase(
            "UnmuteConversation",
            ",1:2",
            .unmuteConversation(
                UnmuteConversation(unmutedConversationIDs: ["1:2"])
            )
        ),
        settingsCase(
            "EnableScreenCaptureDetection",
            "",
            .enableScreenCaptureDetection(
                EnableScreenCaptureDetection(placeholder: "x")
            )
        ),
        settingsCase(
            "DisableScreenCaptureDetection",
            "",
            .disableScreenCaptureDetection(
                DisableScreenCaptureDetection()
            )
        ),
        settingsCase("EnableScreenCaptureBlocking", "", .enableScreenCaptureBlocking(EnableScreenCaptureBlocking())),
        settingsCase("DisableScreenCaptureBlocking", "", .disableScreenCaptureBlocking(DisableScreenCaptureBlocking())),
    ]
}

@Suite("The signed text")
struct SignedPayloadTests {
    @Test("every kind and version has its text", arguments: PayloadCases.all)
    func table(_ entry: PayloadCase) throws {
        let start = "\(entry.name),m-1,1111"
        let slot = entry.hasConversation ? ",1111:2222" : ""
        #expect(try text(event(entry.detail), version: entry.version) == start + slot + entry.components)
        // Absent: no slot. Empty: an empty slot. Anything else: as it is, canonical or not.
        let absent = event(entry.detail, conversation: nil)
        #expect(try text(absent, version: entry.version) == start + entry.components)
        let empty = event(entry.detail, conversation: "")
        #expect(
            try text(empty, version: entry.version) == start + (entry.hasConversation ? "," : "") + entry.components
        )
        let other = event(entry.detail, conversation: "2222-1111")
        let otherSlot = entry.hasConversation ? ",2222-1111" : ""
        #expect(try text(other, version: entry.version) == start + otherSlot + entry.components)
    }

    @Test("every kind needs a message id and a sender, without commas", arguments: PayloadCases.all)
    func start(_ entry: PayloadCase) throws {
        var anonymous = event(entry.detail)
        anonymous.senderID = nil
        #expect(throws: PayloadError.missing("sender_id")) { try text(anonymous, version: entry.version) }
        anonymous.senderID = "11,11"
        #expect(throws: PayloadError.comma("sender_id")) { try text(anonymous, version: entry.version) }
        var nameless = event(entry.detail)
        nameless.messageID = nil
        #expect(throws: PayloadError.missing("message_id")) { try text(nameless, version: entry.version) }
        nameless.messageID = ","
        #expect(throws: PayloadError.comma("message_id")) { try text(nameless, version: entry.version) }
        let conversation = event(entry.detail, conversation: "1111,2222")
        if entry.hasConversation {
            #expect(throws: PayloadError.comma("conversation_id")) { try text(conversation, version: entry.version) }
        } else {
            #expect(throws: Never.self) { try text(conversation, version: entry.version) }
        }
    }

    @Test("only a key change from version 6 on goes on with the key", arguments: PayloadCases.all)
    func endsWithKey(_ entry: PayloadCase) throws {
        let version = try SignatureVersion(entry.version)
        let expected = entry.name == "ConversationKeyChangeEvent" && version.number >= 6
        let payload = try SignedPayload(of: event(entry.detail), version: version)
        #expect(payload.endsWithConversationKey == expected)
        if expected { #expect(payload.bytes.last == UInt8(ascii: ",")) }
    }

    @Test(
        "kinds that are never signed have no text",
        arguments: [
            nil, .messageCreateEvent(MessageCreateEvent(conversationKeyVersion: "1")),
            .messageFailureEvent(MessageFailureEvent()), .messageTypingEvent(MessageTypingEvent()),
            .memberAccountDeleteEvent(MemberAccountDeleteEvent()), .grokSearchResponseEvent(GrokSearchResponseEvent()),
            .unknown(UnknownField(id: 2, wireType: 2, bytes: [1])),
        ] as [MessageEventDetail?]
    )
    func neverSigned(_ detail: MessageEventDetail?) {
        #expect(throws: PayloadError.neverSigned) { try text(event(detail)) }
        #expect(!event(detail).kind.isSigned)
    }

    @Test(
        "a variant without a text is an error",
        arguments: [
            (group(.groupAdminSettingsChange(GroupAdminSettingsChange())), PayloadError.noSignedForm("group_change")),
            (group(.unknown(UnknownField(id: 99, wireType: 2, bytes: [1]))), .noSignedForm("group_change")),
            (group(nil), .missing("group_change")),
            (
                settings(.unknown(UnknownField(id: 99, wireType: 2, bytes: [1]))),
                .noSignedForm("conversation_metadata_change")
            ),
            (settings(nil), .missing("conversation_metadata_change")),
        ]
    )
    func noForm(_ detail: MessageEventDetail, _ expected: PayloadError) {
        #expect(throws: expected) { try text(event(detail)) }
        #expect(event(detail).kind.isSigned)
    }

    @Test(
        "what the text needs and the event lacks is named",
        arguments: [
            (.conversationKeyChangeEvent(ConversationKeyChangeEvent()), "7", "conversation_key_version"),
            (
                .conversationKeyChangeEvent(ConversationKeyChangeEvent(conversationKeyVersion: "1")), "5",
                "conversation_participant_keys"
            ),
            (.messageDeleteEvent(MessageDeleteEvent(sequenceIDs: ["1"])), "7", "delete_message_action"),
            (.messageDeleteEvent(MessageDeleteEvent(deleteMessageAction: .deleteForAll)), "7", "sequence_ids"),
            (.markConversationReadEvent(MarkConversationReadEvent(seenAtMillis: 1)), "7", "seen_until_sequence_id"),
            (group(.groupCreate(GroupCreate(memberIDs: []))), "7", "conversation_key_version"),
            (group(.groupCreate(GroupCreate(conversationKeyVersion: "1"))), "7", "member_ids"),
            (group(.groupTitleChange(GroupTitleChange(customTitle: "T"))), "7", "conversation_key_version"),
            (group(.groupAvatarChange(GroupAvatarUrlChange(customAvatarURL: "A"))), "7", "conversation_key_version"),
            (group(.groupAdminAdd(GroupAdminAddChange())), "7", "admin_ids"),
            (group(.groupAdminRemove(GroupAdminRemoveChange())), "7", "admin_ids"),
            (group(.groupMemberRemove(GroupMemberRemoveChange())), "7", "member_ids"),
            (group(.groupInviteEnable(GroupInviteEnable(affiliateID: "f"))), "7", "invite_url"),
            (group(.groupInviteDisable(GroupInviteDisable())), "7", "disabled_by_member_id"),
            (group(.groupJoinRequest(GroupJoinRequest())), "7", "requesting_user_id"),
            (group(.groupJoinReject(GroupJoinReject())), "7", "rejected_user_ids"),
            (group(.groupMemberAdd(GroupMemberAddChange())), "7", "member_ids"),
            (group(.groupMemberAdd(GroupMemberAddChange(memberIDs: []))), "7", "current_member_ids"),
            (
                group(.groupMemberAdd(GroupMemberAddChange(memberIDs: [], currentMemberIDs: []))), "7",
                "current_admin_ids"
            ),
            (
                group(
                    .groupMemberAdd(GroupMemberAddChange(memberIDs: [], currentMemberIDs: [], currentAdminIDs: []))
                ), "7", "conversation_key_version"
            ),
            (settings(.messageDurationChange(MessageDurationChange())), "7", "ttl_msec"),
        ] as [(MessageEventDetail, WireString, String)]
    )
    func missing(_ detail: MessageEventDetail, _ version: WireString, _ field: String) {
        #expect(throws: PayloadError.missing(field)) { try text(event(detail), version: version) }
    }

    @Test(
        "a comma is refused in every string",
        arguments: [
            (
                .messageCreateEvent(MessageCreateEvent(contents: [], conversationKeyVersion: "1,0")), "7",
                "conversation_key_version"
            ),
            (
                .conversationKeyChangeEvent(ConversationKeyChangeEvent(conversationKeyVersion: ",")), "7",
                "conversation_key_version"
            ),
            (
                .messageDeleteEvent(MessageDeleteEvent(sequenceIDs: ["1", "2,3"], deleteMessageAction: .deleteForAll)),
                "7", "sequence_ids"
            ),
            (
                .markConversationReadEvent(MarkConversationReadEvent(seenUntilSequenceID: "9,1")), "7",
                "seen_until_sequence_id"
            ),
            (
                .markConversationUnreadEvent(MarkConversationUnreadEvent(seenUntilSequenceID: "9,1")), "7",
                "seen_until_sequence_id"
            ),
            (group(.groupCreate(GroupCreate(memberIDs: [], title: "a,b", conversationKeyVersion: "1"))), "7", "title"),
            (
                group(.groupCreate(GroupCreate(memberIDs: [], avatarURL: "a,b", conversationKeyVersion: "1"))), "7",
                "avatar_url"
            ),
            (
                group(.groupTitleChange(GroupTitleChange(customTitle: ",\u{301}", conversationKeyVersion: "1"))), "7",
                "custom_title"
            ),
            (
                group(.groupAvatarChange(GroupAvatarUrlChange(customAvatarURL: ",", conversationKeyVersion: "1"))),
                "7", "custom_avatar_url"
            ),
            (group(.groupAdminAdd(GroupAdminAddChange(adminIDs: ["1,2"]))), "7", "admin_ids"),
            (group(.groupJoinReject(GroupJoinReject(rejectedUserIDs: ["1", ","]))), "7", "rejected_user_ids"),
            (group(.groupInviteEnable(GroupInviteEnable(inviteURL: "u,"))), "7", "invite_url"),
            (group(.groupInviteDisable(GroupInviteDisable(disabledByMemberID: ","))), "7", "disabled_by_member_id"),
            (group(.groupJoinRequest(GroupJoinRequest(requestingUserID: ","))), "7", "requesting_user_id"),
            (
                settings(.muteConversation(MuteConversation(mutedConversationIDs: ["1:2", "1,2"]))), "7",
                "muted_conversation_ids"
            ),
            (
                settings(.unmuteConversation(UnmuteConversation(unmutedConversationIDs: [","]))), "7",
                "unmuted_conversation_ids"
            ),
        ] as [(MessageEventDetail, WireString, String)]
    )
    func commas(_ detail: MessageEventDetail, _ version: WireString, _ field: String) {
        #expect(throws: PayloadError.comma(field)) { try text(event(detail), version: version) }
    }

    @Test func `a comma in a list that a version does not sign does not matter`() throws {
        let keys = [ConversationParticipantKey(userID: "1,1", encryptedConversationKey: ",", publicKeyVersion: ",")]
        let change = ConversationKeyChangeEvent(conversationKeyVersion: "1", conversationParticipantKeys: keys)
        let keyChange = event(.conversationKeyChangeEvent(change))
        #expect(try text(keyChange) == "ConversationKeyChangeEvent,m-1,1111,1111:2222,1,")
        #expect(throws: PayloadError.comma("user_id")) { try text(keyChange, version: "5") }
        var addition = fullAddition
        addition.currentPendingMemberIDs = ["8,9"]
        #expect(throws: Never.self) { try text(event(group(.groupMemberAdd(addition)))) }
        #expect(throws: PayloadError.comma("current_pending_member_ids")) {
            try text(event(group(.groupMemberAdd(addition))), version: "3")
        }
    }

    @Test func `the text keeps every byte of a string`() throws {
        let title = GroupTitleChange(customTitle: "e\u{301}\0\u{202e}\n", conversationKeyVersion: "1")
        let payload = try SignedPayload(of: event(group(.groupTitleChange(title))))
        #expect(
            payload.bytes == Array("GroupChangeEvent.GroupTitleChange,m-1,1111,1111:2222,1,e\u{301}\0\u{202e}\n".utf8)
        )
    }
}
