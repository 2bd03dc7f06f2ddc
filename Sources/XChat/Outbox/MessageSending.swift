public import XChatEngine
public import XChatEvents
public import XChatHTTP

/// Posts sealed messages: an API client, or a wrapper around one.
public protocol MessageSending: Sendable {
    /// Posts a message once; the outbox decides whether and when to retry.
    ///
    /// - Parameter message: The sealed message.
    /// - Returns: The message with the id that the server gave it.
    /// - Throws: `APIError`, failure events included.
    func post(_ message: SealedMessage) async throws(APIError) -> SentMessage

    /// Looks in the history for a message that the server may have stored although its answer was lost.
    ///
    /// The outbox asks before it encrypts a refused message again, and before it makes a refused message a dead letter:
    /// otherwise a message that the server has could be sent twice, or be reported as not sent. How far back to look
    /// must not depend on the local clock: it may differ from the server's by any amount.
    /// - Parameters:
    ///   - message: The message. The search may end as soon as it is found.
    ///   - sender: The user who sealed it.
    /// - Returns: What was found on the way.
    /// - Throws: `APIError`; an incomplete answer must never look like a complete one.
    func posted(_ message: SealedMessage, by sender: UserID) async throws(APIError) -> PostedMessages
}

/// The messages of one sender that a server has stored in one conversation, as far as its history was read.
public struct PostedMessages: Hashable, Sendable {
    /// The server's ids of the messages, by the ids under which they were sealed.
    public var sequenceIDs: [MessageID: SequenceID]
    /// Whether the search saw every message of the sender under the key version of the searched message and under newer
    /// versions.
    public var isComplete: Bool

    /// A result from its parts.
    public init(sequenceIDs: [MessageID: SequenceID], isComplete: Bool) {
        self.sequenceIDs = sequenceIDs
        self.isComplete = isComplete
    }
}

extension ChatClient: MessageSending {
    /// `send(_:to:conversationToken:)` to the message's own conversation, one try whatever the client's
    /// `RetryPolicy`.
    ///
    /// - Parameter message: The sealed message.
    /// - Returns: The message with the id that the server gave it.
    /// - Throws: `APIError`.
    public func post(_ message: SealedMessage) async throws(APIError) -> SentMessage {
        try await tryingOnce.send(message)
    }

    /// Reads the conversation backwards until the message is found, or a message under an older key, or the beginning.
    ///
    /// The server only accepts messages under the newest key. So it stored every message under an older key version
    /// before the version of this message existed, and no event that is listed after such a message can be the one
    /// looked for. Each page is tried as the client's `RetryPolicy` says.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - sender: The user who sealed it.
    /// - Returns: What was found on the way.
    /// - Throws: `APIError`; `too_large` when `Limits.pages` pages hold neither the message nor one under an older
    ///   key, `malformed_response` when the message was not found and the server says that it left something out.
    public func posted(_ message: SealedMessage, by sender: UserID) async throws(APIError) -> PostedMessages {
        let conversation = message.conversationID
        let target = try ConversationTarget(conversation)
        var walk = PageWalk(maximumPages: limits.pages)
        var posted = PostedMessages(sequenceIDs: [:], isComplete: false)
        var problem: APIError?
        var token: String?
        walking: do throws(APIError) {
            repeat {
                let page = try await events(in: target, paginationToken: token)
                problem = problem ?? page.problems.first
                for served in page.events {
                    guard let event = try? MessageEvent(base64: served.encodedEvent),
                        let found = event.message(of: conversation)
                    else { continue }
                    if found.sender == sender, let id = found.id, let sequence = found.sequence, sequence.isDigits {
                        posted.sequenceIDs[id] = sequence
                        if id == message.messageID { return posted }
                    }
                    if let version = found.keyVersion, let own = message.conversationKeyVersion.number, version < own {
                        break walking
                    }
                }
                token = try walk.follow(page.nextToken)
            } while token != nil
        } catch {
            guard error.code == .notFound else { throw error }
        }
        // A missing event could be the message.
        if let problem { throw APIError(.malformedResponse, "the history is incomplete: \(problem)".display()) }
        posted.isComplete = true
        return posted
    }
}

extension MessageEvent {
    /// The ids, the sender and the key version in an event; nil if it is not a message of the conversation.
    fileprivate func message(
        of id: ConversationID
    ) -> (id: MessageID?, sequence: SequenceID?, sender: UserID?, keyVersion: UInt64?)? {
        guard case .messageCreateEvent(let create) = detail, let senderID, let conversationID,
            ConversationID(canonicalizing: conversationID, sender: senderID) == id
        else { return nil }
        return (messageID, sequenceID, senderID, create.conversationKeyVersion?.number)
    }
}
