import Foundation
import Testing
import XChatEvents

@Suite("Bytes and texts that X's own engine takes")
struct KnownAnswerTests {
    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String(format: "%02x", $0) }.joined()
    }

    @Test func `a text message has X's plaintext`() throws {
        let hi = MessageEntryHolder(contents: .message(MessageContents(messageText: "hi")))
        #expect(hex(hi.encoded()) == "0c00010c00010b0001000000026869000000")
        #expect(try MessageEntryHolder(decoding: hi.encoded()) == hi)
        let empty = MessageEntryHolder(
            contents: .message(MessageContents(messageText: "", entities: [], attachments: []))
        )
        #expect(
            hex(empty.encoded()) == "0c00010c00010b0001000000000f00020c000000000f00030c00000000000000"
        )
        #expect(try MessageEntryHolder(decoding: empty.encoded()) == empty)
    }

    private func text(_ detail: MessageEventDetail, v version: WireString, in conversation: WireString) throws -> String
    {
        let event = MessageEvent(messageID: "m-1", senderID: "1111", conversationID: conversation, detail: detail)
        return String(decoding: try SignedPayload(of: event, version: SignatureVersion(version)).bytes, as: UTF8.self)
    }

    @Test func `deletions and marks have X's text`() throws {
        let deletion = MessageDeleteEvent(sequenceIDs: ["5", "6"], deleteMessageAction: .deleteForAll)
        #expect(
            try text(.messageDeleteEvent(deletion), v: "7", in: "1111:2222")
                == "MessageDeleteEvent,m-1,1111,1111:2222,2,5,6"
        )
        let mark = MarkConversationReadEvent(seenUntilSequenceID: "9", seenAtMillis: 17)
        #expect(
            try text(.markConversationReadEvent(mark), v: "7", in: "1111:2222")
                == "MarkConversationReadEvent,m-1,1111,1111:2222,9,17"
        )
    }

    @Test func `a key change has X's text once the key is added`() throws {
        let change = ConversationKeyChangeEvent(conversationKeyVersion: "1001")
        let builder = EventBuilder(messageID: "k-1", senderID: "1111", conversationID: .oneToOne("2222", "1111"))
        let payload = try builder.event(.conversationKeyChangeEvent(change)).payload
        let key = [UInt8](repeating: 0, count: 31) + [3]
        #expect(payload.endsWithConversationKey)
        #expect(
            String(decoding: payload.bytes, as: UTF8.self) + Base64.encode(key, padding: false)
                == "ConversationKeyChangeEvent,k-1,1111,1111:2222,1001,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAM"
        )
    }

    @Test(
        "a member addition has X's text in every version",
        arguments: [
            ("2", "3,1,2,1,T,null,null,1001"), ("3", "3,1,2,1,8,T,null,null,1001"), ("4", "3,1,2,1,8,T,null,null,1001"),
            ("5", "3,1,2,1,8,T,null,null,1001,false"), ("6", "3,1,2,1,8,T,null,null,1001,false"),
            ("7", "3,1,2,1,T,null,null,1001,false,u,null,null"),
        ] as [(WireString, String)]
    )
    func addition(_ version: WireString, _ components: String) throws {
        let addition = GroupMemberAddChange(
            memberIDs: ["3"],
            currentMemberIDs: ["1", "2"],
            currentAdminIDs: ["1"],
            currentTitle: "T",
            conversationKeyVersion: "1001",
            currentPendingMemberIDs: ["8"],
            screenCaptureBlockingEnabled: false,
            groupInviteEnable: GroupInviteEnable(inviteURL: "u")
        )
        let detail = MessageEventDetail.groupChangeEvent(GroupChangeEvent(groupChange: .groupMemberAdd(addition)))
        #expect(
            try text(detail, v: version, in: "g9") == "GroupChangeEvent.GroupMemberAddChange,m-1,1111,g9,\(components)"
        )
    }

    @Test(
        "a group creation has X's text in every version",
        arguments: [
            ("2", "1001,1,2"), ("3", "1001,1,2"), ("4", "1001,1,2,null,T,null"), ("5", "1001,1,2,null,T,null"),
            ("6", "1001,1,2,null,T,null"), ("7", "1001,1,2,null,T,null"),
        ] as [(WireString, String)]
    )
    func creation(_ version: WireString, _ components: String) throws {
        let create = GroupCreate(memberIDs: ["1", "2"], adminIDs: ["1"], title: "T", conversationKeyVersion: "1001")
        let detail = MessageEventDetail.groupChangeEvent(GroupChangeEvent(groupChange: .groupCreate(create)))
        #expect(try text(detail, v: version, in: "g9") == "GroupChangeEvent.GroupCreate,m-1,1111,\(components)")
    }

    @Test func `a title taken away has X's text`() throws {
        let title = GroupTitleChange(conversationKeyVersion: "1001")
        let detail = MessageEventDetail.groupChangeEvent(GroupChangeEvent(groupChange: .groupTitleChange(title)))
        #expect(try text(detail, v: "7", in: "g9") == "GroupChangeEvent.GroupTitleChange,m-1,1111,g9,1001,")
    }
}

/// Events that X's SDK made, kept in the folder next to the package by those who have them.
private let fixtures = Project.root.deletingLastPathComponent().appending(
    path: "shared/vectors/chat-xdk/sdk_vectors.json"
)

@Suite(
    "Events that X's SDK made",
    .enabled(if: FileManager.default.fileExists(atPath: fixtures.path), "X's fixtures are not next to this package")
)
struct FixtureTests {
    private func events() throws -> [String: String] {
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: fixtures)) as? [String: String]
        return (object ?? [:]).filter { $0.key.hasPrefix("event_") && $0.key.hasSuffix("_b64") }
    }

    @Test func `every event but the garbage is read and written back byte for byte`() throws {
        var read = 0
        for (name, text) in try events() {
            if name == "event_garbage_b64" {
                let error = #expect(throws: EventError.self) { try MessageEvent(base64: text) }
                #expect(error?.offset == 0)
                continue
            }
            let event = try MessageEvent(base64: text)
            #expect(Base64.encode(event.encoded()) == text)
            #expect(event.inconsistency == nil)
            read += 1
        }
        #expect(read == 5)
    }

    @Test func `they are what their names say`() throws {
        let kinds = try events().filter { $0.key != "event_garbage_b64" }.mapValues {
            try MessageEvent(base64: $0).kind
        }
        let expected: [String: EventKind] = [
            "event_failure_b64": .failure, "event_key_change_b64": .keyChange, "event_message_b64": .message,
            "event_reply_forged_b64": .message, "event_reply_valid_b64": .message,
        ]
        #expect(kinds == expected)
    }
}
