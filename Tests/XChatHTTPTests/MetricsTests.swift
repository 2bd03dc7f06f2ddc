import Metrics
import MetricsTestKit
import TestSupport
import Testing
import XChatEngine
import XChatEvents

@testable import XChatHTTP

/// Metrics count calls and events, and their labels identify no user.
@Suite(.timeLimit(.minutes(1)))
struct MetricsTests {
    /// The metrics of this process: the other tests are counted as well, so only what is this test's own is compared.
    private static let metrics: TestMetrics = {
        // All tests run in one process, which can set a factory only once.
        if let metrics = MetricsSystem.factory as? TestMetrics { return metrics }
        let metrics = TestMetrics()
        MetricsSystem.bootstrap(metrics)
        return metrics
    }()

    @Test func `counts calls by operation and result, without ids`() async throws {
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

    @Test func `counts failures by X's names only`() throws {
        let metrics = Self.metrics
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
