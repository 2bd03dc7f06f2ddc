import Metrics

/// The metrics of the outbox, through swift-metrics; without a metrics system they cost nothing.
///
/// | metric | kind | labels |
/// |:--|:--|:--|
/// | `xchat_outbox_total` | counter | `outcome` of an attempt (`sent`, `retried`, `paused`, `resealed`, `set_aside`), `code` (`ok` or why) |
/// | `xchat_outbox_waiting` | gauge | |
///
/// A message that the outbox sends also counts in `xchat_sent_total`, unless its answer was lost and it was found in
/// the history.
enum OutboxMetrics {
    /// The outcomes of an attempt to post a message.
    enum Outcome: String {
        case sent, retried, paused, resealed
        case deadLetter = "set_aside"
    }

    static func settled(_ outcome: Outcome, code: String) {
        Counter(label: "xchat_outbox_total", dimensions: [("outcome", outcome.rawValue), ("code", code)]).increment()
    }

    static func waiting(_ count: Int) {
        Gauge(label: "xchat_outbox_waiting").record(count)
    }
}
