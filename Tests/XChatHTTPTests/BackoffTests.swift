import Testing

@testable import XChatHTTP

/// Pauses that grow with failures.
struct BackoffTests {
    private let backoff = Backoff(first: .seconds(1), longest: .seconds(7))

    @Test(
        "an exponential pause doubles up to the longest, for any number of failures",
        arguments: [(0, 1), (1, 2), (2, 4), (3, 7), (4, 7), (63, 7), (Int.max, 7), (-1, 1), (Int.min, 1)]
    )
    func exponential(_ failures: Int, _ seconds: Int) {
        #expect(backoff.pause(failures: failures) == .seconds(seconds))
    }

    @Test(
        "a linear pause starts at none and grows by the first up to the longest",
        arguments: [(0, 0), (1, 1), (2, 2), (6, 6), (7, 7), (8, 7), (Int.max, 7), (-1, 0), (Int.min, 0)]
    )
    func linear(_ failures: Int, _ seconds: Int) {
        let backoff = Backoff(first: .seconds(1), longest: .seconds(7), growth: .linear)
        #expect(backoff.pause(failures: failures) == .seconds(seconds))
    }

    @Test(
        "equal jitter leaves at least half of the pause and at most all of it",
        arguments: [(0.0, 2.0), (0.5, 3), (1, 4), (-7, 2), (7, 4)]
    )
    func jitter(_ jitter: Double, _ seconds: Double) {
        #expect(backoff.pause(failures: 2, jitter: jitter) == .seconds(seconds))
    }

    @Test func `a first pause beyond the longest is cut`() {
        #expect(Backoff(first: .seconds(9), longest: .seconds(7)).pause(failures: 0) == .seconds(7))
    }
}
