import XChatEngine
import XChatEvents

/// One history: the truth, the clients, and a trace of the steps so far.
struct History {
    static let groups = [World.group, World.otherGroup]

    let seed: UInt64
    var world: World
    var random: ModelRandom
    var clients: [Client] = []
    /// The number of signed acts that each client received from a server that delivers them in order.
    var cursors: [Int] = []
    /// All events that each client received, in order.
    var received: [[Item]] = []
    /// The trace, one entry for each step; empty unless ``isTracing``.
    private(set) var trace: [String] = []
    var isTracing = false
    private var callerLists = 0
    /// Messages that clients have encrypted, with the readers of that time.
    var sealed: [(client: Int, message: SealedMessage, readers: Set<UserID>)] = []

    init(seed: UInt64) throws {
        self.seed = seed
        random = ModelRandom(seed: seed)
        world = World(cast: try Cast.shared.get())
    }

    mutating func say(_ text: String) {
        if isTracing { trace.append(text) }
    }

    mutating func addClients(_ count: Int) throws {
        for keys in world.cast.honest.prefix(count) {
            guard let first = keys.first else { continue }
            var client = try Client(first, clockOffset: random.number(-30_000...30_000))
            client.setClock(to: world.time)
            clients.append(client)
            cursors.append(0)
            received.append([])
        }
    }

    /// Advances the clock by some minutes.
    mutating func pass() {
        world.time += UInt64(random.number(120_000...600_000))
        for index in clients.indices { clients[index].setClock(to: world.time) }
    }

    func name(_ index: Int) -> String { clients[index].user.string }

    // MARK: Deliveries

    /// Delivers events to a client, after those that it tries again, and checks the results.
    @discardableResult
    mutating func deliver(_ new: [Item], to index: Int, _ why: String) throws -> [Result<Event, XChatError>] {
        let again = clients[index].refused
        let items = again + new.filter { item in !again.contains { $0.event == item.event } }
        guard !items.isEmpty else { return [] }
        received[index] += new
        let before = Self.groups.map { clients[index].view(of: $0) }
        let delivery = clients[index].session.deliver(items.map { .success($0.event) })
        clients[index].note(delivery.notices)
        let results = delivery.results
        clients[index].noteDelivery(items)
        if isTracing { say(describe(items, results, to: index, why, again: again.count)) }
        clients[index].refused = zip(items, results).compactMap { item, result in
            if case .failure(let error) = result, error.mayPass { item } else { nil }
        }
        clients[index].refused = Array(clients[index].refused.suffix(24))
        for (group, before) in zip(Self.groups, before) {
            try check(index, in: group, before: before, items: items, results: results)
        }
        for (item, result) in zip(items, results) {
            guard case .success(let event) = result else { continue }
            clients[index].noteAccepted(item)
            _ = clients[index].show(event, of: item.act)
        }
        return results
    }

    private mutating func check(
        _ index: Int,
        in group: ConversationID,
        before: Client.View,
        items: [Item],
        results: [Result<Event, XChatError>]
    ) throws {
        let invariants = Invariants(world: world, group: group)
        let after = clients[index].view(of: group)
        try invariants.checkMembers(of: &clients[index], before: before, after: after, items: items)
        for (item, result) in zip(items, results) {
            guard case .success(let event) = result,
                event.received.conversationID.map({ ConversationID(canonicalizing: $0) }) == group
            else { continue }
            try invariants.checkShown(event, item, by: clients[index], before: before, after: after)
        }
        invariants.noteWaiting(of: &clients[index], before: before, after: after, items: items)
        try invariants.checkKeys(of: clients[index], before: before, after: after)
        try invariants.checkGrowth(of: clients[index], before: before, after: after, items: items)
        try invariants.checkEncryption(by: clients[index], after)
        try invariants.checkSize(of: clients[index], after, callerLists: callerLists)
    }

    /// Runs an action of a client or its user, and checks for whom the client would encrypt afterwards.
    mutating func act(_ index: Int, isMembershipOwn: Bool = true, _ body: (inout Client) throws -> Void) throws {
        let before = Self.groups.map { clients[index].view(of: $0) }
        try body(&clients[index])
        for (group, before) in zip(Self.groups, before) {
            let invariants = Invariants(world: world, group: group)
            let after = clients[index].view(of: group)
            if isMembershipOwn {
                invariants.noteMembers(of: &clients[index], before: before, after: after)
            } else {
                try invariants.checkMembers(of: &clients[index], before: before, after: after, items: [])
            }
            invariants.noteWaiting(of: &clients[index], before: before, after: after, items: [])
            try invariants.checkKeys(of: clients[index], before: before, after: after)
            try invariants.checkEncryption(by: clients[index], after)
            try invariants.checkSize(of: clients[index], after, callerLists: callerLists)
        }
    }

    private func describe(
        _ items: [Item],
        _ results: [Result<Event, XChatError>],
        to index: Int,
        _ why: String,
        again: Int
    ) -> String {
        var lines = ["deliver to \(name(index)) (\(why)):"]
        for (place, (item, result)) in zip(items, results).enumerated() {
            let outcome =
                switch result {
                case .success(let event):
                    "shown \(event.text ?? "")" + event.marks.map(\.rawValue).sorted().map { " [\($0)]" }.joined()
                case .failure(let error): error.code.rawValue
                }
            let change = item.event == item.act.event ? "" : item.isAuthentic ? " rewritten" : " altered"
            let moved = item.isInPlace ? "" : " moved to \(item.event.conversationID ?? "none")"
            lines.append("    #\(item.act.index)\(change)\(moved)\(place < again ? " (again)" : ""): \(outcome)")
        }
        let view = clients[index].view(of: World.group)
        lines.append("    members \(view.present?.sorted().description ?? "unknown"), key \(view.version ?? "none")")
        return lines.joined(separator: "\n")
    }

    // MARK: Acts of clients

    mutating func record(_ act: Act, _ what: String) {
        say(
            "#\(act.index) \(act.author) \(act.kind.rawValue) in \(act.conversation) \(act.version.map(String.init) ?? ""): \(what)"
        )
    }

    /// Fetches the keys of the members that the client does not have.
    mutating func pinMembers(_ index: Int, in group: ConversationID = World.group, more: [UserID] = []) throws {
        let members = clients[index].session.memberships[group]?.present ?? []
        for user in (members.sorted() + more) where clients[index].accepted[user] == nil {
            try clients[index].pin(world.served(user), of: user)
        }
    }

    /// Makes a new key and, if the server accepts it, uses it.
    ///
    /// With `isHeldBack` the server may deliver events, and a person may accept keys, before its answer arrives.
    @discardableResult
    mutating func rotate(
        _ index: Int,
        in group: ConversationID = World.group,
        isTaken: Bool = true,
        isHeldBack: Bool = false
    ) throws -> Bool {
        let change: KeyChange
        do {
            change = try clients[index].session.prepareKeyChange(in: group)
        } catch {
            say("\(name(index)) cannot rotate the key of \(group): \(error)")
            return false
        }
        try recordKey(change, by: index)
        guard isTaken else {
            say("    which the server refuses")
            return false
        }
        if isHeldBack { try holdBack(from: index) }
        try act(index) { client in
            try client.session.adopt(change)
            client.noteOwnKey(change)
        }
        return true
    }

    private mutating func recordKey(_ change: KeyChange, by index: Int) throws {
        let act = try world.record(
            change.event,
            .keyChange,
            by: clients[index].identity,
            isHonest: true,
            key: Client.bytes(of: change.key)
        )
        record(act, "for \(act.entries)")
    }

    /// Adds users, with a new key.
    mutating func add(
        _ users: [UserID],
        by index: Int,
        in group: ConversationID = World.group,
        isTaken: Bool = true,
        isHeldBack: Bool = false
    ) throws {
        guard let members = clients[index].session.memberships[group]?.present else { return }
        try pinMembers(index, in: group, more: users)
        let draft = MemberAddDraft(
            newMembers: users,
            currentMembers: members.sorted(),
            currentAdmins: [clients[index].user]
        )
        let change: GroupKeyChange
        do {
            change = try clients[index].session.prepareMemberAdd(draft, in: group)
        } catch {
            return say("\(name(index)) cannot add \(users): \(error)")
        }
        try take(change, .addition, by: index, isTaken: isTaken, isHeldBack: isHeldBack)
    }

    /// Creates a group.
    mutating func create(_ group: ConversationID, with users: [UserID], by index: Int) throws {
        for user in users { try clients[index].pin(world.served(user), of: user) }
        let members = [clients[index].user] + users
        let draft = GroupDraft(members: members, admins: [clients[index].user])
        let change = try clients[index].session.prepareGroupCreate(draft, in: group)
        try take(change, .creation, by: index, isTaken: true)
    }

    private mutating func take(
        _ change: GroupKeyChange,
        _ kind: Act.Kind,
        by index: Int,
        isTaken: Bool,
        isHeldBack: Bool = false
    ) throws {
        try recordKey(change.keyChange, by: index)
        let added = try world.record(change.event, kind, by: clients[index].identity, isHonest: true)
        record(added, "names \(added.named)")
        guard isTaken else { return say("    which the server refuses") }
        world.apply(added)
        if isHeldBack { try holdBack(from: index) }
        try act(index) { client in
            try client.session.adopt(change)
            client.noteOwnKey(change.keyChange)
        }
    }

    /// Removes members, and reads the removal back like every other client.
    mutating func remove(_ users: [UserID], by index: Int, in group: ConversationID = World.group) throws {
        let detail = MessageEventDetail.groupChangeEvent(
            GroupChangeEvent(
                groupChange: .groupMemberRemove(GroupMemberRemoveChange(memberIDs: users)),
                forKeyRotation: false
            )
        )
        let event: MessageEvent
        do {
            let signed = try clients[index].session.sign(.removeMembers(users), in: group)
            event = MessageEvent(
                messageID: signed.messageID,
                senderID: clients[index].user,
                conversationID: group.text,
                detail: detail,
                messageEventSignature: MessageEventSignature(
                    signature: signed.signature,
                    publicKeyVersion: signed.publicKeyVersion,
                    signatureVersion: signed.signatureVersion
                )
            )
        } catch {
            return say("\(name(index)) cannot remove \(users): \(error)")
        }
        let removal = try world.record(event, .removal, by: clients[index].identity, isHonest: true)
        record(removal, "takes out \(users)")
        world.apply(removal)
        try deliver([Item(removal)], to: index, "its own removal")
    }

    /// Writes a message, after a rotation if one is needed; false if the client cannot.
    @discardableResult
    mutating func write(_ index: Int, in group: ConversationID = World.group, isEdit: Bool = false) throws -> Bool {
        let text = "text \(world.acts.count) of \(name(index))"
        let draft: Draft = isEdit ? .edit(EditDraft(of: "5", text: text)) : .message(MessageDraft(text))
        for attempt in 0...1 {
            do {
                let message = try clients[index].session.seal(draft, in: group)
                let act = try world.record(
                    message.event,
                    .message,
                    by: clients[index].identity,
                    isHonest: true,
                    text: text
                )
                record(act, text)
                sealed.append((index, message, clients[index].view(of: group).present ?? []))
                return true
            } catch let error as XChatError {
                say("\(name(index)) cannot write: \(error)")
                let canRotate: [XChatError.Code] = [.rotationNeeded, .disputedKey, .keyMissing]
                guard attempt == 0, canRotate.contains(error.code) else { return false }
                try pinMembers(index, in: group)
                guard try rotate(index, in: group) else { return false }
            }
        }
        return false
    }

    /// Encrypts an own message again after the server refused its key.
    mutating func encryptAgain() throws {
        guard let old = random.pick(sealed) else { return }
        let client = clients[old.client]
        do {
            let new = try client.session.reseal(old.message)
            let readers = client.view(of: old.message.conversationID).readers
            say(
                "\(client.user) encrypts a message again for \(readers.sorted()), which was for \(old.readers.sorted())"
            )
            guard readers.isSubset(of: old.readers) else {
                throw Violation(
                    invariant: 1,
                    reason: "\(client.user) encrypts a message again for "
                        + "\(readers.subtracting(old.readers).sorted()), who could not read it"
                )
            }
            _ = new
        } catch let error as XChatError {
            say("\(client.user) does not encrypt a message again: \(error.code.rawValue)")
        }
    }

    // MARK: People

    /// A user registers new keys.
    mutating func replaceKeys(of index: Int) throws {
        let user = clients[index].user
        guard let version = world.registered[user, default: 0] as Int?, version < 2 else { return }
        world.registered[user] = version + 1
        let identity = try world.current(user)
        say("\(user) registers new keys: version \(identity.version)")
        let world = world
        try act(index) { client in try client.replaceKeys(with: identity, world: world) }
    }

    /// A person compares safety codes and accepts the keys of a user.
    mutating func accept(_ user: UserID, by index: Int) throws {
        guard user != clients[index].user, let accepted = clients[index].accepted[user] else { return }
        let served = world.served(user)
        guard let newest = served.last, newest.version != accepted else { return }
        say("the person of \(name(index)) accepts the keys of \(user), version \(newest.version)")
        let time = world.time
        try act(index, isMembershipOwn: false) { client in try client.accept(served, of: user, at: time) }
    }

    /// A person accepts a list of members.
    mutating func acceptMembers(_ users: [UserID], by index: Int) throws {
        callerLists += 1
        say("the person of \(name(index)) accepts the members \(users)")
        try act(index) { client in
            try client.session.acceptMembers(users, of: World.group)
            client.noteAcceptedList(of: World.group)
        }
    }

    mutating func restart(_ index: Int) throws {
        say("\(name(index)) restarts")
        try act(index) { client in try client.restart() }
    }
}
