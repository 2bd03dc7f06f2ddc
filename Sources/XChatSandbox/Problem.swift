/// A refusal in the form of RFC 7807, with X's types and members.
struct Problem: Error, Encodable, Hashable {
    let status: Int
    let type: String
    let title: String
    let detail: String
    var parameter: String?
    var resourceType: String?

    enum CodingKeys: String, CodingKey {
        case status, type, title, detail, parameter
        case resourceType = "resource_type"
    }

    private init(
        _ status: Int,
        _ type: String,
        _ title: String,
        _ detail: String,
        parameter: String? = nil,
        resourceType: String? = nil
    ) {
        self.status = status
        self.type = "https://api.x.com/2/problems/\(type)"
        self.title = title
        self.detail = detail
        self.parameter = parameter
        self.resourceType = resourceType
    }

    /// 400. The detail names members, never what they held.
    static func invalidRequest(_ detail: String, parameter: String? = nil) -> Self {
        Self(400, "invalid-request", "Invalid Request", detail, parameter: parameter)
    }

    static let unauthorized = Self(
        401,
        "not-authorized-for-resource",
        "Unauthorized",
        "The token is missing or is none of this server's: use 'Bearer sandbox-' and a user id.",
        resourceType: "token"
    )

    /// X's chat routes act for a user, so none of them takes an app's token.
    static let appToken = Self(
        403,
        "unsupported-authentication",
        "Unsupported Authentication",
        "The token of an app is not accepted here: this route acts for a user."
    )

    static func forbidden(_ detail: String, resourceType: String) -> Self {
        Self(403, "not-authorized-for-resource", "Authorization Error", detail, resourceType: resourceType)
    }

    static func notFound(_ detail: String, parameter: String? = nil, resourceType: String) -> Self {
        Self(404, "resource-not-found", "Not Found Error", detail, parameter: parameter, resourceType: resourceType)
    }

    static let tooLarge = Self(413, "invalid-request", "Content Too Large", "The body is larger than is taken here.")

    static let internalError = Self(500, "internal-error", "Internal Error", "Something failed in the server.")
}
