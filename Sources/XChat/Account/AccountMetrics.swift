import Metrics
import XChatEngine

/// The metrics of an account, through swift-metrics.
///
/// Nothing is recorded until the program bootstraps a metrics system.
///
/// Labels are fixed words: they contain no ids and no texts.
///
/// | metric | kind | labels |
/// |:--|:--|:--|
/// | `xchat_sealed_total`, `xchat_opened_total` | counter | |
/// | `xchat_rejected_total` | counter | `reason` (an error code of the engine) |
enum AccountMetrics {
    /// Counts a message that was encrypted.
    static func sealed() {
        Counter(label: "xchat_sealed_total").increment()
    }

    /// Counts events that were accepted, and those that were refused.
    static func opened(_ results: [Result<Event, XChatError>]) {
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
}
