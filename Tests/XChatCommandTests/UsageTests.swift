import Foundation
import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEvents

/// Exit statuses and help texts.
struct UsageTests {
    private static let commands = [
        [], ["demo"], ["sandbox"], ["keys"], ["keys", "generate"], ["keys", "import"], ["keys", "export"],
        ["keys", "list"], ["keys", "fingerprint"], ["keys", "register"], ["keys", "trust"], ["encrypt"], ["decrypt"],
        ["verify"], ["inspect"], ["conversation"], ["conversation", "start"], ["send"], ["read"],
        ["conversation", "rotate"], ["group"], ["group", "create"], ["group", "add"], ["group", "remove"],
        ["group", "title"], ["group", "log"], ["group", "accept"], ["keys", "safety-code"],
        ["keys", "backup"], ["keys", "restore"], ["keys", "change-pin"], ["keys", "delete-backup"],
        ["keys", "backup-status"],
        ["react"], ["edit"], ["delete"], ["media"], ["media", "encrypt"], ["media", "decrypt"], ["media", "upload"],
        ["media", "download"], ["bench"], ["doctor"], ["completion"], ["outbox"], ["handle"], ["handle", "accept"],
        ["chat"], ["login"], ["logout"], ["whoami"],
        ["outbox", "list"], ["outbox", "retry"], ["outbox", "drop"],
    ]

    @Test("help goes to standard output and ends with 0", arguments: commands)
    func help(_ command: [String]) async throws {
        let outcome = try await Program.run(command + ["--help"])
        #expect(outcome.status == 0)
        #expect(outcome.text.contains("USAGE: "))
        #expect(outcome.errors.isEmpty)
    }

    @Test(
        "help and errors appear at any width",
        arguments: ["0", "1", "26", "27", "-5", "abc", "", "99999999999999999999", "9223372036854775807"]
    )
    func width(_ columns: String) async throws {
        for arguments in [[], ["send", "--help"], ["help", "read"], ["keys"]] {
            let outcome = try await Program.run(arguments, environment: ["COLUMNS": columns])
            #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
            #expect(outcome.text.contains("USAGE: "))
        }
        for arguments in [["nonsense"], ["send"], ["read", "2222", "--poll", "0"]] {
            let outcome = try await Program.run(arguments, environment: ["COLUMNS": columns])
            #expect(outcome.status == 2, "\(arguments)")
            #expect(outcome.errors.contains("Error: "))
        }
    }

    @Test func `help is as wide as COLUMNS says`() async throws {
        let narrow = try await Program.run("send", "--help", environment: ["COLUMNS": "60"])
        let wide = try await Program.run("send", "--help", environment: ["COLUMNS": "200"])
        #expect(narrow.lines.count > wide.lines.count)
        let widths = [narrow, wide].map { outcome in outcome.lines.map(\.utf8.count).max() ?? 0 }
        // The usage line is not broken.
        #expect(widths[0] < widths[1])
    }

    @Test func `every command, argument and option says what it is`() async throws {
        let outcome = try await Program.run("--experimental-dump-help")
        let root = try JSONLocation(parsing: outcome.output, document: "help").required("command")
        var names: [[String]] = []
        func look(at command: JSONLocation, _ path: [String]) throws {
            let name = try command.required("commandName").string().string
            if name == "help" { return }
            names.append(path)
            #expect(try command.required("abstract").string().utf8.count > 10, "\(path)")
            for argument in try command.member("arguments")?.elements() ?? [] {
                #expect(try argument.member("abstract")?.string().isEmpty == false, "\(path) \(argument.value.line)")
            }
            for inner in try command.member("subcommands")?.elements() ?? [] {
                try look(at: inner, path + [try inner.required("commandName").string().string])
            }
        }
        try look(at: root, [])
        #expect(Set(names) == Set(Self.commands))
    }

    @Test(
        "wrong use of the arguments ends with 2, on standard error",
        arguments: [
            ["nonsense"], ["--nonsense"], ["encrypt"], ["encrypt", "--conversation"],
            ["encrypt", "--conversation", "2", "--text", "a", "--draft", "b"], ["encrypt", "--conversation", ""],
            ["encrypt", "--conversation", "nobody"], ["encrypt", "--conversation", "2222\n"],
            ["encrypt", "--conversation", "2", "--nonsense"], ["encrypt", "--conversation", "2", "surplus"],
            ["decrypt", "--session", "a", "--home", "b"], ["decrypt", "--session"], ["verify", "--nonsense"],
            ["inspect", "a", "b"], ["keys", "generate"], ["keys", "generate", "--user", "nobody"],
            ["keys", "generate", "--user", ""], ["keys", "generate", "--user", "12345678901234567890"],
            ["keys", "generate", "--user", "1", "--suite", "rot13"],
            ["keys", "generate", "--user", "1", "--out", "a", "--home", "b"], ["keys", "nonsense"],
            ["keys", "import"], ["keys", "import", "--user", "1", "--key-version", "one"], ["keys", "trust"],
            ["keys", "trust", "nobody"], ["keys", "trust", "1", "--fingerprint", "short"],
            ["conversation", "start"], ["conversation", "start", "a/b"], ["send"], ["send", "../2222", "hi"],
            ["send", "2222", "hi", "there"], ["read"], ["read", "2222?x=1"], ["read", "g"],
            ["sandbox", "--host", "0.0.0.0"], ["sandbox", "--host", "example.com"], ["sandbox", "--port", "65536"],
            ["send", "2222", "hi", "--timeout", "0"], ["read", "2222", "--poll", "0"],
            ["outbox", "retry", "--timeout", "x"], ["outbox", "drop"],
            ["media", "upload", "--conversation", "2222"], ["media", "upload", "file"],
            ["media", "download", "hash", "--conversation", "2222"], ["media", "download", "hash", "--out", "a"],
            ["media", "download", "--event", "-", "hash", "--out", "a"],
            ["media", "download", "--event", "-", "--attachment", "0", "--out", "a"],
            ["sandbox", "--port", "x"], ["demo", "--suite", "rot13"], ["demo", "surplus"],
        ]
    )
    func wrongUse(_ arguments: [String]) async throws {
        let outcome = try await Program.run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.contains("Error: "))
    }

    @Test(
        "a handle without @ is wrong use, and the error shows it with @",
        arguments: [
            ["send", "carol", "hi"], ["read", "carol"], ["chat", "carol"], ["conversation", "start", "carol"],
            ["encrypt", "--conversation", "carol", "--text", "x"], ["media", "upload", "--conversation", "carol", "x"],
            ["keys", "trust", "carol"], ["keys", "safety-code", "carol"], ["keys", "fingerprint", "--user", "carol"],
            ["group", "create", "carol"], ["group", "add", "g5", "carol"],
            ["group", "create", "2", "--admin", "carol"],
        ]
    )
    func handleWithoutAt(_ arguments: [String]) async throws {
        let outcome = try await Program.run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("write @carol."), "\(outcome.errors)")
    }

    @Test(arguments: [["send", "a/b", "hi"], ["read", "sixteen_letters_"], ["keys", "trust", "b\u{43E}b"]])
    func `an argument that is no handle gets no advice about handles`(arguments: [String]) async throws {
        let outcome = try await Program.run(arguments)
        #expect(outcome.status == 2)
        #expect(!outcome.errors.contains("write @"), "\(outcome.errors)")
    }

    @Test func `an argument that is not UTF-8 ends with 2`() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        let executable = try #require(Program.executable?.path)
        process.arguments = [
            "-c", "exec '\(executable)' encrypt --conversation 2 --text \"$(printf '\\377')\" 2>/dev/null",
        ]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 2)
    }

    @Test("the demonstration ends with 0 in both suites", arguments: ["xchat", "sodium"])
    func demo(_ suite: String) async throws {
        let outcome = try await Program.run("demo", "--suite", suite)
        #expect(outcome.status == 0)
        #expect(outcome.lines.last == "Every step held.")
        #expect(outcome.text.contains("in the suite \(suite)"))
        #expect(outcome.text.contains("refused, wrong_signature"))
        #expect(outcome.errors.isEmpty)
    }

    @Test(
        "a text that begins with a dash is not a request for help",
        arguments: [
            ["send", "2222", "-thanks"], ["send", "2222", "-oh well"], ["send", "2222", "- hello"],
            ["send", "2222", "-x"],
            ["react", "2222", "5", "-hm"], ["edit", "2222", "5", "-hi"], ["group", "title", "g5", "-hot"],
        ]
    )
    func dashes(_ arguments: [String]) async throws {
        let outcome = try await Program.run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.contains("begins with a dash after --"))
    }

    @Test func `after two dashes a text can begin with a dash`() async throws {
        let outcome = try await Program.run("send", "2222", "--", "-thanks", environment: ["HOME": "/nonexistent"])
        #expect(outcome.status == 1, "the state is what is missing")
        #expect(!outcome.errors.contains("with a dash after --"))
    }

    @Test(arguments: [["help", "nonsense"], ["help", "keys", "nonsense"]])
    func `help for a command that does not exist is wrong use`(arguments: [String]) async throws {
        let outcome = try await Program.run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
    }

    @Test(arguments: [["help"], ["help", "keys"], ["help", "keys", "list"], ["keys"]])
    func `help for an existing command is printed`(arguments: [String]) async throws {
        let outcome = try await Program.run(arguments)
        #expect(outcome.status == 0)
        #expect(outcome.text.contains("USAGE: "))
    }

    @Test(arguments: [["send", "\u{1b}[31mred", "x"], ["react", "2222", "1\u{1b}[31m", "x"]])
    func `wrong arguments are quoted without control characters`(arguments: [String]) async throws {
        let outcome = try await Program.run(arguments)
        #expect(outcome.status == 2)
        #expect(!outcome.errors.utf8.contains(0x1b))
        #expect(outcome.errors.contains("u{1B}"))
    }

    @Test(arguments: [
        ["keys", "trust", "x\nxchat: forged"], ["keys", "generate", "--user=x\nxchat: forged"],
        ["send", "x\nxchat: forged", "y"], ["no\nxchat: forged"], ["send", "2222", "x", "--no\nxchat: forged"],
    ])
    func `a newline in an argument begins no line of an error`(arguments: [String]) async throws {
        let outcome = try await Program.run(arguments)
        #expect(outcome.status == 2)
        #expect(!outcome.errors.contains("\nxchat: forged"), "\(outcome.errors)")
    }

    /// A session file with fresh keys.
    private static func session(in scratch: Scratch) async throws -> String {
        let path = scratch.file("s.json")
        #expect(try await Program.run("keys", "generate", "--user", "1", "--out", path).status == 0)
        return path
    }

    @Test func `wrong use that is found during the run prints the command's usage`() async throws {
        let scratch = try Scratch()
        let session = try await Self.session(in: scratch)
        let outcome = try await Program.run(
            "send",
            "2222",
            "hi",
            "--session",
            session,
            "--api",
            "nonsense",
            environment: ["XCHAT_TOKEN": "t"]
        )
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("xchat send"))
        let list = try await Program.run("outbox", "list", "--session", session, "--api", "nonsense")
        #expect(list.status == 2)
        #expect(try await Program.run("outbox", "list", "--session", session).status == 0)
        #expect(try scratch.names() == ["s.json"])
    }

    @Test func `an invalid token is reported by the name of its variable`() async throws {
        let scratch = try Scratch()
        let session = try await Self.session(in: scratch)
        let outcome = try await Program.run(
            "send",
            "2222",
            "hi",
            "--session",
            session,
            environment: ["XCHAT_TOKEN": "with a blank"]
        )
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("XCHAT_TOKEN"))
        #expect(!outcome.errors.contains("with a blank"))
    }

    @Test func `a file that is opened later does not take the place of a closed standard stream`() async throws {
        let scratch = try Scratch()
        let session = try await Self.session(in: scratch)
        let executable = try #require(Program.executable?.path)
        for (arguments, closed) in [("keys fingerprint", ">&-"), ("decrypt", "<&-")] {
            let process = Process()
            process.executableURL = URL(filePath: "/bin/sh")
            process.arguments = [
                "-c", "exec '\(executable)' \(arguments) --session '\(session)' \(closed) 2>'\(session).err'",
            ]
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 1, "\(closed)")
            #expect(String(decoding: try scratch.read("s.json.err"), as: UTF8.self).contains("Bad file descriptor"))
        }
    }
}
