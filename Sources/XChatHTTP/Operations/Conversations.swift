public import Foundation
public import XChatEvents

/// A conversation as the server lists it.
///
/// The description is not verified, so a server could name users who are not members of the group. Take the members
/// from the group's verified events.
public struct ListedConversation: Hashable, Sendable {
    /// The id as the server writes it: two user ids joined by `-`, or a group id.
    public let id: WireString?
    /// `direct` or `group`; later versions of the API may add others.
    public let type: String?
    /// The administrators of a group.
    public fileprivate(set) var adminIDs: [UserID]?
    /// The members of a group.
    public fileprivate(set) var memberIDs: [UserID]?
    /// The two participants of a direct conversation.
    public fileprivate(set) var participantIDs: [UserID]?
    /// The title, or the base64 of a title that is encrypted with the conversation key.
    public let groupName: String?
    /// The URL of the avatar, or the base64 of a URL that is encrypted with the conversation key.
    public let groupAvatarURL: String?
    /// Whether the user muted the conversation.
    public let isMuted: Bool?
    /// The milliseconds after which messages are deleted.
    public let messageTTLMsec: Int64?
    /// Whether clients should prevent screenshots.
    public let screenCaptureBlockingEnabled: Bool?
    /// Whether clients should report screenshots.
    public let screenCaptureDetectionEnabled: Bool?
    /// When the conversation was created.
    public let createdAt: Date?
    /// When the conversation last changed.
    public let updatedAt: Date?
}

/// One page of the user's conversations.
public struct ConversationPage: Hashable, Sendable, Page {
    /// The conversations, newest first.
    public let conversations: [ListedConversation]
    /// The token of the next, older page; nil on the last one.
    public let nextToken: String?
    /// Whether there are message requests: conversations that the user has not accepted.
    public let hasMessageRequests: Bool?
    /// The errors that the server reports together with the page, for entries that it left out.
    public let problems: [APIError]
}

extension ChatClient {
    /// Fetches one page of the user's conversations, newest first.
    ///
    /// - Parameters:
    ///   - maxResults: 1 to 100 conversations.
    ///   - paginationToken: ``ConversationPage/nextToken`` of the page before; nil for the newest page.
    /// - Returns: The page.
    /// - Throws: ``APIError``.
    public func conversations(
        maxResults: Int = 100,
        paginationToken: String? = nil
    ) async throws(APIError) -> ConversationPage {
        try await perform(
            .conversations(maxResults: maxResults, paginationToken: paginationToken, limit: limits.pageBytes)
        )
    }

    /// Fetches one conversation.
    ///
    /// - Parameter target: The conversation.
    /// - Returns: The conversation as the server describes it.
    /// - Throws: ``APIError``.
    public func conversation(_ target: ConversationTarget) async throws(APIError) -> ListedConversation {
        try await perform(.conversation(target, limit: limits.answerBytes))
    }
}

extension Call<ConversationPage> {
    /// The call `GET /2/chat/conversations`.
    static func conversations(maxResults: Int, paginationToken: String?, limit: Int) throws(APIError) -> Self {
        guard (1...100).contains(maxResults) else {
            throw APIError(.invalidArgument, "maxResults must be 1 to 100, not \(maxResults)")
        }
        var query = [(name: "max_results", value: String(maxResults))] + ConversationItem.query
        if let paginationToken { query.append(("pagination_token", paginationToken)) }
        return Call(
            request: APIRequest(
                method: .get,
                route: "/2/chat/conversations",
                path: "/2/chat/conversations",
                query: query
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            let page = try answer.page(of: ConversationItem.self, meta: ConversationsMeta.self)
            var conversations: [ListedConversation] = []
            for (index, item) in page.elements.enumerated() {
                conversations.append(try item.conversation(in: answer, "data[\(index)]"))
            }
            return ConversationPage(
                conversations: conversations,
                nextToken: page.nextToken,
                hasMessageRequests: page.meta?.hasMessageRequests,
                problems: page.errors
            )
        }
    }
}

extension Call<ListedConversation> {
    /// The call `GET /2/chat/conversations/{id}`.
    static func conversation(_ target: ConversationTarget, limit: Int) -> Self {
        Call(
            request: APIRequest(
                method: .get,
                route: "/2/chat/conversations/{id}",
                path: "/2/chat/conversations/\(target.pathComponent)",
                query: ConversationItem.query
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            let conversation = try answer.data(ConversationItem.self).conversation(in: answer, "data")
            if let id = conversation.id, !target.mayBe(id) {
                throw APIError(.malformedResponse, "the answer is for another conversation")
            }
            return conversation
        }
    }
}

private struct ConversationsMeta: Decodable {
    let hasMessageRequests: Bool?

    enum CodingKeys: String, CodingKey {
        case hasMessageRequests = "has_message_requests"
    }
}

private struct ConversationItem: Decodable {
    private let adminIDs: PeopleList?
    private let memberIDs: PeopleList?
    private let participantIDs: PeopleList?
    /// The conversation without its lists of users, whose ids are not checked yet.
    private let rest: ListedConversation

    /// The conversation; throws if an id in its lists of users is malformed.
    func conversation(in answer: Success, _ place: String) throws(APIError) -> ListedConversation {
        var conversation = rest
        conversation.adminIDs = try answer.people(adminIDs, "\(place).admin_ids")
        conversation.memberIDs = try answer.people(memberIDs, "\(place).member_ids")
        conversation.participantIDs = try answer.people(participantIDs, "\(place).participant_ids")
        return conversation
    }

    /// The query that asks for all data.
    ///
    /// The lists of users are requested as expansions, not as fields.
    static let query = [
        (
            name: "chat_conversation.fields",
            value: "created_at,group_avatar_url,group_name,id,is_muted,message_ttl_ms,screen_capture_blocking_enabled,"
                + "screen_capture_detection_enabled,type,updated_at"
        ),
        (name: "expansions", value: "admin_ids,member_ids,participant_ids"),
    ]

    enum CodingKeys: String, CodingKey {
        case id, type
        case adminIDs = "admin_ids"
        case memberIDs = "member_ids"
        case participantIDs = "participant_ids"
        case groupName = "group_name"
        case groupAvatarURL = "group_avatar_url"
        case isMuted = "is_muted"
        case messageTTL = "message_ttl_ms"
        case olderMessageTTL = "message_ttl_msec"
        case screenCaptureBlockingEnabled = "screen_capture_blocking_enabled"
        case screenCaptureDetectionEnabled = "screen_capture_detection_enabled"
        case createdAt = "created_at"
        case olderCreatedAt = "created_at_msec"
        case updatedAt = "updated_at"
        case olderUpdatedAt = "updated_at_msec"
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        func text(_ key: CodingKeys) throws -> String? { try members.decodeIfPresent(String.self, forKey: key) }
        func flag(_ key: CodingKeys) throws -> Bool? { try members.decodeIfPresent(Bool.self, forKey: key) }
        func people(_ key: CodingKeys) throws -> PeopleList? {
            try members.decodeIfPresent(PeopleList.self, forKey: key)
        }
        /// A number, or a string of digits: servers send this member as either.
        func number(_ key: CodingKeys) throws -> Int64? {
            if let number = try? members.decodeIfPresent(Int64.self, forKey: key) { return number }
            return try text(key).flatMap { Int64($0) }
        }
        func time(_ key: CodingKeys, _ older: CodingKeys) throws -> Date? {
            if let text = try text(key), let date = Date(served: text) { return date }
            return try number(older).map { Date(timeIntervalSince1970: Double($0) / 1000) }
        }
        adminIDs = try people(.adminIDs)
        memberIDs = try people(.memberIDs)
        participantIDs = try people(.participantIDs)
        rest = ListedConversation(
            id: try text(.id).map { WireString($0) },
            type: try text(.type),
            adminIDs: nil,
            memberIDs: nil,
            participantIDs: nil,
            groupName: try text(.groupName),
            groupAvatarURL: try text(.groupAvatarURL),
            isMuted: try flag(.isMuted),
            messageTTLMsec: try number(.messageTTL) ?? number(.olderMessageTTL),
            screenCaptureBlockingEnabled: try flag(.screenCaptureBlockingEnabled),
            screenCaptureDetectionEnabled: try flag(.screenCaptureDetectionEnabled),
            createdAt: try time(.createdAt, .olderCreatedAt),
            updatedAt: try time(.updatedAt, .olderUpdatedAt)
        )
    }
}

extension Date {
    /// Reads a date in ISO 8601 format, with or without fractions of a second.
    init?(served text: String) {
        let forms = [Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true)]
        guard let date = forms.lazy.compactMap({ try? Date(text, strategy: $0) }).first else { return nil }
        self = date
    }
}
