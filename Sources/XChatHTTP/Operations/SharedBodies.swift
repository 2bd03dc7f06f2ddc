import XChatEngine
import XChatEvents

/// An entry of `conversation_participant_keys`.
struct ParticipantKeyBody: Encodable {
    let userID: String
    let encryptedConversationKey: String
    let publicKeyVersion: String

    init(_ key: ParticipantKey) {
        userID = key.userID.string
        encryptedConversationKey = key.encryptedConversationKey.string
        publicKeyVersion = key.publicKeyVersion.string
    }

    enum CodingKeys: String, CodingKey {
        case userID = "user_id"
        case encryptedConversationKey = "encrypted_conversation_key"
        case publicKeyVersion = "public_key_version"
    }
}

/// An entry of `action_signatures`.
struct ActionSignatureBody: Encodable {
    struct Signature: Encodable {
        let signature: String
        let publicKeyVersion: String
        let signatureVersion: String
        let signingPublicKey: String

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

    /// Makes an entry without `signature_payload`: the server only logs it, and for a key change event it would give
    /// the conversation key to the server, because the signed text contains the plaintext key.
    init(_ action: ActionSignature) {
        messageID = action.messageID.string
        encodedMessageEventDetail = action.encodedMessageEventDetail
        signature = Signature(
            signature: action.signature.string,
            publicKeyVersion: action.publicKeyVersion.string,
            signatureVersion: action.signatureVersion.string,
            signingPublicKey: action.signingPublicKey
        )
    }

    enum CodingKeys: String, CodingKey {
        case messageID = "message_id"
        case encodedMessageEventDetail = "encoded_message_event_detail"
        case signature = "message_event_signature"
    }
}

/// An answer with the member `success`.
struct SuccessAnswer: Decodable {
    let success: Bool
}
