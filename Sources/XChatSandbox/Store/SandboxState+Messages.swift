import Foundation
import GRDB
import XChatEngine
import XChatEvents

extension SandboxState {
    // MARK: Conversation keys

    /// Stores a key change event, which starts a conversation of two or rotates the key of any conversation.
    func addKeys(
        _ request: KeysRequest,
        to id: ConversationID,
        from sender: UserID
    ) async throws -> StoredEvent {
        try await database.write { db in
            let present = try Conversation(id, db)
            let members: [UserID]
            if let present {
                members = present.members.map(\.user)
            } else if let (first, second) = id.participants {
                members = first == second ? [first] : [first, second]
            } else {
                throw Problem.unknownConversation
            }
            guard members.contains(sender) else { throw Problem.outsider }
            let keys = try self.keys(of: members, db)
            guard members.allSatisfy({ keys[$0] != nil }) else { throw Problem.unknownUser }

            guard let actions = request.actionSignatures, actions.count == 1 else {
                throw Problem.invalidRequest(
                    "Exactly one action signature is required.",
                    parameter: "action_signatures"
                )
            }
            let action = try SignedAction(actions[0], in: id, from: sender, keys: keys[sender] ?? [])
            let change = try KeyChangeCheck(request.keys, action, users: keys)
            if let stored = try StoredEvent(action.messageID, of: sender, in: id, db) { return stored }
            try change.check(participants: Set(members), newerThan: present?.keyVersion)

            var conversation =
                present
                ?? Conversation(
                    id,
                    keyVersion: change.version,
                    members: members.map { Conversation.Member(user: $0, isAdmin: false) }
                )
            conversation.keyVersion = change.version
            let stored = try self.store(action.event, in: &conversation, db)
            if present == nil { try conversation.saveMembers(db) }
            return stored
        }
    }

    func keys(of users: [UserID], _ db: Database) throws -> [UserID: [VerifiedPublicKey]] {
        var keys: [UserID: [VerifiedPublicKey]] = [:]
        for user in users {
            let registered = try publicKeys(of: user, db)
            if !registered.isEmpty { keys[user] = registered }
        }
        return keys
    }

    // MARK: Messages

    /// Stores a message, and returns the stored event or a failure event.
    ///
    /// X also sends failure events with a status of success.
    func send(_ request: SendRequest, to id: ConversationID, from sender: UserID) async throws -> StoredEvent {
        let messageID = MessageID(request.messageID)
        guard !messageID.isEmpty else {
            throw Problem.invalidRequest("The message id is empty.", parameter: "message_id")
        }
        let outcome: (event: StoredEvent, news: Conversation?) = try await database.write { db in
            guard var conversation = try Conversation(id, db) else { throw Problem.unknownConversation }
            let stored = try StoredEvent(messageID, of: sender, in: id, db)
            if let stored {
                switch self.faults.repeats {
                case .first: return (stored, nil)
                case .refused:
                    throw Problem.invalidRequest("A message with this id exists already.", parameter: "message_id")
                case .stale: break
                }
            }
            let keys = try self.publicKeys(of: sender, db)
            let event: MessageEvent
            do throws(Failure) {
                if let failure = self.faults.failureEvent, self.random.happens(failure.probability) {
                    throw Failure(type: failure.type)
                }
                event = try Self.accept(request, messageID: messageID, in: conversation, from: sender, keys: keys)
            } catch {
                return (self.failure(error.type, messageID: messageID, in: id, from: sender), nil)
            }
            if let stored { return (stored, nil) }
            return (try self.store(event, in: &conversation, db), conversation)
        }
        if let conversation = outcome.news { await publish(outcome.event, in: conversation) }
        return outcome.event
    }

    private func failure(
        _ type: FailureType,
        messageID: MessageID,
        in id: ConversationID,
        from sender: UserID
    ) -> StoredEvent {
        let sequence = nextSequenceID()
        let createdAt = Self.milliseconds()
        let event = MessageEvent(
            sequenceID: SequenceID(String(sequence)),
            messageID: messageID,
            senderID: sender,
            conversationID: id.text,
            createdAtMsec: WireString(String(createdAt)),
            detail: .messageFailureEvent(
                MessageFailureEvent(failureType: type, rateLimitTier: type == .rateLimitUpsell ? .free : nil)
            )
        )
        return StoredEvent(sequence: sequence, createdAt: createdAt, encoded: event.encoded())
    }

    private struct Failure: Error {
        let type: FailureType
    }

    /// Checks a message and returns the event as the sender signed it; throws the failure if it is refused.
    private static func accept(
        _ request: SendRequest,
        messageID: MessageID,
        in conversation: Conversation,
        from sender: UserID,
        keys: [VerifiedPublicKey]
    ) throws(Failure) -> MessageEvent {
        guard conversation.participants.contains(sender) else { throw Failure(type: .senderNotGroupMember) }
        guard let encodedSignature = request.encodedMessageEventSignature,
            let create = try? MessageCreateEvent(decoding: Base64.decode(request.encodedMessageCreateEvent)),
            let signature = try? MessageEventSignature(decoding: Base64.decode(encodedSignature)),
            create.contents != nil
        else { throw Failure(type: .invalidSenderSignature) }
        let event = MessageEvent(
            messageID: messageID,
            senderID: sender,
            conversationID: conversation.id.text,
            detail: .messageCreateEvent(create),
            messageEventSignature: signature
        )
        do {
            try Verifier.verify(event, keys: keys)
        } catch {
            throw Failure(type: error.failureType)
        }
        guard create.conversationKeyVersion == conversation.keyVersion else {
            throw Failure(type: .nonLatestCkeyVersion)
        }
        return event
    }

    // MARK: Deleting and reading

    /// Processes a signed deletion: deletes the messages for all participants, or hides them for the caller.
    func delete(_ request: DeleteRequest, in id: ConversationID, by user: UserID) async throws {
        try await database.write { db in
            var conversation = try self.conversation(id, for: user, db)
            guard request.actionSignatures.count == 1 else {
                throw Problem.invalidRequest(
                    "Exactly one action signature is required.",
                    parameter: "action_signatures"
                )
            }
            let keys = try self.publicKeys(of: user, db)
            let action = try SignedAction(request.actionSignatures[0], in: id, from: user, keys: keys)
            let sequenceIDs = request.sequenceIDs.map { SequenceID($0) }
            guard case .messageDeleteEvent(let delete) = action.detail, delete.sequenceIDs == sequenceIDs,
                delete.deleteMessageAction == (request.forAll ? .deleteForAll : .deleteForSelf)
            else {
                throw Problem.invalidRequest(
                    "The detail and the request differ.",
                    parameter: "action_signatures.encoded_message_event_detail"
                )
            }
            guard request.forAll || (request.mediaHashKeys ?? []).isEmpty else {
                throw Problem.invalidRequest(
                    "Media can only be deleted for all participants.",
                    parameter: "media_hash_keys"
                )
            }
            guard try StoredEvent(action.messageID, of: user, in: id, db) == nil else { return }
            let isAdmin = conversation.admins.contains(user)
            for sequenceID in sequenceIDs {
                let sender = try String.fetchOne(
                    db,
                    sql: "SELECT sender FROM event WHERE sequence = ? AND conversation = ? AND is_key_change = 0",
                    arguments: [sequenceID.i64, id.string]
                )
                guard let sender else {
                    throw Problem.notFound("No such message.", parameter: "sequence_ids", resourceType: "message")
                }
                guard !request.forAll || isAdmin || UserID(sender) == user else {
                    throw Problem.forbidden("This message is not yours.", resourceType: "message")
                }
                if request.forAll {
                    try db.execute(
                        sql: "UPDATE event SET is_deleted = 1 WHERE sequence = ?",
                        arguments: [sequenceID.i64]
                    )
                } else {
                    try db.execute(
                        sql: "INSERT OR IGNORE INTO hidden (user, sequence) VALUES (?, ?)",
                        arguments: [user.string, sequenceID.i64]
                    )
                }
            }
            for hashKey in request.mediaHashKeys ?? [] {
                try self.deleteMedia(hashKey, in: id, by: isAdmin ? nil : user, db)
            }
            _ = try self.store(action.event, in: &conversation, visibleTo: request.forAll ? nil : user, db)
        }
    }

    /// Sets how far a member has read; a lower number has no effect.
    func markRead(_ request: ReadRequest, in id: ConversationID, by user: UserID) async throws {
        let sequence = SequenceID(request.seenUntil)
        guard sequence.isDigits, let number = sequence.i64 else {
            throw Problem.invalidRequest("A sequence id must be a number.", parameter: "seen_until_sequence_id")
        }
        try await database.write { db in
            _ = try self.conversation(id, for: user, db)
            try db.execute(
                sql: "UPDATE member SET read_until = MAX(read_until, ?) WHERE conversation = ? AND user = ?",
                arguments: [number, id.string, user.string]
            )
        }
    }

    /// Checks a typing notice.
    ///
    /// No participant is notified: X's documents do not describe how, and the event would not be signed.
    func type(in id: ConversationID, by user: UserID) async throws {
        try await database.read { db in _ = try self.conversation(id, for: user, db) }
    }
}

extension XChatError {
    /// The failure type that X's server returns for an event that does not verify.
    fileprivate var failureType: FailureType {
        switch code {
        case .versionRefused: .invalidSignatureVersion
        case .noSignature, .inconsistent: .invalidSenderSignature
        case .unencrypted: .onlyEncryptedMessagesAllowed
        default: .signatureFailedToVerifyAgainstPublicKey
        }
    }
}
