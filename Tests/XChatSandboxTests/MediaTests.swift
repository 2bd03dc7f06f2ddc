import Foundation
import NIOCore
import Testing
import XChatEngine
import XChatEvents

@testable import XChatSandbox

/// Uploads, downloads and subscriptions.
@Suite(.timeLimit(.minutes(1)))
struct MediaTests {
    private static let upload = "/2/chat/media/upload"

    private func withPair(_ faults: String = "", _ body: @escaping @Sendable (Router) async throws -> Void) async throws
    {
        try await Router.test(Sandbox(faults: try SandboxFaults(faults))) { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            _ = try await Member("3333", at: router)
            try await alice.start(with: bob, at: router)
            try await body(router)
        }
    }

    private func begin(_ bytes: Int, at router: Router) async throws -> (session: String, key: String) {
        let body: [String: Any] = ["conversation_id": "1111:2222", "total_bytes": bytes]
        let answer = try await router.ask(.post, Self.upload + "/initialize", user: "1111", json: body)
        #expect(answer.status == 200)
        return (
            try #require(try answer.data["session_id"] as? String),
            try #require(try answer.data["media_hash_key"] as? String)
        )
    }

    @Test func `segments as JSON and as a form, in any order and repeated, come down as one`() async throws {
        try await withPair { router in
            let (session, key) = try await begin(9, at: router)
            #expect(key.wholeMatch(of: /[a-zA-Z0-9]{1,50}/) != nil)
            let append = "\(Self.upload)/\(session)/append"
            let form =
                [
                    ("conversation_id", "1111-2222"), ("media_hash_key", key), ("segment_index", "1"),
                    ("media", "\r\n--d"),
                ].map { "--b-1\r\nContent-Disposition: form-data; name=\"\($0)\"\r\n\r\n\($1)\r\n" }.joined()
                + "--b-1--\r\n"
            let asForm = try await router.ask(
                .post,
                append,
                authorization: "Bearer sandbox-1111",
                type: "multipart/form-data; boundary=b-1",
                bytes: ByteBuffer(string: form)
            )
            #expect(asForm.status == 200)
            for media in ["eHh4eA==", "YWJjZA=="] {
                let body = ["conversation_id": "2222", "media_hash_key": key, "segment_index": "0", "media": media]
                #expect(try await router.ask(.post, append, user: "1111", json: body).status == 200)
            }
            let finalize = ["conversation_id": "1111:2222", "media_hash_key": key, "num_parts": "2"]
            let path = "\(Self.upload)/\(session)/finalize"
            #expect(try await router.ask(.get, "/2/chat/media/2222/\(key)", user: "1111").status == 404)
            for parts in ["1", "3"] {
                let wrong = finalize.merging(["num_parts": parts]) { $1 }
                let answer = try await router.ask(.post, path, user: "1111", json: wrong)
                #expect((answer.status, answer.problem?.parameter) == (400, "num_parts"))
            }
            #expect(try await router.ask(.post, path, user: "1111", json: finalize).status == 200)
            #expect(try await router.ask(.post, path, user: "1111", json: finalize).status == 200)
            let media = try await router.ask(.get, "/2/chat/media/1111-2222/\(key)", user: "2222")
            #expect((media.status, media.type) == (200, "application/octet-stream"))
            #expect(String(decoding: media.body, as: UTF8.self) == "abcd\r\n--d")
            #expect(try await router.ask(.get, "/2/chat/media/1111-2222/\(key)", user: "3333").status == 403)
        }
    }

    @Test func `what does not fit the upload is refused`() async throws {
        try await withPair("segment-bytes=8") { router in
            let (session, key) = try await begin(10, at: router)
            let honest: [String: Any] = [
                "conversation_id": "2222", "media_hash_key": key, "segment_index": 0, "media": "YWJjZA==",
            ]
            for (member, value, parameter) in [
                ("segment_index", 1000, "segment_index"), ("segment_index", -1, "segment_index"),
                ("segment_index", "x", "segment_index"), ("media", "%", "media"), ("media", "YWJjZGVmZ2hp", "media"),
                ("media_hash_key", "other", "media_hash_key"), ("conversation_id", "3333", "conversation_id"),
                ("conversation_id", "x", "conversation_id"), ("more", "x", "more"),
            ] as [(String, Any, String)] {
                var body = honest
                body[member] = value
                let answer = try await router.ask(.post, "\(Self.upload)/\(session)/append", user: "1111", json: body)
                #expect((answer.status, answer.problem?.parameter) == (400, parameter), "\(member) \(value)")
            }
            #expect(
                try await router.ask(.post, "\(Self.upload)/\(session)/append", user: "2222", json: honest).status
                    == 404
            )
            #expect(try await router.ask(.post, "\(Self.upload)/1/append", user: "1111", json: honest).status == 404)
            #expect(
                try await router.ask(.post, "\(Self.upload)/\(session)/append", user: "1111", json: honest).status
                    == 200
            )
            for parts in ["1", "0", "2", "x", "-1"] {
                let body = ["conversation_id": "2222", "media_hash_key": key, "num_parts": parts]
                let answer = try await router.ask(.post, "\(Self.upload)/\(session)/finalize", user: "1111", json: body)
                #expect(answer.status == 400, "\(parts)")
            }
        }
    }

    @Test(
        "a form that is malformed is refused",
        arguments: [
            "", "--b", "--b\r\n", "--b--", "--c\r\n\r\n\r\nx\r\n--c--", "--b\r\nx: y\r\n\r\nz\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"media\"\r\n\r\nno end",
        ]
    )
    func badForm(_ form: String) async throws {
        try await withPair { router in
            let answer = try await router.ask(
                .post,
                Self.upload + "/1/append",
                authorization: "Bearer sandbox-1111",
                type: "multipart/form-data; boundary=b",
                bytes: ByteBuffer(string: form)
            )
            #expect(answer.status == 400)
        }
    }

    @Test func `subscriptions are those of the app or of the user, in pages, with canonical names`() async throws {
        try await withPair { router in
            let path = "/2/activity/subscriptions"
            func subscribe(_ type: String, _ user: String, by token: String, _ more: [String: Any] = [:]) async throws
                -> Router.Answer
            {
                let body = ["event_type": type, "filter": ["user_id": user]].merging(more) { $1 }
                return try await router.ask(.post, path, user: token, json: body)
            }
            #expect(try await subscribe("chat.received", "2222", by: "1111").status == 403)
            for (type, more, parameter) in [
                ("chat.x", [:], "event_type"), ("chat.sent", ["tag": ""], "tag"), ("chat.sent", ["x": 1], "x"),
                ("chat.sent", ["webhook_id": "x"], "webhook_id"), ("chat.sent", ["filter": [:]], "filter.user_id"),
                ("chat.sent", ["filter": ["user_id": "1", "x": "1"]], "filter"),
            ] as [(String, [String: Any], String)] {
                let answer = try await subscribe(type, "1111", by: "app", more)
                #expect((answer.status, answer.problem?.parameter) == (400, parameter))
            }
            let joined = try await subscribe("chat.conversation_join", "1111", by: "1111", ["tag": "t"])
            let subscription = try #require(try joined.data["subscription"] as? [String: Any])
            #expect(subscription["event_type"] as? String == "chat.conversation.join")
            for _ in 0..<2 { #expect(try await subscribe("chat.sent", "2222", by: "app").status == 200) }
            let own = try await router.ask(.get, path, user: "1111")
            #expect((try own.json["data"] as? [Any])?.count == 1)
            var token: String?
            var count = 0
            repeat {
                let query = token.map { "&pagination_token=\($0)" } ?? ""
                let page = try await router.ask(.get, path + "?max_results=2" + query, user: "app")
                count += (try page.json["data"] as? [Any])?.count ?? 0
                token = (try page.json["meta"] as? [String: Any])?["next_token"] as? String
            } while token != nil
            #expect(count == 3)
        }
    }
}
