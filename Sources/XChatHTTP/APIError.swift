public import XChatEvents

public import struct Foundation.Date

/// Why a call to X's API did not succeed.
///
/// Match on ``code`` or ``disposition``. The texts are for people to read: short, on one line, without control
/// characters, response bodies, queries or tokens.
public struct APIError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of error, as a word that does not change; scripts and metrics may rely on it.
    public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The word itself, for example `rate_limited`.
        public let rawValue: String

        /// Makes a code from any word; this library throws the static members.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The word itself.
        public var description: String { rawValue }

        /// An argument is invalid, such as an identifier, a token or a URL; nothing was sent.
        public static let invalidArgument = Self(rawValue: "invalid_argument")
        /// The URL is plain http to another machine, which would expose the token; nothing was sent.
        public static let insecureTransport = Self(rawValue: "insecure_transport")
        /// There is no connection, or it broke before the answer was complete.
        public static let connection = Self(rawValue: "connection")
        /// The answer was not complete within ``ChatClient/Limits/timeout``.
        public static let timedOut = Self(rawValue: "timed_out")
        /// The calling task was cancelled.
        public static let cancelled = Self(rawValue: "cancelled")
        /// The answer, or all pages together, are larger than the limit.
        public static let tooLarge = Self(rawValue: "too_large")
        /// A 3xx status.
        ///
        /// Redirects are never followed, so the token went to no other URL.
        public static let redirected = Self(rawValue: "redirected")
        /// The answer is not as documented: it is not JSON, lacks a member, or contains the event of another message.
        public static let malformedResponse = Self(rawValue: "malformed_response")
        /// 400, or a 4xx status that no other code describes.
        public static let invalidRequest = Self(rawValue: "invalid_request")
        /// 401: the token is missing, wrong or expired.
        public static let unauthorized = Self(rawValue: "unauthorized")
        /// The token belongs to a different user than the account.
        public static let wrongUser = Self(rawValue: "wrong_user")
        /// The sign-in has ended: the user has to sign in again.
        public static let signInNeeded = Self(rawValue: "sign_in_needed")
        /// 403: the token does not allow this call.
        public static let forbidden = Self(rawValue: "forbidden")
        /// 404: there is no such user or conversation, or this user may not see it.
        public static let notFound = Self(rawValue: "not_found")
        /// 429; see ``APIError/resetAt``.
        public static let rateLimited = Self(rawValue: "rate_limited")
        /// 5xx.
        public static let server = Self(rawValue: "server")
        /// A local file cannot be read or written, or exists already.
        public static let file = Self(rawValue: "file")
        /// A media file was altered or truncated, or is encrypted with another key.
        public static let authenticationFailed = Self(rawValue: "authentication_failed")
        /// The status is a success, but the answer says that nothing was done; or the user does not allow the sign-in.
        public static let refused = Self(rawValue: "refused")
        /// The status is a success, but the event in the answer is a failure event; see ``APIError/failure``.
        public static let failureEvent = Self(rawValue: "failure_event")
    }

    /// The kind of error.
    public let code: Code
    /// A description for people.
    public let detail: String
    /// The HTTP status; nil if there was no answer.
    public var status: Int?
    /// Method and route pattern of the call, for example `GET /2/users/{id}/public_keys`; nil if no call was made.
    public var operation: String?
    /// The last path component of the problem's `type`, for example `resource-not-found`; nil if the server named none.
    public var problem: String?
    /// The failure type of a failure event.
    ///
    /// Type 6 means that the conversation has a newer key.
    public var failure: FailureType?
    /// The rate limit tier of a failure event of type 12.
    public var rateLimitTier: RateLimitTier?
    /// The earliest time to try again, from the rate limit headers or `Retry-After`; nil if the server named none.
    public var resetAt: Date?
    /// Whether it is certain that no part of the request reached the server.
    package var isUnsent = false

    package init(_ code: Code, _ detail: String, status: Int? = nil) {
        self.code = code
        self.detail = detail
        self.status = status
    }

    /// `operation: status code: detail`, without the parts that are not known, and the earliest time to try again in
    /// local time, unless it has passed.
    public var description: String {
        var prefix = operation.map { "\($0): " } ?? ""
        if let status { prefix += "\(status) " }
        let suffix = resetAt.map { $0.timeIntervalSinceNow > 0 ? "; not before \($0.localText)" : "" } ?? ""
        return "\(prefix)\(code): \(detail)\(suffix)"
    }
}
