import Foundation
import TestSupport
import Testing
import XChat
import XChatEvents

/// If standard output cannot be written, the result of the server is printed on standard error.
@Suite(.timeLimit(.minutes(1)))
struct FullOutputTests {
    @Test func `a result that cannot be printed goes to standard error, with a note that it was done`() async throws {
        let scratch = try Scratch()
        let sandbox = try RunningSandbox()
        let executable = try #require(Program.executable).path
        for user in ["1111", "2222", "3333"] {
            let made = try await Program.run("keys", "generate", "--user", user, "--out", scratch.file(user))
            #expect(made.status == 0)
        }
        try scratch.write("file", "bytes")

        /// Runs a command with closed standard output, and returns the result from standard error.
        func result(_ user: String, _ arguments: String..., done: String) async throws -> JSONLocation {
            let outcome = try await Program.shell(
                #"exec "$@" >&-"#,
                [executable] + arguments + ["--session", user],
                in: scratch,
                environment: ["XCHAT_API_URL": sandbox.url, "XCHAT_TOKEN": "sandbox-\(user)"]
            )
            #expect(outcome.status == 1, "\(arguments)")
            let lines = outcome.errors.split(separator: "\n")
            let line = try #require(lines.last { $0.contains(done) }, "\(outcome.errors)")
            #expect(line.contains("so do not repeat it, but standard output cannot be written"))
            let start = try #require(line.firstIndex(of: "{"), "\(line)")
            return try JSONLocation(parsing: Array(line[start...].utf8), document: "result")
        }

        for user in ["1111", "2222", "3333"] {
            let keys = try await result(user, "keys", "register", done: "the keys are registered")
            _ = try keys.required("public_key_version").string()
        }
        for verb in ["start", "rotate"] {
            let change = try await result("1111", "conversation", verb, "2222", done: "1111:2222 has a new key")
            #expect(try change.required("conversation_id").string() == "1111:2222")
        }
        let group = try await result("1111", "group", "create", "2222", done: "the group was created")
            .required("conversation_id").string().string
        let added = try await result("1111", "group", "add", group, "3333", done: "the members were added")
        #expect(try added.required("conversation_id").string().string == group)
        let sent = try await result("1111", "send", group, "hello", done: "the message was sent")
            .required("sequence_id").string().string
        for arguments in [["react", group, sent, "x"], ["edit", group, sent, "hi"]] {
            _ = try await result("1111", arguments[0], group, sent, arguments[3], done: "the message was sent")
        }
        let uploaded = try await result(
            "1111",
            "media",
            "upload",
            "--conversation",
            group,
            "file",
            done: "the file was uploaded"
        )
        _ = try uploaded.required("media_hash_key").string()
        _ = try await result("1111", "delete", group, sent, done: "the messages were deleted")
    }
}
