import Foundation
import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEvents

/// Every help text ends with an example, and every example works.
struct HelpExampleTests {
    /// The command lines of a help text: the indented lines after "Example:".
    ///
    /// A line that ends with a backslash is joined to the next one.
    private static func example(in help: String) -> [String] {
        let lines = help.components(separatedBy: "\n").drop { $0 != "Example:" }.dropFirst().prefix {
            $0.hasPrefix("  ")
        }
        var commands: [String] = []
        var isContinued = false
        for line in lines {
            var text = line.trimmingCharacters(in: .whitespaces)
            let isContinuation = isContinued
            isContinued = text.hasSuffix("\\")
            if isContinued { text.removeLast() }
            if isContinuation {
                commands[commands.count - 1] += text
            } else {
                commands.append(text)
            }
        }
        return commands
    }

    /// A command of the tree: its full name, and its help text for any width.
    private struct Command {
        let path: [String]
        let discussion: String

        var name: String { (["xchat"] + path).joined(separator: " ") }
    }

    /// All commands with the root and the hidden ones.
    private static func commands() async throws -> [Command] {
        let outcome = try await Program.run("--experimental-dump-help")
        func commands(_ command: JSONLocation, _ path: [String]) throws -> [Command] {
            let discussion = try command.member("discussion")?.string().string ?? ""
            let own = Command(path: path, discussion: discussion)
            return try (command.member("subcommands")?.elements() ?? []).reduce([own]) { found, inner in
                let name = try inner.required("commandName").string().string
                return name == "help" ? found : found + (try commands(inner, path + [name]))
            }
        }
        return try commands(try JSONLocation(parsing: outcome.output, document: "help").required("command"), [])
    }

    @Test func `every command has an example, which names the command and fits a terminal`() async throws {
        let commands = try await Self.commands()
        #expect(commands.count > 40)
        for command in commands {
            let example = Self.example(in: command.discussion)
            #expect(!example.isEmpty, "\(command.name) has no example")
            for line in example { #expect((line + " ").hasPrefix(command.name + " "), "\(command.name): \(line)") }
            let help = try await Program.run(command.path + ["--help"], environment: ["COLUMNS": "80"])
            #expect(Self.example(in: help.text) == example, "\(command.name): a line is broken at 80 columns")
        }
    }

    @Test func `every example works against the sandbox, and a wrong one does not`() async throws {
        let world = try await ExampleWorld()
        for command in try await Self.commands() {
            let copy = try ExampleWorld.Copy(world)
            for line in Self.example(in: command.discussion) {
                let outcome = try await copy.run(line)
                #expect(outcome.status == 0, "\(line)\n\(outcome.text)\(outcome.errors)")
            }
        }
        let copy = try ExampleWorld.Copy(world)
        #expect(try await copy.run("xchat read 2222 --session nothing.json").status == 1)
        #expect(try await copy.run("xchat read 2222 --follow --session nothing.json").status == 1)
        #expect(try await copy.run("xchat sandbox --port x").status == 2)
    }

    @Test func `an example ends where its indentation ends, and a backslash continues a line`() {
        #expect(Self.example(in: "a\n\nExample:\n  b \\\n    c\n  d\n\nOPTIONS:\n  e") == ["b c", "d"])
        #expect(Self.example(in: "Example: a\n  b").isEmpty)
        #expect(Self.example(in: "For example:\n  b").isEmpty)
    }
}

/// The data that the examples use: accounts, a conversation, a group, a waiting message, and files.
///
/// The user of the token is 1111 with `alice.json`; 2222 has `bob.json`; 3333 has registered keys.
private final class ExampleWorld: Sendable {
    /// The folder, which is copied for each command, so that one example does not affect another.
    let folder: Scratch
    /// The values that replace those in the help texts.
    let values: [String: String]
    /// The URL of the sandbox.
    ///
    /// The waiting messages are for this URL.
    let url: String

    /// Commands that run until a signal: the test ends them after their first line of output.
    private static let endless: [(first: String, option: String?)] = [
        ("xchat sandbox", nil), ("xchat read", "--follow"),
    ]

    init() async throws {
        folder = try Scratch()
        let server = try ServerThatComesAndGoes(folder)
        url = server.url
        let others = try Scratch()
        let shell = Shell(folder: folder, url: url)
        try folder.write("pin.txt", "2580\n")
        try folder.write("pins.txt", "2580\n7412\n")
        try folder.write("plan.pdf", "%PDF-1.4\nthe plan\n")
        try folder.write("photo.jpg", [0xff, 0xd8, 0xff, 0xd9])
        for (user, file) in [("1111", "alice.json"), ("2222", "bob.json"), ("3333", others.file("carol.json"))] {
            _ = try await shell("xchat keys generate --user \(user) --out '\(file)'")
            _ = try await shell("xchat keys register --session '\(file)'", as: user)
        }
        _ = try await shell("xchat conversation start 2222 --session alice.json")
        let sent = try await shell("xchat send 2222 hello --session alice.json")
        _ = try await shell("xchat send 2222 'the plan' --attach plan.pdf --session alice.json")
        _ = try await shell("xchat read 1111 --session bob.json", as: "2222")
        _ = try await shell("xchat read 2222 --json --session alice.json | tail -n 1 > message.json")
        let group = try await shell("xchat group create 2222 --session alice.json")
        _ = try await shell("xchat encrypt --conversation 2222 --text hi --event --session alice.json > events.txt")
        _ = try await shell("xchat media encrypt --conversation 2222 --in plan.pdf --out plan.enc --session alice.json")
        _ = try await shell("xchat keys export --out keys.bin --session alice.json")
        _ = try await shell("xchat keys backup --session alice.json < pin.txt")
        let code = try await shell("xchat keys safety-code 2222 --session alice.json")
        server.stop()
        // Without a server a message waits.
        _ = try await shell("xchat send 2222 later --timeout 1 --session alice.json || true")
        let waiting = try await shell("xchat outbox list --session alice.json")
        values = [
            "8080": "0",
            "g5555": try Self.string("conversation_id", group),
            "5001": try Self.string("sequence_id", sent),
            "7D1A0C5E-2F14-4D0B-9F6E-0D4D3D6C1A55": try Self.string("message_id", waiting),
            "CODE": "'\(try #require(code.lines.first))'",
        ]
    }

    private static func string(_ member: WireString, _ outcome: Program.Outcome) throws -> String {
        try #require(try outcome.json.first).required(member).string().string
    }

    /// Runs command lines in a folder as a user.
    struct Shell {
        let folder: Scratch
        let url: String

        func environment(_ user: String) throws -> [String: String] {
            let programs = try #require(Program.executable).deletingLastPathComponent().path
            return [
                "PATH": programs + ":/usr/bin:/bin", "HOME": folder.path, "XCHAT_API_URL": url,
                "XCHAT_TOKEN": "sandbox-\(user)", "XCHAT_PASSPHRASE": "a passphrase",
            ]
        }

        func callAsFunction(_ line: String, as user: String = "1111") async throws -> Program.Outcome {
            let outcome = try await Program.shell(line, in: folder, environment: try environment(user))
            try #require(outcome.status == 0, "\(line): \(outcome.errors)")
            return outcome
        }
    }

    /// A copy of the world with a running sandbox.
    final class Copy {
        private let world: ExampleWorld
        private let folder: Scratch
        private let sandbox: RunningSandbox

        init(_ world: ExampleWorld) throws {
            self.world = world
            folder = try Scratch()
            for name in try world.folder.names() {
                try FileManager.default.copyItem(atPath: world.folder.file(name), toPath: folder.file(name))
            }
            let port = world.url.split(separator: ":").last ?? ""
            sandbox = try RunningSandbox(["--data", folder.file("server.sqlite"), "--port", String(port)])
        }

        deinit { _ = sandbox.stop() }

        /// Runs one line of an example, with the values of this world.
        func run(_ line: String) async throws -> Program.Outcome {
            let filled = line.split(separator: " ").map { world.values[String($0)] ?? String($0) }
                .joined(separator: " ")
            let environment = try Shell(folder: folder, url: world.url).environment("1111")
            guard !line.hasPrefix("xchat login ") else { return try await signIn(filled, environment) }
            let isEndless = ExampleWorld.endless.contains { first, option in
                line.hasPrefix(first + " ") && option.map(line.contains) ?? true
            }
            guard isEndless else { return try await Program.shell(filled, in: folder, environment: environment) }
            return try await Program.shell(
                """
                mkfifo lines
                \(filled) > lines &
                exec 3< lines
                read -r first <&3
                kill -TERM $! 2> /dev/null
                wait $!
                """,
                in: folder,
                environment: environment
            )
        }

        /// Runs a sign-in, and does the work of the browser and of the user who pastes the address of the redirect.
        private func signIn(_ line: String, _ environment: [String: String]) async throws -> Program.Outcome {
            // Opened for reading and writing, so that opening does not wait for the other end.
            let folder = folder
            let script = "mkfifo pasted; \(line) 0<> pasted 2> shown"
            async let outcome = Program.shell(script, in: folder, environment: environment)
            var address: Substring?
            let deadline = ContinuousClock.now + .seconds(60)
            while address == nil, ContinuousClock.now < deadline {
                let shown = (try? String(contentsOfFile: folder.file("shown"), encoding: .utf8)) ?? ""
                address = shown.firstMatch(of: /http:\S+\/oauth2\/authorize\?\S+/)?.0
                try await Task.sleep(for: .milliseconds(20))
            }
            let shown = String(try #require(address))
            let redirect = try #require(try await RawClient.allow(shown, as: "1111"))
            let pasted = try #require(FileHandle(forUpdatingAtPath: folder.file("pasted")))
            try pasted.write(contentsOf: Data("\(redirect)\n".utf8))
            let result = try await outcome
            try pasted.close()
            return result
        }
    }
}
