import TestSupport
import Testing
import XChat
import XChatEvents
import XChatText

@testable import XChatEngine

/// Events that this engine writes verify with X's SDK, and have the same values.
@Suite(.enabled(if: Peer.isWanted, Peer.absence))
struct ConformanceSendingTests {
    private let cast: Cast
    private let pair = ConversationID(canonicalizing: Cast.pair)
    private let group = ConversationID(canonicalizing: Cast.group)

    init() throws {
        cast = try Cast()
    }

    // MARK: Messages

    @Test func `every draft that X's SDK can read is read as it was written`() throws {
        var numbers = SplitMix64(seed: RandomTexts.namedSeed ?? 1)
        var drafts = Samples.drafts()
        drafts += (0..<300).map { _ in Samples.random(using: &numbers) }
        let session = try cast.aliceSession()
        let cases = try drafts.enumerated().map { index, draft in
            let isInGroup = index % 5 == 0
            let sealed = try session.seal(.message(draft), in: isInGroup ? group : pair)
            // These contents are computed from the draft; the comparison decrypts those of the sealed message.
            let contents = MessageContents(
                messageText: WireString(draft.text),
                entities: draft.entities,
                attachments: draft.attachments,
                forwardedMessage: draft.forwardedMessage,
                sentFrom: draft.sentFrom,
                quickReply: draft.quickReply,
                ctas: draft.ctas
            )
            let event = served(sealed.event)
            return ConformanceCase(
                name: "draft \(index)",
                line: event.base64,
                event: event,
                fragment: trimmed(
                    eventJSON(
                        event,
                        contents: MessageEntryHolder(contents: .message(contents)),
                        isVerified: true
                    ),
                    adding: [
                        "type": "Message", "verified": true, "should_notify": .bool(draft.shouldNotify),
                        "ttl_msec": .init(draft.ttlMsec),
                    ]
                )
            )
        }
        try compare(cases, "drafts of ours")
    }

    @Test func `reactions and edits are read as they were written`() throws {
        let entities = Samples.entities(in: 9)
        let drafts: [(Draft, JSONValue)] = [
            (
                .addReaction(ReactionDraft("👍", to: "77")),
                ["content_type": "Reaction", "emoji": "👍", "target_message_id": "77"]
            ),
            (
                .addReaction(ReactionDraft("", to: "x", attachmentID: "a")),
                ["content_type": "Reaction", "emoji": "", "target_message_id": "x"]
            ),
            (
                .removeReaction(ReactionDraft("e\u{301}", to: "77", attachmentID: "a")),
                ["content_type": "ReactionRemoved", "emoji": "e\u{301}", "target_message_id": "77"]
            ),
            (
                .edit(EditDraft(of: "77", text: "new")),
                ["content_type": "Edit", "new_text": "new", "target_message_id": "77"]
            ),
            (
                .edit(EditDraft(of: "77", text: "123456789", entities: entities)),
                ["content_type": "Edit", "new_text": "123456789", "target_message_id": "77"]
            ),
            (
                .edit(EditDraft(of: "77", text: "", entities: [])),
                ["content_type": "Edit", "entities": [], "new_text": ""]
            ),
        ]
        let session = try cast.aliceSession()
        let cases = try drafts.enumerated().map { index, draft in
            let event = served(try session.seal(draft.0, in: pair).event)
            return ConformanceCase(
                name: "reaction or edit \(index)",
                line: event.base64,
                event: event,
                fragment: ["type": "Message", "verified": true, "should_notify": true, "content": draft.1]
            )
        }
        try compare(cases, "reactions and edits of ours")
    }

    @Test func `replies are read as they were written, and their previews are valid`() throws {
        let session = try cast.aliceSession()
        let photo = Samples.attachments()[0]
        let original = served(
            try session.seal(
                .message(MessageDraft("the original", entities: Samples.entities(in: 12), attachments: [photo])),
                in: pair
            ).event,
            "77"
        )
        let edit = served(try session.seal(.edit(EditDraft(of: "77", text: "edited")), in: pair).event, "78")
        // The quoted message is encrypted under an older key, which the reply must contain.
        let oldKey = try ConversationKey.generate()
        let change = try cast.event(cast.delivering(oldKey, version: "900"))
        let holder = MessageEntryHolder(contents: .message(MessageContents(messageText: "older")))
        let older = served(
            try cast.event(
                .messageCreateEvent(
                    MessageCreateEvent(decoding: cast.sealed(holder.encoded(), by: oldKey, version: "900"))
                )
            ),
            "66"
        )
        var replier = cast.session
        try replier.addConversationKey(oldKey, in: pair, version: "900")

        var edited = ReplySource(Encoded(original))
        edited.edit = Encoded(edit)
        var abridged = ReplySource(Encoded(original))
        abridged.overrides.text = "the"
        abridged.overrides.entities = []
        abridged.overrides.attachments = []
        var withKey = ReplySource(Encoded(older))
        withKey.keyChanges = [Encoded(change)]
        var claims = ReplyClaims()
        claims.sequenceID = "5"
        var fullClaims = claims
        fullClaims.senderID = 1111
        fullClaims.text = "claimed"
        fullClaims.entities = Samples.entities(in: 7)
        fullClaims.attachments = Samples.attachments()

        let id = original.messageID.map(JSONValue.string) ?? .null
        let targets: [(String, ReplyTarget, JSONValue, JSONValue?)] = [
            (
                "event", .event(ReplySource(Encoded(original))),
                [
                    "sender_id": "1111", "message_text": "the original", "replying_to_message_sequence_id": "77",
                    "replying_to_message_id": id,
                ], "Valid"
            ),
            (
                "edited event", .event(edited),
                ["message_text": "edited", "entities": nil, "replying_to_message_id": id], "Valid"
            ),
            (
                "abridged event", .event(abridged),
                ["message_text": "the", "entities": [], "attachments": [], "replying_to_message_id": id], "Valid"
            ),
            ("older event", .event(withKey), ["message_text": "older"], "Valid"),
            (
                "claims", .claimed(claims),
                [
                    "sender_id": nil, "message_text": nil, "replying_to_message_sequence_id": "5",
                    "replying_to_message_id": nil,
                ], nil
            ),
            ("full claims", .claimed(fullClaims), ["sender_id": "1111", "message_text": "claimed"], nil),
        ]
        let cases = try targets.map { name, target, preview, validity in
            let event = served(
                try replier.seal(.message(MessageDraft("re", reply: target)), in: pair, keyVersion: Cast.pairVersion)
                    .event
            )
            var fragment: JSONObject = [
                "type": "Message", "verified": true,
                "content": ["content_type": "Text", "text": "re", "replying_to_preview": preview],
            ]
            fragment["reply_preview_validation"] = validity
            return ConformanceCase(name: name, line: event.base64, event: event, fragment: .object(fragment))
        }
        try compare(cases, "replies of ours")
    }

    // MARK: Actions

    @Test func `every action is read as it was signed`() throws {
        let session = try cast.aliceSession()
        var cases: [ConformanceCase] = []
        for (conversation, actions) in [(pair, Samples.actions), (group, Samples.actions + Samples.groupActions)] {
            for (action, fragment) in actions {
                let signature = try session.sign(action, in: conversation)
                let event = try event(signature, from: "1111", in: conversation)
                let json = merged(["verified": true, "conversation_id": .string(conversation.text)], fragment)
                cases.append(
                    ConformanceCase(name: "\(action)", line: event.base64, event: event, fragment: json)
                )
            }
        }
        try compare(cases, "actions of ours")
    }

    @Test func `key changes and groups are read as they were made`() throws {
        var session = try cast.aliceSession()
        let everybody = ["1111", "2222", "3333"].flatMap { cast.session.pins[$0] }
        // A user who does not know the group yet, and a user who knows it with two members.
        var creator = try Session(userID: "1111", privateKeys: cast.alice, signingKeyVersion: "1")
        var adder = creator
        var draft = GroupDraft(members: ["1111", "2222", "3333"], admins: ["1111"])
        var plainAddition = MemberAddDraft(
            newMembers: ["3333"],
            currentMembers: ["1111", "2222"],
            currentAdmins: ["1111"]
        )
        var events: [ConformanceCase] = []
        func add(_ change: KeyChange, in conversation: ConversationID) throws {
            let event = try event(change.actionSignature, from: "1111", in: conversation)
            let entries = change.participantKeys.map { key -> JSONValue in
                [
                    "user_id": .string(key.userID), "encrypted_key": .string(key.encryptedConversationKey),
                    "public_key_version": .string(key.publicKeyVersion),
                ]
            }
            events.append(
                ConformanceCase(
                    name: "key change \(change.version)",
                    line: event.base64,
                    event: event,
                    fragment: [
                        "type": "KeyChange", "verified": true, "key_version": .string(change.version),
                        "participant_keys": .array(entries),
                    ]
                )
            )
            let delivered = try cast.peer.call(
                "extract_conversation_keys",
                of: Cast.strict,
                ["events": .list([.string(event.base64)])],
                returning: ConversationKeys.self
            )
            #expect(delivered.keys == [change.version.string: Bytes(change.key.bytes)])
        }
        func add(_ change: GroupKeyChange, _ fragment: JSONValue) throws {
            try add(change.keyChange, in: group)
            let event = try event(change.action, from: "1111", in: group)
            events.append(
                ConformanceCase(
                    name: "group change",
                    line: event.base64,
                    event: event,
                    fragment: ["type": "GroupChange", "verified": true, "change": fragment]
                )
            )
        }
        try add(try session.prepareKeyChange(in: pair, participants: Array(everybody.prefix(2))), in: pair)
        try add(try session.prepareKeyChange(in: group, participants: everybody), in: group)
        try add(
            try creator.prepareGroupCreate(draft, in: group, participants: everybody),
            ["change_type": "Created", "member_ids": ["1111", "2222", "3333"], "admin_ids": ["1111"], "title": nil]
        )
        draft.title = "T"
        draft.avatarURL = "https://x.example/a.png"
        draft.ttlMsec = 0
        try add(
            try creator.prepareGroupCreate(draft, in: group, participants: everybody),
            ["change_type": "Created", "title": "T", "avatar_url": "https://x.example/a.png"]
        )
        let added: JSONValue = [
            "change_type": "MembersAdded", "member_ids": ["3333"], "current_member_ids": ["1111", "2222"],
            "current_admin_ids": ["1111"],
        ]
        try add(try adder.prepareMemberAdd(plainAddition, in: group, participants: everybody), added)
        plainAddition.pendingMembers = ["4444"]
        plainAddition.title = "T"
        plainAddition.avatarURL = "u"
        plainAddition.ttlMsec = 5
        plainAddition.screenCaptureBlockingEnabled = false
        try add(try adder.prepareMemberAdd(plainAddition, in: group, participants: everybody), added)
        try compare(events, "key changes and groups of ours")
    }

    @Test func `each engine decrypts metadata of the other`() throws {
        let session = try cast.aliceSession()
        for text in ["", "a group's name", "é,\u{0}👩‍👩‍👧‍👦"] {
            let encrypted = try session.encrypt(text, in: group)
            let decrypted = try cast.peer.call(
                "decrypt",
                of: Cast.strict,
                ["ciphertext_b64": .string(encrypted.string), "conversation_key": .bytes(cast.groupKey.bytes)],
                returning: String.self
            )
            #expect(Array(decrypted.utf8) == Array(text.utf8))
            let theirs = try cast.peer.call(
                "encrypt",
                of: Cast.strict,
                ["plaintext": .string(text), "conversation_key": .bytes(cast.groupKey.bytes)],
                returning: String.self
            )
            #expect(try Array(session.decrypt(WireString(theirs), in: group).utf8) == Array(text.utf8))
        }
    }

    // MARK: Both engines

    private func compare(_ cases: [ConformanceCase], _ what: String) throws {
        var comparison = Comparison(cast)
        try comparison.compare(cases)
        comparison.conclude(what)
    }

    private func served(_ event: MessageEvent, _ sequenceID: SequenceID = "900") -> MessageEvent {
        var event = event
        event.sequenceID = sequenceID
        event.createdAtMsec = "1782000000000"
        return event
    }

    /// The event that a server makes from a signed action.
    private func event(
        _ action: ActionSignature,
        from sender: UserID,
        in conversation: ConversationID
    ) throws -> MessageEvent {
        var event = Cast.envelope(from: sender, in: conversation.text)
        event.messageID = action.messageID
        event.detail = try MessageEventDetail(decoding: Base64.decode(action.encodedMessageEventDetail))
        event.messageEventSignature = MessageEventSignature(
            signature: action.signature,
            publicKeyVersion: action.publicKeyVersion,
            signatureVersion: action.signatureVersion
        )
        return event
    }

    /// The members of our JSON that depend on the draft: the content and its attachments.
    private func trimmed(_ json: JSONValue, adding members: JSONObject) -> JSONValue {
        guard case .object(let json) = json else { return .null }
        var fragment = members
        fragment["content"] = json["content"]
        fragment["attachments"] = json["attachments"]
        fragment["media_hashes"] = json["media_hashes"]
        return .object(fragment)
    }

    private func merged(_ one: JSONObject, _ other: JSONObject) -> JSONValue {
        var merged = one
        for member in other.members { merged[member.key] = member.value }
        return .object(merged)
    }
}
