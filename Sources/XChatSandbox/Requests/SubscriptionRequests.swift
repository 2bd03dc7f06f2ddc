import XChatEvents

/// The call `POST /2/activity/subscriptions`.
struct SubscriptionRequest: ClosedRequest {
    static let members: Set = ["event_type", "filter", "tag", "webhook_id"]

    struct Filter: Decodable {
        let userID: String?
        let direction: String?
        let keyword: String?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case userID = "user_id"
            case direction
            case keyword
        }

        init(from decoder: any Decoder) throws {
            let names = try decoder.singleValueContainer().decode([String: String].self).keys
            guard names.allSatisfy({ CodingKeys(rawValue: $0) != nil }) else {
                throw Problem.invalidRequest("The filter has a member that it does not accept.", parameter: "filter")
            }
            let container = try decoder.container(keyedBy: CodingKeys.self)
            userID = try container.decodeIfPresent(String.self, forKey: .userID)
            direction = try container.decodeIfPresent(String.self, forKey: .direction)
            keyword = try container.decodeIfPresent(String.self, forKey: .keyword)
            guard direction.map({ ["inbound", "outbound"].contains($0) }) ?? true else {
                throw Problem.invalidRequest("A direction is inbound or outbound.", parameter: "filter.direction")
            }
        }
    }

    let eventType: String
    let filter: Filter
    let tag: String?
    let webhookID: String?

    private enum CodingKeys: String, CodingKey {
        case eventType = "event_type"
        case filter
        case tag
        case webhookID = "webhook_id"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        eventType = try container.decode(String.self, forKey: .eventType)
        filter = try container.decode(Filter.self, forKey: .filter)
        tag = try container.decodeIfPresent(String.self, forKey: .tag)
        webhookID = try container.decodeIfPresent(String.self, forKey: .webhookID)
        try check(tag: tag, webhookID: webhookID)
    }

    private static let types: Set = [
        "chat.received", "chat.sent", "chat.conversation.join", "chat.conversation.member_added",
        "chat.conversation.member_removed", "chat.conversation.admin_added", "chat.conversation.admin_removed",
        "chat.update.group_name", "chat.update.restrictions",
    ]

    /// The type's canonical name.
    ///
    /// Only chat events are supported.
    func canonicalType() throws(Problem) -> String {
        let type = eventType == "chat.conversation_join" ? "chat.conversation.join" : eventType
        guard Self.types.contains(type) else {
            throw .invalidRequest("This is not a type of chat event.", parameter: "event_type")
        }
        return type
    }
}

/// The call `PUT /2/activity/subscriptions/{subscription_id}`.
struct SubscriptionUpdateRequest: ClosedRequest {
    static let members: Set = ["tag", "webhook_id"]

    let tag: String?
    let webhookID: String?

    private enum CodingKeys: String, CodingKey {
        case tag
        case webhookID = "webhook_id"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        tag = try container.decodeIfPresent(String.self, forKey: .tag)
        webhookID = try container.decodeIfPresent(String.self, forKey: .webhookID)
        try check(tag: tag, webhookID: webhookID)
    }
}

private func check(tag: String?, webhookID: String?) throws(Problem) {
    guard tag.map({ (1...200).contains($0.unicodeScalars.count) }) ?? true else {
        throw .invalidRequest("A tag has 1 to 200 characters.", parameter: "tag")
    }
    guard webhookID.map({ WireString($0).isShortNumber }) ?? true else {
        throw .invalidRequest("A webhook id has 1 to 19 digits.", parameter: "webhook_id")
    }
}
