import Metrics

/// What the outbox counts, through swift-metrics: nothing, until the program bootstraps a metrics system.
///
/// | metric | kind | labels |
/// |:--|:--|:--|
/// | `xchat_outbox_total` | counter | `outcome` of an attempt (`sent`, `retried`, `paused`, `resealed`, `set_aside`), `code` (`ok` or why) |
/// | `xchat_outbox_waiting` | gauge | |
///
/// A message that the outbox sends also counts in `xchat_sent_total`; one whose answer was lost and that is found in the
/// history does not.
enum OutboxMetrics {
    /// What came of an attempt to post a message.
    enum Outcome: String {
        case sent, retried, paused, resealed
        case setAside = "set_aside"
    }

    static func settled(_ outcome: Outcome, code: String) {
        Counter(label: "xchat_outbox_total", dimensions: [("outcome", outcome.rawValue), ("code", code)]).increment()
    }

    static func waiting(_ count: Int) {
        Gauge(label: "xchat_outbox_waiting").record(count)
    }
}
