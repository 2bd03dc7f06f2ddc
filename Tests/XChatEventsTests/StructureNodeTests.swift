import Testing
import XChatEvents

@Suite("The structure of an event as it is shown")
struct StructureNodeTests {
    /// A node as one line a value.
    private func lines(_ node: StructureNode, indent: String = "") -> [String] {
        let id = node.fieldID.map { "\($0) " } ?? ""
        let mark = node.isOfWrongType ? " (wrong type)" : ""
        let head = "\(indent)\(id)\(node.name ?? "-"): \(node.typeName)\(mark)"
        return switch node.content {
        case .children(let nodes): [head] + nodes.flatMap { lines($0, indent: indent + "  ") }
        case .bool(let value): ["\(head) \(value)"]
        case .integer(let value): ["\(head) \(value)"]
        case .double(let value): ["\(head) \(value)"]
        case .enumeration(let number, let name): ["\(head) \(number) \(name ?? "-")"]
        case .text(let text): ["\(head) '\(text)'"]
        case .bytes(let bytes): ["\(head) \(bytes)"]
        }
    }

    @Test func `known fields have X's names and types, unknown ones their numbers`() throws {
        let keys = [ConversationParticipantKey(userID: "1")]
        let change = ConversationKeyChangeEvent(conversationKeyVersion: "9", conversationParticipantKeys: keys)
        let event = MessageEvent(
            senderID: "1",
            detail: .conversationKeyChangeEvent(change),
            relaySource: .messagePull,
            isTrusted: true
        )
        // Field 300, a set of one double; field 301, an unknown map.
        let unknown: [UInt8] = [14, 1, 44, 4, 0, 0, 0, 1, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]
        let map: [UInt8] = [13, 1, 45, 3, 11, 0, 0, 0, 1, 0xff, 0, 0, 0, 1, 0x41]
        let bytes = event.encoded().dropLast() + unknown + map + [0]
        #expect(
            lines(try StructureNode(describing: Array(bytes), as: MessageEvent.self)) == [
                "-: MessageEvent",
                "  3 sender_id: string '1'",
                "  7 detail: MessageEventDetail",
                "    3 conversationKeyChangeEvent: ConversationKeyChangeEvent",
                "      1 conversation_key_version: string '9'",
                "      2 conversation_participant_keys: list<ConversationParticipantKey>",
                "        -: ConversationParticipantKey",
                "          1 user_id: string '1'",
                "  8 relay_source: MessageEventRelaySource 1 MessagePull",
                "  11 is_trusted: bool true",
                "  300 -: set",
                "    -: double 1.5",
                "  301 -: map",
                "    -: entry",
                "      key: i8 -1",
                "      value: string [65]",
            ]
        )
    }

    @Test func `a field that a reader refuses is shown for what it is`() throws {
        // Sender id as i64, contents of a message create as invalid text, signature with bytes that are no text.
        let bytes: [UInt8] = [10, 0, 3, 0, 0, 0, 0, 0, 0, 0, 7, 12, 0, 9, 11, 0, 1, 0, 0, 0, 1, 0xff, 0, 0]
        #expect(throws: EventError.self) { try MessageEvent(decoding: bytes) }
        #expect(
            lines(try StructureNode(describing: bytes, as: MessageEvent.self)) == [
                "-: MessageEvent",
                "  3 sender_id: i64 (wrong type) 7",
                "  9 message_event_signature: MessageEventSignature",
                "    1 signature: string [255]",
            ]
        )
    }

    @Test func `maps of the schema have named keys and values`() throws {
        let contents = MessageContents(additionalFields: ["a": "b"])
        let bytes = MessageEntryHolder(contents: .message(contents)).encoded()
        #expect(
            lines(try StructureNode(describing: bytes, as: MessageEntryHolder.self)).suffix(4) == [
                "      10 additional_fields: map<string, string>",
                "        -: entry",
                "          key: string 'a'",
                "          value: string 'b'",
            ]
        )
    }

    @Test func `fields that no schema knows have the wire's types`() throws {
        let bytes: [UInt8] = [
            2, 2, 0, 1, 3, 2, 1, 1, 4, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 6, 2, 3, 0, 1, 8, 2, 4, 0, 0, 0, 1,
            10, 2, 5, 0, 0, 0, 0, 0, 0, 0, 1, 11, 2, 6, 0, 0, 0, 0, 12, 2, 7, 0, 13, 2, 8, 2, 2, 0, 0, 0, 0,
            14, 2, 9, 2, 0, 0, 0, 0, 15, 2, 10, 2, 0, 0, 0, 0, 16, 2, 11, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
            14, 15, 0,
        ]
        #expect(
            lines(try StructureNode(describing: bytes, as: MessageEvent.self)).dropFirst() == [
                "  512 -: bool true", "  513 -: i8 1", "  514 -: double 0.0", "  515 -: i16 1", "  516 -: i32 1",
                "  517 -: i64 1", "  518 -: string []", "  519 -: struct", "  520 -: map", "  521 -: set",
                "  522 -: list",
                "  523 -: uuid \(Array(0..<16))",
            ]
        )
    }

    @Test func `an event with more fields than can be listed is too large`() {
        let bools = (0..<50_001).flatMap { id -> [UInt8] in [2, UInt8(id >> 8), UInt8(id & 0xff), 1] } + [0]
        let error = #expect(throws: EventError.self) {
            try StructureNode(describing: [12, 1, 0] + bools + [12, 1, 1] + bools + [0], as: MessageEvent.self)
        }
        #expect(error?.code == .tooLarge)
        // Whether the count of fields or their memory is at its limit first depends on the size of a field in memory.
        #expect(error?.path.hasPrefix("#257.#-") == true)
    }

    @Test func `what is no Thrift is refused with its place`() {
        let error = #expect(throws: EventError.self) {
            try StructureNode(describing: [12, 0, 7, 11, 0, 1, 0, 0, 0, 9], as: MessageEvent.self)
        }
        #expect(error?.path == "#7.#1")
        #expect(error?.offset == 6)
    }
}
