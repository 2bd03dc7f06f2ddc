import Testing
import XChatEvents

@testable import XChatEngine

/// A key that this account made, and what happened between its preparation and the answer of the server.
@Suite struct KeyAdoptionTests {
    private let people: People
    /// Alice, Bob and Carol, as Bob created the group.
    private let history: GroupHistory
    /// Alice, who has read the history.
    private let alice: Session

    init() throws {
        people = try People()
        var history = GroupHistory()
        try history.create(people.bob, [people.alice, people.bob, people.carol])
        var alice = people.alice
        alice.clock = { 5000 }
        _ = alice.deliver(history.events.map { .success($0) })
        (self.history, self.alice) = (history, alice)
    }

    private func encryptionCode(_ session: Session) -> XChatError.Code? {
        code { _ = try session.encryptingVersion(in: GroupHistory.id) }
    }

    private func removal(of user: UserID) throws -> MessageEvent {
        var later = history
        try later.remove(people.bob, [user])
        return try #require(later.events.last)
    }

    private func newKeys(of user: UserID) throws -> VerifiedPublicKey {
        try PrivateKeys.generate().verifiedKey(userID: user, version: "2")
    }

    // MARK: Removals

    /// The clock at the removal: later than at the preparation, the same, and set back.
    @Test("a key made before a removal does not encrypt after it", arguments: [6000, 5000, 10] as [UInt64])
    func removal(at clock: UInt64) throws {
        var alice = alice
        // With a floor that is later than a clock that was set back.
        alice.keyRing.restoreFloor(20, of: GroupHistory.id)
        let change = try alice.prepareKeyChange(in: GroupHistory.id)
        alice.clock = { clock }
        _ = try alice.open(removal(of: "3333"))
        try alice.adopt(change)
        #expect(alice.keyRing.newestVersion(in: GroupHistory.id) == change.version)
        #expect(encryptionCode(alice) == .rotationNeeded)
        // The state says so too.
        let restored = Session(state: try SessionState(decoding: alice.state.encoded()))
        #expect(encryptionCode(restored) == .rotationNeeded)
        let next = try alice.prepareKeyChange(in: GroupHistory.id)
        try alice.adopt(next)
        #expect(try alice.encryptingVersion(in: GroupHistory.id) == next.version)
    }

    @Test func `a key made before a removal does not encrypt, although its version is ahead of the clock`() throws {
        var ahead = history
        try ahead.rotate(people.bob, for: [people.alice, people.bob, people.carol], version: 80_000)
        var alice = alice
        _ = try alice.open(try #require(ahead.events.last))
        let change = try alice.prepareKeyChange(in: GroupHistory.id)
        #expect(change.version == "80001")
        _ = try alice.open(removal(of: "3333"))
        try alice.adopt(change)
        #expect(encryptionCode(alice) == .rotationNeeded)
    }

    @Test func `a key made before an accepted list left a member out does not encrypt`() throws {
        var alice = alice
        let change = try alice.prepareKeyChange(in: GroupHistory.id)
        try alice.acceptMembers(["1111", "2222"], of: GroupHistory.id)
        try alice.adopt(change)
        #expect(encryptionCode(alice) == .rotationNeeded)
    }

    @Test func `a removed member who is back does not make the key of before usable`() throws {
        var later = history
        try later.remove(people.bob, ["3333"])
        try later.rotate(people.bob, for: [people.alice, people.bob, people.carol], version: 4000)
        try later.add(people.bob, ["3333"], to: ["2222", "1111"])
        var alice = alice
        let change = try alice.prepareKeyChange(in: GroupHistory.id)
        _ = try alice.open(removal(of: "3333"))
        _ = alice.deliver(later.events.suffix(2).map { .success($0) })
        #expect(alice.memberships[GroupHistory.id]?.contains("3333") == true)
        try alice.adopt(change)
        #expect(encryptionCode(alice) == .rotationNeeded)
    }

    @Test("the account's own key change event, read before the answer, adds no reader", arguments: [false, true])
    func readBack(isComplete: Bool) throws {
        var alice = alice
        var ahead = history
        try ahead.rotate(people.bob, for: [people.alice, people.bob, people.carol], version: 80_000)
        _ = try alice.open(try #require(ahead.events.last))
        let change = try alice.prepareKeyChange(in: GroupHistory.id)
        var event = change.event
        guard case .conversationKeyChangeEvent(var detail) = event.detail else {
            Issue.record("no key change event")
            return
        }
        // The list of entries is not signed.
        if !isComplete { detail.conversationParticipantKeys?.removeAll { $0.userID == "3333" } }
        event.detail = .conversationKeyChangeEvent(detail)
        _ = try alice.open(removal(of: "3333"))
        _ = try alice.open(event)
        try alice.adopt(change)
        #expect(encryptionCode(alice) == .rotationNeeded)
        #expect(alice.keyRing.accepted(in: GroupHistory.id, version: change.version)?.outsiders == ["3333"])
    }

    @Test func `the account's own key change event, read before the answer, does not make the key stale`() throws {
        var alice = alice
        let change = try alice.prepareKeyChange(in: GroupHistory.id)
        _ = try alice.open(change.event)
        try alice.adopt(change)
        #expect(try alice.encryptingVersion(in: GroupHistory.id) == change.version)
        // A second call with the same change, after a removal, changes nothing.
        _ = try alice.open(removal(of: "3333"))
        try alice.adopt(change)
        #expect(encryptionCode(alice) == .rotationNeeded)
    }

    @Test func `an own addition does not bring back a user who was removed after it was prepared`() throws {
        var later = history
        try later.rotate(people.bob, for: [people.alice, people.bob, people.carol, people.dave], version: 6000)
        try later.add(people.bob, ["4444"], to: ["2222", "1111", "3333"])
        try later.remove(people.bob, ["4444"])
        var alice = alice
        let draft = MemberAddDraft(
            newMembers: ["4444"],
            currentMembers: ["1111", "2222", "3333"],
            currentAdmins: ["1111"]
        )
        let change = try alice.prepareMemberAdd(draft, in: GroupHistory.id)
        var undisturbed = alice
        try undisturbed.adopt(change)
        #expect(undisturbed.memberships[GroupHistory.id]?.contains("4444") == true)
        #expect(try undisturbed.encryptingVersion(in: GroupHistory.id) == change.keyChange.version)
        _ = alice.deliver(later.events.suffix(3).map { .success($0) })
        try alice.adopt(change)
        #expect(alice.memberships[GroupHistory.id]?.present == ["1111", "2222", "3333"])
        #expect(encryptionCode(alice) == .rotationNeeded)
    }

    // MARK: Changed public keys

    @Test func `a key made before changed public keys were accepted does not encrypt after it`() throws {
        for conversation in [GroupHistory.id, ConversationID.oneToOne("1111", "2222")] {
            // Also with a clock that does not move, and with the event of the change read first.
            for isRead in [false, true] {
                var alice = alice
                alice.keyRing.restoreFloor(5000, of: conversation)
                let change = try alice.prepareKeyChange(in: conversation)
                if isRead { _ = try alice.open(change.event) }
                try alice.acceptChange([try newKeys(of: "2222")])
                try alice.adopt(change)
                #expect(code { _ = try alice.encryptingVersion(in: conversation) } == .rotationNeeded)
                let next = try alice.prepareKeyChange(in: conversation)
                try alice.adopt(next)
                #expect(try alice.encryptingVersion(in: conversation) == next.version)
            }
        }
    }

    @Test func `the key of a new member whose public keys changed meanwhile does not encrypt`() throws {
        var (creating, adding) = (people.alice, alice)
        let group = ConversationID(canonicalizing: "g5")
        let creation = try creating.prepareGroupCreate(
            GroupDraft(members: ["1111", "4444"], admins: ["1111"]),
            in: group
        )
        try creating.acceptChange([try newKeys(of: "4444")])
        try creating.adopt(creation)
        #expect(code { _ = try creating.encryptingVersion(in: group) } == .rotationNeeded)
        let draft = MemberAddDraft(
            newMembers: ["4444"],
            currentMembers: ["1111", "2222", "3333"],
            currentAdmins: ["1111"]
        )
        let addition = try adding.prepareMemberAdd(draft, in: GroupHistory.id)
        try adding.acceptChange([try newKeys(of: "4444")])
        try adding.adopt(addition)
        #expect(encryptionCode(adding) == .rotationNeeded)
    }

    // MARK: Limits

    @Test func `an addition or creation that could not be adopted is refused before it is signed`() throws {
        let many = (10_000..<20_000).map { UserID(String($0)) }
        var alice = alice
        let addition = MemberAddDraft(
            newMembers: Array(many.prefix(9_998)),
            currentMembers: ["1111", "2222", "3333"],
            currentAdmins: ["1111"]
        )
        #expect(code { _ = try alice.prepareMemberAdd(addition, in: GroupHistory.id) } == .tooLarge)
        var fitting = addition
        fitting.newMembers.removeLast()
        // The limit passes, and the next check fails: the keys of the users are not pinned.
        #expect(code { _ = try alice.prepareMemberAdd(fitting, in: GroupHistory.id) } == .notAParticipant)
        let group = ConversationID(canonicalizing: "g5")
        let creation = GroupDraft(members: ["1111"] + many, admins: ["1111"])
        #expect(code { _ = try alice.prepareGroupCreate(creation, in: group) } == .tooLarge)
    }

    /// A log with 29,990 ids: a founding by alice, 9,995 users who were added, and their removal.
    private func longLog() throws -> Membership {
        var log = Membership(
            founding: Membership.Entry(effect: .founded, claim: .signed, signer: "1111", people: ["1111"])
        )
        let former = (10_000..<19_995).map { UserID(String($0)) }
        let added = GroupMemberAddChange(
            memberIDs: former,
            currentMemberIDs: ["1111"],
            conversationKeyVersion: "5"
        )
        let digests = try (1...2).map { try #require(EventDigest(stored: Array(repeating: $0, count: 32))) }
        #expect(log.add(added, by: "1111", claim: .signed, digest: digests[0]) != .full)
        #expect(log.remove(former, by: "1111", claim: .signed, digest: digests[1]) != .full)
        log.endDelivery { _ in 5 }
        return log
    }

    @Test func `an addition for which the log has no room is refused before it is signed`() throws {
        var alice = alice
        alice.restore(try longLog(), of: GroupHistory.id)
        // An addition of n users has n + 1 ids, and the group has n more members.
        for (count, expected) in [(5_004, XChatError.Code.notAParticipant), (5_005, .tooLarge)] {
            let draft = MemberAddDraft(
                newMembers: (0..<count).map { UserID(String(500_000 + $0)) },
                currentMembers: ["1111"],
                currentAdmins: ["1111"]
            )
            #expect(code { _ = try alice.prepareMemberAdd(draft, in: GroupHistory.id) } == expected)
        }
    }

    @Test func `an addition whose log was filled after the preparation is not adopted`() throws {
        var alice = alice
        let draft = MemberAddDraft(
            newMembers: ["4444"],
            currentMembers: ["1111", "2222", "3333"],
            currentAdmins: ["1111"]
        )
        let addition = try alice.prepareMemberAdd(draft, in: GroupHistory.id)
        var log = try longLog()
        let filling = GroupMemberAddChange(
            memberIDs: (0..<5_004).map { UserID(String(500_000 + $0)) },
            currentMemberIDs: ["1111"],
            conversationKeyVersion: "6"
        )
        let digest = try #require(EventDigest(stored: Array(repeating: 3, count: 32)))
        #expect(log.add(filling, by: "1111", claim: .signed, digest: digest) != .full)
        log.endDelivery { _ in 6 }
        alice.restore(log, of: GroupHistory.id)
        #expect(code { try alice.adopt(addition) } == .tooLarge)
        #expect(alice.memberships[GroupHistory.id]?.contains("4444") == false)
        let version = addition.keyChange.version
        #expect(alice.keyRing.acceptedKey(in: GroupHistory.id, version: version) == nil)
    }
}
