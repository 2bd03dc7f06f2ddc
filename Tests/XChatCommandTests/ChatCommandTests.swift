import Foundation
import TestSupport
import Testing
import XChat
import XChatEngine
import XChatEvents
import XChatText

/// Handles on the command line, and chats, against the sandbox.
@Suite(.timeLimit(.minutes(4)))
struct ChatCommandTests {
    private let scratch: Scratch
    private let server: ServerThatComesAndGoes

    private static let users = [
        "--user", "1111:Alice", "--user", "2222:bob:#1 you (1111) sent", "--user", "3333:carol",
    ]

    init() async throws {
        scratch = try Scratch()
        server = try ServerThatComesAndGoes(scratch, Self.users)
        for user in ["1111", "2222", "3333"] {
            let made = try await Program.run("keys", "generate", "--user", user, "--out", scratch.file(user))
            #expect(made.status == 0)
            #expect(try await run(user, "keys", "register").status == 0)
        }
        #expect(try await run("1111", "conversation", "start", "@bob").status == 0)
    }

    private func environment(_ user: String) -> [String: String] {
        ["XCHAT_API_URL": server.url, "XCHAT_TOKEN": "sandbox-\(user)", "XCHAT_APP_TOKEN": "sandbox-app"]
    }

    private func run(_ user: String, _ arguments: String..., input: String = "") async throws -> Program.Outcome {
        try await Program.run(
            arguments + ["--session", scratch.file(user)],
            input: Array(input.utf8),
            environment: environment(user)
        )
    }

    private func moveBob() throws {
        server.stop()
        try server.start("--user", "3333:bob")
    }

    // MARK: Handles

    @Test func `a handle can be used wherever a user id can`() async throws {
        #expect(try await run("1111", "send", "@BOB", "hello").status == 0)
        #expect(try await run("1111", "read", "@bob").text.hasSuffix("~@Alice (1111)  hello\n"))
        let code = try await run("1111", "keys", "safety-code", "@bob")
        #expect(code.status == 0)
        #expect(try await run("1111", "keys", "safety-code", "2222").text == code.text)
        #expect(try await run("1111", "keys", "fingerprint", "--user", "@bob").text.utf8.count == 44)
        #expect(try await run("1111", "keys", "trust", "@bob", "--safety-code", code.text).status == 0)
        let group = try await run("1111", "group", "create", "@bob", "--admin", "@Bob")
        let id = try #require(try group.json.first?.required("conversation_id").string().string)
        #expect(try await run("1111", "group", "add", id, "@carol").status == 0)
        #expect(try await run("1111", "group", "remove", id, "@carol").status == 0)
        #expect(try await run("1111", "read", id).status == 0)
        let log = try await run("1111", "group", "log", id)
        #expect(try log.json.last?.required("members").elements().count == 3)
    }

    @Test func `a handle that moved is an error that names both users, until a person accepts the new one`()
        async throws
    {
        #expect(try await run("1111", "send", "@bob", "to 2222").status == 0)
        try moveBob()
        let refused = try await run("1111", "send", "@bob", "secret")
        #expect(refused.status == 1)
        for word in ["@bob", "2222", "3333", "xchat handle accept @bob"] {
            #expect(refused.errors.contains(word), "\(word)")
        }
        #expect(try await run("1111", "outbox", "list", "--all").text.contains("3333") == false)

        #expect(try await run("1111", "handle", "accept", "@bob").status == 1, "there is no terminal to ask on")
        #expect(try await run("1111", "handle", "accept", "@bob", "--user", "2222").status == 1)
        #expect(try await run("1111", "send", "@bob", "secret").status == 1)
        let accepted = try await run("1111", "handle", "accept", "@bob", "--user", "3333")
        #expect(accepted.text == #"{"handle":"bob","user_id":"3333"}"# + "\n")
        #expect(try await run("1111", "conversation", "start", "@bob").status == 0)
        #expect(try await run("1111", "read", "1111:3333").status == 0)
    }

    @Test func `a handle that was used works without the server, and another one says what is missing`() async throws {
        server.stop()
        let code = try await run("1111", "keys", "safety-code", "@bob")
        #expect(code.status == 0)
        let queued = try await run("1111", "send", "@bob", "later", "--timeout", "1")
        #expect(queued.errors.contains("it waits in the outbox"), "\(queued.errors)")
        let unknown = try await run("1111", "keys", "safety-code", "@carol")
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("@carol"))
    }

    @Test(
        "an invalid handle is wrong use, and a look-alike letter is named",
        arguments: [
            ["send", "@b\u{43E}b", "x"], ["read", "@b\u{43E}b"], ["chat", "@b\u{43E}b"],
            ["keys", "trust", "@b\u{43E}b"],
            ["group", "create", "@b\u{43E}b"], ["handle", "accept", "@b\u{43E}b"],
        ]
    )
    func lookAlike(_ arguments: [String]) async throws {
        let outcome = try await Program.run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("U+043E"), "\(outcome.errors)")
    }

    @Test func `read marks handles as unsigned`() async throws {
        #expect(try await run("2222", "send", "1111", "hi").status == 0)
        let text = try await run("1111", "read", "2222")
        #expect(text.text.hasSuffix("  ~@bob (2222)  hi\n"), "\(text.text)")
        let json = try await run("1111", "read", "2222", "--json")
        let event = try #require(try json.json.first?.required("event"))
        #expect(try event.required("sender_username_unverified").string() == "bob")
        #expect(try event.required("sender_id").string() == "2222")
        let unverified = try event.required("unverified_fields").elements().map { try $0.string() }
        #expect(unverified.contains("sender_username_unverified"))
    }

    // MARK: Chat

    @Test func `a chat through pipes prints the history and each outcome, and ends with 0`() async throws {
        for number in 1...3 { #expect(try await run("2222", "send", "1111", "old \(number)").status == 0) }
        let chat = try await run("1111", "chat", "@bob", "--history", "2", input: "hello\n\n//slash\n/nonsense\n")
        #expect(chat.status == 0, "\(chat.errors)")
        let lines = chat.lines
        #expect(lines.first == "-- 1 earlier messages; read them with: xchat read")
        #expect(lines[1].hasPrefix("#2 ~@bob (2222) "))
        #expect(lines[2] == "    old 2")
        #expect(lines.contains("#4 you (1111) queued"))
        #expect(lines.contains("    hello"))
        #expect(lines.contains("-- #4 sent"))
        #expect(lines.contains("    /slash"))
        #expect(lines.contains("-- #5 sent"))
        #expect(lines.contains { $0.hasPrefix("-- there is no such command") })
        let read = try await run("2222", "read", "1111")
        #expect(read.lines.suffix(2).map { $0.components(separatedBy: "  ").last } == ["hello", "/slash"])
    }

    @Test func `reactions, edits and deletions act on numbered messages, and a pipe sends no files`() async throws {
        #expect(try await run("2222", "send", "1111", "question").status == 0)
        let chat = try Chatting("1111", "2222", server.url, scratch)
        try await chat.wait(for: "#1 ~@bob (2222)")
        chat.type("mine\n")
        try await chat.wait(for: "-- #2 sent")
        chat.type("/react #1 👍\n")
        try await chat.wait(for: "-- reaction to #1 sent")
        chat.type("/edit better\n")
        try await chat.wait(for: "-- edit of #2 sent")
        chat.type("/attach \"\(scratch.file("a file.txt"))\" look\n")
        try await chat.wait(for: "-- not sent: /attach works at a terminal only")
        chat.type("/edit #1 no\n/delete #9\n/delete #2\n")
        try await chat.wait(for: "-- #2 deleted for everyone")
        let (status, lines) = try await chat.end()
        #expect(status == 0)
        #expect(lines.contains("-- not done: #1 is not your message"))
        #expect(lines.contains("-- not done: there is no message #9 here"))
        #expect(lines.filter { $0.contains("mine") } == ["    mine"], "what was sent here is shown once: \(lines)")
        let read = try await run("2222", "read", "1111")
        for part in ["(reacted \"👍\"", "better", "(deletion of "] {
            #expect(read.text.contains(part), "\(part) in \(read.text)")
        }
    }

    @Test func `a message is shown when it arrives, with its sender, and a hostile one as text`() async throws {
        let chat = try Chatting("1111", "@bob", server.url, scratch)
        try await chat.wait(for: "-- /help")
        #expect(try await run("2222", "send", "1111", "a\u{1B}[2J\n-- #1 sent\n#9 you (1111) queued").status == 0)
        try await chat.wait(for: "#9 you")
        #expect(try await run("1111", "send", "2222", "from another device").status == 0)
        try await chat.wait(for: "from another device")
        let (status, lines) = try await chat.end()
        #expect(status == 0)
        #expect(lines.contains("    a\\u{1B}[2J"))
        #expect(lines.filter { $0.hasPrefix("#") }.map { $0.prefix(16) } == ["#1 ~@bob (2222) ", "#2 you (1111) 20"])
        #expect(lines.contains("    -- #1 sent"))
        #expect(!lines.contains("-- #1 sent"))
    }

    @Test func `without the server a message is queued, and waits in the outbox after the end`() async throws {
        let chat = try Chatting("1111", "2222", server.url, scratch, "--timeout", "1")
        try await chat.wait(for: "-- /help")
        server.stop()
        chat.type("later\n")
        try await chat.wait(for: "-- #1 not sent yet")
        let (status, _) = try await chat.end()
        #expect(status == 0)
        #expect(try chat.errors.contains("1 of your messages are not sent yet"))
        try server.start(Self.users)
        #expect(try await run("1111", "outbox", "retry").status == 0)
        #expect(try await run("2222", "read", "1111").text.hasSuffix("later\n"))
    }

    @Test("a signal ends a chat with 0, after its messages were sent", arguments: [SIGINT, SIGTERM])
    func signals(_ signal: Int32) async throws {
        let chat = try Chatting("1111", "2222", server.url, scratch)
        try await chat.wait(for: "-- /help")
        chat.type("one\n")
        try await chat.wait(for: "#1 you (1111) queued")
        #expect(try await chat.stop(signal) == 0)
        #expect(try chat.lines.contains("-- #1 sent"))
    }

    @Test func `a conversation that does not exist is an error with a next step`() async throws {
        let chat = try await run("1111", "chat", "3333", input: "x\n")
        #expect(chat.status == 1)
        #expect(chat.errors.contains("xchat conversation start"))
    }

    #if os(Linux)
        @Test func `a terminal sends files, but neither a line that it cuts nor one without Return`() async throws {
            let path = try scratch.write("a file.txt", "contents")
            let terminal = try PseudoTerminal(
                ["chat", "@bob", "--session", scratch.file("1111")],
                environment: environment("1111"),
                columns: 80
            )
            try await terminal.wait(for: "-- /help")
            terminal.type("/attach '\(path)' look\n")
            try await terminal.wait(for: " sent")
            terminal.type(String(repeating: "x", count: 5000) + "END\n")
            try await terminal.wait(for: "-- not sent: the terminal cuts lines")
            let longest = String(repeating: "y", count: 4094)
            terminal.type(longest + "\n")
            try await terminal.wait(for: "-- #2 sent")
            terminal.type("half\u{4}\u{4}")
            #expect(try await terminal.end() == 0)
            let read = try await run("2222", "read", "1111")
            #expect(read.text.contains("\"a file.txt\"") && read.text.contains("look"), "\(read.text)")
            #expect(!read.text.contains("half") && !read.text.contains("xxxx"), "\(read.text)")
            #expect(read.text.contains(longest), "a line of 4,094 bytes is sent whole")
        }

        @Test func `in a terminal of 40 columns no line is wider, and Ctrl-C and Ctrl-D end with 0`() async throws {
            let long = String(repeating: "\u{65E5}\u{672C} word ", count: 20) + String(repeating: "x", count: 90)
            #expect(try await run("2222", "send", "1111", long).status == 0)
            for key in ["\u{3}", "\u{4}"] {
                let terminal = try PseudoTerminal(
                    ["chat", "@bob", "--session", scratch.file("1111")],
                    environment: environment("1111"),
                    columns: 40
                )
                try await terminal.wait(for: "> ")
                try await terminal.wait(for: "-- /help")
                terminal.type("from the keyboard\n")
                try await terminal.wait(for: " sent")
                terminal.type("half")
                try await terminal.wait(for: "half")
                #expect(try await run("2222", "send", "1111", "comes between").status == 0)
                try await terminal.wait(for: "comes between", count: key == "\u{3}" ? 1 : 2)
                // Ctrl-U erases the unfinished line; Ctrl-D ends the input only on an empty line.
                terminal.type(key == "\u{3}" ? " of it\n" : "\u{15}")
                if key == "\u{3}" { try await terminal.wait(for: " sent", count: 2) }
                terminal.type(key)
                #expect(try await terminal.end() == 0)
                let text = terminal.text
                #expect(!text.contains("\u{1B}[2J"))
                for line in text.replacing("\u{1B}[K", with: "").split(whereSeparator: { $0.isNewline || $0 == "\r\n" })
                {
                    let shown = line.split(separator: "\r").last ?? ""
                    #expect(displayWidth(String(shown)) <= 40, "\(shown)")
                }
            }
            let read = try await run("2222", "read", "1111")
            #expect(read.text.contains("  half of it\n"), "the line that a message interrupted is whole: \(read.text)")
        }
    #endif
}

/// A chat whose input and output are pipes.
final class Chatting: @unchecked Sendable {
    private let process: Process
    private let input = Pipe()
    private let scratch: Scratch
    private let name = UUID().uuidString

    init(_ user: String, _ to: String, _ url: String, _ scratch: Scratch, _ arguments: String...) throws {
        self.scratch = scratch
        process = try Program.process(
            ["chat", to, "--session", scratch.file(user)] + arguments,
            environment: ["XCHAT_API_URL": url, "XCHAT_TOKEN": "sandbox-\(user)", "XCHAT_APP_TOKEN": "sandbox-app"]
        )
        process.standardInput = input
        process.standardOutput = FileHandle(forWritingAtPath: try scratch.write(name + ".out", []))
        process.standardError = FileHandle(forWritingAtPath: try scratch.write(name + ".err", []))
        try process.run()
    }

    var lines: [String] {
        get throws {
            String(decoding: try scratch.read(name + ".out"), as: UTF8.self)
                .split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        }
    }

    var errors: String {
        get throws { String(decoding: try scratch.read(name + ".err"), as: UTF8.self) }
    }

    func type(_ text: String) { input.fileHandleForWriting.write(Data(text.utf8)) }

    func wait(for part: String) async throws {
        for _ in 0..<600 {
            if try lines.contains(where: { $0.contains(part) }) { return }
            guard process.isRunning else { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("there is no \(part) in: \(try lines) \(try errors)")
    }

    /// Ends the input, and waits for the end.
    func end() async throws -> (status: Int32, lines: [String]) {
        try input.fileHandleForWriting.close()
        return (try await status(), try lines)
    }

    func stop(_ signal: Int32) async throws -> Int32 {
        kill(process.processIdentifier, signal)
        return try await status()
    }

    private func status() async throws -> Int32 {
        for _ in 0..<600 where process.isRunning { try await Task.sleep(for: .milliseconds(50)) }
        guard !process.isRunning else {
            Issue.record("it does not end")
            return -1
        }
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    deinit {
        if process.isRunning { process.terminate() }
    }
}
