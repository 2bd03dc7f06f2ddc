import Foundation

/// The call `POST /2/chat/conversations/{id}/messages`.
struct SendRequest: Decodable {
    let messageID: String
    let encodedMessageCreateEvent: String
    let encodedMessageEventSignature: String?
    let conversationToken: String?

    enum CodingKeys: String, CodingKey {
        case messageID = "message_id"
        case encodedMessageCreateEvent = "encoded_message_create_event"
        case encodedMessageEventSignature = "encoded_message_event_signature"
        case conversationToken = "conversation_token"
    }
}

/// The call `POST /2/chat/conversations/{id}/keys`.
struct KeysRequest: Decodable {
    struct ParticipantKey: Decodable {
        let userID: String
        let encryptedConversationKey: String
        let publicKeyVersion: String

        enum CodingKeys: String, CodingKey {
            case userID = "user_id"
            case encryptedConversationKey = "encrypted_conversation_key"
            case publicKeyVersion = "public_key_version"
        }
    }

    let version: String
    let participantKeys: [ParticipantKey]
    let actionSignatures: [ActionSignatureRequest]?

    enum CodingKeys: String, CodingKey {
        case version = "conversation_key_version"
        case participantKeys = "conversation_participant_keys"
        case actionSignatures = "action_signatures"
    }
}

/// One entry of `action_signatures`.
struct ActionSignatureRequest: Decodable {
    struct Signature: Decodable {
        let signature: String
        let publicKeyVersion: String
        let signatureVersion: String
        let signingPublicKey: String?

        enum CodingKeys: String, CodingKey {
            case signature
            case publicKeyVersion = "public_key_version"
            case signatureVersion = "signature_version"
            case signingPublicKey = "signing_public_key"
        }
    }

    let messageID: String
    let encodedMessageEventDetail: String
    let signature: Signature
    let signaturePayload: String?

    enum CodingKeys: String, CodingKey {
        case messageID = "message_id"
        case encodedMessageEventDetail = "encoded_message_event_detail"
        case signature = "message_event_signature"
        case signaturePayload = "signature_payload"
    }
}

/// The call `POST /2/users/{id}/public_keys`.
struct RegistrationRequest: Decodable {
    struct PublicKey: Decodable {
        let identityKey: String
        let signingKey: String
        let signatureOfIdentityKey: String
        let signatureOfSigningKey: String?
        let fingerprint: String?

        enum CodingKeys: String, CodingKey {
            case identityKey = "public_key"
            case signingKey = "signing_public_key"
            case signatureOfIdentityKey = "identity_public_key_signature"
            case signatureOfSigningKey = "signing_public_key_signature"
            case fingerprint = "public_key_fingerprint"
        }
    }

    let publicKey: PublicKey
    let version: String
    let generateVersion: Bool?

    enum CodingKeys: String, CodingKey {
        case publicKey = "public_key"
        case version
        case generateVersion = "generate_version"
    }
}

extension Decodable {
    /// Reads a request's body.
    ///
    /// - Throws: 400, naming the member that is missing or wrong.
    init(body: Data) throws(Problem) {
        do {
            self = try JSONDecoder().decode(Self.self, from: body)
        } catch DecodingError.keyNotFound(let key, let context) {
            throw .invalidRequest("A member is missing.", parameter: path(context.codingPath + [key]))
        } catch DecodingError.valueNotFound(_, let context) {
            throw .invalidRequest("A member is null.", parameter: path(context.codingPath))
        } catch DecodingError.typeMismatch(_, let context) {
            throw .invalidRequest("A member has the wrong type.", parameter: path(context.codingPath))
        } catch {
            throw .invalidRequest("The body is not JSON.")
        }
    }
}

/// A place in a body, in the names of our own coding keys.
private func path(_ keys: [any CodingKey]) -> String? {
    keys.isEmpty ? nil : keys.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
}
