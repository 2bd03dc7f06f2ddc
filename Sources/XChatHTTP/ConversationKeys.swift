import XChatEngine
public import XChatEvents

/// A key change event that the server accepted.
public struct AddedKeys: Hashable, Sendable {
    /// The canonical id of the conversation.
    public let conversationID: ConversationID
    /// The sequence id of the key change event; nil if the answer does not contain it.
    public let sequenceID: SequenceID?
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
                body: try KeysBody(change).json(),
                isRepeatable: false
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
            let keyChange: SequenceID? = try answer.number(
                ifPresent: data.keyChangeSequenceID,
                "data.conversation_key_change_sequence_id"
            )
            let sequenceID: SequenceID? = try answer.number(ifPresent: data.sequenceID, "data.sequence_id")
            guard sequenceID ?? keyChange == keyChange ?? sequenceID else {
                throw APIError(.malformedResponse, "the answer has two sequence ids for one key change")
            }
            return AddedKeys(conversationID: change.conversationID, sequenceID: sequenceID ?? keyChange)
        }
    }
}

private struct KeysBody: Encodable {
    let version: String
    let participantKeys: [ParticipantKeyBody]
    let actionSignatures: [ActionSignatureBody]

    init(_ change: KeyChange) {
        version = change.version.string
        participantKeys = change.participantKeys.map(ParticipantKeyBody.init)
        actionSignatures = [ActionSignatureBody(change.actionSignature)]
    }

    enum CodingKeys: String, CodingKey {
        case version = "conversation_key_version"
        case participantKeys = "conversation_participant_keys"
        case actionSignatures = "action_signatures"
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
