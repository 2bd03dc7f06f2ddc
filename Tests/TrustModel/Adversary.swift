import LibSodium
import XChatEngine
import XChatEvents

/// A history with an insider, outsiders, a thief of replaced keys, and a server that lies.
extension History {
    private static let hour: UInt64 = 3600 * 1000

    /// Runs the history to its end.
    mutating func runWithAdversary() throws {
        try addClients(random.number(3...5))
        let people = clients.map(\.user)
        try create(World.otherGroup, with: ["1666", "3001", people[1]], by: 0)
        pass()
        let others = random.subset(of: Array(people.dropFirst()) + ["1666"], percent: 70)
        try create(World.group, with: others, by: 0)
        let steps = random.number(8...26)
        for _ in 0..<steps {
            pass()
            try step()
        }
        try tellEverything()
    }

    private mutating func step() throws {
        let index = random.number(0...clients.count - 1)
        switch random.number(0...99) {
        case 0..<32: try actHonestly(index)
        case 32..<54: try conspire()
        case 54..<84: try lie(to: index)
        case 84..<88: try replaceKeys(of: index)
        case 88..<92: try acceptSomething(index)
        case 92..<94: try restart(index)
        case 94..<97: try listMembers(to: index)
        case 97..<98: try acceptMembers(world.members.union([clients[index].user]).sorted(), by: index)
        default: try encryptAgain()
        }
    }

    private mutating func acceptSomething(_ index: Int) throws {
        let changed = clients[index].accepted.keys.sorted().filter { user in
            world.served(user).last?.version != clients[index].accepted[user]
        }
        if let user = random.pick(changed) { try accept(user, by: index) }
    }

    // MARK: Honest members

    private mutating func actHonestly(_ index: Int) throws {
        if random.chance(60) { try tellTruth(to: index) }
        guard let members = clients[index].session.memberships[World.group], members.contains(clients[index].user)
        else {
            return
        }
        try pinMembers(index)
        let isTaken = random.chance(90)
        switch random.number(0...99) {
        case 0..<40: try write(index, isEdit: random.chance(15))
        case 40..<55: try rotate(index, isTaken: isTaken, isHeldBack: true)
        case 55..<75:
            let absent = world.people.filter { !members.contains($0) }
            guard let user = random.pick(absent) else { return }
            if world.conspirators.contains(user), user != "1666", random.chance(80) { return }
            if random.chance(15) {
                try addAsOldClient(user, by: index)
            } else {
                try add([user], by: index, isTaken: isTaken, isHeldBack: true)
            }
        case 75..<95:
            let others = members.present.subtracting([clients[index].user]).sorted()
            guard let user = random.pick(others) else { return }
            try remove([user], by: index)
            if random.chance(60) { try rotate(index, isHeldBack: true) }
        default: try remove([clients[index].user], by: index)
        }
    }

    /// Adds a user like a client that signs an older version of the text.
    ///
    /// That version names invited users, and may name no administrator.
    private mutating func addAsOldClient(_ user: UserID, by index: Int) throws {
        guard let members = clients[index].session.memberships[World.group]?.present else { return }
        let author = clients[index].identity
        let invited = world.people.filter { !members.contains($0) && $0 != user }
        let addition = GroupMemberAddChange(
            memberIDs: [user],
            currentMemberIDs: [author.user] + members.subtracting([author.user]).sorted(),
            currentAdminIDs: random.chance(50) ? [] : [author.user],
            conversationKeyVersion: KeyVersion(String(world.time)),
            currentPendingMemberIDs: random.pick(invited).map { [$0] }
        )
        let key = try ConversationKey.generate()
        let recipients = try (members.sorted() + [user]).map { try world.current($0) }
        let announcement = try world.keyChange(
            Client.bytes(of: key),
            version: world.time,
            for: recipients,
            by: author,
            in: World.group
        )
        let announced = try world.record(
            announcement,
            .keyChange,
            by: author,
            isHonest: true,
            key: Client.bytes(of: key)
        )
        record(announced, "for \(announced.entries)")
        let event = try world.groupChange(
            .groupMemberAdd(addition),
            by: author,
            in: World.group,
            signatureVersion: Int32(random.number(2...6))
        )
        let added = try world.record(event, .addition, by: author, isHonest: true)
        record(added, "by an old client, names \(added.named), invited \(addition.currentPendingMemberIDs ?? [])")
        world.apply(added)
        try deliver([Item(announced), Item(added)], to: index, "its own addition")
    }

    // MARK: The insider, outsiders and thieves

    private mutating func conspire() throws {
        let thefts = clients.filter { world.registered[$0.user, default: 0] > 0 }.map(\.user)
        if random.chance(12), let victim = random.pick(thefts), let old = world.cast.identities(of: victim).first {
            return try announce(as: old, isStolen: true)
        }
        let outsiders = world.cast.outsiders.compactMap(\.first)
        guard let insider = world.cast.insider.first,
            let author = random.chance(75) ? insider : random.pick(outsiders)
        else { return }
        switch random.number(0...99) {
        case 0..<22: try addAnybody(as: author)
        case 22..<36: try removeAnybody(as: author)
        case 36..<60: try announce(as: author)
        case 60..<75: try write(as: author)
        case 75..<87: try writeTwoTexts(as: author)
        case 87..<94: try create(as: author)
        default:
            let request = GroupChange.groupJoinRequest(GroupJoinRequest(requestingUserID: author.user))
            let event = try world.groupChange(request, by: author, in: World.group)
            record(try world.record(event, .joinRequest, by: author, isHonest: false), "")
        }
    }

    /// A version that an adversary chooses.
    private mutating func anyVersion() -> UInt64 {
        let known = world.acts.compactMap(\.version)
        switch random.number(0...9) {
        case 0..<3: return random.pick(known) ?? world.time
        case 3..<8: return world.time
        case 8: return world.time + 3 * Self.hour
        default: return world.time + 720 * Self.hour
        }
    }

    private mutating func addAnybody(as author: Identity) throws {
        let new = random.subset(of: world.people.filter { $0 != author.user }, percent: 30)
        guard let first = new.first else { return }
        let rest = random.subset(of: world.people.filter { $0 != author.user && !new.contains($0) }, percent: 40)
        let change = GroupMemberAddChange(
            memberIDs: new.isEmpty ? [first] : new,
            currentMemberIDs: random.chance(70) ? [author.user] + rest : rest + [author.user],
            currentAdminIDs: random.chance(70) ? [author.user] : [],
            conversationKeyVersion: KeyVersion(String(anyVersion()))
        )
        let event = try world.groupChange(.groupMemberAdd(change), by: author, in: World.group)
        let act = try world.record(event, .addition, by: author, isHonest: false)
        world.apply(act)
        record(act, "names \(act.named)")
    }

    private mutating func removeAnybody(as author: Identity) throws {
        let users = random.subset(of: world.people, percent: 30)
        guard !users.isEmpty else { return }
        let change = GroupMemberRemoveChange(memberIDs: users)
        let event = try world.groupChange(.groupMemberRemove(change), by: author, in: World.group)
        let act = try world.record(event, .removal, by: author, isHonest: false)
        if random.chance(30) { world.apply(act) }
        record(act, "takes out \(users)")
    }

    private mutating func announce(as author: Identity, isStolen: Bool = false) throws {
        let known = world.keysOfConspirators(in: World.group)
        var key = Client.bytes(of: try ConversationKey.generate())
        var version = anyVersion()
        if random.chance(25), let old = random.pick(known) {
            key = old.key
            if random.chance(50) { version = old.version }
        }
        let users = random.chance(50) ? world.people : random.subset(of: world.people, percent: 60)
        let hidden: Set<UserID> = random.chance(50) ? world.conspirators : []
        let recipients = try users.filter { !hidden.contains($0) || $0 == author.user }.map { try world.current($0) }
        let event = try world.keyChange(
            key,
            version: version,
            for: recipients,
            by: author,
            in: World.group,
            signatureVersion: random.chance(85) ? 7 : 5
        )
        let act = try world.record(event, .keyChange, by: author, isHonest: false, isStolen: isStolen, key: key)
        // Thieves keep the keys that they made.
        if isStolen, let insider = world.cast.insider.first { world.give(key, to: insider.holder) }
        record(act, "\(isStolen ? "stolen keys of \(author.user), " : "")for \(act.entries)")
        if isStolen, random.chance(70) {
            let box = try world.box("forged", key: key)
            let event = try world.message(box, version: version, by: author, in: World.group)
            record(
                try world.record(event, .message, by: author, isHonest: false, isStolen: true, text: "forged"),
                "with stolen keys"
            )
        }
    }

    private mutating func write(as author: Identity) throws {
        guard let known = random.pick(world.keysOfConspirators(in: World.group)) else { return }
        let text = "insider's \(world.acts.count)"
        let version = random.chance(80) ? known.version : anyVersion()
        let event = try world.message(
            try world.box(text, key: known.key),
            version: version,
            by: author,
            in: World.group
        )
        record(try world.record(event, .message, by: author, isHonest: false, text: text), text)
    }

    /// Two key changes under one version, and a message that opens under both.
    private mutating func writeTwoTexts(as author: Identity) throws {
        let version = random.chance(70) ? world.time : anyVersion()
        let first = Set(random.subset(of: world.people, percent: 50))
        // Some users get both keys.
        let second = Set(world.people).subtracting(first).union(random.subset(of: first.sorted(), percent: 20))
        let halves = [(TwoTexts.firstKey, first), (TwoTexts.secondKey, second)]
        for (key, users) in halves {
            let recipients = try users.union([author.user]).sorted().map { try world.current($0) }
            let event = try world.keyChange(
                key,
                version: version,
                for: recipients,
                by: author,
                in: World.group,
                signatureVersion: random.chance(90) ? 7 : 5
            )
            let act = try world.record(event, .keyChange, by: author, isHonest: false, key: key)
            record(act, "one of two keys, for \(act.entries)")
        }
        let event = try world.message(try TwoTexts.bytes(), version: version, by: author, in: World.group)
        record(
            try world.record(event, .message, by: author, isHonest: false, isTwoTexts: true),
            "opens to two texts"
        )
    }

    /// A creation of the group by a user who did not create it.
    private mutating func create(as author: Identity) throws {
        let version = anyVersion()
        let change = GroupCreate(
            memberIDs: random.subset(of: world.people, percent: 60),
            adminIDs: [author.user],
            conversationKeyVersion: KeyVersion(String(version))
        )
        let target = random.chance(50) ? World.group : World.otherGroup
        let event = try world.groupChange(.groupCreate(change), by: author, in: target)
        let act = try world.record(event, .creation, by: author, isHonest: false)
        record(act, "names \(act.named)")
    }

    // MARK: The server

    /// The events that a client has not received yet, in the true order.
    mutating func tellTruth(to index: Int, atMost count: Int = .max) throws {
        let end = min(world.acts.count, cursors[index] + min(count, world.acts.count))
        guard cursors[index] < end else { return }
        let acts = world.acts[cursors[index]..<end].filter { !$0.isStolen }
        cursors[index] = end
        let items = acts.map { Item($0) }
        try serveKeys(to: index, for: items, isHonest: true)
        try deliver(items, to: index, "the truth")
    }

    /// What happens between the request of a client and the server's answer to it.
    mutating func holdBack(from index: Int) throws {
        if random.chance(30) { try conspire() }
        if random.chance(15) {
            let other = random.number(0...clients.count - 1)
            if other != index { try replaceKeys(of: other) }
        }
        switch random.number(0...9) {
        case 0..<4: break
        case 4..<7: try tellTruth(to: index)
        case 7: try lie(to: index)
        default: try acceptSomething(index)
        }
    }

    private mutating func lie(to index: Int) throws {
        var acts: [Act]
        switch random.number(0...99) {
        case 0..<35: return try tellTruth(to: index, atMost: random.number(1...8))
        case 35..<60:
            acts = (0..<random.number(1...8)).compactMap { _ in random.pick(world.acts) }
        case 60..<80:
            acts = [random.pick(world.acts)].compactMap { $0 }
        case 80..<90:
            acts = random.subset(of: world.acts, percent: 60)
        default:
            acts = random.subset(of: world.acts, percent: 60).shuffled(using: &random)
        }
        acts = Array(acts.suffix(16))
        let items = acts.map { act in random.chance(40) ? rewritten(act) : Item(act) }
        try serveKeys(to: index, for: items, isHonest: false)
        try deliver(items, to: index, "lies")
    }

    /// Serves the keys of the senders that a follower requests.
    private mutating func serveKeys(to index: Int, for items: [Item], isHonest: Bool) throws {
        for user in Set(items.compactMap(\.event.senderID)).sorted() {
            guard user != clients[index].user, !world.cast.identities(of: user).isEmpty else { continue }
            var served = world.served(user)
            if !isHonest {
                switch random.number(0...99) {
                case 0..<8: served = []
                case 8..<14: served = Array(served.prefix(1))
                case 14..<20:
                    // A forged key on first use is trusted: only the safety code shows it.
                    if clients[index].accepted[user] != nil, let forged = world.cast.forged[user] {
                        served.append(forged)
                    }
                default: break
                }
            }
            try clients[index].pin(served, of: user)
        }
    }

    /// Lists random users as members, the client's own user among them.
    private mutating func listMembers(to index: Int) throws {
        guard clients[index].session.memberships[World.group] == nil else { return }
        let listed = [clients[index].user] + world.people.filter { $0 != clients[index].user && random.chance(60) }
        say("the server lists \(listed) to \(name(index))")
        try act(index) { client in _ = try client.session.found(listed, of: World.group) }
        // Delivers key changes without the group's changes: the list then decides who may have announced them.
        guard random.chance(60) else { return }
        let items = world.acts.filter { $0.kind == .keyChange || $0.kind == .message }.map { Item($0) }
        try serveKeys(to: index, for: items, isHonest: true)
        try deliver(items, to: index, "keys and messages")
    }

    /// The same signed event in another envelope.
    private mutating func rewritten(_ act: Act) -> Item {
        var event = act.event
        if random.chance(60), let other = otherReading(of: event) { return Item(act, other) }
        for _ in 0..<random.number(1...2) {
            switch random.number(0...11) {
            case 0: event.sequenceID = SequenceID(String(random.number(1...99)))
            case 1: event.createdAtMsec = WireString(String(random.number(0...2_000_000_000)))
            case 2: event.conversationToken = "token"
            case 3: event.messageEventSignature?.signatureVersion = WireString(String(random.number(1...8)))
            case 4: event.messageID = random.pick(world.acts)?.event.messageID
            case 5:
                let user = clients.first?.user ?? ""
                event.conversationID = random.pick([
                    World.otherGroup.text, World.group.text, WireString("\(user):1666"),
                ])
            case 6: event.messageEventSignature?.publicKeyVersion = random.pick(["1", "2", "3"])
            default: event.detail = rewritten(event.detail)
            }
        }
        return Item(act, event)
    }

    /// An addition whose invited users are members when it is read under another version of the signed text.
    private func otherReading(of event: MessageEvent) -> MessageEvent? {
        guard case .groupChangeEvent(var change) = event.detail,
            case .groupMemberAdd(var addition) = change.groupChange,
            let pending = addition.currentPendingMemberIDs, !pending.isEmpty,
            let version = event.messageEventSignature?.signatureVersion?.i32, (3...6).contains(version)
        else { return nil }
        addition.currentMemberIDs = (addition.currentMemberIDs ?? []) + (addition.currentAdminIDs ?? []) + pending
        addition.currentAdminIDs = []
        addition.currentPendingMemberIDs = nil
        change.groupChange = .groupMemberAdd(addition)
        var event = event
        event.detail = .groupChangeEvent(change)
        event.messageEventSignature?.signatureVersion = version < 5 ? "2" : "7"
        return event
    }

    private mutating func rewritten(_ detail: MessageEventDetail?) -> MessageEventDetail? {
        switch detail {
        case .conversationKeyChangeEvent(var change):
            guard var entries = change.conversationParticipantKeys else { return detail }
            if random.chance(70), let entry = entries.indices.randomElement(using: &random) {
                entries.remove(at: entry)
            }
            if random.chance(20), let entry = entries.first { entries.append(entry) }
            entries.shuffle(using: &random)
            change.conversationParticipantKeys = entries
            return .conversationKeyChangeEvent(change)
        case .groupChangeEvent(var change):
            switch change.groupChange {
            case .groupMemberAdd(let addition): change.groupChange = .groupMemberAdd(rewritten(addition))
            case .groupCreate(var create):
                create.adminIDs = random.subset(of: world.people, percent: 30)
                create.ttlMsec = 5
                change.groupChange = .groupCreate(create)
            default: change.forKeyRotation = true
            }
            return .groupChangeEvent(change)
        case .messageCreateEvent(var create):
            create.shouldNotify = false
            create.ttlMsec = 1
            return .messageCreateEvent(create)
        default: return detail
        }
    }

    /// Other boundaries between the signed lists: new members, present members, administrators, invited users.
    private mutating func rewritten(_ addition: GroupMemberAddChange) -> GroupMemberAddChange {
        var addition = addition
        let pending = addition.currentPendingMemberIDs ?? []
        let ids = (addition.memberIDs ?? []) + (addition.currentMemberIDs ?? []) + (addition.currentAdminIDs ?? [])
        let all = random.chance(50) ? ids + pending : ids
        var bounds = (0..<3).map { _ in random.number(0...all.count) }
        bounds.sort()
        if random.chance(40) { bounds[2] = all.count }
        if random.chance(40) { bounds[1] = bounds[2] }
        addition.memberIDs = Array(all[..<bounds[0]])
        addition.currentMemberIDs = Array(all[bounds[0]..<bounds[1]])
        addition.currentAdminIDs = Array(all[bounds[1]..<bounds[2]])
        addition.currentPendingMemberIDs = Array(all[bounds[2]...])
        return addition
    }

    // MARK: The end

    /// All clients receive the same events, and a signed message that has two texts is marked.
    private mutating func tellEverything() throws {
        let items = world.acts.map { Item($0) }
        var texts: [Int: [String: UserID]] = [:]
        for index in clients.indices {
            try serveKeys(to: index, for: items, isHonest: true)
            clients[index].refused = []
            try deliver(items, to: index, "everything")
            clients[index].refused = []
            let results = try deliver(items, to: index, "everything again")
            for (item, result) in zip(items, results) {
                guard case .success(let event) = result, event.isVerified, let text = event.text else { continue }
                guard event.marks.subtracting([.senderLeft, .targetUnproven]).isEmpty else { continue }
                texts[item.act.index, default: [:]][text] = clients[index].user
            }
        }
        for (act, shown) in texts.sorted(by: { $0.key < $1.key }) where shown.count > 1 {
            throw Violation(
                invariant: 4,
                reason: "message #\(act) is shown without a mark as \(shown.sorted { $0.key < $1.key })"
            )
        }
    }
}
