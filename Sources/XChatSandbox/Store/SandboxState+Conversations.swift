import Foundation
import GRDB
import XChatEngine
import XChatEvents

extension SandboxState {
    // MARK: Listing

    /// A user's conversations, the one with the newest event first.
    func conversations(of user: UserID, query: PageQuery) async throws -> (page: [Conversation], next: Int64?) {
        try await database.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT conversation.id FROM conversation JOIN member ON member.conversation = conversation.id
                    WHERE member.user = ? AND conversation.last_event < ?
                    ORDER BY conversation.last_event DESC LIMIT ?
                    """,
                arguments: [user.string, query.before ?? .max, query.maxResults + 1]
            )
            let found = try rows.prefix(query.maxResults).compactMap { row in
                try Conversation(ConversationID(canonicalizing: WireString(row["id"])), db)
            }
            return (found, rows.count > query.maxResults ? found.last?.lastEvent : nil)
        }
    }

    func conversation(_ id: ConversationID, for user: UserID) async throws -> Conversation {
        try await database.read { db in try self.conversation(id, for: user, db) }
    }

    // MARK: History

    /// A page of events, newest first.
    func page(of id: ConversationID, for user: UserID, query: PageQuery) async throws -> EventPage {
        try await database.read { db in
            _ = try self.conversation(id, for: user, db)
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT * FROM event
                    WHERE conversation = ? AND is_key_change = 0 AND sequence < ? AND is_deleted = 0
                        AND (visible_to IS NULL OR visible_to = ?)
                        AND sequence NOT IN (SELECT sequence FROM hidden WHERE user = ?)
                    ORDER BY sequence DESC
                    """,
                arguments: [id.string, query.before ?? .max, user.string, user.string]
            )
            var page = EventPage(query: query)
            while let row = try rows.next(), page.add(StoredEvent(row)) {}
            page.keyEvents = try self.keyEvents(in: id, db).map(\.base64)
            return page
        }
    }

    /// All key change events of a conversation, oldest first.
    func keyEvents(in id: ConversationID, _ db: Database) throws -> [StoredEvent] {
        try Row.fetchAll(
            db,
            sql: "SELECT * FROM event WHERE conversation = ? AND is_key_change = 1 ORDER BY sequence",
            arguments: [id.string]
        ).map { StoredEvent($0) }
    }

    /// All stored events of a conversation, oldest first.
    func events(in id: ConversationID) async throws -> [MessageEvent] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: "SELECT * FROM event WHERE conversation = ? ORDER BY sequence",
                arguments: [id.string]
            ).map { try StoredEvent($0).decoded() }
        }
    }

    // MARK: Groups

    /// Makes the id of a group that does not exist yet.
    func initializeGroup(by user: UserID) async throws -> String {
        let id = "g\(nextSequenceID())"
        try await database.write { db in
            try db.execute(sql: "INSERT INTO group_id (id, user) VALUES (?, ?)", arguments: [id, user.string])
        }
        return id
    }

    /// Creates a group, with its first key.
    func createGroup(_ request: GroupRequest, by user: UserID) async throws -> StoredEvent {
        let id = ConversationID(canonicalizing: WireString(request.conversationID))
        guard id.isGroup, id.urlPathComponent != nil else {
            throw Problem.invalidRequest("A group id must be 'g' and a number.", parameter: "conversation_id")
        }
        let members = request.members.map { UserID($0) }
        let admins = request.admins.map { $0.map { UserID($0) } } ?? [user]
        let ttl = try request.ttl()
        let (stored, conversation, isNew) = try await database.write { db in
            let owner = try String.fetchOne(
                db,
                sql: "SELECT user FROM group_id WHERE id = ?",
                arguments: [id.string]
            )
            guard owner == user.string else {
                throw Problem.notFound(
                    "No such group id: get one from group/initialize.",
                    parameter: "conversation_id",
                    resourceType: "chat_conversation"
                )
            }
            let keys = try self.checkedMembers(members, of: user, "group_members", db)
            guard members.contains(user), Set(members).isSuperset(of: admins) else {
                throw Problem.invalidRequest(
                    "The creator and the administrators must be members.",
                    parameter: "group_members"
                )
            }
            let (keyChange, action) = try Self.pair(
                request.actionSignatures,
                in: id,
                from: user,
                keys: keys[user] ?? []
            )
            let change = try KeyChangeCheck(request.keys, keyChange, users: keys)
            guard case .groupChangeEvent(let event) = action.detail,
                case .groupCreate(let create) = event.groupChange,
                create.memberIDs == members, (create.adminIDs ?? []) == admins,
                create.conversationKeyVersion == change.version,
                create.title == request.name.map({ WireString($0) }),
                create.avatarURL == request.avatar.map({ WireString($0) }), create.ttlMsec == ttl
            else { throw Self.groupDiffers }
            if let present = try Conversation(id, db) {
                guard let stored = try StoredEvent(keyChange.messageID, of: user, in: id, db) else {
                    throw Problem.invalidRequest("The group exists already.", parameter: "conversation_id")
                }
                return (stored, present, false)
            }
            try change.check(participants: Set(members), newerThan: nil)
            var conversation = Conversation(
                id,
                keyVersion: change.version,
                members: members.map { Conversation.Member(user: $0, isAdmin: admins.contains($0)) }
            )
            conversation.name = request.name
            conversation.avatar = request.avatar
            conversation.ttl = ttl
            let stored = try self.store(keyChange.event, in: &conversation, db)
            try conversation.saveMembers(db)
            _ = try self.store(action.event, in: &conversation, db)
            return (stored, conversation, true)
        }
        if isNew { await publishJoin(members, in: conversation) }
        return stored
    }

    /// Adds members to a group, with a new key for all members.
    func addMembers(
        _ request: MembersRequest,
        to id: ConversationID,
        by user: UserID
    ) async throws -> (keyChange: StoredEvent, members: [UserID]) {
        let added = request.users.map { UserID($0) }
        let (stored, conversation, isNew) = try await database.write { db in
            var conversation = try self.conversation(id, for: user, db)
            guard id.isGroup else {
                throw Problem.invalidRequest("Members can only be added to a group.", parameter: "id")
            }
            guard let keysOfAll = request.keys else {
                throw Problem.invalidRequest("A new key is required.", parameter: "conversation_key_version")
            }
            // A repeated request gets the first answer: its members are already in the group.
            if let first = request.actionSignatures?.first,
                let stored = try StoredEvent(MessageID(first.messageID), of: user, in: id, db)
            {
                return (stored, conversation, false)
            }
            let members = conversation.members.map(\.user)
            let keys = try self.checkedMembers(members + added, of: user, "user_ids", db)
            let (keyChange, action) = try Self.pair(
                request.actionSignatures,
                in: id,
                from: user,
                keys: keys[user] ?? []
            )
            let change = try KeyChangeCheck(keysOfAll, keyChange, users: keys)
            guard case .groupChangeEvent(let event) = action.detail,
                case .groupMemberAdd(let addition) = event.groupChange,
                addition.memberIDs == added, Set(addition.currentMemberIDs ?? []) == Set(members),
                Set(addition.currentAdminIDs ?? []) == conversation.admins,
                addition.conversationKeyVersion == change.version
            else { throw Self.groupDiffers }
            try change.check(participants: Set(members + added), newerThan: conversation.keyVersion)
            conversation.keyVersion = change.version
            conversation.members += added.map { Conversation.Member(user: $0, isAdmin: false) }
            if let title = request.title { conversation.name = title }
            if let avatar = request.avatar { conversation.avatar = avatar }
            let stored = try self.store(keyChange.event, in: &conversation, db)
            try conversation.saveMembers(db)
            _ = try self.store(action.event, in: &conversation, db)
            return (stored, conversation, true)
        }
        if isNew { await publishJoin(added, in: conversation) }
        return (stored, conversation.members.map(\.user))
    }

    private static let groupDiffers = Problem.invalidRequest(
        "The signed change and the request differ.",
        parameter: "action_signatures.encoded_message_event_detail"
    )

    /// The keys of the users who will be in a group together.
    ///
    /// The errors for too many members and for users without keys have X's texts, because clients show them.
    private func checkedMembers(
        _ members: [UserID],
        of user: UserID,
        _ parameter: String,
        _ db: Database
    ) throws -> [UserID: [VerifiedPublicKey]] {
        guard members.count <= faults.groupMembers else {
            throw Problem.invalidRequest(
                "Too many members: adding these members would exceed the allowed group size.",
                parameter: parameter
            )
        }
        guard Set(members).count == members.count else {
            throw Problem.invalidRequest("A user is named twice or is already a member.", parameter: parameter)
        }
        let keys = try keys(of: members, db)
        guard keys.count == members.count else {
            throw Problem.invalidRequest(
                "Cannot add all members: one or more of the requested members cannot be added to this conversation.",
                parameter: parameter
            )
        }
        return keys
    }

    /// Checks the two signed actions, a key change and a group change, in any order.
    private static func pair(
        _ actions: [ActionSignatureRequest]?,
        in id: ConversationID,
        from user: UserID,
        keys: [VerifiedPublicKey]
    ) throws(Problem) -> (keyChange: SignedAction, group: SignedAction) {
        guard let actions, actions.count == 2 else {
            throw .invalidRequest("Exactly two action signatures are required.", parameter: "action_signatures")
        }
        let first = try SignedAction(actions[0], in: id, from: user, keys: keys)
        let second = try SignedAction(actions[1], in: id, from: user, keys: keys)
        guard first.messageID != second.messageID else {
            throw .invalidRequest(
                "The two actions have the same message id.",
                parameter: "action_signatures.message_id"
            )
        }
        return first.event.isKeyChange ? (first, second) : (second, first)
    }
}
