import Foundation
import Testing
import XChatEvents

@Suite("Events")
struct MessageEventTests {
    @Test func `an event is built, signed, written and read`() throws {
        let builder = EventBuilder(messageID: "m-1", senderID: "2222", conversationID: .oneToOne("2222", "1111"))
        let create = MessageCreateEvent(contents: [1, 2, 3], conversationKeyVersion: "1001", shouldNotify: true)
        let unsigned = try builder.event(.messageCreateEvent(create))
        #expect(unsigned.event.messageEventSignature == nil)
        #expect(
            String(decoding: unsigned.payload.bytes, as: UTF8.self) == "MessageCreateEvent,m-1,2222,1111:2222,1001,AQID"
        )
        let event = unsigned.signed([0xff, 0xff, 0xff, 0xff], publicKeyVersion: "1,5")
        let expected = MessageEvent(
            messageID: "m-1",
            senderID: "2222",
            conversationID: "1111:2222",
            detail: .messageCreateEvent(create),
            messageEventSignature: MessageEventSignature(
                signature: "/////w",
                publicKeyVersion: "1,5",
                signatureVersion: "7"
            )
        )
        #expect(event == expected)
        #expect(try MessageEvent(base64: Base64.encode(event.encoded())) == event)
        #expect(try MessageEvent(base64: WireString(Base64.encode(event.encoded(), padding: false))) == event)
    }

    @Test func `the builder refuses what cannot be signed, by the field's name`() {
        let title = GroupTitleChange(customTitle: "a, b", conversationKeyVersion: "1")
        let detail = MessageEventDetail.groupChangeEvent(GroupChangeEvent(groupChange: .groupTitleChange(title)))
        let group = ConversationID(canonicalizing: "g1")
        #expect(throws: PayloadError.comma("custom_title")) {
            _ = try EventBuilder(senderID: "1", conversationID: group).event(detail)
        }
        #expect(throws: PayloadError.comma("sender_id")) {
            _ = try EventBuilder(senderID: "1,1", conversationID: group).event(detail)
        }
        #expect(throws: PayloadError.neverSigned) {
            _ = try EventBuilder(senderID: "1", conversationID: group).event(.messageTypingEvent(MessageTypingEvent()))
        }
    }

    @Test func `each event of a builder without an id has its own`() {
        let conversation = ConversationID.oneToOne("1", "2")
        let builders = [1, 2].map { _ in EventBuilder(senderID: "1", conversationID: conversation) }
        #expect(builders[0].messageID != builders[1].messageID)
    }

    @Test func `kinds have the labels of X's SDK`() {
        let labels: [(MessageEventDetail?, String)] = [
            (.messageCreateEvent(MessageCreateEvent(contents: [])), "Message"),
            (.messageCreateEvent(MessageCreateEvent()), "Unknown"),
            (.conversationKeyChangeEvent(ConversationKeyChangeEvent()), "KeyChange"),
            (.groupChangeEvent(GroupChangeEvent()), "GroupChange"),
            (.messageFailureEvent(MessageFailureEvent()), "Failure"),
            (.messageTypingEvent(MessageTypingEvent()), "Typing"),
            (.messageDeleteEvent(MessageDeleteEvent()), "MessageDeleted"),
            (.conversationDeleteEvent(ConversationDeleteEvent()), "ConversationDeleted"),
            (.conversationMetadataChangeEvent(ConversationMetadataChangeEvent()), "SettingsChange"),
            (.grokSearchResponseEvent(GrokSearchResponseEvent()), "Unknown"),
            (.markConversationReadEvent(MarkConversationReadEvent()), "ReadReceipt"),
            (.markConversationUnreadEvent(MarkConversationUnreadEvent()), "MarkedUnread"),
            (.memberAccountDeleteEvent(MemberAccountDeleteEvent()), "MemberDeleted"),
            (.unknown(UnknownField(id: 2, wireType: 2, bytes: [0])), "Unknown"), (nil, "Unknown"),
        ]
        for (detail, label) in labels { #expect(MessageEvent(detail: detail).kind.rawValue == label) }
        let signed = EventKind.allCases.filter(\.isSigned).map(\.rawValue).sorted()
        #expect(
            signed == [
                "ConversationDeleted", "GroupChange", "KeyChange", "MarkedUnread", "Message", "MessageDeleted",
                "ReadReceipt", "SettingsChange",
            ]
        )
    }

    @Test func `errors name the way through the structure and the byte`() throws {
        // Message event: detail 7, message create 1, contents 100 of a length that is not there.
        let bytes: [UInt8] = [12, 0, 7, 12, 0, 1, 11, 0, 100, 0, 0, 1, 0, 0, 0, 0]
        let error = #expect(throws: EventError.self) { try MessageEvent(decoding: bytes) }
        #expect(error?.path == "detail.messageCreateEvent.contents")
        #expect(error?.offset == 9)
        #expect(error?.code == .malformed)
        #expect(error?.description == "detail.messageCreateEvent.contents: the input ends inside a value at byte 9")
        // Key change 3: participant keys 2, the second one's user id 1 is no text.
        let keys: [UInt8] = [12, 0, 7, 12, 0, 3, 15, 0, 2, 12, 0, 0, 0, 2, 0, 11, 0, 1, 0, 0, 0, 1, 0xff, 0, 0, 0, 0]
        let text = #expect(throws: EventError.self) { try MessageEvent(decoding: keys) }
        #expect(text?.path == "detail.conversationKeyChangeEvent.conversation_participant_keys[1].user_id")
        #expect(text?.offset == 18)
        // An unknown field of the signature holds a list of structs; field 6 of the first is cut off.
        let unknown: [UInt8] = [12, 0, 9, 15, 0, 77, 12, 0, 0, 0, 1, 8, 0, 6, 0]
        let skipped = #expect(throws: EventError.self) { try MessageEvent(decoding: unknown) }
        #expect(skipped?.path == "message_event_signature.#77[0].#6")
        #expect(skipped?.offset == 14)
    }

    @Test func `lists that are too long in all are refused where the sum is passed`() throws {
        let ids = [UserID](repeating: "1", count: 10_000)
        let addition = GroupMemberAddChange(memberIDs: ids, currentMemberIDs: ids, currentAdminIDs: ids)
        let detail = MessageEventDetail.groupChangeEvent(GroupChangeEvent(groupChange: .groupMemberAdd(addition)))
        let event = MessageEvent(detail: detail).encoded()
        #expect(throws: Never.self) { try MessageEvent(decoding: event) }
        // Eight unknown lists before it: the third known list passes the sum.
        let list: [UInt8] = [2, 0, 0, 0x27, 0x10] + [UInt8](repeating: 0, count: 10_000)
        let unknown = (100..<108).flatMap { [15, 0, $0] as [UInt8] + list }
        let error = #expect(throws: EventError.self) { try MessageEvent(decoding: unknown + event) }
        #expect(error?.path == "detail.groupChangeEvent.group_change.group_member_add.current_admin_ids")
        #expect(error?.code == .tooLarge)
        #expect(throws: Never.self) { try MessageEvent(decoding: Array(unknown.dropFirst(10_008)) + event) }
    }

    @Test func `nesting is bounded below what is known too`() throws {
        /// `count` structs, one in the other, as unknown field 50 of a message create event.
        func nested(_ count: Int) -> [UInt8] {
            let open = [UInt8]((0..<count).map { _ in [12, 0, 50] as [UInt8] }.joined())
            return [12, 0, 7, 12, 0, 1] + open + [UInt8](repeating: 0, count: count + 3)
        }
        #expect(throws: Never.self) { try MessageEvent(decoding: nested(61)) }
        let error = #expect(throws: EventError.self) { try MessageEvent(decoding: nested(62)) }
        #expect(error?.code == .tooLarge)
        #expect(error?.offset == 6 + 62 * 3)
        #expect(error?.path.hasPrefix("detail.messageCreateEvent.#50.#50") == true)
    }

    @Test func `text of more than 16 MiB is not looked at`() {
        let limit = MessageEvent.maximumEncodedBytes
        #expect(limit == 16_777_216)
        let error = #expect(throws: EventError.self) {
            try MessageEvent(base64: String(repeating: "!", count: limit + 1))
        }
        #expect(error?.code == .tooLarge)
        let atLimit = #expect(throws: EventError.self) {
            try MessageEvent(base64: String(repeating: "!", count: limit))
        }
        #expect(atLimit?.code == .malformed)
        #expect(atLimit?.offset == 0)
    }

    @Test func `a ratchet tree that is broken spoils nothing but itself`() throws {
        // The member of a tree without its required fields; the shape is sound.
        let tree: [UInt8] = [12, 0, 3, 0, 0]
        let change = ConversationKeyChangeEvent(
            conversationKeyVersion: "1",
            ratchetTreeChange: Encoded(bytes: tree)
        )
        let event = MessageEvent(detail: .conversationKeyChangeEvent(change))
        let read = try MessageEvent(decoding: event.encoded())
        #expect(read == event)
        let error = #expect(throws: EventError.self) { try change.ratchetTreeChange?.decoded() }
        #expect(error?.path == "actionBy.userId")
        #expect(error?.reason == "a required field is absent")
    }

    @Test func `a sound ratchet tree is decoded when asked for`() throws {
        let tree = GroupOpData(
            groupID: "g1",
            actionBy: Member(userID: 7, keyVersion: 1),
            typeData: .genGroup(
                GenGroupOpData(
                    updateMap: [-1: [[2]: [3], [1, 9]: []], 5: [:]],
                    initialMembers: [Member(userID: 1, keyVersion: 2)]
                )
            ),
            memberKeyInfo: [7: MemberKeyInfo(identityPublicKey: [4])]
        )
        #expect(try Encoded(tree).decoded() == tree)
        #expect(try GroupOpData(decoding: tree.encoded()) == tree)
    }

    @Test func `an embedded event keeps its unknown fields`() throws {
        // Message id "m", and an unknown field.
        let embedded: [UInt8] = [11, 0, 2, 0, 0, 0, 1, 0x6d, 2, 0x70, 0, 1, 0]
        let preview = ReplyingToPreview(rawEventMessageCreate: Encoded(bytes: embedded), rawEventCkces: [])
        let contents = MessageContents(messageText: "hi", replyingToPreview: preview)
        let holder = MessageEntryHolder(contents: .message(contents))
        let read = try MessageEntryHolder(decoding: holder.encoded())
        guard case .message(let message) = read.contents, let raw = message.replyingToPreview?.rawEventMessageCreate
        else {
            Issue.record("not a message with a preview")
            return
        }
        #expect(raw.bytes == embedded)
        #expect(try raw.decoded().messageID == "m")
        #expect(read == holder)
    }

    @Test func `a map key that occurs twice is refused`() {
        // Contents 1, message 1, additional fields 10: the key "a" twice.
        let entry: [UInt8] = [0, 0, 0, 1, 0x61, 0, 0, 0, 0]
        let bytes: [UInt8] = [12, 0, 1, 12, 0, 1, 13, 0, 10, 11, 11, 0, 0, 0, 2] + entry + entry + [0, 0, 0]
        let error = #expect(throws: EventError.self) { try MessageEntryHolder(decoding: bytes) }
        #expect(error?.path == "contents.message.additional_fields[1]")
        #expect(error?.offset == 24)
        #expect(error?.reason == "the map key occurs twice")
    }

    @Test func `numbers that no name is known for are kept`() throws {
        let failure = MessageFailureEvent(failureType: FailureType(rawValue: 99), rateLimitTier: .premium)
        let event = MessageEvent(detail: .messageFailureEvent(failure))
        #expect(try MessageEvent(decoding: event.encoded()) == event)
        #expect(FailureType(rawValue: 99).name == nil)
        #expect(FailureType.nonLatestCkeyVersion.name == "NON_LATEST_CKEY_VERSION")
        #expect(FailureType.nonLatestCkeyVersion.rawValue == 6)
        #expect(GroupOpType.edit.name == "Edit")
    }
}
