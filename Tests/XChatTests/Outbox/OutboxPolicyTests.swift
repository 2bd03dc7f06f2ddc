import Foundation
import Testing
import XChatEvents

@testable import XChat
@testable import XChatHTTP

/// The action of the outbox after each failure.
struct OutboxPolicyTests {
    private let policy = OutboxPolicy()
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    private func action(_ error: APIError, failures: Int = 0, jitter: Double = 0) -> OutboxPolicy.Action {
        policy.action(after: .call(error), failures: failures, now: now, jitter: jitter)
    }

    private func refused(_ type: Int32?) -> APIError {
        var error = APIError(.failureEvent, "no")
        error.failure = type.map { FailureType(rawValue: $0) }
        return error
    }

    @Test(
        "an unreachable or failing server is retried without end",
        arguments: [
            APIError.Code.connection, .timedOut, .server,
        ]
    )
    func patience(_ code: APIError.Code) {
        #expect(action(APIError(code, ""), failures: 0) == .retry(after: .milliseconds(500)))
        #expect(action(APIError(code, ""), failures: 0, jitter: 0.5) == .retry(after: .milliseconds(750)))
        #expect(action(APIError(code, ""), failures: 3) == .retry(after: .seconds(4)))
        #expect(action(APIError(code, ""), failures: .max) == .retry(after: .seconds(150)))
        #expect(action(APIError(code, ""), failures: .min) == .retry(after: .milliseconds(500)))
    }

    @Test(
        "a failure of the token or of the API stops the outbox",
        arguments: [
            APIError.Code.unauthorized, .cancelled, .insecureTransport, .redirected,
        ]
    )
    func stops(_ code: APIError.Code) {
        #expect(action(APIError(code, ""), failures: 100) == .stop)
    }

    @Test(
        "a refused message becomes a dead letter",
        arguments: [APIError.Code.invalidRequest, .notFound, .invalidArgument]
    )
    func poison(_ code: APIError.Code) {
        #expect(action(APIError(code, "", status: 400)) == .deadLetter)
    }

    @Test("a temporary 4xx is retried", arguments: [408, 425])
    func moment(_ status: Int) {
        #expect(action(APIError(.invalidRequest, "", status: status), failures: 50) == .retry(after: .seconds(150)))
    }

    @Test func `a 403 stops the outbox only if it concerns the app`() {
        var error = APIError(.forbidden, "", status: 403)
        #expect(action(error) == .deadLetter)
        error.problem = "not-authorized-for-resource"
        #expect(action(error) == .deadLetter)
        error.problem = "client-forbidden"
        #expect(action(error) == .stop)
    }

    @Test func `each failure event has its action`() {
        for type: Int32 in -1...20 {
            let expected: OutboxPolicy.Action =
                switch type {
                case 6: .reseal
                case 2, 4: .retry(after: .milliseconds(500))
                default: .deadLetter
                }
            #expect(action(refused(type)) == expected, "failure \(type)")
        }
        #expect(action(refused(nil)) == .deadLetter)
        #expect(action(refused(2), failures: 7) == .deadLetter)
    }

    @Test(
        "after an unclear answer a message is retried a few times",
        arguments: [
            APIError.Code.malformedResponse, .tooLarge, .init(rawValue: "a code of tomorrow"),
        ]
    )
    func unintelligible(_ code: APIError.Code) {
        #expect(action(APIError(code, ""), failures: 6) == .retry(after: .seconds(32)))
        #expect(action(APIError(code, ""), failures: 7) == .deadLetter)
    }

    @Test func `a missing key is retried a few times`() {
        #expect(
            policy.action(after: .noNewerKey, failures: 0, now: now, jitter: 0) == .retry(after: .milliseconds(500))
        )
        #expect(policy.action(after: .noNewerKey, failures: 7, now: now, jitter: 0) == .deadLetter)
    }

    @Test(
        "a rate limit pauses the outbox, up to a plausible time",
        arguments: [
            (30.0, 30.0), (86_400, 86_400), (-1, 0.5), (0, 0.5), (1e9, 90_000), (1e300, 90_000), (-1e300, 0.5),
        ]
    )
    func rateLimit(_ seconds: Double, _ expected: Double) {
        var error = APIError(.rateLimited, "", status: 429)
        error.resetAt = now.addingTimeInterval(seconds)
        #expect(action(error) == .pause(.seconds(expected)))
    }

    @Test func `no pause is so long that the store takes it for a wrong clock`() {
        var error = APIError(.rateLimited, "", status: 429)
        var policy = policy
        (policy.rateLimitDelay, policy.longestDelay) = (.seconds(1e6), .seconds(1e6))
        let longest = OutboxPolicy.longestPause
        func action(_ error: APIError) -> OutboxPolicy.Action {
            policy.action(after: .call(error), failures: 40, now: now, jitter: 0.9)
        }
        #expect(action(error) == .pause(longest))
        #expect(action(APIError(.connection, "")) == .retry(after: longest / 2 + longest * 0.45))
        error.resetAt = now.addingTimeInterval(longest.seconds)
        #expect(action(error) == .pause(longest))
        var busy = APIError(.server, "", status: 503)
        busy.resetAt = now.addingTimeInterval(1e9)
        #expect(action(busy) == .retry(after: longest))
    }

    @Test func `a retry waits until the time that the server names`() {
        var error = APIError(.server, "", status: 503)
        error.resetAt = now.addingTimeInterval(120)
        #expect(action(error) == .retry(after: .seconds(120)))
        #expect(action(error, failures: 30) == .retry(after: .seconds(150)))
        error.resetAt = now.addingTimeInterval(-1)
        #expect(action(error) == .retry(after: .milliseconds(500)))
    }

    @Test func `a rate limit without a time lasts a minute, and longer if it is repeated`() {
        let error = APIError(.rateLimited, "", status: 429)
        #expect(action(error) == .pause(.seconds(60)))
        #expect(action(error, failures: 30) == .pause(.seconds(150)))
    }
}
