import Metrics
public import XChatEngine
import XChatEvents

/// What is counted, through swift-metrics: nothing, until the program bootstraps a metrics system.
///
/// Labels come from fixed words alone (operations, codes, reasons): none says who spoke with whom, or what.
///
/// | metric | kind | labels |
/// |:--|:--|:--|
/// | `xchat_requests_total` | counter | `operation`, `result` (`ok` or an ``APIError/Code-swift.struct``) |
/// | `xchat_request_seconds` | timer | `operation` |
/// | `xchat_retries_total` | counter | `code` (of the try that failed) |
/// | `xchat_sealed_total`, `xchat_sent_total`, `xchat_opened_total` | counter | |
/// | `xchat_send_failures_total` | counter | `code`, `failure` (X's name of a failure event's type) |
/// | `xchat_rejected_total` | counter | `reason` (an error code of the engine) |
public enum ChatMetrics {
    /// Counts messages that were sealed, where they are sealed: the client cannot see it.
    public static func sealed(_ count: Int = 1) {
        Counter(label: "xchat_sealed_total").increment(by: count)
    }

    /// Counts what came of opening events.
    ///
    /// - Parameter results: What the session answered.
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
        // A number that X never gave would be a label of the server's making.
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
