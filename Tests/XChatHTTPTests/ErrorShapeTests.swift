import Foundation
import NIOHTTP1
import TestSupport
import Testing

@testable import XChatHTTP

/// All forms of X's error answers decode to `APIError`.
struct ErrorShapeTests {
    private let token: Token

    init() throws {
        token = try Token("secret-token")
    }

    private func refusal(_ status: Int, _ body: String, headers: HTTPHeaders = [:]) throws -> APIError {
        let response = APIResponse(status: status, headers: headers, body: Data(body.utf8))
        do throws(APIError) {
            _ = try Success(response, token: token)
        } catch {
            return error
        }
        throw NotRefused()
    }

    private struct NotRefused: Error {}

    @Test(
        "decodes problems of any host with any subset of members",
        arguments: ["x.com", "api.twitter.com", "example.com"]
    )
    func problem(_ host: String) throws {
        let type = "https://\(host)/2/problems/resource-not-found"
        let error = try refusal(
            404,
            #"{"type":"\#(type)","title":"Not Found Error","detail":"no","resource_type":"user"}"#
        )
        #expect(error.code == .notFound)
        #expect(error.status == 404)
        #expect(error.problem == "resource-not-found")
        #expect(error.detail == "Not Found Error: no")
        let bare = try refusal(404, #"{"type":"\#(type)"}"#)
        #expect(bare.problem == "resource-not-found")
        #expect(bare.detail == "the server gives no reason")
    }

    @Test func `an enrolment problem keeps its reason`() throws {
        let error = try refusal(
            403,
            #"""
            {"title":"Client Forbidden","type":"https://api.twitter.com/2/problems/client-forbidden",
            "reason":"client-not-enrolled","client_id":"1","registration_url":"https://developer.x.com",
            "detail":"When authenticating requests you must use keys from an app."}
            """#
        )
        #expect(error.code == .forbidden)
        #expect(error.problem == "client-forbidden")
        #expect(error.detail.contains("client-not-enrolled"))
    }

    @Test func `decodes an error with code and message`() throws {
        let error = try refusal(400, #"{"code":25,"message":"bad query"}"#)
        #expect(error.code == .invalidRequest)
        #expect(error.detail == "bad query")
        #expect(error.problem == nil)
    }

    @Test func `decodes a list of errors with code and message`() throws {
        let error = try refusal(
            429,
            #"{"errors":[{"code":88,"message":"Rate limit exceeded"}]}"#,
            headers: ["X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "1800000000"]
        )
        #expect(error.code == .rateLimited)
        #expect(error.detail == "Rate limit exceeded")
        #expect(error.resetAt == Date(timeIntervalSince1970: 1_800_000_000))
    }

    @Test func `decodes a list of problems`() throws {
        let error = try refusal(400, #"{"errors":[{"type":"about:blank","title":"Bad","detail":"Bad"}],"title":7}"#)
        #expect(error.code == .invalidRequest)
        #expect(error.problem == "about:blank")
        #expect(error.detail == "Bad")
    }

    @Test(
        "without a usable body the status decides",
        arguments: [
            "", "<html><h1>502 Bad Gateway</h1></html>", "null", "[]", "{}", "7", #"{"errors":"x"}"#, "\u{FEFF}",
        ]
    )
    func noReason(_ body: String) throws {
        for (status, code) in [
            (400, APIError.Code.invalidRequest), (401, .unauthorized), (403, .forbidden), (404, .notFound),
            (409, .invalidRequest), (413, .invalidRequest), (418, .invalidRequest), (429, .rateLimited), (500, .server),
            (502, .server), (503, .server), (599, .server), (100, .malformedResponse), (600, .malformedResponse),
        ] {
            let error = try refusal(status, body)
            #expect(error.code == code)
            #expect(error.status == status)
            #expect(error.detail == "the server gives no reason")
        }
    }

    @Test func `the latest reset among the exhausted windows counts`() throws {
        let headers: HTTPHeaders = [
            "x-rate-limit-remaining": "10", "x-rate-limit-reset": "1900000000",
            "x-user-limit-24hour-remaining": "0", "x-user-limit-24hour-reset": "1800000000",
            "x-app-limit-24hour-remaining": "0", "x-app-limit-24hour-reset": "1700000000",
        ]
        #expect(try refusal(429, "", headers: headers).resetAt == Date(timeIntervalSince1970: 1_800_000_000))
    }

    @Test(
        "ignores a reset that is not a time",
        arguments: ["", "-1", "x", "999999999999", "99999999999999", "1e9", "1 2", "+5"]
    )
    func badReset(_ value: String) throws {
        #expect(try refusal(429, "", headers: ["x-rate-limit-reset": value]).resetAt == nil)
    }

    @Test func `white space around the value of a header is not part of it`() throws {
        let headers = HTTPHeaders([
            ("x-rate-limit-remaining", "0 "), ("x-rate-limit-reset", " 1800000000\t"),
            ("x-user-limit-24hour-remaining", "10"), ("x-user-limit-24hour-reset", "1900000000"),
        ])
        #expect(try refusal(429, "", headers: headers).resetAt == Date(timeIntervalSince1970: 1_800_000_000))
        #expect(try refusal(302, "", headers: ["location": "https://a.example/ "]).detail.contains("host a.example;"))
    }

    @Test func `a rate limit says until when`() throws {
        let error = try refusal(429, #"{"title":"Too Many Requests"}"#, headers: ["x-rate-limit-reset": "4000000020"])
        #expect(error.detail == "Too Many Requests")
        let until = Date(timeIntervalSince1970: 4_000_000_020)
        let parts = Calendar(identifier: .gregorian).dateComponents(in: .current, from: until)
        func two(_ number: Int?) -> String { String(format: "%02d", number ?? -1) }
        let time = "\(two(parts.year))-\(two(parts.month))-\(two(parts.day)) \(two(parts.hour)):\(two(parts.minute)):00"
        let offset = TimeZone.current.secondsFromGMT(for: until)
        let zone = "\(offset < 0 ? "-" : "+")\(two(abs(offset) / 3600)):\(two(abs(offset) / 60 % 60))"
        #expect(error.description == "429 rate_limited: Too Many Requests; not before \(time) \(zone)")
        #expect(try refusal(503, "", headers: ["retry-after": "60"]).description.contains("; not before 2"))
        #expect(!(try refusal(429, "").description.contains("before")))
        #expect(!(try refusal(429, "", headers: ["x-rate-limit-reset": "1"]).description.contains("before")))
    }

    @Test func `a text is bounded, on one line and free of control characters`() throws {
        let long = #"{"title":"a\n\u001b[31m\u202e\u2028b","detail":"\#(String(repeating: "x", count: 5000))"}"#
        let error = try refusal(400, long)
        #expect(error.detail.hasPrefix(#"a\u{A}\u{1B}[31m\u{202E}\u{2028}b: xxx"#))
        #expect(error.detail.unicodeScalars.count < 400)
        #expect(error.detail.hasSuffix("…"))
    }

    @Test(
        "does not repeat a malformed problem type",
        arguments: ["javascript:alert(1)", "https://x/\\u001b[0m", "", "/"]
    )
    func oddType(_ type: String) throws {
        #expect(try refusal(400, #"{"type":"\#(type)","title":"t"}"#).problem == nil)
    }

    @Test("removes an echoed token from every member", arguments: ["title", "detail", "message", "reason"])
    func echo(_ member: String) throws {
        let filler = String(repeating: "x", count: 290)
        for text in ["secret-token", "Bearer secret-token!", filler + "secret-token", "secret-token\u{301}"] {
            let error = try refusal(400, #"{"\#(member)":"\#(text)"}"#)
            #expect(!error.description.contains("secret"))
        }
    }

    @Test func `a redirect error names only the host`() throws {
        for (location, expected) in [
            ("https://evil.example/x?token=1#f", "to the host evil.example;"), ("/login?x=1", "to this host;"),
            ("https://user:pw@evil.example:444/", "to the host evil.example;"), ("\u{1b}[31m", "to this host;"),
            ("https://secret-token/", "to the host <token>;"),
        ] {
            let error = try refusal(302, "{}", headers: ["location": location])
            #expect(error.code == .redirected)
            #expect(error.detail.contains(expected), "\(error.detail)")
            #expect(!error.detail.contains("?"))
        }
        #expect(try refusal(304, "").code == .redirected)
    }

    // MARK: A status of success

    private struct Payload: Decodable, Equatable {
        let value: String
    }

    private func data(_ body: String) throws(APIError) -> Payload {
        try Success(APIResponse(status: 200, body: Data(body.utf8)), token: token).data(Payload.self)
    }

    @Test func `data takes precedence over errors`() throws {
        let success = try Success(
            APIResponse(status: 200, body: Data(#"{"data":{"value":"v"},"errors":[{"title":"partly"}]}"#.utf8)),
            token: token
        )
        #expect(try success.data(Payload.self) == Payload(value: "v"))
    }

    @Test(
        "errors without data are an error even with a successful status",
        arguments: [
            (#"{"errors":[{"type":"https://api.x.com/2/problems/resource-not-found","title":"t"}]}"#, "not_found"),
            (#"{"errors":[{"type":"x/not-authorized-for-resource","title":"t"}]}"#, "forbidden"),
            (#"{"errors":[{"type":"x/unsupported-authentication"}]}"#, "unauthorized"),
            (#"{"errors":[{"type":"x/usage-capped"}]}"#, "rate_limited"),
            (#"{"errors":[{"type":"x/internal-error"}],"data":null}"#, "server"),
            (#"{"errors":[{"code":88,"message":"m"}]}"#, "rate_limited"),
            (#"{"errors":[{"code":89,"message":"m"}]}"#, "unauthorized"),
            (#"{"errors":[{"status":503,"title":"t"}]}"#, "server"),
            (#"{"errors":[{"message":"m"}]}"#, "invalid_request"),
            (#"{"errors":[]}"#, "malformed_response"), (#"{}"#, "malformed_response"),
            (#"{"data":null}"#, "malformed_response"), (#"{"data":{"value":7}}"#, "malformed_response"),
        ]
    )
    func errorsAlone(_ body: String, _ code: String) {
        #expect(thrownCode { _ = try data(body) }?.rawValue == code)
    }

    @Test func `the error names the path of a missing member`() {
        for (body, place) in [
            (#"{"data":{}}"#, "data.value is missing"), (#"{"data":{"value":null}}"#, "data.value is null"),
            (#"{"data":{"value":7}}"#, "data.value has the wrong type"), ("secret-input", "the answer is not JSON"),
        ] {
            do throws(APIError) {
                _ = try data(body)
                Issue.record("\(body) was taken")
            } catch {
                #expect(error.detail == place)
            }
        }
    }
}
