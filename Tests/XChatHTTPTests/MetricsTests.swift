import Metrics
import MetricsTestKit
import Testing
import XChat
import XChatEvents

@testable import XChatHTTP

/// What is counted, and that nobody can be told from it.
@Suite(.timeLimit(.minutes(1)))
struct MetricsTests {
    /// The metrics of this process: the other tests are counted as well, so only what is this test's own is compared.
    private static let metrics: TestMetrics = {
        let metrics = TestMetrics()
        MetricsSystem.bootstrap(metrics)
        return metrics
    }()

    @Test func `calls are counted by operation and outcome, without anybody's id`() async throws {
        let metrics = Self.metrics
        try await RawServer.run(.http(402, #"{"detail":"secret-body"}"#)) { _, url in
            let client = try ChatClient(api: url, token: Token("secret-token"))
            _ = await thrownCode { try await client.markRead(ConversationTarget("771771-772772"), until: "773773") }
        }
        let counter = try metrics.expectCounter(
            "xchat_requests_total",
            [("operation", "POST /2/chat/conversations/{id}/read"), ("result", "invalid_request")]
        )
        #expect(counter.totalValue >= 1)
        let timer = try metrics.expectTimer(
            "xchat_request_seconds",
            [("operation", "POST /2/chat/conversations/{id}/read")]
        )
        #expect(!timer.values.isEmpty)
        for labels in metrics.counters.flatMap(\.dimensions) + metrics.timers.flatMap(\.dimensions) {
            #expect(!labels.1.contains("77") && !labels.1.contains("secret"))
        }
    }

    @Test func `opened and rejected events are counted by reason, failures by X's names alone`() throws {
        let metrics = Self.metrics
        ChatMetrics.sealed(3)
        ChatMetrics.opened([.failure(XChatError(.versionRefused, "x")), .failure(XChatError(.versionRefused, "y"))])
        #expect(try metrics.expectCounter("xchat_sealed_total").totalValue >= 3)
        let rejected = try metrics.expectCounter("xchat_rejected_total", [("reason", "version_refused")])
        #expect(rejected.totalValue >= 2)
        for type in [FailureType.nonLatestCkeyVersion, FailureType(rawValue: 987_654)] {
            ChatMetrics.sendFailed(APIError(MessageFailureEvent(failureType: type)))
        }
        _ = try metrics.expectCounter(
            "xchat_send_failures_total",
            [("code", "failure_event"), ("failure", "NON_LATEST_CKEY_VERSION")]
        )
        _ = try metrics.expectCounter(
            "xchat_send_failures_total",
            [("code", "failure_event"), ("failure", "unknown")]
        )
    }

    @Test func `the outbox counts what came of each turn, and what waits`() async throws {
        let metrics = Self.metrics
        let folder = try ScratchFolder()
        let outbox = try folder.outbox()
        let sealer = try Sealer()
        let messages = try ["one", "two", "poison", "three"].map { try sealer.seal($0) }
        let server = ToyServer(rotatesAfter: 1) { message, count in
            if (try? sealer.text(of: message.event)) == "poison" {
                return .before(APIError(.invalidRequest, "to 1111:2222", status: 400))
            }
            let faults = [APIError(.connection, "lost"), APIError(.rateLimited, "slowly")]
            return count < faults.count ? .before(faults[count]) : nil
        }
        try outbox.enqueue(messages)
        try await outbox.drain(client: server) { _ in sealer.renewed }
        for (outcome, code, least) in [
            ("sent", "ok", 3), ("retried", "connection", 3), ("paused", "rate_limited", 3),
            ("resealed", "stale_key", 2), ("set_aside", "invalid_request", 1),
        ] {
            let counter = try metrics.expectCounter("xchat_outbox_total", [("outcome", outcome), ("code", code)])
            #expect(counter.totalValue >= Int64(least), "\(outcome)")
        }
        try outbox.enqueue(sealer.seal("waits"))
        try await outbox.drain(client: server, timeout: .zero) { _ in sealer.renewed }
        #expect(try metrics.expectGauge("xchat_outbox_waiting").values.contains(1))
        for labels in metrics.counters.flatMap(\.dimensions) { #expect(!labels.1.contains("1111")) }
    }
}
