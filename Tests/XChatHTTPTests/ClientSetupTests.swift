import TestSupport
import Testing
import XChatEvents

@testable import XChatHTTP

/// Invalid arguments are rejected before anything is sent.
struct ClientSetupTests {
    private func code(api: String) throws -> APIError.Code? {
        let token = try Token("t")
        return thrownCode { _ = try ChatClient(api: api, token: token) }
    }

    @Test(
        "accepts https to any host and http to this machine",
        arguments: [
            "https://api.x.com", "https://api.x.com/", "HTTPS://api.x.com:8443/x/y", "http://127.0.0.1:8080",
            "http://127.255.1.9", "http://localhost:1", "http://LOCALHOST", "http://[::1]:80",
        ]
    )
    func taken(_ api: String) throws {
        #expect(try code(api: api) == nil)
    }

    @Test(
        "rejects plain http to another machine",
        arguments: [
            "http://api.x.com", "http://10.0.0.1", "http://127.0.0.1.evil.example", "http://127.1", "http://2130706433",
            "http://0x7f.0.0.1", "http://128.0.0.1", "http://0.0.0.0", "http://[::]", "http://[::ffff:127.0.0.1]",
            "http://localhost.evil.example", "http://127.0.0.256", "http://127.00.0.1", "http://[fe80::1]",
            "http://127.0.0.1.", "http://localhost.",
        ]
    )
    func insecure(_ api: String) throws {
        #expect(try code(api: api) == .insecureTransport)
    }

    @Test(
        "rejects an invalid base URL",
        arguments: [
            "", "api.x.com", "ftp://api.x.com", "https://", "https:///path", "https://user:pw@api.x.com",
            "http://127.0.0.1@evil.example", #"http://127.0.0.1\@evil.example"#, "http://127.0.0.1#@evil.example",
            "https://api.x.com?x=1", "https://api.x.com/#f", "https://api x.com", "https://api.x.com\n",
            "http+unix://%2Ftmp%2Fsocket", "https://api.x.com:0", "https://api.x.com:99999", "https://ex\u{e4}mple.com",
        ]
    )
    func invalid(_ api: String) throws {
        #expect(try code(api: api) == .invalidArgument)
    }

    @Test(
        "rejects a token that is invalid in a header",
        arguments: ["", "a b", "a\nb", "a\r\nX: y", "ä", "\u{7f}"]
    )
    func token(_ text: String) {
        #expect(thrownCode { _ = try Token(text) } == .invalidArgument)
    }

    @Test func `no description of a token contains it`() throws {
        let token = try Token("s3cr3t")
        var dumped = ""
        dump(token, to: &dumped)
        dump(try ChatClient(token: token), to: &dumped)
        for text in ["\(token)", String(reflecting: token), "\([token])", "\(Optional(token) as Any)", dumped] {
            #expect(!text.contains("s3cr3t"))
        }
    }

    @Test(
        "accepts the three forms of a conversation target",
        arguments: [
            ("2222", "2222"), ("1111-2222", "1111-2222"), ("1111:2222", "1111-2222"), ("2222-1111", "2222-1111"),
            ("g1", "g1"), ("1234567890123456789", "1234567890123456789"), ("0", "0"),
        ]
    )
    func target(_ text: String, _ path: String) throws {
        #expect(try ConversationTarget(WireString(text)).pathComponent == path)
    }

    @Test(
        "rejects any other conversation target",
        arguments: [
            "", "-", "1-", "-1", "1-2-3", "1:2:3", "g", "gg1", "G1", "g1-2", "1/2", "../1", "1?x", "1%2F2", "a", "1 ",
            "12345678901234567890", "1\u{301}", "\u{0661}", "1-\u{0662}", "1\n", "-1-2", "+1",
        ]
    )
    func badTarget(_ text: String) {
        #expect(thrownCode { _ = try ConversationTarget(WireString(text)) } == .invalidArgument)
    }

    @Test(
        "rejects a user id that is not digits",
        arguments: ["", "1-2", "g1", "../1", "1\u{301}", "12345678901234567890"]
    )
    func userID(_ text: String) async throws {
        let client = try ChatClient(api: "http://127.0.0.1:1", token: Token("t"))
        #expect(await thrownCode { _ = try await client.publicKeys(of: UserID(text)) } == .invalidArgument)
    }

    @Test("rejects a page size outside 1 to 100", arguments: [0, -1, 101])
    func pageSize(_ size: Int) async throws {
        let client = try ChatClient(api: "http://127.0.0.1:1", token: Token("t"))
        #expect(
            await thrownCode { _ = try await client.events(in: ConversationTarget("1"), maxResults: size) }
                == .invalidArgument
        )
    }
}
