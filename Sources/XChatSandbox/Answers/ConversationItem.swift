import XChatEvents

/// The fields of a conversation that a request asks for.
struct ConversationFields {
    let fields: Set<String>?
    let expansions: Set<String>?

    static let names: Set = [
        "created_at", "group_avatar_url", "group_name", "id", "is_muted", "message_ttl_ms",
        "screen_capture_blocking_enabled", "screen_capture_detection_enabled", "type", "updated_at",
    ]
    static let expandable: Set = ["admin_ids", "member_ids", "participant_ids"]

    /// The users that the expansions name.
    func includes(of conversations: [Conversation], _ state: SandboxState) async throws -> JSON? {
        guard let expansions else { return nil }
        let people = conversations.flatMap { conversation in
            expansions == ["admin_ids"] ? conversation.admins : conversation.participants
        }
        let users = try await state.users(Array(Set(people)).sorted(), caller: nil)
        return .object(["users": .list(users.compactMap { $0?.item })])
    }
}

extension Conversation {
    /// The conversation as JSON of the API.
    func item(_ asked: ConversationFields) -> JSON {
        let users = members.map(\.user.string)
        let item = JSON.members([
            "id": .string(id.urlPathComponent ?? id.string),
            "type": .string(id.isGroup ? "group" : "direct"),
            "participant_ids": .strings(users),
            "member_ids": id.isGroup ? .strings(users) : nil,
            "admin_ids": id.isGroup ? .strings(members.filter(\.isAdmin).map(\.user.string)) : nil,
            "group_name": name.map(JSON.string),
            "group_avatar_url": avatar.map(JSON.string),
            "is_muted": .bool(false),
            "message_ttl_ms": ttl.map(JSON.integer),
            "screen_capture_blocking_enabled": .bool(false),
            "screen_capture_detection_enabled": .bool(false),
            "created_at": dateText(milliseconds: createdAt),
            "updated_at": dateText(milliseconds: lastEventAt),
        ])
        return item.only(asked.fields.map { $0.union(asked.expansions ?? []) })
    }
}
