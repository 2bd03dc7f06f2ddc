import Testing
import XChatEvents

@testable import XChatEngine

/// The signed history of a group, event by event.
struct GroupHistory {
    static let id = ConversationID(canonicalizing: "g9")
    var events: [MessageEvent] = []
    private(set) var keys: [KeyVersion: ConversationKey] = [:]
    fileprivate(set) var version: UInt64 = 1000
    private var sequence = 0

    var newest: KeyVersion { KeyVersion(String(version)) }
    var key: ConversationKey {
        get throws { try #require(keys[newest]) }
    }

    mutating func append(_ event: MessageEvent) {
        sequence += 1
        var event = event
        event.sequenceID = SequenceID(String(sequence))
        events.append(event)
    }

    /// A key change for readers, under the next version.
    mutating func rotate(_ signer: Session, for readers: [Session], version: UInt64? = nil) throws {
        self.version = version ?? self.version + 1
        let key = try ConversationKey.generate()
        keys[newest] = key
        append(try forge(keyChangeDetail(key, version: newest, to: readers), by: signer, in: "g9", key: key))
    }

    mutating func create(_ signer: Session, _ members: [Session]) throws {
        try rotate(signer, for: members)
        let create = GroupCreate(memberIDs: members.map(\.userID), conversationKeyVersion: newest)
        append(try forge(.groupChangeEvent(GroupChangeEvent(groupChange: .groupCreate(create))), by: signer, in: "g9"))
    }

    /// An addition without its key change.
    mutating func add(_ signer: Session, _ new: [UserID], to current: [UserID], version: KeyVersion? = nil) throws {
        append(try Self.addition(signer, new, to: current, version: version ?? newest))
    }

    static func addition(
        _ signer: Session,
        _ new: [UserID],
        to current: [UserID],
        version: KeyVersion
    ) throws -> MessageEvent {
        let addition = GroupMemberAddChange(
            memberIDs: new,
            currentMemberIDs: current,
            currentAdminIDs: [signer.userID],
            conversationKeyVersion: version
        )
        return try forge(
            .groupChangeEvent(GroupChangeEvent(groupChange: .groupMemberAdd(addition))),
            by: signer,
            in: "g9"
        )
    }

    mutating func remove(_ signer: Session, _ people: [UserID]) throws {
        let removal = GroupMemberRemoveChange(memberIDs: people)
        append(
            try forge(
                .groupChangeEvent(GroupChangeEvent(groupChange: .groupMemberRemove(removal))),
                by: signer,
                in: "g9"
            )
        )
    }

    mutating func say(_ author: Session, _ text: String, version: KeyVersion? = nil) throws {
        var author = author
        author.keyRing = KeyRing()
        author.memberships = [:]
        let version = version ?? newest
        try author.addConversationKey(try #require(keys[version]), in: Self.id, version: version)
        append(try author.seal(.text(text), in: Self.id).event)
    }
}

extension Session {
    fileprivate mutating func read(_ events: some Sequence<MessageEvent>) -> Delivery {
        deliver(events.map { .success($0) })
    }

    fileprivate var members: Set<UserID>? { memberships[GroupHistory.id]?.present }

    fileprivate func encryptionCode() -> XChatError.Code? {
        code { _ = try encryptingVersion(in: GroupHistory.id) }
    }
}

extension Delivery {
    fileprivate var codes: [XChatError.Code?] {
        results.map { if case .failure(let error) = $0 { error.code } else { nil } }
    }

    fileprivate var marks: [Set<Event.Mark>] { results.map { (try? $0.get())?.marks ?? [] } }
}

/// Four people who trust each other's keys.
struct People {
    let alice, bob, carol, dave: Session

    init() throws {
        let people = try ["1111", "2222", "3333", "4444"].map { try person($0) }
        func knowing(_ index: Int) -> Session {
            var session = people[index]
            for other in people { session.trust(other.pins[other.userID]) }
            return session
        }
        (alice, bob, carol, dave) = (knowing(0), knowing(1), knowing(2), knowing(3))
    }
}

@Suite struct MembershipTests {
    let people: People

    init() throws {
        people = try People()
    }

    // MARK: Founding

    @Test func `a creation that founded another group founds no second one, also if only its digest is known`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        var alice = people.alice
        _ = alice.read(history.events)
        let founding = try #require(alice.memberships[GroupHistory.id]?.founding)
        // A session that was restored from the records of other conversations.
        var partial = people.alice
        partial.foundingsElsewhere = [founding]
        #expect(partial.read(history.events).notices.isEmpty)
        #expect(partial.memberships.isEmpty)
    }

    @Test func `a creation founds the log only if a key change binds it to the group`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        var alice = people.alice
        #expect(alice.read(history.events).notices == [.founded(GroupHistory.id, .signed)])
        #expect(alice.members == ["1111", "2222"])
        #expect(try alice.encryptingVersion(in: GroupHistory.id) == "1001")

        // The creation alone, whose signature does not cover the group.
        var unbound = people.alice
        _ = unbound.read(history.events.suffix(1))
        #expect(unbound.memberships.isEmpty)
        // With a key change of another signer for the same version.
        var planted = GroupHistory()
        try planted.rotate(people.carol, for: [people.alice, people.carol])
        _ = unbound.read(planted.events + history.events.suffix(1))
        #expect(unbound.memberships.isEmpty)
        // The key change may come in a separate delivery.
        _ = unbound.read(history.events.prefix(1))
        _ = unbound.read(history.events.suffix(1))
        #expect(unbound.members == ["1111", "2222"])
    }

    @Test func `a creation founds one group only`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        var alice = people.alice
        _ = alice.read(history.events)
        // The same creation, and a key change of the same signer and version for another group.
        let other = ConversationID(canonicalizing: "g8")
        let key = try ConversationKey.generate()
        let change = try forge(
            keyChangeDetail(key, version: "1001", to: [people.alice]),
            by: people.bob,
            in: "g8",
            key: key
        )
        var moved = history.events[1]
        moved.conversationID = "g8"
        _ = alice.read([change, moved])
        #expect(alice.memberships[other] == nil)
    }

    @Test func `an addition of this account founds the log with the claim of its signer`() throws {
        var history = GroupHistory()
        try history.rotate(people.bob, for: [people.alice, people.bob, people.carol])
        try history.add(people.bob, ["1111"], to: ["2222", "3333"])
        var alice = people.alice
        #expect(alice.read(history.events).notices == [.founded(GroupHistory.id, .signer)])
        #expect(alice.members == ["1111", "2222", "3333"])
        #expect(try alice.encryptingVersion(in: GroupHistory.id) == "1001")
        // An addition that does not name this account founds no log.
        var dave = people.dave
        _ = dave.read(history.events)
        #expect(dave.memberships.isEmpty)
    }

    @Test func `changes before the founding never count, also when the history is read again`() throws {
        var history = GroupHistory()
        try history.rotate(people.bob, for: [people.bob, people.carol])
        try history.add(people.bob, ["3333"], to: ["2222"])
        try history.remove(people.bob, ["3333", "4444"])
        try history.rotate(people.bob, for: [people.alice, people.bob, people.dave])
        try history.add(people.bob, ["1111"], to: ["2222", "4444"])
        var alice = people.alice
        for _ in 0..<2 {
            _ = alice.read(history.events)
            #expect(alice.members == ["1111", "2222", "4444"])
            #expect(try alice.encryptingVersion(in: GroupHistory.id) == "1002")
        }
        // Nor is a part of it applied in a separate delivery.
        for event in history.events { _ = alice.read([event]) }
        #expect(alice.members == ["1111", "2222", "4444"])
        // An older addition that the server withheld until now.
        _ = alice.read([try GroupHistory.addition(people.bob, ["3333"], to: ["2222"], version: "1001")])
        #expect(alice.members == ["1111", "2222", "4444"])
    }

    @Test func `a second creation contests the founding, and a person decides`() throws {
        var (real, planted) = (GroupHistory(), GroupHistory())
        try real.create(people.bob, [people.alice, people.bob])
        try planted.rotate(people.carol, for: [people.alice, people.carol], version: 900)
        let create = GroupCreate(memberIDs: ["1111", "2222", "3333"], conversationKeyVersion: "900")
        planted.append(
            try forge(
                .groupChangeEvent(GroupChangeEvent(groupChange: .groupCreate(create))),
                by: people.carol,
                in: "g9"
            )
        )
        // In two deliveries, in either order.
        for order in [[planted, real], [real, planted]] {
            var alice = people.alice
            _ = alice.read(order[0].events)
            #expect(alice.encryptionCode() == nil)
            let notice = alice.read(order[0].events + order[1].events).notices.contains {
                if case .contested = $0 { true } else { false }
            }
            #expect(notice)
            #expect(alice.encryptionCode() == .membershipUnproven)
            #expect(code { _ = try alice.prepareKeyChange(in: GroupHistory.id) } == .membershipUnproven)
            try alice.acceptMembers(["1111", "2222"], of: GroupHistory.id)
            _ = alice.read(planted.events + real.events)
            // The list removes Carol, whom the forged creation had made a member.
            #expect(alice.members == ["1111", "2222"])
            #expect(alice.encryptionCode() == (order[0].version == 900 ? .rotationNeeded : nil))
        }
        // In one delivery: neither founds the log.
        var together = people.alice
        _ = together.read(planted.events + real.events)
        #expect(together.memberships.isEmpty)
        #expect(together.encryptionCode() == .keyMissing)
        // The same creation again contradicts nothing.
        var calm = people.alice
        _ = calm.read(real.events)
        _ = calm.read(real.events)
        #expect(calm.encryptionCode() == nil)
    }

    @Test func `a second addition of this account as new contests the founding`() throws {
        var history = GroupHistory()
        try history.rotate(people.carol, for: [people.alice, people.carol], version: 900)
        try history.add(people.carol, ["1111"], to: ["3333", "2222"])
        try history.rotate(people.bob, for: [people.alice, people.bob], version: 1000)
        try history.add(people.bob, ["1111"], to: ["2222"])
        var alice = people.alice
        _ = alice.read(history.events)
        #expect(alice.encryptionCode() == .membershipUnproven)
        // An addition of others, which names this account as present, does not contradict it.
        var later = GroupHistory()
        try later.rotate(people.bob, for: [people.alice, people.bob], version: 1000)
        try later.add(people.bob, ["1111"], to: ["2222"])
        try later.rotate(people.bob, for: [people.alice, people.bob, people.carol])
        try later.add(people.bob, ["3333"], to: ["2222", "1111"])
        var calm = people.alice
        _ = calm.read(later.events)
        #expect(try calm.encryptingVersion(in: GroupHistory.id) == "1001")
    }

    @Test func `a founding that replaces the server's list keeps removed members out`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob, people.carol])
        try history.remove(people.bob, ["3333"])
        var alice = people.alice
        _ = try alice.found(["1111", "2222", "3333", "4444"], of: GroupHistory.id)
        _ = alice.read(history.events.suffix(1))
        #expect(alice.members == ["1111", "2222", "4444"])
        _ = alice.read(history.events.prefix(2))
        #expect(alice.members == ["1111", "2222"])
        #expect(alice.memberships[GroupHistory.id]?.everContained("3333") == true)
        // A change by a user whom only the server's list named is not kept.
        var lied = people.alice
        _ = try lied.found(["1111", "2222", "4444"], of: GroupHistory.id)
        var byDave = GroupHistory()
        try byDave.remove(people.dave, ["2222"])
        _ = lied.read(byDave.events)
        #expect(lied.members == ["1111", "4444"])
        _ = lied.read(history.events.prefix(2))
        #expect(lied.members == ["1111", "2222", "3333"])
    }

    @Test func `the server's list shows messages and never encrypts before a person accepts it`() throws {
        var history = GroupHistory()
        try history.rotate(people.bob, for: [people.alice, people.bob])
        try history.say(people.bob, "hello")
        var alice = people.alice
        _ = alice.read(history.events)
        #expect(alice.read(history.events).marks == [[.membershipUnknown], [.membershipUnknown]])
        #expect(try alice.found(["1111", "2222"], of: GroupHistory.id) == .founded(GroupHistory.id, .server))
        #expect(try alice.found(["1111", "666"], of: GroupHistory.id) == nil)
        #expect(alice.read(history.events).marks == [[], []])
        #expect(alice.encryptionCode() == .membershipUnproven)
        #expect(code { _ = try alice.prepareKeyChange(in: GroupHistory.id) } == .membershipUnproven)
        try alice.acceptMembers(["1111", "2222"], of: GroupHistory.id)
        _ = alice.read(history.events)
        #expect(try alice.encryptingVersion(in: GroupHistory.id) == "1001")
    }

    @Test func `a verified founding replaces the server's list`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        var alice = people.alice
        _ = try alice.found(["1111", "2222", "4444"], of: GroupHistory.id)
        _ = alice.read(history.events)
        #expect(alice.members == ["1111", "2222"])
    }

    @Test func `the id of a known group is not taken for a new one`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        var (reading, keyed) = (people.alice, people.alice)
        _ = reading.read(history.events)
        try keyed.addConversationKey(history.key, in: GroupHistory.id, version: "1001")
        var opening = people.alice
        _ = opening.read(history.events.prefix(1))
        let draft = GroupDraft(members: ["1111", "3333"], admins: ["1111"])
        for var alice in [reading, keyed, opening] {
            #expect(code { _ = try alice.prepareGroupCreate(draft, in: GroupHistory.id) } == .inconsistent)
        }
        var alice = people.alice
        let change = try alice.prepareGroupCreate(draft, in: GroupHistory.id)
        try alice.adopt(change)
        #expect(alice.members == ["1111", "3333"])
        #expect(alice.memberships[GroupHistory.id]?.claim == .own)
        #expect(try alice.encryptingVersion(in: GroupHistory.id) == change.keyChange.version)
        // The account's own creation, delivered afterwards, is not a second one.
        _ = alice.read([change.keyChange.event, change.event])
        #expect(alice.memberships[GroupHistory.id]?.log.count == 1)
    }

    // MARK: Additions and removals

    /// Alice, Bob and Carol, Carol added by Bob and then removed.
    private func expelled() throws -> GroupHistory {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        try history.rotate(people.bob, for: [people.alice, people.bob, people.carol])
        try history.add(people.bob, ["3333"], to: ["2222", "1111"])
        try history.remove(people.bob, ["3333"])
        return history
    }

    @Test func `a change counts once, whatever ids it is delivered under`() throws {
        let history = try expelled()
        let addition = history.events[3]
        for known in [4, 5] {
            var alice = people.alice
            _ = alice.read(history.events.prefix(known))
            var again = addition
            again.sequenceID = "90"
            for replay in [[history.events[4], again], [again, history.events[4], again], [again]] {
                var replayed = alice
                _ = replayed.read(history.events.suffix(1))
                _ = replayed.read(replay)
                #expect(replayed.members == ["1111", "2222"])
                #expect(replayed.memberships[GroupHistory.id]?.bars["3333"] == 1002)
            }
        }
    }

    @Test func `only a present member changes the log`() throws {
        let history = try expelled()
        var alice = people.alice
        _ = alice.read(history.events)
        let before = alice.memberships
        let forged = [
            try GroupHistory.addition(people.carol, ["5555"], to: ["3333"], version: "2000"),
            try GroupHistory.addition(people.dave, ["5555"], to: ["4444", "1111", "2222"], version: "2000"),
        ]
        let delivery = alice.read(forged)
        #expect(delivery.codes == [.notAParticipant, .notAParticipant])
        #expect(alice.memberships[GroupHistory.id]?.log == before[GroupHistory.id]?.log)
        #expect(alice.members == ["1111", "2222"])
    }

    @Test func `a barred person returns only by an addition above the bar that names the person as new`() throws {
        let history = try expelled()
        var alice = people.alice
        _ = alice.read(history.events)
        func members(after version: KeyVersion, new: [UserID], current: [UserID]) throws -> (Set<UserID>?, Delivery) {
            var alice = alice
            let delivery = alice.read([try GroupHistory.addition(people.bob, new, to: current, version: version)])
            return (alice.members, delivery)
        }
        #expect(try members(after: "1002", new: ["3333"], current: ["2222", "1111"]).0 == ["1111", "2222"])
        // A member who did not receive the removal still lists her.
        #expect(
            try members(after: "2000", new: ["4444"], current: ["2222", "1111", "3333"]).0 == ["1111", "2222", "4444"]
        )
        let (back, delivery) = try members(after: "1003", new: ["3333"], current: ["2222", "1111"])
        #expect(back == ["1111", "2222", "3333"])
        #expect(delivery.notices == [.returned("3333", to: GroupHistory.id, by: "2222")])
        // The exclusion version is the highest accepted version at the end of the delivery, not at the removal.
        var later = history
        try later.rotate(people.bob, for: [people.alice, people.bob])
        var reader = people.alice
        _ = reader.read(later.events)
        #expect(reader.memberships[GroupHistory.id]?.bars == ["3333": 1003])
    }

    @Test func `within one delivery a member may leave and return`() throws {
        var history = try expelled()
        try history.rotate(people.bob, for: [people.alice, people.bob, people.carol])
        try history.add(people.bob, ["3333"], to: ["2222", "1111"])
        try history.say(people.carol, "back")
        var alice = people.alice
        let delivery = alice.read(history.events)
        #expect(alice.members == ["1111", "2222", "3333"])
        #expect(alice.memberships[GroupHistory.id]?.bars.isEmpty == true)
        #expect(delivery.marks.last == [])
    }

    @Test func `a join request, a title and an invitation never move the log`() throws {
        let history = try expelled()
        var alice = people.alice
        _ = alice.read(history.events)
        func event(_ change: GroupChange, by session: Session) throws -> MessageEvent {
            try forge(.groupChangeEvent(GroupChangeEvent(groupChange: change)), by: session, in: "g9")
        }
        let events = [
            try event(.groupJoinRequest(GroupJoinRequest(requestingUserID: "4444")), by: people.dave),
            try event(
                .groupTitleChange(GroupTitleChange(customTitle: "t", conversationKeyVersion: "1002")),
                by: people.bob
            ),
            try event(.groupInviteEnable(GroupInviteEnable(inviteURL: "u")), by: people.bob),
            try event(.groupJoinReject(GroupJoinReject(rejectedUserIDs: ["1111"])), by: people.bob),
        ]
        let delivery = alice.read(events)
        #expect(delivery.codes == [nil, nil, nil, nil])
        #expect(alice.members == ["1111", "2222"])
        // A request in the name of another user is refused.
        let other = try event(.groupJoinRequest(GroupJoinRequest(requestingUserID: "1111")), by: people.dave)
        #expect(alice.read([other]).codes == [.notAParticipant])
    }

    @Test func `an accepted list replaces the members, bars everyone else and unblocks the group`() throws {
        let history = try expelled()
        var alice = people.alice
        _ = alice.read(history.events)
        try alice.acceptMembers(["1111", "3333"], of: GroupHistory.id)
        #expect(alice.members == ["1111", "3333"])
        #expect(alice.memberships[GroupHistory.id]?.bars == ["2222": 1002])
        #expect(alice.memberships[GroupHistory.id]?.claim == .caller)
        #expect(alice.encryptionCode() == .rotationNeeded)
        for bad: [UserID] in [
            ["1111", "1111"], ["1111", "x"], ["1111", UserID(String(repeating: "1", count: 20))],
        ] {
            #expect(code { try alice.acceptMembers(bad, of: GroupHistory.id) } == .invalidArgument)
        }
        let many = (0...10_000).map { UserID(String($0)) }
        #expect(code { try alice.acceptMembers(many, of: GroupHistory.id) } == .tooLarge)
    }

    @Test func `a change under keys that are not accepted waits in its place and blocks encryption`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob, people.carol])
        let newKeys = try PrivateKeys.generate()
        var changed = try Session(userID: "2222", privateKeys: newKeys, signingKeyVersion: "2")
        let pin = try newKeys.verifiedKey(userID: "2222", version: "2")
        changed.trust([pin])
        // Bob removes Carol under his new keys, and then Carol adds a user.
        let removal = GroupMemberRemoveChange(memberIDs: ["3333"])
        var unjudged = try forge(
            .groupChangeEvent(GroupChangeEvent(groupChange: .groupMemberRemove(removal))),
            by: changed,
            in: "g9"
        )
        unjudged.messageEventSignature?.publicKeyVersion = "2"
        let later = try GroupHistory.addition(people.carol, ["4444"], to: ["3333", "1111", "2222"], version: "1001")
        var alice = people.alice
        _ = alice.read(history.events)
        #expect(alice.read([unjudged, later]).codes == [.unknownSigner, nil])
        #expect(alice.members == ["1111", "2222", "3333"])
        #expect(alice.memberships[GroupHistory.id]?.unjudged.count == 2)
        #expect(alice.encryptionCode() == .membershipUnjudged)
        #expect(code { _ = try alice.prepareKeyChange(in: GroupHistory.id) } == .membershipUnjudged)
        var accepting = alice
        try accepting.acceptChange([pin])
        // The removal is applied first, so the addition by Carol is not.
        #expect(accepting.members == ["1111", "2222"])
        #expect(accepting.memberships[GroupHistory.id]?.unjudged.isEmpty == true)
        // An accepted list also ends the wait.
        try alice.acceptMembers(["1111", "2222"], of: GroupHistory.id)
        #expect(alice.encryptionCode() == .rotationNeeded)
        // A change of a stranger under unknown keys blocks nothing.
        var calm = people.alice
        _ = calm.read(history.events)
        var stranger = unjudged
        stranger.senderID = "5555"
        _ = calm.read([stranger])
        #expect(calm.encryptionCode() == nil)
    }

    @Test func `a change that a former member signed while excluded is never applied`() throws {
        var history = try expelled()
        try history.add(people.carol, ["4444"], to: ["3333", "1111", "2222"], version: "1002")
        try history.rotate(people.carol, for: [people.alice, people.bob, people.carol], version: 1005)
        try history.rotate(people.bob, for: [people.alice, people.bob, people.carol], version: 1006)
        try history.add(people.bob, ["3333"], to: ["2222", "1111"])
        var alice = people.alice
        for _ in 0..<2 {
            _ = alice.read(history.events)
            #expect(alice.members == ["1111", "2222", "3333"])
            #expect(alice.keyRing.acceptedKey(in: GroupHistory.id, version: "1005") == nil)
        }
    }

    @Test func `a repeated removal does not remove a member who returned`() throws {
        var history = try expelled()
        try history.remove(people.alice, ["3333"])
        try history.rotate(people.bob, for: [people.alice, people.bob, people.carol])
        try history.add(people.bob, ["3333"], to: ["2222", "1111"])
        var alice = people.alice
        for _ in 0..<2 {
            _ = alice.read(history.events)
            #expect(alice.members == ["1111", "2222", "3333"])
        }
    }

    @Test func `older additions bring no user into an accepted list`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        try history.rotate(people.bob, for: [people.alice, people.bob])
        var alice = people.alice
        _ = alice.read(history.events)
        try alice.acceptMembers(["1111", "2222"], of: GroupHistory.id)
        _ = alice.read([try GroupHistory.addition(people.bob, ["3333"], to: ["2222", "1111"], version: "1002")])
        #expect(alice.members == ["1111", "2222"])
        _ = alice.read([try GroupHistory.addition(people.bob, ["3333"], to: ["2222", "1111"], version: "1003")])
        #expect(alice.members == ["1111", "2222", "3333"])
    }

    @Test func `an accepted list settles waiting changes permanently`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        let new = try PrivateKeys.generate()
        var changed = try Session(userID: "2222", privateKeys: new, signingKeyVersion: "2")
        changed.trust([try new.verifiedKey(userID: "2222", version: "2")])
        var unjudged = try GroupHistory.addition(changed, ["3333"], to: ["2222", "1111"], version: "1002")
        unjudged.messageEventSignature?.publicKeyVersion = "2"
        var alice = people.alice
        _ = alice.read(history.events + [unjudged])
        #expect(alice.encryptionCode() == .membershipUnjudged)
        try alice.acceptMembers(["1111", "2222"], of: GroupHistory.id)
        unjudged.sequenceID = "77"
        _ = alice.read(history.events + [unjudged])
        #expect(alice.encryptionCode() == nil)
        #expect(alice.members == ["1111", "2222"])
    }

    @Test func `a replaced signing key adds no member, and still removes members`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob, people.carol])
        let new = try PrivateKeys.generate().verifiedKey(userID: "2222", version: "2")
        var alice = people.alice
        _ = alice.read(history.events)
        try alice.acceptChange([new])
        let delivery = alice.read([try GroupHistory.addition(people.bob, ["4444"], to: ["2222"], version: "1002")])
        #expect(delivery.notices == [.replacedKeyAdds(["4444"], to: GroupHistory.id, by: "2222")])
        #expect(alice.members == ["1111", "2222", "3333"])
        var removal = history
        try removal.remove(people.bob, ["3333"])
        _ = alice.read(removal.events.suffix(1))
        #expect(alice.members == ["1111", "2222"])
        // A replaced key founds no log, but a key that was retired at first use does, so that an old history can be
        // read from its beginning.
        var late = people.alice
        try late.acceptChange([new])
        _ = late.read(history.events)
        #expect(late.memberships.isEmpty)
        var first = try Session(userID: "1111", privateKeys: people.alice.privateKeys, signingKeyVersion: "1")
        first.trust(people.alice.pins["1111"])
        try first.pin([people.bob.pins["2222"][0].registered, new.registered], of: "2222")
        _ = first.read(history.events)
        #expect(first.members == ["1111", "2222", "3333"])
    }

    @Test func `an addition that a replaced key of a stranger signs names no author and is not reported`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        var alice = people.alice
        _ = alice.read(history.events)
        try alice.acceptChange([try PrivateKeys.generate().verifiedKey(userID: "4444", version: "2")])
        let addition = try GroupHistory.addition(people.dave, ["5555"], to: ["4444", "1111", "2222"], version: "1002")
        let delivery = alice.read([addition])
        #expect(delivery.codes == [.notAParticipant])
        #expect(delivery.notices.isEmpty)
        #expect(alice.standing(of: "5555", in: GroupHistory.id) == .stranger)
        #expect(alice.standing(of: "4444", in: GroupHistory.id) == .stranger)
        // That of a former member names authors, and is not reported: it would not count under any key.
        var later = people.alice
        try history.rotate(people.bob, for: [people.alice, people.bob, people.dave])
        try history.add(people.bob, ["4444"], to: ["2222", "1111"])
        try history.remove(people.bob, ["4444"])
        _ = later.read(history.events)
        try later.acceptChange([try PrivateKeys.generate().verifiedKey(userID: "4444", version: "2")])
        #expect(later.read([addition]).notices.isEmpty)
        #expect(later.standing(of: "5555", in: GroupHistory.id) == .unproven)
    }

    @Test func `an addition that a replaced key signs is reported once and settled`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob, people.carol])
        var alice = people.alice
        _ = alice.read(history.events)
        try alice.acceptChange([try PrivateKeys.generate().verifiedKey(userID: "2222", version: "2")])
        let addition = try GroupHistory.addition(people.bob, ["4444"], to: ["2222"], version: "1002")
        #expect(alice.read([addition, addition]).notices.count == 1)
        #expect(alice.read([addition]).notices.isEmpty)
        // It does not count either after a person accepted the replaced key again.
        try alice.acceptChange(people.bob.pins["2222"])
        _ = alice.read([addition])
        #expect(alice.members == ["1111", "2222", "3333"])
    }

    @Test func `the names of an addition that does not count are learned again when it is delivered again`() throws {
        let history = try expelled()
        let ignored = try GroupHistory.addition(people.carol, ["4444"], to: ["3333"], version: "1002")
        var alice = people.alice
        _ = alice.read(history.events + [ignored])
        let log = try #require(alice.memberships[GroupHistory.id])
        // As a session file stores it: with the settled changes, and without the names.
        let stored = try Membership(
            log: log.log,
            present: log.present,
            bars: log.bars,
            floor: log.floor,
            settled: log.settled
        )
        alice.restore(stored, of: GroupHistory.id)
        #expect(alice.standing(of: "4444", in: GroupHistory.id) == .stranger)
        _ = alice.read(history.events + [ignored])
        #expect(alice.standing(of: "4444", in: GroupHistory.id) == .unproven)
        #expect(alice.members == ["1111", "2222"])
    }

    @Test func `an addition beyond 10,000 members fails alone`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        let many = (10_000..<20_000).map { UserID(String($0)) }
        var alice = people.alice
        _ = alice.read(history.events)
        let addition = try GroupHistory.addition(people.bob, many, to: ["2222", "1111"], version: "1002")
        #expect(alice.read([addition]).codes == [.tooLarge])
        #expect(alice.members == ["1111", "2222"])
        #expect(alice.encryptionCode() == nil)
    }

    @Test func `every log that changes made can be stored and loaded again`() throws {
        var membership = Membership(
            founding: Membership.Entry(effect: .founded, claim: .signed, signer: "1", people: ["1", "2"])
        )
        var random = SystemRandomNumberGenerator()
        for number in 0..<400 {
            var bytes = [UInt8](repeating: 0, count: 32)
            (bytes[0], bytes[1]) = (UInt8(number & 0xff), UInt8(number >> 8))
            let digest = try #require(EventDigest(stored: bytes))
            let people = (0..<Int.random(in: 1...4000, using: &random)).map { _ in
                UserID(String(UInt32.random(in: 10...20_000, using: &random)))
            }
            let unique = Array(Set(people))
            if Bool.random(using: &random) {
                let addition = GroupMemberAddChange(
                    memberIDs: unique,
                    currentMemberIDs: ["1"],
                    conversationKeyVersion: KeyVersion(String(number + 1))
                )
                _ = membership.add(addition, by: "1", claim: .signed, digest: digest)
            } else {
                _ = membership.remove(unique, by: "1", claim: .signed, digest: digest)
            }
            if number % 3 == 0 { membership.endDelivery { _ in UInt64(number) } }
            if number % 50 == 49 { _ = try? membership.replace(with: ["1", "2"], bar: UInt64(number)) }
            membership.endDelivery { _ in UInt64(number) }
            let restored = try Membership(
                log: membership.log,
                present: membership.present,
                bars: membership.bars,
                unjudged: membership.unjudged,
                isFull: membership.isFull,
                isContested: membership.isContested,
                floor: membership.floor,
                settled: membership.settled
            )
            #expect(restored.present == membership.present)
            #expect(restored.log == membership.log)
        }
    }

    @Test func `a log has room for 40,000 ids, and a full one does not encrypt`() throws {
        var membership = Membership(
            founding: Membership.Entry(effect: .founded, claim: .signed, signer: "1", people: ["1", "2"])
        )
        func addition(_ numbers: Range<Int>) -> GroupMemberAddChange {
            GroupMemberAddChange(
                memberIDs: numbers.map { UserID(String($0)) },
                currentMemberIDs: ["1"],
                conversationKeyVersion: "5"
            )
        }
        var digests = (UInt8(0)...).makeIterator()
        func digest() throws -> EventDigest {
            try #require(EventDigest(stored: Array(repeating: digests.next() ?? 0, count: 32)))
        }
        var count = 10
        for _ in 0..<10 where !membership.isFull {
            let new = addition(count..<count + 5000)
            count += 5000
            if membership.add(new, by: "1", claim: .signed, digest: try digest()) == .full { break }
            let people = new.memberIDs ?? []
            if membership.remove(people, by: "1", claim: .signed, digest: try digest()) == .full { break }
            membership.endDelivery { _ in 5 }
        }
        #expect(membership.isFull)
        #expect(membership.log.reduce(0) { $0 + $1.people.count } < Membership.maximumIDs)
        // An accepted list starts a new log. Only another list, or an addition by this account, ends its exclusions.
        _ = try membership.replace(with: ["1", "2"], bar: 5)
        #expect(!membership.isFull)
        #expect(membership.bars["10"] == .max)
        #expect(membership.contains("2"))
    }

    // MARK: Authors

    @Test func `old messages of a former member are shown with a mark, new ones are refused`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob, people.carol])
        try history.say(people.carol, "before")
        try history.remove(people.bob, ["3333"])
        try history.rotate(people.bob, for: [people.alice, people.bob])
        let count = history.events.count
        try history.rotate(people.bob, for: [people.alice, people.bob])
        try history.say(people.carol, "after")
        var alice = people.alice
        let old = alice.read(history.events.prefix(count))
        #expect(old.marks[2] == [.senderLeft])
        #expect(alice.memberships[GroupHistory.id]?.bars["3333"] == 1002)
        #expect(alice.read(history.events.suffix(1)).codes == [.notAParticipant])
    }

    @Test func `a user whom only an addition that was not applied names is shown as unproven`() throws {
        let history = try expelled()
        var alice = people.alice
        _ = alice.read(history.events)
        var more = history
        try more.add(people.carol, ["4444"], to: ["3333"], version: "1002")
        try more.say(people.dave, "hello")
        let delivery = alice.read(more.events.suffix(2))
        #expect(delivery.marks == [[.senderLeft], [.membershipUnproven]])
        #expect(alice.members == ["1111", "2222"])
        // A user whom no event names is refused.
        var other = people.alice
        _ = other.read(history.events)
        #expect(other.read(more.events.suffix(1)).codes == [.notAParticipant])
    }

    @Test func `reading a whole history again gives the same results`() throws {
        var history = try expelled()
        try history.say(people.carol, "under the key she had", version: "1002")
        let known = people.alice
        var (fresh, knowing) = (known, known)
        let first = fresh.read(history.events)
        _ = knowing.read(history.events)
        let second = knowing.read(history.events)
        #expect(first.codes == second.codes)
        #expect(first.marks == second.marks)
        #expect(fresh.memberships == knowing.memberships)
    }

    @Test func `a former member may be quoted, a stranger may not`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob, people.carol])
        try history.say(people.carol, "hi")
        let quoted = try #require(history.events.last)
        try history.remove(people.bob, ["3333"])
        var alice = people.alice
        alice.clock = { 1000 }
        _ = alice.read(history.events)
        try alice.adopt(try alice.prepareKeyChange(in: GroupHistory.id))
        let quote = Draft.message(MessageDraft("re", reply: .event(ReplySource(Encoded(quoted)))))
        #expect(try alice.seal(quote, in: GroupHistory.id).event.kind == .message)
        try history.say(people.dave, "hi", version: "1001")
        let foreign = try #require(history.events.last)
        let reply = Draft.message(MessageDraft("re", reply: .event(ReplySource(Encoded(foreign)))))
        #expect(code { _ = try alice.seal(reply, in: GroupHistory.id) } == .notAParticipant)
    }

    // MARK: Keys

    @Test func `without a log keys decrypt and do not encrypt, own ones included`() throws {
        var history = GroupHistory()
        try history.rotate(people.alice, for: [people.alice, people.bob])
        try history.say(people.bob, "hi")
        var alice = people.alice
        #expect(alice.read(history.events).codes == [nil, nil])
        #expect(alice.keyRing.versions(in: GroupHistory.id).isEmpty)
        #expect(alice.encryptionCode() == .keyMissing)
    }

    @Test func `a key of a stranger is refused and not kept`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        var alice = people.alice
        _ = alice.read(history.events)
        try history.rotate(people.dave, for: [people.alice, people.bob, people.dave], version: 9000)
        try history.say(people.bob, "under it")
        #expect(alice.read(history.events.suffix(2)).codes == [.notAParticipant, .keyMissing])
        #expect(try alice.encryptingVersion(in: GroupHistory.id) == "1001")
    }

    @Test func `a former member's key decrypts with a mark and does not encrypt`() throws {
        var history = try expelled()
        var alice = people.alice
        alice.clock = { 1000 }
        _ = alice.read(history.events)
        try alice.adopt(try alice.prepareKeyChange(in: GroupHistory.id))
        let own = try alice.encryptingVersion(in: GroupHistory.id)
        try history.rotate(people.carol, for: [people.alice, people.bob, people.carol], version: 90_000)
        try history.say(people.bob, "under it")
        let delivery = alice.read(history.events.suffix(2))
        #expect(delivery.marks == [[.senderLeft], [.unverifiedKey]])
        #expect(try alice.encryptingVersion(in: GroupHistory.id) == own)
    }

    @Test func `after a removal only a later key encrypts`() throws {
        var history = try expelled()
        var alice = people.alice
        alice.clock = { 5000 }
        _ = alice.read(history.events)
        #expect(alice.encryptionCode() == .rotationNeeded)
        #expect(code { _ = try alice.seal(.text("x"), in: GroupHistory.id) } == .rotationNeeded)
        // A key from before the removal was applied is stale.
        var (before, after, own) = (history, history, alice)
        try before.rotate(people.bob, for: [people.alice, people.bob], version: 4999)
        _ = alice.read(before.events.suffix(1))
        #expect(alice.encryptionCode() == .rotationNeeded)
        try after.rotate(people.bob, for: [people.alice, people.bob], version: 5001)
        _ = alice.read(after.events.suffix(1))
        #expect(try alice.encryptingVersion(in: GroupHistory.id) == "5001")
        let change = try own.prepareKeyChange(in: GroupHistory.id)
        #expect(Set(change.participantKeys.map(\.userID)) == ["1111", "2222"])
        try own.adopt(change)
        #expect(try own.encryptingVersion(in: GroupHistory.id) == change.version)
        // The removed member announced a key with a version ahead of the clock before the removal. The removal makes it
        // stale, and the next own key has a higher version.
        history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob, people.carol])
        try history.rotate(people.carol, for: [people.alice, people.bob, people.carol], version: 80_000)
        try history.remove(people.bob, ["3333"])
        var late = people.alice
        late.clock = { 5000 }
        _ = late.read(history.events)
        #expect(late.encryptionCode() == .rotationNeeded)
        try late.adopt(try late.prepareKeyChange(in: GroupHistory.id))
        #expect(try late.encryptingVersion(in: GroupHistory.id) == "80001")
    }

    @Test func `a key that names people who are not members does not encrypt before they are`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        try history.rotate(people.bob, for: [people.alice, people.bob, people.carol])
        try history.add(people.bob, ["3333"], to: ["2222", "1111"])
        var alice = people.alice
        _ = alice.read(history.events.prefix(3))
        #expect(alice.encryptionCode() == .rotationNeeded)
        _ = alice.read(history.events.suffix(1))
        #expect(try alice.encryptingVersion(in: GroupHistory.id) == "1002")
        var together = people.alice
        _ = together.read(history.events)
        #expect(try together.encryptingVersion(in: GroupHistory.id) == "1002")
    }

    @Test("a key with outsiders encrypts when all are members, if there are eight at most", arguments: [7, 8, 9, 20])
    func outsiders(count: Int) throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        let new = (0..<count).map { UserID(String(5000 + $0)) }
        let key = try ConversationKey.generate()
        let detail = try keyChangeDetail(key, version: "1002", to: [people.alice, people.bob])
        guard case .conversationKeyChangeEvent(var change) = detail else {
            Issue.record("no key change event")
            return
        }
        change.conversationParticipantKeys? += new.map {
            ConversationParticipantKey(userID: $0, encryptedConversationKey: "AAAA", publicKeyVersion: "1")
        }
        let announcement = try forge(.conversationKeyChangeEvent(change), by: people.bob, in: "g9", key: key)
        let addition = try GroupHistory.addition(people.bob, new, to: ["2222", "1111"], version: "1002")
        // In one delivery the list is complete until its end.
        var together = people.alice
        _ = together.read(history.events + [announcement, addition])
        #expect(try together.encryptingVersion(in: GroupHistory.id) == "1002")
        var alice = people.alice
        _ = alice.read(history.events + [announcement])
        let kept = alice.keyRing.accepted(in: GroupHistory.id, version: "1002")?.outsiders
        #expect(kept == (count > 8 ? Array(new.prefix(8)) + ["more"] : new))
        _ = alice.read([history.events[0]])
        #expect(alice.keyRing.accepted(in: GroupHistory.id, version: "1002")?.outsiders == kept)
        _ = alice.read([addition])
        #expect(alice.members == Set(["1111", "2222"] + new))
        #expect(alice.encryptionCode() == (count > 8 ? .rotationNeeded : nil))
        if count > 8 {
            #expect(alice.keyRing.accepted(in: GroupHistory.id, version: "1002")?.outsiders == ["more"])
        }
    }

    @Test func `the newest key that lacks a present member is reported`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob, people.carol])
        try history.rotate(people.bob, for: [people.alice, people.bob])
        var alice = people.alice
        let notice = Delivery.Notice.keyLacksMembers("1002", in: GroupHistory.id, members: ["3333"], by: "2222")
        #expect(alice.read(history.events).notices.last == notice)
    }

    @Test func `a version more than a day ahead decrypts, and raises neither the newest nor a bar`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob, people.carol])
        let ahead: UInt64 = 10_000 + 24 * 3600 * 1000
        try history.rotate(people.bob, for: [people.alice, people.bob, people.carol], version: ahead + 1)
        try history.say(people.bob, "hi")
        var alice = people.alice
        alice.clock = { 10_000 }
        #expect(alice.read(history.events).codes == [nil, nil, nil, nil])
        #expect(try alice.encryptingVersion(in: GroupHistory.id) == "1001")
        #expect(try alice.prepareKeyChange(in: GroupHistory.id).version == "10000")
        try history.remove(people.bob, ["3333"])
        _ = alice.read(history.events.suffix(1))
        #expect(alice.memberships[GroupHistory.id]?.bars == ["3333": 1001])
    }

    @Test func `a message is not encrypted again for new readers`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        var alice = people.alice
        _ = alice.read(history.events)
        let message = try alice.seal(.text("for Bob"), in: GroupHistory.id)
        #expect(message.readers == ["1111", "2222"])
        var rotated = history
        try rotated.rotate(people.bob, for: [people.alice, people.bob])
        var same = alice
        _ = same.read(rotated.events)
        #expect(try same.reseal(message).conversationKeyVersion == "1002")
        try rotated.rotate(people.bob, for: [people.alice, people.bob, people.carol])
        try rotated.add(people.bob, ["3333"], to: ["2222", "1111"])
        _ = alice.read(rotated.events)
        #expect(code { _ = try alice.reseal(message) } == .membersChanged)
        #expect(alice.newReaders(of: message) == ["3333"])
        #expect(try alice.reseal(message, allowsNewReaders: true).conversationKeyVersion == "1003")
    }

    @Test func `the error about new readers says what is known of the readers`() throws {
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob])
        func text(_ session: Session, _ message: SealedMessage) -> String {
            do {
                return try session.reseal(message).conversationKeyVersion.string
            } catch {
                return error.description
            }
        }
        // A group without a log, whose keys the caller supplied.
        var unknown = people.alice
        try unknown.addConversationKey(history.key, in: GroupHistory.id, version: "1001")
        let message = try unknown.seal(.text("x"), in: GroupHistory.id)
        #expect(message.readers == nil)
        try unknown.addConversationKey(.generate(), in: GroupHistory.id, version: "1002")
        let error = text(unknown, message)
        #expect(error.hasPrefix("members_changed: the members of group 'g9' are not known"), "\(error)")
        #expect(try unknown.reseal(message, allowsNewReaders: true).conversationKeyVersion == "1002")
        // The members are known now, and the first readers are not.
        try unknown.acceptMembers(["1111", "2222"], of: GroupHistory.id)
        let listed = text(unknown, message)
        #expect(listed.hasPrefix("members_changed: the first readers of the message are not known"), "\(listed)")
        #expect(listed.hasSuffix(": '2222'"), "\(listed)")
        // The group has no other reader.
        var alone = people.alice
        try alone.addConversationKey(history.key, in: GroupHistory.id, version: "1001")
        try alone.addConversationKey(.generate(), in: GroupHistory.id, version: "1002")
        try alone.acceptMembers(["1111"], of: GroupHistory.id)
        #expect(text(alone, message) == "1002")
        // Both are known.
        var alice = people.alice
        _ = alice.read(history.events)
        let known = try alice.seal(.text("x"), in: GroupHistory.id)
        try alice.acceptMembers(["1111", "2222", "3333"], of: GroupHistory.id)
        try alice.addConversationKey(.generate(), in: GroupHistory.id, version: "1002")
        let changed = text(alice, known)
        #expect(changed.hasSuffix("when it was sealed, and a person must allow them: '3333'"), "\(changed)")
    }
}
