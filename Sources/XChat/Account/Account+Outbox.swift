import XChatEngine
public import XChatEvents

/// Lists, retries and discards messages that are not sent.
extension Account {
    /// The messages that are not sent: queued messages, and dead letters with their reasons.
    ///
    /// - Returns: The stored entry of each message, in the order in which they were enqueued.
    /// - Throws: ``AccountError``.
    public func unsentMessages() async throws -> [OutboxEntry] {
        try await whileOpen {
            try await self.openOutbox()
            return try await self.outbox.list()
        }
    }

    /// The users who could read a held message (``OutboxEntry/isHeld``) if it were sent now, but could not when it was
    /// encrypted.
    ///
    /// - Parameter entry: The stored entry of the message.
    /// - Returns: The users; nil if the members of the conversation are not known.
    /// - Throws: `APIError` and ``AccountError``, from reading the history of the conversation.
    public func newReaders(of entry: OutboxEntry) async throws -> Set<UserID>? {
        try await whileOpen {
            _ = try await self.readHistory(of: entry.conversationID)
            return entry.newReaders(in: try await self.state.session(AccountState.Scope(entry.conversationID)))
        }
    }

    /// Tries to send a message again: a dead letter, or one that waits for a time.
    ///
    /// The message keeps its place in the queue: earlier messages of its conversation are sent first. ``receipt(_:)``
    /// returns the outcome of the message.
    /// - Parameters:
    ///   - messageID: ``Receipt/messageID`` of the message.
    ///   - readers: For a held message: the result of ``newReaders(of:)`` that a person was shown and agreed to. The
    ///     message is held again if other users would get it too.
    /// - Throws: ``AccountError`` with `unknown_message`, `finished` or `invalid_readers`.
    public func retryMessage(_ messageID: MessageID, allowing readers: Set<UserID> = []) async throws {
        try await whileOpen {
            try await self.openOutbox()
            try await self.outbox.retry(messageID, allowing: readers)
            self.startWorker()
        }
    }

    /// Discards a message that is not sent.
    ///
    /// - Parameter messageID: ``Receipt/messageID`` of the message. An attempt in progress is not cancelled.
    /// - Throws: ``AccountError`` with `unknown_message` or `finished`.
    public func discardMessage(_ messageID: MessageID) async throws {
        try await whileOpen {
            try await self.openOutbox()
            try await self.outbox.drop(messageID)
        }
    }

    /// Waits until a message is settled, or until nothing can be posted at present.
    ///
    /// - Parameters: As for ``Outbox/outcome(of:within:orWhen:)``.
    /// - Returns: As ``Outbox/outcome(of:within:orWhen:)``.
    package func outcome(
        of messageID: MessageID,
        within limit: Duration? = nil,
        orWhen isEnough: (OutboxEntry) -> Bool = { _ in false }
    ) async throws -> OutboxEntry? {
        try await outbox.outcome(of: messageID, within: limit, orWhen: { workerFailure != nil || isEnough($0) })
    }
}
