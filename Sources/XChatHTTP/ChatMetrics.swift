import Metrics
public import XChat
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
/// | `xchat_outbox_total` | counter | `outcome` of a message's turn (`sent`, `retried`, `paused`, `resealed`, `set_aside`), `code` (`ok` or why) |
/// | `xchat_outbox_waiting` | gauge | |
///
/// A message that an ``Outbox`` sends counts in both `xchat_sent_total` and `xchat_outbox_total`; one whose answer was lost
/// and that is found in the history only in the latter.
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

    /// What came of a message's turn in the outbox.
    enum Outcome: String {
        case sent, retried, paused, resealed
        case setAside = "set_aside"
    }

    static func outbox(_ outcome: Outcome, code: String) {
        Counter(label: "xchat_outbox_total", dimensions: [("outcome", outcome.rawValue), ("code", code)]).increment()
    }

    static func outboxWaits(_ count: Int) {
        Gauge(label: "xchat_outbox_waiting").record(count)
    }

    static func finished(_ request: APIRequest, duration: Duration, code: APIError.Code?) {
        Counter(
            label: "xchat_requests_total",
            dimensions: [("operation", request.operation), ("result", code?.rawValue ?? "ok")]
        ).increment()
        Timer(label: "xchat_request_seconds", dimensions: [("operation", request.operation)]).record(duration: duration)
    }
}
