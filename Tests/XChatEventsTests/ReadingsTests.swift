import Foundation
import Testing
import XChatEvents

/// Thousands of random signed texts, each read in all possible ways.
///
/// The accepted readings are compared with rules that this file states independently of the code under test.
/// `XCHAT_SEED` in the environment replays one run.
@Suite("Readings of a signed text")
struct ReadingsTests {
    private static let seed = ProcessInfo.processInfo.environment["XCHAT_SEED"].flatMap { UInt64($0) } ?? 20_260_301

    /// Everything that a reader takes from an addition, apart from where new members end.
    private struct Meaning: Hashable {
        let members: Set<UserID>
        let admins: [UserID]
        let pending: [UserID]
        let title: WireString?
        let keyVersion: KeyVersion?
    }

    private static func event(_ change: GroupChange, sender: UserID, version: Int) -> MessageEvent {
        MessageEvent(
            messageID: "m",
            senderID: sender,
            conversationID: "g9",
            detail: .groupChangeEvent(GroupChangeEvent(groupChange: change)),
            messageEventSignature: MessageEventSignature(signatureVersion: WireString("\(version)"))
        )
    }

    private static func text(_ event: MessageEvent) -> String? {
        guard let version = try? SignatureVersion(event.messageEventSignature?.signatureVersion),
            let payload = try? SignedPayload(of: event, version: version)
        else { return nil }
        return String(decoding: payload.bytes, as: UTF8.self)
    }

    private static func parts(_ text: String, after count: Int) -> [WireString] {
        text.split(separator: ",", omittingEmptySubsequences: false).dropFirst(count).map { WireString(String($0)) }
    }

    // MARK: Additions

    /// All additions of all versions with one signed text, consistent or not.
    private static func additions(_ text: String, sender: UserID) -> [(MessageEvent, GroupMemberAddChange)] {
        let parts = parts(text, after: 4)
        var found: [(MessageEvent, GroupMemberAddChange)] = []
        for version in 2...7 {
            for tail in version == 7 ? [5, 8] : version >= 5 ? [5] : [4] where parts.count >= tail {
                guard let bare = addition(tail: Array(parts.suffix(tail))) else { continue }
                let ids = parts.dropLast(tail).map { UserID($0) }
                for addition in splits(ids, of: bare, hasPending: (3...6).contains(version)) {
                    let event = event(.groupMemberAdd(addition), sender: sender, version: version)
                    // Words such as 007 are not what a writer makes of the number that they are.
                    if Self.text(event) == text { found.append((event, addition)) }
                }
            }
        }
        return found
    }

    private static func splits(
        _ ids: [UserID],
        of bare: GroupMemberAddChange,
        hasPending: Bool
    ) -> [GroupMemberAddChange] {
        var found: [GroupMemberAddChange] = []
        for first in 0...ids.count {
            for second in first...ids.count {
                for third in hasPending ? Array(second...ids.count) : [ids.count] {
                    var addition = bare
                    addition.memberIDs = Array(ids[..<first])
                    addition.currentMemberIDs = Array(ids[first..<second])
                    addition.currentAdminIDs = Array(ids[second..<third])
                    addition.currentPendingMemberIDs = hasPending ? Array(ids[third...]) : nil
                    found.append(addition)
                }
            }
        }
        return found
    }

    private static func addition(tail: [WireString]) -> GroupMemberAddChange? {
        func orNil(_ part: WireString) -> WireString? { part == "null" ? nil : part }
        var addition = GroupMemberAddChange(
            currentTitle: orNil(tail[0]),
            currentAvatarURL: orNil(tail[1]),
            conversationKeyVersion: KeyVersion(tail[3]),
            currentTTLMsec: Int64(tail[2].string)
        )
        if tail.count > 4 { addition.screenCaptureBlockingEnabled = Bool(tail[4].string) }
        if tail.count > 5 {
            addition.groupInviteEnable = GroupInviteEnable(
                expiresAtMsec: Int64(tail[7].string),
                inviteURL: orNil(tail[5]),
                affiliateID: orNil(tail[6])
            )
        }
        return addition
    }

    /// The rules for one addition, looked at alone.
    private static func isAccepted(_ addition: GroupMemberAddChange, sender: UserID) -> Bool {
        let (new, current) = (addition.memberIDs ?? [], addition.currentMemberIDs ?? [])
        let (admins, pending) = (addition.currentAdminIDs ?? [], addition.currentPendingMemberIDs ?? [])
        let people = new + current + pending
        return (people + admins).allSatisfy { !$0.isEmpty && Int($0.string) != nil && !$0.string.hasPrefix("-") }
            && Set(people).count == people.count && Set(admins).count == admins.count
            && !new.isEmpty && current.contains(sender) && admins.allSatisfy { current.contains($0) }
            && addition.currentAvatarURL.map { Int($0.string) == nil || $0.string.hasPrefix("-") } != false
            && addition.conversationKeyVersion.map { Int($0.string) != nil && !$0.string.hasPrefix("-") } == true
    }

    private static func meaning(_ addition: GroupMemberAddChange) -> Meaning {
        Meaning(
            members: Set((addition.memberIDs ?? []) + (addition.currentMemberIDs ?? [])),
            admins: addition.currentAdminIDs ?? [],
            pending: addition.currentPendingMemberIDs ?? [],
            title: addition.currentTitle,
            keyVersion: addition.conversationKeyVersion
        )
    }

    /// Texts of honest additions, and texts of ids and words in any order.
    private static func randomAddition(_ generator: inout SeededGenerator) -> (text: String, sender: UserID)? {
        func ids(_ range: ClosedRange<Int>, of pool: [UserID]) -> [UserID] {
            Array(pool.shuffled(using: &generator).prefix(Int.random(in: range, using: &generator)))
        }
        let pool = (1...7).map { UserID("\($0)") }
        let sender = pool.randomElement(using: &generator) ?? "1"
        func word(_ words: [WireString]) -> WireString { words.randomElement(using: &generator) ?? "null" }
        let titles: [WireString] = ["null", "T", "3", "7"]
        let numbers: [WireString] = ["null", "2", "-3", "5"]
        let soup: [WireString] = ["null", "true", "false", "x", "1", "3", "-2", "04", ""]
        if Bool.random(using: &generator) {
            var tail = [word(titles), word(["null", "u", "-1"]), word(numbers), word(pool.map(\.text))]
            if Bool.random(using: &generator) { tail.append(word(["null", "true", "false"])) }
            if tail.count == 5, Bool.random(using: &generator) {
                tail += [word(titles), word(titles), word(numbers)]
            }
            if Int.random(in: 0..<4, using: &generator) == 0 {
                tail[Int.random(in: tail.indices, using: &generator)] = word(soup)
            }
            let people = (0..<Int.random(in: 0...6, using: &generator)).map { _ in word(pool.map(\.text)) }
            let parts = (people + tail).map(\.string).joined(separator: ",")
            return ("GroupChangeEvent.GroupMemberAddChange,m,\(sender),g9,\(parts)", sender)
        }
        // An honest one: the sender is among the present members, and the lists are what they say.
        let people = ids(2...5, of: pool.filter { $0 != sender }) + [sender]
        let newCount = Int.random(in: 1..<people.count, using: &generator)
        var addition = GroupMemberAddChange(
            memberIDs: Array(people.prefix(newCount)),
            currentMemberIDs: people.dropFirst(newCount).shuffled(using: &generator),
            currentTitle: word(titles),
            conversationKeyVersion: KeyVersion(word(pool.map(\.text)))
        )
        addition.currentAdminIDs = ids(0...2, of: addition.currentMemberIDs ?? [])
        addition.currentPendingMemberIDs = ids(0...2, of: pool.filter { !people.contains($0) })
        if addition.currentTitle == "null" { addition.currentTitle = nil }
        if Int.random(in: 0..<3, using: &generator) == 0 {
            addition.groupInviteEnable = GroupInviteEnable(inviteURL: "u", affiliateID: word(titles.suffix(3)))
        }
        let version = Int.random(in: 2...7, using: &generator)
        let event = event(.groupMemberAdd(addition), sender: sender, version: version)
        return text(event).map { ($0, sender) }
    }

    @Test func `all accepted readings of an addition name the same members`() throws {
        var generator = SeededGenerator(seed: Self.seed)
        print("XCHAT_SEED=\(Self.seed)")
        var (accepted, ambiguous) = (0, 0)
        for _ in 0..<4_000 {
            guard let (text, sender) = Self.randomAddition(&generator) else { continue }
            let possible = Self.additions(text, sender: sender).filter { Self.isAccepted($0.1, sender: sender) }
            let sets = Set(possible.map { Self.meaning($0.1).members })
            let readings = MemberAddReadings(components: Self.parts(text, after: 4), sender: sender)
            #expect(readings.memberSetCount == sets.count, "\(text)")
            #expect(readings.members.map { Set($0) } == (sets.count == 1 ? sets.first : nil), "\(text)")
            for (event, _) in possible {
                #expect((event.inconsistency == nil) == (sets.count == 1), "\(text)")
                #expect(event.namedMembers.map { Set($0) } == (sets.count == 1 ? sets.first : nil), "\(text)")
            }
            if sets.count == 1 {
                #expect(Set(possible.map { Self.meaning($0.1) }).count == 1, "\(text)")
                accepted += 1
            } else if sets.count > 1 {
                ambiguous += 1
            }
        }
        // The generator reaches both sides of the rule.
        #expect(accepted > 500 && ambiguous > 100, "\(accepted), \(ambiguous)")
    }

    @Test func `an addition that no rule accepts alone is inconsistent`() {
        var generator = SeededGenerator(seed: Self.seed &+ 1)
        print("XCHAT_SEED=\(Self.seed)")
        for _ in 0..<300 {
            guard let (text, sender) = Self.randomAddition(&generator) else { continue }
            for (event, addition) in Self.additions(text, sender: sender) {
                #expect(Self.isAccepted(addition, sender: sender) || event.inconsistency != nil, "\(text)")
            }
        }
    }

    @Test(
        "an addition with administrators is consistent in any order of its members",
        arguments: [("7", []), ("5", ["8", "9"]), ("3", ["8"]), ("2", [])] as [(WireString, [UserID])]
    )
    func anyOrder(_ version: WireString, _ pending: [UserID]) throws {
        var generator = SeededGenerator(seed: Self.seed)
        print("XCHAT_SEED=\(Self.seed)")
        for _ in 0..<500 {
            let current = ["1", "2", "3", "4"].shuffled(using: &generator) as [UserID]
            let admins = Array(current.shuffled(using: &generator).prefix(Int.random(in: 1...4, using: &generator)))
            let new = Array((["5", "6"] as [UserID]).prefix(Int.random(in: 1...2, using: &generator)))
            let addition = GroupMemberAddChange(
                memberIDs: new,
                currentMemberIDs: current,
                currentAdminIDs: admins,
                conversationKeyVersion: "10",
                currentPendingMemberIDs: pending
            )
            let number = try #require(Int(version.string))
            let event = Self.event(.groupMemberAdd(addition), sender: "1", version: number)
            #expect(event.inconsistency == nil)
            #expect(event.namedMembers == new + current)
        }
    }

    @Test func `an addition without administrators whose members can pass for pending ones is inconsistent`() {
        let reason = "current_member_ids: another reading of the signed text names other members"
        for (version, current, pending, expected) in [
            (7, ["1", "2"], [], reason), (7, ["2", "1"], [], nil), (5, ["1"], ["8"], reason), (5, ["1"], [], nil),
            (4, ["1"], ["8"], reason), (2, ["1", "2"], [], reason), (2, ["2", "1"], [], nil),
        ] as [(Int, [UserID], [UserID], String?)] {
            let addition = GroupMemberAddChange(
                memberIDs: ["5"],
                currentMemberIDs: current,
                currentAdminIDs: [],
                conversationKeyVersion: "10",
                currentPendingMemberIDs: pending
            )
            let event = Self.event(.groupMemberAdd(addition), sender: "1", version: version)
            #expect(event.inconsistency == expected)
            #expect(event.namedMembers == (expected == nil ? ["5"] + current : nil))
        }
    }

    @Test func `an invitation tells the version, so that administrators may be absent`() {
        let addition = GroupMemberAddChange(
            memberIDs: ["5"],
            currentMemberIDs: ["1", "2"],
            currentAdminIDs: [],
            conversationKeyVersion: "10",
            groupInviteEnable: GroupInviteEnable(inviteURL: "u")
        )
        let event = Self.event(.groupMemberAdd(addition), sender: "1", version: 7)
        #expect(event.inconsistency == nil)
        #expect(event.namedMembers == ["5", "1", "2"])
        #expect(event.memberAddReadings?.readings.map(\.version) == [7])
    }

    @Test func `events of other kinds have no readings of an addition`() {
        let removal = GroupMemberRemoveChange(memberIDs: ["2"])
        let event = Self.event(.groupMemberRemove(removal), sender: "1", version: 7)
        #expect(event.memberAddReadings == nil && event.namedMembers == nil)
        #expect(MessageEvent().memberAddReadings == nil)
    }

    @Test func `the readings of a group of 10,000 are counted`() {
        let people = (1...10_000).map { UserID("\($0)") }
        let addition = GroupMemberAddChange(
            memberIDs: ["20000"],
            currentMemberIDs: people,
            currentAdminIDs: [],
            conversationKeyVersion: "10"
        )
        let event = Self.event(.groupMemberAdd(addition), sender: "1", version: 7)
        #expect(event.memberAddReadings?.memberSetCount == 10_000)
        var administered = addition
        administered.currentAdminIDs = people.reversed()
        #expect(Self.event(.groupMemberAdd(administered), sender: "1", version: 7).namedMembers?.count == 10_001)
    }

    // MARK: Other kinds

    /// All creations of all versions with one signed text.
    private static func creations(_ text: String, sender: UserID) -> [(MessageEvent, [UserID])] {
        let parts = parts(text, after: 3)
        var found: [(MessageEvent, [UserID])] = []
        for version in 2...7 {
            guard let keyVersion = parts.first, parts.count >= (version >= 4 ? 4 : 1) else { continue }
            var members = Array(parts.dropFirst())
            var create = GroupCreate(adminIDs: [], conversationKeyVersion: KeyVersion(keyVersion))
            if version >= 4 {
                create.avatarURL = members.popLast().flatMap { $0 == "null" ? nil : $0 }
                create.title = members.popLast().flatMap { $0 == "null" ? nil : $0 }
                create.isLegacyGroupUpgrade = members.popLast().flatMap { Bool($0.string) }
            }
            create.memberIDs = members.map { UserID($0) }
            let event = event(.groupCreate(create), sender: sender, version: version)
            if Self.text(event) == text { found.append((event, members.map { UserID($0) })) }
        }
        return found
    }

    @Test func `all accepted readings of a creation name the same members`() {
        var generator = SeededGenerator(seed: Self.seed)
        print("XCHAT_SEED=\(Self.seed)")
        let words = ["null", "true", "false", "1", "2", "3", "4", "5", "T", ""]
        var accepted = 0
        for _ in 0..<5_000 {
            let count = Int.random(in: 1...6, using: &generator)
            let people = (0..<count).map { _ in "\(Int.random(in: 1...9, using: &generator))" }
            let tailCount = Bool.random(using: &generator) ? 3 : 0
            let tail = (0..<tailCount).map { _ in words[Int.random(in: words.indices, using: &generator)] }
            let text = "GroupChangeEvent.GroupCreate,m,1," + (people + tail).joined(separator: ",")
            let readings = Self.creations(text, sender: "1").filter { $0.0.inconsistency == nil }
            #expect(Set(readings.map(\.1)).count <= 1, "\(text)")
            if !readings.isEmpty { accepted += 1 }
        }
        #expect(accepted > 500)
    }

    @Test func `a removal reads alike in every version`() {
        var generator = SeededGenerator(seed: Self.seed)
        print("XCHAT_SEED=\(Self.seed)")
        for _ in 0..<500 {
            let count = Int.random(in: 0...5, using: &generator)
            let people = (0..<count).map { _ in UserID("\(Int.random(in: 1...9, using: &generator))") }
            let events = (2...7).map { version in
                Self.event(.groupMemberRemove(.init(memberIDs: people)), sender: "1", version: version)
            }
            let text = "GroupChangeEvent.GroupMemberRemoveChange,m,1,g9" + people.map { ",\($0)" }.joined()
            #expect(events.allSatisfy { Self.text($0) == text })
            // Each id is a component, and there is nothing else: the list is the text.
            #expect(events.allSatisfy { ($0.inconsistency == nil) == (Set(people).count == people.count) })
        }
    }

    @Test func `all accepted readings of a key change name the same participants`() throws {
        var generator = SeededGenerator(seed: Self.seed)
        print("XCHAT_SEED=\(Self.seed)")
        let words: [WireString] = ["1", "2", "3", "", "k", "null"]
        var accepted = 0
        for _ in 0..<3_000 {
            let parts = (0..<Int.random(in: 1...8, using: &generator)).map { _ in
                words.randomElement(using: &generator) ?? "1"
            }
            let text = "ConversationKeyChangeEvent,m,1,g9," + parts.map(\.string).joined(separator: ",")
            var readings: [[ConversationParticipantKey]?] = []
            for version in 2...7 {
                let list: [ConversationParticipantKey] = stride(from: 1, to: parts.count - 2, by: 3).map { index in
                    ConversationParticipantKey(
                        userID: UserID(parts[index]),
                        encryptedConversationKey: parts[index + 1],
                        publicKeyVersion: KeyVersion(parts[index + 2])
                    )
                }
                let change = ConversationKeyChangeEvent(
                    conversationKeyVersion: KeyVersion(parts[0]),
                    conversationParticipantKeys: list
                )
                let event = MessageEvent(
                    messageID: "m",
                    senderID: "1",
                    conversationID: "g9",
                    detail: .conversationKeyChangeEvent(change),
                    messageEventSignature: MessageEventSignature(signatureVersion: WireString("\(version)"))
                )
                guard Self.text(event) == text, event.inconsistency == nil else { continue }
                // From version 6 on the list is not signed.
                readings.append(version < 6 ? list : nil)
            }
            #expect(Set(readings).count <= 1, "\(text)")
            if !readings.isEmpty { accepted += 1 }
        }
        #expect(accepted > 100)
    }
}
