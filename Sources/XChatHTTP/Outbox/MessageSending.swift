public import XChat
public import XChatEvents

public import struct Foundation.Date

/// Posts sealed messages: an API client, or something in front of one.
public protocol MessageSending: Sendable {
    /// Posts a message once; whether and when again is the outbox's decision.
    ///
    /// - Parameter message: The sealed message.
    /// - Returns: What the server made of it.
    /// - Throws: ``APIError``, failure events included.
    func post(_ message: SealedMessage) async throws(APIError) -> SentMessage

    /// What the server has of a sender's messages, although no answer may have said so.
    ///
    /// Asked before messages are sealed anew: a try whose answer was lost may have been stored, and then the key changed.
    /// - Parameters:
    ///   - conversation: The canonical id of the conversation.
    ///   - sender: Who sealed them.
    ///   - since: What was stored before is of no interest.
    /// - Returns: The server's ids of the messages, by the ids under which they were sealed.
    /// - Throws: ``APIError``.
    func posted(
        in conversation: ConversationID,
        by sender: UserID,
        since: Date
    ) async throws(APIError) -> [WireString: WireString]
}

extension ChatClient: MessageSending {
    /// ``send(_:to:conversationToken:)`` to the message's own conversation, one try whatever the client's ``RetryPolicy``.
    ///
    /// - Parameter message: The sealed message.
    /// - Returns: What the server made of it.
    /// - Throws: ``APIError``.
    public func post(_ message: SealedMessage) async throws(APIError) -> SentMessage {
        try await tryingOnce.send(message)
    }

    /// Walks the conversation back to the time given; each page is tried as the client's ``RetryPolicy`` says.
    ///
    /// - Parameters:
    ///   - conversation: The canonical id of the conversation.
    ///   - sender: Who sealed the messages.
    ///   - since: The server's clock may be an hour off.
    /// - Returns: The server's ids of the messages.
    /// - Throws: ``APIError``; `too_large` when the time was not reached in 100 pages.
    public func posted(
        in conversation: ConversationID,
        by sender: UserID,
        since: Date
    ) async throws(APIError) -> [WireString: WireString] {
        let earliest = UInt64(since.addingTimeInterval(-3600).milliseconds)
        let target = try ConversationTarget(conversation)
        var walk = PageWalk(maximumPages: 100)
        var posted: [WireString: WireString] = [:]
        var token: String?
        do throws(APIError) {
            repeat {
                let page = try await events(in: target, paginationToken: token)
                for served in page.events {
                    guard let event = try? MessageEvent(base64: served.encodedEvent) else { continue }
                    if let (message, sequence) = event.posted(in: conversation, by: sender) {
                        posted[message] = sequence
                    }
                    if let created = event.createdAtMsec?.number, created < earliest { return posted }
                }
                token = try walk.follow(page.nextToken)
            } while token != nil
        } catch {
            guard error.code == .notFound else { throw error }
        }
        return posted
    }
}

extension MessageEvent {
    /// Its two ids, if it is somebody's message of a conversation.
    fileprivate func posted(in id: ConversationID, by sender: UserID) -> (message: WireString, sequence: WireString)? {
        guard case .messageCreateEvent = detail, senderID == sender, let messageID, let conversationID, let sequenceID,
            sequenceID.isDigits, ConversationID(canonicalizing: conversationID, sender: sender) == id
        else { return nil }
        return (messageID, sequenceID)
    }
}
