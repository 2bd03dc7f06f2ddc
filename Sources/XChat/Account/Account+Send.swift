import Foundation
import Synchronization
public import XChatEngine
public import XChatEvents
import XChatHTTP

extension Account {
    /// The result of sending a message of this account.
    public struct Receipt: Hashable, Sendable {
        /// The state of a message.
        public enum Outcome: Hashable, Sendable {
            /// The server has the message under this sequence id; nil if the id is no longer known.
            case sent(sequenceID: SequenceID?)
            /// The message is on disk and will be posted.
            case queued
            /// The message is not sent, for this reason: the server finally refused it, it is held because new readers
            /// would get it (``OutboxEntry/isHeld``), or it was discarded on request.
            case refused(reason: String)
        }

        /// The conversation.
        public let conversation: ConversationID
        /// The id under which the message was first encrypted.
        ///
        /// A message that had to be encrypted again has another id on the server.
        public let messageID: MessageID
        /// The state of the message.
        public let outcome: Outcome

        /// The server's sequence id, once the server has the message.
        public var sequenceID: SequenceID? {
            guard case .sent(let id) = outcome else { return nil }
            return id
        }
    }

    /// Sends a text; returns when the server has the message.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - conversation: The conversation.
    /// - Returns: The receipt, with the outcome `sent`.
    /// - Throws: As ``send(_:to:)-(Draft,_)``.
    @discardableResult
    public func send(_ text: String, to conversation: ConversationID) async throws -> Receipt {
        try await send(.text(text), to: conversation)
    }

    /// Sends a message, a reaction or an edit; returns when the server has the message.
    ///
    /// The encrypted message is kept on disk until the server has it: if the process ends before that, the next process
    /// posts it. Messages of one conversation are sent in the order of the calls.
    /// - Parameters:
    ///   - draft: What to send.
    ///   - conversation: The conversation.
    /// - Returns: The receipt, with the outcome `sent`.
    /// - Throws: `XChatError` if the message cannot be encrypted. ``AccountError`` with `refused` if it becomes a dead
    ///   letter: the server finally refuses it, or it is held because new readers would get it. `APIError` such
    ///   as `unauthorized` if nothing can be sent at present; then the message stays in the outbox. If the task is
    ///   cancelled after the message was saved, the message is still sent.
    @discardableResult
    public func send(_ draft: Draft, to conversation: ConversationID) async throws -> Receipt {
        try await whileOpen {
            try await self.outcome(of: try await self.enqueue(draft, to: conversation, keyVersion: nil))
        }
    }

    /// Waits until a message is sent or refused.
    func outcome(of receipt: Receipt) async throws -> Receipt {
        try await outcome(
            of: receipt.messageID,
            in: receipt.conversation,
            waitsForever: true,
            throwsRefusal: true
        )
    }

    /// Encrypts a message and puts it on disk; a worker posts the message.
    ///
    /// - Parameters:
    ///   - draft: What to send.
    ///   - conversation: The conversation.
    /// - Returns: The receipt, with the outcome `queued`.
    /// - Throws: `XChatError` if the message cannot be encrypted, ``AccountError`` if it cannot be saved.
    @discardableResult
    public func enqueue(_ draft: Draft, to conversation: ConversationID) async throws -> Receipt {
        try await whileOpen { try await self.enqueue(draft, to: conversation, keyVersion: nil) }
    }

    /// As ``enqueue(_:to:)``, under a given version of the conversation key; nil for the newest.
    func enqueue(
        _ draft: Draft,
        to conversation: ConversationID,
        keyVersion: KeyVersion?
    ) async throws -> Receipt {
        let conversation = try canonical(conversation)
        if keyVersion == nil { try await prepareToEncrypt(in: conversation) }
        let message = try await seal(draft, in: conversation, keyVersion: keyVersion)
        startWorker()
        return Receipt(conversation: conversation, messageID: message.messageID, outcome: .queued)
    }

    /// The current receipt of a message; nil for an unknown id.
    ///
    /// Finished messages are forgotten after about seven days.
    /// - Parameter messageID: ``Receipt/messageID`` of the message.
    /// - Returns: The receipt with the present outcome.
    /// - Throws: ``AccountError``.
    public func receipt(_ messageID: MessageID) async throws -> Receipt? {
        try await whileOpen {
            guard let entry = try await self.outbox.entry(messageID) else { return nil }
            return Receipt(conversation: entry.conversationID, messageID: messageID, outcome: entry.outcome)
        }
    }

    // MARK: Encrypting

    /// Makes sure that the conversation has a key that may be used to encrypt: reads the history if no key is known,
    /// and rotates the key if necessary.
    func prepareToEncrypt(in conversation: ConversationID) async throws {
        let scope = AccountState.Scope(conversation)
        if try await state.session(scope).keyRing.newestVersion(in: conversation) == nil {
            _ = try await readHistory(of: conversation)
        }
        do {
            _ = try await state.session(scope).encryptingVersion(in: conversation)
        } catch let error as XChatError {
            guard configuration.rotatesBeforeSending, [.rotationNeeded, .disputedKey].contains(error.code) else {
                throw AccountError(error, conversation: conversation)
            }
            try await rotateKey(of: conversation)
            report(.rotated(conversation), in: conversation)
        }
    }

    /// Encrypts a draft and commits the message to the outbox, provided that the state that it was encrypted with has
    /// not changed.
    private func seal(
        _ draft: Draft,
        in conversation: ConversationID,
        keyVersion: KeyVersion? = nil,
        reply: StoredReply? = nil
    ) async throws -> SealedMessage {
        try await openOutbox()
        let scope = AccountState.Scope(conversation)
        let message = try await state.transact(scope) { session, batch in
            let message = try session.seal(draft, in: conversation, keyVersion: keyVersion)
            batch.messages = [message]
            if let reply {
                batch.expected[reply.key] = 0
                batch.writes[reply.key] = reply.encoded(message.messageID)
            }
            return message
        }
        AccountMetrics.sealed()
        return message
    }

    /// Waits for the outcome of a message.
    ///
    /// - Parameters:
    ///   - messageID: The message.
    ///   - conversation: Its conversation.
    ///   - waitsForever: Whether to keep waiting while the message is postponed after a temporary failure or by a rate
    ///     limit.
    ///   - throwsRefusal: Whether a final refusal is thrown.
    /// - Returns: The receipt.
    /// - Throws: `refused`; the error that prevents all posting at present; ``AccountError`` of the store.
    private func outcome(
        of messageID: MessageID,
        in conversation: ConversationID,
        waitsForever: Bool,
        throwsRefusal: Bool
    ) async throws -> Receipt {
        let entry = try await outcome(of: messageID, orWhen: { !waitsForever && $0.isPostponed })
        if waitsForever, entry?.state == .queued, let workerFailure { throw workerFailure }
        let receipt = Receipt(
            conversation: conversation,
            messageID: messageID,
            outcome: entry?.outcome ?? .sent(sequenceID: nil)
        )
        if throwsRefusal, case .refused(let reason) = receipt.outcome {
            var error = AccountError(.refused, "message \(messageID) was not sent: \(reason)")
            error.conversation = conversation
            throw error
        }
        return receipt
    }

    // MARK: Replies

    /// Sends a draft in reply to a message; at most once, even if the message is received again.
    fileprivate func reply(
        _ draft: Draft,
        in conversation: ConversationID,
        _ context: ReplyContext,
        id: String?
    ) async throws -> Receipt {
        let call = try context.next(id)
        let reply = StoredReply(key: context.key(call), kind: draft.kindName)
        return try await whileOpen { try await self.reply(draft, in: conversation, as: reply) }
    }

    private func reply(_ draft: Draft, in conversation: ConversationID, as reply: StoredReply) async throws -> Receipt {
        if let stored = try await storedReply(reply) {
            return try await outcome(of: stored, in: conversation, waitsForever: false, throwsRefusal: false)
        }
        try await prepareToEncrypt(in: conversation)
        let messageID: MessageID
        do {
            messageID = try await seal(draft, in: conversation, reply: reply).messageID
        } catch let error as AccountError where error.code == .conflict {
            // Another task that handles the same message has sent the reply.
            guard let stored = try await storedReply(reply) else { throw error }
            messageID = stored
        }
        startWorker()
        return try await outcome(of: messageID, in: conversation, waitsForever: false, throwsRefusal: true)
    }

    /// The id of the message that was already sent for a reply; nil if no message was sent for it.
    private func storedReply(_ reply: StoredReply) async throws -> MessageID? {
        guard let record = try await store.records([reply.key])[reply.key] else { return nil }
        let stored = try StoredReply.Value(decoding: record.bytes)
        guard stored.kind == reply.kind else {
            throw AccountError(
                .invalidArgument,
                "this call replied to the same message before with \(quoted(stored.kind)), and now with "
                    + "\(quoted(reply.kind)); give the new reply another id"
            )
        }
        return MessageID(stored.messageID)
    }
}

extension Account.Event {
    /// Sends a draft to the event's conversation; at most once, even if the event is received again.
    ///
    /// - Parameters:
    ///   - draft: What to send.
    ///   - id: As for ``Account/Message/reply(_:id:)``.
    /// - Returns: The receipt.
    /// - Throws: As ``Account/Message/reply(_:id:)``.
    @discardableResult
    public func send(_ draft: Draft, id: String? = nil) async throws -> Account.Receipt {
        try await account.reply(draft, in: conversation, context, id: id)
    }

    /// The users whom a signed group change added; nil for every other event.
    public var addedMembers: [UserID]? {
        guard event.isVerified, case .groupChangeEvent(let group) = event.received.detail,
            case .groupMemberAdd(let addition) = group.groupChange
        else { return nil }
        return addition.memberIDs
    }
}

extension Account.Message {
    /// Replies with a text in the same conversation, quoting the message; at most once, even if the message is received
    /// again.
    ///
    /// The reply is stored with the digest of the message and the name or the number of the call. If the message is
    /// received again after a crash, the stored reply is used and the new text is ignored.
    /// - Parameters:
    ///   - text: The text.
    ///   - id: A name for the call, 1 to 200 bytes. Calls without a name are numbered in their order, so a name is
    ///     needed for calls from several tasks, and for calls after the loop has gone on to the next message.
    /// - Returns: The receipt: `sent`, or `queued` if the server cannot be reached at present; then the reply is sent
    ///   later.
    /// - Throws: `XChatError` if the reply cannot be encrypted; ``AccountError`` with `refused` if the server finally
    ///   refuses it.
    @discardableResult
    public func reply(_ text: String, id: String? = nil) async throws -> Account.Receipt {
        let source = ReplySource(Encoded(received.event.received))
        return try await send(.message(MessageDraft(text, reply: .event(source))), id: id)
    }

    /// Adds an emoji reaction to the message, at most once like ``reply(_:id:)``.
    @discardableResult
    public func react(_ emoji: String, id: String? = nil) async throws -> Account.Receipt {
        try await send(.addReaction(ReactionDraft(emoji, to: try target())), id: id)
    }

    /// Replaces the text of a message of this account, at most once like ``reply(_:id:)``.
    @discardableResult
    public func edit(_ text: String, id: String? = nil) async throws -> Account.Receipt {
        guard isOwn else {
            throw AccountError(
                .invalidArgument,
                "message \(safeNumber(sequenceID)) was sent by another user; only own messages can be edited"
            )
        }
        return try await send(.edit(EditDraft(of: try target(), text: text)), id: id)
    }

    /// Sends a draft to the same conversation, at most once like ``reply(_:id:)``.
    @discardableResult
    public func send(_ draft: Draft, id: String? = nil) async throws -> Account.Receipt {
        try await account.reply(draft, in: conversation, context, id: id)
    }

    private func target() throws -> SequenceID {
        guard let sequenceID else {
            throw AccountError(
                .server,
                "a message in \(conversation) has no sequence id, which a reaction or an edit must name"
            )
        }
        return sequenceID
    }
}

/// Names the calls that reply to one message, so that each call sends its reply at most once.
final class ReplyContext: Sendable {
    private struct State {
        var next = 0
        var calls: Set<String> = []
        var isOver = false
    }

    private let consumer: String
    private let message: EventDigest
    private let state = Mutex(State())

    init(consumer: String, message: EventDigest) {
        self.consumer = consumer
        self.message = message
    }

    /// Ends the numbering of calls: from then on a call needs a name.
    ///
    /// - Returns: The names of the calls so far.
    func close() -> Set<String> {
        state.withLock { state in
            state.isOver = true
            return state.calls
        }
    }

    /// The name of a call: the caller's, or its number.
    func next(_ id: String?) throws(AccountError) -> String {
        try state.withLock { state throws(AccountError) in
            if let id {
                guard (1...200).contains(id.utf8.count) else {
                    throw AccountError(
                        .invalidArgument,
                        "the id of a reply must have 1 to 200 bytes, not \(id.utf8.count)"
                    )
                }
                state.calls.insert("id " + id)
                return "id " + id
            }
            guard !state.isOver else {
                throw AccountError(
                    .invalidArgument,
                    "the loop has gone on to another message: give a reply to an earlier message an id"
                )
            }
            defer { state.next += 1 }
            state.calls.insert("\(state.next)")
            return "\(state.next)"
        }
    }

    func key(_ call: String) -> RecordKey { .reply(consumer: consumer, message, call: call) }
}

/// A reply that is stored with the digest of its message, so that it is sent only once.
struct StoredReply: Sendable {
    /// The content of the record.
    struct Value: Codable {
        var kind: String
        var messageID: String

        enum CodingKeys: String, CodingKey {
            case kind
            case messageID = "message_id"
        }

        init(kind: String, messageID: String) {
            self.kind = kind
            self.messageID = messageID
        }

        init(decoding bytes: [UInt8]) throws(AccountError) {
            do {
                self = try JSONDecoder().decode(Self.self, from: Data(bytes))
            } catch {
                throw AccountError(
                    .malformed,
                    "the stored record of a reply is damaged or malformed; restore the account from a backup"
                )
            }
        }
    }

    let key: RecordKey
    let kind: String

    func encoded(_ messageID: MessageID) -> [UInt8] {
        (try? JSONEncoder().encode(Value(kind: kind, messageID: messageID.string))).map { Array($0) } ?? []
    }
}

extension Draft {
    fileprivate var kindName: String {
        switch self {
        case .message: "message"
        case .addReaction: "reaction"
        case .removeReaction: "reaction removal"
        case .edit: "edit"
        }
    }
}

extension OutboxEntry {
    fileprivate var outcome: Account.Receipt.Outcome {
        switch state {
        case .sent: .sent(sequenceID: sequenceID)
        case .queued: .queued
        case .replaced: .queued
        case .dropped: .refused(reason: "it was dropped from the outbox")
        default: .refused(reason: reason ?? "the server refused it")
        }
    }

    /// Whether the message waits after a temporary failure or because of a rate limit.
    fileprivate var isPostponed: Bool { failures > 0 || notBefore != nil }
}
