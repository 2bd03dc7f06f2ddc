import Foundation
import GRDB
import XChatEvents

/// A subscription of the app to one kind of event of one user.
struct Subscription: Sendable {
    let id: Int64
    let eventType: String
    /// The user whose events are delivered.
    let user: UserID
    let createdAt: Int64
    var updatedAt: Int64
    var direction: String?
    var keyword: String?
    var tag: String?
    var webhook: String?

    var json: JSON {
        .members([
            "subscription_id": .string(String(id)),
            "event_type": .string(eventType),
            "filter": filter,
            "tag": tag.map(JSON.string),
            "webhook_id": webhook.map(JSON.string),
            "created_at": dateText(milliseconds: createdAt),
            "updated_at": dateText(milliseconds: updatedAt),
        ])
    }

    var filter: JSON {
        .members([
            "user_id": .string(user.string), "direction": direction.map(JSON.string),
            "keyword": keyword.map(JSON.string),
        ])
    }
}

extension Subscription {
    fileprivate init(_ row: Row) {
        id = row["id"]
        eventType = row["event_type"]
        user = UserID(row["user"])
        createdAt = row["created_at"]
        updatedAt = row["updated_at"]
        direction = row["direction"]
        keyword = (row["keyword"] as Data?).map { String(decoding: $0, as: UTF8.self) }
        tag = (row["tag"] as Data?).map { String(decoding: $0, as: UTF8.self) }
        webhook = row["webhook"]
    }
}

extension SandboxState {
    /// The most subscriptions of a self-serve app.
    private static let maximumSubscriptions = 1500

    func subscribe(_ request: SubscriptionRequest, by caller: Caller) async throws -> Subscription {
        guard let user = request.filter.userID.flatMap({ UserID(validating: $0) }) else {
            throw Problem.invalidRequest("filter.user_id must be the id of a user.", parameter: "filter.user_id")
        }
        // Chat events are private: a user can subscribe only to their own.
        if case .user(let id) = caller, id != user {
            throw Problem.forbidden("You can only subscribe to your own chat events.", resourceType: "user")
        }
        let now = Self.milliseconds()
        let subscription = Subscription(
            id: nextSequenceID(),
            eventType: try request.canonicalType(),
            user: user,
            createdAt: now,
            updatedAt: now,
            direction: request.filter.direction,
            keyword: request.filter.keyword,
            tag: request.tag,
            webhook: request.webhookID
        )
        try await database.write { db in
            let count = try Self.count(db)
            guard count < Self.maximumSubscriptions else {
                throw Problem.invalidRequest("The app has the maximum number of subscriptions: delete one first.")
            }
            try db.execute(
                sql: """
                    INSERT INTO subscription
                        (id, event_type, user, created_at, updated_at, direction, keyword, tag, webhook)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    subscription.id, subscription.eventType, user.string, now, now, subscription.direction,
                    subscription.keyword.map { Data($0.utf8) }, subscription.tag.map { Data($0.utf8) },
                    subscription.webhook,
                ]
            )
        }
        return subscription
    }

    /// The subscriptions of a caller, newest first: all of them for the app, only the user's own for a user.
    func subscriptions(
        of caller: Caller,
        query: PageQuery
    ) async throws -> (page: [Subscription], next: Int64?) {
        let user: String? = if case .user(let id) = caller { id.string } else { nil }
        return try await database.read { db in
            let found = try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM subscription WHERE id < ? AND (? IS NULL OR user = ?) ORDER BY id DESC LIMIT ?
                    """,
                arguments: [query.before ?? .max, user, user, query.maxResults + 1]
            ).map { Subscription($0) }
            let page = Array(found.prefix(query.maxResults))
            return (page, found.count > page.count ? page.last?.id : nil)
        }
    }

    /// The subscriptions to a type of event of a user.
    func subscriptions(to eventType: String, of user: UserID, _ db: Database) throws -> [Subscription] {
        try Row.fetchAll(
            db,
            sql: "SELECT * FROM subscription WHERE event_type = ? AND user = ? ORDER BY id",
            arguments: [eventType, user.string]
        ).map { Subscription($0) }
    }

    func update(
        _ request: SubscriptionUpdateRequest,
        subscription id: Int64
    ) async throws -> (subscription: Subscription, total: Int) {
        try await database.write { db in
            let row = try Row.fetchOne(db, sql: "SELECT * FROM subscription WHERE id = ?", arguments: [id])
            guard var subscription = row.map({ Subscription($0) }) else { throw Problem.unknownSubscription }
            subscription.tag = request.tag ?? subscription.tag
            subscription.webhook = request.webhookID ?? subscription.webhook
            subscription.updatedAt = Self.milliseconds()
            try db.execute(
                sql: "UPDATE subscription SET tag = ?, webhook = ?, updated_at = ? WHERE id = ?",
                arguments: [
                    subscription.tag.map { Data($0.utf8) }, subscription.webhook, subscription.updatedAt, id,
                ]
            )
            return (subscription, try Self.count(db))
        }
    }

    /// Deletes subscriptions; returns the ids that existed, and the number of subscriptions that are left.
    func unsubscribe(_ ids: [Int64]) async throws -> (deleted: Set<Int64>, total: Int) {
        try await database.write { db in
            var deleted: Set<Int64> = []
            for id in ids {
                try db.execute(sql: "DELETE FROM subscription WHERE id = ?", arguments: [id])
                if db.changesCount > 0 { deleted.insert(id) }
            }
            return (deleted, try Self.count(db))
        }
    }

    private static func count(_ db: Database) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM subscription") ?? 0
    }
}

extension Problem {
    static let unknownSubscription = notFound(
        "No such subscription.",
        parameter: "subscription_id",
        resourceType: "subscription"
    )
}
