import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Testing
import XChatEngine
import XChatEvents

@testable import XChatSandbox

/// The live page, and its protection against other origins; the interop tests open it in a browser.
@Suite(.timeLimit(.minutes(1)))
struct PageTests {
    @Test func `the view has users, conversations and events, and nothing that is encrypted`() async throws {
        let sandbox = Sandbox()
        try await Router.test(sandbox) { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            try await alice.start(with: bob, at: router)
            let body = Member.body(of: try alice.seal("a secret text", to: bob))
            _ = try await router.ask(.post, "/2/chat/conversations/2222/messages", user: "1111", json: body)
            let answer = try await router.ask(.get, "/sandbox.json", authorization: nil)
            #expect(answer.status == 200)
            #expect(answer.header("cross-origin-resource-policy") == "same-origin")
            #expect(answer.header("access-control-allow-origin") == nil)
            let view = try answer.json
            #expect((view["users"] as? [[String: Any]])?.map { $0["id"] as? String } == ["2222", "1111"])
            #expect((view["users"] as? [[String: Any]])?.last?["handle"] as? String == "@user1111")
            let conversation = try #require((view["conversations"] as? [[String: Any]])?.first)
            #expect(conversation["id"] as? String == "1111:2222")
            #expect(conversation["members"] as? Int == 2)
            let events = try #require(view["events"] as? [[String: Any]])
            #expect(events.map { $0["kind"] as? String } == ["Message", "New conversation key"])
            #expect(events[0]["sender"] as? String == "1111")
            #expect((events[0]["signature"] as? String)?.contains("public key \(alice.version)") == true)
            #expect((events[0]["hidden"] as? String)?.contains("The text") == true)
            let stored = try await sandbox.storedEvents(in: .oneToOne("1111", "2222"))
            guard case .messageCreateEvent(let create) = stored.last?.detail else {
                Issue.record("no message is stored")
                return
            }
            let ciphertext = Base64.encode(Array((create.contents ?? []).prefix(45)))
            #expect((events[0]["held"] as? String)?.hasPrefix(ciphertext) == true)
            #expect(answer.body.firstRange(of: Data("a secret text".utf8)) == nil)
        }
    }

    @Test func `the view is bounded and shows control characters as escapes`() async throws {
        try await Router.test { router in
            var alice = try await Member("1111", .sodium, at: router)
            let bob = try await Member("2222", .sodium, at: router)
            let title = "\u{202E}<img src=x>\u{1B}[2J" + String(repeating: "x", count: 5000)
            var draft = GroupDraft(members: ["1111", "2222"], admins: ["1111"])
            draft.title = title
            let group = try await alice.group(draft, of: [bob], at: router)
            let made = try await router.ask(.post, "/2/chat/conversations/group", user: "1111", json: group.body)
            #expect(made.status == 201)
            try await alice.start(with: bob, at: router)
            for number in 0..<60 {
                let body = Member.body(of: try alice.seal("\(number)", to: bob))
                _ = try await router.ask(.post, "/2/chat/conversations/2222/messages", user: "1111", json: body)
            }
            let answer = try await router.ask(.get, "/sandbox.json", authorization: nil)
            #expect((try answer.json["events"] as? [Any])?.count == 50)
            #expect(try answer.json["event_count"] as? Int == 63)
            let titles = (try answer.json["conversations"] as? [[String: Any]] ?? []).map {
                $0["title"] as? String ?? ""
            }
            #expect(titles.contains { $0.hasPrefix("\\u{202E}<img src=x>\\u{1B}[2J") && $0.utf8.count <= 103 })
            #expect(answer.body.count < 100_000)
        }
    }

    @Test func `the page loads only from this server`() async throws {
        try await Router.test { router in
            let page = try await router.ask(.get, "/", authorization: nil)
            let policy = try #require(page.header("content-security-policy"))
            #expect(policy.hasPrefix("default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"))
            #expect(policy.contains("frame-ancestors 'none'"))
            #expect(!policy.contains("unsafe"))
            let text = String(decoding: page.body, as: UTF8.self)
            #expect(text.contains("<html lang=\"en\">"))
            for match in text.matches(of: /(?:src|href)="([^"]*)"/) {
                #expect(Routes.pages.contains(String(match.1)))
                let asset = try await router.ask(.get, String(match.1), authorization: nil)
                #expect(asset.status == 200)
                #expect(asset.header("x-content-type-options") == "nosniff")
            }
        }
    }

    @Test func `faults and limits spare the pages`() async throws {
        let faults = try SandboxFaults("http500=1,rate-limit=1/60")
        try await Router.test(Sandbox(faults: faults)) { router in
            for path in ["/", "/sandbox.json", "/sandbox.json"] {
                let answer = try await router.ask(.get, path, authorization: nil)
                #expect(answer.status == 200)
            }
            #expect(try await SignIn(router).page().status == 200)
            #expect(try await router.ask(.get, "/2/users/me", user: "1111").status == 500)
        }
    }

    @Test("a page of another origin does not get the view", arguments: ["cross-site", "same-site"])
    func crossOrigin(_ site: String) async throws {
        let status = try await Self.status(of: "/sandbox.json", headers: ["sec-fetch-site": site])
        #expect(status == 403)
        #expect(try await Self.status(of: "/sandbox.json", headers: ["sec-fetch-site": "same-origin"]) == 200)
    }

    @Test(
        "on a loopback address, only names of this machine are answered",
        arguments: [
            ("127.0.0.1", 200), ("localhost:8080", 200), ("[::1]:8080", 200), ("127.1.2.3:1", 200),
            ("example.com", 421), ("127.0.0.1.example.com", 421), ("example.com:80", 421),
            ("127.0.0.1@example.com", 421),
            ("", 421),
        ]
    )
    func host(_ authority: String, _ status: Int) async throws {
        for path in ["/", "/sandbox.json", "/2/users/me"] {
            #expect(try await Self.status(of: path, authority: authority) == status, "\(path)")
        }
        #expect(try await Self.status(of: "/", authority: authority, listeningOn: "0.0.0.0") == 200)
    }

    private static func status(
        of path: String,
        authority: String = "localhost",
        headers: [String: String] = [:],
        listeningOn host: String = "127.0.0.1"
    ) async throws -> Int {
        let sandbox = Sandbox(host: host)
        let routes = Routes(state: try SandboxState(at: nil, faults: sandbox.faults), isLoopback: host == "127.0.0.1")
        var fields: HTTPFields = [.authorization: "Bearer sandbox-1111"]
        for (name, value) in headers { fields[name] = value }
        let head = HTTPRequest(method: .get, scheme: "http", authority: authority, path: path, headerFields: fields)
        let source = ApplicationRequestContextSource(channel: NIOAsyncTestingChannel(), logger: Logger(label: "test"))
        let request = Request(head: head, body: RequestBody(buffer: .init()))
        let response = try await routes.router().buildResponder()
            .respond(to: request, context: SandboxContext(source: source))
        return response.status.code
    }
}
