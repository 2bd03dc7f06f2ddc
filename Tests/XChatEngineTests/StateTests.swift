import TestSupport
import Testing
import XChatEvents

@testable import XChatEngine

/// Sessions with a value in every field of their states.
struct RandomSessions {
    private var random: SeededRandom
    /// Keys are made only once, because only their combinations matter.
    private let keys: [PrivateKeys]
    private let event: MessageEvent

    init(seed: UInt64) throws {
        random = SeededRandom(seed: seed)
        keys = try (0..<4).map { try PrivateKeys.generate($0.isMultiple(of: 2) ? .xchat : .sodium) }
        let group = GroupChangeEvent(groupChange: .groupMemberRemove(GroupMemberRemoveChange(memberIDs: ["5"])))
        event = MessageEvent(
            messageID: "m-1",
            senderID: "2222",
            conversationID: "g9",
            detail: .groupChangeEvent(group),
            messageEventSignature: MessageEventSignature(signature: "AAAA", publicKeyVersion: "1")
        )
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func number(below limit: UInt64) -> UInt64 { UInt64.random(in: 0..<limit, using: &random) }

    mutating func id<ID: Identifier>() -> ID { ID(String(1 + number(below: chance(50) ? 20 : .max >> 1))) }

    private mutating func ids(upTo limit: UInt64) -> [UserID] { (0..<number(below: limit)).map { _ in id() } }

    private mutating func digest() throws -> EventDigest {
        let bytes = (0..<EventDigest.byteCount).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        return try #require(EventDigest(stored: bytes))
    }

    mutating func session() throws -> Session {
        var session = try Session(userID: id())
        if chance(80) {
            session = try Session(
                userID: session.userID,
                privateKeys: keys.randomElement(using: &random),
                signingKeyVersion: chance(80) ? id() : nil
            )
        }
        for _ in 0..<number(below: 6) {
            let user: UserID = id()
            let pins = try (0..<1 + number(below: 4)).map { _ in
                try #require(keys.randomElement(using: &random)).verifiedKey(userID: user, version: id())
            }
            session.trust(pins)
            if chance(30), let pin = pins.randomElement(using: &random) { session.restoreReplaced(pin) }
            if chance(30), let pin = pins.randomElement(using: &random) { session.restoreCurrent(pin) }
            if chance(30) { session.restoreRejected(try digest(), of: chance(50) ? user : id()) }
        }
        for _ in 0..<number(below: 6) {
            let conversation =
                chance(50)
                ? ConversationID(canonicalizing: WireString("g\(id() as UserID)")) : .oneToOne(session.userID, id())
            try fill(conversation, of: &session)
        }
        return session
    }

    private mutating func fill(_ conversation: ConversationID, of session: inout Session) throws {
        for _ in 0..<number(below: 5) {
            let key = AcceptedKey(
                key: try ConversationKey.generate(),
                announcer: chance(70) ? id() : nil,
                isOwn: chance(20),
                isStale: chance(20),
                outsiders: chance(20) ? ids(upTo: 4) : []
            )
            _ = session.keyRing.accept(key, in: conversation, version: id())
        }
        for _ in 0..<number(below: 5) {
            session.keyRing.keep(
                try ConversationKey.generate(),
                in: conversation,
                version: id(),
                level: KeyLevel(rawValue: Int(number(below: 4))) ?? .legacy,
                announcer: chance(50) ? id() : nil
            )
        }
        if chance(30) { session.keyRing.restoreDisputed(id(), in: conversation) }
        if chance(30) { session.keyRing.restoreFloor(number(below: .max), of: conversation) }
        if chance(30) { session.restoreHighestVersion(number(below: .max), of: conversation) }
        if conversation.isGroup, chance(80) { session.restore(try membership(), of: conversation) }
    }

    private mutating func membership() throws -> Membership {
        var log: [Membership.Entry] = []
        let effects: [Membership.Effect] = [.founded, .added, .removed, .replaced]
        let claims: [Membership.Claim] = [.signed, .signer, .server, .own, .caller]
        for index in 0...number(below: 5) {
            log.append(
                Membership.Entry(
                    effect: index == 0 ? .founded : try #require(effects.randomElement(using: &random)),
                    claim: try #require(claims.randomElement(using: &random)),
                    signer: chance(70) ? id() : nil,
                    people: ids(upTo: 5),
                    version: chance(70) ? id() : nil,
                    digest: chance(70) ? try digest() : nil
                )
            )
        }
        let present = Set(ids(upTo: 12))
        var bars: [UserID: UInt64] = [:]
        for user in ids(upTo: 5) where !present.contains(user) { bars[user] = number(below: .max) }
        return try Membership(
            log: log,
            present: present,
            bars: bars,
            unjudged: (0..<number(below: 3)).map { _ in Membership.Unjudged(event: event, isVerified: chance(50)) },
            isFull: chance(20),
            isContested: chance(20),
            floor: chance(50) ? number(below: .max) : 0,
            settled: (0..<number(below: 4)).map { _ in try digest() },
            leaving: Set(ids(upTo: 3)).subtracting(present),
            unproven: Set(ids(upTo: 4))
        )
    }
}

@Suite struct StateTests {
    /// A field that no version of the library knows yet.
    private static let later: [UInt8] = {
        var writer = StateWriter(.user)
        writer.text(60, "later" as WireString)
        return Array(writer.bytes.dropFirst(2))
    }()

    /// A session with a group and a conversation of two users, and values in most fields.
    private func full() throws -> Session {
        let people = try People()
        var alice = people.alice
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob, people.carol])
        try history.remove(people.bob, ["3333"])
        try history.rotate(people.bob, for: [people.alice, people.bob])
        _ = alice.deliver(history.events.map { .success($0) })
        let conversation = ConversationID.oneToOne("1111", "2222")
        let key = AcceptedKey(key: try ConversationKey.generate(), announcer: "2222", outsiders: ["77"])
        try alice.restoreKey(key, in: conversation, version: "5")
        try alice.addConversationKey(ConversationKey.generate(), in: conversation, version: "6")
        let other = try ConversationKey.generate()
        alice.keyRing.keep(other, in: conversation, version: "4", level: .legacy, announcer: "2222")
        alice.keyRing.dispute("5", in: conversation)
        try alice.rejectKeys([try PrivateKeys.generate().verifiedKey(userID: "2222", version: "3")])
        return alice
    }

    private func again(_ session: Session) throws -> Session {
        Session(state: try SessionState(decoding: session.state.encoded()))
    }

    private func isSame(_ one: Session, _ other: Session) throws -> Bool {
        let (forth, back) = (one.changed(since: other), other.changed(since: one))
        return forth.users.isEmpty && forth.conversations.isEmpty && back.users.isEmpty && back.conversations.isEmpty
            && one.userID == other.userID && one.signingKeyVersion == other.signingKeyVersion
            && one.privateKeys?.identityKey == other.privateKeys?.identityKey
            && one.privateKeys?.signingKey == other.privateKeys?.signingKey
    }

    // MARK: Round trips

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `a session is the same after encoding and decoding, whole and record by record`(seed: UInt64) throws {
        var random = try RandomSessions(seed: seed)
        let session = try random.session()
        let restored = try again(session)
        #expect(try isSame(session, restored))
        #expect(try session.state.encoded() == restored.state.encoded())

        var rebuilt = try Session(
            userID: session.userID,
            privateKeys: session.privateKeys,
            signingKeyVersion: session.signingKeyVersion
        )
        for user in session.state.users { rebuilt.restore(try UserState(decoding: user.encoded())) }
        for conversation in session.state.conversations {
            rebuilt.restore(try ConversationState(decoding: conversation.encoded()))
        }
        #expect(try isSame(session, rebuilt))
        for user in session.pins.users {
            #expect(rebuilt.pins[user] == session.pins[user])
            #expect(rebuilt.pins.current(of: user) == session.pins.current(of: user))
            #expect(rebuilt.pins[user].map(rebuilt.pins.isReplaced) == session.pins[user].map(session.pins.isReplaced))
        }
        #expect(rebuilt.pins.rejected == session.pins.rejected)
        #expect(rebuilt.memberships == session.memberships)
        for held in session.keyRing.accepted {
            #expect(rebuilt.keyRing.accepted(in: held.conversation, version: held.version) == held.key)
        }
        for conversation in session.keyRing.conversations {
            let versions = session.keyRing.versions(in: conversation)
            #expect(rebuilt.keyRing.versions(in: conversation) == versions)
            #expect(rebuilt.keyRing.newestVersion(in: conversation) == session.keyRing.newestVersion(in: conversation))
        }
    }

    @Test func `a restored session reads, encrypts and refuses as before`() throws {
        let people = try People()
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob, people.carol])
        try history.say(people.bob, "hello")
        var alice = people.alice
        _ = alice.deliver(history.events.dropLast().map { .success($0) })
        var restored = try again(alice)
        let opened = try restored.open(try #require(history.events.last))
        #expect(opened.isVerified && opened.marks.isEmpty)
        let sealed = try restored.seal(.text("back"), in: GroupHistory.id)
        var bob = people.bob
        _ = bob.deliver(history.events.map { .success($0) })
        #expect(try bob.open(sealed.event).isVerified)
        let forged = try PrivateKeys.generate().verifiedKey(userID: "2222", version: "1").registered
        #expect(code { try restored.pin([forged], of: "2222") } == .pinChanged)
        // A restored pin can wrap keys, and its binding signature can still be verified.
        let change = try restored.prepareKeyChange(in: GroupHistory.id, for: ["1111", "2222", "3333"])
        #expect(try bob.open(change.event).isVerified)
        for key in restored.pins["2222"] { _ = try VerifiedPublicKey(checking: key.registered) }
    }

    @Test func `the form in which a key was received survives, because its binding can cover it`() throws {
        let keys = try PrivateKeys.generate()
        let (identity, signing) = (keys.identityKey.spki, try #require(keys.signingKey).spki)
        // The compressed point of RFC 5480 section 2.2: the parity of y, then x.
        func compressed(_ spki: [UInt8]) -> [UInt8] { [2 + (spki[90] & 1)] + spki[27..<59] }
        let received = RegisteredKey(
            userID: "2222",
            publicKeyVersion: "7",
            publicKey: WireString(Base64.encode(compressed(signing))),
            identityPublicKey: WireString(Base64.encode(compressed(identity))),
            identityPublicKeySignature: WireString(Base64.encode(try keys.keys.sign(compressed(identity).span)))
        )
        var session = try person("1111")
        session.trust([try VerifiedPublicKey(checking: received)])
        let restored = try again(session)
        #expect(restored.pins["2222"].map(\.registered) == [received])
        _ = try VerifiedPublicKey(checking: restored.pins["2222"][0].registered)
    }

    // MARK: Later versions

    @Test func `fields of a later version survive in every part of a state`() throws {
        var session = try full()
        let later = Self.later
        session.unknownFields = later
        let user = try #require(session.state(of: "2222" as UserID))
        var pins = user.pins
        pins.unknown = later
        pins.keys = pins.keys.map { key in
            let old = key.storage
            return VerifiedPublicKey(
                storage: VerifiedPublicKey.Storage(
                    userID: old.userID,
                    version: old.version,
                    identityKey: old.identityKey,
                    signingKey: old.signingKey,
                    checked: nil,
                    bytes: old.bytes,
                    unknown: later
                )
            )
        }
        session.restore(UserState(userID: "2222", pins: pins, rejected: user.rejected))
        var parts = 2 + pins.keys.count
        for conversation in [GroupHistory.id, .oneToOne("1111", "2222")] {
            var keys = try #require(session.keyRing.held(of: conversation))
            keys.unknown = later
            for version in keys.accepted.keys { keys.accepted[version]?.unknown = later }
            for version in keys.others.keys {
                keys.others[version] = keys.others[version]?.map { key in
                    var key = key
                    key.unknown = later
                    return key
                }
            }
            parts += 1 + keys.accepted.count + keys.others.values.reduce(0) { $0 + $1.count }
            var membership = session.memberships[conversation]
            if let known = membership {
                var log = known.log
                for index in log.indices { log[index].unknown = later }
                var waiting = Membership.Unjudged(event: MessageEvent(messageID: "m"), isVerified: true)
                waiting.unknown = later
                var new = try Membership(log: log, present: known.present, bars: known.bars, unjudged: [waiting])
                new.unknown = later
                membership = new
                parts += 2 + log.count
            }
            session.restore(ConversationState(conversation: conversation, keys: keys, membership: membership))
        }
        let encoded = try session.state.encoded()
        #expect(encoded.count(of: later) == parts)
        let restored = try again(session)
        #expect(try restored.state.encoded() == encoded)
        #expect(try isSame(session, restored))
    }

    @Test func `a state of a later format is refused as such, and one of another kind as damaged`() throws {
        let session = try full()
        let user = try #require(session.state(of: "2222" as UserID))
        let conversation = try #require(session.state(of: GroupHistory.id))
        var later = user.encoded()
        later[0] = 2
        #expect(code { _ = try UserState(decoding: later) } == .unsupported)
        #expect(code { _ = try ConversationState(decoding: user.encoded()) } == .malformed)
        #expect(code { _ = try UserState(decoding: conversation.encoded()) } == .malformed)
        #expect(code { _ = try SessionState(decoding: user.encoded()) } == .malformed)
    }

    @Test func `an entry of an unknown kind in the membership log is an error`() throws {
        func encoded(effect: UInt64, claim: UInt64) -> [UInt8] {
            var writer = StateWriter(.conversation)
            writer.text(1, "g9" as WireString)
            writer.nested(7) { log in
                log.nested(1) { entry in
                    entry.number(1, effect)
                    entry.number(2, claim)
                }
            }
            writer.finish()
            return writer.bytes
        }
        #expect(code { _ = try ConversationState(decoding: encoded(effect: 1, claim: 1)) } == nil)
        #expect(code { _ = try ConversationState(decoding: encoded(effect: 5, claim: 1)) } == .unsupported)
        #expect(code { _ = try ConversationState(decoding: encoded(effect: 1, claim: 6)) } == .unsupported)
        #expect(code { _ = try ConversationState(decoding: encoded(effect: 0, claim: 1)) } == .unsupported)
    }

    @Test func `the encoding does not change from version to version`() throws {
        let digest = (0..<32).map { UInt8($0) }
        var bytes: [UInt8] = [1, 2, 0x0a, 2] + Array("g9".utf8)
        // A key of 32 times 7, version 1001, announced by 2222.
        bytes += [0x12, 46, 0x0a, 4] + Array("1001".utf8) + [0x12, 32] + Array(repeating: 7, count: 32)
        bytes += [0x1a, 4] + Array("2222".utf8)
        // Highest version 1001, rotation floor 1000.
        bytes += [0x28, 0xe9, 0x07, 0x30, 0xe8, 0x07]
        // A log that 2222 founded with the members 1111 and 2222, and one exclusion version.
        var entry: [UInt8] = [0x08, 1, 0x10, 1, 0x1a, 4] + Array("2222".utf8)
        for user in ["1111", "2222"] { entry += [0x22, 4] + Array(user.utf8) }
        entry += [0x2a, 4] + Array("1001".utf8) + [0x32, 32] + digest
        var log: [UInt8] = [0x0a, UInt8(entry.count)] + entry
        for user in ["1111", "2222"] { log += [0x12, 4] + Array(user.utf8) }
        log += [0x1a, 12, 0, 0, 0, 0, 0, 0, 3, 0xe8] + Array("3333".utf8)
        bytes += [0x3a, UInt8(log.count)] + log + [0]

        let state = try ConversationState(decoding: bytes)
        #expect(state.encoded() == bytes)
        var session = try person("1111")
        session.restore(state)
        let group = ConversationID(canonicalizing: "g9")
        #expect(session.memberships[group]?.present == ["1111", "2222"])
        #expect(session.memberships[group]?.bars == ["3333": 1000])
        #expect(session.memberships[group]?.founding?.bytes == digest)
        let key = try #require(session.keyRing.accepted(in: group, version: "1001"))
        #expect(key.key.withBytes { $0[31] } == 7 && key.announcer == "2222" && !key.isOwn && !key.isStale)
        #expect(session.keyRing.rotationFloor(of: group) == 1000)
        #expect(try session.encryptingVersion(in: group) == "1001")
    }

    // MARK: Damage

    private func encodings() throws -> [(bytes: [UInt8], decode: ([UInt8]) throws -> [UInt8])] {
        let session = try full()
        return [
            (try #require(session.state(of: "2222" as UserID)).encoded(), { try UserState(decoding: $0).encoded() }),
            (
                try #require(session.state(of: GroupHistory.id)).encoded(),
                { try ConversationState(decoding: $0).encoded() }
            ),
            (
                try #require(session.state(of: ConversationID.oneToOne("1111", "2222"))).encoded(),
                { try ConversationState(decoding: $0).encoded() }
            ),
            (
                try session.state.encoded(),
                { bytes in
                    let restored = Session(state: try SessionState(decoding: bytes))
                    _ = try? restored.seal(.text("a"), in: GroupHistory.id)
                    return try restored.state.encoded()
                }
            ),
        ]
    }

    @Test func `a truncated state, or one with trailing bytes, is refused`() throws {
        for (bytes, decode) in try encodings() {
            #expect(try decode(bytes) == bytes)
            for count in bytes.indices {
                #expect(code { _ = try decode(Array(bytes.prefix(count))) } == .malformed, "\(count)")
            }
            for byte in [0, 1, 0x0a] as [UInt8] { #expect(code { _ = try decode(bytes + [byte]) } == .malformed) }
        }
    }

    @Test func `a state with a flipped bit is an error or another valid state`() throws {
        for (bytes, decode) in try encodings() {
            var (errors, states) = (0, 0)
            // The state of the whole session contains the others, so only some of its bits are flipped.
            for bit in stride(from: 0, to: bytes.count * 8, by: bytes[1] == StateKind.session.rawValue ? 13 : 1) {
                var damaged = bytes
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                guard let written = try? decode(damaged) else {
                    errors += 1
                    continue
                }
                states += 1
                #expect(written != bytes, "bit \(bit)")
                #expect(try decode(written) == written, "bit \(bit)")
            }
            #expect(errors > 0 && states > 0)
        }
    }

    @Test func `random bytes are an error`() throws {
        var random = SeededRandom(seed: 11)
        for _ in 0..<20_000 {
            let kind = UInt8.random(in: 1...3, using: &random)
            let tail = (0..<Int.random(in: 0..<60, using: &random)).map { _ in UInt8(truncatingIfNeeded: random.next())
            }
            let bytes = [1, kind] + tail
            switch kind {
            case 1: #expect(throws: XChatError.self) { try UserState(decoding: bytes) }
            case 2: #expect(throws: XChatError.self) { try ConversationState(decoding: bytes) }
            default: #expect(throws: XChatError.self) { try SessionState(decoding: bytes) }
            }
        }
    }

    @Test func `a membership log beyond its limits is refused before it is read to its end`() throws {
        var writer = StateWriter(.conversation)
        writer.text(1, "g9" as WireString)
        writer.nested(7) { log in
            for user in 0...Membership.maximumIDs { log.text(2, WireString(String(user))) }
            // A bar that is too short, which is not read any more.
            log.bytes(3, [1])
        }
        writer.finish()
        let error = #expect(throws: XChatError.self) { try ConversationState(decoding: writer.bytes) }
        #expect(error?.code == .tooLarge)
        #expect(error?.message.hasPrefix("the membership log has more than \(Membership.maximumIDs) ids: ") == true)
    }

    @Test func `a stored point that is not on the curve is an error when it is used`() throws {
        var session = try full()
        var bytes = try #require(session.state(of: "2222" as UserID)).encoded()
        let pin = try #require(session.pins.current(of: "2222"))
        for spki in [pin.identityKey.spki, pin.signingKey.spki] {
            let place = try #require(bytes.firstRange(of: spki))
            bytes[place.upperBound - 1] ^= 1
        }
        session.restore(try UserState(decoding: bytes))
        let damaged = try #require(session.pins.current(of: "2222"))
        #expect(code { _ = try damaged.identityKey.wrap(ConversationKey.generate()) } == .invalidKey)
        let text: [UInt8] = [1, 2]
        let isValid = damaged.signingKey.isValid(Array(repeating: 1, count: 64), for: text.span)
        #expect(!isValid)
        #expect(code { _ = try VerifiedPublicKey(checking: damaged.registered) } == .invalidKey)
    }

    @Test func `a served key is verified again unless it is pinned in the same encoding`() throws {
        var session = try full()
        var bytes = try #require(session.state(of: "2222" as UserID)).encoded()
        let signature = try #require(session.pins.current(of: "2222")).storage.bytes.identityKeySignature
        bytes[try #require(bytes.firstRange(of: signature)).lowerBound] ^= 1
        session.restore(try UserState(decoding: bytes))
        let served = try #require(session.pins.current(of: "2222")).registered
        #expect(code { _ = try VerifiedPublicKey(checking: served) } == .invalidKey)
        #expect(code { try session.pin([served], of: "2222") } == nil)
        var other = served
        other.publicKeyVersion = "12"
        #expect(code { try session.pin([other], of: "2222") } == .invalidKey)
    }

    // MARK: Changes

    @Test func `each change of a session is listed, with its record alone`() throws {
        let base = try full()
        let pair = ConversationID.oneToOne("1111", "2222")
        let group = GroupHistory.id
        let pin = try PrivateKeys.generate().verifiedKey(userID: "2222", version: "9")
        let changes: [(String, users: [UserID], conversations: [ConversationID], (inout Session) throws -> Void)] = [
            ("pin", ["2222"], [], { $0.trust([pin]) }),
            ("new user", ["9"], [], { $0.trust([try PrivateKeys.generate().verifiedKey(userID: "9", version: "1")]) }),
            ("replaced", ["2222"], [], { $0.restoreReplaced($0.pins["2222"][0]) }),
            ("accepted", ["2222"], [pair, group], { try $0.acceptChange([pin]) }),
            ("rejected", ["2222"], [], { try $0.rejectKeys([pin]) }),
            ("forgotten", ["3333"], [], { $0.forget(["3333"]) }),
            ("key", [], [pair], { try $0.addConversationKey(ConversationKey.generate(), in: pair, version: "8") }),
            ("disputed", [], [pair], { $0.keyRing.dispute("6", in: pair) }),
            ("floor", [], [pair], { $0.keyRing.restoreFloor(9, of: pair) }),
            ("highest", [], [pair], { $0.restoreHighestVersion(1 << 40, of: pair) }),
            ("stale", [], [pair], { $0.keyRing.retireKeys(of: pair, floor: 0) }),
            (
                "renewed", [], [group],
                { session in
                    let key = try #require(session.keyRing.acceptedKey(in: group, version: "1001"))
                    session.keyRing.adopt(AcceptedKey(key: key), in: group, version: "1001")
                }
            ),
            ("members", [], [group], { try $0.acceptMembers(["1111", "4444"], of: group) }),
            (
                "other key", [], [pair],
                { session in
                    let key = try ConversationKey.generate()
                    session.keyRing.keep(key, in: pair, version: "4", level: .unverified, announcer: nil)
                }
            ),
            (
                "new conversation", [], [.oneToOne("1111", "3333")],
                { try $0.addConversationKey(.generate(), in: .oneToOne("1111", "3333"), version: "1") }
            ),
        ]
        for (name, users, conversations, change) in changes {
            var session = base
            try change(&session)
            let changed = session.changed(since: base)
            #expect(changed.users == users, "\(name)")
            #expect(changed.conversations == conversations, "\(name)")
            let back = base.changed(since: session)
            #expect(back.users == users && back.conversations == conversations, "\(name)")
            // Storing the listed changes is enough.
            var stored = base
            for user in users {
                if let state = session.state(of: user) { stored.restore(state) } else { stored.forget([user]) }
            }
            for conversation in conversations {
                stored.restore(try #require(session.state(of: conversation)))
            }
            #expect(try isSame(stored, session), "\(name)")
        }
    }

    @Test func `writing the same contents again is not a change`() throws {
        let base = try full()
        var session = base
        session.trust(session.pins["2222"])
        for held in base.keyRing.accepted {
            session.keyRing.adopt(held.key, in: held.conversation, version: held.version)
            if held.key.isStale { session.keyRing.retireKeys(of: held.conversation, floor: 0) }
        }
        for user in base.state.users { session.restore(try UserState(decoding: user.encoded())) }
        for conversation in base.state.conversations {
            session.restore(try ConversationState(decoding: conversation.encoded()))
        }
        #expect(session.changed(since: base).users.isEmpty)
        #expect(session.changed(since: base).conversations.isEmpty)
    }
}

extension [UInt8] {
    /// The number of occurrences of some bytes.
    fileprivate func count(of part: [UInt8]) -> Int {
        var (count, rest) = (0, self[...])
        while let range = rest.firstRange(of: part) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
