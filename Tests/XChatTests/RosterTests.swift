import Testing
import XChatEvents

@testable import XChat

@Suite struct RosterTests {
    static let group = ConversationID(canonicalizing: "g9")

    /// A group of Alice and Bob that takes Carol in and then puts Bob out.
    struct History {
        var events: [MessageEvent] = []
        var reader: Session

        init() throws {
            var alice = try person("1111")
            let bob = try person("2222")
            let carol = try person("3333")
            let dave = try person("4444")
            alice.trust(bob.pins["2222"] + carol.pins["3333"])
            reader = try Session(userID: "3333", privateKeys: carol.privateKeys, signingKeyVersion: "1")
            reader.trust(alice.pins["1111"] + bob.pins["2222"] + dave.pins["4444"])
            let people = alice.pins["1111"] + alice.pins["2222"]
            let created = try alice.prepareGroupCreate(
                GroupDraft(members: ["1111", "2222"], admins: ["1111"]),
                in: RosterTests.group,
                participants: people
            )
            let added = try alice.prepareMemberAdd(
                MemberAddDraft(newMembers: ["3333"], currentMembers: ["1111", "2222"], currentAdmins: ["1111"]),
                in: RosterTests.group,
                participants: people + alice.pins["3333"]
            )
            let deletion = MessageEventDetail.messageDeleteEvent(
                MessageDeleteEvent(sequenceIDs: ["5"], deleteMessageAction: .deleteForSelf)
            )
            let removal = MessageEventDetail.groupChangeEvent(
                GroupChangeEvent(groupChange: .groupMemberRemove(GroupMemberRemoveChange(memberIDs: ["2222"])))
            )
            events = [
                created.event,
                try forge(deletion, by: bob, in: "g9"),
                try forge(deletion, by: dave, in: "g9"),
                try forge(deletion, by: carol, in: "g9"),
                added.event,
                try forge(deletion, by: carol, in: "g9"),
                try forge(removal, by: alice, in: "g9"),
                try forge(deletion, by: bob, in: "g9"),
            ]
            reader.trust(carol.pins["3333"])
        }

        func codes(_ results: [Result<Event, XChatError>]) -> [XChatError.Code?] {
            results.map { result in
                if case .failure(let error) = result { error.code } else { nil }
            }
        }
    }

    @Test func `in a group each event is judged by the members of its time`() throws {
        var history = try History()
        let results = history.reader.open(history.events.map { .success($0) })
        #expect(
            history.codes(results) == [nil, nil, .notAParticipant, .notAParticipant, nil, nil, nil, .notAParticipant]
        )
        #expect(history.reader.learnedRosters[Self.group] == ["1111", "3333"])
        #expect(
            history.reader.keptRosters[Self.group]
                == GroupRoster(
                    members: ["1111", "3333"],
                    formerMembers: ["2222"],
                    lastChange: history.events[6].messageID
                )
        )
    }

    @Test func `one by one it is the same`() throws {
        var history = try History()
        var codes: [XChatError.Code?] = []
        for event in history.events { codes.append(code { _ = try history.reader.open(event) }) }
        #expect(codes == [nil, nil, .notAParticipant, .notAParticipant, nil, nil, nil, .notAParticipant])
    }

    @Test func `a history is judged the same by whoever kept its end`() throws {
        var history = try History()
        _ = history.reader.open(history.events.map { .success($0) })
        var again = try History()
        again.reader.keptRosters = history.reader.keptRosters
        let results = again.reader.open(again.events.map { .success($0) })
        #expect(
            again.codes(results) == [nil, nil, .notAParticipant, .notAParticipant, nil, nil, nil, .notAParticipant]
        )
        #expect(again.reader.keptRosters[Self.group]?.members == ["1111", "3333"])
        #expect(again.reader.keptRosters[Self.group]?.formerMembers == ["2222"])
        // Without the beginning of the history, whoever was there once may have been there then.
        var late = try History()
        late.reader.keptRosters = history.reader.keptRosters
        let middle = late.reader.open(late.events[1...3].map { .success($0) })
        #expect(late.codes(middle) == [nil, .notAParticipant, nil])
    }

    @Test func `changes that are read again are not made again`() throws {
        let (alice, bob, carol) = (try person("1111"), try person("2222"), try person("3333"))
        func change(_ change: GroupChange, by session: Session) throws -> MessageEvent {
            try forge(.groupChangeEvent(GroupChangeEvent(groupChange: change)), by: session, in: "g9")
        }
        // Alice removes Carol, Bob takes her back, and Alice removes Bob: read again, only Alice's would count.
        let events = [
            try change(
                .groupCreate(GroupCreate(memberIDs: ["1111", "2222", "3333"], conversationKeyVersion: "1")),
                by: alice
            ),
            try change(.groupMemberRemove(GroupMemberRemoveChange(memberIDs: ["3333"])), by: alice),
            try change(
                .groupMemberAdd(
                    GroupMemberAddChange(
                        memberIDs: ["3333"],
                        currentMemberIDs: ["2222", "1111"],
                        currentAdminIDs: ["2222"],
                        conversationKeyVersion: "1"
                    )
                ),
                by: bob
            ),
            try change(.groupMemberRemove(GroupMemberRemoveChange(memberIDs: ["2222"])), by: alice),
        ]
        var reader = try Session(userID: "5555")
        reader.trust(alice.pins["1111"] + bob.pins["2222"] + carol.pins["3333"])
        for _ in 1...3 {
            reader.learnedRosters = [:]
            for result in reader.open(events.map { .success($0) }) { #expect(try result.get().isVerified) }
            #expect(reader.keptRosters[Self.group]?.members == ["1111", "3333"])
        }
        _ = try reader.open(events[3])
        #expect(reader.keptRosters[Self.group]?.members == ["1111", "3333"])
    }

    @Test func `only members change the roster that is kept`() throws {
        let kept = GroupRoster(members: ["1111", "3333"], formerMembers: ["2222"])
        let (bob, dave) = (try person("2222"), try person("4444"))
        var reader = try Session(userID: "3333")
        reader.keptRosters[Self.group] = kept
        reader.trust(bob.pins["2222"] + dave.pins["4444"])
        let addition = GroupChange.groupMemberAdd(
            GroupMemberAddChange(
                memberIDs: ["4444"],
                currentMemberIDs: ["2222", "1111"],
                currentAdminIDs: ["2222"],
                conversationKeyVersion: "1"
            )
        )
        let removal = GroupChange.groupMemberRemove(GroupMemberRemoveChange(memberIDs: ["1111"]))
        let creation = GroupChange.groupCreate(GroupCreate(memberIDs: ["4444"], conversationKeyVersion: "1"))
        for change in [addition, removal, creation] {
            let detail = MessageEventDetail.groupChangeEvent(GroupChangeEvent(groupChange: change))
            for session in [bob, dave] { _ = try? reader.open(forge(detail, by: session, in: "g9")) }
        }
        #expect(reader.keptRosters[Self.group] == kept)
    }

    @Test func `a request to join comes from outside`() throws {
        var history = try History()
        _ = history.reader.open(history.events.map { .success($0) })
        let dave = try person("4444")
        history.reader.trust(dave.pins["4444"])
        func request(for user: UserID) throws -> MessageEvent {
            let change = GroupChange.groupJoinRequest(GroupJoinRequest(requestingUserID: user))
            return try forge(.groupChangeEvent(GroupChangeEvent(groupChange: change)), by: dave, in: "g9")
        }
        let kept = history.reader.keptRosters
        var (restored, told) = (history.reader, history.reader)
        restored.learnedRosters = [:]
        told.rosters[Self.group] = ["1111", "3333"]
        for var reader in [history.reader, restored, told] {
            let (own, others) = (try request(for: "4444"), try request(for: "2222"))
            try reader.verify(own)
            #expect(try reader.open(own).isVerified)
            #expect(try reader.open([.success(own)])[0].get().isVerified)
            #expect(code { try reader.verify(others) } == .notAParticipant)
            #expect(reader.keptRosters == kept)
        }
    }

    @Test func `a creation of another group, planted here, changes no roster that is known`() throws {
        var history = try History()
        var dave = try person("4444")
        history.reader.trust(dave.pins["4444"])
        let planted = try dave.prepareGroupCreate(
            GroupDraft(members: ["4444"], admins: ["4444"]),
            in: Self.group,
            participants: dave.pins["4444"]
        )
        _ = history.reader.open(history.events.map { .success($0) })
        #expect(code { _ = try history.reader.open(planted.event) } == .notAParticipant)
        #expect(history.reader.learnedRosters[Self.group] == ["1111", "3333"])
    }

    @Test func `what the caller knows of a group goes before what its events tell`() throws {
        var history = try History()
        history.reader.rosters[Self.group] = ["1111", "2222"]
        let results = history.reader.open(history.events.map { .success($0) })
        #expect(
            history.codes(results) == [nil, nil, .notAParticipant, .notAParticipant, nil, .notAParticipant, nil, nil]
        )
    }
}

/// Whose keys seal in a group: Bob reads, Alice and Carol are or were members, and Mallory was invented by the server.
@Suite struct GroupKeyTests {
    private static let group = ConversationID(canonicalizing: "g9")
    private let alice: Session
    private let carol: Session
    private let mallory: Session
    private let bob: Session

    init() throws {
        (alice, carol, mallory) = (try person("1111"), try person("3333"), try person("666"))
        var bob = try person("2222")
        bob.trust(alice.pins["1111"] + carol.pins["3333"] + mallory.pins["666"])
        self.bob = bob
    }

    /// A key that somebody announces to Bob, and a message under it.
    private func announce(
        _ version: KeyVersion,
        by announcer: Session
    ) throws -> (change: MessageEvent, message: MessageEvent) {
        let key = try ConversationKey.generate()
        let detail = try keyChangeDetail(key, version: version, to: [bob])
        var announcer = announcer
        announcer.addConversationKey(key, in: Self.group, version: version)
        return (
            try forge(detail, by: announcer, in: "g9", key: key),
            try announcer.seal(.text("hi"), in: Self.group).event
        )
    }

    private func creation(_ members: [UserID]) throws -> MessageEvent {
        try group(.groupCreate(GroupCreate(memberIDs: members, conversationKeyVersion: "1")))
    }

    private func group(_ change: GroupChange) throws -> MessageEvent {
        try forge(.groupChangeEvent(GroupChangeEvent(groupChange: change)), by: alice, in: "g9")
    }

    private func addition() throws -> MessageEvent {
        try group(
            .groupMemberAdd(
                GroupMemberAddChange(
                    memberIDs: ["3333"],
                    currentMemberIDs: ["1111", "2222"],
                    currentAdminIDs: ["1111"],
                    conversationKeyVersion: "1"
                )
            )
        )
    }

    private func removal() throws -> MessageEvent {
        try group(.groupMemberRemove(GroupMemberRemoveChange(memberIDs: ["3333"])))
    }

    private func codes(_ results: [Result<Event, XChatError>]) -> [XChatError.Code?] {
        results.map { if case .failure(let error) = $0 { error.code } else { nil } }
    }

    @Test func `where nobody is known to belong to a group, a key of whomever opens and never seals`() throws {
        let (change, message) = try announce("9999999999999", by: mallory)
        var bob = bob
        #expect(codes(bob.open([.success(message), .success(change)])) == [nil, nil])
        #expect(bob.keyRing.versions(in: Self.group) == ["9999999999999"])
        #expect(bob.keyRing.newestVersion(in: Self.group) == nil)
        #expect(bob.keyRing.mark(of: Self.group) == nil)
        do throws(XChatError) {
            _ = try bob.seal(.text("x"), in: Self.group)
            Issue.record("sealed")
        } catch {
            #expect(error.code == .keyMissing)
            #expect(error.message.contains("open and do not seal"))
        }
        // Once it is known who the announcer is, the same key change counts.
        bob.keptRosters[Self.group] = GroupRoster(members: ["666", "2222"])
        _ = try bob.open(change)
        #expect(bob.keyRing.newestVersion(in: Self.group) == "9999999999999")
    }

    @Test func `where it is known who belongs to a group, a stranger's key is refused and nothing of it kept`() throws {
        let (change, message) = try announce("9999999999999", by: mallory)
        var (kept, told) = (bob, bob)
        kept.keptRosters[Self.group] = GroupRoster(members: ["1111", "2222"], formerMembers: ["3333"])
        told.rosters[Self.group] = ["1111", "2222"]
        for var bob in [kept, told] {
            #expect(code { try bob.verify(change) } == .notAParticipant)
            #expect(code { _ = try bob.open(change) } == .notAParticipant)
            #expect(codes(bob.open([.success(message), .success(change)])) == [.notAParticipant, .notAParticipant])
            #expect(bob.keyRing.versions(in: Self.group).isEmpty)
            let (genuine, _) = try announce("1", by: alice)
            #expect(try bob.open(genuine).isVerified)
            #expect(bob.keyRing.newestVersion(in: Self.group) == "1")
        }
    }

    @Test func `one's own key seals, whatever is known of the group`() throws {
        let (change, _) = try announce("5", by: bob)
        var bob = bob
        _ = try bob.open(change)
        #expect(bob.keyRing.newestVersion(in: Self.group) == "5")
    }

    @Test func `a key of somebody who left opens what was said, and does not seal`() throws {
        let (change, message) = try announce("7", by: carol)
        var bob = bob
        bob.keptRosters[Self.group] = GroupRoster(members: ["1111", "2222"], formerMembers: ["3333"])
        #expect(codes(bob.open([.success(message), .success(change)])) == [nil, nil])
        #expect(bob.keyRing.newestVersion(in: Self.group) == nil)
        // The word of the caller says who is there, and what was kept who was.
        bob.rosters[Self.group] = ["2222"]
        let (other, _) = try announce("8", by: alice)
        #expect(try bob.open(other).isVerified)
        #expect(bob.keyRing.newestVersion(in: Self.group) == nil)
    }

    @Test func `the key of a new member seals, wherever it stands among the events`() throws {
        let (change, message) = try announce("7", by: carol)
        let events = [try addition(), message]
        for place in 0...events.count {
            var bob = bob
            bob.keptRosters[Self.group] = GroupRoster(members: ["1111", "2222"])
            var all = events
            all.insert(change, at: place)
            #expect(codes(bob.open(all.map { .success($0) })) == [nil, nil, nil])
            #expect(bob.keyRing.newestVersion(in: Self.group) == "7")
        }
    }

    @Test func `the history of a member who left opens to the end, and her key does not seal`() throws {
        let (first, _) = try announce("6", by: alice)
        let (change, message) = try announce("7", by: carol)
        let events = [try creation(["1111", "2222", "3333"]), first, message, try removal()]
        for place in 0...events.count {
            var bob = bob
            var all = events
            all.insert(change, at: place)
            #expect(codes(bob.open(all.map { .success($0) })) == [nil, nil, nil, nil, nil])
            #expect(bob.keyRing.newestVersion(in: Self.group) == "6")
        }
    }

    @Test func `who said it then may be quoted, one by one and in a batch, also after leaving`() throws {
        let (change, original) = try announce("7", by: carol)
        var (author, quoted) = (alice, original)
        quoted.sequenceID = "100"
        var knowing = bob
        let beginning = [try creation(["1111", "2222", "3333"]), change, quoted]
        _ = knowing.open(beginning.map { .success($0) })
        author.trust(carol.pins["3333"])
        author.addConversationKey(
            try #require(knowing.keyRing.verifiedKey(in: Self.group, version: "7")),
            in: Self.group,
            version: "7"
        )
        let draft = Draft.message(MessageDraft("re", reply: .event(ReplySource(Encoded(quoted)))))
        let reply = try author.seal(draft, in: Self.group).event
        let events = beginning + [reply, try removal(), reply]

        var (serial, batch) = (bob, bob)
        let oneByOne = try events.map { try serial.open($0) }
        let together = try batch.open(events.map { .success($0) }).map { try $0.get() }
        #expect(oneByOne.map(\.replyValidation) == together.map(\.replyValidation))
        #expect(together.compactMap(\.replyValidation).map(\.flaw) == [nil, nil])
        // And by oneself.
        #expect(try serial.seal(draft, in: Self.group).event.kind == .message)

        var stranger = mallory
        stranger.addConversationKey(try ConversationKey.generate(), in: Self.group, version: "7")
        var foreign = try stranger.seal(.text("hi"), in: Self.group).event
        foreign.sequenceID = "101"
        let quote = Draft.message(MessageDraft("re", reply: .event(ReplySource(Encoded(foreign)))))
        #expect(code { _ = try serial.seal(quote, in: Self.group) } == .notAParticipant)
    }
}
