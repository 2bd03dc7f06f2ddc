import Testing
import XChat
import XChatEvents
import XChatText

@testable import XChatEngine

/// Events that X's SDK writes verify with this engine, and have the same values.
@Suite(.enabled(if: Peer.isWanted, Peer.absence))
struct ConformanceReceivingTests {
    private let cast: Cast
    /// The SDK's instance with Alice's keys.
    private static let alice = "alice"

    init() throws {
        cast = try Cast()
        let blob = try cast.exported(cast.alice)
        try cast.peer.perform("import_keys", of: Self.alice, ["keys": .bytes(blob), "version": .string("1")])
        let identity: [String: Argument] = ["user_id": .string("1111"), "signing_key_version": .string("1")]
        try cast.peer.perform("set_identity", of: Self.alice, identity)
        try cast.peer.perform("set_signing_keys", of: Self.alice, ["signing_keys": cast.signingKeys])
    }

    @Test func `messages with everything that X's SDK can put into them`() throws {
        var numbers = SplitMix64(seed: RandomTexts.namedSeed ?? 1)
        let names = ["url", "mention", "hashtag", "cashtag", "email", "address", "phone_number", "phoneNumber"]
        let texts = ["", "hi", "e\u{301},é", "👩‍👩‍👧‍👦", String(repeating: "x", count: 5000)]
        let cases = try (0..<300).map { index in
            var arguments: [String: Argument] = [:]
            var content: JSONObject = ["content_type": "Text"]
            var fragment: JSONObject = ["type": "Message", "verified": true, "sender_id": "1111"]
            func isDrawn() -> Bool { Bool.random(using: &numbers) }
            let text = texts.randomElement(using: &numbers) ?? ""
            arguments["text"] = .string(text)
            content["text"] = .string(text)
            if isDrawn() {
                let entities = names.shuffled(using: &numbers).prefix(3).enumerated()
                arguments["entities"] = .list(
                    entities.map { .list([.integer(Int64($0)), .integer(Int64($0) + 2), .string($1)]) }
                )
                content["entities"] = .array(
                    entities.map { index, name in
                        let kind = name == "phone_number" ? "phoneNumber" : name
                        return [
                            "start_index": .number(index), "end_index": .number(index + 2),
                            "content": .object([WireString(kind): [:]]),
                        ]
                    }
                )
            }
            if isDrawn(), let attachment = Self.attachments.randomElement(using: &numbers) {
                arguments["attachments"] = .list([attachment.argument])
                content["attachments"] = [attachment.json]
            }
            if isDrawn(), let quickReply = Self.quickReplies.randomElement(using: &numbers) {
                arguments["quick_reply"] = quickReply.argument
                content["quick_reply"] = quickReply.json
            }
            let notifies = isDrawn()
            arguments["should_notify"] = .bool(notifies)
            fragment["should_notify"] = .bool(notifies)
            if isDrawn() {
                let ttl = Int64.random(in: 0 ... .max, using: &numbers)
                arguments["ttl_msec"] = .integer(ttl)
                fragment["ttl_msec"] = .number(ttl)
            }
            fragment["content"] = .object(content)
            return try sealed("encrypt_message", arguments, fragment, "message \(index)")
        }
        try compare(cases, "messages of chatxdk")
    }

    @Test func `reactions, edits and replies`() throws {
        let original = try sealed("encrypt_message", ["text": .string("the original")], [:], "original")
        let target: [String: Argument] = ["target_event": .string(original.line)]
        let explicit: [String: Argument] = ["target_message_sequence_id": .string("5")]
        var cases: [ConformanceCase] = []
        for (method, type) in [("encrypt_add_reaction", "Reaction"), ("encrypt_remove_reaction", "ReactionRemoved")] {
            for (target, id) in [(target, "900"), (explicit, "5")] as [([String: Argument], String)] {
                let content: JSONValue = [
                    "content_type": .string(type), "emoji": "👍", "target_message_id": .string(id),
                ]
                var arguments = target
                arguments["emoji"] = .string("👍")
                cases.append(try sealed(method, arguments, ["verified": true, "content": content], method))
            }
        }
        let entities: Argument = .list([.list([.integer(0), .integer(3), .string("url")])])
        let editing: [([String: Argument], JSONValue)] = [
            (
                target.merging(["updated_text": .string("new")]) { $1 },
                ["content_type": "Edit", "target_message_id": "900", "new_text": "new"]
            ),
            (
                explicit.merging(["updated_text": .string("new"), "entities": entities]) { $1 },
                [
                    "content_type": "Edit", "target_message_id": "5", "new_text": "new",
                    "entities": [["start_index": 0, "end_index": 3, "content": ["url": [:]]]],
                ]
            ),
        ]
        for (arguments, content) in editing {
            cases.append(try sealed("encrypt_edit", arguments, ["verified": true, "content": content], "edit"))
        }
        let edit = try sealed("encrypt_edit", editing[0].0, [:], "edit")
        let change = try cast.event(cast.delivering(try ConversationKey.generate(), version: "900"))
        let replying: [([String: Argument], JSONValue, JSONValue?)] = [
            (
                ["reply_to_event": .string(original.line)],
                ["sender_id": "1111", "message_text": "the original", "replying_to_message_sequence_id": "900"], "Valid"
            ),
            (
                ["reply_to_event": .string(original.line), "reply_to_edit_event": .string(edit.line)],
                ["message_text": "new", "entities": nil], "Valid"
            ),
            (
                ["reply_to_event": .string(original.line), "reply_to_ckces": .list([.string(change.base64)])],
                ["message_text": "the original"], "Valid"
            ),
            (
                [
                    "reply_to_event": .string(original.line), "reply_to_text": .string("the"),
                    "reply_to_entities": .list([]),
                ],
                ["message_text": "the", "entities": []], "Valid"
            ),
            (
                ["reply_to_event": .string(original.line), "reply_to_text": .string("forged")],
                ["message_text": "forged"], "Invalid"
            ),
            (
                [
                    "reply_to_sequence_id": .string("5"), "reply_to_sender_id": .integer(2222),
                    "reply_to_text": .string("claimed"), "reply_to_entities": entities,
                    "reply_to_attachments": .list([Self.attachments[0].argument]),
                ],
                [
                    "sender_id": "2222", "message_text": "claimed", "replying_to_message_sequence_id": "5",
                    "attachments": [Self.attachments[0].json],
                ], nil
            ),
        ]
        for (index, (arguments, preview, validity)) in replying.enumerated() {
            var fragment: JSONObject = [
                "verified": true, "content": ["content_type": "Text", "text": "re", "replying_to_preview": preview],
            ]
            fragment["reply_preview_validation"] = validity
            let arguments = arguments.merging(["text": .string("re")]) { $1 }
            cases.append(try sealed("encrypt_reply", arguments, fragment, "reply \(index)"))
        }
        try compare(cases, "reactions, edits and replies of chatxdk")
    }

    @Test func `deletions, key changes and groups`() throws {
        var cases: [ConformanceCase] = []
        for (isForAll, ids) in [(true, ["5", "6"]), (false, ["7"])] {
            let action = try cast.peer.call(
                "prepare_message_delete",
                of: Self.alice,
                [
                    "conversation_id": .string("2222"), "sequence_ids": .list(ids.map { .string($0) }),
                    "delete_for_all": .bool(isForAll),
                ],
                returning: PreparedKeyChange.Action.self
            )
            let fragment: JSONValue = [
                "type": "MessageDeleted", "verified": true, "delete_for_all": .bool(isForAll),
                "message_ids": .init(ids.map { WireString($0) }),
            ]
            cases.append(try signed(action, in: Cast.pair, fragment))
        }
        let change = try cast.peer.call(
            "prepare_conversation_key_change",
            of: Self.alice,
            ["public_keys": publicKeys(["1111", "2222"])],
            returning: PreparedKeyChange.self
        )
        #expect(change.conversationID == Cast.pair.string)
        cases += try signed(change, in: Cast.pair, nil)

        for title in [nil, "T"] as [String?] {
            var arguments: [String: Argument] = [
                "public_keys": publicKeys(["1111", "2222", "3333"]), "conversation_id": .string(Cast.group.string),
            ]
            var creation = arguments
            creation["member_ids"] = .list(["1111", "2222", "3333"].map { .string($0) })
            creation["admin_ids"] = .list([.string("1111")])
            arguments["new_member_ids"] = .list([.string("3333")])
            arguments["current_member_ids"] = .list(["1111", "2222"].map { .string($0) })
            arguments["current_admin_ids"] = .list([.string("1111")])
            arguments["current_pending_member_ids"] = .list(title == nil ? [] : [.string("4444")])
            if let title {
                creation["title"] = .string(title)
                creation["avatar_url"] = .string("u")
                creation["ttl_msec"] = .integer(5)
                arguments["current_title"] = .string(title)
                arguments["current_avatar_url"] = .string("u")
                arguments["current_ttl_msec"] = .integer(5)
                arguments["current_screen_capture_blocking_enabled"] = .bool(false)
            }
            let created: JSONValue = [
                "change_type": "Created", "member_ids": ["1111", "2222", "3333"], "admin_ids": ["1111"],
                "title": .init(title.map { WireString($0) }),
            ]
            let added: JSONValue = [
                "change_type": "MembersAdded", "member_ids": ["3333"], "current_member_ids": ["1111", "2222"],
                "current_admin_ids": ["1111"],
            ]
            let calls = [
                ("prepare_group_create", creation, created), ("prepare_group_members_change", arguments, added),
            ]
            for (method, arguments, fragment) in calls {
                let change = try cast.peer.call(method, of: Self.alice, arguments, returning: PreparedKeyChange.self)
                cases += try signed(change, in: Cast.group, fragment)
            }
        }
        try compare(cases, "deletions, key changes and groups of chatxdk")
    }

    // MARK: Both engines

    private func compare(_ cases: [ConformanceCase], _ what: String) throws {
        var comparison = Comparison(cast)
        try comparison.compare(cases)
        comparison.conclude(what)
    }

    /// The event that a server makes from one of the SDK's messages.
    private func sealed(
        _ method: String,
        _ arguments: [String: Argument],
        _ fragment: JSONObject,
        _ name: String
    ) throws -> ConformanceCase {
        var arguments = arguments
        arguments["conversation_key"] = .bytes(cast.pairKey.bytes)
        arguments["conversation_key_version"] = .string(Cast.pairVersion.string)
        // The SDK signs the canonical form, whichever form of the id it is given.
        arguments["conversation_id"] = .string("2222-1111")
        let payload = try cast.peer.call(method, of: Self.alice, arguments, returning: SendPayload.self)
        var event = Cast.envelope()
        event.sequenceID = "900"
        event.messageID = MessageID(payload.messageID)
        event.detail = .messageCreateEvent(try MessageCreateEvent(decoding: Base64.decode(payload.encryptedContent)))
        event.messageEventSignature = try MessageEventSignature(decoding: Base64.decode(payload.encodedEventSignature))
        return ConformanceCase(name: name, line: event.base64, event: event, fragment: .object(fragment))
    }

    /// The event that a server makes from one of the SDK's actions.
    private func signed(
        _ action: PreparedKeyChange.Action,
        in conversation: WireString,
        _ fragment: JSONValue
    ) throws -> ConformanceCase {
        var event = Cast.envelope(in: conversation)
        event.messageID = MessageID(action.messageID)
        event.detail = try MessageEventDetail(decoding: Base64.decode(action.encodedMessageEventDetail))
        event.messageEventSignature = MessageEventSignature(
            signature: WireString(action.signature),
            publicKeyVersion: KeyVersion(action.publicKeyVersion),
            signatureVersion: WireString(action.signatureVersion)
        )
        return ConformanceCase(name: "\(event.kind)", line: event.base64, event: event, fragment: fragment)
    }

    /// The events of a key change, whose key this engine must unwrap, and of the group change with it.
    private func signed(
        _ change: PreparedKeyChange,
        in conversation: WireString,
        _ fragment: JSONValue?
    ) throws -> [ConformanceCase] {
        try #require(change.actionSignatures.count == (fragment == nil ? 1 : 2))
        let version = KeyVersion(change.conversationKeyVersion)
        let keyChange = try signed(
            change.actionSignatures[0],
            in: conversation,
            ["type": "KeyChange", "verified": true, "key_version": .string(version)]
        )
        var session = cast.session
        try session.acceptMembers(["1111", "2222", "3333"], of: ConversationID(canonicalizing: Cast.group))
        #expect(try session.open(MessageEvent(base64: keyChange.line)).isVerified)
        let key = session.keyRing.acceptedKey(in: ConversationID(canonicalizing: conversation), version: version)
        #expect(key?.bytes == change.conversationKey.bytes)
        guard let fragment else { return [keyChange] }
        let group: JSONValue = ["type": "GroupChange", "verified": true, "change": fragment]
        return [keyChange, try signed(change.actionSignatures[1], in: conversation, group)]
    }

    private func publicKeys(_ users: [UserID]) -> Argument {
        .list(
            users.flatMap { cast.session.pins[$0] }.map { key in
                .members([
                    "user_id": .string(key.userID.string), "public_key": .string(key.identityKey.base64),
                    "key_version": .string("1"),
                ])
            }
        )
    }

    // MARK: Values in messages

    private static let attachments: [(argument: Argument, json: JSONValue)] = [
        (
            .members([
                "attachment_type": .string("media"), "media_hash_key": .string("h"), "width": .integer(640),
                "height": .integer(480), "filesize_bytes": .integer(9), "filename": .string("a.mp4"),
                "media_type": .integer(3), "duration_millis": .integer(1500),
            ]),
            [
                "media": [
                    "media_hash_key": "h", "dimensions": ["width": 640, "height": 480], "type": "VIDEO",
                    "duration_millis": 1500, "filesize_bytes": 9, "filename": "a.mp4",
                ]
            ]
        ),
        (
            .members([
                "attachment_type": .string("media"), "media_hash_key": .string("h"), "width": .integer(1),
                "height": .integer(1), "filesize_bytes": .integer(9), "filename": .string("é"),
            ]),
            ["media": ["type": "IMAGE", "filename": "é", "duration_millis": nil]]
        ),
        (
            .members(["attachment_type": .string("url"), "url": .string("https://x.example")]),
            ["url": ["url": "https://x.example", "banner_image_media_hash_key": nil]]
        ),
        (
            .members([
                "attachment_type": .string("url"), "url": .string("u"), "display_title": .string("t"),
                "banner_image": .members([
                    "media_hash_key": .string("b"), "filesize_bytes": .integer(1), "filename": .string("b.png"),
                    "width": .integer(5),
                ]),
                "favicon_image": .members([
                    "media_hash_key": .string("f"), "filesize_bytes": .integer(1), "filename": .string("f.ico"),
                ]),
            ]),
            [
                "url": [
                    "display_title": "t",
                    "banner_image_media_hash_key": ["media_hash_key": "b", "dimensions": ["width": 5, "height": nil]],
                    "favicon_image_media_hash_key": ["media_hash_key": "f", "dimensions": nil],
                ]
            ]
        ),
        (
            .members(["attachment_type": .string("post"), "rest_id": .string("1"), "post_url": .string("u")]),
            ["post": ["rest_id": "1", "post_url": "u"]]
        ),
    ]

    private static let quickReplies: [(argument: Argument, json: JSONValue)] = [
        (
            .members([
                "request": .members([
                    "options": .members([
                        "id": .string("q"),
                        "options": .list([.members(["id": .string("1"), "label": .string("Yes")])]),
                    ])
                ])
            ]),
            ["request": ["options": ["id": "q", "options": [["id": "1", "label": "Yes", "metadata": nil]]]]]
        ),
        (
            .members([
                "response": .members([
                    "options": .members(["request_id": .string("q"), "selected_option_id": .string("1")])
                ])
            ]),
            ["response": ["options": ["request_id": "q", "metadata": nil, "selected_option_id": "1"]]]
        ),
    ]
}
