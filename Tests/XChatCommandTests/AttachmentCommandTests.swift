import Foundation
import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEvents

/// Files that are sent with messages, and downloaded.
@Suite(.timeLimit(.minutes(2)))
struct AttachmentCommandTests {
    private let scratch: Scratch
    private let sandbox: RunningSandbox
    private static let large = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    /// The beginning of an image of 640 by 480 pixels.
    private static let png: [UInt8] =
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]
        + [0, 0, 2, 0x80, 0, 0, 1, 0xE0, 8, 2, 0, 0, 0]

    init() async throws {
        scratch = try Scratch()
        sandbox = try RunningSandbox("--fault", "segment-bytes=4194304")
        for user in ["1111", "2222"] {
            let made = try await Program.run("keys", "generate", "--user", user, "--out", scratch.file(user))
            #expect(made.status == 0)
            #expect(try await run(user, ["keys", "register"]).status == 0)
        }
        #expect(try await run("1111", ["conversation", "start", "2222"]).status == 0)
        try scratch.write("picture.png", Self.png)
        try scratch.write("large.bin", Self.large)
    }

    private func run(
        _ user: String,
        _ arguments: [String],
        session: String? = nil,
        input: [UInt8] = []
    ) async throws -> Program.Outcome {
        try await Program.run(
            arguments + ["--session", scratch.file(session ?? user)],
            input: input,
            environment: ["XCHAT_API_URL": sandbox.url, "XCHAT_TOKEN": "sandbox-\(user)"]
        )
    }

    /// The lines that 2222 reads.
    private func lines() async throws -> [String] {
        let read = try await run("2222", ["read", "1111", "--json"])
        #expect(read.status == 0, "\(read.errors)")
        return read.lines
    }

    private func send(_ arguments: String...) async throws -> Program.Outcome {
        try await run("1111", ["send", "2222"] + arguments)
    }

    private func download(_ arguments: String..., input: String = "") async throws -> Program.Outcome {
        try await run("2222", ["media", "download"] + arguments, input: Array(input.utf8))
    }

    @Test func `a file sent with a message is received unchanged`() async throws {
        let sent = try await send("look at this", "--attach", scratch.file("picture.png"))
        #expect(sent.status == 0, "\(sent.errors)")
        // Progress was not requested, and there is no terminal.
        #expect(sent.errors.isEmpty)
        #expect(try sent.json[0].members().map(\.key) == ["message_id", "sequence_id", "conversation_id"])

        let line = try #require(try await lines().first)
        let event = try JSONLocation(parsing: Array(line.utf8), document: "line").required("event")
        #expect(try event.required("content").required("text").string() == "look at this")
        let attachment = try event.required("attachments").elements()[0]
        #expect(try attachment.required("attachment_type").string() == "Media")
        #expect(try attachment.required("media_type").string() == "image")
        #expect(try attachment.required("filename").string() == "picture.png", "the path stays here")
        #expect(try attachment.required("filesize_bytes").integer(Int.self) == Self.png.count)
        let dimensions = try attachment.required("dimensions")
        #expect(try dimensions.required("width").integer(Int.self) == 640)
        #expect(try dimensions.required("height").integer(Int.self) == 480)

        // From the whole line, and from members of it.
        let taken = try await download("--event", "-", "--out", scratch.file("taken"), input: line)
        #expect(taken.status == 0, "\(taken.errors)")
        #expect(taken.output.isEmpty && taken.errors.isEmpty)
        #expect(try scratch.read("taken") == Self.png)
        let named = try await download(
            try attachment.required("media_hash_key").string().string,
            "--conversation",
            try event.required("conversation_id").string().string,
            "--conversation-key-version",
            try event.required("key_version").string().string,
            "--size",
            "\(Self.png.count)",
            "--out",
            scratch.file("named")
        )
        #expect(named.status == 0, "\(named.errors)")
        #expect(try scratch.read("named") == Self.png)
        #expect(try scratch.permissions("named") == 0o600)
    }

    @Test func `paths are the system's: .. after a link, a tilde, and folders whose names are not UTF-8`() async throws
    {
        let script = """
            set -e
            executable=$1
            mkdir a b b/c; ln -s ../b/c a/link
            printf wrong >a/file; printf right >b/file; printf tilde >'~root'
            folder=$(printf 'x\\377'); mkdir "$folder"; printf bytes >"$folder/file"; cp 1111 2222 "$folder"
            send() { "$executable" send 2222 --session "$@" >>sent; }
            send 1111 --attach a/link/../file
            send 1111 --attach '~root'
            cd "$folder"; send 1111 --attach file; send 1111 --attach ./file
            export XCHAT_TOKEN=sandbox-2222
            "$executable" read 1111 --json --session 2222 >lines
            number=0
            while read -r line; do
                number=$((number + 1))
                echo "$line" | "$executable" media download --event - --out "out$number" --session 2222
                cat "out$number"; echo
            done <lines
            head -n 1 lines | "$executable" media download --event - --out ../a/link/../new --session 2222
            cat ../b/new
            """
        let executable = try #require(Program.executable)
        let outcome = try await Program.shell(
            script,
            [executable.path],
            in: scratch,
            environment: ["XCHAT_API_URL": sandbox.url, "XCHAT_TOKEN": "sandbox-1111"]
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.text == "right\ntilde\nbytes\nbytes\nright")
    }

    @Test func `the path of a file as the text of a message with a file is refused`() async throws {
        try scratch.write("second.png", Self.png)
        let outcome = try await run(
            "1111",
            ["send", "2222", "--attach", scratch.file("picture.png"), scratch.file("second.png")]
        )
        #expect(outcome.status == 2)
        let spelling = #"--attach "\#(scratch.file("picture.png"))" --attach "\#(scratch.file("second.png"))""#
        #expect(outcome.errors.contains(spelling), "\(outcome.errors)")
        #expect(try await lines().isEmpty)
        // The path of a folder is sent as a text, because a folder cannot be attached. Without attachments, so is the
        // path of a file.
        #expect(try await send(scratch.path, "--attach", scratch.file("picture.png")).status == 0)
        #expect(try await send(scratch.file("second.png")).status == 0)
        #expect(try await lines().count == 2)
    }

    @Test func `an empty text is sent only on request`() async throws {
        let sent = try await send("a text")
        let id = try sent.json[0].required("sequence_id").string().string
        for arguments in [["send", "2222"], ["send", "2222", ""], ["edit", "2222", id], ["edit", "2222", id, ""]] {
            let outcome = try await run("1111", arguments)
            #expect(outcome.status == 1, "\(arguments)")
            #expect(outcome.output.isEmpty)
            #expect(outcome.errors.contains("--allow-empty"), "\(outcome.errors)")
        }
        #expect(try await lines().count == 1)
        #expect(try await run("1111", ["send", "2222", "--allow-empty"]).status == 0)
        #expect(try await run("1111", ["edit", "2222", id, "", "--allow-empty"]).status == 0)
        #expect(try await send("--attach", scratch.file("picture.png")).status == 0)
        #expect(try await lines().count == 4)
    }

    @Test func `several pictures are sent in one message without a text`() async throws {
        try scratch.write("second.png", Self.png + [1, 2, 3])
        let files = ["--attach", scratch.file("picture.png"), "--attach", scratch.file("second.png")]
        let sent = try await run("1111", ["send", "2222"] + files)
        #expect(sent.status == 0, "\(sent.errors)")
        let line = try #require(try await lines().first)
        for (number, content) in [(1, Self.png), (2, Self.png + [1, 2, 3])] {
            let out = scratch.file("out\(number)")
            let taken = try await download("--event", "-", "--attachment", "\(number)", "--out", out, input: line)
            #expect(taken.status == 0, "\(taken.errors)")
            #expect(try scratch.read("out\(number)") == content)
        }
        let beyond = try await download(
            "--event",
            "-",
            "--attachment",
            "3",
            "--out",
            scratch.file("none"),
            input: line
        )
        #expect(beyond.status == 1)
        #expect(beyond.errors.contains("there are 2"))
    }

    @Test func `the key may change between sending and fetching, and before sending`() async throws {
        #expect(try await send("--attach", scratch.file("large.bin")).status == 0)
        #expect(try await run("2222", ["conversation", "rotate", "1111"]).status == 0)
        // The sender's state has the old key, with which the recipient could not decrypt the file.
        let sent = try await send("--attach", scratch.file("picture.png"))
        #expect(sent.status == 0, "\(sent.errors)")
        for (line, content) in zip(try await lines(), [Self.large, Self.png]) {
            let taken = try await download("--event", "-", "--out", scratch.file("out"), "--force", input: line)
            #expect(taken.status == 0, "\(taken.errors)")
            #expect(try scratch.read("out") == content)
        }
    }

    @Test func `a file that is uploaded alone can be used in a draft, and downloaded`() async throws {
        let uploaded = try await run(
            "1111",
            ["media", "upload", "--conversation", "2222", scratch.file("picture.png")]
        )
        #expect(uploaded.status == 0, "\(uploaded.errors)")
        let attachment = try uploaded.json[0]
        #expect(try attachment.required("mime_type").string() == "image/png")
        #expect(try attachment.required("conversation_id").string() == "1111:2222")
        let draft = #"{"kind":"message","text":"","attachments":[\#(uploaded.lines[0])]}"#
        let event = try await run(
            "1111",
            ["encrypt", "--conversation", "2222", "--draft", "-", "--event"],
            input: Array(draft.utf8)
        )
        #expect(event.status == 0, "\(event.errors)")
        // The other user's state has no key yet; the server delivers it.
        let taken = try await download(
            try attachment.required("media_hash_key").string().string,
            "--conversation",
            "1111",
            "--out",
            scratch.file("out")
        )
        #expect(taken.status == 0, "\(taken.errors)")
        #expect(try scratch.read("out") == Self.png)
        #expect(try await run("2222", ["read", "1111"]).status == 0)
        let opened = try await run("2222", ["decrypt"], input: event.output)
        #expect(opened.status == 0, "\(opened.errors)")
        let media = try opened.json[0].required("event").required("attachments").elements()[0]
        #expect(try media.required("media_hash_key").string() == attachment.required("media_hash_key").string())
    }

    @Test func `a download that does not verify leaves no file, and an existing file is not replaced`() async throws {
        #expect(try await send("--attach", scratch.file("large.bin")).status == 0)
        let line = try #require(try await lines().first)
        let names = try scratch.names()
        let size = #""filesize_bytes":700000"#
        for (altered, complaint) in [
            (line.replacing(size, with: #""filesize_bytes":699999"#), "700000"),
            (line.replacing(size, with: #""filesize_bytes":10"#), "too_large"),
            (line.replacing(#""key_version":""#, with: #""key_version":"9"#), "no verified key"),
        ] {
            let refused = try await download("--event", "-", "--out", scratch.file("out"), input: altered)
            #expect(refused.status == 1)
            #expect(refused.errors.contains(complaint), "\(refused.errors)")
        }
        // With another key of the same length, the stored file does not authenticate.
        var document = try SessionDocument(parsing: try scratch.read("2222"), name: "2222").root
        let key = Base64.encode([UInt8](repeating: 7, count: 32))
        document["conversation_keys"] = ["1111:2222": ["9000000000000": .string(key)]]
        try scratch.write("wrong", JSONValue.object(document).line)
        let media = try JSONLocation(parsing: Array(line.utf8), document: "line").required("event")
            .required("attachments").elements()[0]
        let hashKey = try media.required("media_hash_key").string().string
        let wrong = try await run(
            "2222",
            ["media", "download", hashKey, "--conversation", "1111", "--out", scratch.file("out")],
            session: "wrong"
        )
        #expect(wrong.status == 1)
        #expect(wrong.errors.contains("authentication_failed"), "\(wrong.errors)")
        try FileManager.default.removeItem(atPath: scratch.file("wrong"))
        #expect(try scratch.names() == names, "neither the file nor a part of it")

        try scratch.write("out", "mine")
        let kept = try await download("--event", "-", "--out", scratch.file("out"), input: line)
        #expect(kept.status == 1)
        #expect(kept.errors.contains("--force"))
        #expect(try scratch.read("out") == Array("mine".utf8))
    }

    @Test func `a file that cannot be attached is refused, and nothing is sent`() async throws {
        let pipe = scratch.file("pipe")
        #expect(unsafe mkfifo(pipe, 0o600) == 0)
        let large = scratch.file("large.bin")
        for (files, complaint) in [
            ([large, scratch.file("picture.png")], "must be the only attachment"),
            ([scratch.path], "not a regular file"), ([pipe], "not a regular file"),
            ([scratch.file("nowhere")], "No such file"),
            (Array(repeating: scratch.file("picture.png"), count: 11), "at most 10"),
        ] {
            let refused = try await run("1111", ["send", "2222", "text"] + files.flatMap { ["--attach", $0] })
            #expect(refused.status == 1)
            #expect(refused.errors.contains(complaint), "\(refused.errors)")
        }
        #expect(try await lines().isEmpty)
    }
}
