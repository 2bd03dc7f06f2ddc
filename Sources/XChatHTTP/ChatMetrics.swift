import Metrics
public import XChatEngine
import XChatEvents

/// The metrics of this package, through swift-metrics; without effect until the program bootstraps a metrics system.
///
/// Labels are fixed words (operations, codes, reasons) and never contain user ids, conversation ids or texts.
///
/// | metric | kind | labels |
/// |:--|:--|:--|
/// | `xchat_requests_total` | counter | `operation`, `result` (`ok` or an ``APIError/Code-swift.struct``) |
/// | `xchat_request_seconds` | timer | `operation` |
/// | `xchat_retries_total` | counter | `code` (of the failed attempt) |
/// | `xchat_sealed_total`, `xchat_sent_total`, `xchat_opened_total` | counter | |
/// | `xchat_send_failures_total` | counter | `code`, `failure` (X's name of a failure event's type) |
/// | `xchat_rejected_total` | counter | `reason` (an error code of the engine) |
public enum ChatMetrics {
    /// Counts sealed messages.
    ///
    /// Call it where messages are sealed: the HTTP client does not do that.
    public static func sealed(_ count: Int = 1) {
        Counter(label: "xchat_sealed_total").increment(by: count)
    }

    /// Counts opened and rejected events.
    ///
    /// - Parameter results: The results of the session.
    public static func opened(_ results: [Result<Event, XChatError>]) {
        var opened = 0
        var rejected: [XChatError.Code: Int] = [:]
        for result in results {
            switch result {
            case .success: opened += 1
            case .failure(let error): rejected[error.code, default: 0] += 1
            }
        }
        if opened > 0 { Counter(label: "xchat_opened_total").increment(by: opened) }
        for (code, count) in rejected {
            Counter(label: "xchat_rejected_total", dimensions: [("reason", code.rawValue)]).increment(by: count)
        }
    }

    static func sent() {
        Counter(label: "xchat_sent_total").increment()
    }

    static func sendFailed(_ error: APIError) {
        // An unknown number would let the server create labels.
        let failure = error.failure.map { $0.name ?? "unknown" } ?? "none"
        Counter(
            label: "xchat_send_failures_total",
            dimensions: [("code", error.code.rawValue), ("failure", failure)]
        ).increment()
    }

    static func retried(_ code: APIError.Code) {
        Counter(label: "xchat_retries_total", dimensions: [("code", code.rawValue)]).increment()
    }

    static func finished(_ request: APIRequest, duration: Duration, code: APIError.Code?) {
        Counter(
            label: "xchat_requests_total",
            dimensions: [("operation", request.operation), ("result", code?.rawValue ?? "ok")]
        ).increment()
        Timer(label: "xchat_request_seconds", dimensions: [("operation", request.operation)]).record(duration: duration)
    }
}
