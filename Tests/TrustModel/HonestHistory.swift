import XChatEngine
import XChatEvents

/// A history in which all users are honest, and the server delivers all events in order, divided into any deliveries.
extension History {
    /// Runs the history to its end.
    mutating func runHonestly() throws {
        try addClients(random.number(3...5))
        let others = random.subset(of: Array(clients.dropFirst().map(\.user)), percent: 70)
        try create(World.group, with: others, by: 0)
        for _ in 0..<random.number(6...22) {
            pass()
            switch random.number(0...99) {
            case 0..<50: try actAsMember()
            case 50..<85: try catchUp(random.number(0...clients.count - 1), atMost: random.number(1...6))
            case 85..<90:
                let index = random.number(0...clients.count - 1)
                // Keys that were wrapped to the old identity key are unwrapped before it is replaced.
                try catchUp(index)
                try replaceKeys(of: index)
            case 90..<95:
                let index = random.number(0...clients.count - 1)
                if let user = random.pick(clients[index].accepted.keys.sorted()) { try accept(user, by: index) }
            default:
                let index = random.number(0...clients.count - 1)
                try restart(index)
                // Like the command, the client reads the whole history when it starts.
                cursors[index] = 0
            }
        }
        try settle()
        try checkFreshReading()
    }

    private func isMember(_ index: Int) -> Bool { world.members.contains(clients[index].user) }

    private mutating func actAsMember() throws {
        guard let index = random.pick(clients.indices.filter { isMember($0) }) else { return }
        try catchUp(index)
        if random.chance(70) { try acceptAll(index) }
        let members = world.members
        try pinMembers(index)
        switch random.number(0...99) {
        case 0..<50: try write(index, isEdit: random.chance(20))
        case 50..<62: try rotate(index)
        case 62..<80:
            guard let user = random.pick(clients.map(\.user).filter({ !members.contains($0) })) else { return }
            try add([user], by: index)
        case 80..<96:
            guard let user = random.pick(members.subtracting([clients[index].user]).sorted()) else { return }
            guard clients[index].session.memberships[World.group]?.unjudged.isEmpty == true else { return }
            try remove([user], by: index)
            if random.chance(50) { try rotate(index) }
        default:
            guard members.count > 2 else { return }
            try remove([clients[index].user], by: index)
        }
    }

    private mutating func acceptAll(_ index: Int) throws {
        for user in clients[index].accepted.keys.sorted() { try accept(user, by: index) }
    }

    /// Delivers outstanding events: members receive the whole history, former members only the part before their
    /// removal.
    private mutating func catchUp(_ index: Int, atMost count: Int = .max) throws {
        let user = clients[index].user
        var end = world.acts.count
        if !isMember(index) {
            guard let removal = world.acts.last(where: { $0.kind == .removal && $0.removed.contains(user) }) else {
                return
            }
            end = removal.index + 1
        }
        let least = clients[index].session.memberships[World.group] == nil ? placeOfJoining(user) : 0
        end = max(least, min(end, cursors[index] + min(count, world.acts.count)))
        guard cursors[index] < end else { return }
        var items = world.acts[cursors[index]..<end].map { Item($0) }
        let known = Array(world.acts[..<cursors[index]])
        cursors[index] = end
        // An honest server may deliver an event twice, and chooses the unsigned values.
        if random.chance(20), let old = random.pick(known) {
            items.insert(Item(old), at: random.number(0...items.count))
        }
        if random.chance(30) {
            items = items.enumerated().map { place, item in
                var event = item.event
                event.sequenceID = SequenceID(String(100 + place))
                event.createdAtMsec = WireString(String(item.act.time))
                return Item(item.act, event)
            }
        }
        for sender in Set(items.map(\.act.author.user)).sorted() where sender != user {
            try clients[index].pin(world.served(sender), of: sender)
        }
        try deliver(items, to: index, "in order")
    }

    /// The end of a first delivery, which reaches from the beginning of the history at least to the change that makes
    /// the user a member.
    private func placeOfJoining(_ user: UserID) -> Int {
        let place = world.acts.firstIndex { [.creation, .addition].contains($0.kind) && $0.named.contains(user) }
        return place.map { $0 + 1 } ?? 0
    }

    // MARK: The end

    /// Accepts changed keys and lists if needed, delivers the remaining events, and compares all members.
    private mutating func settle() throws {
        pass()
        for index in clients.indices {
            try catchUp(index)
            try acceptAll(index)
            // A follower tries refused events again in its next delivery.
            try deliver([Item(world.acts[0])], to: index, "once more")
        }
        let members = clients.indices.filter { isMember($0) }
        guard let last = world.acts.last(where: { $0.kind == .keyChange }), let rotator = random.pick(members) else {
            return
        }
        for index in members {
            if clients[index].hasWaited, clients[index].view(of: World.group).present != world.members {
                // If a removal waited for keys, the exclusion version is that of the time at which it was applied. An
                // accepted list resolves this, and events that were refused meanwhile are read again.
                try acceptMembers(world.members.sorted(), by: index)
                cursors[index] = 0
                try catchUp(index)
                continue
            }
            guard clients[index].view(of: World.group).present == world.members else {
                throw Violation(
                    invariant: 3,
                    reason: "\(name(index)) does not have the true members \(world.members.sorted()) of \(World.group)"
                )
            }
            try checkTexts(of: index)
            do {
                let version = try clients[index].session.encryptingVersion(in: World.group)
                // A client that pinned the author after a change of keys knows this key only as a replaced one.
                let isReader =
                    last.entries.contains(clients[index].identity.holder)
                    && clients[index].underCurrentPin.contains(last.index)
                guard !isReader || version.number == last.version else {
                    throw Violation(
                        invariant: 3,
                        reason: "\(name(index)) encrypts with \(version), not with the newest key"
                    )
                }
            } catch let error as XChatError {
                guard [.rotationNeeded, .keyMissing].contains(error.code) else {
                    throw Violation(invariant: 3, reason: "\(name(index)) cannot encrypt: \(error)")
                }
            }
        }
        pass()
        for user in world.members.sorted() where clients[rotator].accepted[user] == nil {
            try clients[rotator].pin(world.served(user), of: user)
        }
        guard try rotate(rotator), let key = world.acts.last else {
            throw Violation(invariant: 3, reason: "\(name(rotator)) cannot rotate the key at the end")
        }
        guard try write(rotator) else {
            throw Violation(invariant: 3, reason: "\(name(rotator)) cannot write at the end")
        }
        for index in members {
            try catchUp(index)
            let version = clients[index].view(of: World.group).version
            guard version?.number == key.version else {
                throw Violation(
                    invariant: 3,
                    reason:
                        "\(name(index)) encrypts with \(version ?? "nothing") after a rotation to \(key.version ?? 0)"
                )
            }
            if !clients[index].hasWaited { try checkTexts(of: index) }
        }
    }

    /// A member shows every message whose key it was given.
    private func checkTexts(of index: Int) throws {
        let client = clients[index]
        let shown = Dictionary(client.shown.values.map { ($0.act, $0) }) { first, _ in first }
        for act in world.acts where act.kind == .message && client.delivered.contains(act.index) {
            let keys = world.acts.filter { $0.kind == .keyChange && $0.version == act.version }
            guard keys.contains(where: { client.unwrapped.contains($0.index) }) else { continue }
            // A key that became known only after its holder was removed does not raise the exclusion version.
            if isAboveBar(act, for: client) { continue }
            guard shown[act.index]?.text == act.text else {
                throw Violation(invariant: 3, reason: "\(name(index)) does not show message #\(act.index)")
            }
        }
    }

    /// Whether a former member wrote it under a key that the client did not accept in time to raise the member's
    /// exclusion version.
    private func isAboveBar(_ act: Act, for client: Client) -> Bool {
        let bar = client.session.memberships[World.group]?.bars[act.author.user]
        return bar.map { act.version ?? 0 > $0 } ?? false
    }

    /// Checks that a new session, which receives everything in one delivery, shows only events that the old one has
    /// shown.
    private func checkFreshReading() throws {
        for index in clients.indices where !clients[index].hasWaited {
            let client = clients[index]
            var fresh = try Client(client.identity, clockOffset: client.clockOffset)
            fresh.setClock(to: world.time)
            for user in client.accepted.keys.sorted() where user != client.user {
                try fresh.pin(world.served(user), of: user)
            }
            let results = fresh.session.deliver(received[index].map { .success($0.event) }).results
            for (item, result) in zip(received[index], results) {
                guard case .success(let event) = result, event.isVerified, let digest = event.digest else { continue }
                if isAboveBar(item.act, for: client) { continue }
                guard let shown = client.shown[digest], shown.text == event.text else {
                    throw Violation(
                        invariant: 6,
                        reason: "a fresh session of \(client.user) shows \(item.act.kind.rawValue) #\(item.act.index) "
                            + "and the follower did not"
                    )
                }
            }
        }
    }
}
