import Testing
import XChatEvents

@Suite("Limits of what an event holds")
struct LimitTests {
    private static let longest = WireString(String(repeating: "9", count: 19))
    private static let tooLong = WireString(String(repeating: "9", count: 20))
    private static let badNumbers: [WireString] = [
        "", tooLong, "x", "-1", "+1", "1 ", " 1", "1\n", "\u{661}", "1\u{301}", "\u{ff11}", "1,2", "null",
    ]

    private static func event(_ detail: MessageEventDetail?) -> MessageEvent {
        MessageEvent(
            sequenceID: "5",
            messageID: "m-1",
            senderID: "1",
            conversationID: "g9",
            detail: detail,
            messageEventSignature: MessageEventSignature(publicKeyVersion: "1")
        )
    }

    private static func group(_ change: GroupChange) -> MessageEvent {
        event(.groupChangeEvent(GroupChangeEvent(groupChange: change)))
    }

    private static func participants(_ keys: ConversationParticipantKey...) -> MessageEvent {
        event(.conversationKeyChangeEvent(ConversationKeyChangeEvent(conversationParticipantKeys: keys)))
    }

    /// Events that hold one value, each in a field that must be a number of 1 to 19 digits, with the name of that
    /// field.
    private static let numbers: [(String, @Sendable (WireString) -> MessageEvent)] = [
        ("sequence_id", { changed { $0.sequenceID = .init($1) }($0) }),
        ("sender_id", { changed { $0.senderID = .init($1) }($0) }),
        ("previous_sequence_id", { changed { $0.previousSequenceID = .init($1) }($0) }),
        (
            "message_event_signature.public_key_version",
            { changed { $0.messageEventSignature?.publicKeyVersion = .init($1) }($0) }
        ),
        (
            "conversation_key_version",
            { event(.messageCreateEvent(MessageCreateEvent(contents: [1], conversationKeyVersion: .init($0)))) }
        ),
        ("conversation_key_version", { event(.conversationKeyChangeEvent(.init(conversationKeyVersion: .init($0)))) }),
        ("conversation_participant_keys[1].user_id", { participants(.init(), .init(userID: .init($0))) }),
        ("conversation_participant_keys[0].public_key_version", { participants(.init(publicKeyVersion: .init($0))) }),
        ("sequence_ids[1]", { event(.messageDeleteEvent(MessageDeleteEvent(sequenceIDs: ["7", .init($0)]))) }),
        ("seen_until_sequence_id", { event(.markConversationReadEvent(.init(seenUntilSequenceID: .init($0)))) }),
        ("seen_until_sequence_id", { event(.markConversationUnreadEvent(.init(seenUntilSequenceID: .init($0)))) }),
        ("conversation_key_version", { group(.groupCreate(GroupCreate(conversationKeyVersion: .init($0)))) }),
        ("conversation_key_version", { group(.groupMemberAdd(.init(conversationKeyVersion: .init($0)))) }),
        ("conversation_key_version", { group(.groupTitleChange(GroupTitleChange(conversationKeyVersion: .init($0)))) }),
        ("conversation_key_version", { group(.groupAvatarChange(.init(conversationKeyVersion: .init($0)))) }),
        ("requesting_user_id", { group(.groupJoinRequest(GroupJoinRequest(requestingUserID: .init($0)))) }),
        ("disabled_by_member_id", { group(.groupInviteDisable(GroupInviteDisable(disabledByMemberID: .init($0)))) }),
    ]

    private static func changed(
        _ change: @escaping (inout MessageEvent, WireString) -> Void
    ) -> (WireString) -> MessageEvent {
        { value in
            var event = event(nil)
            change(&event, value)
            return event
        }
    }

    /// Events that hold one list of people, with the name of that field.
    private static let lists: [(String, @Sendable ([UserID]) -> MessageEvent)] = [
        ("member_ids", { group(.groupCreate(GroupCreate(memberIDs: $0))) }),
        ("admin_ids", { group(.groupCreate(GroupCreate(adminIDs: $0))) }),
        ("member_ids", { group(.groupMemberAdd(GroupMemberAddChange(memberIDs: $0))) }),
        ("current_member_ids", { group(.groupMemberAdd(GroupMemberAddChange(currentMemberIDs: $0))) }),
        ("current_admin_ids", { group(.groupMemberAdd(GroupMemberAddChange(currentAdminIDs: $0))) }),
        ("current_pending_member_ids", { group(.groupMemberAdd(.init(currentPendingMemberIDs: $0))) }),
        ("admin_ids", { group(.groupAdminAdd(GroupAdminAddChange(adminIDs: $0))) }),
        ("admin_ids", { group(.groupAdminRemove(GroupAdminRemoveChange(adminIDs: $0))) }),
        ("member_ids", { group(.groupMemberRemove(GroupMemberRemoveChange(memberIDs: $0))) }),
        ("rejected_user_ids", { group(.groupJoinReject(GroupJoinReject(rejectedUserIDs: $0))) }),
    ]

    /// Events that hold one conversation id, with the name of that field.
    private static let conversations: [(String, @Sendable (WireString) -> MessageEvent)] = [
        ("conversation_id", { changed { $0.conversationID = $1 }($0) }),
        (
            "conversationDeleteEvent.conversation_id",
            { event(.conversationDeleteEvent(ConversationDeleteEvent(conversationID: $0))) }
        ),
        ("muted_conversation_ids[0]", { settings(.muteConversation(.init(mutedConversationIDs: [$0]))) }),
        ("unmuted_conversation_ids[0]", { settings(.unmuteConversation(.init(unmutedConversationIDs: [$0]))) }),
    ]

    private static func settings(_ change: ConversationMetadataChange) -> MessageEvent {
        event(.conversationMetadataChangeEvent(.init(conversationMetadataChange: change)))
    }

    @Test func `absent fields break no limit`() {
        #expect(MessageEvent().limitViolation == nil)
        #expect(Self.event(nil).limitViolation == nil)
        #expect(Self.event(.conversationKeyChangeEvent(ConversationKeyChangeEvent())).limitViolation == nil)
        #expect(Self.group(.groupMemberAdd(GroupMemberAddChange())).limitViolation == nil)
    }

    @Test func `ids and versions are 1 to 19 ASCII digits`() {
        for (field, event) in Self.numbers {
            for value in ["0", "007", "1", Self.longest] { #expect(event(value).limitViolation == nil, "\(field)") }
            for value in Self.badNumbers {
                let reason = "\(field) \(printable(value, quotedBy: "\"")) is not 1 to 19 ASCII digits"
                #expect(event(value).limitViolation == reason)
            }
        }
    }

    @Test func `lists of people hold at most 10,000 ids of 1 to 19 ASCII digits`() {
        let full = (0..<10_000).map { UserID("\($0)") }
        for (field, event) in Self.lists {
            #expect(event([]).limitViolation == nil)
            #expect(event(full).limitViolation == nil)
            #expect(event(full + ["1"]).limitViolation == "\(field) has 10001 entries, and the limit is 10000")
            for value in Self.badNumbers {
                let reason = "\(field)[2] \(printable(value, quotedBy: "\"")) is not 1 to 19 ASCII digits"
                #expect(event(["1", "2", UserID(value)]).limitViolation == reason)
            }
        }
    }

    @Test func `a key change has at most 10,000 participants`() {
        func change(_ count: Int) -> MessageEvent {
            let keys = (0..<count).map { ConversationParticipantKey(userID: UserID("\($0)")) }
            return Self.event(.conversationKeyChangeEvent(.init(conversationParticipantKeys: keys)))
        }
        #expect(change(10_000).limitViolation == nil)
        let reason = "conversation_participant_keys has 10001 entries, and the limit is 10000"
        #expect(change(10_001).limitViolation == reason)
    }

    @Test func `a conversation id is a user id, a pair of them, or a group id`() {
        let (nines, tooMany) = (Self.longest, Self.tooLong)
        for (field, event) in Self.conversations {
            for value in ["1", "g1", "1:2", "2-1", nines, WireString("g\(nines)"), WireString("\(nines):\(nines)")] {
                #expect(event(value).limitViolation == nil)
            }
            for value in [
                "", "g", ":", "1:", ":1", "1:2:3", "1/2", "x", "gg1", "g-1", "G1", "1:\u{662}", "1:g2", "1\u{301}",
                tooMany, WireString("g\(tooMany)"), WireString("\(tooMany):1"), WireString("1-\(tooMany)"),
            ] {
                #expect(!value.isConversationID)
                let start = "\(field) \(printable(value, quotedBy: "\"")) is not "
                #expect(event(value).limitViolation?.hasPrefix(start) == true)
            }
        }
    }

    @Test func `a message id is 1 to 64 printable ASCII characters without a comma`() {
        let full = String(repeating: "m", count: 64)
        for value in ["a", "~ \"", WireString(full), MessageID.random().text] {
            #expect(Self.changed { $0.messageID = .init($1) }(value).limitViolation == nil)
        }
        for value in ["", ",", "a,b", "\n", "\u{7f}", "\0", "\u{e9}", "\u{202e}", WireString("\(full)m")] {
            let rule = "1 to 64 printable ASCII characters without a comma"
            let reason = "message_id \(printable(value, quotedBy: "\"")) is not \(rule)"
            #expect(Self.changed { $0.messageID = .init($1) }(value).limitViolation == reason)
        }
    }

    @Test func `a violation shows at most 48 bytes of the value, all of them printable`() {
        let huge = WireString("1\u{202e}\"\n\\" + String(repeating: "0", count: 1_000_000))
        let escaped = #"1\u{202E}\u{22}\u{A}\u{5C}"#
        let shown = escaped + String(repeating: "0", count: 48 - escaped.utf8.count)
        #expect(printable(huge) == "'1\\u{202E}\"\\u{A}\\u{5C}\(String(repeating: "0", count: 27))…'")
        let reason = "sender_id \"\(shown)…\" is not 1 to 19 ASCII digits"
        #expect(Self.changed { $0.senderID = .init($1) }(huge).limitViolation == reason)
    }

    @Test func `a group id has at most 19 digits`() {
        #expect(ConversationID(canonicalizing: WireString("g\(Self.longest)")).isGroup)
        #expect(!ConversationID(canonicalizing: WireString("g\(Self.tooLong)")).isGroup)
    }
}
