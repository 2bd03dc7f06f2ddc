public import XChat
import XChatEvents

public import struct Foundation.Date

/// Posts sealed messages: an API client, or something in front of one.
public protocol MessageSending: Sendable {
    /// Posts a message once; whether and when again is the outbox's decision.
    ///
    /// - Parameter message: The sealed message.
    /// - Returns: What the server made of it.
    /// - Throws: ``APIError``, failure events included.
    func post(_ message: SealedMessage) async throws(APIError) -> SentMessage

    /// Looks whether the server has a message although no answer said so.
    ///
    /// Asked before a message is sealed anew: a try whose answer was lost may have been stored, and then the key changed.
    /// - Parameters:
    ///   - message: The sealed message.
    ///   - since: It was not posted before.
    /// - Returns: The stored message; nil if there is none.
    /// - Throws: ``APIError``.
    func posted(_ message: SealedMessage, since: Date) async throws(APIError) -> SentMessage?
}

extension ChatClient: MessageSending {
    /// ``send(_:to:conversationToken:)`` to the message's own conversation.
    ///
    /// - Parameter message: The sealed message.
    /// - Returns: What the server made of it.
    /// - Throws: ``APIError``.
    public func post(_ message: SealedMessage) async throws(APIError) -> SentMessage {
        try await send(message)
    }

    /// Walks the conversation back to the time given.
    ///
    /// - Parameters:
    ///   - message: The sealed message.
    ///   - since: It was not posted before; the server's clock may be an hour off.
    /// - Returns: The stored message, read as the answer of a send is.
    /// - Throws: ``APIError``; `too_large` when the time was not reached in 100 pages.
    public func posted(_ message: SealedMessage, since: Date) async throws(APIError) -> SentMessage? {
        guard let sender = message.event.senderID else { return nil }
        let target = try ConversationTarget(message.conversationID)
        let earliest = since.addingTimeInterval(-3600).milliseconds
        var token: String?
        for _ in 0..<100 {
            let page: EventPage
            do {
                page = try await events(in: target, paginationToken: token)
            } catch {
                guard error.code == .notFound else { throw error }
                return nil
            }
            for served in page.events {
                guard let event = try? MessageEvent(base64: served.encodedEvent) else { continue }
                if event.messageID == message.messageID, event.senderID == sender {
                    return try SentMessage(answered: served.encodedEvent, for: message, sender: sender)
                }
                if let created = event.createdAtMsec?.number, created < UInt64(earliest) { return nil }
            }
            guard let next = page.nextToken else { return nil }
            token = next
        }
        throw APIError(.tooLarge, "the conversation is too long to look for the message")
    }
}
