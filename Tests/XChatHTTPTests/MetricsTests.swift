import Metrics
import MetricsTestKit
import TestSupport
import Testing
import XChatEngine
import XChatEvents

@testable import XChatHTTP

/// What is counted, and that nobody can be told from it.
@Suite(.timeLimit(.minutes(1)))
struct MetricsTests {
    /// The metrics of this process: the other tests are counted as well, so only what is this test's own is compared.
    private static let metrics: TestMetrics = {
        // All tests run in one process, and a factory can be set once.
        if let metrics = MetricsSystem.factory as? TestMetrics { return metrics }
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
}
