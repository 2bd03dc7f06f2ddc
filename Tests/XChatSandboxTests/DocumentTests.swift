import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing
import XChatEngine
import XChatEvents

@testable import XChatSandbox

/// The answers of all operations match X's OpenAPI document; ``Router`` checks those of the other tests too.
@Suite(
    .enabled(if: XDocument.shared != nil, "X's OpenAPI document is not next to this package"),
    .timeLimit(.minutes(1))
)
struct DocumentTests {
    private static let pair = "/2/chat/conversations/1111-2222"
    private static let upload = "/2/chat/media/upload"
    private static let subscriptions = "/2/activity/subscriptions"

    @Test func `every operation answers as X's document says, when it succeeds and when it refuses`() async throws {
        let document = try #require(XDocument.shared)
        try await Router.test(live: true) { router in
            try await Self.useEverything(at: router)
            for (method, path) in Router.userRoutes + Router.appRoutes + Router.sharedRoutes {
                let isUsers = Router.userRoutes.contains { $0 == (method, path) }
                for token in [nil, isUsers ? "Bearer sandbox-3333" : "Bearer sandbox-app"] {
                    _ = try await router.ask(
                        method,
                        path.replacing("?ids=1111", with: "?ids=x").replacing("/stream", with: "/stream?start_time=x"),
                        authorization: token,
                        body: "{}"
                    )
                }
            }
            try await Self.useStream(at: router)
            let seen = router.seen.withLock { $0 }
            for operation in document.operations {
                let statuses = seen[operation.id] ?? []
                #expect(
                    statuses.contains { $0 < 300 } && statuses.contains { $0 >= 400 },
                    "\(operation.id) \(statuses)"
                )
            }
            #expect(document.operations.count == 24)
            let kinds = seen.values.map(\.count).reduce(0, +)
            print("sandbox: \(kinds) kinds of answers of \(seen.count) operations are as X's document says")
        }
    }

    private static func useEverything(at router: Router) async throws {
        var alice = try await Member("1111", at: router)
        let bob = try await Member("2222", at: router)
        let carol = try await Member("3333", at: router)
        func ask(
            _ method: Router.Verb,
            _ path: String,
            by user: String = "1111",
            _ json: [String: Any] = [:]
        ) async throws -> Router.Answer {
            let answer = try await router.ask(method, path, user: user, json: json)
            #expect([200, 201].contains(answer.status), "\(method) \(path)")
            return answer
        }
        _ = try await ask(.get, "/2/users/1111/public_keys")
        // With errors next to the data.
        _ = try await ask(.get, "/2/users/public_keys?ids=1111,2222,9999")

        for type in ["chat.received", "chat.sent"] {
            let filter = ["user_id": type == "chat.sent" ? "1111" : "2222"]
            _ = try await ask(.post, subscriptions, by: "app", ["event_type": type, "filter": filter, "tag": "t"])
        }
        try await alice.start(with: bob, at: router)
        let sent = try await ask(.post, pair + "/messages", Member.body(of: try alice.seal("x", to: bob)))
        let event = try MessageEvent(base64: try #require(try sent.data["encoded_message_event"] as? String))
        let sequenceID = try #require(event.sequenceID)
        _ = try await ask(.get, pair + "/events?max_results=1")
        _ = try await ask(.get, "/2/chat/conversations?max_results=1&expansions=participant_ids")
        _ = try await ask(.get, pair)
        _ = try await ask(.post, pair + "/typing")
        _ = try await ask(.post, pair + "/read", ["seen_until_sequence_id": sequenceID.string])

        let opened = try await ask(.post, upload + "/initialize", ["conversation_id": "1111:2222", "total_bytes": 3])
        let session = try #require(try opened.data["session_id"] as? String)
        let hashKey = try #require(try opened.data["media_hash_key"] as? String)
        let named = ["conversation_id": "1111:2222", "media_hash_key": hashKey]
        _ = try await ask(
            .post,
            "\(upload)/\(session)/append",
            named.merging(["segment_index": "0", "media": "eHl6"]) { $1 }
        )
        _ = try await ask(.post, "\(upload)/\(session)/finalize", named.merging(["num_parts": "1"]) { $1 })
        let media = try await ask(.get, "/2/chat/media/1111-2222/\(hashKey)", by: "2222")
        #expect(media.body == Data("xyz".utf8))

        let deletion = try alice.session.sign(
            .deleteMessages([sequenceID], forAll: true),
            in: .oneToOne("1111", "2222")
        )
        _ = try await ask(
            .post,
            pair + "/messages/delete",
            [
                "sequence_ids": [sequenceID.string], "delete_message_action": "delete_for_all",
                "action_signatures": [Member.body(of: deletion)], "media_hash_keys": [hashKey],
            ]
        )
        #expect(try await router.ask(.get, "/2/chat/media/1111-2222/\(hashKey)", user: "2222").status == 404)

        var draft = GroupDraft(members: ["1111", "2222"], admins: ["1111"])
        draft.title = "title"
        let (group, body) = try await alice.group(draft, of: [bob], at: router)
        _ = try await ask(.post, "/2/chat/conversations/group", body)
        _ = try await ask(.get, "/2/chat/conversations/\(group)?expansions=admin_ids,member_ids")
        var addition = MemberAddDraft(newMembers: ["3333"], currentMembers: ["1111", "2222"], currentAdmins: ["1111"])
        addition.title = "title"
        let change = try alice.session.prepareMemberAdd(
            addition,
            in: group,
            participants: [alice.verifiedKey(), bob.verifiedKey(), carol.verifiedKey()]
        )
        let add = Member.body(of: change).merging(["user_ids": ["3333"]]) { $1 }
        _ = try await ask(.post, "/2/chat/conversations/\(group)/members", add)

        let held = try await ask(.get, subscriptions + "?max_results=1", by: "app")
        let first = try #require((try held.json["data"] as? [[String: Any]])?.first?["subscription_id"] as? String)
        _ = try await ask(.put, "\(subscriptions)/\(first)", by: "app", ["tag": "other"])
        _ = try await ask(.delete, "\(subscriptions)/\(first)", by: "app")
        _ = try await ask(.post, pair + "/messages", Member.body(of: try alice.seal("y", to: bob)))
        // With errors next to the data.
        _ = try await ask(.delete, "\(subscriptions)?ids=\(first),1", by: "app")
    }

    /// This test is the last step, because the server closes the connection when the stream ends.
    private static func useStream(at router: Router) async throws {
        let path = "/2/activity/stream?start_time=2020-01-01T00:00:00Z&end_time=2020-01-01T00:00:01Z"
        let told = try await router.ask(.get, path, authorization: "Bearer sandbox-app")
        let lines = String(decoding: told.body, as: UTF8.self).split(separator: "\r\n")
        #expect(told.status == 200 && lines.count == 1)
    }

    @Test(
        "an answer that is not as the document says is found",
        arguments: [
            (#"{"data":{"success":true}}"#, 0), (#"{"data":{"success":"true"}}"#, 1), (#"{"data":{}}"#, 1),
            (#"{"data":[]}"#, 1), (#"{"data":{"success":true,"sucess":true}}"#, 1), (#"{"dada":{}}"#, 1), ("[]", 1),
            ("", 1), (#"{"errors":[{"type":"x","title":"","detail":""}]}"#, 1),
        ] as [(String, Int)]
    )
    func checker(_ body: String, _ count: Int) throws {
        let document = try #require(XDocument.shared)
        func answer(_ status: Int, _ type: String, _ body: String) -> Router.Answer {
            Router.Answer(status: status, body: Data(body.utf8), type: type, headers: [:])
        }
        var faults = SandboxFaults()
        faults.rateLimit = nil
        let path = "/2/chat/conversations/2222/typing"
        let found = document.violations("post", path, answer(200, "application/json", body), faults)
        #expect(found.count == count, "\(found)")
        // The check fails for answers with another status or type, or without the headers.
        for (status, type) in [(201, "application/json"), (404, "application/problem+json"), (200, "text/plain")] {
            #expect(!document.violations("post", path, answer(status, type, body), faults).isEmpty)
        }
        #expect(!document.violations("post", path, answer(200, "application/json", body), SandboxFaults()).isEmpty)
    }
}
