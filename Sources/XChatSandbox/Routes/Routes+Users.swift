import Hummingbird
import XChatEvents

extension Routes {
    /// The names that `user.fields` accepts.
    ///
    /// The sandbox stores only the id, the name and the handle of a user.
    private static let userFields: Set = [
        "affiliation", "confirmed_email", "connection_status", "created_at", "description", "entities", "id",
        "is_identity_verified", "location", "most_recent_post_id", "name", "parody", "pinned_post_id",
        "profile_banner_url", "profile_image_url", "protected", "public_metrics", "receives_your_dm", "subscription",
        "subscription_type", "url", "username", "verified", "verified_followers_count", "verified_type", "withheld",
    ]

    func addUsers(to router: Router<SandboxContext>) {
        router.get("/2/users/me") { request, _ in
            let id = try request.user()
            try checkUserFields(request)
            let users = try await state.users([id], caller: id)
            return try Response.json(.members(["data": users.first??.item]))
        }
        router.get("/2/users") { request, _ in
            let caller = try Caller(request).userID
            try checkUserFields(request)
            let ids = try list(request, "ids", "user ids") { UserID(validating: $0) != nil }
            let found = try await state.users(ids.map { UserID($0) }, caller: caller)
            return try Self.answer(asked: ids, found, "ids")
        }
        router.get("/2/users/by") { request, _ in
            let caller = try Caller(request).userID
            try checkUserFields(request)
            let handles = try list(request, "usernames", "usernames", SandboxUser.isHandle)
            return try Self.answer(asked: handles, try await state.users(handles: handles, caller: caller), "usernames")
        }
        router.get("/2/users/by/username/{username}") { request, context in
            let caller = try Caller(request).userID
            try checkUserFields(request)
            let handle = context.parameters.get("username") ?? ""
            guard SandboxUser.isHandle(handle) else {
                throw Problem.invalidRequest("A username has 1 to 15 letters, digits and _.", parameter: "username")
            }
            guard let user = try await state.users(handles: [handle], caller: caller).first ?? nil else {
                throw Problem.notFound("No user has this username.", parameter: "username", resourceType: "user")
            }
            return try Response.data(user.item)
        }
        router.get("/2/users/{id}") { request, context in
            let caller = try Caller(request).userID
            try checkUserFields(request)
            guard let user = try await state.users([try context.userID()], caller: caller).first ?? nil else {
                throw Problem.notFound("No such user.", parameter: "id", resourceType: "user")
            }
            return try Response.data(user.item)
        }
    }

    private func checkUserFields(_ request: Request) throws(Problem) {
        _ = try request.list("user.fields", of: Self.userFields)
    }

    private func list(
        _ request: Request,
        _ name: Substring,
        _ what: String,
        _ isValid: (String) -> Bool
    ) throws(Problem) -> [String] {
        let elements = (request.query(name) ?? "").split(separator: ",", omittingEmptySubsequences: false)
            .map(String.init)
        guard (1...100).contains(elements.count), elements.allSatisfy(isValid) else {
            throw .invalidRequest("\(name) must be 1 to 100 \(what) separated by commas.", parameter: String(name))
        }
        return elements
    }

    /// Makes an answer with each user that was found, once, and an error for each value that was not found.
    private static func answer(asked: [String], _ found: [SandboxUser?], _ parameter: String) throws -> Response {
        var data: [SandboxUser] = []
        var errors: [JSON] = []
        for (value, user) in zip(asked, found) {
            guard let user else {
                errors.append(notFound(value, parameter))
                continue
            }
            if !data.contains(user) { data.append(user) }
        }
        return try .json(
            .members([
                "data": data.isEmpty ? nil : .list(data.map(\.item)),
                "errors": errors.isEmpty ? nil : .list(errors),
            ])
        )
    }

    private static func notFound(_ value: String, _ parameter: String) -> JSON {
        .object([
            "value": .string(value),
            "detail": .string("Could not find user with \(parameter): [\(value)]."),
            "title": "Not Found Error",
            "resource_type": "user",
            "parameter": .string(parameter),
            "resource_id": .string(value),
            "type": "https://api.x.com/2/problems/resource-not-found",
        ])
    }
}
