import Foundation
import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEngine
import XChatEvents

/// `read --follow` of one conversation.
@Suite(.timeLimit(.minutes(2)))
struct FollowCommandTests {
    private let scratch: Scratch
    private let server: ServerThatComesAndGoes

    /// The stream delivers each event twice, and uses both documented formats.
    private static let faults = ["--fault", "keep-alive=300ms,activity=mixed,duplicate=1"]

    init() async throws {
        scratch = try Scratch()
        server = try ServerThatComesAndGoes(scratch, Self.faults)
        for user in ["1111", "2222", "3333"] {
            let made = try await Program.run("keys", "generate", "--user", user, "--out", scratch.file(user))
            #expect(made.status == 0)
            #expect(try await run(user, "keys", "register").status == 0)
        }
        #expect(try await run("1111", "conversation", "start", "2222").status == 0)
    }

    private func environment(_ user: String, app: String? = nil) -> [String: String] {
        var environment = ["XCHAT_API_URL": server.url, "XCHAT_TOKEN": "sandbox-\(user)"]
        environment["XCHAT_APP_TOKEN"] = app
        return environment
    }

    private func run(_ user: String, _ arguments: String...) async throws -> Program.Outcome {
        let outcome = try await Program.run(
            arguments + ["--session", scratch.file(user)],
            environment: environment(user)
        )
        #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
        return outcome
    }

    /// Starts following the conversation of 1111 and 2222, as 2222.
    private func follow(_ arguments: String..., app: String? = "sandbox-app") throws -> Follow {
        try Follow(
            ["read", "1111", "--follow", "--session", scratch.file("2222")] + arguments,
            environment: environment("2222", app: app),
            scratch
        )
    }

    @Test func `first comes the history, then the messages of all users, each once and nothing else`() async throws {
        _ = try await run("1111", "send", "2222", "before")
        let follow = try follow("--json")
        try await follow.wait(for: 1)
        _ = try await run("1111", "send", "2222", "while it runs")
        try await follow.wait(for: 2)
        // An event of another conversation.
        _ = try await run("1111", "conversation", "start", "3333")
        _ = try await run("1111", "send", "3333", "for another user")
        _ = try await run("3333", "conversation", "start", "2222")
        _ = try await run("3333", "send", "2222", "from another user")
        _ = try await run("2222", "send", "1111", "my own")
        try await follow.wait(for: 3)
        // A message under a key that the follower does not have.
        _ = try await run("1111", "conversation", "rotate", "2222")
        _ = try await run("1111", "send", "2222", "under a new key")
        try await follow.wait(for: 4)
        _ = try await run("1111", "react", "2222", "1", "👍")
        try await follow.wait(for: 5)
        let (status, lines, errors) = try await follow.stop(SIGINT)
        #expect(status == 0, "\(errors)")
        let events = try lines.map { try JSONLocation(parsing: Array($0.utf8), document: "line") }
        #expect(try events.map { try $0.required("index").integer(Int.self) } == Array(0..<5))
        let contents = try events.map { try $0.required("event").required("content") }
        #expect(
            try contents.compactMap { try $0.member("text")?.string() }
                == ["before", "while it runs", "my own", "under a new key"]
        )
        #expect(try contents.last?.required("content_type").string() == "Reaction")
        // Keys and pins are saved.
        let session = try SessionDocument(parsing: try scratch.read("2222"), name: "2222").session()
        #expect(session.keyRing.versions(in: .oneToOne("1111", "2222")).count == 2)
    }

    @Test func `messages sent while the server or the stream is unavailable are read later, in order`() async throws {
        server.stop()
        try server.start("--fault", "keep-alive=300ms,disconnect=1")
        _ = try await run("1111", "send", "2222", "0")
        let follow = try follow("--poll", "1")
        try await follow.wait(for: 1)
        for number in 1...4 { _ = try await run("1111", "send", "2222", "\(number)") }
        try await follow.wait(for: 5)
        server.stop()
        try await Task.sleep(for: .milliseconds(300))
        try server.start(Self.faults)
        for number in 5...6 { _ = try await run("1111", "send", "2222", "\(number)") }
        try await follow.wait(for: 7)
        let (status, lines, errors) = try await follow.stop(SIGTERM)
        #expect(status == 0, "\(errors)")
        #expect(lines.map { String($0.suffix(1)) }.joined() == "0123456")
    }

    @Test(
        "without the stream it prints the reason, and polls",
        arguments: [nil, "sandbox-2222", "wrong-secret-token"] as [String?]
    )
    func noStream(_ token: String?) async throws {
        let follow = try follow("--poll", "1", app: token)
        _ = try await run("1111", "send", "2222", "one")
        try await follow.wait(for: 1)
        _ = try await run("1111", "conversation", "rotate", "2222")
        _ = try await run("1111", "send", "2222", "two")
        try await follow.wait(for: 2)
        let (status, lines, errors) = try await follow.stop(SIGINT)
        #expect(status == 0)
        #expect(lines.map { $0.hasSuffix("one") || $0.hasSuffix("two") } == [true, true])
        #expect(errors.contains("XCHAT_APP_TOKEN"), "\(errors)")
        #expect(errors.contains("every 1 s"))
        #expect(!errors.contains("wrong-secret-token"))
    }

    @Test func `a failure is reported once, and does not end the command`() async throws {
        _ = try await run("1111", "send", "2222", "good")
        // New keys for the same user, which are not trusted yet.
        var other = try SessionDocument(parsing: try scratch.read("1111"), name: "1111").root
        other["private_keys"] = .string(try PrivateKeys.generate().withExport { Base64.encode($0) })
        try scratch.write("1111", JSONValue.object(other).line)
        let follow = try follow("--json")
        try await follow.wait(for: 1)
        _ = try await run("1111", "keys", "register")
        for text in ["bad", "worse"] { _ = try await run("1111", "send", "2222", text) }
        try await follow.wait(for: 3)
        let (status, lines, errors) = try await follow.stop(SIGINT)
        #expect(status == 0)
        let codes = try lines.map {
            try JSONLocation(parsing: Array($0.utf8), document: "line").member("error")?.required("code").string()
        }
        #expect(codes == [nil, "unknown_signer", "unknown_signer"])
        #expect(errors.components(separatedBy: "keys trust").count == 2, "once: \(errors)")
    }

    @Test func `a missing conversation or a refused token ends with 1`() async throws {
        let absent = try Follow(
            ["read", "9999", "--follow", "--session", scratch.file("2222")],
            environment: environment("2222"),
            scratch
        )
        #expect(try await absent.end() == 1)
        let refused = try Follow(
            ["read", "1111", "--follow", "--session", scratch.file("2222")],
            environment: ["XCHAT_API_URL": server.url, "XCHAT_TOKEN": "wrong"],
            scratch
        )
        #expect(try await refused.end() == 1)
    }
}

/// A running command and its output so far.
final class Follow: @unchecked Sendable {
    private let process: Process
    private let scratch: Scratch
    private let name = UUID().uuidString

    init(_ arguments: [String], environment: [String: String], _ scratch: Scratch) throws {
        self.scratch = scratch
        process = try Program.process(arguments, environment: environment)
        process.standardOutput = FileHandle(forWritingAtPath: try scratch.write(name + ".out", []))
        process.standardError = FileHandle(forWritingAtPath: try scratch.write(name + ".err", []))
        try process.run()
    }

    private func lines() throws -> [String] {
        String(decoding: try scratch.read(name + ".out"), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    private var errors: String {
        get throws { String(decoding: try scratch.read(name + ".err"), as: UTF8.self) }
    }

    /// Waits for a number of lines, which the command must print without delay.
    func wait(for count: Int) async throws {
        for _ in 0..<600 {
            if try lines().count >= count { return }
            guard process.isRunning else { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("\(try lines().count) lines instead of \(count): \(try lines()) \(try errors)")
    }

    /// Ends it after a moment, so that a superfluous line would be printed.
    func stop(_ signal: Int32) async throws -> (status: Int32, lines: [String], errors: String) {
        try await Task.sleep(for: .milliseconds(500))
        kill(process.processIdentifier, signal)
        return (try await end(), try lines(), try errors)
    }

    /// Its exit status, after it has ended.
    func end() async throws -> Int32 {
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
