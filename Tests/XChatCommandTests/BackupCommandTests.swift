import Foundation
import TestSupport
import Testing
import XChat
import XChatEvents

/// The commands of the key backup, with a sandbox in a separate process.
struct BackupCommandTests {
    private let scratch: Scratch
    private let sandbox: RunningSandbox

    init() throws {
        scratch = try Scratch()
        sandbox = try RunningSandbox()
    }

    private func keys(
        _ command: String,
        _ arguments: [String] = [],
        session: String = "a.json",
        user: String = "1111",
        input: String = "",
        environment: [String: String] = [:]
    ) async throws -> Program.Outcome {
        try await Program.run(
            ["keys", command, "--session", scratch.file(session)] + arguments,
            input: Array(input.utf8),
            environment: ["XCHAT_API_URL": sandbox.url, "XCHAT_TOKEN": "sandbox-\(user)"]
                .merging(environment) { $1 }
        )
    }

    /// A session file with registered keys; returns their version.
    private func registered() async throws -> String {
        let made = try await Program.run("keys", "generate", "--user", "1111", "--out", scratch.file("a.json"))
        #expect(made.status == 0)
        let outcome = try await keys("register")
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try outcome.json[0].required("public_key_version").string().string
    }

    private func document(_ name: String) throws -> JSONLocation {
        try JSONLocation(parsing: try scratch.read(name), document: name)
    }

    private func string(_ member: WireString, in name: String) throws -> String {
        try document(name).required(member).string().string
    }

    @Test func `keys from a backup are restored into a new session file that starts now`() async throws {
        let version = try await registered()
        let stored = try await keys("backup", input: "2580\n")
        #expect(stored.status == 0, "\(stored.errors)")
        #expect(stored.lines == [#"{"public_key_version":"\#(version)","realms":3,"wanted_realms":3}"#])
        let restored = try await keys("restore", ["--user", "1111"], session: "b.json", input: "2580")
        #expect(restored.status == 0, "\(restored.errors)")
        #expect(restored.lines == [#"{"user_id":"1111","public_key_version":"\#(version)"}"#])
        #expect(try string("private_keys", in: "b.json") == string("private_keys", in: "a.json"))
        #expect(try string("signing_key_version", in: "b.json") == version)
        let start = try #require(UInt64(string("starts_at", in: "b.json")))
        #expect(abs(Double(start) / 1000 - Date().timeIntervalSince1970) < 60)
        // Restoring again into the same file changes nothing.
        let before = try scratch.read("b.json")
        #expect(try await keys("restore", session: "b.json", input: "2580").status == 0)
        #expect(try scratch.read("b.json") == before)
        #expect(sandbox.stop() == 0)
    }

    @Test func `a wrong PIN is an error with the remaining guesses, and makes no file`() async throws {
        _ = try await registered()
        #expect(try await keys("backup", input: "2580\n").status == 0)
        for remaining in [19, 18] {
            let outcome = try await keys("restore", ["--user", "1111"], session: "b.json", input: "9999\n")
            #expect(outcome.status == 1)
            #expect(outcome.lines == [#"{"error":"invalid_pin","guesses_remaining":\#(remaining)}"#])
            #expect(outcome.errors.contains("guesses remaining: \(remaining)"))
            #expect(!FileManager.default.fileExists(atPath: scratch.file("b.json")))
        }
        #expect(sandbox.stop() == 0)
    }

    @Test func `the PIN is read from a file too, and changed with two lines`() async throws {
        let version = try await registered()
        let environment = ["XCHAT_PIN_FILE": try scratch.write("pin", Array("2580\r\n".utf8))]
        #expect(try await keys("backup", environment: environment).status == 0)
        let changed = try await keys("change-pin", input: "2580\n7412\n")
        #expect(changed.lines == [#"{"public_key_version":"\#(version)","realms":3,"wanted_realms":3}"#])
        let old = try await keys("restore", environment: environment)
        #expect(old.status == 1)
        #expect(old.lines == [#"{"error":"invalid_pin","guesses_remaining":19}"#])
        #expect(try await keys("restore", input: "7412\n").status == 0)
        #expect(sandbox.stop() == 0)
    }

    #if os(Linux)
        @Test func `a changed PIN is reported even if standard output is full`() async throws {
            _ = try await registered()
            #expect(try await keys("backup", input: "2580\n").status == 0)
            let full = try await Program.shell(
                #"printf '2580\n7412\n' | "$@" >/dev/full"#,
                [try #require(Program.executable).path, "keys", "change-pin", "--session", scratch.file("a.json")],
                in: scratch,
                environment: ["XCHAT_API_URL": sandbox.url, "XCHAT_TOKEN": "sandbox-1111"]
            )
            #expect(full.status == 1 && full.errors.contains("the new PIN is in force"), "\(full.errors)")
            #expect(full.errors.contains(#""wanted_realms":3"#))
            #expect(try await keys("restore", input: "7412\n").status == 0)
            #expect(sandbox.stop() == 0)
        }
    #endif

    @Test func `weak PINs, and input that is not a PIN, are refused`() async throws {
        _ = try await registered()
        let weak = try await keys("backup", input: "1234\n")
        #expect(weak.status == 1)
        #expect(weak.lines == [#"{"error":"weak_pin"}"#])
        for input in ["", "\n", "2580\n7412\n", "2580\n\n"] {
            #expect(try await keys("backup", input: input).status == 1)
        }
        for input in ["2580\n", "2580\n7412\n1111\n"] {
            #expect(try await keys("change-pin", input: input).status == 1)
        }
        #expect(try await keys("backup", ["--pin", "2580"]).status == 2)
        #expect(try await keys("backup-status").json[0].required("status").string() == "not_registered")
        #expect(sandbox.stop() == 0)
    }

    @Test func `the status and deleting need no PIN`() async throws {
        let version = try await registered()
        func status() async throws -> [String] { try await keys("backup-status").lines }
        let line = { (word: String, realms: Int) in
            #"{"status":"\#(word)","public_key_version":"\#(version)","realms":\#(realms),"wanted_realms":3,"problems":{"#
        }
        #expect(try await status().first?.hasPrefix(line("not_registered", 0)) == true)
        #expect(try await keys("backup", input: "2580\n").status == 0)
        #expect(try await status() == [line("registered", 3) + "}}"])
        #expect(try await keys("delete-backup").lines == [#"{"deleted":true}"#])
        #expect(try await status().first?.hasPrefix(line("not_registered", 0)) == true)
        let gone = try await keys("restore", input: "2580\n")
        #expect(gone.status == 1)
        #expect(gone.lines == [#"{"error":"not_registered"}"#])
        #expect(sandbox.stop() == 0)
    }

    @Test func `realms that changed since the first use are refused before any request`() async throws {
        _ = try await registered()
        #expect(try await keys("backup", input: "2580\n").status == 0)
        let pins = try document("a.json").required("backup_realms").members()
        #expect(pins.count == 3)
        let text = String(decoding: try scratch.read("a.json"), as: UTF8.self)
        let key = try #require(pins.lazy.compactMap { try? $0.place.string().string }.first)
        _ = try scratch.write("a.json", Array(text.replacing(key, with: String(key.reversed())).utf8))
        for command in ["restore", "backup", "delete-backup", "backup-status"] {
            let outcome = try await keys(command, input: "2580\n")
            #expect(outcome.status == 1)
            #expect(outcome.lines == [#"{"error":"realms_changed"}"#])
        }
        // A person can accept them, and they are pinned from then on.
        #expect(try await keys("restore", ["--accept-realms"], input: "2580\n").status == 0)
        #expect(try await keys("restore", input: "2580\n").status == 0)
        #expect(sandbox.stop() == 0)
    }

    @Test func `keys are not restored over other keys`() async throws {
        let version = ["--key-version", try await registered()]
        #expect(try await keys("backup", input: "2580\n").status == 0)
        let made = try await Program.run("keys", "generate", "--user", "1111", "--out", scratch.file("b.json"))
        #expect(made.status == 0)
        let before = try scratch.read("b.json")
        let outcome = try await keys("restore", version, session: "b.json", input: "2580\n")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("other private keys"))
        #expect(try scratch.read("b.json") == before)
        // Keys that the server does not serve are not backed up either.
        let backup = try await keys("backup", version, session: "b.json", input: "2580\n")
        #expect(backup.status == 1)
        #expect(backup.errors.contains("not those that the server serves"))
        #expect(sandbox.stop() == 0)
    }

    @Test func `without an account the user must be named`() async throws {
        let outcome = try await keys("restore", session: "b.json", input: "2580\n")
        #expect(outcome.status == 2)
        let unknown = try await keys("restore", ["--user", "2222"], session: "b.json", user: "2222", input: "2580\n")
        #expect(unknown.status == 1)
        #expect(sandbox.stop() == 0)
    }

    @Test func `without keys or a backup at the server the error names the next command`() async throws {
        let commands = ["backup", "change-pin", "delete-backup", "backup-status"]
        for command in commands {
            let outcome = try await keys(command, ["--user", "1111"], input: "2580\n")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("no public keys of user 1111"), "\(command): \(outcome.errors)")
            #expect(outcome.errors.contains("xchat keys register"), "\(command): \(outcome.errors)")
        }
        let restored = try await keys("restore", ["--user", "1111"], input: "2580\n")
        #expect(restored.status == 1)
        for advice in ["no public keys of user 1111", "xchat keys import", "xchat keys generate"] {
            #expect(restored.errors.contains(advice), "\(restored.errors)")
        }
        _ = try await registered()
        let version = try await keys("backup-status", ["--key-version", "7"])
        #expect(version.status == 1)
        #expect(version.errors.contains("no public keys of version 7 of user 1111"), "\(version.errors)")
        #expect(version.errors.contains("choose another version"), "\(version.errors)")

        // A server that knows the keys and no realms.
        let server = try await LyingServer()
        let entry = try Person("1111", version: "5").served()
        server.with { $0.keys["1111"] = [entry] }
        let environment = ["XCHAT_API_URL": server.url]
        for command in commands + ["restore"] {
            let outcome = try await keys(
                command,
                ["--user", "1111"],
                session: "none.json",
                input: "2580\n",
                environment: environment
            )
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("names no key backup for version 5"), "\(command): \(outcome.errors)")
            let advice = command == "restore" ? "xchat keys import" : "xchat keys export --out FILE"
            #expect(outcome.errors.contains(advice), "\(command): \(outcome.errors)")
        }
        #expect(sandbox.stop() == 0)
    }

    @Test func `a backup outlives the server process, and is restored into an account file too`() async throws {
        _ = try await registered()
        let server = try ServerThatComesAndGoes(scratch)
        let environment = ["XCHAT_API_URL": server.url, "XCHAT_PASSPHRASE": "only for this test"]
        #expect(try await keys("register", environment: environment).status == 0)
        #expect(try await keys("backup", input: "2580\n", environment: environment).status == 0)
        server.stop()
        try server.start()
        let home = scratch.file("home")
        let restored = try await Program.run(
            ["keys", "restore", "--home", home, "--user", "1111"],
            input: Array("2580\n".utf8),
            environment: environment.merging(["XCHAT_TOKEN": "sandbox-1111"]) { $1 }
        )
        #expect(restored.status == 0, "\(restored.errors)")
        let exported = try await Program.run(
            ["keys", "export", "--home", home, "--base64"],
            environment: environment
        )
        #expect(exported.lines == [try string("private_keys", in: "a.json")])
        server.stop()
        #expect(sandbox.stop() == 0)
    }
}
