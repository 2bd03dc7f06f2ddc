import Logging
import Metrics
import XChatEngine
import XChatEvents

/// The metrics of this package, through swift-metrics.
///
/// The metrics have no effect until the program bootstraps a metrics system.
///
/// Labels are fixed words (operations, codes, reasons) and never contain user ids, conversation ids or texts.
///
/// | metric | kind | labels |
/// |:--|:--|:--|
/// | `xchat_requests_total` | counter | `operation`, `result` (`ok` or an ``APIError/Code-swift.struct``) |
/// | `xchat_request_seconds` | timer | `operation` |
/// | `xchat_retries_total` | counter | `code` (of the failed attempt) |
/// | `xchat_sent_total` | counter | |
/// | `xchat_send_failures_total` | counter | `code`, `failure` (X's name of a failure event's type) |
enum ChatMetrics {
    static func sent() {
        Counter(label: "xchat_sent_total").increment()
    }

    static func sendFailed(_ error: APIError) {
        // Only known names become labels: otherwise the server could create any number of them.
        let failure = error.failure.map { $0.name ?? "unknown" } ?? "none"
        Counter(
            label: "xchat_send_failures_total",
            dimensions: [("code", error.code.rawValue), ("failure", failure)]
        ).increment()
    }

    static func retried(_ code: APIError.Code) {
        Counter(label: "xchat_retries_total", dimensions: [("code", code.rawValue)]).increment()
    }

    /// Counts an attempt, and logs it.
    static func finished(
        _ request: APIRequest,
        status: Int?,
        duration: Duration,
        code: APIError.Code?,
        _ logger: Logger?
    ) {
        let operation = request.operation
        Counter(
            label: "xchat_requests_total",
            dimensions: [("operation", operation), ("result", code?.rawValue ?? "ok")]
        ).increment()
        Timer(label: "xchat_request_seconds", dimensions: [("operation", operation)]).record(duration: duration)
        logger?.log(
            level: code == nil ? .debug : .warning,
            "\(operation)",
            metadata: [
                "status": "\(status ?? 0)",
                "duration": "\(duration)",
                "result": "\(code?.rawValue ?? "ok")",
            ]
        )
    }
}
