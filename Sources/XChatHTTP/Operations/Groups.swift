public import XChatEngine
public import XChatEvents

/// The answer to adding members to a group.
public struct AddedMembers: Hashable, Sendable {
    /// The sequence id of the key change event; nil if the answer does not contain it.
    public let keyChangeSequenceID: SequenceID?
    /// The members of the group now, unverified; nil if the answer does not list them.
    public let currentMemberIDs: [UserID]?
}

extension ChatClient {
    /// Asks the server for the id of a new group.
    ///
    /// - Returns: `g` and digits. The group itself does not exist yet.
    /// - Throws: ``APIError``.
    public func initializeGroup() async throws(APIError) -> ConversationID {
        try await perform(.initializeGroup(limit: limits.answerBytes))
    }

    /// Creates a group under the id from ``initializeGroup()``.
    ///
    /// Members, administrators, title, avatar and ttl are taken from the signed event, because the server compares the
    /// request with the event byte for byte.
    /// - Parameters:
    ///   - change: The prepared group. Its plaintext key is not sent.
    ///   - description: A description of the group, neither signed nor encrypted.
    /// - Returns: The group, and the sequence id of its key change event.
    /// - Throws: ``APIError``; `invalid_argument` if the change is of another kind.
    public func createGroup(
        _ change: GroupKeyChange,
        description: String? = nil
    ) async throws(APIError) -> AddedKeys {
        try await perform(.createGroup(change, description: description, limit: limits.answerBytes))
    }

    /// Adds members to a group and gives all members a new key.
    ///
    /// - Parameter change: The prepared change. Its plaintext key is not sent.
    /// - Returns: The group as the server describes it now.
    /// - Throws: ``APIError``; `invalid_argument` if the change is of another kind.
    public func addMembers(_ change: GroupKeyChange) async throws(APIError) -> AddedMembers {
        try await perform(.addMembers(change, limit: limits.answerBytes))
    }
}

extension Call<ConversationID> {
    /// The call `POST /2/chat/conversations/group/initialize`.
    static func initializeGroup(limit: Int) throws(APIError) -> Self {
        Call(
            request: APIRequest(
                method: .post,
                route: "/2/chat/conversations/group/initialize",
                path: "/2/chat/conversations/group/initialize",
                body: try [String: String]().json()
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            let text = try answer.data(GroupAnswer.self).conversationID
            let id = ConversationID(canonicalizing: WireString(text))
            guard id.isGroup else {
                let rule = "g and 1 to \(EventLimits.digits) digits"
                throw APIError(.malformedResponse, "data.conversation_id \(answer.quoted(text)) is not \(rule)")
            }
            return id
        }
    }
}

extension Call<AddedKeys> {
    /// The call `POST /2/chat/conversations/group`.
    static func createGroup(
        _ change: GroupKeyChange,
        description: String?,
        limit: Int
    ) throws(APIError) -> Self {
        guard case .groupChangeEvent(let event) = change.event.detail, case .groupCreate(let group) = event.groupChange,
            let members = group.memberIDs
        else {
            throw APIError(.invalidArgument, "the change does not create a group")
        }
        let id = change.keyChange.conversationID
        let body = GroupBody(
            conversationID: id.string,
            keyVersion: change.keyChange.version.string,
            participantKeys: change.keyChange.participantKeys.map(ParticipantKeyBody.init),
            members: members.map(\.string),
            admins: group.adminIDs?.map(\.string),
            name: group.title?.string,
            avatarURL: group.avatarURL?.string,
            description: description,
            ttlMsec: group.ttlMsec.map { String($0) },
            actionSignatures: change.actionSignatures.map(ActionSignatureBody.init)
        )
        return Call(
            request: APIRequest(
                method: .post,
                route: "/2/chat/conversations/group",
                path: "/2/chat/conversations/group",
                body: try body.json(),
                isRepeatable: false
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            let data = try answer.data(GroupAnswer.self)
            guard ConversationID(canonicalizing: WireString(data.conversationID)) == id else {
                throw APIError(.malformedResponse, "the answer is for another conversation")
            }
            let member = "data.conversation_key_change_sequence_id"
            return AddedKeys(
                conversationID: id,
                sequenceID: try answer.number(ifPresent: data.keyChangeSequenceID, member)
            )
        }
    }
}

extension Call<AddedMembers> {
    /// The call `POST /2/chat/conversations/{id}/members`.
    static func addMembers(_ change: GroupKeyChange, limit: Int) throws(APIError) -> Self {
        guard case .groupChangeEvent(let event) = change.event.detail,
            case .groupMemberAdd(let addition) = event.groupChange, let members = addition.memberIDs
        else {
            throw APIError(.invalidArgument, "the change does not add members")
        }
        let target = try ConversationTarget(change.keyChange.conversationID)
        let body = MembersBody(
            members: members.map(\.string),
            keyVersion: change.keyChange.version.string,
            participantKeys: change.keyChange.participantKeys.map(ParticipantKeyBody.init),
            title: addition.currentTitle?.string,
            avatarURL: addition.currentAvatarURL?.string,
            actionSignatures: change.actionSignatures.map(ActionSignatureBody.init)
        )
        return Call(
            request: APIRequest(
                method: .post,
                route: "/2/chat/conversations/{id}/members",
                path: "/2/chat/conversations/\(target.pathComponent)/members",
                body: try body.json(),
                isRepeatable: false
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            // X's two specifications disagree: the members are in the body itself, or in `data`.
            let answered = try answer.dataOrBody(MembersAnswer.self)
            let current = try answer.people(answered.currentMemberIDs, "current_member_ids")
            if let current, !Set(current).isSuperset(of: members) {
                throw APIError(.malformedResponse, "current_member_ids does not contain all added members")
            }
            return AddedMembers(
                keyChangeSequenceID: try answer.number(
                    ifPresent: answered.keyChangeSequenceID,
                    "conversation_key_change_sequence_id"
                ),
                currentMemberIDs: current
            )
        }
    }
}

private struct GroupBody: Encodable {
    let conversationID: String
    let keyVersion: String
    let participantKeys: [ParticipantKeyBody]
    let members: [String]
    let admins: [String]?
    let name: String?
    let avatarURL: String?
    let description: String?
    let ttlMsec: String?
    let actionSignatures: [ActionSignatureBody]

    enum CodingKeys: String, CodingKey {
        case conversationID = "conversation_id"
        case keyVersion = "conversation_key_version"
        case participantKeys = "conversation_participant_keys"
        case members = "group_members"
        case admins = "group_admins"
        case name = "group_name"
        case avatarURL = "group_avatar_url"
        case description = "group_description"
        case ttlMsec = "ttl_msec"
        case actionSignatures = "action_signatures"
    }
}

private struct MembersBody: Encodable {
    let members: [String]
    let keyVersion: String
    let participantKeys: [ParticipantKeyBody]
    let title: String?
    let avatarURL: String?
    let actionSignatures: [ActionSignatureBody]

    enum CodingKeys: String, CodingKey {
        case members = "user_ids"
        case keyVersion = "conversation_key_version"
        case participantKeys = "conversation_participant_keys"
        case title = "encrypted_title"
        case avatarURL = "encrypted_avatar_url"
        case actionSignatures = "action_signatures"
    }
}

private struct GroupAnswer: Decodable {
    let conversationID: String
    let keyChangeSequenceID: String?

    enum CodingKeys: String, CodingKey {
        case conversationID = "conversation_id"
        case keyChangeSequenceID = "conversation_key_change_sequence_id"
    }
}

private struct MembersAnswer: Decodable {
    let keyChangeSequenceID: String?
    let currentMemberIDs: PeopleList?

    enum CodingKeys: String, CodingKey {
        case keyChangeSequenceID = "conversation_key_change_sequence_id"
        case currentMemberIDs = "current_member_ids"
    }
}
