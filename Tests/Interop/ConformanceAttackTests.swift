import TestSupport
import Testing
import XChat
import XChatEvents
import XChatText

@testable import XChatEngine

/// Attacks that succeed against X's SDK, tried on both engines.
///
/// Each name begins with the short name of a weakness, as in ``IntendedDifference``. The attacker is the server that
/// delivers the events, unless the test names another one.
@Suite(.enabled(if: Peer.isWanted, Peer.absence))
struct ConformanceAttackTests {
    private let cast: Cast
    private let pair = ConversationID(canonicalizing: Cast.pair)
    private let group = ConversationID(canonicalizing: Cast.group)

    init() throws {
        cast = try Cast()
    }

    // MARK: Conversation keys

    @Test func `A1: two conversations with keys of one version stay apart`() throws {
        let keys = [try ConversationKey.generate(), try ConversationKey.generate()]
        let places = [Cast.pair, Cast.group]
        let changes = try zip(keys, places).map { try cast.event(cast.delivering($0, version: "5000"), in: $1) }
        let texts = try zip(keys, places).map { try message("secret", under: $0, version: "5000", in: $1) }
        let theirs = try batch(changes + texts)
        #expect(theirs.conversationKeys.keys.isEmpty)
        #expect(Set(theirs.errors.keys).isSuperset(of: ["2", "3"]))
        var session = cast.session
        #expect(session.open((changes + texts).map { .success($0) }).allSatisfy(isVerified))
        done("A1")
    }

    @Test func `A1: a key opens no message of another conversation`() throws {
        let event = try message("moved", under: cast.groupKey, version: Cast.groupVersion, in: Cast.pair)
        #expect(try verdict(event) == .verified)
        #expect(refusal(event) == .keyMissing)
        done("A1")
    }

    @Test func `A2: a forged key change takes no key away`() throws {
        let key = try ConversationKey.generate()
        let genuine = try cast.event(cast.delivering(key, version: "5001"))
        var forged = genuine
        forged.messageID = "forged"
        let text = try message("still there", under: key, version: "5001", in: Cast.pair)
        for events in [[genuine, forged, text], [forged, genuine, text]] {
            let theirs = try batch(events)
            #expect(theirs.conversationKeys.keys.isEmpty)
            #expect(theirs.errors["2"] != nil)
            var session = cast.session
            #expect(isVerified(session.open(events.map { .success($0) })[2]))
            #expect(session.keyRing.acceptedKey(in: pair, version: "5001")?.bytes == key.bytes)
        }
        done("A2", 2)
    }

    @Test func `A3: an unsigned key does not encrypt`() throws {
        let key = try ConversationKey.generate()
        for sequenceID in [nil, "1", "x", "9223372036854775808"] as [SequenceID?] {
            var forged = try cast.event(cast.delivering(key, version: "9000"))
            forged.messageEventSignature = nil
            forged.sequenceID = sequenceID
            let theirs = try batch([forged])
            #expect(theirs.conversationKeys.keys == ["9000": Bytes(key.bytes)])
            #expect(theirs.conversationKeys.latestVersion == "9000")
            var session = cast.session
            #expect(throws: XChatError.self) { try session.open(forged) }
            #expect(session.keyRing.newestVersion(in: pair) == Cast.pairVersion)
            let error = #expect(throws: XChatError.self) { try session.seal(.text("x"), in: pair, keyVersion: "9000") }
            #expect(error?.code == .keyMissing)
        }
        done("A3", 4)
    }

    @Test func `A4: the newest key of a conversation is not taken from another one`() throws {
        let events = [
            try cast.event(cast.delivering(try ConversationKey.generate(), version: "5002")),
            try cast.event(cast.delivering(try ConversationKey.generate(), version: "6000"), in: Cast.group),
        ]
        #expect(try batch(events).conversationKeys.latestVersion == "6000")
        var session = cast.session
        try session.acceptMembers(["1111", "2222", "3333"], of: group)
        #expect(session.open(events.map { .success($0) }).allSatisfy(isVerified))
        #expect(session.keyRing.newestVersion(in: pair) == "5002")
        #expect(session.keyRing.newestVersion(in: group) == "6000")
        done("A4")
    }

    @Test func `A5: an old key that is served again after a restart is not the newest`() throws {
        let old = try cast.event(cast.delivering(try ConversationKey.generate(), version: "7001"))
        let new = try cast.event(cast.delivering(try ConversationKey.generate(), version: "7002"))
        #expect(try batch([old, new]).conversationKeys.latestVersion == "7002")
        try cast.makeBob("restarted")
        #expect(try batch([old], of: "restarted").conversationKeys.latestVersion == "7001")

        var before = cast.session
        _ = before.open([.success(old), .success(new)])
        var after = try Session(userID: "2222", privateKeys: cast.bob, signingKeyVersion: "1")
        after.trust(cast.session.pins["1111"])
        after.restoreHighestVersion(try #require(before.keyRing.highestVersion(of: pair)), of: pair)
        #expect(try after.open(old).isVerified)
        let error = #expect(throws: XChatError.self) { try after.seal(.text("x"), in: pair) }
        #expect(error?.code == .keyMissing)
        done("A5")
    }

    @Test func `§6: a stranger, however well known, announces no key for two others`() throws {
        let event = try cast.event(cast.delivering(try ConversationKey.generate(), version: "8000"), from: "3333")
        #expect(try verdict(event) == .verified)
        #expect(try batch([event]).conversationKeys.latestVersion == "8000")
        #expect(refusal(event) == .notAParticipant)
        var session = cast.session
        _ = try? session.open(event)
        #expect(session.keyRing.versions(in: pair) == [Cast.pairVersion])
        done("§6")
    }

    @Test func `§6: only a known member of a group announces a key that encrypts there`() throws {
        let event = try cast.event(
            cast.delivering(try ConversationKey.generate(), version: "8000"),
            from: "3333",
            in: Cast.group
        )
        #expect(try verdict(event) == .verified)
        #expect(try batch([event]).conversationKeys.latestVersion == "8000")
        var session = cast.session
        #expect(try session.open(event).isVerified)
        #expect(session.keyRing.newestVersion(in: group) == Cast.groupVersion)
        session = cast.session
        try session.acceptMembers(["1111", "2222"], of: group)
        let error = #expect(throws: XChatError.self) { try session.open(event) }
        #expect(error?.code == .notAParticipant)
        #expect(session.keyRing.versions(in: group) == [Cast.groupVersion])
        done("§6", 2)
    }

    // MARK: Signed texts that can be read in two ways

    @Test func `B1: the lists of a member addition keep their bounds`() throws {
        let honest = GroupMemberAddChange(
            memberIDs: ["4444"],
            currentMemberIDs: ["1111", "2222"],
            currentAdminIDs: ["1111"],
            conversationKeyVersion: Cast.groupVersion
        )
        var forgeries = Array(repeating: honest, count: 3)
        forgeries[0].currentMemberIDs = ["1111"]
        forgeries[0].currentAdminIDs = ["2222", "1111"]  // 2222 an administrator
        forgeries[1].memberIDs = ["4444", "1111"]
        forgeries[1].currentMemberIDs = ["2222"]  // 1111 just added
        forgeries[2].currentTitle = "null"
        let event = try cast.event(
            .groupChangeEvent(GroupChangeEvent(groupChange: .groupMemberAdd(honest))),
            in: Cast.group
        )
        #expect(refusal(event) == nil)
        for forgery in forgeries {
            var forged = event
            forged.detail = .groupChangeEvent(GroupChangeEvent(groupChange: .groupMemberAdd(forgery)))
            #expect(try verdict(forged) == .verified)
            #expect(refusal(forged) == .inconsistent)
        }
        done("B1", forgeries.count)
    }

    @Test func `B1: no slot of a signed text moves up into that of a dropped conversation id`() throws {
        // Delete 5 for all participants becomes: delete 2 and 5 for the sender.
        var deletion = try cast.event(
            .messageDeleteEvent(MessageDeleteEvent(sequenceIDs: ["5"], deleteMessageAction: .deleteForAll)),
            in: "1"
        )
        deletion.conversationID = nil
        deletion.detail = .messageDeleteEvent(
            MessageDeleteEvent(sequenceIDs: ["2", "5"], deleteMessageAction: .deleteForSelf)
        )
        // Read up to 17 in conversation 9 becomes: read up to 9 at the time of 17.
        var mark = try cast.event(
            .markConversationReadEvent(MarkConversationReadEvent(seenUntilSequenceID: "17")),
            in: "9"
        )
        mark.conversationID = nil
        mark.detail = .markConversationReadEvent(MarkConversationReadEvent(seenUntilSequenceID: "9", seenAtMillis: 17))
        for forged in [deletion, mark] {
            #expect(try verdict(forged) == .verified)
            #expect(refusal(forged) == .inconsistent)
        }
        done("B1", 2)
    }

    @Test func `B2: fields that no signature covers are listed`() throws {
        var create = GroupCreate(
            memberIDs: ["1111", "2222", "3333"],
            adminIDs: ["1111"],
            conversationKeyVersion: Cast.groupVersion
        )
        var event = try cast.event(
            .groupChangeEvent(GroupChangeEvent(groupChange: .groupCreate(create))),
            in: Cast.group
        )
        create.adminIDs = ["3333"]
        event.detail = .groupChangeEvent(GroupChangeEvent(groupChange: .groupCreate(create)))
        #expect(try verdict(event) == .verified)
        #expect(refusal(event) == nil)
        let place = "detail.groupChangeEvent.group_change.group_create"
        #expect(event.signatureCoverage?.uncovered.contains("\(place).admin_ids") == true)
        #expect(event.signatureCoverage?.covered.contains("\(place).member_ids") == true)
        done("B2")
    }

    // MARK: Keys

    @Test func `B5: a stale entry before the right one hides no user`() throws {
        let stale = try PrivateKeys.generate().verifiedKey(userID: "1111", version: "1")
        let event = try message("genuine", under: cast.pairKey, version: Cast.pairVersion, in: Cast.pair)
        let served = [stale.registered] + cast.session.pins["1111"].map(\.registered)
        #expect(try verdict(event, signingKeys: served) == .wrongSignature)
        var session = try Session(userID: "2222", privateKeys: cast.bob, signingKeyVersion: "1")
        session.trust([stale] + cast.session.pins["1111"])
        try session.addConversationKey(cast.pairKey, in: pair, version: Cast.pairVersion)
        #expect(try session.open(event).isVerified)
        done("B5")
    }

    @Test func `B6: an identity key that is not a key is refused`() throws {
        let mallory = try PrivateKeys.generate()
        let identity = Array("not a key".utf8)
        let served = RegisteredKey(
            userID: "1111",
            publicKeyVersion: "1",
            publicKey: WireString(try #require(mallory.signingKey).base64),
            identityPublicKey: WireString(Base64.encode(identity)),
            identityPublicKeySignature: WireString(Base64.encode(try mallory.keys.sign(identity.span)))
        )
        let event = try cast.signed(
            message("by whom", under: cast.pairKey, version: Cast.pairVersion, in: Cast.pair),
            by: mallory
        )
        #expect(try verdict(event, signingKeys: [served]) == .verified)
        let error = #expect(throws: XChatError.self) { try VerifiedPublicKey(checking: served) }
        #expect(error?.code == .invalidKey)
        done("B6")
    }

    @Test func `B6: a fresh signing key under the genuine identity key of a user is a changed pin`() throws {
        let mallory = try PrivateKeys.generate()
        let spki = cast.alice.identityKey.spki
        let served = RegisteredKey(
            userID: "1111",
            publicKeyVersion: "1",
            publicKey: WireString(try #require(mallory.signingKey).base64),
            identityPublicKey: WireString(cast.alice.identityKey.base64),
            identityPublicKeySignature: WireString(Base64.encode(try mallory.keys.sign(spki.span)))
        )
        let event = try cast.signed(
            message("not by Alice", under: cast.pairKey, version: Cast.pairVersion, in: Cast.pair),
            by: mallory
        )
        #expect(try verdict(event, signingKeys: [served]) == .verified)
        // The fingerprint that users compare is still that of Alice.
        #expect(try VerifiedPublicKey(checking: served).identityKey.fingerprint == cast.alice.identityKey.fingerprint)
        var session = cast.session
        let error = #expect(throws: XChatError.self) { try session.pin([served], of: "1111") }
        #expect(error?.code == .pinChanged)
        #expect(refusal(event) == .wrongSignature)
        done("B6")
    }

    @Test func `B7: 26 arbitrary bytes are not accepted as the header of a key`() throws {
        let point = cast.alice.identityKey.spki.suffix(65)
        let zeros = Base64.encode(Array(repeating: 0, count: 26) + point)
        let recipients: Argument = .list(
            [("1111", zeros), ("2222", cast.bob.identityKey.base64)].map { user, key in
                .members(["user_id": .string(user), "public_key": .string(key), "key_version": .string("1")])
            }
        )
        #expect(
            try cast.peer.refusal("prepare_conversation_key_change", of: Cast.strict, ["public_keys": recipients])
                == nil
        )
        let error = #expect(throws: XChatError.self) { try IdentityPublicKey(base64: WireString(zeros)) }
        #expect(error?.code == .invalidKey)
        done("B7")
    }

    // MARK: Replies and edits

    @Test func `C1: the edit of another message is not an edit of this one`() throws {
        let quote = try Quote(cast)
        var preview = quote.preview
        preview.messageText = "edited"
        preview.rawEventEditMessage = Encoded(try quote.edit(of: "12345"))
        #expect(try validity(preview) == "Valid")
        #expect(try validation(preview)?.isValid == false)
        preview.rawEventEditMessage = Encoded(try quote.edit(of: "77"))
        #expect(try validity(preview) == "Valid")
        #expect(try validation(preview)?.isValid == true)
        done("C1")
    }

    @Test func `C2: a preview without text and with another's name is reported as unchecked`() throws {
        var preview = try Quote(cast).preview
        preview.messageText = ""
        preview.senderDisplayName = "The Bank"
        #expect(try validity(preview) == "Valid")
        #expect(try validation(preview)?.uncheckedClaims.contains("sender_display_name") == true)
        done("C2")
    }

    @Test func `C3: a quotation that its author did not write is refused`() throws {
        let quote = try Quote(cast)
        var altered = quote.original
        altered.messageID = "altered"
        var elsewhere = try message("elsewhere", under: cast.groupKey, version: Cast.groupVersion, in: Cast.group)
        elsewhere.sequenceID = "77"
        let refusals: [(MessageEvent, XChatError.Code)] = [(altered, .wrongSignature), (elsewhere, .inconsistent)]
        for (original, code) in refusals {
            let refused = try cast.peer.refusal(
                "encrypt_reply",
                of: Cast.strict,
                [
                    "conversation_id": .string(Cast.pair.string), "text": .string("re"),
                    "reply_to_event": .string(original.base64), "reply_to_text": .string("I owe you"),
                    "reply_to_entities": .list([]), "reply_to_attachments": .list([]),
                    "conversation_key": .bytes(cast.pairKey.bytes),
                    "conversation_key_version": .string(Cast.pairVersion.string),
                ]
            )
            #expect(refused == nil)
            var source = ReplySource(Encoded(original))
            source.overrides.text = "I owe you"
            let draft = Draft.message(MessageDraft("re", reply: .event(source)))
            let error = #expect(throws: XChatError.self) { try cast.session.seal(draft, in: pair) }
            #expect(error?.code == code)
        }
        done("C3", 2)
    }

    @Test func `C4: after a key that does not decrypt the original, the others are tried`() throws {
        let key = try ConversationKey.generate()
        let other = try ConversationKey.generate()
        var original = try message("original", under: key, version: "4000", in: Cast.pair)
        original.sequenceID = "77"
        let preview = ReplyingToPreview(
            messageText: "original",
            replyingToMessageID: original.messageID,
            rawEventMessageCreate: Encoded(original),
            rawEventCkces: [Encoded(try cast.event(cast.delivering(key, version: "4000")))]
        )
        let event = try reply(preview)
        let theirs = try cast.peer.calls(
            "decrypt_event",
            of: Cast.strict,
            each: [
                [
                    "event_b64": .string(event.base64),
                    "conversation_keys": .members([
                        Cast.pairVersion.string: .bytes(cast.pairKey.bytes), "4000": .bytes(other.bytes),
                    ]),
                ]
            ]
        )
        #expect(try validity(theirs[0]) == "Invalid")
        var session = cast.session
        try session.addConversationKey(other, in: pair, version: "4000")
        #expect(try session.open(event).replyValidation?.isValid == true)
        done("C4")
    }

    @Test func `C5: a quoted event keeps every byte`() throws {
        let quote = try Quote(cast)
        // A field 99 that neither engine knows, before the end.
        let bytes = quote.original.encoded().dropLast() + [11, 0, 99] + Variants.string("kept") + [0]
        let payload = try cast.peer.call(
            "encrypt_reply",
            of: Cast.strict,
            [
                "conversation_id": .string(Cast.pair.string), "text": .string("re"),
                "reply_to_event": .string(Base64.encode(Array(bytes))),
                "conversation_key": .bytes(cast.pairKey.bytes),
                "conversation_key_version": .string(Cast.pairVersion.string),
            ],
            returning: SendPayload.self
        )
        let create = try MessageCreateEvent(decoding: Base64.decode(payload.encryptedContent))
        #expect(try embedded(in: create) != Array(bytes))
        let source = ReplySource(Encoded(bytes: Array(bytes)))
        let sealed = try cast.session.seal(.message(MessageDraft("re", reply: .event(source))), in: pair)
        let ours = try MessageCreateEvent(decoding: Base64.decode(sealed.encodedMessageCreateEvent))
        #expect(try embedded(in: ours) == Array(bytes))
        done("C5")
    }

    @Test func `C6: an edit of another user's message is not applied`() throws {
        var session = cast.session
        var original = try cast.event(cast.sealed(.message(MessageContents(messageText: "mine"))), from: "2222")
        original.sequenceID = "77"
        let edit = try cast.event(
            cast.sealed(.messageEdit(MessageEdit(messageSequenceID: "77", updatedText: "not mine")))
        )
        #expect(try verdict(edit) == .verified)
        let opened = try (session.open(original), session.open(edit))
        #expect(!opened.1.isRightfulEdit(of: opened.0))
        #expect(opened.0.edited(by: opened.1) == nil)
        done("C6")
    }

    @Test func `C7: repeated deliveries of an event are recognized`() throws {
        let event = try message("pay 10", under: cast.pairKey, version: Cast.pairVersion, in: Cast.pair)
        let change = try cast.event(cast.delivering(cast.pairKey, version: Cast.pairVersion))
        #expect(try batch([change, event, event, event]).messages.count == 4)
        var session = cast.session
        var filter = SeenEvents()
        let opened = try (0..<3).map { _ in filter.insert(try session.open(event)) }
        #expect(opened == [.new, .repeated, .repeated])
        done("C7")
    }

    // MARK: Sending

    @Test func `D2: a group without its creator, with a user twice, or with a stranger for administrator is refused`()
        throws
    {
        let rosters: [(members: [UserID], admins: [UserID])] = [
            ([], []), (["3333"], ["3333"]), (["2222", "2222"], ["2222"]), (["2222"], ["3333"]),
            (["2222", "a"], ["2222"]),
        ]
        for roster in rosters {
            let refused = try cast.peer.refusal(
                "prepare_group_create",
                of: Cast.strict,
                [
                    "public_keys": publicKeys, "conversation_id": .string(Cast.group.string),
                    "member_ids": .list(roster.members.map { .string($0.string) }),
                    "admin_ids": .list(roster.admins.map { .string($0.string) }),
                ]
            )
            #expect(refused == nil)
            var session = cast.session
            let keys = ["1111", "2222", "3333"].flatMap { session.pins[$0] }
            let error = #expect(throws: XChatError.self) {
                try session.prepareGroupCreate(
                    GroupDraft(members: roster.members, admins: roster.admins),
                    in: group,
                    participants: keys
                )
            }
            #expect(error?.code == .invalidArgument)
        }
        done("D2", rosters.count)
    }

    @Test func `D5: a user without an id does not sign`() throws {
        try cast.makeBob("nobody")
        let identity: [String: Argument] = ["user_id": .string(""), "signing_key_version": .string("")]
        #expect(try cast.peer.refusal("set_identity", of: "nobody", identity) == nil)
        let error = #expect(throws: XChatError.self) { try Session(userID: "") }
        #expect(error?.code == .invalidArgument)
        done("D5")
    }

    // MARK: Both engines

    private func verdict(_ event: MessageEvent, signingKeys: [RegisteredKey]? = nil) throws -> Verdict {
        var arguments: [String: Argument] = ["event_b64": .string(event.base64)]
        if let signingKeys { arguments["signing_keys"] = .list(signingKeys.map(\.argument)) }
        let outcome = try cast.peer.calls(
            "decrypt_event",
            of: Cast.strict,
            ["conversation_keys": cast.conversationKeys],
            each: [arguments]
        )
        return Verdict(outcome[0])
    }

    private func batch(_ events: [MessageEvent], of instance: String = Cast.strict) throws -> DecryptedEvents {
        try cast.peer.call(
            "decrypt_events",
            of: instance,
            ["events": .list(events.map { .string($0.base64) })],
            returning: DecryptedEvents.self
        )
    }

    /// The error code of this engine for an event; nil if it is accepted.
    private func refusal(_ event: MessageEvent) -> XChatError.Code? {
        var session = cast.session
        do {
            let opened = try session.open(event)
            return opened.isVerified ? nil : .neverSigned
        } catch {
            return error.code
        }
    }

    private func isVerified(_ result: Result<Event, XChatError>) -> Bool {
        if case .success(let event) = result { event.isVerified } else { false }
    }

    private func done(_ gap: String, _ cases: Int = 1) {
        var tally = Tally()
        for _ in 0..<cases { tally.differs(gap) }
        tally.report()
    }

    // MARK: Parts of the attacks

    private func message(
        _ text: WireString,
        under key: ConversationKey,
        version: KeyVersion,
        in conversation: WireString
    ) throws -> MessageEvent {
        let holder = MessageEntryHolder(contents: .message(MessageContents(messageText: text)))
        let create = try MessageCreateEvent(decoding: cast.sealed(holder.encoded(), by: key, version: version))
        return try cast.event(.messageCreateEvent(create), in: conversation)
    }

    private var publicKeys: Argument {
        .list(
            ["1111", "2222", "3333"].flatMap { cast.session.pins[$0] }.map { key in
                .members([
                    "user_id": .string(key.userID.string), "public_key": .string(key.identityKey.base64),
                    "key_version": .string("1"),
                ])
            }
        )
    }

    /// A message of Alice's with a sequence id, and the preview of an honest reply to it.
    private struct Quote {
        let cast: Cast
        let original: MessageEvent

        init(_ cast: Cast) throws {
            self.cast = cast
            var original = try cast.event(cast.sealed(.message(MessageContents(messageText: "original"))))
            original.sequenceID = "77"
            self.original = original
        }

        var preview: ReplyingToPreview {
            ReplyingToPreview(
                senderID: 1111,
                messageText: "orig",
                replyingToMessageSequenceID: "77",
                replyingToMessageID: original.messageID,
                rawEventMessageCreate: Encoded(original)
            )
        }

        func edit(of target: SequenceID) throws -> MessageEvent {
            try cast.event(
                cast.sealed(.messageEdit(MessageEdit(messageSequenceID: target, updatedText: "edited")))
            )
        }
    }

    private func reply(_ preview: ReplyingToPreview) throws -> MessageEvent {
        try cast.event(cast.sealed(.message(MessageContents(messageText: "re", replyingToPreview: preview))))
    }

    private func validation(_ preview: ReplyingToPreview) throws -> ReplyValidation? {
        var session = cast.session
        return try session.open(reply(preview)).replyValidation
    }

    private func validity(_ preview: ReplyingToPreview) throws -> JSONValue? {
        let outcome = try cast.peer.calls(
            "decrypt_event",
            of: Cast.strict,
            ["conversation_keys": cast.conversationKeys],
            each: [["event_b64": .string(reply(preview).base64)]]
        )
        return try validity(outcome[0])
    }

    private func validity(_ outcome: Outcome) throws -> JSONValue? {
        guard case .returned(.object(let event)) = outcome else { throw Refusal(text: "\(outcome)") }
        return event["reply_preview_validation"]
    }

    private func embedded(in create: MessageCreateEvent) throws -> [UInt8]? {
        let holder = try MessageEntryHolder(decoding: cast.pairKey.open(try #require(create.contents)))
        guard case .message(let message) = holder.contents else { return nil }
        return message.replyingToPreview?.rawEventMessageCreate?.bytes
    }
}
