import Foundation
import Testing
import XChatEngine
import XChatEvents

@testable import XChatSandbox

/// Requests that no honest client sends: each gets an answer, and none has a status of 500 or more.
@Suite(.timeLimit(.minutes(1)))
struct HostileRequestTests {
    @Test func `changed bytes in an honest body are taken or refused, and never more`() async throws {
        let sandbox = Sandbox()
        try await Router.test(sandbox) { router in
            var alice = try await Member("1111", .sodium, at: router)
            let bob = try await Member("2222", .sodium, at: router)
            try await alice.start(with: bob, at: router)
            let key = try JSONSerialization.data(withJSONObject: Member.body(of: alice.keyChange(with: bob)))
            let message = try JSONSerialization.data(
                withJSONObject: Member.body(of: alice.session.seal(.text("x"), in: .oneToOne("1111", "2222")))
            )
            let registration = try JSONEncoder().encode(PrivateKeys.generate(.sodium).registration(version: "1"))
            for (path, honest) in [
                ("/2/chat/conversations/2222/messages", message), ("/2/chat/conversations/2222/keys", key),
                ("/2/users/1111/public_keys", registration),
            ] {
                for round in 0..<400 {
                    var bytes = Array(honest)
                    let place = Int.random(in: 0..<bytes.count)
                    switch round % 3 {
                    case 0: bytes[place] ^= UInt8(1) << Int.random(in: 0..<8)
                    case 1: bytes.removeSubrange(place...)
                    default: bytes.insert(.random(in: .min ... .max), at: place)
                    }
                    let body = String(decoding: bytes, as: UTF8.self)
                    let answer = try await router.ask(.post, path, user: "1111", body: body)
                    #expect([200, 201, 400].contains(answer.status), "\(path) \(answer.status)")
                    #expect((answer.status == 400) == (answer.problem != nil))
                }
            }
        }
    }

    @Test(
        "odd paths and queries get an answer",
        arguments: [
            "/2/chat/conversations//events", "/2/chat/conversations/%/events", "/2/chat/conversations/%FF/events",
            "/2/chat/conversations/%00/events", "/2/chat/conversations/2222/events?", "/%2e%2e/",
            "/2/chat/conversations/2222/events?max_results", "/2/chat/conversations/2222/events?=&&&=",
            "/2/chat/conversations/2222/events?max_results=%FF", "/2/chat/conversations/2222/events?pagination_token=%",
            "/2/chat/conversations/2222/events?pagination_token=p-1",
            "/2/chat/conversations/2222/events?pagination_token=pzzzzzzzzzzzzzzzz", "/2/users/%2F/public_keys",
            "/2/users/\(String(repeating: "1", count: 10_000))/public_keys",
        ]
    )
    func odd(_ path: String) async throws {
        try await Router.test { router in
            let answer = try await router.ask(.get, path, user: "1111")
            #expect([400, 404].contains(answer.status))
            #expect(answer.problem != nil)
        }
    }

    @Test("other spellings of the root get the page", arguments: ["//", "", "?"])
    func root(_ path: String) async throws {
        try await Router.test { router in
            let answer = try await router.ask(.get, path, user: "1111")
            #expect(answer.status == 200)
        }
    }

    @Test("a body of nested or repeated JSON is refused in bounded time", arguments: ["[", "{\"a\":", "[{},", "1,"])
    func nested(_ unit: String) async throws {
        try await Router.test { router in
            let body = String(repeating: unit, count: 500_000)
            let answer = try await router.ask(.post, "/2/users/1111/public_keys", user: "1111", body: body)
            #expect(answer.status == 400)
        }
    }
}
