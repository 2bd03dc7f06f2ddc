public import XChatEvents

public import struct Foundation.Date

/// Why a call to X's API did not succeed.
///
/// Match on ``code``. The texts are for people: bounded, on one line, free of control characters, and never a response
/// body, a query or a token.
public struct APIError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong, as a word that scripts and metrics may rely on.
    public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The word itself, for example `rate_limited`.
        public let rawValue: String

        /// Takes any word; the ones this library throws are the static members.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The word itself.
        public var description: String { rawValue }

        /// The call was wrong before anything was sent: an identifier, a token or a URL that cannot be used.
        public static let invalidArgument = Self(rawValue: "invalid_argument")
        /// The token would have gone over plain http to another machine.
        public static let insecureTransport = Self(rawValue: "insecure_transport")
        /// No connection, or one that broke before the answer was complete.
        public static let connection = Self(rawValue: "connection")
        /// The answer was not complete within the time allowed for the whole request.
        public static let timedOut = Self(rawValue: "timed_out")
        /// The calling task was cancelled.
        public static let cancelled = Self(rawValue: "cancelled")
        /// The answer, or all pages together, are larger than the limit.
        public static let tooLarge = Self(rawValue: "too_large")
        /// A 3xx status.
        ///
        /// Redirects are never followed, so the token went nowhere else.
        public static let redirected = Self(rawValue: "redirected")
        /// The answer is not what the API documents: not JSON, a member missing, an event for another message.
        public static let malformedResponse = Self(rawValue: "malformed_response")
        /// 400 and the other 4xx without a code of their own.
        public static let invalidRequest = Self(rawValue: "invalid_request")
        /// 401: the token is missing, wrong or expired.
        public static let unauthorized = Self(rawValue: "unauthorized")
        /// 403: the token does not allow this.
        public static let forbidden = Self(rawValue: "forbidden")
        /// 404: no such user or conversation, or none that this user may know of.
        public static let notFound = Self(rawValue: "not_found")
        /// 429; see ``APIError/resetAt``.
        public static let rateLimited = Self(rawValue: "rate_limited")
        /// 5xx.
        public static let server = Self(rawValue: "server")
        /// A file of this machine cannot be read or written, or is there already.
        public static let file = Self(rawValue: "file")
        /// Media are altered or truncated, or encrypted under another key.
        public static let authenticationFailed = Self(rawValue: "authentication_failed")
        /// The status said success and the answer says that nothing was done.
        public static let refused = Self(rawValue: "refused")
        /// The status said success and the answered event says failure; see ``APIError/failure``.
        public static let failureEvent = Self(rawValue: "failure_event")
    }

    /// What went wrong.
    public let code: Code
    /// What went wrong here, in words for people.
    public let detail: String
    /// The HTTP status, when there was an answer.
    public var status: Int?
    /// Method and route pattern of the call, for example `GET /2/users/{id}/public_keys`; nil before a call was made.
    public var operation: String?
    /// The last path component of the problem's `type`, for example `resource-not-found`, when the server named one.
    public var problem: String?
    /// The failure type of a failure event.
    ///
    /// Number 6 means that the conversation has a newer key.
    public var failure: FailureType?
    /// The tier that a failure event of type 12 names.
    public var rateLimitTier: RateLimitTier?
    /// When it may be tried again, if the server said so: its rate limit is renewed, or `Retry-After` is over.
    public var resetAt: Date?

    package init(_ code: Code, _ detail: String, status: Int? = nil) {
        self.code = code
        self.detail = detail
        self.status = status
    }

    /// `operation: status code: detail`, the parts that are known.
    public var description: String {
        var place = operation.map { "\($0): " } ?? ""
        if let status { place += "\(status) " }
        return "\(place)\(code): \(detail)"
    }
}
