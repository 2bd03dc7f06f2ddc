import TestSupport
import Testing
import XChat
import XChatEvents
import XChatText

@testable import XChatEngine

struct ResultJSONTests {
    private func event(_ event: Event) throws -> JSONObject {
        guard case .object(let line) = resultJSON(.success(event), index: 3), line["index"] == .number(3),
            case .object(let json) = line["event"]
        else { throw AccountError("not an object") }
        return json
    }

    private func names(_ names: [WireString]) -> JSONValue { .array(names.map { .string($0) }) }

    @Test func `every event says whether it is verified`() throws {
        let kinds: [MessageEventDetail?] = [
            .messageTypingEvent(MessageTypingEvent()),
            .memberAccountDeleteEvent(MemberAccountDeleteEvent(memberID: "2")),
            .messageFailureEvent(MessageFailureEvent()), .grokSearchResponseEvent(GrokSearchResponseEvent()), nil,
        ]
        for detail in kinds {
            let json = try event(Event(received: EventPrinterTests.received(detail), isVerified: false))
            #expect(json["verified"] == false)
        }
        #expect(try event(EventPrinterTests.event(EventPrinterTests.text("hi")))["verified"] == true)
        #expect(try event(EventPrinterTests.deletion(of: ["5"]))["verified"] == true)
    }

    @Test("a mark is a member that is true", arguments: Event.Mark.allCases)
    func mark(_ mark: Event.Mark) throws {
        let json = try event(EventPrinterTests.event(EventPrinterTests.text("hi"), marks: [mark]))
        for other in Event.Mark.allCases {
            #expect(json[WireString(other.rawValue)] == (other == mark ? true : nil))
        }
    }

    @Test func `edits, deletions and reactions say that their target is unproven`() throws {
        let contents: [MessageEntryContents] = [
            EventPrinterTests.edit(of: "5"), .reactionAdd(MessageReactionAdd()),
            .reactionRemove(MessageReactionRemove()),
        ]
        for contents in contents {
            #expect(try event(EventPrinterTests.event(contents))["target_unproven"] == true)
        }
        #expect(try event(EventPrinterTests.deletion(of: ["5"]))["target_unproven"] == true)
        #expect(try event(EventPrinterTests.event(EventPrinterTests.text("hi")))["target_unproven"] == nil)
    }

    @Test func `a refused event names what it claims`() {
        let error = XChatError(.wrongSignature, "no")
        let received = EventPrinterTests.received(nil)
        #expect(
            resultJSON(.failure(error), received: received, index: 0)
                == [
                    "index": 0,
                    "error": [
                        "code": "wrong_signature", "message": "no", "sequence_id": "5", "id": "m-5",
                        "sender_id": "1111",
                        "created_at_msec": 1_700_000_000_000,
                    ],
                ]
        )
        #expect(
            resultJSON(.failure(error), index: 0) == [
                "index": 0, "error": ["code": "wrong_signature", "message": "no"],
            ]
        )
    }

    // MARK: Unverified fields

    @Test func `an unsigned event has no verified field`() throws {
        let typing = Event(
            received: EventPrinterTests.received(.messageTypingEvent(MessageTypingEvent())),
            isVerified: false
        )
        #expect(
            try event(typing)["unverified_fields"]
                == names(["sequence_id", "id", "sender_id", "conversation_id", "created_at_msec"])
        )
        let left = Event(
            received: EventPrinterTests.received(.memberAccountDeleteEvent(MemberAccountDeleteEvent(memberID: "2"))),
            isVerified: false
        )
        #expect(
            try event(left)["unverified_fields"]
                == names(["sequence_id", "id", "sender_id", "conversation_id", "created_at_msec", "member_id"])
        )
    }

    @Test func `absent members are not listed`() throws {
        let hi = EventPrinterTests.event(EventPrinterTests.text("hi"))
        #expect(try event(hi)["unverified_fields"] == names(["sequence_id", "created_at_msec"]))
        let none = EventPrinterTests.event(EventPrinterTests.text("hi"), nil)
        #expect(try event(none)["unverified_fields"] == names(["created_at_msec"]))
    }

    /// Members of the JSON, and the field that each one shows.
    private static let fields: [WireString: String] = [
        "id": "message_id", "key_version": "conversation_key_version", "content": "contents",
        "participant_keys": "conversation_participant_keys", "message_ids": "sequence_ids",
        "delete_for_all": "delete_message_action", "seen_until_id": "seen_until_sequence_id",
        "seen_at_msec": "seen_at_millis", "new_title": "custom_title", "new_avatar_url": "custom_avatar_url",
        "disabled_by": "disabled_by_member_id", "apply_to_all": "apply_to_all_messages",
    ]
    private static let joins: [WireString: String] = [
        "user_id": "requesting_user_id", "user_ids": "rejected_user_ids",
    ]
    private static let computed: Set<WireString> = ["type", "verified", "change", "change_type", "setting", "kind"]

    private static let details: [MessageEventDetail] = {
        let groups: [GroupChange] = [
            .groupCreate(
                GroupCreate(
                    memberIDs: ["1"],
                    adminIDs: ["1"],
                    title: "t",
                    avatarURL: "u",
                    conversationKeyVersion: "1",
                    isLegacyGroupUpgrade: false,
                    ttlMsec: 1
                )
            ),
            .groupTitleChange(GroupTitleChange(customTitle: "t", conversationKeyVersion: "1")),
            .groupAvatarChange(GroupAvatarUrlChange(customAvatarURL: "u", conversationKeyVersion: "1")),
            .groupAdminAdd(GroupAdminAddChange(adminIDs: ["1"])),
            .groupAdminRemove(GroupAdminRemoveChange(adminIDs: ["1"])),
            .groupMemberAdd(
                GroupMemberAddChange(
                    memberIDs: ["1"],
                    currentMemberIDs: ["1"],
                    currentAdminIDs: ["1"],
                    currentTitle: "t"
                )
            ),
            .groupMemberRemove(GroupMemberRemoveChange(memberIDs: ["1"])),
            .groupInviteEnable(GroupInviteEnable(expiresAtMsec: 1, inviteURL: "u", affiliateID: "1")),
            .groupInviteDisable(GroupInviteDisable(disabledByMemberID: "1")),
            .groupJoinRequest(GroupJoinRequest(requestingUserID: "1")),
            .groupJoinReject(GroupJoinReject(rejectedUserIDs: ["1"])),
            .groupAdminSettingsChange(
                GroupAdminSettingsChange(
                    editGroupInfo: true,
                    editMessageTTL: true,
                    blockScreenCapture: true,
                    addMember: true,
                    sendMessage: true,
                    startCall: true
                )
            ),
        ]
        let settings: [ConversationMetadataChange] = [
            .messageDurationChange(MessageDurationChange(ttlMsec: 1, applyToAllMessages: true)),
            .messageDurationRemove(MessageDurationRemove(currentTTLMsec: 1)),
            .muteConversation(MuteConversation(mutedConversationIDs: ["1"])),
            .unmuteConversation(UnmuteConversation(unmutedConversationIDs: ["1"])),
            .enableScreenCaptureDetection(EnableScreenCaptureDetection(placeholder: "x")),
        ]
        let key = ConversationParticipantKey(userID: "1", encryptedConversationKey: "k", publicKeyVersion: "1")
        let others: [MessageEventDetail] = [
            .messageCreateEvent(
                MessageCreateEvent(contents: [1], conversationKeyVersion: "1", shouldNotify: true, ttlMsec: 1)
            ),
            .conversationKeyChangeEvent(
                ConversationKeyChangeEvent(conversationKeyVersion: "1", conversationParticipantKeys: [key])
            ),
            .messageDeleteEvent(MessageDeleteEvent(sequenceIDs: ["1"], deleteMessageAction: .deleteForAll)),
            .conversationDeleteEvent(
                ConversationDeleteEvent(
                    conversationID: "g9",
                    clearConversationOptions: ClearConversationOptions(clearAllMessages: true, sortOrderMsec: 1)
                )
            ),
            .markConversationReadEvent(MarkConversationReadEvent(seenUntilSequenceID: "1", seenAtMillis: 1)),
            .markConversationUnreadEvent(MarkConversationUnreadEvent(seenUntilSequenceID: "1")),
        ]
        let changes = groups.map { MessageEventDetail.groupChangeEvent(GroupChangeEvent(groupChange: $0)) }
        let settingChanges = settings.map { setting in
            MessageEventDetail.conversationMetadataChangeEvent(
                ConversationMetadataChangeEvent(conversationMetadataChange: setting)
            )
        }
        return others + changes + settingChanges
    }()

    @Test("the unverified fields are those that the signature does not cover", arguments: 2...8, details)
    func coverage(_ version: Int, _ detail: MessageEventDetail) throws {
        var received = EventPrinterTests.received(detail, in: "g9")
        received.messageEventSignature = MessageEventSignature(signatureVersion: WireString("\(version)"))
        let contents = MessageEntryHolder(contents: EventPrinterTests.text("hi"))
        let json = try event(Event(received: received, isVerified: true, contents: contents))
        guard case .array(let listed) = json["unverified_fields"] else { throw AccountError("no list") }
        let coverage = try #require(received.signatureCoverage)
        var members = json
        if case .object(let change) = json["change"] {
            for member in change.members { members[member.key] = member.value }
        }
        let marks = Set(Event.Mark.allCases.map { WireString($0.rawValue) })
        for name in members.members.map(\.key)
        where !Self.computed.contains(name) && !marks.contains(name) && name != "unverified_fields" {
            let field = Self.fields[name] ?? Self.joins[name] ?? name.string
            let isNamed = { (path: String) in path == field || path.hasSuffix(".\(field)") }
            // A setting's ttl and an event's own conversation are not those of another level.
            let (covered, uncovered) = (coverage.covered.filter(isNamed), coverage.uncovered.filter(isNamed))
            if listed.contains(.string(name)) {
                #expect(!uncovered.isEmpty && !covered.contains { !$0.contains(".") }, "\(name)")
            } else {
                #expect(!covered.isEmpty, "\(name)")
            }
        }
    }
}
