import Foundation
import Hummingbird
import XChatEvents

extension Routes {
    func addActivity(to router: Router<SandboxContext>) {
        router.get("/2/activity/stream") { request, _ in
            try request.requireApp()
            let (start, end) = try request.activityTimes()
            let stream = try state.activity.open()
            let backfill: ActivityBackfill? = if let start { try await state.backfill(since: start) } else { nil }
            let activity = ActivityStream(
                stream: stream,
                faults: faults,
                random: state.random,
                backfill: backfill,
                end: end
            )
            return Response(
                status: .ok,
                headers: [.contentType: "application/json"],
                body: activity.body(of: request)
            )
        }
        router.post("/2/activity/subscriptions") { request, _ in
            let caller = try Caller(request)
            let body = try await SubscriptionRequest(closed: request.wholeBody())
            let subscription = try await state.subscribe(body, by: caller)
            return try Response.data(.object(["subscription": subscription.json]))
        }
        router.get("/2/activity/subscriptions") { request, _ in
            let caller = try Caller(request)
            let (page, next) = try await state.subscriptions(of: caller, query: try request.pageQuery(limit: 1000))
            return try Response.json(
                .members([
                    "data": faults.data(page.map(\.json)),
                    "meta": .members([
                        "result_count": .integer(Int64(page.count)),
                        "next_token": next.map { .string(PageToken.text(before: $0)) },
                    ]),
                ])
            )
        }
        router.put("/2/activity/subscriptions/{subscription_id}") { request, context in
            try request.requireApp()
            let (subscription, total) = try await state.update(
                SubscriptionUpdateRequest(closed: request.wholeBody()),
                subscription: try context.subscriptionID()
            )
            return try Response.data(
                .object(["subscription": subscription.json, "total_subscriptions": .integer(Int64(total))])
            )
        }
        router.delete("/2/activity/subscriptions/{subscription_id}") { request, context in
            try request.requireApp()
            let (deleted, _) = try await state.unsubscribe([try context.subscriptionID()])
            guard !deleted.isEmpty else { throw Problem.unknownSubscription }
            return try Response.data(.object(["deleted": .bool(true)]))
        }
        router.delete("/2/activity/subscriptions") { request, _ in
            try request.requireApp()
            let ids = (request.query("ids") ?? "").split(separator: ",", omittingEmptySubsequences: false)
                .map { WireString(String($0)) }
            let numbers = ids.compactMap { $0.isShortNumber ? $0.i64 : nil }
            guard (1...100).contains(ids.count), numbers.count == ids.count else {
                throw Problem.invalidRequest("ids must be 1 to 100 ids separated by commas.", parameter: "ids")
            }
            let (deleted, total) = try await state.unsubscribe(numbers)
            let missing = numbers.filter { !deleted.contains($0) }.map { id in
                JSON.object([
                    "subscription_id": .string(String(id)),
                    "reason": "not_found",
                    "message": .string(Problem.unknownSubscription.detail),
                ])
            }
            return try Response.json(
                .members([
                    "data": faults.data(
                        numbers.filter(deleted.contains).map { id in
                            .object(["subscription_id": .string(String(id)), "deleted": .bool(true)])
                        }
                    ),
                    "errors": missing.isEmpty ? nil : .list(missing),
                    "meta": .object(["total_subscriptions": .integer(Int64(total))]),
                ])
            )
        }
    }
}

extension Request {
    /// The start and the end of the requested events in milliseconds since 1970; nil to start now and never end.
    fileprivate func activityTimes() throws(Problem) -> (start: Int64?, end: Int64?) {
        var start = try time("start_time")
        if let text = query("backfill_minutes") {
            guard let minutes = WireString(text).number, minutes <= 5 else {
                throw .invalidRequest("backfill_minutes must be 0 to 5.", parameter: "backfill_minutes")
            }
            if minutes > 0 { start = start ?? SandboxState.milliseconds() - Int64(minutes) * 60_000 }
        }
        return (start, try time("end_time"))
    }

    private func time(_ name: Substring) throws(Problem) -> Int64? {
        guard let text = query(name) else { return nil }
        guard let date = try? Date(text, strategy: .iso8601) else {
            throw .invalidRequest("The time must have the format YYYY-MM-DDTHH:mm:ssZ.", parameter: String(name))
        }
        return Int64(date.timeIntervalSince1970 * 1000)
    }
}
