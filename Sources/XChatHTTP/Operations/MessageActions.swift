public import XChatEngine
public import XChatEvents

extension ChatClient {
    /// Deletes messages, for all members or for this user only.
    ///
    /// The messages, and the users for whom they are deleted, are taken from the signed action, so the call cannot
    /// contradict the signature.
    /// - Parameters:
    ///   - action: The signed action, `.deleteMessages`.
    ///   - target: The conversation for which the action was signed.
    ///   - mediaHashKeys: Media of these messages to delete as well; only with a deletion for all members.
    /// - Throws: ``APIError``; `invalid_argument` if the action is of another kind.
    public func deleteMessages(
        _ action: ActionSignature,
        in target: ConversationTarget,
        mediaHashKeys: [String] = []
    ) async throws(APIError) {
        try await perform(
            .deleteMessages(action, in: target, mediaHashKeys: mediaHashKeys, limit: limits.answerBytes)
        )
    }

    /// Marks a conversation as read.
    ///
    /// - Parameters:
    ///   - target: The conversation.
    ///   - sequenceID: The last event that the user saw.
    /// - Throws: ``APIError``.
    public func markRead(_ target: ConversationTarget, until sequenceID: SequenceID) async throws(APIError) {
        try await perform(.markRead(target, until: sequenceID, limit: limits.answerBytes))
    }

    /// Shows the other members that the user is typing.
    ///
    /// - Parameter target: The conversation.
    /// - Throws: ``APIError``.
    public func sendTyping(in target: ConversationTarget) async throws(APIError) {
        try await perform(.typing(in: target, limit: limits.answerBytes))
    }
}

extension Call<Void> {
    /// The call `POST /2/chat/conversations/{id}/messages/delete`.
    static func deleteMessages(
        _ action: ActionSignature,
        in target: ConversationTarget,
        mediaHashKeys: [String],
        limit: Int
    ) throws(APIError) -> Self {
        guard case .messageDeleteEvent(let event) = action.detail, let ids = event.sequenceIDs, !ids.isEmpty,
            let kind = event.deleteMessageAction, kind == .deleteForAll || kind == .deleteForSelf
        else {
            throw APIError(.invalidArgument, "the action does not delete messages")
        }
        guard mediaHashKeys.isEmpty || kind == .deleteForAll else {
            throw APIError(
                .invalidArgument,
                "media can only be deleted for all members; leave mediaHashKeys empty, or sign a deletion for all members"
            )
        }
        let body = DeleteBody(
            sequenceIDs: ids.map(\.string),
            action: kind == .deleteForAll ? "delete_for_all" : "delete_for_self",
            mediaHashKeys: mediaHashKeys.isEmpty ? nil : mediaHashKeys,
            actionSignatures: [ActionSignatureBody(action)]
        )
        return Call(
            request: APIRequest(
                method: .post,
                route: "/2/chat/conversations/{id}/messages/delete",
                path: "/2/chat/conversations/\(target.pathComponent)/messages/delete",
                body: try body.json()
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            guard try answer.data(DeletedAnswer.self).deleted else {
                throw APIError(.refused, "the server accepted the call but deleted nothing")
            }
        }
    }

    /// The call `POST /2/chat/conversations/{id}/read`.
    static func markRead(_ target: ConversationTarget, until sequenceID: SequenceID, limit: Int) throws(APIError)
        -> Self
    {
        guard sequenceID.isValid else {
            throw APIError(.invalidArgument, "the sequence id \(printable(sequenceID)) is not \(SequenceID.rule)")
        }
        return Call(
            request: APIRequest(
                method: .post,
                route: "/2/chat/conversations/{id}/read",
                path: "/2/chat/conversations/\(target.pathComponent)/read",
                body: try ["seen_until_sequence_id": sequenceID.string].json()
            ),
            limit: limit,
            read: requireSuccess
        )
    }

    /// The call `POST /2/chat/conversations/{id}/typing`, which has no body.
    static func typing(in target: ConversationTarget, limit: Int) -> Self {
        Call(
            request: APIRequest(
                method: .post,
                route: "/2/chat/conversations/{id}/typing",
                path: "/2/chat/conversations/\(target.pathComponent)/typing"
            ),
            limit: limit,
            read: requireSuccess
        )
    }

    @Sendable static func requireSuccess(_ answer: Success) throws(APIError) {
        guard try answer.data(SuccessAnswer.self).success else {
            throw APIError(.refused, "the server accepted the call but did nothing")
        }
    }
}

extension ActionSignature {
    /// The signed detail; nil if the bytes cannot be decoded.
    var detail: MessageEventDetail? {
        guard let bytes = try? Base64.decode(encodedMessageEventDetail) else { return nil }
        return try? MessageEventDetail.decoded(from: bytes)
    }
}

private struct DeleteBody: Encodable {
    let sequenceIDs: [String]
    let action: String
    let mediaHashKeys: [String]?
    let actionSignatures: [ActionSignatureBody]

    enum CodingKeys: String, CodingKey {
        case sequenceIDs = "sequence_ids"
        case action = "delete_message_action"
        case mediaHashKeys = "media_hash_keys"
        case actionSignatures = "action_signatures"
    }
}

struct DeletedAnswer: Decodable {
    let deleted: Bool
}
