import Foundation
import Synchronization
public import XChatEngine
public import XChatEvents
import XChatHTTP

extension Account {
    /// What became of a message of this account.
    public struct Receipt: Hashable, Sendable {
        /// How far the message has come.
        public enum Outcome: Hashable, Sendable {
            /// The server has it, under this sequence id; nil if that is not known any more.
            case sent(sequenceID: SequenceID?)
            /// It is on disk and will be posted.
            case queued
            /// The server finally refused it, for this reason.
            case refused(reason: String)
        }

        /// The conversation.
        public let conversation: ConversationID
        /// The id under which it was encrypted first.
        ///
        /// A message that had to be encrypted again has another one on the server.
        public let messageID: MessageID
        /// How far it has come.
        public let outcome: Outcome

        /// The server's sequence id, once the server has the message.
        public var sequenceID: SequenceID? {
            guard case .sent(let id) = outcome else { return nil }
            return id
        }
    }

    /// Sends a text; returns when the server has it.
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

    /// Sends a message, a reaction or an edit; returns when the server has it.
    ///
    /// It is encrypted once and kept on disk until the server has it: if the process ends meanwhile, the next one posts
    /// it. Messages of one conversation are sent in the order of the calls.
    /// - Parameters:
    ///   - draft: What to send.
    ///   - conversation: The conversation.
    /// - Returns: The receipt, with the outcome `sent`.
    /// - Throws: `XChatError` if it cannot be encrypted; ``AccountError`` with `refused` if the server finally refuses
    ///   it: it is kept as a dead letter then; `APIError` such as `unauthorized` if nothing can be sent at present: the
    ///   message stays in the outbox. If the task is cancelled, the message is still sent.
    @discardableResult
    public func send(_ draft: Draft, to conversation: ConversationID) async throws -> Receipt {
        try await whileOpen {
            try await self.outcome(of: try await self.enqueue(draft, to: conversation, keyVersion: nil))
        }
    }

    /// Waits until a message is settled.
    func outcome(of receipt: Receipt) async throws -> Receipt {
        try await outcome(
            of: receipt.messageID,
            in: receipt.conversation,
            waitsForever: true,
            throwsRefusal: true
        )
    }

    /// Encrypts a message and puts it on disk; a worker posts it.
    ///
    /// - Parameters:
    ///   - draft: What to send.
    ///   - conversation: The conversation.
    /// - Returns: The receipt, with the outcome `queued`.
    /// - Throws: `XChatError` if it cannot be encrypted, ``AccountError`` if it cannot be saved.
    @discardableResult
    public func enqueue(_ draft: Draft, to conversation: ConversationID) async throws -> Receipt {
        try await whileOpen { try await self.enqueue(draft, to: conversation, keyVersion: nil) }
    }

    /// As ``enqueue(_:to:)``, under a key of the caller's choice.
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

    /// What became of a message; nil for an id that is not known, or not any more.
    ///
    /// - Parameter messageID: The id of its receipt.
    /// - Returns: The receipt now.
    /// - Throws: ``AccountError``.
    public func receipt(_ messageID: MessageID) async throws -> Receipt? {
        try await whileOpen {
            guard let entry = try await self.outbox.entry(messageID) else { return nil }
            return Receipt(conversation: entry.conversationID, messageID: messageID, outcome: entry.outcome)
        }
    }

    // MARK: One way out

    /// Makes sure that a key of the conversation encrypts: reads its history if no key is known, and rotates if it
    /// must.
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

    /// Encrypts a draft and commits the message to the outbox, on the state that it was encrypted under.
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
    ///   - waitsForever: Whether to wait while the message is postponed: after a failure that passes, or by a rate
    ///     limit.
    ///   - throwsRefusal: Whether a final refusal is thrown.
    /// - Returns: The receipt.
    /// - Throws: `refused`; why nothing can be posted at present; ``AccountError`` of the store.
    private func outcome(
        of messageID: MessageID,
        in conversation: ConversationID,
        waitsForever: Bool,
        throwsRefusal: Bool
    ) async throws -> Receipt {
        let entry = try await outbox.outcome(
            of: messageID,
            orWhen: { workerFailure != nil || !waitsForever && $0.isPostponed }
        )
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

    /// Sends something from a message, at most once however often the message comes.
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
            // Another task of the same message sent it meanwhile.
            guard let stored = try await storedReply(reply) else { throw error }
            messageID = stored
        }
        startWorker()
        return try await outcome(of: messageID, in: conversation, waitsForever: false, throwsRefusal: true)
    }

    /// The message that was sent for a reply before.
    private func storedReply(_ reply: StoredReply) async throws -> MessageID? {
        guard let record = try await store.records([reply.key])[reply.key] else { return nil }
        let stored = try StoredReply.Value(decoding: record.bytes)
        guard stored.kind == reply.kind else {
            throw AccountError(
                .invalidArgument,
                "this call sent \(quoted(stored.kind)) for the same message before, and now sends \(quoted(reply.kind))"
            )
        }
        return MessageID(stored.messageID)
    }
}

extension Account.Event {
    /// Sends a draft to the event's conversation; at most once, however often the event comes.
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

    /// The users whom a signed change of the group added; nil for every other event.
    public var addedMembers: [UserID]? {
        guard event.isVerified, case .groupChangeEvent(let group) = event.received.detail,
            case .groupMemberAdd(let addition) = group.groupChange
        else { return nil }
        return addition.memberIDs
    }
}

extension Account.Message {
    /// Answers with a text in the same conversation, quoting the message; at most once, however often the message
    /// comes.
    ///
    /// The answer is stored under the message and the number of the call. When the message comes again after a crash,
    /// the stored answer is kept and the new text is dropped.
    /// - Parameters:
    ///   - text: The text.
    ///   - id: A name for the call; needed for calls from several tasks, and after the loop went on to the next
    ///     message.
    /// - Returns: The receipt: `sent`, or `queued` while the server cannot take it; then it is sent later.
    /// - Throws: `XChatError` if it cannot be encrypted; ``AccountError`` with `refused` if the server finally refuses
    ///   it.
    @discardableResult
    public func reply(_ text: String, id: String? = nil) async throws -> Account.Receipt {
        let source = ReplySource(Encoded(received.event.received))
        return try await send(.message(MessageDraft(text, reply: .event(source))), id: id)
    }

    /// Puts an emoji on the message, as ``reply(_:id:)``.
    @discardableResult
    public func react(_ emoji: String, id: String? = nil) async throws -> Account.Receipt {
        try await send(.addReaction(ReactionDraft(emoji, to: try target())), id: id)
    }

    /// Gives a message of this account a new text, as ``reply(_:id:)``.
    @discardableResult
    public func edit(_ text: String, id: String? = nil) async throws -> Account.Receipt {
        guard isOwn else {
            throw AccountError(.invalidArgument, "message \(safeNumber(sequenceID)) of another user cannot be edited")
        }
        return try await send(.edit(EditDraft(of: try target(), text: text)), id: id)
    }

    /// Sends a draft to the same conversation, as ``reply(_:id:)``.
    @discardableResult
    public func send(_ draft: Draft, id: String? = nil) async throws -> Account.Receipt {
        try await account.reply(draft, in: conversation, context, id: id)
    }

    private func target() throws -> SequenceID {
        guard let sequenceID else {
            throw AccountError(.server, "the server gave a message in \(conversation) no sequence id to name it by")
        }
        return sequenceID
    }
}

/// What was sent from one message: names the calls.
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

    /// Ends the time in which calls are numbered: from then on a call needs a name.
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
                    throw AccountError(.invalidArgument, "the id of a reply has 1 to 200 bytes")
                }
                state.calls.insert("id " + id)
                return "id " + id
            }
            guard !state.isOver else {
                throw AccountError(
                    .invalidArgument,
                    "the loop has gone on to another message: a reply to an earlier one needs an id"
                )
            }
            defer { state.next += 1 }
            state.calls.insert("\(state.next)")
            return "\(state.next)"
        }
    }

    func key(_ call: String) -> RecordKey { .reply(consumer: consumer, message, call: call) }
}

/// A reply that is stored under its message, so that it is sent once.
struct StoredReply: Sendable {
    /// The record.
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
                throw AccountError(.malformed, "the record of a reply is not of its form")
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
        default: .refused(reason: reason ?? "the server does not take it")
        }
    }

    /// Whether the message waits for something that passes.
    fileprivate var isPostponed: Bool { failures > 0 || notBefore != nil }
}
