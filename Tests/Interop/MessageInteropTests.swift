import Testing
import XChatEngine
import XChatEvents

@Suite(.enabled(if: Peer.isWanted, Peer.absence))
struct MessageInteropTests {
    private static let count = 1000

    /// The values that vary with the text, so that optional fields are tested in both directions too.
    private struct Variation {
        let notifies: Bool
        let ttlMsec: Int64?
        let hasEntity: Bool

        init(_ index: Int, _ text: String) {
            notifies = index % 3 != 0
            ttlMsec = index % 5 == 0 ? Int64(index) * 1000 : nil
            hasEntity = index % 7 == 0 && !text.isEmpty
        }
    }

    @Test func `X's SDK verifies and decrypts 1,000 texts of ours`() throws {
        var people = try People()
        var texts = RandomTexts()
        let drafts = texts.take(Self.count)
        let announced = try people.announceByAlice()
        var events: [MessageEvent] = []
        for (index, text) in drafts.enumerated() {
            let variation = Variation(index, text)
            let sealed = try people.alice.seal(
                .message(
                    MessageDraft(
                        text,
                        entities: variation.hasEntity
                            ? [RichTextEntity(startIndex: 0, endIndex: 1, content: .hashtag(HashtagRichTextContent()))]
                            : nil,
                        shouldNotify: variation.notifies,
                        ttlMsec: variation.ttlMsec
                    )
                ),
                in: people.conversation
            )
            events.append(try people.served(sealed))
        }

        // The key change is last: both engines must find it at any position.
        let decrypted = try people.peer.call(
            "decrypt_events",
            of: People.bob,
            [
                "events": .list((events + [announced.event]).map { .string($0.base64) }),
                "signing_keys": people.signingKeys,
            ],
            returning: DecryptedEvents.self
        )
        #expect(decrypted.errors.first?.value == nil, "seed \(texts.seed)")
        #expect(decrypted.conversationKeys.keys == [announced.change.version.string: Bytes(announced.change.key.bytes)])
        try #require(decrypted.messages.count == drafts.count + 1)
        #expect(decrypted.messages.last?.event.type == "KeyChange")
        #expect(decrypted.messages.last?.event.verified == true)
        for (index, text) in drafts.enumerated() {
            let event = decrypted.messages[index].event
            let variation = Variation(index, text)
            let place: Comment = "text \(index), seed \(texts.seed)"
            #expect(event.type == "Message", place)
            #expect(event.verified == true, place)
            #expect(event.senderID == "1111", place)
            #expect(event.conversationID == people.conversation.string, place)
            #expect(event.keyVersion == announced.change.version.string, place)
            #expect(event.id == events[index].messageID?.string, place)
            #expect(event.content?.contentType == "Text", place)
            #expect(event.content?.text.map { Array($0.utf8) } == Array(text.utf8), place)
            #expect(event.content?.entities?.count == (variation.hasEntity ? 1 : nil), place)
            #expect(event.shouldNotify == variation.notifies, place)
            #expect(event.ttlMsec == variation.ttlMsec, place)
        }
        report(drafts.count, "texts of ours read by chatxdk, seed \(texts.seed)")
    }

    @Test func `we verify and decrypt 1,000 texts of X's SDK`() throws {
        var people = try People()
        var texts = RandomTexts()
        let drafts = texts.take(Self.count)
        let announced = try people.announceByBob()
        var events: [MessageEvent] = []
        for (index, text) in drafts.enumerated() {
            let variation = Variation(index, text)
            var arguments: [String: Argument] = [
                "conversation_id": .string(people.conversation.string),
                "text": .string(text),
                "conversation_key": .bytes(announced.change.conversationKey),
                "conversation_key_version": .string(announced.change.conversationKeyVersion),
                "should_notify": .bool(variation.notifies),
            ]
            if let ttlMsec = variation.ttlMsec { arguments["ttl_msec"] = .integer(ttlMsec) }
            if variation.hasEntity {
                arguments["entities"] = .list([.list([.integer(0), .integer(1), .string("hashtag")])])
            }
            let payload = try people.peer.call(
                "encrypt_message",
                of: People.bob,
                arguments,
                returning: SendPayload.self
            )
            events.append(try people.served(payload))
        }

        let opened = people.alice.open(
            try (events + [announced.event]).map { .success(try MessageEvent(base64: $0.base64)) }
        )
        try #require(opened.count == drafts.count + 1)
        #expect(try opened[drafts.count].get().isVerified)
        let key = people.alice.keyRing.acceptedKey(
            in: people.conversation,
            version: KeyVersion(announced.change.conversationKeyVersion)
        )
        #expect(key?.bytes == announced.change.conversationKey.bytes)
        for (index, text) in drafts.enumerated() {
            let variation = Variation(index, text)
            let place: Comment = "text \(index), seed \(texts.seed)"
            let event = try opened[index].get()
            #expect(event.isVerified, place)
            guard case .message(let message) = event.contents?.contents,
                case .messageCreateEvent(let create) = event.received.detail
            else {
                Issue.record("no message in \(place)")
                continue
            }
            #expect(message.messageText.map { Array($0.utf8) } == Array(text.utf8), place)
            #expect(message.entities?.count == (variation.hasEntity ? 1 : nil), place)
            #expect(create.shouldNotify == variation.notifies, place)
            #expect(create.ttlMsec == variation.ttlMsec, place)
        }
        report(drafts.count, "texts of chatxdk read by us, seed \(texts.seed)")
    }

    @Test func `both refuse a message with a flipped bit`() throws {
        var people = try People()
        var texts = RandomTexts()
        let announced = try people.announceByAlice()
        let keys: Argument = .members([announced.change.version.string: .bytes(announced.change.key.bytes)])
        let sealed = try people.alice.seal(.text("attack at dawn"), in: people.conversation)
        let event = try people.served(sealed)
        let arguments = { (event: MessageEvent, people: People) -> [String: Argument] in
            [
                "event_b64": .string(event.base64),
                "conversation_keys": keys,
                "signing_keys": people.signingKeys,
            ]
        }
        #expect(try people.peer.refusal("decrypt_event", of: People.bob, arguments(event, people)) == nil)
        _ = try people.alice.open(event)

        guard case .messageCreateEvent(let create) = event.detail, let contents = create.contents else {
            Issue.record("no contents")
            return
        }
        var cases = 0
        for _ in 0..<100 {
            var forgedContents = contents
            let bit = texts.number(in: 0..<contents.count * 8)
            forgedContents[bit / 8] ^= 1 << UInt8(bit % 8)
            var forgedCreate = create
            forgedCreate.contents = forgedContents
            var forged = event
            forged.detail = .messageCreateEvent(forgedCreate)
            let place: Comment = "bit \(bit)"
            let error = #expect(throws: XChatError.self, place) { try people.alice.open(forged) }
            #expect(error?.code == .wrongSignature, place)
            #expect(try people.peer.refusal("decrypt_event", of: People.bob, arguments(forged, people)) != nil, place)
            cases += 1
        }
        var moved = event
        moved.senderID = "2222"
        let error = #expect(throws: XChatError.self) { try people.alice.open(moved) }
        #expect(error?.code == .wrongSignature)
        #expect(try people.peer.refusal("decrypt_event", of: People.bob, arguments(moved, people)) != nil)
        report(cases + 1, "forged messages refused by both")
    }

    @Test func `messages of a group are read in both directions`() throws {
        var people = try People(in: ConversationID(canonicalizing: "g2070276095283454002"))
        let announced = try people.announceByAlice()
        let sealed = try people.alice.seal(.text("to all"), in: people.conversation)
        let events = [announced.event, try people.served(sealed)]
        let decrypted = try people.peer.call(
            "decrypt_events",
            of: People.bob,
            ["events": .list(events.map { .string($0.base64) }), "signing_keys": people.signingKeys],
            returning: DecryptedEvents.self
        )
        #expect(decrypted.errors.first?.value == nil)
        #expect(decrypted.messages.map(\.event.verified) == [true, true])
        #expect(decrypted.messages.last?.event.content?.text == "to all")

        let payload = try people.peer.call(
            "encrypt_message",
            of: People.bob,
            [
                "conversation_id": .string(people.conversation.string),
                "text": .string("to all again"),
                "conversation_key": .bytes(announced.change.key.bytes),
                "conversation_key_version": .string(announced.change.version.string),
            ],
            returning: SendPayload.self
        )
        let opened = try people.alice.open(people.served(payload))
        guard case .message(let message) = opened.contents?.contents else {
            Issue.record("no message")
            return
        }
        #expect(opened.isVerified)
        #expect(message.messageText == "to all again")
    }
}
