import Foundation
import Synchronization
import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEngine
import XChatEvents

/// A sandbox in a separate process.
final class RunningSandbox: @unchecked Sendable {
    let url: String
    private let process: Process

    /// Starts one with further arguments.
    convenience init(_ arguments: String...) throws {
        try self.init(arguments)
    }

    /// Starts one with further arguments.
    init(_ arguments: [String]) throws {
        process = try Program.process(["sandbox"] + arguments, environment: [:])
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        // The line is flushed, so this returns while the sandbox runs.
        let line = output.fileHandleForReading.availableData
        url = try JSONLocation(parsing: Array(line), document: "the first line").required("url").string().string
    }

    /// Sends the sandbox a signal to stop, and waits for its end.
    func stop(_ signal: Int32 = SIGTERM) -> Int32 {
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -1
    }

    deinit {
        if process.isRunning {
            process.terminate()
        }
    }
}

/// A sandbox that has the same state and port after a restart.
final class ServerThatComesAndGoes: Sendable {
    let url: String
    private let data: String
    private let running: Mutex<RunningSandbox?>

    init(_ scratch: Scratch, _ arguments: [String] = []) throws {
        data = scratch.file("server.sqlite")
        let sandbox = try RunningSandbox(["--data", data] + arguments)
        url = sandbox.url
        running = Mutex(sandbox)
    }

    func start(_ arguments: String...) throws {
        try start(arguments)
    }

    func start(_ arguments: [String]) throws {
        let port = url.split(separator: ":").last ?? ""
        let sandbox = try RunningSandbox(["--data", data, "--port", String(port)] + arguments)
        running.withLock { $0 = sandbox }
    }

    func stop() {
        _ = running.withLock { $0.take() }?.stop()
    }
}

struct SandboxCommandTests {
    @Test("a signal ends the sandbox with 0", arguments: [SIGINT, SIGTERM])
    func signals(_ signal: Int32) throws {
        let sandbox = try RunningSandbox()
        #expect(sandbox.url.hasPrefix("http://127.0.0.1:"))
        #expect(sandbox.stop(signal) == 0)
    }

    @Test func `a port that is taken ends with 1`() async throws {
        let sandbox = try RunningSandbox()
        let port = try #require(URL(string: sandbox.url)?.port)
        let outcome = try await Program.run("sandbox", "--port", "\(port)")
        #expect(outcome.status == 1)
        #expect(outcome.output.isEmpty)
        #expect(sandbox.stop() == 0)
    }
}

/// The commands that talk to a server, against the sandbox.
struct ServerTests {
    private let scratch: Scratch
    private let sandbox: RunningSandbox

    init() throws {
        scratch = try Scratch()
        sandbox = try RunningSandbox()
    }

    /// Runs a command as a user, whose session file is named after the id.
    private func run(
        _ user: String,
        _ arguments: String...,
        input: [UInt8] = []
    ) async throws -> Program.Outcome {
        let environment = ["XCHAT_API_URL": sandbox.url, "XCHAT_TOKEN": "sandbox-\(user)"]
        let session = ["--session", scratch.file(user)]
        return try await Program.run(arguments + session, input: input, environment: environment)
    }

    private func register(_ user: String, suite: String = "xchat") async throws {
        let made = try await Program.run(
            "keys",
            "generate",
            "--user",
            user,
            "--suite",
            suite,
            "--out",
            scratch.file(user)
        )
        #expect(made.status == 0)
        let registered = try await run(user, "keys", "register")
        #expect(registered.status == 0, "\(registered.errors)")
    }

    private func document(_ user: String) throws -> SessionDocument {
        try SessionDocument(parsing: try scratch.read(user), name: user)
    }

    private func texts(_ outcome: Program.Outcome) throws -> [WireString] {
        try outcome.json.map { try $0.required("event").required("content").required("text").string() }
    }

    @Test("a message goes from one user to the other and back", arguments: ["xchat", "sodium"])
    func conversation(_ suite: String) async throws {
        try await register("1111", suite: suite)
        try await register("2222", suite: suite)
        let started = try await run("1111", "conversation", "start", "2222")
        #expect(started.status == 0, "\(started.errors)")
        let start = try #require(try started.json.first)
        #expect(try start.members().map(\.key) == ["conversation_id", "conversation_key_version", "sequence_id"])
        #expect(try start.required("conversation_id").string() == "1111:2222")

        let sent = try await run("1111", "send", "2222", "first")
        #expect(sent.status == 0, "\(sent.errors)")
        let answer = try #require(try sent.json.first)
        #expect(try answer.members().map(\.key) == ["message_id", "sequence_id", "conversation_id"])
        #expect(try answer.required("conversation_id").string() == "1111:2222")
        #expect(try await run("1111", "send", "1111-2222", input: Array("two\nlines\n".utf8)).status == 0)

        // The recipient has no key yet; the history contains it.
        #expect(try await run("2222", "send", "1111", "an answer").status == 0)
        for user in ["1111", "2222"] {
            let read = try await run(user, "read", user == "1111" ? "2222" : "1111", "--json")
            #expect(read.status == 0, "\(read.errors)")
            #expect(try texts(read) == ["first", "two\nlines\n", "an answer"])
            #expect(try read.json.map { try $0.required("index").integer(Int.self) } == [0, 1, 2])
            #expect(try read.json.allSatisfy { try $0.required("event").required("verified").bool() })
        }
        let people = try await run("2222", "read", "1111")
        #expect(people.status == 0)
        #expect(people.lines.first?.hasSuffix("  ~@user1111 (1111)  first") == true)
    }

    @Test func `unknown members of a session file stay, and pins and keys are added`() async throws {
        try await register("1111")
        try await register("2222")
        var root = try document("1111").root
        root["notes"] = ["kept": .number("1.0")]
        try scratch.write("1111", JSONValue.object(root).line)
        #expect(try await run("1111", "conversation", "start", "2222").status == 0)
        let after = try document("1111")
        #expect(after.root["notes"] == ["kept": .number("1.0")])
        #expect(try scratch.permissions("1111") == 0o600)
        let session = try after.session()
        #expect(session.pins["2222"].count == 1)
        #expect(session.keyRing.newestVersion(in: .oneToOne("1111", "2222")) != nil)
        // There are no other files: the databases of the two users are in separate folders.
        #expect(try scratch.names().filter { !$0.hasSuffix(".outbox") } == ["1111", "2222"])
    }

    @Test func `the version that the server gives is kept and printed`() async throws {
        try await register("1111")
        let again = try await run("1111", "keys", "register")
        let version: KeyVersion = try #require(try again.json.first).required("public_key_version").id()
        let document = try document("1111")
        #expect(try document.signingKeyVersion() == version)
        #expect(try document.verifiedKeys().bound.contains { $0.version == version && $0.userID == "1111" })
    }

    @Test func `without a session file the account file is used`() async throws {
        let environment = [
            "XCHAT_API_URL": sandbox.url, "XCHAT_TOKEN": "sandbox-3333", "XCHAT_HOME": scratch.file("home"),
            "XCHAT_PASSPHRASE": "a passphrase",
        ]
        #expect(try await Program.run("keys", "generate", "--user", "3333", environment: environment).status == 0)
        // Keys that no server has registered cannot sign.
        let early = try await Program.run("conversation", "start", "3333", environment: environment)
        #expect(early.status == 1)
        #expect(early.errors.contains("keys register"))
        #expect(try await Program.run("keys", "register", environment: environment).status == 0)
        let started = try await Program.run("conversation", "start", "3333", environment: environment)
        #expect(started.status == 0, "\(started.errors)")
        #expect(try await Program.run("send", "3333", "to myself", environment: environment).status == 0)
        let read = try await Program.run("read", "3333", "--json", environment: environment)
        #expect(try texts(read) == ["to myself"])
        #expect(try scratch.permissions("home/account.db") == 0o600)
    }

    @Test func `sending does not start a conversation`() async throws {
        try await register("1111")
        try await register("2222")
        let outcome = try await run("1111", "send", "2222", "hi")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("conversation start"))
        #expect(try await run("1111", "conversation", "start", "2222").status == 0)
    }

    @Test func `changed keys stop everything until they are trusted`() async throws {
        try await register("1111")
        try await register("2222")
        #expect(try await run("1111", "conversation", "start", "2222").status == 0)

        // The same user registers other keys.
        let generated = scratch.file("other")
        _ = try await Program.run("keys", "generate", "--user", "2222", "--out", generated)
        let environment = ["XCHAT_API_URL": sandbox.url, "XCHAT_TOKEN": "sandbox-2222"]
        _ = try await Program.run("keys", "register", "--session", generated, environment: environment)
        let refused = try await run("1111", "conversation", "start", "2222")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("keys trust"))

        let before = try document("1111").verifiedKeys().bound
        let guess = "-" + String(repeating: "A", count: 42)
        let fingerprint = try await Program.run("keys", "fingerprint", "--session", generated).lines[0]
        // The fingerprint does not cover the signing key, and X's answer does not show that the identity key signed it.
        for given in [guess, fingerprint] {
            let wrong = try await run("1111", "keys", "trust", "2222", "--fingerprint", given)
            #expect(wrong.status == 1)
            #expect(try document("1111").verifiedKeys().bound == before)
        }
        let other = String(repeating: "01234 ", count: 12)
        #expect(try await run("1111", "keys", "trust", "2222", "--safety-code", other).status == 1)

        _ = try await Program.run("read", "1111", "--session", generated, environment: environment)
        let code = try await Program.run("keys", "safety-code", "1111", "--session", generated).lines[0]
        #expect(code.split(separator: " ").map(\.utf8.count) == Array(repeating: 5, count: 12))
        let trusted = try await run("1111", "keys", "trust", "2222", "--safety-code", code)
        #expect(trusted.status == 0, "\(trusted.errors)")
        #expect(try await run("1111", "keys", "safety-code", "2222").lines == [code])
        let old = try document("2222").verifiedKeys().bound.last
        for shown in [old?.identityKey.base64, old?.signingKey.base64, fingerprint] {
            #expect(trusted.text.contains(try #require(shown)))
        }
        #expect(try await run("1111", "conversation", "start", "2222").status == 0)
        let again = try await run("1111", "keys", "trust", "2222", "--safety-code", code)
        #expect(again.status == 0)
        #expect(again.output.isEmpty)
    }

    @Test func `messages under keys that are not trusted are refused one by one`() async throws {
        try await register("1111")
        try await register("2222")
        #expect(try await run("2222", "conversation", "start", "1111").status == 0)
        #expect(try await run("2222", "send", "1111", "under the old key").status == 0)
        #expect(try await run("1111", "read", "2222").status == 0)
        // New keys for the same user, who keeps the conversation key.
        var other = try document("2222").root
        let keys = try PrivateKeys.generate()
        other["private_keys"] = .string(try keys.withExport { Base64.encode($0) })
        try scratch.write("2222", JSONValue.object(other).line)
        #expect(try await run("2222", "keys", "register").status == 0)
        #expect(try await run("2222", "send", "1111", "under the new key").status == 0)
        let read = try await run("1111", "read", "2222", "--json")
        #expect(read.status == 1)
        #expect(read.errors.contains("keys trust"))
        let events = try read.json
        #expect(
            try events.first?.required("event").required("content").required("text").string() == "under the old key"
        )
        #expect(try events.last?.required("error").required("code").string() == "unknown_signer")
    }

    @Test func `commands that run at the same time lose nothing`() async throws {
        try await register("1111")
        let peers = (0..<5).map { "22\($0)" }
        for peer in peers { try await register(peer) }
        try await withThrowingTaskGroup(of: Int32.self) { group in
            for peer in peers {
                group.addTask { try await run("1111", "conversation", "start", peer).status }
            }
            for try await status in group { #expect(status == 0) }
        }
        let session = try document("1111").session()
        for peer in peers {
            #expect(session.pins[UserID(peer)].count == 1)
            #expect(session.keyRing.newestVersion(in: .oneToOne("1111", UserID(peer))) != nil)
        }
    }

    @Test func `a token that is wrong, missing or no token ends with 1 and is not printed`() async throws {
        try await register("1111")
        let session = ["--session", scratch.file("1111")]
        for (token, complaint) in [
            ("wrong-secret-token", "unauthorized"), ("line\nbreak", "token"), ("", "XCHAT_TOKEN"),
        ] {
            let outcome = try await Program.run(
                ["read", "2222"] + session,
                environment: ["XCHAT_API_URL": sandbox.url, "XCHAT_TOKEN": token]
            )
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains(complaint), "\(outcome.errors)")
            #expect(token.isEmpty || !outcome.errors.contains(token))
        }
    }

    @Test func `an unreachable or disallowed server ends with 1, an invalid URL with 2`() async throws {
        try await register("1111")
        let arguments = ["read", "2222", "--session", scratch.file("1111"), "--api"]
        let environment = ["XCHAT_TOKEN": "sandbox-1111"]
        for (url, status) in [("http://127.0.0.1:1", 1), ("http://example.com", 1), ("nonsense", 2), ("ftp://x", 2)]
            as [(String, Int32)]
        {
            let outcome = try await Program.run(arguments + [url], environment: environment)
            #expect(outcome.status == status, "\(url): \(outcome.errors)")
            #expect(outcome.output.isEmpty)
        }
    }

    @Test func `a user outside a conversation cannot start it`() async throws {
        try await register("1111")
        let foreign = try await run("1111", "conversation", "start", "2222-3333")
        #expect(foreign.status == 1)
        #expect(foreign.errors.contains("does not belong"))
        let unknown = try await run("1111", "conversation", "start", "9999")
        #expect(unknown.status == 1)
    }
}

/// Signals that ask a process to end.
@Suite(.timeLimit(.minutes(1)))
struct SignalTests {
    /// With the variable, the Swift runtime's handler reports a crash and the process continues.
    @Test(
        "SIGQUIT and SIGABRT end the process, whatever the Swift runtime does with them",
        arguments: [SIGQUIT, SIGABRT],
        [nil, "enable=yes"]
    )
    func ending(_ number: Int32, _ backtrace: String?) async throws {
        let environment = backtrace.map { ["SWIFT_BACKTRACE": $0] } ?? [:]
        let process = try Program.process(["sandbox", "--port", "0"], environment: environment)
        let (output, errors) = (Pipe(), try Scratch())
        process.standardOutput = output
        process.standardError = FileHandle(forWritingAtPath: try errors.write("err", []))
        try process.run()
        _ = output.fileHandleForReading.availableData
        kill(process.processIdentifier, number)
        let start = ContinuousClock.now
        while process.isRunning, ContinuousClock.now - start < .seconds(20) {
            try await Task.sleep(for: .milliseconds(10))
        }
        let elapsed = ContinuousClock.now - start
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal)
        #expect(process.terminationStatus == number)
        #expect(elapsed < .seconds(5))
        #expect(!String(decoding: try errors.read("err"), as: UTF8.self).contains("Backtrac"))
    }

    @Test func `a process that ignores SIGQUIT from its start goes on ignoring it`() async throws {
        let executable = try #require(Program.executable)
        let outcome = try await Program.shell(
            """
            trap '' QUIT
            "$1" sandbox --port 0 >out & process=$!
            while [ ! -s out ]; do sleep 0.05; done
            kill -QUIT $process; sleep 0.2; kill -TERM $process; wait $process
            """,
            [executable.path],
            in: try Scratch()
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
    }
}
