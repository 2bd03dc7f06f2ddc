import Foundation
import NIOHTTP1
import Testing

@testable import XChatHTTP

/// The decision after a failed attempt, without a socket and without a clock.
struct RetryStateTests {
    private let now = Date(timeIntervalSince1970: 1_000_000)
    private let policy = RetryPolicy(attempts: 4, budget: .seconds(120))

    private func error(_ status: Int?, _ code: APIError.Code, resetIn seconds: Double? = nil) -> APIError {
        var error = APIError(code, "x", status: status)
        error.resetAt = seconds.map { now.addingTimeInterval($0) }
        return error
    }

    /// The decisions after the same failure, repeatedly.
    private func actions(
        _ error: APIError,
        isRepeatable: Bool = true,
        jitter: Double = 1,
        policy: RetryPolicy? = nil
    ) -> [RetryState.Action] {
        var state = RetryState(policy: policy ?? self.policy, isRepeatable: isRepeatable)
        var actions: [RetryState.Action] = []
        repeat {
            actions.append(state.failed(error, elapsed: .zero, now: now, jitter: jitter))
        } while actions.last != .fail && actions.count < 20
        return actions
    }

    @Test(
        "transient errors are retried with pauses that double",
        arguments: [500, 502, 503, 504, 599, nil, 408, 425]
    )
    func doubling(_ status: Int?) {
        let error = error(status, status.map { APIError.Code(status: $0) ?? .server } ?? .connection)
        #expect(
            actions(error) == [
                .retry(after: .milliseconds(250)), .retry(after: .milliseconds(500)), .retry(after: .seconds(1)), .fail,
            ]
        )
    }

    @Test func `jitter shortens a pause by at most half`() {
        #expect(actions(error(500, .server), jitter: 0).first == .retry(after: .milliseconds(125)))
        #expect(actions(error(500, .server), jitter: -7).first == .retry(after: .milliseconds(125)))
        #expect(actions(error(500, .server), jitter: 7).first == .retry(after: .milliseconds(250)))
    }

    @Test func `no pause exceeds the longest`() {
        let policy = RetryPolicy(attempts: 15, budget: .seconds(3600))
        let last = actions(error(500, .server), policy: policy).dropLast().last
        #expect(last == .retry(after: .seconds(16)))
    }

    @Test(
        "other 4xx are not retried",
        arguments: [400, 403, 404, 409, 413, 418, 499]
    )
    func never(_ status: Int) {
        let code = APIError.Code(status: status) ?? .invalidRequest
        #expect(actions(error(status, code)) == [.fail])
        #expect(actions(error(status, code, resetIn: 1)) == [.fail])
    }

    @Test(
        "errors that are not transient are not retried",
        arguments: [
            APIError.Code.malformedResponse, .tooLarge, .redirected, .failureEvent, .cancelled, .invalidArgument,
            .insecureTransport, .refused,
        ]
    )
    func decided(_ code: APIError.Code) {
        #expect(actions(error(code == .failureEvent ? 201 : nil, code)) == [.fail])
    }

    @Test func `a call that is not repeatable is retried only after a 429`() {
        #expect(actions(error(nil, .connection), isRepeatable: false) == [.fail])
        #expect(actions(error(nil, .timedOut), isRepeatable: false) == [.fail])
        #expect(actions(error(503, .server), isRepeatable: false) == [.fail])
        #expect(actions(error(408, .invalidRequest), isRepeatable: false) == [.fail])
        #expect(actions(error(200, .rateLimited, resetIn: 3), isRepeatable: false) == [.fail])
        #expect(actions(error(429, .rateLimited, resetIn: 3), isRepeatable: false).count == 4)
    }

    @Test func `waits for the reset of a rate limit`() {
        #expect(actions(error(429, .rateLimited, resetIn: 30)).first == .retry(after: .seconds(31)))
        #expect(actions(error(429, .rateLimited, resetIn: -500)).first == .retry(after: .seconds(1)))
        #expect(actions(error(429, .rateLimited, resetIn: -500), jitter: 0).first == .retry(after: .seconds(0.1)))
    }

    @Test func `does not wait for a rate limit of 24 hours`() {
        #expect(actions(error(429, .rateLimited, resetIn: 40_000)) == [.fail])
        #expect(actions(error(429, .rateLimited, resetIn: 1e15)) == [.fail])
    }

    @Test func `waits a minute, then longer, for a rate limit without a time`() {
        let policy = RetryPolicy(attempts: 4, budget: .seconds(3600))
        #expect(
            actions(error(429, .rateLimited), policy: policy) == [
                .retry(after: .seconds(60)), .retry(after: .seconds(120)), .retry(after: .seconds(240)), .fail,
            ]
        )
    }

    @Test func `waits as long as the server asks`() {
        #expect(actions(error(503, .server, resetIn: 40)).first == .retry(after: .seconds(40)))
        #expect(actions(error(503, .server, resetIn: 400)) == [.fail])
    }

    @Test func `fails at once if a pause would exceed the budget`() {
        var state = RetryState(policy: policy, isRepeatable: true)
        let failure = error(500, .server)
        #expect(state.failed(failure, elapsed: .milliseconds(119_751), now: now, jitter: 1) == .fail)
        state = RetryState(policy: policy, isRepeatable: true)
        #expect(
            state.failed(failure, elapsed: .milliseconds(119_749), now: now, jitter: 1)
                == .retry(after: .milliseconds(250))
        )
    }

    @Test func `a refused token is renewed once without counting as an attempt`() {
        var state = RetryState(policy: RetryPolicy(attempts: 2), isRepeatable: false)
        let refusal = error(401, .unauthorized)
        #expect(state.failed(refusal, elapsed: .zero, now: now, jitter: 0) == .refreshToken)
        #expect(state.attempts == 0)
        #expect(state.failed(refusal, elapsed: .zero, now: now, jitter: 0) == .fail)
    }

    @Test func `a policy of one attempt does not retry`() {
        #expect(actions(error(500, .server), policy: RetryPolicy.none) == [.fail])
        #expect(actions(error(429, .rateLimited, resetIn: 0), policy: RetryPolicy.none) == [.fail])
    }

    // MARK: What servers say about time

    @Test(
        "Retry-After is read as seconds and in the three date forms of HTTP, with white space around it",
        arguments: [
            ("120", 120.0), ("0", 0), ("Mon, 12 Jan 1970 13:46:45 GMT", 5), ("soon", nil), ("-5", nil), ("", nil),
            ("1e9", nil), ("99999999999999999999", nil), (String(repeating: "1", count: 65), nil),
            ("120 ", 120), (" 120\t ", 120), ("1 20", nil), ("Mon, 12 Jan 1970 13:46:45 GMT \t", 5),
            ("Monday, 12-Jan-70 13:46:45 GMT", 5), ("Mon Jan 12 13:46:45 1970", 5), ("Mon Jan 12 13:46:45 1970 ", 5),
            ("Fri Jan  2 00:00:00 1970", -913_600), ("Thursday, 01-Jan-76 00:00:00 GMT", 188_302_400),
            ("Mon, 12 Jan 1970 13:46:60 GMT", nil), ("Mon, 32 Jan 1970 13:46:45 GMT", nil),
            ("Monday, 12-Jan-70 13:46:45", nil), ("Mon, 12 Jan 1970 13:46:45 CET", nil),
            ("Mon, 29 Feb 1971 13:46:45 GMT", nil), ("Mon, 12 Jan 1970 24:46:45 GMT", nil),
            ("Mon, 12 Jan 1970 13:46 GMT", nil), ("Mon, 12 jan 1970 13:46:45 GMT", nil),
            ("Xyz, 12 Jan 1970 13:46:45 GMT", nil), ("Monday, 12-Jan-1970 13:46:45 GMT", nil),
            // `DateFormatter` ends the process for these.
            ("Su\u{30F}0  GMV", nil), ("Mon, 12 Jan 1970 13:46:45 GMT\u{30F}", nil),
        ] as [(String, Double?)]
    )
    func retryAfter(_ text: String, _ seconds: Double?) {
        let date = RateLimit.retryAfter(in: HTTPHeaders([("retry-after", text)]), now: now)
        #expect(date?.timeIntervalSince(now) == seconds)
    }

    @Test func `a year of two digits is at most 50 years ahead`() {
        // 2026-11-27.
        let now = Date(timeIntervalSince1970: 1_795_737_600)
        func year(_ text: String) -> Int? {
            RateLimit.retryAfter(in: ["retry-after": text], now: now).map {
                var calendar = Calendar(identifier: .gregorian)
                calendar.timeZone = .gmt
                return calendar.component(.year, from: $0)
            }
        }
        #expect(year("Sunday, 06-Nov-94 08:49:37 GMT") == 1994)
        #expect(year("Saturday, 28-Nov-26 08:49:37 GMT") == 2026)
        #expect(year("Friday, 06-Nov-76 08:49:37 GMT") == 2076)
        #expect(year("Saturday, 06-Nov-77 08:49:37 GMT") == 1977)
    }

    @Test func `the later of Retry-After and the rate limit reset counts`() throws {
        let headers = HTTPHeaders([("x-rate-limit-reset", "1000100"), ("Retry-After", "7")])
        let token = try Token("t")
        func reset(_ status: Int) -> Double? {
            APIError(refusal: APIResponse(status: status, headers: headers), token: token, now: now)
                .resetAt?.timeIntervalSince(now)
        }
        #expect(reset(429) == 100)
        #expect(reset(503) == 7)
    }
}
