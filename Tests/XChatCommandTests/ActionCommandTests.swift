import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEngine
import XChatEvents

/// Reactions, edits, deletions, groups and rotation on the command line.
struct ActionCommandTests {
    private let scratch: Scratch
    private let sandbox: RunningSandbox

    init() throws {
        scratch = try Scratch()
        sandbox = try RunningSandbox()
    }

    private func run(_ user: String, _ arguments: String...) async throws -> Program.Outcome {
        try await run(user, arguments)
    }

    private func run(_ user: String, _ arguments: [String]) async throws -> Program.Outcome {
        try await Program.run(
            arguments + ["--session", scratch.file(user)],
            input: [],
            environment: ["XCHAT_API_URL": sandbox.url, "XCHAT_TOKEN": "sandbox-\(user)"]
        )
    }

    /// Runs a command that has to succeed, and returns one member of its answer.
    private func result(_ member: WireString, _ user: String, _ arguments: String...) async throws -> String {
        let outcome = try await run(user, arguments)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let answer = try #require(try outcome.json.first)
        return try answer.required(member).string().string
    }

    private func register(_ users: String...) async throws {
        for user in users {
            let made = try await Program.run("keys", "generate", "--user", user, "--out", scratch.file(user))
            #expect(made.status == 0)
            #expect(try await run(user, "keys", "register").status == 0)
        }
    }

    @Test func `a message is reacted to, edited and deleted, and a rotated key is used from then on`() async throws {
        try await register("1111", "2222")
        let first = try await result("conversation_key_version", "1111", "conversation", "start", "2222")
        let target = try await result("sequence_id", "1111", "send", "2222", "hello")
        // Bob's state has no key yet. The command fetches it for the reaction.
        _ = try await result("sequence_id", "2222", "react", "1111", target, "👍")
        _ = try await result("sequence_id", "2222", "react", "1111", target, "👍", "--remove")
        _ = try await result("sequence_id", "1111", "edit", "2222", target, "hello again")
        #expect(try await run("1111", "delete", "2222", target, "--for-all").status == 0)
        let second = try await result("conversation_key_version", "1111", "conversation", "rotate", "2222")
        #expect(try #require(WireString(second).number) > #require(WireString(first).number))
        _ = try await result("sequence_id", "1111", "send", "2222", "under the new key")

        let read = try await run("2222", "read", "1111", "--json")
        #expect(read.status == 0, "\(read.errors)")
        let events = try read.json.map { try $0.required("event") }
        let contents = try events.compactMap { try $0.member("content")?.required("content_type").string() }
        // The sandbox serves no message that was deleted for all participants.
        #expect(contents == ["Reaction", "ReactionRemoved", "Edit", "Text"])
        #expect(try events.last?.required("key_version").string().string == second)
        #expect(try events[3].required("type").string() == "MessageDeleted")
    }

    @Test func `a group is made, grows, and its new members read from then on`() async throws {
        try await register("1111", "2222", "3333")
        let group = try await result("conversation_id", "1111", "group", "create", "2222", "--title", "Friends")
        _ = try await result("sequence_id", "1111", "send", group, "to two")
        _ = try await result("conversation_key_version", "1111", "group", "add", group, "3333")
        _ = try await result("sequence_id", "2222", "send", group, "to three")
        _ = try await result("conversation_key_version", "1111", "conversation", "rotate", group)

        let bob = try await run("2222", "read", group, "--json")
        #expect(bob.status == 0, "\(bob.errors)")
        // Carol cannot read messages from before her addition, and the output says so.
        let carol = try await run("3333", "read", group, "--json")
        #expect(carol.status == 1)
        let lines = try carol.json
        #expect(try lines.compactMap { try $0.member("error")?.required("code").string() } == ["key_missing"])
        let texts = try lines.compactMap { try $0.member("event")?.member("content")?.required("text").string() }
        #expect(texts == ["to three"])
        let missing = try lines.compactMap { try $0.member("error")?.required("message").string().string }
        #expect(missing.first?.hasSuffix("older than the membership of user '3333'") == true)
        #expect(!carol.errors.contains("a key change event was not accepted"))
    }

    @Test func `invalid arguments are refused before anything is sent`() async throws {
        try await register("1111", "2222")
        #expect(try await run("1111", "group", "create", "2222", "--title", "a, b").status == 1)
        #expect(try await run("1111", "group", "create", "bob").status == 2)
        #expect(try await run("1111", "react", "2222", "x", "👍").status == 2)
        #expect(try await run("1111", "delete", "2222").status == 2)
        #expect(try await run("1111", "delete", "2222", "5").status == 1)
        #expect(try await run("1111", "edit", "2222", "5", "text").status == 1)
        #expect(try await run("1111", "conversation", "rotate", "g5").status == 1)
        #expect(try await run("1111", "group", "create", "9999").status == 1)
    }

    @Test func `read prints the sequence id to answer, and marks an edit by another user`() async throws {
        try await register("1111", "2222")
        _ = try await result("conversation_id", "1111", "conversation", "start", "2222")
        let target = try await result("sequence_id", "1111", "send", "2222", "hello")
        _ = try await result("sequence_id", "2222", "edit", "1111", target, "forged")
        _ = try await result("sequence_id", "1111", "edit", "2222", target, "genuine")
        let lines = try await run("2222", "read", "1111").lines
        #expect(lines[0].hasSuffix("  #\(target)  ~@user1111 (1111)  hello"))
        #expect(
            lines[1].hasSuffix(
                "  ~@user2222 (2222)  [target_unproven] (2222 tried to edit #\(target), a message of 1111) forged"
            )
        )
        #expect(lines[2].hasSuffix("  ~@user1111 (1111)  [target_unproven] (edited #\(target)) genuine"))
        let other = try await run("1111", "send", "3:4", "x")
        #expect(other.status == 1)
        #expect(other.errors.contains("does not belong"))
        let nobody = try await run("1111", "group", "create", "9999")
        #expect(nobody.errors.contains("user 9999 has no keys"))
    }

    @Test func `a title is encrypted before it is signed, and a removal is signed unencrypted`() async throws {
        try await register("1111", "2222")
        let group = try await result("conversation_id", "1111", "group", "create", "2222")
        let title = try await result("signature_payload", "1111", "group", "title", group, "A, B")
        #expect(title.hasPrefix("GroupChangeEvent.GroupTitleChange,"))
        #expect(!title.contains("A, B"))
        #expect(try await run("1111", "group", "title", group, "A, B", "--plain").status == 1)
        let removal = try await result("signature_payload", "1111", "group", "remove", group, "2222")
        #expect(removal.hasSuffix(",1111,\(group),2222"))
    }
}
