/// The result of the SDK's `encrypt_message`.
struct SendPayload: Decodable {
    let messageID: String
    let encryptedContent: String
    let encodedEventSignature: String
    let conversationKeyVersion: String

    enum CodingKeys: String, CodingKey {
        case messageID = "message_id"
        case encryptedContent = "encrypted_content"
        case encodedEventSignature = "encoded_event_signature"
        case conversationKeyVersion = "conversation_key_version"
    }
}

/// The result of the SDK's `prepare_conversation_key_change`.
struct PreparedKeyChange: Decodable {
    struct Participant: Decodable {
        let userID: String
        let encryptedKey: String

        enum CodingKeys: String, CodingKey {
            case userID = "user_id"
            case encryptedKey = "encrypted_key"
        }
    }

    struct Action: Decodable {
        let messageID: String
        let encodedMessageEventDetail: String
        let signature: String
        let publicKeyVersion: String
        let signatureVersion: String

        enum CodingKeys: String, CodingKey {
            case messageID = "message_id"
            case encodedMessageEventDetail = "encoded_message_event_detail"
            case signature
            case publicKeyVersion = "public_key_version"
            case signatureVersion = "signature_version"
        }
    }

    let conversationID: String
    let conversationKey: Bytes
    let conversationKeyVersion: String
    let participantKeys: [Participant]
    let actionSignatures: [Action]

    enum CodingKeys: String, CodingKey {
        case conversationID = "conversation_id"
        case conversationKey = "conversation_key"
        case conversationKeyVersion = "conversation_key_version"
        case participantKeys = "participant_keys"
        case actionSignatures = "action_signatures"
    }
}

/// The result of the SDK's `extract_conversation_keys`.
struct ConversationKeys: Decodable {
    let keys: [String: Bytes]
    let latestVersion: String?

    enum CodingKeys: String, CodingKey {
        case keys
        case latestVersion = "latest_version"
    }
}

/// The result of the SDK's `decrypt_events`.
struct DecryptedEvents: Decodable {
    struct Entry: Decodable {
        let event: DecryptedEvent
    }

    let messages: [Entry]
    let conversationKeys: ConversationKeys
    let errors: [String: String]

    enum CodingKeys: String, CodingKey {
        case messages
        case conversationKeys = "conversation_keys"
        case errors
    }
}

/// An event as the SDK reads it.
struct DecryptedEvent: Decodable {
    struct Content: Decodable {
        let contentType: String
        let text: String?
        let entities: [Entity]?

        enum CodingKeys: String, CodingKey {
            case contentType = "content_type"
            case text
            case entities
        }
    }

    struct Entity: Decodable {
        let startIndex: Int32
        let endIndex: Int32

        enum CodingKeys: String, CodingKey {
            case startIndex = "start_index"
            case endIndex = "end_index"
        }
    }

    let type: String
    let id: String?
    let senderID: String?
    let conversationID: String?
    let verified: Bool?
    let keyVersion: String?
    let shouldNotify: Bool?
    let ttlMsec: Int64?
    let content: Content?

    enum CodingKeys: String, CodingKey {
        case type
        case id
        case senderID = "sender_id"
        case conversationID = "conversation_id"
        case verified
        case keyVersion = "key_version"
        case shouldNotify = "should_notify"
        case ttlMsec = "ttl_msec"
        case content
    }
}
