import Testing
import ThriftBinary

@testable import XChatEvents

@Suite struct SignatureCoverageTests {
    static func event(_ detail: MessageEventDetail, version: String) -> MessageEvent {
        MessageEvent(
            sequenceID: "9",
            messageID: "m-1",
            senderID: "1111",
            conversationID: "g9",
            createdAtMsec: "17",
            detail: detail,
            messageEventSignature: MessageEventSignature(signatureVersion: WireString(version)),
            isTrusted: true
        )
    }

    struct Change: Sendable, CustomTestStringConvertible {
        let path: String
        let detail: MessageEventDetail
        let changed: MessageEventDetail
        var testDescription: String { path }
    }

    private static func change<Value>(
        _ prefix: String,
        _ value: Value,
        _ wrap: (Value) -> MessageEventDetail,
        _ changes: [(String, (inout Value) -> Void)]
    ) -> [Change] {
        changes.map { name, apply in
            var changed = value
            apply(&changed)
            return Change(path: "detail.\(prefix).\(name)", detail: wrap(value), changed: wrap(changed))
        }
    }

    private static func group(_ change: GroupChange) -> MessageEventDetail {
        .groupChangeEvent(GroupChangeEvent(groupChange: change, forKeyRotation: false))
    }

    private static func setting(_ change: ConversationMetadataChange) -> MessageEventDetail {
        .conversationMetadataChangeEvent(ConversationMetadataChangeEvent(conversationMetadataChange: change))
    }

    static let changes: [Change] = {
        var all = change(
            "messageCreateEvent",
            MessageCreateEvent(contents: [1], conversationKeyVersion: "1", shouldNotify: true, ttlMsec: 1),
            MessageEventDetail.messageCreateEvent,
            [
                ("contents", { $0.contents = [2] }), ("conversation_key_version", { $0.conversationKeyVersion = "2" }),
                ("should_notify", { $0.shouldNotify = false }), ("ttl_msec", { $0.ttlMsec = 2 }),
            ]
        )
        let participant = ConversationParticipantKey(userID: "1", encryptedConversationKey: "k", publicKeyVersion: "1")
        all += change(
            "conversationKeyChangeEvent",
            ConversationKeyChangeEvent(
                conversationKeyVersion: "1",
                conversationParticipantKeys: [participant],
                forKeyRotation: false
            ),
            MessageEventDetail.conversationKeyChangeEvent,
            [
                ("conversation_key_version", { $0.conversationKeyVersion = "2" }),
                ("conversation_participant_keys", { $0.conversationParticipantKeys?[0].userID = "2" }),
                ("for_key_rotation", { $0.forKeyRotation = true }),
            ]
        )
        all += change(
            "messageDeleteEvent",
            MessageDeleteEvent(sequenceIDs: ["1"], deleteMessageAction: .deleteForAll),
            MessageEventDetail.messageDeleteEvent,
            [
                ("sequence_ids", { $0.sequenceIDs = ["2"] }),
                ("delete_message_action", { $0.deleteMessageAction = .deleteForSelf }),
            ]
        )
        all += change(
            "conversationDeleteEvent",
            ConversationDeleteEvent(
                conversationID: "g9",
                clearConversationOptions: ClearConversationOptions(clearAllMessages: true, sortOrderMsec: 1)
            ),
            MessageEventDetail.conversationDeleteEvent,
            [
                ("conversation_id", { $0.conversationID = "g8" }),
                (
                    "clear_conversation_options.clear_all_messages",
                    { $0.clearConversationOptions?.clearAllMessages = false }
                ),
                ("clear_conversation_options.sort_order_msec", { $0.clearConversationOptions?.sortOrderMsec = 2 }),
            ]
        )
        all += change(
            "markConversationReadEvent",
            MarkConversationReadEvent(seenUntilSequenceID: "1", seenAtMillis: 1),
            MessageEventDetail.markConversationReadEvent,
            [
                ("seen_until_sequence_id", { $0.seenUntilSequenceID = "2" }),
                ("seen_at_millis", { $0.seenAtMillis = 2 }),
            ]
        )
        all += change(
            "markConversationUnreadEvent",
            MarkConversationUnreadEvent(seenUntilSequenceID: "1"),
            MessageEventDetail.markConversationUnreadEvent,
            [("seen_until_sequence_id", { $0.seenUntilSequenceID = "2" })]
        )
        return all + groupChanges + settingChanges
    }()

    private static let groupChanges: [Change] = {
        var all = change(
            "groupChangeEvent.group_change.group_create",
            GroupCreate(
                memberIDs: ["1"],
                adminIDs: ["1"],
                title: "T",
                avatarURL: "a",
                conversationKeyVersion: "1",
                isLegacyGroupUpgrade: false,
                ttlMsec: 1
            ),
            { group(.groupCreate($0)) },
            [
                ("member_ids", { $0.memberIDs = ["2"] }), ("admin_ids", { $0.adminIDs = ["2"] }),
                ("title", { $0.title = "U" }), ("avatar_url", { $0.avatarURL = "b" }),
                ("conversation_key_version", { $0.conversationKeyVersion = "2" }),
                ("is_legacy_group_upgrade", { $0.isLegacyGroupUpgrade = true }), ("ttl_msec", { $0.ttlMsec = 2 }),
            ]
        )
        all += change(
            "groupChangeEvent.group_change.group_member_add",
            GroupMemberAddChange(
                memberIDs: ["3"],
                currentMemberIDs: ["1"],
                currentAdminIDs: ["1"],
                currentTitle: "T",
                currentAvatarURL: "a",
                conversationKeyVersion: "1",
                currentTTLMsec: 1,
                currentPendingMemberIDs: ["8"],
                screenCaptureBlockingEnabled: false,
                groupInviteEnable: GroupInviteEnable(expiresAtMsec: 1, inviteURL: "u", affiliateID: "x"),
                adminSettings: GroupAdminSettings(addMember: true)
            ),
            { group(.groupMemberAdd($0)) },
            [
                ("member_ids", { $0.memberIDs = ["4"] }), ("current_member_ids", { $0.currentMemberIDs = ["2"] }),
                ("current_admin_ids", { $0.currentAdminIDs = ["2"] }), ("current_title", { $0.currentTitle = "U" }),
                ("current_avatar_url", { $0.currentAvatarURL = "b" }),
                ("conversation_key_version", { $0.conversationKeyVersion = "2" }),
                ("current_ttl_msec", { $0.currentTTLMsec = 2 }),
                ("current_pending_member_ids", { $0.currentPendingMemberIDs = ["9"] }),
                ("screen_capture_blocking_enabled", { $0.screenCaptureBlockingEnabled = true }),
                ("group_invite_enable.expires_at_msec", { $0.groupInviteEnable?.expiresAtMsec = 2 }),
                ("group_invite_enable.invite_url", { $0.groupInviteEnable?.inviteURL = "v" }),
                ("group_invite_enable.affiliate_id", { $0.groupInviteEnable?.affiliateID = "y" }),
                ("admin_settings.add_member", { $0.adminSettings?.addMember = false }),
            ]
        )
        all += change(
            "groupChangeEvent.group_change.group_title_change",
            GroupTitleChange(customTitle: "T", conversationKeyVersion: "1"),
            { group(.groupTitleChange($0)) },
            [
                ("custom_title", { $0.customTitle = "U" }),
                ("conversation_key_version", { $0.conversationKeyVersion = "2" }),
            ]
        )
        all += change(
            "groupChangeEvent.group_change.group_avatar_change",
            GroupAvatarUrlChange(customAvatarURL: "T", conversationKeyVersion: "1"),
            { group(.groupAvatarChange($0)) },
            [
                ("custom_avatar_url", { $0.customAvatarURL = "U" }),
                ("conversation_key_version", { $0.conversationKeyVersion = "2" }),
            ]
        )
        all += change(
            "groupChangeEvent.group_change.group_invite_enable",
            GroupInviteEnable(expiresAtMsec: 1, inviteURL: "u", affiliateID: "x"),
            { group(.groupInviteEnable($0)) },
            [
                ("expires_at_msec", { $0.expiresAtMsec = 2 }), ("invite_url", { $0.inviteURL = "v" }),
                ("affiliate_id", { $0.affiliateID = "y" }),
            ]
        )
        for (name, wrap) in [
            ("group_admin_add.admin_ids", { .groupAdminAdd(GroupAdminAddChange(adminIDs: [$0])) }),
            ("group_admin_remove.admin_ids", { .groupAdminRemove(GroupAdminRemoveChange(adminIDs: [$0])) }),
            ("group_member_remove.member_ids", { .groupMemberRemove(GroupMemberRemoveChange(memberIDs: [$0])) }),
            ("group_join_reject.rejected_user_ids", { .groupJoinReject(GroupJoinReject(rejectedUserIDs: [$0])) }),
            ("group_join_request.requesting_user_id", { .groupJoinRequest(GroupJoinRequest(requestingUserID: $0)) }),
            (
                "group_invite_disable.disabled_by_member_id",
                { .groupInviteDisable(GroupInviteDisable(disabledByMemberID: $0)) }
            ),
        ] as [(String, (UserID) -> GroupChange)] {
            all.append(
                Change(
                    path: "detail.groupChangeEvent.group_change.\(name)",
                    detail: group(wrap("3")),
                    changed: group(wrap("4"))
                )
            )
        }
        return all
    }()

    private static let settingChanges: [Change] = [
        ("message_duration_change.ttl_msec", { .messageDurationChange(MessageDurationChange(ttlMsec: $0.i64)) }),
        (
            "message_duration_remove.current_ttl_msec",
            { .messageDurationRemove(MessageDurationRemove(currentTTLMsec: $0.i64)) }
        ),
        (
            "mute_conversation.muted_conversation_ids",
            { .muteConversation(MuteConversation(mutedConversationIDs: [$0])) }
        ),
        (
            "unmute_conversation.unmuted_conversation_ids",
            { .unmuteConversation(UnmuteConversation(unmutedConversationIDs: [$0])) }
        ),
    ].map { (name: String, wrap: (WireString) -> ConversationMetadataChange) in
        Change(
            path: "detail.conversationMetadataChangeEvent.conversation_metadata_change.\(name)",
            detail: setting(wrap("3")),
            changed: setting(wrap("4"))
        )
    }

    @Test("a field is listed as covered exactly when changing it changes the signed text", arguments: changes)
    func field(_ change: Change) throws {
        for version in ["2", "3", "4", "5", "6", "7"] {
            let event = Self.event(change.detail, version: version)
            let number = try SignatureVersion(WireString(version))
            let before = try SignedPayload(of: event, version: number)
            let after = try SignedPayload(of: Self.event(change.changed, version: version), version: number)
            let coverage = try #require(event.signatureCoverage)
            #expect(coverage.covered.contains(change.path) == (before != after), "version \(version)")
            #expect(coverage.uncovered.contains(change.path) == (before == after), "version \(version)")
        }
    }

    @Test func `what the schema does not know is not covered, wherever it is`() throws {
        // Field 99, a bool, before the end of a struct.
        func marked(_ bytes: [UInt8]) -> [UInt8] { bytes.dropLast() + [0x02, 0, 99, 1, 0] }
        func encoding(_ value: some WireStruct) -> [UInt8] {
            var writer = ThriftWriter()
            value.write(to: &writer)
            return writer.bytes
        }
        let keys = [ConversationParticipantKey(userID: "1"), ConversationParticipantKey(userID: "2")]
        let change = ConversationKeyChangeEvent(conversationKeyVersion: "1", conversationParticipantKeys: keys)
        let known = Self.event(.conversationKeyChangeEvent(change), version: "5")
        var bytes = known.encoded()
        for value in [encoding(change)] + keys.map(encoding) {
            let place = try #require(bytes.firstRange(of: value))
            bytes.replaceSubrange(place, with: marked(value))
        }
        let received = try MessageEvent(decoding: marked(bytes))
        let structure = try StructureNode(describing: marked(bytes), as: MessageEvent.self)
        let coverage = try #require(received.signatureCoverage(in: structure))
        let detail = "detail.conversationKeyChangeEvent"
        #expect(coverage.covered == known.signatureCoverage?.covered)
        #expect(coverage.covered.contains("\(detail).conversation_participant_keys"))
        let unknown = Set(coverage.uncovered).subtracting(try #require(known.signatureCoverage).uncovered)
        #expect(unknown == ["#99", "\(detail).#99", "\(detail).conversation_participant_keys[].#99"])
    }

    @Test func `the envelope's signed fields are the ids, and a group's creation leaves out its conversation`() throws {
        let deletion = MessageDeleteEvent(sequenceIDs: ["1"], deleteMessageAction: .deleteForAll)
        let ordinary = try #require(Self.event(.messageDeleteEvent(deletion), version: "7").signatureCoverage)
        #expect(ordinary.covered.prefix(3) == ["message_id", "sender_id", "conversation_id"])
        #expect(
            ordinary.uncovered == [
                "sequence_id", "created_at_msec", "message_event_signature.signature_version", "is_trusted",
            ]
        )
        let create = GroupCreate(memberIDs: ["1"], conversationKeyVersion: "1")
        let creation = try #require(Self.event(Self.group(.groupCreate(create)), version: "7").signatureCoverage)
        #expect(creation.uncovered.contains("conversation_id"))
        let typing = Self.event(.messageTypingEvent(MessageTypingEvent()), version: "7")
        #expect(typing.signatureCoverage == nil)
    }

    @Test func `of an event that is too large to be taken apart, no part passes for covered or for absent`() throws {
        let bools = (0..<50_000).flatMap { id -> [UInt8] in [2, UInt8(id >> 8), UInt8(id & 0xff), 1] } + [0]
        let unknown = { Self.group(.unknown(UnknownField(id: 99, wireType: 12, bytes: $0))) }
        #expect(Self.event(unknown(bools), version: "7").signatureCoverage != nil)
        let twice = [12, 0, 1] + bools + [12, 0, 2] + bools + [0]
        let event = Self.event(unknown(twice), version: "7")
        #expect(try MessageEvent(decoding: event.encoded()) == event)
        #expect(event.signatureCoverage == nil)
    }
}
