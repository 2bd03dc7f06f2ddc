import Foundation
import XChatEngine
public import XChatEvents

/// A message that the server accepted.
public struct SentMessage: Hashable, Sendable {
    /// The message id, which the sender signs.
    public let messageID: MessageID
    /// The sequence id from the server, which orders the conversation.
    ///
    /// The sequence id is not signed, so the server decides the order.
    public let sequenceID: SequenceID
    /// The canonical id of the conversation.
    public let conversationID: ConversationID
    /// The event as the server returned it, not verified.
    public let event: MessageEvent
}

extension Call<SentMessage> {
    /// The call `POST /2/chat/conversations/{id}/messages`.
    static func send(
        _ message: SealedMessage,
        to target: ConversationTarget?,
        conversationToken: String?,
        limit: Int
    ) throws(APIError) -> Self {
        let target = if let target { target } else { try ConversationTarget(message.conversationID) }
        guard let sender = message.event.senderID, target.conversation(of: sender) == message.conversationID else {
            throw APIError(.invalidArgument, "the message was encrypted for another conversation")
        }
        let body = SendBody(
            messageID: message.messageID.string,
            encodedMessageCreateEvent: message.encodedMessageCreateEvent,
            encodedMessageEventSignature: message.encodedMessageEventSignature,
            conversationToken: conversationToken
        )
        return Call(
            request: APIRequest(
                method: .post,
                route: "/2/chat/conversations/{id}/messages",
                path: "/2/chat/conversations/\(target.pathComponent)/messages",
                body: try body.json()
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            let encoded = try answer.data(SendAnswer.self).encodedMessageEvent
            return try SentMessage(answered: encoded, for: message, sender: sender)
        }
    }
}

extension SentMessage {
    /// Checks the event in the answer, which may be a failure event although the status is a success.
    init(answered encoded: String, for message: SealedMessage, sender: UserID) throws(APIError) {
        let event: MessageEvent
        do {
            event = try MessageEvent(base64: encoded)
        } catch {
            throw APIError(.malformedResponse, "data.encoded_message_event: \(error)".display())
        }
        if case .messageFailureEvent(let failure) = event.detail {
            throw APIError(failure)
        }
        guard case .messageCreateEvent = event.detail else {
            throw APIError(.malformedResponse, "the answered event is not a message")
        }
        guard event.messageID == message.messageID, event.senderID == sender,
            let conversation = event.conversationID,
            ConversationID(canonicalizing: conversation, sender: sender) == message.conversationID
        else {
            throw APIError(.malformedResponse, "the answered event is for another message")
        }
        guard let sequenceID = event.sequenceID else {
            throw APIError(.malformedResponse, "the answered event has no sequence id")
        }
        guard sequenceID.isValid else {
            throw APIError(.malformedResponse, "the sequence id of the answered event is not \(SequenceID.rule)")
        }
        self.init(
            messageID: message.messageID,
            sequenceID: sequenceID,
            conversationID: message.conversationID,
            event: event
        )
    }
}

extension APIError {
    init(_ event: MessageFailureEvent) {
        let type = event.failureType
        let name = type.map { "\($0.name ?? "type") (\($0.rawValue))" } ?? "no failure type"
        self.init(.failureEvent, "the server answered with a failure event: \(name)")
        failure = type
        rateLimitTier = event.rateLimitTier
    }
}

private struct SendBody: Encodable {
    let messageID: String
    let encodedMessageCreateEvent: String
    let encodedMessageEventSignature: String
    let conversationToken: String?

    enum CodingKeys: String, CodingKey {
        case messageID = "message_id"
        case encodedMessageCreateEvent = "encoded_message_create_event"
        case encodedMessageEventSignature = "encoded_message_event_signature"
        case conversationToken = "conversation_token"
    }
}

private struct SendAnswer: Decodable {
    let encodedMessageEvent: String

    enum CodingKeys: String, CodingKey {
        case encodedMessageEvent = "encoded_message_event"
    }
}

extension Encodable {
    /// Encodes the value as the body of a request.
    func json() throws(APIError) -> Data {
        do {
            return try JSONCoding.encoder.encode(self)
        } catch {
            throw APIError(.invalidArgument, "the request cannot be written as JSON")
        }
    }
}
