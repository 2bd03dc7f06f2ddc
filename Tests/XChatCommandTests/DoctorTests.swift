import Foundation
import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEvents

/// The findings of `xchat doctor` in good and bad set-ups.
struct DoctorTests {
    private let scratch: Scratch
    private let server: ServerThatComesAndGoes

    init() throws {
        scratch = try Scratch()
        server = try ServerThatComesAndGoes(scratch)
    }

    private struct Found: Equatable {
        let status: String
        let detail: String
        let advice: String?
    }

    private func command(
        _ arguments: [String],
        state: [String]? = nil,
        input: String = "",
        environment: [String: String] = [:]
    ) async throws -> Program.Outcome {
        try await Program.run(
            arguments + (state ?? ["--session", scratch.file("a.json")]),
            input: Array(input.utf8),
            environment: ["XCHAT_API_URL": server.url, "XCHAT_TOKEN": "sandbox-1111"].merging(environment) { $1 }
        )
    }

    /// Runs the doctor, and expects the exit status that belongs to its findings.
    private func findings(
        state: [String]? = nil,
        environment: [String: String] = [:]
    ) async throws -> [String: Found] {
        let outcome = try await command(["doctor", "--json"], state: state, environment: environment)
        var findings: [String: Found] = [:]
        for line in try outcome.json {
            #expect(try line.members().map(\.key) == ["check", "status", "detail", "advice"])
            let check = try line.required("check").string().string
            #expect(findings[check] == nil, "\(check) is there twice")
            findings[check] = Found(
                status: try line.required("status").string().string,
                detail: try line.required("detail").string().string,
                advice: try line.member("advice")?.string().string
            )
        }
        #expect(outcome.status == (findings.values.contains { $0.status == "problem" } ? 1 : 0))
        #expect(outcome.errors.isEmpty)
        return findings
    }

    private func made(_ file: String = "a.json") async throws {
        let made = try await Program.run("keys", "generate", "--user", "1111", "--out", scratch.file(file))
        #expect(made.status == 0)
    }

    private func registered(_ file: String = "a.json") async throws {
        try await made(file)
        let outcome = try await command(["keys", "register"], state: ["--session", scratch.file(file)])
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    private static let checks: Set = [
        "libsodium", "sqlite", "permissions", "state", "proxy", "server", "clock", "token", "keys", "backup", "outbox",
    ]

    @Test func `everything is ok with registered keys and a backup, and nothing is changed`() async throws {
        try await registered()
        #expect(try await command(["keys", "backup"], input: "2580\n").status == 0)
        let before = try scratch.read("a.json")
        let findings = try await findings()
        #expect(Set(findings.keys) == Self.checks)
        #expect(findings.values.allSatisfy { $0.status == "ok" && $0.advice == nil }, "\(findings)")
        #expect(try scratch.read("a.json") == before)
        let text = try await command(["doctor"])
        #expect(text.status == 0)
        #expect(text.lines.count == Self.checks.count)
        #expect(text.lines.contains("ok       token        of user 1111"))
        #expect(text.lines.allSatisfy { $0.hasPrefix("ok       ") })
    }

    @Test func `keys that newer ones replaced are not registered again, and the advice leads to those`() async throws {
        try await registered()
        try await made("b.json")
        let newer = ["--session", scratch.file("b.json")]
        let replacing = try await command(["keys", "register"], state: newer)
        #expect(replacing.status == 0)
        #expect(replacing.errors.contains("warning: the server had other keys of user 1111"), "\(replacing.errors)")
        let version = try replacing.json[0].required("public_key_version").string().string
        #expect(try await command(["keys", "backup"], state: newer, input: "2580\n").status == 0)

        let again = try await command(["keys", "register"])
        #expect(again.status == 1 && again.output.isEmpty)
        #expect(again.errors.contains("and newer ones as version \(version)"), "\(again.errors)")
        let found = try await findings()["keys"]
        #expect(found?.status == "problem")
        let restore = "keys restore --user 1111 --key-version \(version)"
        let advice = found?.advice ?? ""
        #expect(advice.hasPrefix("xchat \(restore) into a new file; or"), "\(advice)")

        let new = ["--session", scratch.file("c.json")]
        #expect(try await command(restore.components(separatedBy: " "), state: new, input: "2580\n").status == 0)
        #expect(try await findings(state: new)["keys"]?.status == "ok")
    }

    @Test func `a missing state is a problem that names the command that makes one`() async throws {
        let session = try await findings()
        #expect(session["state"]?.status == "problem")
        #expect(session["state"]?.advice?.contains("xchat keys generate --user ID --out FILE") == true)
        #expect(session["keys"]?.status == "warning")
        let account = try await findings(state: ["--home", scratch.file("home")])
        #expect(account["state"]?.detail.contains("there is no account file") == true)
        #expect(try scratch.names().contains("home") == false)
    }

    @Test func `a state that others can open, that is damaged or that is no file is a problem`() async throws {
        try await registered()
        let content = try scratch.read("a.json")
        try scratch.write("a.json", content, mode: 0o640)
        #expect(try await findings()["permissions"]?.advice == "chmod 600 \"\(scratch.file("a.json"))\"")
        try scratch.write("a.json", "{\"user_id\": 5")
        let damaged = try await findings()
        #expect(damaged["permissions"]?.status == "ok")
        #expect(damaged["state"]?.status == "problem")
        #expect(damaged["token"]?.status == "ok")
        try FileManager.default.removeItem(atPath: scratch.file("a.json"))
        try FileManager.default.createDirectory(atPath: scratch.file("a.json"), withIntermediateDirectories: false)
        let folder = try await findings()
        #expect(folder["permissions"]?.status == "problem" || folder["state"]?.status == "problem")
    }

    @Test func `an account file is opened only with a passphrase of the environment`() async throws {
        let home = ["--home", scratch.file("home")]
        let right = ["XCHAT_PASSPHRASE": "the right one"]
        let made = try await Program.run(
            ["keys", "generate", "--user", "1111"] + home,
            environment: right
        )
        #expect(made.status == 0, "\(made.errors)")
        #expect(try await command(["keys", "register"], state: home, environment: right).status == 0)
        let without = try await findings(state: home)
        #expect(without["state"]?.status == "warning")
        #expect(without["keys"]?.status == "warning")
        let wrong = try await findings(state: home, environment: ["XCHAT_PASSPHRASE": "a wrong one"])
        #expect(wrong["state"]?.status == "problem")
        #expect(wrong["state"]?.advice?.contains("XCHAT_PASSPHRASE") == true)
        let opened = try await findings(state: home, environment: right)
        #expect(opened["state"]?.status == "ok")
        #expect(opened["keys"]?.status == "ok")
        #expect(opened["outbox"]?.status == "ok")
    }

    @Test func `a token that is missing, refused or of another user is a problem`() async throws {
        try await registered()
        let missing = try await findings(environment: ["XCHAT_TOKEN": ""])
        #expect(missing["token"]?.status == "problem")
        #expect(missing["server"]?.status == "warning")
        let refused = try await findings(environment: ["XCHAT_TOKEN": "nonsense"])
        #expect(refused["token"]?.detail.contains("401") == true)
        #expect(refused["token"]?.status == "problem")
        #expect(refused["clock"]?.status == "ok")
        #expect(refused["keys"]?.status == "warning")
        let other = try await findings(environment: ["XCHAT_TOKEN": "sandbox-2222"])
        #expect(other["token"]?.status == "problem")
        #expect(other["token"]?.detail == "it is of user 2222, and the state is of user 1111")
    }

    @Test func `keys that the server does not have, or has others for, are a problem`() async throws {
        try await made()
        let unregistered = try await findings()
        #expect(
            unregistered["keys"]
                == Found(
                    status: "problem",
                    detail: "the server has no keys of this user",
                    advice: "xchat keys register"
                )
        )
        #expect(unregistered["backup"]?.status == "warning")
        try await registered("b.json")
        #expect(try await findings()["keys"]?.detail == "the server has other keys of this user")
        #expect(try await command(["keys", "register"]).status == 0)
        #expect(try await findings()["keys"]?.status == "ok")
        let older = try await findings(state: ["--session", scratch.file("b.json")])
        #expect(older["keys"]?.status == "problem")
        #expect(older["keys"]?.detail.contains("is newer than") == true)
    }

    @Test func `a missing key backup is a warning, and one at other realms than before is a problem`() async throws {
        try await registered()
        let none = try await findings()
        #expect(
            none["backup"] == Found(status: "warning", detail: "there is no key backup", advice: "xchat keys backup")
        )
        #expect(try await command(["keys", "backup"], input: "2580\n").status == 0)
        let document = try SessionDocument(parsing: try scratch.read("a.json"), name: "a.json")
        var root = document.root
        root["backup_realms"] = [:]
        try scratch.write("a.json", JSONValue.object(root).line)
        let changed = try await findings()
        #expect(changed["keys"]?.status == "ok")
        #expect(changed["backup"]?.status == "problem")
    }

    @Test func `a message that waits is a warning, and a server that is away is a problem`() async throws {
        try await registered()
        #expect(
            try await command(["keys", "generate", "--user", "2222"], state: ["--out", scratch.file("b.json")]).status
                == 0
        )
        let other = try await command(
            ["keys", "register"],
            state: ["--session", scratch.file("b.json")],
            environment: ["XCHAT_TOKEN": "sandbox-2222"]
        )
        #expect(other.status == 0)
        #expect(try await command(["conversation", "start", "2222"]).status == 0)
        server.stop()
        #expect(try await command(["send", "2222", "later", "--timeout", "1"]).status == 1)
        let findings = try await findings()
        #expect(
            findings["outbox"]
                == Found(
                    status: "warning",
                    detail: "1 waiting, 0 refused or held",
                    advice: "xchat outbox retry"
                )
        )
        #expect(findings["server"]?.status == "problem")
        #expect(findings["server"]?.detail.contains("Connection refused") == true)
        #expect(findings["clock"]?.status == "warning")
        #expect(findings["keys"]?.status == "warning")
    }

    @Test(
        "the clock is compared with the date of the answer",
        arguments: [
            (-7200.0, "problem"), (-100, "warning"), (-20, "ok"), (20, "ok"), (100, "warning"), (7200, "problem"),
        ]
    )
    func clock(_ seconds: Double, _ status: String) async throws {
        try await made()
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let date = formatter.string(from: Date(timeIntervalSinceNow: seconds))
        let body = #"{"data":{"id":"1111"}}"#
        try await RawServer.run(.http(200, headers: ["date: \(date)"], body)) { _, url in
            let clock = try await findings(environment: ["XCHAT_API_URL": url])["clock"]
            #expect(clock?.status == status, "\(String(describing: clock))")
            #expect(clock?.detail.contains(seconds < 0 ? "ahead of" : "behind") == true)
        }
        try await RawServer.run(.http(200, headers: ["date: yesterday"], body)) { _, url in
            let clock = try await findings(environment: ["XCHAT_API_URL": url])["clock"]
            #expect(clock?.detail == "not checked: the answer has no date")
        }
    }

    @Test func `a proxy is named without its password, and one that cannot be used is a problem`() async throws {
        try await made()
        let used = try await findings(
            environment: ["XCHAT_API_URL": "https://x.invalid", "HTTPS_PROXY": "http://u:geheim@127.0.0.1:9"]
        )
        #expect(used["proxy"]?.detail == "connections go by 127.0.0.1:9")
        #expect(used["server"]?.status == "problem")
        let bad = try await findings(
            environment: ["XCHAT_API_URL": "https://x.invalid", "HTTPS_PROXY": "ftp://u:geheim@127.0.0.1:9"]
        )
        #expect(bad["proxy"]?.status == "problem")
        #expect(bad["server"]?.status == "warning")
        for finding in Array(used.values) + Array(bad.values) {
            #expect(!finding.detail.contains("geheim") && finding.advice?.contains("geheim") != true)
        }
    }

    @Test func `a URL that cannot be used is a problem in the environment and wrong use as an option`() async throws {
        try await made()
        let findings = try await findings(environment: ["XCHAT_API_URL": "http://example.com"])
        #expect(findings["server"]?.status == "problem")
        #expect(findings["server"]?.advice == "correct the URL")
        #expect(try await command(["doctor", "--api", "nonsense"]).status == 2)
    }

    @Test func `no secret is printed`() async throws {
        let home = ["--home", scratch.file("home")]
        let secrets = [
            "XCHAT_PASSPHRASE": "open-sesame", "XCHAT_TOKEN": "sandbox-1111", "XCHAT_APP_TOKEN": "app-token-9",
        ]
        let made = try await Program.run(["keys", "generate", "--user", "1111"] + home, environment: secrets)
        #expect(made.status == 0)
        for environment in [secrets, secrets.merging(["XCHAT_TOKEN": "very-secret"]) { $1 }] {
            for option in [[], ["--json"]] {
                let outcome = try await command(["doctor"] + option, state: home, environment: environment)
                for secret in environment.values {
                    #expect(!outcome.text.contains(secret) && !outcome.errors.contains(secret))
                }
            }
        }
    }
}
