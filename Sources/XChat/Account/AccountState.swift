import LibSodium
import XChatEngine
import XChatEvents

/// The account's keys, pins and conversations.
///
/// The state is read from the store when an operation needs it, and changed only by this type.
///
/// An operation works on a partial session: the account's own keys, one conversation, and the pins of the users that it
/// needs. Its changes are committed with compare-and-swap on every record that was read, before its result is returned.
/// If another process changed one of these records, the operation is computed again.
struct AccountState: Sendable {
    /// The most times that an operation is computed again because other processes changed its records.
    private static let maximumAttempts = 1000

    let store: any AccountStore
    let identity: Identity

    /// The records that an operation reads.
    struct Scope: Sendable {
        let conversations: [ConversationID]
        /// Users whose pins are read.
        let users: Set<UserID>
        /// Whether the pins of participants and of all present and former members are read too.
        let includesMembers: Bool

        /// One conversation with the pins of its users and of the given users.
        init(_ conversation: ConversationID, users: Set<UserID> = []) {
            self.init(conversations: [conversation], users: users, includesMembers: true)
        }

        init(conversations: [ConversationID] = [], users: Set<UserID> = [], includesMembers: Bool = false) {
            self.conversations = conversations
            self.users = users
            self.includesMembers = includesMembers
        }
    }

    /// A session with the revisions of the records that it was made from.
    private struct Loaded {
        var session: Session
        var revisions: [RecordKey: UInt64]
    }

    /// A session with the records of a scope, for reading.
    func session(_ scope: Scope) async throws -> Session {
        try await load(scope).session
    }

    /// Computes a change, commits it, and returns the result.
    ///
    /// - Parameters:
    ///   - scope: The records that the session is made from.
    ///   - change: Computes the change; it may be called more than once, and must have no other effect.
    /// - Returns: What `change` returned, after the commit.
    /// - Throws: What `change` throws, and ``AccountError`` of the store.
    func update<Value: Sendable>(
        _ scope: Scope,
        _ change: (inout Session) throws -> Value
    ) async throws -> Value {
        try await transact(scope) { session, _ in try change(&session) }
    }

    /// Computes a change together with other records and messages, and commits all of it at once.
    ///
    /// - Parameters:
    ///   - scope: The records that the session is made from.
    ///   - change: As for ``update(_:_:)``; the contents of the batch are committed with the session's changes.
    /// - Returns: What `change` returned, after the commit.
    /// - Throws: As ``update(_:_:)``; `conflict` if a record that `change` itself expects has another revision.
    func transact<Value: Sendable>(
        _ scope: Scope,
        _ change: (inout Session, inout RecordBatch) throws -> Value
    ) async throws -> Value {
        var attempts = 0
        var elsewhere: Set<EventDigest> = []
        while true {
            let loaded = try await load(scope)
            var session = loaded.session
            session.foundingsElsewhere = elsewhere
            var batch = RecordBatch()
            let value = try change(&session, &batch)
            let own = batch.expected
            let taken = try await claimFoundings(of: session, since: loaded, &batch)
            if !taken.isEmpty, attempts < Self.maximumAttempts {
                attempts += 1
                elsewhere.formUnion(taken)
                continue
            }
            do {
                try await commit(session, since: loaded, batch)
                return value
            } catch let error as AccountError where error.code == .conflict && attempts < Self.maximumAttempts {
                attempts += 1
                try Task.checkCancellation()
                for (key, record) in try await store.records(Array(own.keys)) where record.revision != own[key] {
                    throw error
                }
            }
        }
    }

    /// Claims the signed creations that found membership logs.
    ///
    /// A creation may found only one group: its signature does not cover the group id, so a server could replay it in
    /// another group. A partial session does not see the other groups, so each claim is saved as a record.
    /// - Returns: The creations that other groups have already claimed.
    private func claimFoundings(
        of session: Session,
        since loaded: Loaded,
        _ batch: inout RecordBatch
    ) async throws -> Set<EventDigest> {
        var groups: [RecordKey: (digest: EventDigest, group: ConversationID)] = [:]
        for (group, membership) in session.memberships {
            guard let digest = membership.founding, loaded.session.memberships[group]?.founding != digest else {
                continue
            }
            groups[.founding(digest)] = (digest, group)
        }
        guard !groups.isEmpty else { return [] }
        let records = try await store.records(Array(groups.keys))
        var taken: Set<EventDigest> = []
        for (key, claim) in groups {
            let group = Array(claim.group.text.utf8)
            if let record = records[key] {
                if record.bytes != group { taken.insert(claim.digest) }
            } else {
                batch.expected[key] = 0
                batch.writes[key] = group
            }
        }
        return taken
    }

    private func commit(_ session: Session, since loaded: Loaded, _ other: RecordBatch) async throws {
        let (users, conversations) = session.changed(since: loaded.session)
        guard !users.isEmpty || !conversations.isEmpty || !other.isEmpty else { return }
        var batch = other
        batch.expected.merge(loaded.revisions) { own, _ in own }
        for user in users {
            let key = RecordKey.user(user)
            // The record of a user that was not read must not exist: otherwise an unknown pin would be replaced.
            batch.expected[key] = loaded.revisions[key] ?? 0
            if let state = session.state(of: user) {
                batch.writes[key] = state.encoded()
            } else {
                batch.deletions.insert(key)
            }
        }
        for conversation in conversations {
            let key = RecordKey.conversation(conversation)
            batch.expected[key] = loaded.revisions[key] ?? 0
            if let state = session.state(of: conversation) { batch.writes[key] = state.encoded() }
        }
        defer { batch.wipe() }
        try await store.commit(batch)
    }

    private func load(_ scope: Scope) async throws -> Loaded {
        var loaded = Loaded(session: try identity.session(), revisions: [:])
        var users = scope.users
        let conversations = Dictionary(
            scope.conversations.map { (RecordKey.conversation($0), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        let records = try await store.records(Array(conversations.keys))
        for (key, conversation) in conversations {
            loaded.revisions[key] = records[key]?.revision ?? 0
            if var record = records[key] {
                defer { Sodium.wipe(&record.bytes) }
                loaded.session.restore(try ConversationState(decoding: record.bytes))
            }
            guard scope.includesMembers else { continue }
            if let (first, second) = conversation.participants { users.formUnion([first, second]) }
            if let members = loaded.session.memberships[conversation] { users.formUnion(members.everMembers) }
        }
        let keys = users.map { RecordKey.user($0) }
        for (key, record) in try await store.records(keys) {
            loaded.session.restore(try UserState(decoding: record.bytes))
            loaded.revisions[key] = record.revision
        }
        for key in keys where loaded.revisions[key] == nil { loaded.revisions[key] = 0 }
        identity.trustOwnKey(in: &loaded.session)
        return loaded
    }

    /// A session with the whole state, for work without a server.
    func wholeSession() async throws -> Session {
        try await session(Scope(conversations: try await conversations(), users: Set(try await users())))
    }

    /// The conversations that have a record.
    func conversations() async throws -> [ConversationID] {
        try await keys(of: .conversation).compactMap { key in
            guard case .conversation(let id) = key else { return nil }
            return id
        }
    }

    /// The users who have a record.
    func users() async throws -> [UserID] {
        try await keys(of: .user).compactMap { key in
            guard case .user(let id) = key else { return nil }
            return id
        }
    }

    /// The keys of all records of a kind.
    func keys(of kind: RecordKey.Kind) async throws -> [RecordKey] {
        var keys: [RecordKey] = []
        var position: [UInt8]?
        repeat {
            let page = try await store.list(kind, after: position, limit: 1000)
            keys += page.keys
            position = page.next
        } while position != nil
        return keys
    }
}

extension RecordBatch {
    /// Overwrites the bytes of the records, which may hold secrets.
    mutating func wipe() {
        for key in Array(writes.keys) {
            guard var bytes = writes.removeValue(forKey: key) else { continue }
            Sodium.wipe(&bytes)
        }
    }
}
