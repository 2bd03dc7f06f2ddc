import Metrics
import MetricsTestKit
import Testing
import XChatEngine
import XChatEvents
import XChatHTTP

@testable import XChat

/// The metrics of the outbox.
@Suite(.timeLimit(.minutes(1)))
struct OutboxMetricsTests {
    /// The metrics of this process.
    ///
    /// A process can bootstrap them only once, and the tests of the client use the same kind.
    private static let metrics: TestMetrics = {
        if let metrics = MetricsSystem.factory as? TestMetrics { return metrics }
        let metrics = TestMetrics()
        MetricsSystem.bootstrap(metrics)
        return metrics
    }()

    @Test func `the outbox counts the outcomes of its attempts, and the waiting messages`() async throws {
        let metrics = Self.metrics
        let folder = try ScratchFolder()
        let outbox = try await folder.outbox()
        let sealer = try Sealer()
        let messages = try ["one", "two", "poison", "three"].map { try sealer.seal($0) }
        let server = ToyServer(rotatesAfter: 1) { message, count in
            if (try? sealer.text(of: message.event)) == "poison" {
                return .before(APIError(.invalidRequest, "to 1111:2222", status: 400))
            }
            let faults = [APIError(.connection, "lost"), APIError(.rateLimited, "slowly")]
            return count < faults.count ? .before(faults[count]) : nil
        }
        try await outbox.enqueue(messages)
        try await outbox.drain(client: server) { _ in sealer.renewed }
        for (outcome, code, least) in [
            ("sent", "ok", 3), ("retried", "connection", 3), ("paused", "rate_limited", 3),
            ("resealed", "stale_key", 2), ("set_aside", "invalid_request", 1),
        ] {
            let counter = try metrics.expectCounter("xchat_outbox_total", [("outcome", outcome), ("code", code)])
            #expect(counter.totalValue >= Int64(least), "\(outcome)")
        }
        try await outbox.enqueue(sealer.seal("waits"))
        let unreachable = ToyServer { _, _ in .before(APIError(.connection, "lost")) }
        try await outbox.drain(client: unreachable, timeout: .milliseconds(50)) { _ in sealer.renewed }
        #expect(try metrics.expectGauge("xchat_outbox_waiting").values.contains(1))
        for labels in metrics.counters.flatMap(\.dimensions) { #expect(!labels.1.contains("1111")) }
    }
}
