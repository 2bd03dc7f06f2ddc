import Foundation
import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEvents

/// Messages that cannot be sent at once: a server that stops, and starts again with its state.
@Suite(.timeLimit(.minutes(2)))
struct OutboxCommandTests {
    private let scratch: Scratch
    private let server: ServerThatComesAndGoes

    init() async throws {
        scratch = try Scratch()
        server = try ServerThatComesAndGoes(scratch)
        for user in ["1111", "2222"] {
            let made = try await Program.run("keys", "generate", "--user", user, "--out", scratch.file(user))
            #expect(made.status == 0)
            #expect(try await run(user, "keys", "register").status == 0)
        }
        #expect(try await run("1111", "conversation", "start", "2222").status == 0)
    }

    private func run(_ user: String, _ arguments: String..., token: String? = nil) async throws -> Program.Outcome {
        try await Program.run(
            arguments + ["--session", scratch.file(user)],
            environment: ["XCHAT_API_URL": server.url, "XCHAT_TOKEN": token ?? "sandbox-\(user)"]
        )
    }

    private func send(_ text: String, token: String? = nil) async throws -> Program.Outcome {
        try await run("1111", "send", "2222", text, token: token)
    }

    /// Sends to a port without a server.
    private func sendInVain(_ text: String) async throws -> Program.Outcome {
        try await run("1111", "send", "2222", text, "--timeout", "2")
    }

    private func list(_ arguments: String...) async throws -> [JSONLocation] {
        let listed = try await Program.run(
            ["outbox", "list", "--session", scratch.file("1111")] + arguments,
            environment: ["XCHAT_API_URL": server.url]
        )
        #expect(listed.status == 0, "\(listed.errors)")
        return try listed.json
    }

    private func strings(_ member: WireString, _ lines: [JSONLocation]) throws -> [String?] {
        try lines.map { try $0.member(member)?.string().string }
    }

    /// The texts that the recipient reads.
    private func received() async throws -> [String] {
        let read = try await run("2222", "read", "1111", "--json")
        #expect(read.status == 0, "\(read.errors)")
        return try read.json.map {
            try $0.required("event").required("content").required("text").string().string
        }
    }

    @Test func `a message that cannot be sent waits, is listed, and is sent when it is retried`() async throws {
        server.stop()
        var ids: [String] = []
        for text in ["first", "second"] {
            let outcome = try await sendInVain(text)
            #expect(outcome.status == 1)
            #expect(outcome.output.isEmpty)
            let listed = try await list()
            ids.append(try #require(try strings("message_id", listed).last ?? nil))
            #expect(try strings("state", listed).allSatisfy { $0 == "queued" })
            #expect(try strings("reason", listed).first??.hasPrefix("connection: ") == true)
            #expect(outcome.errors.contains(ids.last ?? "none"), "the error names the message")
            #expect(outcome.errors.contains("xchat outbox retry"))
        }
        #expect(try await run("1111", "outbox", "retry", "--timeout", "1").status == 1)
        try server.start()
        // The first is sent before the second, although only the second was requested.
        let retried = try await run("1111", "outbox", "retry", ids[1])
        #expect(retried.status == 0, "\(retried.errors)")
        #expect(try strings("message_id", retried.json) == [ids[1]])
        #expect(try strings("state", retried.json) == ["sent"])
        #expect(try await received() == ["first", "second"])
        #expect(try await list().isEmpty)
        #expect(try strings("message_id", await list("--all")) == ids)
        let again = try await run("1111", "outbox", "retry", ids[0])
        #expect(again.status == 1)
        #expect(again.errors.contains("finished"))
        #expect(try await received() == ["first", "second"])
    }

    @Test func `sending the next message of a conversation also sends the waiting ones, in order`() async throws {
        server.stop()
        for text in ["one", "two", "three"] { #expect(try await sendInVain(text).status == 1) }
        try server.start()
        let sent = try await send("four")
        #expect(sent.status == 0, "\(sent.errors)")
        #expect(sent.errors.contains("3 earlier messages"))
        #expect(try await received() == ["one", "two", "three", "four"])
        let all = try await list("--all")
        #expect(try strings("message_id", sent.json).last == strings("message_id", all).last)
        #expect(try strings("sequence_id", sent.json).last == strings("sequence_id", all).last)
    }

    @Test func `without an id all waiting messages are retried, reactions and edits too`() async throws {
        let target = try #require(try strings("sequence_id", try await send("target").json).first ?? nil)
        server.stop()
        #expect(try await run("1111", "react", "2222", target, "👍", "--timeout", "1").status == 1)
        #expect(try await run("1111", "edit", "2222", target, "edited", "--timeout", "1").status == 1)
        try server.start()
        let retried = try await run("1111", "outbox", "retry")
        #expect(retried.status == 0, "\(retried.errors)")
        #expect(try strings("state", retried.json) == ["sent", "sent"])
        let read = try await run("2222", "read", "1111", "--json").json
        let types = try read.map { try $0.required("event").required("content").required("content_type").string() }
        #expect(types == ["Text", "Reaction", "Edit"])
    }

    @Test func `a dropped message is never sent, and does not delay the others`() async throws {
        server.stop()
        for text in ["given up", "kept"] { #expect(try await sendInVain(text).status == 1) }
        let id = try #require(try strings("message_id", try await list()).first ?? nil)
        #expect(try await run("1111", "outbox", "drop", id).status == 0)
        #expect(try await list().count == 1)
        try server.start()
        #expect(try await send("last").status == 0)
        #expect(try await received() == ["kept", "last"])
        #expect(try strings("state", await list("--all")) == ["dropped", "sent", "sent"])
        for words in [["drop", id], ["retry", id], ["drop", "nobody-knows-it"]] {
            let refused = try await run("1111", "outbox", words[0], words[1])
            #expect(refused.status == 1)
            #expect(refused.output.isEmpty)
        }
    }

    @Test func `a refused message becomes a dead letter with the reason, and can be retried`() async throws {
        server.stop()
        try server.start("--fault", "failure-event=3")
        let poison = try await send("poison")
        #expect(poison.status == 1)
        #expect(poison.output.isEmpty)
        #expect(poison.errors.contains("CONTENTS_TOO_LARGE"))
        let listed = try await list()
        #expect(try strings("state", listed) == ["set_aside"])
        #expect(try strings("reason", listed).first??.contains("CONTENTS_TOO_LARGE") == true)
        let id = try #require(try strings("message_id", listed).first ?? nil)
        #expect(poison.errors.contains(id))
        server.stop()
        try server.start()
        #expect(try await send("healthy").status == 0)
        // Without an id, dead letters are not tried.
        #expect(try await run("1111", "outbox", "retry").output.isEmpty)
        #expect(try await received() == ["healthy"])
        #expect(try await run("1111", "outbox", "retry", id).status == 0)
        #expect(try await received() == ["healthy", "poison"])
    }

    @Test func `an earlier message that is refused before this one is reported as well`() async throws {
        server.stop()
        #expect(try await sendInVain("refused").status == 1)
        let id = try #require(try strings("message_id", try await list()).first ?? nil)
        try server.start("--fault", "failure-event=3:1")
        let sent = try await send("this one")
        #expect(sent.status == 1)
        #expect(sent.errors.contains("the earlier message \(id)"), "\(sent.errors)")
        #expect(try strings("state", await list()) == ["set_aside", "set_aside"])
    }

    @Test func `a message under a stale key is encrypted again, and its new id is printed`() async throws {
        #expect(try await run("2222", "conversation", "rotate", "1111").status == 0)
        let sent = try await send("under the key of then")
        #expect(sent.status == 0, "\(sent.errors)")
        let id = try strings("message_id", sent.json)
        let all = try await list("--all")
        #expect(try strings("state", all) == ["replaced", "sent"])
        #expect(try strings("replaced_by", all).first == id.first)
        #expect(try strings("message_id", all).last == id.first)
        let read = try await run("2222", "read", "1111", "--json").json
        #expect(try read.map { try $0.required("event").required("id").string().string } == id)
    }

    @Test func `a message that would get a new reader is held, and retrying it by its id names and allows them`()
        async throws
    {
        let made = try await Program.run("keys", "generate", "--user", "3333", "--out", scratch.file("3333"))
        #expect(made.status == 0)
        #expect(try await run("3333", "keys", "register").status == 0)
        let created = try await run("1111", "group", "create", "2222")
        let group = try #require(try strings("conversation_id", created.json).first ?? nil)
        #expect(try await run("2222", "read", group).status == 0)
        #expect(try await run("2222", "group", "add", group, "3333").status == 0)

        let sent = try await run("1111", "send", group, "for two")
        #expect(sent.status == 1)
        #expect(sent.errors.contains("members_changed"), "\(sent.errors)")
        let listed = try await list()
        #expect(try strings("state", listed) == ["set_aside"])
        #expect(try strings("reason", listed).first??.hasPrefix("members_changed: ") == true)
        let id = try #require(try strings("message_id", listed).first ?? nil)
        #expect(try await run("1111", "outbox", "retry").output.isEmpty)
        #expect(try strings("state", try await list()) == ["set_aside"])

        let retried = try await run("1111", "outbox", "retry", id)
        #expect(retried.status == 0, "\(retried.errors)")
        #expect(retried.errors.contains("3333"))
        #expect(!retried.errors.contains("2222"))
        #expect(try strings("state", retried.json) == ["sent"])
        #expect(try strings("replaces", retried.json) == [id])
        #expect(try await run("3333", "read", group).text.contains("for two"))
    }

    @Test func `a refused token loses no message`() async throws {
        let refused = try await send("kept", token: "wrong-secret-token")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("unauthorized"))
        #expect(!refused.errors.contains("wrong-secret-token"))
        #expect(try strings("state", await list()) == ["queued"])
        #expect(try await send("next").status == 0)
        #expect(try await received() == ["kept", "next"])
    }

    @Test func `a state has one outbox under all names of its file, and the outbox has no plaintext`() async throws {
        server.stop()
        #expect(try await sendInVain("a very secret text").status == 1)
        let link = scratch.file("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: scratch.file("1111"))
        let listed = try await Program.run(
            "outbox",
            "list",
            "--session",
            link,
            environment: ["XCHAT_API_URL": server.url + "/"]
        )
        #expect(listed.lines.count == 1)
        #expect(try scratch.permissions("1111.outbox") == 0o700)
        for name in try FileManager.default.contentsOfDirectory(atPath: scratch.file("1111.outbox")) {
            #expect(try scratch.permissions("1111.outbox/\(name)") == 0o600)
            let content = String(decoding: try scratch.read("1111.outbox/\(name)"), as: UTF8.self)
            #expect(!content.contains("very secret"))
        }
    }
}
