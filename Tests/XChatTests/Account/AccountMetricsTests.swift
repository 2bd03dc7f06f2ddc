import Metrics
import MetricsTestKit
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatSandbox

@testable import XChat

/// The metrics of an account.
@Suite(.timeLimit(.minutes(1)))
struct AccountMetricsTests {
    /// The metrics of this process: its factory can be set only once.
    private static let metrics: TestMetrics = {
        if let metrics = MetricsSystem.factory as? TestMetrics { return metrics }
        let metrics = TestMetrics()
        MetricsSystem.bootstrap(metrics)
        return metrics
    }()

    @Test func `counts encrypted, accepted and rejected events`() async throws {
        let metrics = Self.metrics
        @Sendable func total(_ name: String, _ labels: [(String, String)] = []) -> Int64 {
            (try? metrics.expectCounter(name, labels).totalValue) ?? 0
        }
        try await AccountFixture.run { fixture in
            let alice = try await fixture.open("1111")
            let bob = try await fixture.open("2222")
            let conversation = try await alice.startConversation(with: "2222")
            let (sealed, opened) = (total("xchat_sealed_total"), total("xchat_opened_total"))
            let rejected = total("xchat_rejected_total", [("reason", "not_an_event")])
            try await alice.send("one", to: conversation)
            _ = try await bob.history(of: conversation)
            _ = try await bob.deliver(["AAAA"], keyEvents: [], in: conversation)
            #expect(total("xchat_sealed_total") == sealed + 1)
            #expect(total("xchat_opened_total") >= opened + 1)
            #expect(total("xchat_rejected_total", [("reason", "not_an_event")]) == rejected + 1)
            await alice.close()
            await bob.close()
        }
    }
}
