import Synchronization
import TestSupport
import Testing
import XChatEvents

@testable import XChatEngine

@Suite struct ReplyTests {
    /// Alice's message as the server delivers it, with a sequence id.
    struct Thread {
        var pair: Pair
        var original: MessageEvent
        var edit: MessageEvent

        init() throws {
            pair = try Pair()
            _ = try pair.bob.open(pair.change.event)
            let entities = [
                RichTextEntity(startIndex: 0, endIndex: 2, content: .hashtag(HashtagRichTextContent())),
                RichTextEntity(startIndex: 3, endIndex: 5, content: .mention(MentionRichTextContent())),
            ]
            let draft = MessageDraft("#a @b and more", entities: entities, attachments: [ReplyTests.photo])
            original = try pair.alice.seal(.message(draft), in: Pair.conversation).event
            original.sequenceID = "100"
            edit = try pair.alice.seal(.edit(EditDraft(of: "100", text: "edited text")), in: Pair.conversation).event
            edit.sequenceID = "101"
        }

        func source() -> ReplySource { ReplySource(Encoded(original)) }

        /// The result of Alice's validation of a preview that Bob wrote by hand.
        mutating func verdict(on preview: ReplyingToPreview) throws -> ReplyValidation? {
            let contents = MessageEntryHolder(
                contents: .message(MessageContents(messageText: "re", replyingToPreview: preview))
            )
            let create = MessageCreateEvent(
                contents: try pair.change.key.seal(contents.encoded()),
                conversationKeyVersion: pair.change.version
            )
            let event = try forge(.messageCreateEvent(create), by: pair.bob)
            return try pair.alice.open(event).replyValidation
        }

        func honest() throws -> ReplyingToPreview {
            try pair.bob.preview(for: .event(source()), in: Pair.conversation, keyVersion: pair.change.version)
        }
    }

    static let photo = MessageAttachment.media(
        MediaAttachment(
            mediaHashKey: "hash",
            dimensions: MediaDimensions(width: 2, height: 1),
            type: .image,
            filesizeBytes: 7,
            filename: "a.png"
        )
    )

    @Test func `a reply to an event carries a preview that its reader finds valid`() throws {
        var thread = try Thread()
        let draft = MessageDraft("re", reply: .event(thread.source()))
        let event = try thread.pair.alice.open(thread.pair.bob.seal(.message(draft), in: Pair.conversation).event)
        let validation = try #require(event.replyValidation)
        #expect(validation.isValid)
        #expect(validation.uncheckedClaims == ["replying_to_message_sequence_id"])
        guard case .message(let message) = event.contents?.contents, let preview = message.replyingToPreview else {
            throw XChatError(.malformed, "no preview")
        }
        #expect(preview.senderID == 1111)
        #expect(preview.messageText == "#a @b and more")
        #expect(preview.attachments == [Self.photo])
        #expect(preview.replyingToMessageSequenceID == "100")
        #expect(preview.replyingToMessageID == thread.original.messageID)
        #expect(preview.rawEventCkces == nil)
    }

    @Test func `an edit gives the preview its text, and the attachments stay the original's`() throws {
        var thread = try Thread()
        var source = thread.source()
        source.edit = Encoded(thread.edit)
        let preview = try thread.pair.bob.preview(
            for: .event(source),
            in: Pair.conversation,
            keyVersion: thread.pair.change.version
        )
        #expect(preview.messageText == "edited text")
        #expect(preview.entities == nil)
        #expect(preview.attachments == [Self.photo])
        let verdict = try #require(try thread.verdict(on: preview))
        #expect(verdict.isValid)
        #expect(verdict.uncheckedClaims == ["replying_to_message_sequence_id", "raw_event_edit_message"])
    }

    @Test func `embedded events keep their bytes, unknown fields and all`() throws {
        let thread = try Thread()
        // Field 99, an i32, before the closing STOP.
        let bytes = thread.original.encoded().dropLast() + [0x08, 0x00, 0x63, 0, 0, 0, 7, 0x00]
        let preview = try thread.pair.bob.preview(
            for: .event(ReplySource(Encoded(bytes: Array(bytes)))),
            in: Pair.conversation,
            keyVersion: thread.pair.change.version
        )
        #expect(preview.rawEventMessageCreate?.bytes == Array(bytes))
    }

    @Test func `a preview without an event is unchecked and has no result`() throws {
        var thread = try Thread()
        var claims = ReplyClaims()
        claims.sequenceID = "100"
        claims.text = "whatever"
        let draft = MessageDraft("re", reply: .claimed(claims))
        let event = try thread.pair.alice.open(thread.pair.bob.seal(.message(draft), in: Pair.conversation).event)
        #expect(event.replyValidation == nil)
        claims.sequenceID = nil
        let refused = MessageDraft("re", reply: .claimed(claims))
        #expect(code { _ = try thread.pair.bob.seal(.message(refused), in: Pair.conversation) } == .invalidArgument)
    }

    @Test func `a preview that says what the original does not is invalid, and says why`() throws {
        var thread = try Thread()
        let honest = try thread.honest()
        #expect(try thread.verdict(on: honest)?.failure == nil)

        func failure(_ change: (inout ReplyingToPreview) throws -> Void) throws -> String? {
            var preview = honest
            try change(&preview)
            return try thread.verdict(on: preview)?.failure
        }
        #expect(try failure { $0.messageText = "#a @b and" } == nil)
        #expect(try failure { $0.messageText = "" } == nil)
        #expect(try failure { $0.messageText = nil } == nil)
        #expect(try failure { $0.entities = [] } == nil)
        #expect(try failure { $0.entities = Array((honest.entities ?? []).dropFirst()) } == nil)
        #expect(try failure { $0.messageText = "I quit" }?.contains("message_text") == true)
        #expect(try failure { $0.messageText = "#a @b and more?" }?.contains("message_text") == true)
        #expect(try failure { $0.senderID = 2222 }?.contains("sender_id") == true)
        #expect(try failure { $0.replyingToMessageID = "other" }?.contains("replying_to_message_id") == true)
        #expect(try failure { $0.replyingToMessageSequenceID = "7" }?.contains("sequence_id") == true)
        #expect(try failure { $0.entities?[0].endIndex = 3 }?.contains("entities") == true)
        #expect(try failure { $0.attachments = [.post(PostAttachment(restID: "1"))] }?.contains("attachments") == true)
        #expect(
            try failure { $0.rawEventMessageCreate = Encoded(bytes: [8, 0, 1, 0, 0, 0, 7, 0]) }?
                .contains("the original")
                == true
        )
        var altered = thread.original
        altered.messageID = "x"
        let forged = Encoded(altered)
        let forgery = try failure { preview in
            preview.rawEventMessageCreate = forged
            preview.replyingToMessageID = "x"
        }
        #expect(forgery?.contains("wrong_signature") == true)
    }

    @Test func `claims that nothing vouches for are named`() throws {
        var thread = try Thread()
        var preview = try thread.honest()
        preview.senderDisplayName = "The Bank"
        preview.replyingToAttachmentID = "1"
        #expect(
            try thread.verdict(on: preview)?.uncheckedClaims == [
                "sender_display_name", "replying_to_message_sequence_id", "replying_to_attachment_id",
            ]
        )
    }

    @Test func `an edit of another message, or by another author, makes the preview invalid`() throws {
        var thread = try Thread()
        let other = try thread.pair.alice.seal(.edit(EditDraft(of: "12345", text: "x")), in: Pair.conversation).event
        let foreign = try thread.pair.bob.seal(.edit(EditDraft(of: "100", text: "x")), in: Pair.conversation).event
        var preview = try thread.honest()
        preview.messageText = "x"
        preview.entities = nil
        for (edit, reason) in [(other, "another message"), (foreign, "author"), (thread.original, "not an edit")] {
            preview.rawEventEditMessage = Encoded(edit)
            #expect(try thread.verdict(on: preview)?.failure?.contains(reason) == true, "\(reason)")
        }
    }

    @Test func `the claim that an edit is of the quoted message is listed as unproven, and needs both ids`() throws {
        var thread = try Thread()
        let other = try thread.pair.alice.seal(.edit(EditDraft(of: "12345", text: "x")), in: Pair.conversation).event
        let ofNone = try forge(
            .messageCreateEvent(
                MessageCreateEvent(
                    contents: try thread.pair.change.key.seal(
                        MessageEntryHolder(contents: .messageEdit(MessageEdit(updatedText: "x"))).encoded()
                    ),
                    conversationKeyVersion: thread.pair.change.version
                )
            ),
            by: thread.pair.alice
        )
        // Both events are Alice's own. The sequence id with her message is written by the user who replies.
        func verdict(_ sequenceID: SequenceID?, _ edit: MessageEvent) throws -> ReplyValidation? {
            var original = thread.original
            original.sequenceID = sequenceID
            return try thread.verdict(
                on: ReplyingToPreview(
                    senderID: 1111,
                    messageText: "x",
                    replyingToMessageID: original.messageID,
                    rawEventMessageCreate: Encoded(original),
                    rawEventEditMessage: Encoded(edit)
                )
            )
        }
        let passing = try verdict("12345", other)
        #expect(passing?.failure == nil)
        #expect(passing?.uncheckedClaims == ["raw_event_edit_message"])
        for (sequenceID, edit) in [(nil, other), ("12345", ofNone), (nil, ofNone)] as [(SequenceID?, MessageEvent)] {
            #expect(try verdict(sequenceID, edit)?.failure?.contains("another message") == true)
        }
    }

    @Test func `an original of another conversation, forged or of another kind is refused before sending`() throws {
        let thread = try Thread()
        func refusal(_ event: MessageEvent) -> XChatError.Code? {
            let draft = MessageDraft("re", reply: .event(ReplySource(Encoded(event))))
            return code { _ = try thread.pair.bob.seal(.message(draft), in: Pair.conversation) }
        }
        #expect(refusal(thread.original) == nil)
        var forged = thread.original
        forged.messageID = "m-2"
        #expect(refusal(forged) == .wrongSignature)
        #expect(refusal(thread.edit) == .unsupported)
        #expect(refusal(thread.pair.change.event) == .unsupported)
        var nowhere = thread.original
        nowhere.sequenceID = nil
        #expect(refusal(nowhere) == .invalidArgument)

        var carol = try person("3333")
        var bob = thread.pair.bob
        carol.trust(bob.pins["2222"])
        bob.trust(carol.pins["3333"])
        let elsewhere = ConversationID(canonicalizing: "2222:3333")
        let key = try ConversationKey.generate()
        try carol.addConversationKey(key, in: elsewhere, version: "5")
        try bob.addConversationKey(key, in: elsewhere, version: "5")
        var foreign = try carol.seal(.text("elsewhere"), in: elsewhere).event
        foreign.sequenceID = "9"
        let draft = MessageDraft("re", reply: .event(ReplySource(Encoded(foreign))))
        #expect(code { _ = try bob.seal(.message(draft), in: Pair.conversation) } == .inconsistent)
    }

    @Test func `a quoted message under an older key is read with the key change in the preview`() throws {
        var thread = try Thread()
        let people = thread.pair.alice.pins["1111"] + thread.pair.alice.pins["2222"]
        let rotation = try thread.pair.alice.prepareKeyChange(in: Pair.conversation, participants: people)
        for event in [rotation.event] { _ = try thread.pair.bob.open(event) }
        // A reader who has only the new key, and a wrong key under the old version.
        var reader = try Session(userID: "1111", privateKeys: thread.pair.alice.privateKeys, signingKeyVersion: "1")
        reader.trust(people)
        try reader.addConversationKey(rotation.key, in: Pair.conversation, version: rotation.version)
        try reader.addConversationKey(
            try ConversationKey.generate(),
            in: Pair.conversation,
            version: thread.pair.change.version
        )
        var source = thread.source()
        source.keyChanges = [Encoded(thread.pair.change.event), Encoded(rotation.event)]
        let draft = MessageDraft("re", reply: .event(source))
        let event = try reader.open(thread.pair.bob.seal(.message(draft), in: Pair.conversation).event)
        #expect(event.replyValidation?.failure == nil)
        guard case .message(let message) = event.contents?.contents else { throw XChatError(.malformed, "kind") }
        #expect(message.replyingToPreview?.rawEventCkces == [Encoded(thread.pair.change.event)])
    }

    @Test func `an embedded key change costs a key agreement only if it can bring the needed key`() throws {
        let thread = try Thread()
        guard case .conversationKeyChangeEvent(var change) = thread.pair.change.event.detail else {
            throw XChatError(.malformed, "kind")
        }
        change.conversationParticipantKeys?.removeAll { $0.userID != "1111" }
        var ofAnother = change
        ofAnother.conversationKeyVersion = "7"
        var useless = change
        useless.conversationParticipantKeys?[0].encryptedConversationKey = "AAAA"
        let people = thread.pair.alice.pins["1111"] + thread.pair.alice.pins["2222"]
        let newer = try ConversationKey.generate()

        /// A reader's validation of a reply with these key changes, and how often it used the private key.
        func reading(
            _ keyChanges: [ConversationKeyChangeEvent],
            knowsKey: Bool = false
        ) throws -> (validation: ReplyValidation?, unwraps: Int) {
            let keys = CountingKeys(counted: try #require(thread.pair.alice.privateKeys).keys)
            var reader = try Session(userID: "1111", privateKeys: PrivateKeys(suite: .xchat, keys: keys))
            reader.trust(people)
            try reader.addConversationKey(newer, in: Pair.conversation, version: "9999999999999")
            if knowsKey {
                try reader.addConversationKey(
                    thread.pair.change.key,
                    in: Pair.conversation,
                    version: thread.pair.change.version
                )
            }
            let preview = ReplyingToPreview(
                rawEventMessageCreate: Encoded(thread.original),
                rawEventCkces: keyChanges.map { change in
                    Encoded(MessageEvent(detail: .conversationKeyChangeEvent(change)))
                }
            )
            let contents = MessageEntryHolder(contents: .message(MessageContents(replyingToPreview: preview)))
            let create = MessageCreateEvent(
                contents: try newer.seal(contents.encoded()),
                conversationKeyVersion: "9999999999999"
            )
            let event = try reader.open(forge(.messageCreateEvent(create), by: thread.pair.bob))
            return (event.replyValidation, keys.unwraps.withLock { $0 })
        }
        let needed = try reading(Array(repeating: ofAnother, count: 20) + [change])
        #expect(needed.validation?.failure == nil)
        #expect(needed.unwraps == 1)
        let known = try reading([change, useless], knowsKey: true)
        #expect(known.validation?.failure == nil)
        #expect(known.unwraps == 0)
        let flooded = try reading(Array(repeating: useless, count: 100))
        #expect(flooded.validation?.failure?.contains("key_missing") == true)
        #expect(flooded.unwraps == KeyRing.maximumPerVersion)
    }

    @Test func `edits and deletions count only from their rightful author`() throws {
        var thread = try Thread()
        let original = try thread.pair.bob.open(thread.original)
        let edit = try thread.pair.bob.open(thread.edit)
        #expect(original.edited(by: edit)?.messageText == "edited text")
        #expect(original.edited(by: edit)?.entities == nil)

        let foreign = try thread.pair.bob.seal(.edit(EditDraft(of: "100", text: "x")), in: Pair.conversation).event
        #expect(original.edited(by: try thread.pair.bob.open(foreign)) == nil)
        let other = try thread.pair.alice.seal(.edit(EditDraft(of: "99", text: "x")), in: Pair.conversation).event
        #expect(original.edited(by: try thread.pair.bob.open(other)) == nil)

        func deletion(_ ids: [SequenceID], forAll: Bool, by session: Session) throws -> Event {
            let detail = MessageDeleteEvent(
                sequenceIDs: ids,
                deleteMessageAction: forAll ? .deleteForAll : .deleteForSelf
            )
            return try thread.pair.bob.open(forge(.messageDeleteEvent(detail), by: session))
        }
        #expect(try deletion(["1", "100"], forAll: true, by: thread.pair.alice).isRightfulDeletion(of: original))
        #expect(try !deletion(["100"], forAll: false, by: thread.pair.alice).isRightfulDeletion(of: original))
        #expect(try !deletion(["1"], forAll: true, by: thread.pair.alice).isRightfulDeletion(of: original))
        let byBob = try deletion(["100"], forAll: true, by: thread.pair.bob)
        #expect(!byBob.isRightfulDeletion(of: original))
        #expect(!byBob.isRightfulDeletion(of: original, administrators: ["2222"]))
    }

    @Test func `a signed event is recognised when it is delivered again`() throws {
        var thread = try Thread()
        let event = try thread.pair.bob.open(thread.original)
        var filter = SeenEvents()
        let verdicts = [
            filter.insert(event), filter.insert(event), filter.insert(try thread.pair.bob.open(thread.edit)),
        ]
        #expect(verdicts == [.new, .repeated, .new])
    }

    @Test func `an event of another author under the same message id is another event`() throws {
        var thread = try Thread()
        let taken = try forge(
            .messageDeleteEvent(MessageDeleteEvent(sequenceIDs: ["1"], deleteMessageAction: .deleteForSelf)),
            by: thread.pair.bob,
            messageID: thread.original.messageID
        )
        let events = try [taken, thread.original, thread.original].map { try thread.pair.bob.open($0) }
        var filter = SeenEvents()
        #expect(events.map { filter.insert($0) } == [.new, .new, .repeated])
    }

    @Test func `an id stays taken until the last event that has it is forgotten`() throws {
        var thread = try Thread()
        func event(_ id: SequenceID, _ messageID: MessageID) throws -> Event {
            let detail = MessageDeleteEvent(sequenceIDs: [id], deleteMessageAction: .deleteForSelf)
            return try thread.pair.bob.open(
                forge(.messageDeleteEvent(detail), by: thread.pair.alice, messageID: messageID)
            )
        }
        var filter = SeenEvents(limit: 3)
        let first = try [event("1", "a"), event("2", "a"), event("3", "b")]
        #expect(first.map { filter.insert($0) } == [.new, .sameID, .new])
        // The first event of the id is forgotten, the second is not.
        #expect(filter.insert(try event("4", "c")) == .new)
        #expect(filter.insert(try event("5", "a")) == .sameID)
        #expect(filter.insert(try event("6", "d")) == .new)
        #expect(filter.insert(try event("7", "e")) == .new)
        #expect(filter.insert(try event("8", "f")) == .new)
        #expect(filter.insert(try event("9", "a")) == .new)
    }
}

/// Private keys that count the calls of unwrap.
private final class CountingKeys: SuitePrivateKeys {
    private let counted: any SuitePrivateKeys
    let unwraps = Mutex(0)

    init(counted: any SuitePrivateKeys) {
        self.counted = counted
    }

    var identityKey: any SuiteIdentityKey { counted.identityKey }
    var signingKey: (any SuiteSigningKey)? { counted.signingKey }

    func unwrap(_ wrapped: [UInt8]) throws(XChatError) -> ConversationKey {
        unwraps.withLock { $0 += 1 }
        return try counted.unwrap(wrapped)
    }

    func sign(_ text: Span<UInt8>) throws(XChatError) -> [UInt8] { try counted.sign(text) }
    func endorsement() throws(XChatError) -> [UInt8]? { try counted.endorsement() }

    func withBlob<Result>(_ body: (Span<UInt8>) throws(XChatError) -> Result) throws(XChatError) -> Result {
        try counted.withBlob(body)
    }
}
