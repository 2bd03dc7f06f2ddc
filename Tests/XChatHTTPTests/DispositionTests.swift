import Foundation
import Testing
import XChatEvents

@testable import XChatHTTP

/// What each error means for the next call.
struct DispositionTests {
    private let date = Date(timeIntervalSince1970: 1_000_000)

    private func disposition(
        _ code: APIError.Code,
        status: Int? = nil,
        problem: String? = nil,
        failure: Int32? = nil
    ) -> APIError.Disposition {
        var error = APIError(code, "x", status: status)
        error.problem = problem
        error.failure = failure.map { FailureType(rawValue: $0) }
        error.resetAt = date
        return error.disposition
    }

    @Test(
        "a failure of the network or the server is transient",
        arguments: [APIError.Code.connection, .timedOut, .server]
    )
    func transient(_ code: APIError.Code) {
        #expect(disposition(code) == .transient(retryAt: date))
        #expect(APIError(code, "x").disposition == .transient(retryAt: nil))
    }

    @Test(
        "408 and 425 are transient, other refusals of the request are final",
        arguments: [400, 405, 408, 409, 413, 425]
    )
    func requests(_ status: Int) {
        let isTransient = [408, 425].contains(status)
        #expect(disposition(.invalidRequest, status: status) == (isTransient ? .transient(retryAt: date) : .final))
    }

    @Test func `a rate limit carries its end`() {
        #expect(disposition(.rateLimited, status: 429) == .rateLimited(until: date))
        #expect(APIError(.rateLimited, "x").disposition == .rateLimited(until: nil))
    }

    @Test(
        "a refusal of the token, the app or the API stops everything",
        arguments: [APIError.Code.unauthorized, .insecureTransport, .redirected, .cancelled]
    )
    func stop(_ code: APIError.Code) {
        #expect(disposition(code) == .stop)
    }

    @Test("a 403 is final unless it concerns the app or the number of streams")
    func forbidden() {
        #expect(disposition(.forbidden) == .final)
        #expect(disposition(.forbidden, problem: "not-authorized-for-resource") == .final)
        for problem in ["client-forbidden", "usage-capped", "unsupported-authentication"] {
            #expect(disposition(.forbidden, problem: problem) == .stop)
        }
        #expect(disposition(.forbidden, problem: "streaming-connection") == .transient(retryAt: date))
    }

    @Test func `of the failure events 6 asks for a newer key, 2 and 4 may pass, and the others are final`() {
        for type: Int32 in -1...20 {
            let expected: APIError.Disposition =
                switch type {
                case 6: .staleKey
                case 2, 4: .unclear(retryAt: date)
                default: .final
                }
            #expect(disposition(.failureEvent, failure: type) == expected, "failure \(type)")
        }
        #expect(disposition(.failureEvent) == .final)
    }

    @Test(
        "an error that another attempt cannot change is final",
        arguments: [APIError.Code.invalidArgument, .notFound, .refused, .file, .authenticationFailed]
    )
    func final(_ code: APIError.Code) {
        #expect(disposition(code) == .final)
    }

    @Test func `the token of another user stops all calls`() {
        #expect(disposition(.wrongUser) == .stop)
    }

    @Test(
        "an answer that cannot be read, and an unknown code, are unclear",
        arguments: [APIError.Code.malformedResponse, .tooLarge, .init(rawValue: "a code of tomorrow")]
    )
    func unclear(_ code: APIError.Code) {
        #expect(disposition(code) == .unclear(retryAt: date))
        #expect(APIError(code, "x").mayPass)
    }
}
