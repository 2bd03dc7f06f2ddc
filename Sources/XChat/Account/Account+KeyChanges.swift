import Foundation
import XChatEngine
public import XChatEvents
import XChatHTTP

/// A new conversation key that the server has.
package struct NewKey: Sendable {
    package let conversation: ConversationID
    package let version: KeyVersion
    /// The sequence id of the key change event; nil if the server's answer was lost or did not contain the id.
    package let sequenceID: SequenceID?
}

// Changes that bring a conversation a new key: rotating its key, creating a group, adding members.
//
// The server may have applied a change even if its answer was lost, or if this process could not save the new state.
// Therefore:
//
// - After a lost answer, the client searches the conversation's history at the server for the change.
// - If the history does not show the change, or if the state cannot be saved, the client throws an error that names
//   what may have changed.
// - A new group is saved locally before its request is sent, so that the same call finds the group again instead of
//   creating a second one.
extension Account {
    // MARK: Keys of conversations

    /// Gives a conversation a new key, wrapped for the pinned public keys of its members.
    ///
    /// Members who were removed cannot decrypt what is encrypted afterwards.
    /// - Parameter conversation: The conversation.
    /// - Throws: ``AccountError`` if the members are unproven or their public keys are not trusted; with `unclear` if
    ///   the answer was lost and the history does not show the key; `APIError`.
    public func rotateKey(of conversation: ConversationID) async throws {
        _ = try await whileOpen { try await self.changeKey(of: conversation) }
    }

    /// Generates a key for a conversation, posts it and saves it.
    package func changeKey(of conversation: ConversationID) async throws -> NewKey {
        let users = try await readers(of: conversation)
        try await pinKeys(of: users)
        let scope = AccountState.Scope(conversation)
        var session = try await state.session(scope)
        let change: KeyChange
        do throws(XChatError) {
            change = try session.prepareKeyChange(in: conversation)
        } catch {
            throw AccountError(error, conversation: conversation)
        }
        let client = client
        let outcome = try await post(change, scope) { () throws(APIError) in
            try await client.addKeys(change).sequenceID
        } adopt: { session in
            try session.adopt(change)
        }
        return try saved(outcome, change)
    }

    /// The users who get a new key: both users of a 1:1 conversation, or the present members of a group after its
    /// history was read.
    private func readers(of conversation: ConversationID) async throws -> [UserID] {
        if let (first, second) = conversation.participants { return first == second ? [first] : [first, second] }
        _ = try await describedGroup(conversation)
        return try await members(of: conversation).sorted()
    }

    /// The outcome of a change that the server did not refuse.
    private enum Outcome {
        /// The server and the state have the change.
        case saved(NewKey)
        /// The server has the change, but the state could not be written.
        case unsaved(AccountError)
        /// The answer was lost, and the history could not be read or does not have the change yet.
        case unclear(APIError)
    }

    /// Posts a change that brings a key, and saves it.
    ///
    /// - Parameters:
    ///   - change: The change.
    ///   - scope: The conversation and the users of the change.
    ///   - request: Posts the change, and returns the sequence id of the key change event.
    ///   - adopt: Adds the change to the session.
    /// - Returns: The outcome.
    /// - Throws: `APIError` if the server refused the change.
    private func post(
        _ change: KeyChange,
        _ scope: AccountState.Scope,
        _ request: () async throws(APIError) -> SequenceID?,
        adopt: (inout Session) throws -> Void
    ) async throws(APIError) -> Outcome {
        let (conversation, version) = (change.conversationID, change.version)
        let sequenceID: SequenceID?
        do throws(APIError) {
            sequenceID = try await request()
        } catch {
            guard error.isUnclear else { throw error }
            guard await isInHistory(change) else { return .unclear(error) }
            // The history gave the key to the session, but only the change says for whom it was wrapped, and when.
            sequenceID = nil
        }
        do {
            try await state.update(scope, adopt)
        } catch {
            return .unsaved(AccountError(any: error))
        }
        return .saved(NewKey(conversation: conversation, version: version, sequenceID: sequenceID))
    }

    /// The key of a change to a conversation that exists.
    ///
    /// - Throws: If the key is not saved, an error that names the conversation and the next step.
    private func saved(_ outcome: Outcome, _ change: KeyChange) throws -> NewKey {
        let conversation = change.conversationID
        switch outcome {
        case .saved(let key): return key
        case .unsaved(let error):
            throw AccountError(
                error.code,
                "the server has the new key \(change.version) of \(conversation), but it could not be saved: read the history "
                    + "of \(conversation) to learn it (\(error))",
                conversation: conversation
            )
        case .unclear(let error):
            throw AccountError(
                .unclear,
                "the server's answer was lost, and \(conversation) may have the new key \(change.version): read the history "
                    + "of \(conversation) before trying again (\(error))",
                conversation: conversation
            )
        }
    }

    /// Reads the history, and returns whether it brings the key of a change.
    private func isInHistory(_ change: KeyChange) async -> Bool {
        let conversation = change.conversationID
        guard (try? await readHistory(of: conversation)) != nil,
            let session = try? await state.session(AccountState.Scope(conversation)),
            let key = session.keyRing.acceptedKey(in: conversation, version: change.version)
        else { return false }
        return key.isEqual(to: change.key)
    }

    // MARK: Groups

    /// Creates a group with its first key.
    ///
    /// The group is recorded before the server is asked. If the answer is lost, or the process ends, the same call
    /// within a day finds the group that the server created, and creates no second one.
    /// - Parameters:
    ///   - members: The other members. This account is a member and an administrator.
    ///   - title: The title. It is signed but not encrypted, so the server can read it. It must not contain a comma,
    ///     because commas separate the parts of the signed text.
    ///   - administrators: Further administrators among the members.
    /// - Returns: The group.
    /// - Throws: ``AccountError`` if a member's keys are missing or refused, and with `unclear` if the answer was lost;
    ///   the error's ``AccountError/conversation`` is the group. `XChatError`, `APIError`.
    @discardableResult
    public func createGroup(
        of members: [UserID],
        title: String? = nil,
        administrators: [UserID] = []
    ) async throws -> ConversationID {
        try await whileOpen {
            try await self.newGroup(of: members, title: title, administrators: administrators).conversation
        }
    }

    /// As ``createGroup(of:title:administrators:)``, with the key.
    package func newGroup(
        of members: [UserID],
        title: String?,
        administrators: [UserID]
    ) async throws -> NewKey {
        var draft = GroupDraft(
            members: [userID] + members.filter { $0 != userID },
            admins: [userID] + administrators.filter { $0 != userID }
        )
        draft.title = title
        try await pinKeys(of: draft.members)
        // Groups are created one at a time: otherwise the record of another task's group would look like an unfinished
        // call.
        let lease = try await lease("groups", for: "creating a group")
        do {
            let created = try await newGroup(draft)
            await lease.end()
            return created
        } catch {
            await lease.end()
            throw error
        }
    }

    private func newGroup(_ draft: GroupDraft) async throws -> NewKey {
        let unfinished = try await unfinishedGroup(draft)
        if let group = unfinished, let found = try await foundGroup(group) {
            try? await forgetCreation(of: group)
            report(.groupFound(group), in: group)
            return found
        }
        // With the same id the server creates the group only once, even if the earlier request arrives later.
        let group: ConversationID
        if let unfinished { group = unfinished } else { group = try await client.initializeGroup() }
        let scope = AccountState.Scope(group, users: Set(draft.members))
        var session = try await state.session(scope)
        let change = try session.prepareGroupCreate(draft, in: group)
        var record = RecordBatch()
        record.writes[.creation(group)] = try GroupCreation(draft).encoded()
        try await store.commit(record)
        let client = client
        let outcome: Outcome
        do throws(APIError) {
            outcome = try await post(change.keyChange, scope) { () throws(APIError) in
                try await client.createGroup(change).sequenceID
            } adopt: { session in
                try session.adopt(change)
            }
        } catch {
            // The server refused the creation, so its outcome is known.
            try? await forgetCreation(of: group)
            throw error
        }
        let advice = "repeat the same call within a day, which finds the group and creates no other one"
        switch outcome {
        case .saved(let key):
            try? await forgetCreation(of: group)
            return key
        case .unsaved(let error):
            throw AccountError(
                error.code,
                "the server created the group \(group), but it could not be saved: \(advice) (\(error))",
                conversation: group
            )
        case .unclear(let error):
            throw AccountError(
                .unclear,
                "the server's answer was lost, and the server may have created the group \(group): \(advice) (\(error))",
                conversation: group
            )
        }
    }

    /// The group of an earlier call with the same arguments whose outcome is not known; nil without such a call.
    private func unfinishedGroup(_ draft: GroupDraft) async throws -> ConversationID? {
        let wanted = GroupCreation(draft)
        var found: ConversationID?
        for key in try await state.keys(of: .creation) {
            guard case .creation(let group) = key, let record = try await store.records([key])[key] else { continue }
            let creation = try GroupCreation(decoding: record.bytes)
            if creation.isOlderThanADay {
                try await forgetCreation(of: group)
            } else if creation.isSame(as: wanted) {
                found = group
            }
        }
        return found
    }

    /// The group and its newest key as its history shows them; nil if the server does not have the group.
    private func foundGroup(_ group: ConversationID) async throws -> NewKey? {
        do {
            _ = try await readHistory(of: group)
        } catch let error as APIError where [.notFound, .forbidden].contains(error.code) {
            return nil
        } catch let error as APIError {
            throw AccountError(
                .unclear,
                "an earlier call may have created the group \(group), but its history cannot be read now: try again (\(error))",
                conversation: group
            )
        }
        let session = try await state.session(AccountState.Scope(group))
        guard let version = session.keyRing.newestVersion(in: group) else { return nil }
        return NewKey(conversation: group, version: version, sequenceID: nil)
    }

    private func forgetCreation(of group: ConversationID) async throws {
        var batch = RecordBatch()
        batch.deletions.insert(.creation(group))
        try await store.commit(batch)
    }

    /// Adds members to a group, and gives it a new key for all members.
    ///
    /// - Parameters:
    ///   - members: The new members.
    ///   - group: The group.
    /// - Throws: As ``createGroup(of:title:administrators:)``; `invalid_argument` for a user who is a member already.
    public func add(_ members: [UserID], to group: ConversationID) async throws {
        _ = try await whileOpen { try await self.addMembers(members, to: group) }
    }

    /// As ``add(_:to:)``, with the key.
    package func addMembers(_ members: [UserID], to group: ConversationID) async throws -> NewKey {
        let listed = try await describedGroup(group)
        let current = try await self.members(of: group).sorted()
        if let member = members.first(where: current.contains) {
            throw AccountError(
                .invalidArgument,
                "user \(member) is a member of \(group) already; nothing was changed: leave this user out"
            )
        }
        var draft = MemberAddDraft(
            newMembers: members,
            currentMembers: current,
            currentAdmins: (listed.adminIDs ?? []).filter(current.contains)
        )
        draft.title = listed.groupName
        draft.avatarURL = listed.groupAvatarURL
        draft.ttlMsec = listed.messageTTLMsec
        draft.screenCaptureBlockingEnabled = listed.screenCaptureBlockingEnabled
        try await pinKeys(of: current + members)
        let scope = AccountState.Scope(group, users: Set(members))
        var session = try await state.session(scope)
        let change: GroupKeyChange
        do throws(XChatError) {
            change = try session.prepareMemberAdd(draft, in: group)
        } catch {
            throw AccountError(error, conversation: group)
        }
        let client = client
        let outcome = try await post(change.keyChange, scope) { () throws(APIError) in
            try await client.addMembers(change).keyChangeSequenceID
        } adopt: { session in
            try session.adopt(change)
        }
        return try saved(outcome, change.keyChange)
    }
}

/// A requested group creation, until its outcome is known: the record ``RecordKey/creation(_:)``.
private struct GroupCreation: Codable {
    private let members: [String]
    private let administrators: [String]
    private let title: String
    /// Milliseconds since 1970.
    private let askedAt: Int64

    enum CodingKeys: String, CodingKey {
        case members, administrators, title
        case askedAt = "asked_at"
    }

    init(_ draft: GroupDraft) {
        members = draft.members.sorted().map(\.string)
        administrators = draft.admins.sorted().map(\.string)
        title = draft.title ?? ""
        askedAt = Int64(Date().timeIntervalSince1970 * 1000)
    }

    init(decoding bytes: [UInt8]) throws(AccountError) {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(bytes))
        } catch {
            throw AccountError(
                .malformed,
                "the stored record of a new group is damaged or malformed; restore the account from a backup"
            )
        }
    }

    func encoded() throws -> [UInt8] { Array(try JSONEncoder().encode(self)) }

    /// Whether both ask for the same members, administrators and title.
    func isSame(as other: GroupCreation) -> Bool {
        members == other.members && administrators == other.administrators
            && title.utf8.elementsEqual(other.title.utf8)
    }

    /// Whether the record is more than a day old; after that time the same call creates another group.
    var isOlderThanADay: Bool {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        return !((now - 86_400_000)...(now + 86_400_000)).contains(askedAt)
    }
}
