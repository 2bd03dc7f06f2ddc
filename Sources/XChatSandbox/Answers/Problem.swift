/// A refusal, sent as a problem (RFC 9457) with X's types and members, or in X's older form with a code.
struct Problem: Error, Hashable {
    let status: Int
    /// The last part of the type; nil for an error for which X has no type.
    let type: String?
    let title: String
    let detail: String
    var parameter: String?
    var resourceType: String?
    /// Additional members, which a few errors have.
    var more: [String: JSON] = [:]

    private init(
        _ status: Int,
        _ type: String?,
        _ title: String,
        _ detail: String,
        parameter: String? = nil,
        resourceType: String? = nil
    ) {
        self.status = status
        self.type = type
        self.title = title
        self.detail = detail
        self.parameter = parameter
        self.resourceType = resourceType
    }

    /// Status 400.
    ///
    /// The detail names members, never their values.
    static func invalidRequest(_ detail: String, parameter: String? = nil) -> Self {
        Self(400, "invalid-request", "Invalid Request", detail, parameter: parameter)
    }

    static let unauthorized = Self(
        401,
        "not-authorized-for-resource",
        "Unauthorized",
        "The token is missing, expired, or not one of this server: use 'Bearer sandbox-' and a user id, or sign in.",
        resourceType: "token"
    )

    /// X's chat routes act for a user, so they do not accept an app's token.
    static let appToken = forbidden(
        "The token of an app is not accepted here: this route acts for a user.",
        resourceType: "token"
    )

    static let userToken = forbidden(
        "The token of a user is not accepted here: use 'Bearer sandbox-app'.",
        resourceType: "token"
    )

    static func forbidden(_ detail: String, resourceType: String) -> Self {
        Self(403, "not-authorized-for-resource", "Authorization Error", detail, resourceType: resourceType)
    }

    static func notFound(_ detail: String, parameter: String? = nil, resourceType: String) -> Self {
        Self(404, "resource-not-found", "Not Found Error", detail, parameter: parameter, resourceType: resourceType)
    }

    static let tooLarge = Self(
        413,
        "invalid-request",
        "Content Too Large",
        "The body is larger than this server accepts."
    )

    static let misdirected = Self(
        421,
        "invalid-request",
        "Misdirected Request",
        "This server listens on a loopback address; reach it as 127.0.0.1, [::1] or localhost.",
        parameter: "host"
    )

    static let internalError = Self(500, "internal-error", "Internal Error", "Something failed in the server.")

    /// X's documents show this error with a code and without a type.
    static let rateLimited = Self(429, nil, "Too Many Requests", "Rate limit exceeded")

    static let tooManyConnections: Self = {
        var problem = Self(429, nil, "ConnectionException", "This stream is at its maximum of connections.")
        problem.more = ["connection_issue": "TooManyConnections"]
        return problem
    }()

    static let unknownUser = notFound("No such user: this user has registered no keys.", resourceType: "user")
    static let unknownConversation = notFound(
        "No such conversation: it starts with its first key.",
        resourceType: "chat_conversation"
    )
    static let outsider = forbidden("You are not part of this conversation.", resourceType: "chat_conversation")
}

extension Problem {
    /// The body in one of the shapes of X's answers, and its content type.
    func body(_ shape: SandboxFaults.ErrorShape) -> (json: JSON, contentType: String) {
        if shape == .codes {
            let error = JSON.object(["code": .integer(code), "message": .string(detail)])
            return (.object(["errors": .list([error])]), "application/json")
        }
        let host = shape == .twitter ? "api.twitter.com" : "api.x.com"
        var members: [String: JSON] = [
            "title": .string(title),
            "detail": .string(detail),
            "status": .integer(Int64(status)),
            "type": .string(type.map { "https://\(host)/2/problems/\($0)" } ?? "about:blank"),
        ]
        members["parameter"] = parameter.map(JSON.string)
        members["resource_type"] = resourceType.map(JSON.string)
        members.merge(more) { _, new in new }
        guard type != nil else {
            // X documents no type for this error, so the older members are added.
            members["code"] = .integer(code)
            members["message"] = .string(detail)
            return (.object(members), "application/json")
        }
        return (.object(members), "application/problem+json")
    }

    /// X's error codes of the older form.
    private var code: Int64 {
        switch status {
        case 400: 214
        case 401: 89
        case 403: 87
        case 404: 34
        case 429: 88
        default: 131
        }
    }
}
