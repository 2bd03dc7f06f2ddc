import Foundation
import Testing
import XChatEvents

@testable import XChatSandbox

/// The answers that do not depend on keys or messages.
struct RoutingTests {
    @Test(
        "a token that is not a user's is refused with 401",
        arguments: [
            nil, "", "Bearer", "Bearer ", "Bearer sandbox-", "Bearer sandbox-x", "Bearer 1111", "Bearersandbox-1111",
            "Basic sandbox-1111", "Bearer sandbox-12345678901234567890", "Bearer sandbox-11 11", "Bearer sandbox--1",
            "Bearer sandbox-APP",
        ]
    )
    func badToken(_ header: String?) async throws {
        try await Router.test { router in
            for (method, path) in Router.userRoutes + Router.appRoutes + Router.sharedRoutes {
                let answer = try await router.ask(method, path, authorization: header, body: "{}")
                #expect(answer.status == 401)
                #expect(answer.problem?.type == "https://api.x.com/2/problems/not-authorized-for-resource")
            }
        }
    }

    @Test("the scheme is the same in any case", arguments: ["Bearer", "bearer", "BEARER"])
    func scheme(_ scheme: String) async throws {
        try await Router.test { router in
            let answer = try await router.ask(.get, "/2/users/1/public_keys", authorization: "\(scheme) sandbox-1111")
            #expect(answer.status == 404)
        }
    }

    @Test func `a user's token is not accepted where an app's is asked for`() async throws {
        try await Router.test { router in
            for (method, path) in Router.appRoutes {
                let answer = try await router.ask(method, path, user: "1111", body: "{}")
                #expect(answer.status == 403, "\(path)")
                #expect(answer.problem?.resource_type == "token")
            }
        }
    }

    @Test func `an app token is accepted by no route that acts for a user`() async throws {
        try await Router.test { router in
            for (method, path) in Router.userRoutes {
                let answer = try await router.ask(method, path, authorization: "Bearer sandbox-app", body: "{}")
                #expect(answer.status == 403)
                #expect(answer.problem?.type == "https://api.x.com/2/problems/not-authorized-for-resource")
            }
        }
    }

    @Test func `an unknown user or conversation is refused with 404`() async throws {
        try await Router.test { router in
            let message = #"{"message_id":"m","encoded_message_create_event":""}"#
            let keys = #"{"conversation_key_version":"1","conversation_participant_keys":[]}"#
            for (method, path, body) in [
                (Router.Verb.get, "/2/users/2222/public_keys", ""),
                (.get, "/2/chat/conversations/2222/events", ""),
                (.get, "/2/chat/conversations/g1/events", ""),
                (.post, "/2/chat/conversations/1111-2222/messages", message),
                (.post, "/2/chat/conversations/1111-2222/keys", keys),
                (.post, "/2/chat/conversations/g1/keys", keys),
            ] {
                let answer = try await router.ask(method, path, user: "1111", body: body)
                #expect(answer.status == 404, "\(path)")
                #expect(answer.problem?.type == "https://api.x.com/2/problems/resource-not-found")
                #expect(answer.problem?.resource_type != nil)
            }
        }
    }

    @Test(
        "a malformed identifier in the path is refused with 400",
        arguments: [
            "/2/users/abc/public_keys", "/2/users/g1/public_keys", "/2/users/1-2/public_keys",
            "/2/users/12345678901234567890/public_keys", "/2/users/%31x/public_keys",
            "/2/chat/conversations/abc/events", "/2/chat/conversations/1111:2222/events",
            "/2/chat/conversations/1111%3A2222/events", "/2/chat/conversations/1-2-3/events",
            "/2/chat/conversations/-/events", "/2/chat/conversations/g/events", "/2/chat/conversations/g1-2/events",
            "/2/chat/conversations/12345678901234567890/events",
        ]
    )
    func badPath(_ path: String) async throws {
        try await Router.test { router in
            let answer = try await router.ask(.get, path, user: "1111")
            #expect(answer.status == 400)
            #expect(answer.problem?.parameter == "id")
        }
    }

    @Test(
        "a malformed body is refused with 400 and the member's name",
        arguments: [
            ("/2/chat/conversations/2222/messages", "", nil),
            ("/2/chat/conversations/2222/messages", "<html>", nil),
            ("/2/chat/conversations/2222/messages", "[]", nil),
            ("/2/chat/conversations/2222/messages", "{}", "message_id"),
            ("/2/chat/conversations/2222/messages", #"{"message_id":"m"}"#, "encoded_message_create_event"),
            ("/2/chat/conversations/2222/messages", #"{"message_id":7}"#, "message_id"),
            ("/2/chat/conversations/2222/messages", #"{"message_id":null}"#, "message_id"),
            ("/2/chat/conversations/2222/keys", "{}", "conversation_key_version"),
            (
                "/2/chat/conversations/2222/keys",
                #"{"conversation_key_version":"1","conversation_participant_keys":[{}]}"#,
                "conversation_participant_keys.[0].user_id"
            ),
            ("/2/users/1111/public_keys", "{}", "public_key"),
            ("/2/users/1111/public_keys", #"{"public_key":{},"version":"1"}"#, "public_key.public_key"),
        ] as [(String, String, String?)]
    )
    func badBody(_ path: String, _ body: String, _ parameter: String?) async throws {
        try await Router.test { router in
            let answer = try await router.ask(.post, path, user: "1111", body: body)
            #expect(answer.status == 400)
            #expect(answer.problem?.type == "https://api.x.com/2/problems/invalid-request")
            if let parameter { #expect(answer.problem?.parameter == parameter) }
        }
    }

    @Test func `a page query out of range is refused with 400`() async throws {
        try await Router.test { router in
            for query in ["max_results=0", "max_results=101", "max_results=x", "max_results=", "pagination_token=x"] {
                let answer = try await router.ask(.get, "/2/chat/conversations/2222/events?\(query)", user: "1111")
                #expect(answer.status == 400, "\(query)")
            }
        }
    }

    @Test func `a body beyond the limit is refused with 413`() async throws {
        try await Router.test { router in
            let body = String(repeating: " ", count: Routes.maximumBodyBytes + 1)
            let answer = try await router.ask(.post, "/2/chat/conversations/2222/messages", user: "1111", body: body)
            #expect(answer.status == 413)
        }
    }

    @Test func `keys are registered for the caller only`() async throws {
        try await Router.test { router in
            let answer = try await router.ask(.post, "/2/users/2222/public_keys", user: "1111", body: "{}")
            #expect(answer.status == 403)
        }
    }

    @Test func `an unknown route is a problem too`() async throws {
        try await Router.test { router in
            for path in ["/index.html", "/2/chat", "/2/users/1111/public_keys/1", "/1.1/x"] {
                let answer = try await router.ask(.get, path, user: "1111")
                #expect(answer.status == 404)
                #expect(answer.problem != nil)
            }
        }
    }
}
