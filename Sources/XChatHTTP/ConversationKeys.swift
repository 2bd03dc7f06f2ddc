import XChat
public import XChatEvents

/// A key change that the server accepted.
public struct AddedKeys: Hashable, Sendable {
    /// The canonical id of the conversation.
    public let conversationID: ConversationID
    /// The server's id of the key change; nil when the server names none.
    public let sequenceID: WireString?
}

extension Call<AddedKeys> {
    /// The call `POST /2/chat/conversations/{id}/keys`.
    static func addKeys(_ change: KeyChange, limit: Int) throws(APIError) -> Self {
        let target = try ConversationTarget(change.conversationID)
        return Call(
            request: APIRequest(
                method: .post,
                route: "/2/chat/conversations/{id}/keys",
                path: "/2/chat/conversations/\(target.pathComponent)/keys",
                body: try KeysBody(change).json()
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            let data = try answer.data(KeysAnswer.self)
            if let answered = data.conversationID {
                let id = ConversationID(canonicalizing: WireString(answered))
                guard id == change.conversationID else {
                    throw APIError(.malformedResponse, "the answer is for another conversation")
                }
            }
            let sequenceID = data.sequenceID ?? data.keyChangeSequenceID
            return AddedKeys(
                conversationID: change.conversationID,
                sequenceID: sequenceID.map { WireString($0) }
            )
        }
    }
}

private struct KeysBody: Encodable {
    let version: String
    let participantKeys: [ParticipantKeyBody]
    let actionSignatures: [ActionSignatureBody]

    init(_ change: KeyChange) {
        version = change.version.string
        participantKeys = change.participantKeys.map { participant in
            ParticipantKeyBody(
                userID: participant.userID.string,
                encryptedConversationKey: participant.encryptedConversationKey.string,
                publicKeyVersion: participant.publicKeyVersion.string
            )
        }
        actionSignatures = [ActionSignatureBody(change.actionSignature)]
    }

    enum CodingKeys: String, CodingKey {
        case version = "conversation_key_version"
        case participantKeys = "conversation_participant_keys"
        case actionSignatures = "action_signatures"
    }
}

private struct ParticipantKeyBody: Encodable {
    let userID: String
    let encryptedConversationKey: String
    let publicKeyVersion: String

    enum CodingKeys: String, CodingKey {
        case userID = "user_id"
        case encryptedConversationKey = "encrypted_conversation_key"
        case publicKeyVersion = "public_key_version"
    }
}

private struct ActionSignatureBody: Encodable {
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

    /// `signature_payload` is left out: the signed text of a key change contains the key in plaintext.
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

private struct KeysAnswer: Decodable {
    let conversationID: String?
    let sequenceID: String?
    let keyChangeSequenceID: String?

    enum CodingKeys: String, CodingKey {
        case conversationID = "conversation_id"
        case sequenceID = "sequence_id"
        case keyChangeSequenceID = "conversation_key_change_sequence_id"
    }
}
