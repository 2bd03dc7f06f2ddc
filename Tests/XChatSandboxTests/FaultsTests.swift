import Foundation
import Hummingbird
import Testing
import XChatEngine
import XChatEvents

@testable import XChatSandbox

/// The faults that the sandbox injects, and the variants of X's answers that it serves.
@Suite(.timeLimit(.minutes(1)))
struct FaultsTests {
    private static let path = "/2/chat/conversations/2222"

    // MARK: Options

    @Test func `options are read as they are written`() throws {
        #expect(try SandboxFaults("") == SandboxFaults())
        let faults = try SandboxFaults(
            "drop=0.1,http429=0.2,http500=0.05,http502=1,http503=0,delay=10ms-2s,rate-limit=100/60,failure-event=6:0.5,"
                + "send-status=200,repeat=400,empty=absent,history=bare,key-events=first,errors=codes,activity=guide,members=bare,"
                + "keep-alive=50ms,segment-bytes=1024,group-members=3,registrations=2,disconnect=0.2,garble=0.1,duplicate=0.3,"
                + "reorder=0.4,seed=7"
        )
        #expect((faults.drop, faults.http429, faults.http500, faults.http502) == (0.1, 0.2, 0.05, 1))
        #expect(try SandboxFaults("lose=2").lostAnswers == 2)
        #expect(try SandboxFaults("lose-refresh=3").lostRefreshes == 3)
        #expect(try SandboxFaults("token-lifetime=60").tokenLifetime == 60)
        #expect(faults.delay == .milliseconds(10) ... .seconds(2))
        #expect(faults.rateLimit == .init(requests: 100, seconds: 60))
        #expect(faults.failureEvent == .init(.nonLatestCkeyVersion, probability: 0.5))
        #expect((faults.sendStatus, faults.repeats, faults.empty) == (200, .refused, .absent))
        #expect((faults.history, faults.keyEvents, faults.errors) == (.bare, .first, .codes))
        #expect((faults.activity, faults.members, faults.keepAlive) == (.guide, .bare, .milliseconds(50)))
        #expect((faults.segmentBytes, faults.groupMembers, faults.registrations) == (1024, 3, 2))
        #expect((faults.disconnect, faults.duplicate, faults.reorder, faults.seed) == (0.2, 0.3, 0.4, 7))
        #expect(faults.garble == 0.1)
        #expect(try SandboxFaults("rate-limit=off").rateLimit == nil)
        #expect(try SandboxFaults("delay=5ms").delay == .milliseconds(5) ... .milliseconds(5))
    }

    @Test(
        "what is no option is an error that names it",
        arguments: [
            "x=1", "drop", "drop=", "drop=2", "drop=-0.1", "drop=0x1", "drop=nan", "drop=1e-1", "drop=0.1,drop=0.1",
            ",",
            "drop=0.1,", "delay=5", "delay=5ms-1ms", "delay=1ms-2ms-3ms", "delay=-1ms", "delay=99999999s",
            "rate-limit=0/1",
            "rate-limit=1", "rate-limit=1/0", "failure-event=0", "failure-event=19", "failure-event=6:2",
            "send-status=202",
            "repeat=1", "empty=", "history=x", "key-events=", "errors=1", "keep-alive=0s", "segment-bytes=0", "seed=-1",
            "drop =0.1",
        ]
    )
    func noOption(_ text: String) {
        let error = #expect(throws: SandboxFaultsError.self) { try SandboxFaults(text) }
        let name = text.split(separator: ",").last?.split(separator: "=").first ?? ""
        #expect(error?.description.contains(text.hasSuffix(",") ? "''" : "'\(name)'") == true)
    }

    @Test func `the help names every option with an example that is read`() throws {
        let lines = SandboxFaults.help.split(separator: "\n")
        #expect(lines.count == 28)
        for line in lines {
            let example = try #require(line.split(separator: ": ").first)
            _ = try SandboxFaults(String(example))
        }
    }

    // MARK: Effects

    @Test func `messages are answered as the options say`() async throws {
        try await Router.test(Sandbox(faults: try SandboxFaults("send-status=200,repeat=400"))) { router in
            let (alice, bob) = try await Self.pair(at: router)
            let body = Member.body(of: try alice.seal("x", to: bob))
            #expect(try await router.ask(.post, Self.path + "/messages", user: "1111", json: body).status == 200)
            let again = try await router.ask(.post, Self.path + "/messages", user: "1111", json: body)
            #expect(again.problem?.parameter == "message_id")
        }
        let failing = Sandbox(faults: try SandboxFaults("failure-event=12"))
        try await Router.test(failing) { router in
            let (alice, bob) = try await Self.pair(at: router)
            let message = try alice.seal("x", to: bob)
            let answer = try await router.ask(
                .post,
                Self.path + "/messages",
                user: "1111",
                json: Member.body(of: message)
            )
            #expect(answer.status == 201)
            let event = try MessageEvent(base64: try #require(try answer.data["encoded_message_event"] as? String))
            #expect(event.detail == .messageFailureEvent(.init(failureType: .rateLimitUpsell, rateLimitTier: .free)))
            #expect(try await failing.storedEvents(in: message.conversationID).count == 1)
        }
    }

    @Test func `a history has the members that the options say`() async throws {
        for (option, names) in [
            ("old", ["created_at_msec", "previous_sequence_id", "sequence_id", "encoded_event", "id"]),
            ("bare", ["encoded_event"]), ("full", ["created_at", "previous_id", "encoded_event", "id"]),
        ] {
            try await Router.test(Sandbox(faults: try SandboxFaults("history=\(option),key-events=first"))) { router in
                let (alice, bob) = try await Self.pair(at: router)
                for text in ["a", "b"] {
                    let body = Member.body(of: try alice.seal(text, to: bob))
                    _ = try await router.ask(.post, Self.path + "/messages", user: "1111", json: body)
                }
                let first = try await router.ask(.get, Self.path + "/events?max_results=1", user: "1111")
                let item = try #require((try first.json["data"] as? [[String: Any]])?.first)
                #expect(Set(names).isSubset(of: item.keys), "\(option)")
                if option == "bare" { #expect(item.count == 1) }
                let meta = try #require(try first.json["meta"] as? [String: Any])
                #expect((meta["conversation_key_events"] as? [String])?.count == 1)
                let token = try #require(meta["next_token"] as? String)
                let next = try await router.ask(
                    .get,
                    Self.path + "/events?max_results=1&pagination_token=\(token)",
                    user: "1111"
                )
                #expect((try next.json["meta"] as? [String: Any])?["conversation_key_events"] == nil)
            }
        }
    }

    @Test func `errors have the shape that the options say`() async throws {
        try await Router.test(Sandbox(faults: try SandboxFaults("errors=codes"))) { router in
            let answer = try await router.ask(.get, "/2/users/9/public_keys", user: "1111")
            #expect((answer.status, answer.type) == (404, "application/json"))
            #expect((try answer.json["errors"] as? [[String: Any]])?.first?["code"] as? Int == 34)
        }
        try await Router.test(Sandbox(faults: try SandboxFaults("errors=twitter"))) { router in
            let answer = try await router.ask(.get, "/2/users/9/public_keys", user: "1111")
            #expect(answer.problem?.type == "https://api.twitter.com/2/problems/resource-not-found")
        }
        try await Router.test(Sandbox(faults: try SandboxFaults("http429=1"))) { router in
            let answer = try await router.ask(.get, "/2/users/9/public_keys", user: "1111")
            #expect((answer.status, answer.header("x-rate-limit-remaining")) == (429, "0"))
            let reset = Double(answer.header("x-rate-limit-reset") ?? "") ?? 0
            #expect((-1...1).contains(reset - Date().timeIntervalSince1970))
        }
        for (option, status) in [("http502=1", 502), ("http503=1", 503)] {
            try await Router.test(Sandbox(faults: try SandboxFaults(option))) { router in
                let answer = try await router.ask(.get, "/2/users/9/public_keys", user: "1111")
                #expect((answer.status, answer.type) == (status, "text/html"))
            }
        }
    }

    @Test func `half of the errors come after the work is done`() async throws {
        let sandbox = Sandbox(faults: try SandboxFaults("http500=0.5,seed=3"))
        try await Router.test(sandbox) { router in
            var failed = 0
            let keys = try PrivateKeys.generate(.sodium)
            for number in 1...40 {
                let body = try JSONEncoder().encode(keys.registration(version: KeyVersion(String(number))))
                let text = String(decoding: body, as: UTF8.self)
                    .replacing("\"generate_version\":true", with: "\"generate_version\":false")
                let answer = try await router.ask(.post, "/2/users/1111/public_keys", user: "1111", body: text)
                if answer.status == 500 { failed += 1 }
            }
            var answer = try await router.ask(.get, "/2/users/1111/public_keys", user: "1111")
            while answer.status == 500 {
                answer = try await router.ask(.get, "/2/users/1111/public_keys", user: "1111")
            }
            let registered = (try answer.json["data"] as? [Any])?.count ?? 0
            #expect((10...30).contains(failed))
            #expect(registered > 40 - failed && registered < 40)
        }
    }

    // MARK: Limits

    @Test func `a route is limited for each caller, and every answer says how many calls are left`() async throws {
        try await Router.test(Sandbox(faults: try SandboxFaults("rate-limit=2/900"))) { router in
            let path = "/2/chat/conversations"
            for (remaining, status) in [("1", 200), ("0", 200), ("0", 429)] {
                let answer = try await router.ask(.get, path, user: "1111")
                #expect(answer.status == status)
                #expect(answer.header("x-rate-limit-limit") == "2")
                #expect(answer.header("x-rate-limit-remaining") == remaining)
                let reset = Double(answer.header("x-rate-limit-reset") ?? "") ?? 0
                #expect((1...901).contains(reset - Date().timeIntervalSince1970))
                if status == 429 { #expect(try answer.json["code"] as? Int == 88) }
            }
            #expect(try await router.ask(.get, path, user: "2222").status == 200)
            #expect(try await router.ask(.get, path + "/3333", user: "1111").status == 404)
        }
        try await Router.test(Sandbox(faults: try SandboxFaults("rate-limit=off"))) { router in
            let answer = try await router.ask(.get, "/2/chat/conversations", user: "1111")
            #expect(answer.header("x-rate-limit-limit") == nil)
        }
    }

    @Test func `registrations are limited in 24 hours, and a window ends at its reset`() async throws {
        try await Router.test(Sandbox(faults: try SandboxFaults("registrations=1"))) { router in
            _ = try await Member("1111", at: router)
            let answer = try await router.ask(.post, "/2/users/1111/public_keys", user: "1111", body: "{}")
            #expect(answer.status == 429)
            #expect(answer.header("x-user-limit-24hour-remaining") == "0")
        }
        let limits = RateLimits(try SandboxFaults("rate-limit=1/60"))
        #expect(limits.take(route: "a", caller: "b", now: 100)?.isAllowed == true)
        #expect(limits.take(route: "a", caller: "b", now: 159)?.isAllowed == false)
        #expect(limits.take(route: "a", caller: "b", now: 160)?.isAllowed == true)
    }

    private static func pair(at router: Router) async throws -> (Member, Member) {
        var alice = try await Member("1111", at: router)
        let bob = try await Member("2222", at: router)
        try await alice.start(with: bob, at: router)
        return (alice, bob)
    }
}
