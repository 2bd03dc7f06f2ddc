public import Foundation
public import XChatEvents

/// A subscription of the app to one kind of event of one user.
public struct ActivitySubscription: Hashable, Sendable {
    /// The server's id of the subscription.
    public let id: WireString
    /// The kind of event.
    public let kind: ActivityEvent.Kind?
    /// The user whose events are delivered.
    public let userID: UserID?
    /// A text of the caller that the server adds to every event.
    public let tag: String?
    /// The webhook that also receives the events.
    public let webhookID: WireString?
    /// When the subscription was created.
    public let createdAt: Date?
}

/// One page of the subscriptions.
public struct SubscriptionPage: Hashable, Sendable, Page {
    /// The subscriptions.
    public let subscriptions: [ActivitySubscription]
    /// The token of the next page; nil on the last one.
    public let nextToken: String?
}

extension ChatClient {
    /// Subscribes to events of a user, who must have allowed the app to read their messages.
    ///
    /// - Parameters:
    ///   - kind: The kind of event.
    ///   - userID: The user whose events to deliver.
    ///   - tag: 1 to 200 characters that the server adds to every event.
    ///   - webhookID: A webhook that also receives the events.
    /// - Returns: The subscription.
    /// - Throws: ``APIError``.
    public func subscribe(
        to kind: ActivityEvent.Kind,
        of userID: UserID,
        tag: String? = nil,
        webhookID: WireString? = nil
    ) async throws(APIError) -> ActivitySubscription {
        try await perform(
            .subscribe(to: kind, of: userID, tag: tag, webhookID: webhookID, limit: limits.answerBytes)
        )
    }

    /// Fetches one page of the subscriptions.
    ///
    /// - Parameters:
    ///   - maxResults: The most subscriptions on the page: 1 to 1000.
    ///   - paginationToken: ``SubscriptionPage/nextToken`` of the page before.
    /// - Returns: The page.
    /// - Throws: ``APIError``.
    public func subscriptions(
        maxResults: Int = 1000,
        paginationToken: String? = nil
    ) async throws(APIError) -> SubscriptionPage {
        try await perform(
            .subscriptions(maxResults: maxResults, paginationToken: paginationToken, limit: limits.answerBytes)
        )
    }

    /// The pages of the list of subscriptions.
    ///
    /// - Parameter pageSize: The most subscriptions on a page: 1 to 1000.
    /// - Returns: The pages.
    public func subscriptionPages(pageSize: Int = 1000) -> Pages<SubscriptionPage> {
        Pages { (token) async throws(APIError) in
            try await subscriptions(maxResults: pageSize, paginationToken: token)
        }
    }

    /// Changes the tag or webhook of a subscription; requires the app's token.
    ///
    /// - Parameters:
    ///   - id: The server's id of the subscription: 1 to 64 letters, digits and hyphens.
    ///   - tag: The new tag; nil leaves it unchanged.
    ///   - webhookID: The new webhook; nil leaves it unchanged.
    /// - Returns: The changed subscription.
    /// - Throws: ``APIError``.
    public func updateSubscription(
        _ id: WireString,
        tag: String? = nil,
        webhookID: WireString? = nil
    ) async throws(APIError) -> ActivitySubscription {
        try await perform(.updateSubscription(id, tag: tag, webhookID: webhookID, limit: limits.answerBytes))
    }

    /// Deletes a subscription; requires the app's token.
    ///
    /// - Parameter id: The server's id of the subscription: 1 to 64 letters, digits and hyphens.
    /// - Throws: ``APIError``.
    public func unsubscribe(_ id: WireString) async throws(APIError) {
        try await perform(.unsubscribe(id, limit: limits.answerBytes))
    }

    /// Deletes several subscriptions; requires the app's token.
    ///
    /// - Parameter ids: 1 to 100 ids of subscriptions.
    /// - Returns: The ids of the deleted subscriptions; the server did not know the others.
    /// - Throws: ``APIError``.
    public func unsubscribe(all ids: [WireString]) async throws(APIError) -> [WireString] {
        try await perform(.unsubscribe(all: ids, limit: limits.answerBytes))
    }
}

private let route = "/2/activity/subscriptions"
private let routeOfOne = "/2/activity/subscriptions/{subscription_id}"

extension WireString {
    fileprivate func subscriptionIDPathComponent() throws(APIError) -> String {
        guard (1...64).contains(utf8.count),
            utf8.allSatisfy({
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
            })
        else {
            throw APIError(
                .invalidArgument,
                "the subscription id \(printable(self)) is not 1 to 64 ASCII letters, digits and hyphens"
            )
        }
        return string
    }
}

extension Call<ActivitySubscription> {
    /// The call `POST /2/activity/subscriptions`.
    static func subscribe(
        to kind: ActivityEvent.Kind,
        of userID: UserID,
        tag: String?,
        webhookID: WireString?,
        limit: Int
    ) throws(APIError) -> Self {
        let body = SubscribeBody(
            eventType: kind.rawValue,
            filter: ["user_id": try userID.userIDPathComponent()],
            tag: tag,
            webhookID: webhookID?.string
        )
        return Call(
            request: APIRequest(
                method: .post,
                route: route,
                path: route,
                body: try body.json(),
                isRepeatable: false
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            let subscription = try answer.data(SubscriptionAnswer.self).subscription
            guard subscription.kind ?? kind == kind, subscription.userID ?? userID == userID else {
                throw APIError(.malformedResponse, "the answer is for another subscription")
            }
            return subscription
        }
    }

    /// The call `PUT /2/activity/subscriptions/{subscription_id}`.
    static func updateSubscription(
        _ id: WireString,
        tag: String?,
        webhookID: WireString?,
        limit: Int
    ) throws(APIError) -> Self {
        Call(
            request: APIRequest(
                method: .put,
                route: routeOfOne,
                path: "\(route)/\(try id.subscriptionIDPathComponent())",
                body: try UpdateBody(tag: tag, webhookID: webhookID?.string).json()
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            let subscription = try answer.data(SubscriptionAnswer.self).subscription
            guard subscription.id == id else {
                throw APIError(.malformedResponse, "the answer is for another subscription")
            }
            return subscription
        }
    }
}

extension Call<SubscriptionPage> {
    /// The call `GET /2/activity/subscriptions`.
    static func subscriptions(maxResults: Int, paginationToken: String?, limit: Int) throws(APIError) -> Self {
        guard (1...1000).contains(maxResults) else {
            throw APIError(.invalidArgument, "maxResults must be 1 to 1000, not \(maxResults)")
        }
        var query = [(name: "max_results", value: String(maxResults))]
        if let paginationToken { query.append(("pagination_token", paginationToken)) }
        return Call(
            request: APIRequest(method: .get, route: route, path: route, query: query),
            limit: limit
        ) { (answer) throws(APIError) in
            let page = try answer.page(of: SubscriptionItem.self)
            return SubscriptionPage(
                subscriptions: page.elements.map(\.subscription),
                nextToken: page.nextToken
            )
        }
    }
}

extension Call<Void> {
    /// The call `DELETE /2/activity/subscriptions/{subscription_id}`.
    static func unsubscribe(_ id: WireString, limit: Int) throws(APIError) -> Self {
        Call(
            request: APIRequest(
                method: .delete,
                route: routeOfOne,
                path: "\(route)/\(try id.subscriptionIDPathComponent())"
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            guard try answer.data(DeletedAnswer.self).deleted else {
                throw APIError(.refused, "the server accepted the call but deleted nothing")
            }
        }
    }
}

extension Call<[WireString]> {
    /// The call `DELETE /2/activity/subscriptions?ids=`.
    static func unsubscribe(all ids: [WireString], limit: Int) throws(APIError) -> Self {
        guard (1...100).contains(ids.count) else {
            throw APIError(.invalidArgument, "one call deletes 1 to 100 subscriptions, not \(ids.count)")
        }
        let names = try ids.map { (id) throws(APIError) in try id.subscriptionIDPathComponent() }
        return Call(
            request: APIRequest(
                method: .delete,
                route: route,
                path: route,
                query: [("ids", names.joined(separator: ","))]
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            // `errors` lists unknown subscriptions; the call is a success even so.
            let items = try answer.dataDespiteErrors([DeletedItem].self) ?? []
            let deleted = items.filter { $0.deleted ?? false }.map { WireString($0.id) }
            guard Set(ids).isSuperset(of: deleted) else {
                throw APIError(.malformedResponse, "the answer is for other subscriptions")
            }
            return deleted
        }
    }
}

private struct SubscribeBody: Encodable {
    let eventType: String
    let filter: [String: String]
    let tag: String?
    let webhookID: String?

    enum CodingKeys: String, CodingKey {
        case eventType = "event_type"
        case filter, tag
        case webhookID = "webhook_id"
    }
}

private struct UpdateBody: Encodable {
    let tag: String?
    let webhookID: String?

    enum CodingKeys: String, CodingKey {
        case tag
        case webhookID = "webhook_id"
    }
}

private struct DeletedItem: Decodable {
    let id: String
    let deleted: Bool?

    enum CodingKeys: String, CodingKey {
        case id = "subscription_id"
        case deleted
    }
}

/// X's specifications disagree on `data`: an object with the member `subscription`, the subscription itself, or a list
/// that contains it.
private struct SubscriptionAnswer: Decodable {
    let subscription: ActivitySubscription

    private enum CodingKeys: CodingKey { case subscription }

    init(from decoder: any Decoder) throws {
        if let members = try? decoder.container(keyedBy: CodingKeys.self), members.contains(.subscription) {
            subscription = try members.decode(SubscriptionItem.self, forKey: .subscription).subscription
        } else if var list = try? decoder.unkeyedContainer() {
            subscription = try list.decode(SubscriptionItem.self).subscription
        } else {
            subscription = try SubscriptionItem(from: decoder).subscription
        }
    }
}

private struct SubscriptionItem: Decodable {
    struct Filter: Decodable {
        let userID: String?

        enum CodingKeys: String, CodingKey {
            case userID = "user_id"
        }
    }

    let subscription: ActivitySubscription

    enum CodingKeys: String, CodingKey {
        case id = "subscription_id"
        case eventType = "event_type"
        case filter, tag
        case webhookID = "webhook_id"
        case createdAt = "created_at"
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        subscription = ActivitySubscription(
            id: WireString(try members.decode(String.self, forKey: .id)),
            kind: try members.decodeIfPresent(String.self, forKey: .eventType).map { .init(rawValue: $0) },
            userID: try members.decodeIfPresent(Filter.self, forKey: .filter)?.userID.map { UserID($0) },
            tag: try members.decodeIfPresent(String.self, forKey: .tag),
            webhookID: try members.decodeIfPresent(String.self, forKey: .webhookID).map { WireString($0) },
            createdAt: try members.decodeIfPresent(String.self, forKey: .createdAt).flatMap(Date.init(served:))
        )
    }
}
