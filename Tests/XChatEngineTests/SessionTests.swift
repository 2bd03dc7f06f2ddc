import LibSodium
import TestSupport
import Testing
import XChatEvents

@testable import XChatEngine

/// Two users with a common conversation key.
struct Pair {
    static let conversation = ConversationID(canonicalizing: "1111:2222")
    var alice: Session
    var bob: Session
    let change: KeyChange

    init(_ suite: SuiteName = .xchat) throws {
        alice = try person("1111", suite)
        bob = try person("2222", suite)
        alice.trust(bob.pins["2222"])
        bob.trust(alice.pins["1111"])
        change = try alice.prepareKeyChange(
            in: Self.conversation,
            participants: alice.pins["1111"] + alice.pins["2222"]
        )
        try alice.addConversationKey(change.key, in: Self.conversation, version: change.version)
    }
}

func person(_ id: UserID, _ suite: SuiteName = .xchat) throws -> Session {
    let keys = try PrivateKeys.generate(suite)
    var session = try Session(userID: id, privateKeys: keys, signingKeyVersion: "1")
    session.trust([try keys.verifiedKey(userID: id, version: "1")])
    return session
}

/// Signs any detail as the user of any session, also one that the public API refuses.
func forge(
    _ detail: MessageEventDetail,
    by session: Session,
    as sender: UserID? = nil,
    in conversation: WireString? = "1111:2222",
    key: ConversationKey? = nil,
    messageID: MessageID? = nil
) throws -> MessageEvent {
    var event = MessageEvent(
        messageID: messageID ?? MessageID.random(),
        senderID: sender ?? session.userID,
        conversationID: conversation,
        detail: detail
    )
    let payload = try SignedPayload(of: event, version: .current)
    let keys = try #require(session.privateKeys)
    let signature: [UInt8]
    if let key {
        signature = try payload.withText(conversationKey: key) { text throws(XChatError) in
            try keys.keys.sign(text)
        }
    } else {
        signature = try keys.keys.sign(payload.bytes.span)
    }
    event.messageEventSignature = MessageEventSignature(
        signature: WireString(Base64.encode(signature, padding: false)),
        publicKeyVersion: session.signingKeyVersion,
        signatureVersion: "7"
    )
    return event
}

func keyChangeDetail(_ key: ConversationKey, version: KeyVersion, to people: [Session]) throws
    -> MessageEventDetail
{
    .conversationKeyChangeEvent(
        ConversationKeyChangeEvent(
            conversationKeyVersion: version,
            conversationParticipantKeys: try people.map {
                let identity = try #require($0.privateKeys).identityKey
                return ConversationParticipantKey(
                    userID: $0.userID,
                    encryptedConversationKey: WireString(Base64.encode(try identity.key.wrap(key))),
                    publicKeyVersion: "1"
                )
            }
        )
    )
}

@Suite struct SessionTests {
    static let texts = [
        "", "a", "hello", "👩‍👩‍👧 emoji", "שלום \u{202e}right to left", "nul \0 inside", "line\r\nbreak",
        "e\u{301} é",
        String(repeating: "x", count: 65_536),
    ]

    @Test(arguments: SuiteName.all)
    func `a message that one user encrypts is verified and read by the other`(suite: SuiteName) throws {
        var pair = try Pair(suite)
        var lines = [pair.change.event.encoded()]
        for text in Self.texts {
            lines.append(try pair.alice.seal(.text(text), in: Pair.conversation).event.encoded())
        }
        // The key change comes last and still supplies its key.
        lines.append(lines.removeFirst())
        let events = try lines.map {
            Result<MessageEvent, XChatError>.success(try MessageEvent(decoding: $0))
        }
        let opened = pair.bob.open(events)
        #expect(opened.count == Self.texts.count + 1)
        for (text, result) in zip(Self.texts, opened) {
            let event = try result.get()
            #expect(event.isVerified)
            #expect(event.contents?.contents == .message(MessageContents(messageText: WireString(text))))
        }
        #expect(try opened[Self.texts.count].get().isVerified)
        #expect(pair.bob.keyRing.newestVersion(in: Pair.conversation) == pair.change.version)
    }

    @Test func `a draft's members reach the reader`() throws {
        var pair = try Pair()
        let entities = [
            RichTextEntity(startIndex: 0, endIndex: 2, content: .hashtag(HashtagRichTextContent()))
        ]
        let draft = Draft.message(MessageDraft("#a", entities: entities, shouldNotify: false, ttlMsec: 5000))
        let sealed = try pair.alice.seal(draft, in: Pair.conversation)
        _ = try pair.bob.open(pair.change.event)
        let event = try pair.bob.open(sealed.event)
        #expect(
            event.contents?.contents == .message(MessageContents(messageText: "#a", entities: entities))
        )
        guard case .messageCreateEvent(let create) = event.received.detail else {
            throw XChatError(.malformed, "kind")
        }
        #expect(create.shouldNotify == false)
        #expect(create.ttlMsec == 5000)
        #expect(Base64.encode(create.encoded()) == sealed.encodedMessageCreateEvent)
    }

    @Test func `an invalid draft is refused`() throws {
        let pair = try Pair()
        func refused(_ draft: MessageDraft) -> XChatError.Code? {
            code { _ = try pair.alice.seal(.message(draft), in: Pair.conversation) }
        }
        #expect(refused(MessageDraft("a", ttlMsec: -1)) == .invalidArgument)
        for (start, end) in [(-1, 0), (1, 0), (0, 2), (2, 2)] as [(Int32, Int32)] {
            #expect(
                refused(MessageDraft("a", entities: [RichTextEntity(startIndex: start, endIndex: end)]))
                    == .invalidArgument
            )
        }
        #expect(refused(MessageDraft("a", entities: [RichTextEntity(startIndex: 0)])) == .invalidArgument)
    }

    @Test(arguments: SuiteName.all)
    func `no message with a bit flipped in ciphertext, signature or signed fields is opened`(
        suite: SuiteName
    ) throws {
        var pair = try Pair(suite)
        _ = try pair.bob.open(pair.change.event)
        let event = try pair.alice.seal(.text("pay 10"), in: Pair.conversation).event
        guard case .messageCreateEvent(let create) = event.detail else {
            throw XChatError(.malformed, "kind")
        }
        let box = try #require(create.contents)
        for bit in 0..<box.count * 8 {
            var altered = create
            altered.contents = flipped(box, bit: bit)
            var tampered = event
            tampered.detail = .messageCreateEvent(altered)
            #expect(code { _ = try pair.bob.open(tampered) } == .wrongSignature, "bit \(bit)")
        }
        let signature = try Base64.decode(try #require(event.messageEventSignature?.signature))
        for bit in 0..<signature.count * 8 {
            var tampered = event
            tampered.messageEventSignature?.signature = WireString(
                Base64.encode(flipped(signature, bit: bit))
            )
            #expect(code { _ = try pair.bob.open(tampered) } == .wrongSignature, "bit \(bit)")
        }
        var other = event
        other.messageID = "m-2"
        #expect(code { _ = try pair.bob.open(other) } == .wrongSignature)
        other = event
        other.conversationID = "2222:1111"
        #expect(code { _ = try pair.bob.open(other) } == .wrongSignature)
        other = event
        other.conversationID = nil
        #expect(code { _ = try pair.bob.open(other) } == .wrongSignature)
    }

    @Test func `a ciphertext is not opened even when the signer signed the altered one`() throws {
        var pair = try Pair()
        _ = try pair.bob.open(pair.change.event)
        let box = try pair.change.key.withBytes { key throws(SodiumError) in
            try SecretBox.seal([1, 2, 3].span, key: key)
        }
        let create = MessageCreateEvent(
            contents: flipped(box, bit: 340),
            conversationKeyVersion: pair.change.version
        )
        let event = try forge(.messageCreateEvent(create), by: pair.alice)
        #expect(code { _ = try pair.bob.open(event) } == .authenticationFailed)
        for count in [0, 1, 24, 39] {
            let short = MessageCreateEvent(
                contents: Array(box.prefix(count)),
                conversationKeyVersion: pair.change.version
            )
            #expect(
                code { _ = try pair.bob.open(try forge(.messageCreateEvent(short), by: pair.alice)) }
                    == .authenticationFailed
            )
        }
        let garbage = MessageCreateEvent(contents: box, conversationKeyVersion: pair.change.version)
        #expect(
            code { _ = try pair.bob.open(try forge(.messageCreateEvent(garbage), by: pair.alice)) }
                == .malformed
        )
    }

    @Test func `each way of having no valid signature has its reason`() throws {
        var pair = try Pair()
        _ = try pair.bob.open(pair.change.event)
        let event = try pair.alice.seal(.text("hi"), in: Pair.conversation).event

        func reason(_ change: (inout MessageEvent) -> Void) -> XChatError.Code? {
            var altered = event
            change(&altered)
            return code { try pair.bob.verify(altered) }
        }
        #expect(reason { _ in } == nil)
        #expect(reason { $0.messageEventSignature = nil } == .noSignature)
        #expect(reason { $0.messageEventSignature?.signature = nil } == .noSignature)
        #expect(reason { $0.messageEventSignature?.signature = "!" } == .wrongSignature)
        #expect(reason { $0.messageEventSignature?.signature = "" } == .wrongSignature)
        #expect(reason { $0.messageEventSignature?.signatureVersion = "1" } == .versionRefused)
        #expect(reason { $0.messageEventSignature?.signatureVersion = "-7" } == .versionRefused)
        #expect(reason { $0.messageEventSignature?.signatureVersion = nil } == nil)
        #expect(reason { $0.messageEventSignature?.publicKeyVersion = "2" } == .unknownSigner)
        #expect(reason { $0.messageEventSignature?.publicKeyVersion = nil } == .unknownSigner)
        #expect(reason { $0.senderID = "3333" } == .unknownSigner)
        #expect(reason { $0.senderID = nil } == .unknownSigner)
        #expect(reason { $0.messageID = nil } == .notRepresentable)
        #expect(reason { $0.messageID = "a,b" } == .notRepresentable)
        #expect(reason { $0.sequenceID = "1 2" } == .invalidValue)
        #expect(
            reason { $0.detail = .messageCreateEvent(MessageCreateEvent(contents: [1])) } == .unencrypted
        )
        #expect(reason { $0.detail = .messageTypingEvent(MessageTypingEvent()) } == .neverSigned)
        #expect(reason { $0.detail = nil } == .neverSigned)
    }

    @Test func `kinds that are never signed are returned marked as such`() throws {
        var pair = try Pair()
        let typing = MessageEvent(
            senderID: "1111",
            conversationID: "1111:2222",
            detail: .messageTypingEvent(MessageTypingEvent(conversationID: "1111:2222"))
        )
        #expect(try pair.bob.open(typing) == Event(received: typing, isVerified: false, contents: nil))
    }

    @Test func `a message of a stranger with a pinned key is not of the conversation`() throws {
        var pair = try Pair()
        _ = try pair.bob.open(pair.change.event)
        let mallory = try person("3333")
        pair.bob.trust(mallory.pins["3333"])
        let create = MessageCreateEvent(contents: [1], conversationKeyVersion: pair.change.version)
        #expect(
            code { _ = try pair.bob.open(try forge(.messageCreateEvent(create), by: mallory)) }
                == .notAParticipant
        )
    }

    @Test func `a stranger's key change, however well bound, delivers nothing`() throws {
        var pair = try Pair()
        let mallory = try person("3333")
        pair.bob.trust(mallory.pins["3333"])
        let key = try ConversationKey.generate()
        let detail = try keyChangeDetail(key, version: "9999999999999", to: [pair.bob, pair.alice])
        let event = try forge(detail, by: mallory, key: key)
        #expect(code { _ = try pair.bob.open(event) } == .notAParticipant)
        #expect(pair.bob.keyRing.versions(in: Pair.conversation).isEmpty)
        #expect(pair.bob.keyRing.highestVersion(of: Pair.conversation) == nil)
    }

    @Test func `at most eight entries of a key change are tried, the own ones first`() throws {
        let pair = try Pair()
        let mallory = try person("3333")
        let key = try ConversationKey.generate()
        func entry(_ user: UserID, version: KeyVersion?, to session: Session, _ key: ConversationKey) throws
            -> ConversationParticipantKey
        {
            let identity = try #require(session.privateKeys).identityKey
            return ConversationParticipantKey(
                userID: user,
                encryptedConversationKey: WireString(Base64.encode(try identity.key.wrap(key))),
                publicKeyVersion: version
            )
        }
        /// Whether Bob gets the key of a change with these entries.
        func delivers(_ entries: [ConversationParticipantKey]) throws -> Bool {
            let detail = ConversationKeyChangeEvent(
                conversationKeyVersion: "5",
                conversationParticipantKeys: entries
            )
            var bob = pair.bob
            _ = try? bob.open(forge(.conversationKeyChangeEvent(detail), by: pair.alice, key: key))
            return bob.keyRing.acceptedKey(in: Pair.conversation, version: "5")?.isEqual(to: key) ?? false
        }
        let others = try (0..<20).map { try entry(UserID("\($0)"), version: "1", to: mallory, key) }
        let own = try entry("2222", version: "1", to: pair.bob, key)
        #expect(try delivers(others + [own]))
        #expect(try delivers(others + [entry("2222", version: "9", to: pair.bob, key)]))
        // An entry of another user, with Bob's key version or without one, is tried too, but at most eight entries are.
        for version: KeyVersion? in ["1", nil] {
            let misnamed = try entry("4444", version: version, to: pair.bob, key)
            #expect(try delivers(Array(others.prefix(7)) + [misnamed]))
            #expect(try !delivers(Array(others.prefix(8)) + [misnamed]))
        }
        #expect(try !delivers([entry("4444", version: "2", to: pair.bob, key)]))
        #expect(
            try delivers(
                others.map { other in
                    var other = other
                    other.publicKeyVersion = "2"
                    return other
                } + [entry("4444", version: "1", to: pair.bob, key)]
            )
        )
    }

    @Test func `the accepted members of a group decide whose keys are accepted`() throws {
        let group = ConversationID(canonicalizing: "g9")
        var alice = try person("1111")
        var bob = try person("2222")
        alice.trust(bob.pins["2222"])
        bob.trust(alice.pins["1111"])
        let change = try alice.prepareKeyChange(
            in: group,
            participants: alice.pins["1111"] + alice.pins["2222"]
        )
        try bob.acceptMembers(["2222", "3333"], of: group)
        #expect(code { _ = try bob.open(change.event) } == .notAParticipant)
        #expect(bob.keyRing.versions(in: group).isEmpty)
        try bob.acceptMembers(["1111", "2222"], of: group)
        #expect(try bob.open(change.event).isVerified)
    }

    @Test func `a bad key change of the same version neither removes nor replaces a verified key`()
        throws
    {
        let pair = try Pair()
        var forged = pair.change.event
        let other = try ConversationKey.generate()
        forged.detail = try keyChangeDetail(
            other,
            version: pair.change.version,
            to: [pair.alice, pair.bob]
        )
        let message = try pair.alice.seal(.text("hi"), in: Pair.conversation).event
        for order in [[forged, pair.change.event, message], [pair.change.event, forged, message]] {
            var bob = pair.bob
            let results = bob.open(order.map { .success($0) })
            // The signature covers the key and not the entries: with other entries the event is still genuine.
            #expect(results.allSatisfy { (try? $0.get()) != nil })
            #expect(!bob.keyRing.isDisputed(pair.change.version, in: Pair.conversation))
            #expect(try results[2].get().contents != nil)
            let sealing = try #require(
                bob.keyRing.acceptedKey(in: Pair.conversation, version: pair.change.version)
            )
            #expect(sealing.isEqual(to: pair.change.key))
        }
    }

    @Test func `one key version in two conversations is two keys`() throws {
        var pair = try Pair()
        var carol = try person("3333")
        carol.trust(pair.alice.pins["1111"])
        pair.alice.trust(carol.pins["3333"])
        pair.bob.trust(carol.pins["3333"])
        let other = ConversationID(canonicalizing: "2222:3333")
        carol.trust(pair.bob.pins["2222"])
        let change = try carol.prepareKeyChange(
            in: other,
            participants: carol.pins["3333"] + carol.pins["2222"],
            version: pair.change.version
        )
        try carol.addConversationKey(change.key, in: other, version: change.version)
        let events = [
            pair.change.event, change.event,
            try pair.alice.seal(.text("a"), in: Pair.conversation).event,
            try carol.seal(.text("c"), in: other).event,
        ]
        for result in pair.bob.open(events.map { .success($0) }) {
            #expect(try result.get().isVerified)
        }
    }

    @Test func `texts of base64 are opened in their order, and each invalid one is an error`() throws {
        var pair = try Pair()
        var texts = try (0..<40).map { number in
            Base64.encode(try pair.alice.seal(.text("\(number)"), in: Pair.conversation).event.encoded())
        }
        texts[7] = "no base64"
        texts[20] = String(repeating: "A", count: MessageEvent.maximumEncodedBytes + 1)
        texts.append(Base64.encode(pair.change.event.encoded()))
        let results = pair.bob.open(base64: texts)
        #expect(results.count == 41)
        for (index, result) in results.enumerated() {
            switch (index, result) {
            case (7, .failure(let error)): #expect(error.code == .notAnEvent)
            case (20, .failure(let error)): #expect(error.code == .tooLarge)
            case (40, .success(let event)): #expect(event.isVerified)
            case (_, .success(let event)):
                guard case .message(let message) = event.contents?.contents else {
                    Issue.record("\(index): no message")
                    continue
                }
                #expect(message.messageText == WireString("\(index)"))
            case (_, .failure(let error)): Issue.record("\(index): \(error)")
            }
        }
    }

    @Test func `a key change of an unknown signer decrypts history and never encrypts`() throws {
        let pair = try Pair()
        let message = try pair.alice.seal(.text("old"), in: Pair.conversation).event
        var bob = try Session(
            userID: "2222",
            privateKeys: pair.bob.privateKeys,
            signingKeyVersion: "1"
        )
        #expect(code { _ = try bob.open(pair.change.event) } == .unknownSigner)
        #expect(code { _ = try bob.open(message) } == .unknownSigner)
        #expect(bob.keyRing.newestVersion(in: Pair.conversation) == nil)
        #expect(code { _ = try bob.seal(.text("x"), in: Pair.conversation) } == .keyMissing)
        #expect(
            code {
                _ = try bob.seal(.text("x"), in: Pair.conversation, keyVersion: pair.change.version)
            } == .keyMissing
        )
        bob.trust(pair.alice.pins["1111"])
        #expect(try bob.open(message).marks == [.unverifiedKey])
    }

    @Test func `a downgraded key change is not verified and never seals`() throws {
        var pair = try Pair()
        var event = pair.change.event
        event.messageEventSignature?.signatureVersion = "5"
        #expect(code { _ = try pair.bob.open(event) } == .wrongSignature)
        #expect(pair.bob.keyRing.newestVersion(in: Pair.conversation) == nil)
        #expect(pair.bob.keyRing.highestVersion(of: Pair.conversation) == nil)
    }

    @Test func `a genuine key change in another conversation is refused`() throws {
        var pair = try Pair()
        var event = pair.change.event
        event.conversationID = "g9"
        #expect(code { _ = try pair.bob.open(event) } == .wrongSignature)
        #expect(pair.bob.keyRing.newestVersion(in: ConversationID(canonicalizing: "g9")) == nil)
    }

    @Test func `a key of the caller and a different announced one dispute their version, and both decrypt`() throws {
        var pair = try Pair()
        let wrong = try ConversationKey.generate()
        try pair.bob.addConversationKey(wrong, in: Pair.conversation, version: pair.change.version)
        let message = try pair.alice.seal(.text("hi"), in: Pair.conversation).event
        #expect(code { _ = try pair.bob.open(message) } == .authenticationFailed)
        let results = pair.bob.open([.success(message), .success(pair.change.event)])
        #expect(try results[0].get().contents != nil)
        #expect(try results[0].get().marks.contains(.disputedKey))
        #expect(code { _ = try results[1].get() } == .disputedKey)
        #expect(code { _ = try pair.bob.seal(.text("x"), in: Pair.conversation) } == .disputedKey)
        // The first key stays.
        #expect(
            pair.bob.keyRing.acceptedKey(in: Pair.conversation, version: pair.change.version)?.isEqual(to: wrong)
                == true
        )
    }

    @Test func `many forged key changes do not grow the key ring without limit`() throws {
        var pair = try Pair()
        for _ in 0..<3 * KeyRing.maximumPerVersion {
            var forged = pair.change.event
            forged.detail = try keyChangeDetail(
                ConversationKey.generate(),
                version: pair.change.version,
                to: [pair.bob]
            )
            #expect(code { _ = try pair.bob.open(forged) } == .wrongSignature)
        }
        #expect(
            pair.bob.keyRing.others(in: Pair.conversation, version: pair.change.version).count
                == KeyRing.maximumPerVersion
        )
        #expect(try pair.bob.open(pair.change.event).isVerified)
        #expect(
            pair.bob.keyRing.acceptedKey(in: Pair.conversation, version: pair.change.version)?
                .isEqual(to: pair.change.key) == true
        )
    }

    @Test func `the highest version of a saved state keeps an older key from encrypting`() throws {
        var pair = try Pair()
        #expect(try pair.alice.encryptingVersion(in: Pair.conversation) == pair.change.version)
        let higher = try #require(pair.change.version.number) + 1000
        pair.alice.restoreHighestVersion(higher, of: Pair.conversation)
        #expect(code { _ = try pair.alice.seal(.text("x"), in: Pair.conversation) } == .keyMissing)
        let change = try pair.alice.prepareKeyChange(in: Pair.conversation)
        #expect(try #require(change.version.number) > higher)
    }

    @Test func `new versions are above all known ones, even within one millisecond`()
        throws
    {
        var pair = try Pair()
        pair.alice.clock = { 1000 }
        let people = pair.alice.pins["1111"] + pair.alice.pins["2222"]
        var last = try #require(pair.change.version.number)
        for _ in 0..<3 {
            let change = try pair.alice.prepareKeyChange(in: Pair.conversation, participants: people)
            let version = try #require(change.version.number)
            #expect(version > last)
            last = version
        }
    }

    @Test func `a key change takes exactly the people of the conversation, of one suite`() throws {
        var pair = try Pair()
        let carol = try person("3333")
        let sodium = try person("2222", .sodium)
        func refused(_ people: [VerifiedPublicKey]) -> XChatError.Code? {
            code { _ = try pair.alice.prepareKeyChange(in: Pair.conversation, participants: people) }
        }
        let own = pair.alice.pins["1111"]
        #expect(refused([]) == .notAParticipant)
        #expect(refused(own) == .notAParticipant)
        #expect(refused(pair.bob.pins["2222"]) == .notAParticipant)
        #expect(refused(own + pair.bob.pins["2222"] + carol.pins["3333"]) == .notAParticipant)
        var mixed = try person("1111")
        #expect(
            code { _ = try mixed.prepareKeyChange(in: Pair.conversation, participants: own + sodium.pins["2222"]) }
                == .wrongSuite
        )
        // A conversation of two others, with the wrong users and with the right ones.
        let others = ConversationID(canonicalizing: "2222:3333")
        for people in [own + pair.bob.pins["2222"], pair.bob.pins["2222"] + carol.pins["3333"]] {
            let refusal = code { _ = try pair.alice.prepareKeyChange(in: others, participants: people) }
            #expect(refusal == .notAParticipant)
        }
    }

    @Test func `the version of a new key has 1 to 19 digits`() throws {
        var pair = try Pair()
        for version: KeyVersion in ["", "x", "-1", "12345678901234567890"] {
            let refusal = code { _ = try pair.alice.prepareKeyChange(in: Pair.conversation, version: version) }
            #expect(refusal == .invalidArgument, "\(version)")
        }
        #expect(try pair.alice.prepareKeyChange(in: Pair.conversation, version: "9999").version == "9999")
    }

    @Test func `of several versions of one user the highest number gets the key`() throws {
        var pair = try Pair()
        let keys = try #require(pair.bob.privateKeys)
        let versions = try ["9", "10", "2"].map {
            try keys.verifiedKey(userID: "2222", version: KeyVersion($0))
        }
        let change = try pair.alice.prepareKeyChange(
            in: Pair.conversation,
            participants: versions + pair.alice.pins["1111"]
        )
        #expect(change.participantKeys.map(\.userID) == ["2222", "1111"])
        #expect(change.participantKeys.map(\.publicKeyVersion) == ["10", "1"])
    }

    @Test func `signing needs private keys and a registered version`() throws {
        let pair = try Pair()
        var session = try Session(userID: "1111")
        #expect(code { _ = try session.seal(.text("x"), in: Pair.conversation) } == .notUnlocked)
        session = try Session(userID: "1111", privateKeys: pair.alice.privateKeys)
        #expect(code { _ = try session.seal(.text("x"), in: Pair.conversation) } == .notUnlocked)
        #expect(code { _ = try Session(userID: "") } == .invalidArgument)
        #expect(code { _ = try Session(userID: "1", signingKeyVersion: "") } == .invalidArgument)
    }

    @Test func `a sender id with a comma is refused early`() throws {
        var session = try person("1,1")
        let group = ConversationID(canonicalizing: "g9")
        try session.addConversationKey(try ConversationKey.generate(), in: group, version: "1")
        #expect(code { _ = try session.seal(.text("x"), in: group) } == .notRepresentable)
    }
}

@Suite struct BatchTests {
    /// More events than one core takes at a time, valid and invalid ones mixed.
    @Test(arguments: SuiteName.all)
    func `a batch on all cores gives the same results as one event at a time`(suite: SuiteName) throws {
        let pair = try Pair(suite)
        var events: [Result<MessageEvent, XChatError>] = []
        for index in 0..<200 {
            var event = try pair.alice.seal(.text("message \(index)"), in: Pair.conversation).event
            switch index % 7 {
            case 3: event.messageID = "altered"
            case 4: event.messageEventSignature = nil
            case 5: event.senderID = "3333"
            default: break
            }
            events.append(index % 11 == 6 ? .failure(XChatError(.notAnEvent, "\(index)")) : .success(event))
        }
        events.append(.success(pair.change.event))

        var together = pair.bob
        let batch = together.open(events)
        var alone = pair.bob
        _ = try alone.open(pair.change.event)
        let single = events.map { event in
            Result { () throws(XChatError) in try alone.open(event.get()) }
        }
        #expect(batch.count == 201)
        #expect(batch == single)
        #expect(Set(batch.map { (try? $0.get()) == nil }) == [true, false])
    }
}
