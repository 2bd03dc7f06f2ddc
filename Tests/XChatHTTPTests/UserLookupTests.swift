import Foundation
import TestSupport
import Testing
import XChatEvents
import XChatSandbox

@testable import XChatHTTP

/// Handles, and who has them on the server's word.
@Suite(.timeLimit(.minutes(1)))
struct UserLookupTests {
    private static func client(_ url: String) throws -> ChatClient {
        try ChatClient(api: url, token: Token("secret"), retries: .none)
    }

    private static func users(_ users: String) -> RawAnswer { .http(200, #"{"data":[\#(users)]}"#) }

    // MARK: Form

    @Test(
        "a handle has 1 to 15 letters, digits and underscores",
        arguments: ["a", "@Bob", "a_9", "abcdefghijklmno", "_"]
    )
    func validHandle(_ text: String) throws {
        let handle = try Handle(text)
        #expect(handle.description == "@" + text.drop { $0 == "@" })
    }

    @Test(
        "what is no handle is refused",
        arguments: [
            "", "@", "@@bob", "b b", "b-b", "abcdefghijklmnop", "bob\n", "b\u{0}b", "bob\u{301}", "b\u{200B}ob",
        ]
    )
    func invalidHandle(_ text: String) {
        #expect(throws: APIError.self) { try Handle(text) }
        #expect(Handle(ifValid: text) == nil)
    }

    @Test(
        "a look-alike of a letter is refused, and the error names its code point",
        arguments: [
            ("b\u{43E}b", "U+043E"), ("\u{FF42}ob", "U+FF42"), ("@b\u{1D428}b", "U+1D428"), ("b\u{131}b", "U+0131"),
        ]
    )
    func lookAlike(_ text: String, _ code: String) {
        let error = #expect(throws: APIError.self) { try Handle(text) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.detail.contains(code) == true)
        #expect(error?.detail.utf8.allSatisfy { $0 < 0x80 } == true, "it is printed in ASCII")
    }

    @Test func `handles are equal without regard to ASCII case`() throws {
        #expect(try Handle("@BOB") == Handle("bob"))
        #expect(try Set([Handle("Bob"), Handle("bOB")]).count == 1)
        #expect(try Handle("bob") != Handle("b0b"))
        #expect(try Handle("Bob").lowercased == "bob")
    }

    // MARK: Look-ups

    @Test func `users are found by handle and by id, and those who do not exist are left out`() async throws {
        let sandbox = Sandbox()
        try await sandbox.setUser(SandboxUser("2222:Bob"))
        try await sandbox.setUser(SandboxUser("3333:carol"))
        try await sandbox.serving { url in
            let client = try ChatClient(api: url.absoluteString, token: Token("sandbox-1111"))
            let users = try await client.users(handles: [Handle("bob"), Handle("CAROL"), Handle("dave")])
            #expect(users == [try Handle("bob"): "2222", try Handle("carol"): "3333"])
            let handles = try await client.handles(of: ["2222", "9999"])
            #expect(handles == ["2222": try Handle("bob")])
            #expect(handles["2222"]?.text == "Bob")
            #expect(try await client.users(handles: [Handle("dave")]).isEmpty)
            #expect(try await client.handles(of: ["9999"]).isEmpty)
        }
    }

    @Test func `more than 100 users are asked for in calls of 100`() async throws {
        try await RawServer.run(.http(200, #"{"errors":[{"title":"Not Found Error"}]}"#)) { server, url in
            let client = try Self.client(url)
            _ = try await client.handles(of: (1...201).map { UserID(String($0)) })
            _ = try await client.users(handles: (1...101).map { try Handle("u\($0)") })
            let counts = server.requests.map { request in
                request.split(separator: " ")[1].prefix { $0 != "&" }.components(separatedBy: "%2C").count
            }
            #expect(counts == [100, 100, 1, 100, 1])
            #expect(try await client.handles(of: []).isEmpty)
            #expect(server.requests.count == 5)
        }
    }

    @Test(
        "an answer by handle that contradicts the question is refused",
        arguments: [
            #"{"id":"2222","username":"eve"}"#, #"{"id":"2222"}"#, #"{"id":"2222","username":"b\u043eb"}"#,
            #"{"id":"x","username":"bob"}"#, #"{"id":"12345678901234567890","username":"bob"}"#,
            #"{"id":"2222","username":"bob"},{"id":"3333","username":"BOB"}"#,
            #"{"id":"2222","username":"bob"},{"id":"2222","username":"carol"}"#,
            #"{"username":"bob"}"#, #"{"id":2222,"username":"bob"}"#, #"{"id":"2222","username":"bob "}"#,
        ]
    )
    func contradictionByHandle(_ answer: String) async throws {
        try await RawServer.run(Self.users(answer)) { _, url in
            let code = await thrownCode {
                _ = try await Self.client(url).users(handles: [Handle("bob"), Handle("carol")])
            }
            #expect(code == .malformedResponse)
        }
    }

    @Test(
        "an answer by id that contradicts the question is refused",
        arguments: [
            #"{"id":"9999","username":"bob"}"#, #"{"id":"2222","username":"bob"},{"id":"3333","username":"bOb"}"#,
            #"{"id":"2222","username":"bob"},{"id":"2222","username":"carol"}"#, #"{"id":"","username":"bob"}"#,
        ]
    )
    func contradictionByID(_ answer: String) async throws {
        try await RawServer.run(Self.users(answer)) { _, url in
            let code = await thrownCode { _ = try await Self.client(url).handles(of: ["2222", "3333"]) }
            #expect(code == .malformedResponse)
        }
    }

    @Test func `a user whose handle has another form has none`() async throws {
        let answer = #"{"id":"2222","username":"\u001b[31mbob"},{"id":"3333","username":"carol"},{"id":"4444"}"#
        try await RawServer.run(Self.users(answer)) { _, url in
            let handles = try await Self.client(url).handles(of: ["2222", "3333", "4444"])
            #expect(handles == ["3333": try Handle("carol")])
        }
    }

    @Test(
        "a look-up that failed is not taken for users who do not exist",
        arguments: [
            .http(200, #"{"errors":[{"title":"Forbidden","status":403}]}"#), .http(403, "{}"), .http(500, "{}"),
            .http(429, "{}"), .http(200, "[]"), .bytesAndClose(""),
        ] as [RawAnswer]
    )
    func failure(_ answer: RawAnswer) async throws {
        try await RawServer.run(answer) { _, url in
            #expect(await thrownCode { _ = try await Self.client(url).handles(of: ["2222"]) } != nil)
            #expect(await thrownCode { _ = try await Self.client(url).users(handles: [Handle("bob")]) } != nil)
        }
    }
}
