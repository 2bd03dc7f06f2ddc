import Foundation
public import XChatEvents

/// An event of the activity stream or of a webhook.
///
/// The event is not verified, so the server could have forged or changed it. Verify and decrypt ``keyChangeEvent`` and
/// ``encodedEvent`` like the events of a history.
public struct ActivityEvent: Hashable, Sendable {
    /// The kind of an event.
    public struct Kind: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// X's name, for example `chat.received`.
        public let rawValue: String

        /// Takes any name; the deprecated `chat.conversation_join` becomes `chat.conversation.join`.
        public init(rawValue: String) {
            self.rawValue =
                rawValue.utf8.elementsEqual("chat.conversation_join".utf8)
                ? "chat.conversation.join" : rawValue
        }

        /// X's name.
        public var description: String { rawValue }

        /// The user of the subscription received a message.
        public static let received = Self(rawValue: "chat.received")
        /// The user of the subscription sent a message.
        public static let sent = Self(rawValue: "chat.sent")
        /// The user of the subscription joined a conversation.
        public static let joined = Self(rawValue: "chat.conversation.join")
        /// A member was added to a group.
        public static let memberAdded = Self(rawValue: "chat.conversation.member_added")
        /// A member was removed from a group.
        public static let memberRemoved = Self(rawValue: "chat.conversation.member_removed")
        /// A member became an administrator.
        public static let adminAdded = Self(rawValue: "chat.conversation.admin_added")
        /// A member is no longer an administrator.
        public static let adminRemoved = Self(rawValue: "chat.conversation.admin_removed")
        /// The name of a group changed.
        public static let groupNameUpdated = Self(rawValue: "chat.update.group_name")
        /// The restrictions of a conversation changed.
        public static let restrictionsUpdated = Self(rawValue: "chat.update.restrictions")
    }

    /// The kind of the event.
    public let kind: Kind
    /// The id of the delivery, a number or a UUID; a repeated delivery has the same one.
    public let uuid: String?
    /// The tag of the subscription.
    public let tag: String?
    /// The user of the subscription.
    public let subscribedUserID: UserID?
    /// The base64 of the event.
    public let encodedEvent: String?
    /// The base64 of the key change event with the conversation key for this event; give it to the session first.
    public let keyChangeEvent: String?
    /// The version of the conversation key.
    public let conversationKeyVersion: KeyVersion?
    /// The conversation in one of its forms: two ids joined by `:` or `-`, or a group id.
    public let conversationID: WireString?
    /// The sender.
    public let senderID: UserID?
    /// An opaque token that ``ChatClient/send(_:to:conversationToken:)`` may pass to the server.
    public let conversationToken: String?

    /// Reads the body of a webhook request.
    ///
    /// Check the signature of the request first (``Webhook``), because otherwise anyone could send you events.
    ///
    /// - Parameter body: The bytes of the body: one JSON object.
    /// - Throws: ``APIError`` with ``APIError/Code-swift.struct/malformedResponse`` if the body is not JSON or contains
    ///   no event.
    public init(webhookBody body: some Collection<UInt8>) throws(APIError) {
        switch try ActivityLine(Array(body)) {
        case .event(let event): self = event
        default: throw APIError(.malformedResponse, "the body contains no event")
        }
    }

    fileprivate init(_ data: ActivityData) {
        let payload = data.payload
        kind = Kind(rawValue: data.eventType)
        uuid = data.eventUUID
        tag = data.tag
        encodedEvent = payload?.encodedEvent
        keyChangeEvent = payload?.keyChangeEvent
        // A malformed id counts as absent: the encoded event contains it again and is verified on its own.
        conversationKeyVersion = payload?.conversationKeyVersion.flatMap { KeyVersion(validating: $0) }
        conversationID = payload?.conversationID.map { WireString($0) }.flatMap { $0.isConversationID ? $0 : nil }
        senderID = payload?.senderID.flatMap { UserID(validating: $0) }
        subscribedUserID = data.filter?.userID.flatMap { UserID(validating: $0) }
        conversationToken = payload?.conversationToken
    }
}

/// One line of the stream.
enum ActivityLine: Hashable {
    /// A keep-alive.
    case keepAlive
    case event(ActivityEvent)
    /// The server ends the connection.
    case disconnect
    /// The server reports an error and may go on.
    case problem(APIError)

    init(_ line: [UInt8], token: Token? = nil) throws(APIError) {
        let line = line.starts(with: [0xEF, 0xBB, 0xBF]) ? line[3...] : line[...]
        let isBlank = line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
        if isBlank || line.elementsEqual("{}".utf8) {
            self = .keepAlive
            return
        }
        let message: ActivityMessage
        do {
            message = try JSONCoding.decoder.decode(ActivityMessage.self, from: Data(line))
        } catch {
            throw APIError(.malformedResponse, "a line of the stream is not the JSON of an event")
        }
        if let data = message.data {
            self = .event(ActivityEvent(data))
        } else if let object = message.errors.first {
            switch object.problem {
            case "operational-disconnect", "client-disconnected", "streaming-connection": self = .disconnect
            default: self = .problem(APIError(object, code: object.errorCode, token: token))
            }
        } else {
            // X asks clients to ignore unknown kinds of messages.
            self = .keepAlive
        }
    }
}

private struct ActivityMessage: Decodable {
    let data: ActivityData?
    let errors: [ErrorObject]

    private enum CodingKeys: CodingKey { case data }

    init(from decoder: any Decoder) throws {
        data = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(ActivityData.self, forKey: .data)
        errors = try ErrorBody(from: decoder).objects
    }
}

private struct ActivityData: Decodable {
    struct Filter: Decodable {
        let userID: String?

        enum CodingKeys: String, CodingKey {
            case userID = "user_id"
        }
    }

    /// X's specification does not list the members of a chat payload, so all are optional here.
    struct Payload: Decodable {
        let encodedEvent: String?
        let keyChangeEvent: String?
        let conversationKeyVersion: String?
        let conversationID: String?
        let senderID: String?
        let conversationToken: String?

        enum CodingKeys: String, CodingKey {
            case encodedEvent = "encoded_event"
            case keyChangeEvent = "conversation_key_change_event"
            case conversationKeyVersion = "conversation_key_version"
            case conversationID = "conversation_id"
            case senderID = "sender_id"
            case conversationToken = "conversation_token"
        }

        /// A member of the wrong type counts as absent: other kinds of events have other payloads.
        init(from decoder: any Decoder) throws {
            let members = try? decoder.container(keyedBy: CodingKeys.self)
            func text(_ key: CodingKeys) -> String? { try? members?.decodeIfPresent(String.self, forKey: key) }
            encodedEvent = text(.encodedEvent)
            keyChangeEvent = text(.keyChangeEvent)
            conversationKeyVersion = text(.conversationKeyVersion)
            conversationID = text(.conversationID)
            senderID = text(.senderID)
            conversationToken = text(.conversationToken)
        }
    }

    let eventType: String
    let eventUUID: String?
    let tag: String?
    let filter: Filter?
    let payload: Payload?

    enum CodingKeys: String, CodingKey {
        case eventType = "event_type"
        case eventUUID = "event_uuid"
        case tag, filter, payload
    }
}
