/// An error of OAuth 2.0: RFC 6749, 4.1.2.1 and 5.2.
struct OAuthError: Error, Hashable {
    enum Code: String, Sendable {
        case accessDenied = "access_denied"
        case invalidClient = "invalid_client"
        case invalidGrant = "invalid_grant"
        case invalidRequest = "invalid_request"
        case invalidScope = "invalid_scope"
        case unauthorizedClient = "unauthorized_client"
        case unsupportedGrantType = "unsupported_grant_type"
        case unsupportedResponseType = "unsupported_response_type"
    }

    let code: Code
    /// A fixed text in ASCII, which contains no value of the request.
    let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    static func invalidRequest(_ description: String) -> Self { Self(.invalidRequest, description) }
    static func invalidGrant(_ description: String) -> Self { Self(.invalidGrant, description) }

    var status: Int { code == .invalidClient ? 401 : 400 }
}
