import XChatEvents

public import struct Foundation.Date

extension APIError {
    /// What an error means for the next call.
    public enum Disposition: Hashable, Sendable {
        /// The network or the server failed: the same call may succeed later.
        ///
        /// `retryAt` is the earliest time that the server allows, if it names one.
        case transient(retryAt: Date?)
        /// The server limits the rate of calls: no call of this kind succeeds before the time.
        ///
        /// `until` is nil if the server names no time.
        case rateLimited(until: Date?)
        /// It is not known whether the same call can succeed later, for example after an answer that cannot be read:
        /// try again a few times, then give up.
        ///
        /// `retryAt` is the earliest time that the server allows, if it names one.
        case unclear(retryAt: Date?)
        /// The conversation has a newer key: fetch it and encrypt the message again.
        case staleKey
        /// This call is refused and will be again; other calls may succeed.
        case final
        /// No call can succeed: the token or the app is refused, or the URL is not that of the API.
        ///
        /// A cancelled call has this disposition too.
        case stop
    }

    /// What the error means for the next call.
    ///
    /// Retries within a call, the outbox and the activity stream decide by this value what to do next.
    public var disposition: Disposition {
        switch code {
        case .connection, .timedOut, .server:
            return .transient(retryAt: resetAt)
        case .rateLimited:
            return .rateLimited(until: resetAt)
        case .cancelled, .unauthorized, .signInNeeded, .wrongUser, .insecureTransport, .redirected:
            return .stop
        case .forbidden:
            switch problem {
            // The app has too many connections; the call can succeed when one of them ends.
            case "streaming-connection": return .transient(retryAt: resetAt)
            // The server refuses the app, not only this call.
            case "client-forbidden", "usage-capped", "unsupported-authentication": return .stop
            default: return .final
            }
        case .failureEvent:
            switch failure {
            case .nonLatestCkeyVersion: return .staleKey
            case .internalError, .tooManyMessages: return .unclear(retryAt: resetAt)
            default: return .final
            }
        case .invalidRequest:
            // 408 Request Timeout and 425 Too Early depend on the moment, not on the request.
            return status == 408 || status == 425 ? .transient(retryAt: resetAt) : .final
        case .invalidArgument, .notFound, .refused, .file, .authenticationFailed:
            return .final
        default:
            return .unclear(retryAt: resetAt)
        }
    }

    /// Whether the same call may succeed later although the client changes nothing.
    package var mayPass: Bool {
        switch disposition {
        case .transient, .rateLimited, .unclear: true
        case .staleKey, .final, .stop: false
        }
    }
}
