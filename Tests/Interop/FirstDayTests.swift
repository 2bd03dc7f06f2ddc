import Foundation
import TestSupport
import Testing
import XChat
import XChatEvents

/// The commands of README's section "In the terminal", with a browser.
///
/// The sandbox's access tokens are valid for a second, so each command after the sign-in renews them, as it would a day
/// later.
@Suite(.enabled(if: Chromium.isWanted, Chromium.absence), .timeLimit(.minutes(3)))
struct FirstDayTests {
    @Test func `README's commands sign in, restore the keys, send, and renew the tokens`() async throws {
        let scratch = try Scratch()
        let server = "exec xchat sandbox --fault token-lifetime=1 >sandbox 2>sandbox.log"
        let sandbox = Self.process(server, in: scratch)
        try sandbox.run()
        defer { sandbox.terminate() }
        let answer = try await Self.wait(for: /(.+)\n/, in: "sandbox", of: scratch)
        let url = try JSONLocation(parsing: Array(answer.utf8), document: "sandbox").required("url").string().string

        // The keys of the bot of README's section "Install".
        for command in ["generate --user 7777 --out bot.json", "register --session bot.json"] {
            let environment = ["XCHAT_API_URL": url, "XCHAT_TOKEN": "sandbox-7777"]
            #expect(try await Self.run("xchat keys \(command) >/dev/null", in: scratch, environment) == 0)
        }

        var commands = try #require(Self.section("In the terminal").first { $0.contains("xchat login") })
        // The ports that README names may be in use on this machine. The PIN comes from a file.
        let port = try await RawClient.freePort()
        for (text, other) in [
            ("http://127.0.0.1:9000", url), ("$PWD/.build/debug", try #require(Self.products).path),
            ("--client-id trial", "--client-id trial --redirect-uri http://127.0.0.1:\(port)/"),
        ] {
            #expect(commands.contains(text))
            commands = commands.replacing(text, with: other)
        }
        _ = try scratch.write("pin", Array("2580".utf8))
        let terminal = Self.process("set -e; export XCHAT_PIN_FILE=pin\n" + commands, in: scratch)
        terminal.standardOutput = FileHandle(forWritingAtPath: try scratch.write("out", []))
        terminal.standardError = FileHandle(forWritingAtPath: try scratch.write("err", []))
        try terminal.run()
        defer { terminal.terminate() }

        let address = try await Self.wait(for: /\n(http\S+)\n/, in: "err", of: scratch, during: terminal)
        let browser = try Bots("browser.py")
        let page = try await browser.call(
            "sign_in",
            of: "user",
            ["address": address, "user": "1111"],
            returning: String.self
        )
        #expect(page.hasPrefix("You are signed in"))
        while terminal.isRunning { try await Task.sleep(for: .milliseconds(50)) }
        let output = String(decoding: try scratch.read("out"), as: UTF8.self)
        let errors = String(decoding: try scratch.read("err"), as: UTF8.self)
        #expect(terminal.terminationReason == .exit && terminal.terminationStatus == 0, "\(output)\(errors)")
        #expect(output.contains(#"{"user_id":"1111","public_key_version":"#), "\(output)")
        #expect(output.contains("#1 you (1111) ") && output.contains("\n    hello\n"), "\(output)")
        let account = try JSONLocation(parsing: scratch.read("alice.json"), document: "alice.json")
        let signIn = try account.required("sign_in")
        #expect(try signIn.required("refresh_token").string().string.isEmpty == false)
    }

    /// The blocks of commands in a section of README.
    private static func section(_ title: String) throws -> [String] {
        let document = try String(contentsOf: Peer.root.appending(path: "README.md"), encoding: .utf8)
        let section = document.components(separatedBy: "\n## ").first { $0.hasPrefix(title + "\n") } ?? ""
        return section.components(separatedBy: "```sh\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    }

    /// The folder of the built programs.
    private static var products: URL? { BuiltCommand.executable?.deletingLastPathComponent() }

    private static func process(_ script: String, in folder: Scratch) -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", script]
        process.currentDirectoryURL = URL(filePath: folder.path)
        process.environment = ["HOME": folder.path, "PATH": "\(products?.path ?? ""):/usr/bin:/bin"]
        process.standardInput = FileHandle.nullDevice
        return process
    }

    /// Runs a script to its end and returns its exit status.
    private static func run(_ script: String, in folder: Scratch, _ environment: [String: String]) async throws -> Int32
    {
        let process = process(script, in: folder)
        process.environment?.merge(environment) { $1 }
        try process.run()
        while process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
        return process.terminationStatus
    }

    /// Waits until the text of a file matches a regular expression, and returns its first group.
    private static func wait(
        for form: sending Regex<(Substring, Substring)>,
        in file: String,
        of scratch: Scratch,
        during process: Process? = nil
    ) async throws -> String {
        for _ in 0..<1200 {
            let text = (try? scratch.read(file)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            if let match = text.firstMatch(of: form) { return String(match.1) }
            guard process?.isRunning != false else { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw NoText(file: file, text: String(decoding: (try? scratch.read(file)) ?? [], as: UTF8.self))
    }

    private struct NoText: Error {
        let file: String
        let text: String
    }
}
