import Foundation
import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEngine
import XChatEvents
import XChatFiles

/// `login`, `logout` and `whoami`, and other commands that use the tokens: real processes, and an independent test
/// server.
@Suite(.timeLimit(.minutes(5)))
struct LoginTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    private var session: String { scratch.file("a.json") }

    /// A process that waits for a browser.
    private final class Login {
        let process: Process
        let address: String
        private let input: Pipe?
        private let scratch: Scratch

        /// Starts a login and reads the address that it shows.
        init(
            _ arguments: [String],
            url: String,
            environment: [String: String] = [:],
            isManual: Bool = false
        ) async throws {
            scratch = try Scratch()
            input = isManual ? Pipe() : nil
            process = try Program.process(
                ["login", "--client-id", "app", "--api", url] + arguments + (isManual ? ["--no-browser"] : []),
                environment: environment
            )
            process.standardOutput = FileHandle(forWritingAtPath: try scratch.write("out", []))
            process.standardError = FileHandle(forWritingAtPath: try scratch.write("err", []))
            if let input { process.standardInput = input }
            try process.run()
            while true {
                let text = String(decoding: try scratch.read("err"), as: UTF8.self)
                if let line = text.firstMatch(of: /\n(http\S+)\n/) {
                    address = String(line.1)
                    break
                }
                guard process.isRunning else { throw CommandError("login ended: \(text)") }
                try await Task.sleep(for: .milliseconds(20))
            }
        }

        /// Pastes a line.
        func paste(_ line: String) throws {
            try input?.fileHandleForWriting.write(contentsOf: Array((line + "\n").utf8))
        }

        /// Waits for the end.
        func outcome() async throws -> (status: Int32, output: String, errors: String) {
            while process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
            return (
                process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
                String(decoding: try scratch.read("out"), as: UTF8.self),
                String(decoding: try scratch.read("err"), as: UTF8.self)
            )
        }
    }

    private func redirectURI() async throws -> String {
        "http://127.0.0.1:\(try await RawClient.freePort())/callback"
    }

    /// Signs in with a pasted address.
    private func signIn(_ server: OAuthServer, _ url: String, _ arguments: [String]? = nil) async throws {
        let login = try await Login(arguments ?? ["--session", session], url: url, isManual: true)
        try login.paste(try #require(server.allow(login.address)))
        let outcome = try await login.outcome()
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    private func run(_ arguments: String..., url: String, session: String? = nil) async throws -> Program.Outcome {
        try await Program.run(
            arguments + ["--session", session ?? self.session],
            environment: ["XCHAT_API_URL": url]
        )
    }

    @Test("a login receives the browser, and later commands use its tokens", arguments: [false, true])
    func browser(isFile: Bool) async throws {
        let place = isFile ? ["--home", scratch.file("home")] : ["--session", session]
        let environment = ["XCHAT_PASSPHRASE": "only for this test"]
        try await OAuthServer.run { server, _, url in
            server.with { $0.lifetime = 20 }
            let login = try await Login(
                place + ["--redirect-uri", try await redirectURI()],
                url: url,
                environment: environment
            )
            let redirect = try #require(server.allow(login.address))
            // A request that is not the answer does not end it.
            let stale = try await RawClient.send("GET", redirect.replacing("state=", with: "state=x"))
            #expect(stale.hasPrefix("HTTP/1.1 400 "))
            let foreign = try await RawClient.send("GET", redirect, headers: ["origin: https://evil.example"])
            #expect(foreign.hasPrefix("HTTP/1.1 403 "))
            let page = try await RawClient.send("GET", redirect)
            #expect(page.contains("You are signed in") && page.hasPrefix("HTTP/1.1 200 "))
            let outcome = try await login.outcome()
            #expect(outcome.status == 0, "\(outcome.errors)")
            let line = try JSONLocation(parsing: Array(outcome.output.utf8), document: "output")
            #expect(try line.members().map(\.key) == ["user_id", "username", "scopes", "expires_at"])
            #expect(try line.required("user_id").string() == "1111")
            #expect(try line.required("username").string() == "alice")
            #expect(try line.required("scopes").elements().count == 6)
            let expiry = try Date(line.required("expires_at").string().string, strategy: .iso8601)
            #expect(abs(expiry.timeIntervalSinceNow) < 60)
            #expect(outcome.errors.contains("another sign-in"))
            for text in [outcome.output, outcome.errors] { #expect(!text.contains(OAuthServer.mark)) }

            let who = try await Program.run(["whoami", "--api", url] + place, environment: environment)
            #expect(who.lines == [#"{"user_id":"1111","username":"alice","name":"Alice"}"#], "\(who.errors)")
            #expect(server.with { $0.refreshes } == 1)
            if isFile {
                for name in try FileManager.default.contentsOfDirectory(atPath: scratch.file("home")) {
                    let bytes = try scratch.read("home/\(name)")
                    #expect(bytes.firstRange(of: Array(OAuthServer.mark.utf8)) == nil, "\(name)")
                }
            } else {
                #expect(try scratch.permissions("a.json") == 0o600)
            }

            let out = try await Program.run(["logout", "--api", url] + place, environment: environment)
            #expect(out.status == 0 && out.lines == [#"{"signed_out":true}"#], "\(out.errors)")
            #expect(server.with { $0.revoked.count } == 2)
            #expect(server.with { $0.access.count + $0.refresh.count } == 1)
            let after = try await Program.run(["whoami", "--api", url] + place, environment: environment)
            #expect(after.status == 1 && after.errors.contains("xchat login"))
            let again = try await Program.run(["logout", "--api", url] + place, environment: environment)
            #expect(again.status == 0 && again.lines == [#"{"signed_out":false}"#])
            for outcome in [who, out, after] {
                #expect(!(outcome.text + outcome.errors).contains(OAuthServer.mark))
            }
        }
    }

    @Test func `a pasted address of another sign-in, and a refusal, keep no tokens`() async throws {
        try await OAuthServer.run { server, requests, url in
            let wrong = try await Login(["--session", session], url: url, isManual: true)
            let redirect = try #require(server.allow(wrong.address))
            try wrong.paste(redirect.replacing("state=", with: "state=x"))
            let outcome = try await wrong.outcome()
            #expect(outcome.status == 1 && outcome.errors.contains("another sign-in"), "\(outcome.errors)")

            let refused = try await Login(
                ["--session", session, "--redirect-uri", try await redirectURI()],
                url: url
            )
            let start = try #require(server.allow(refused.address)?.split(separator: "code=").first)
            let page = try await RawClient.send("GET", start + "error=access_denied")
            #expect(page.contains("The sign-in was refused"))
            let end = try await refused.outcome()
            #expect(end.status == 1 && end.errors.contains("the user does not allow the sign-in"), "\(end.errors)")
            #expect(requests.requests.isEmpty)
            #expect(try !scratch.names().contains("a.json"))
        }
    }

    @Test("a signal ends a login that waits", arguments: [SIGINT, SIGTERM], [false, true])
    func signals(_ signal: Int32, isManual: Bool) async throws {
        try await OAuthServer.run { _, _, url in
            let arguments = ["--session", session, "--redirect-uri", try await redirectURI()]
            let login = try await Login(arguments, url: url, isManual: isManual)
            kill(login.process.processIdentifier, signal)
            let outcome = try await login.outcome()
            #expect(outcome.status == 1 && outcome.errors.contains("interrupted"), "\(outcome)")
            #expect(outcome.output.isEmpty)
        }
    }

    @Test func `a browser that signs another user in changes nothing`() async throws {
        try await OAuthServer.run { server, _, url in
            try await signIn(server, url)
            let before = try scratch.read("a.json")
            server.with { $0.user = "2222" }
            let login = try await Login(["--session", session], url: url, isManual: true)
            try login.paste(try #require(server.allow(login.address)))
            let outcome = try await login.outcome()
            #expect(outcome.status == 1 && outcome.errors.contains("wrong_user"), "\(outcome.errors)")
            #expect(outcome.errors.contains("user 2222") && outcome.errors.contains("user 1111"))
            #expect(try scratch.read("a.json") == before)
        }
    }

    @Test func `wrong arguments are named`() async throws {
        for (arguments, word) in [
            ([], "--client-id"), (["--client-id", "a b"], "client id"),
            (["--client-id", "a", "--redirect-uri", "http://10.0.0.1/"], "redirect URI"),
        ] {
            let outcome = try await Program.run(["login", "--session", session] + arguments)
            #expect(outcome.status == 2 && outcome.errors.contains(word), "\(outcome.errors)")
        }
        let tooFar = try await Program.run(
            ["login", "--session", session, "--client-id", "a", "--redirect-uri", "x://y"]
        )
        #expect(tooFar.status == 1 && tooFar.errors.contains("--no-browser"), "\(tooFar.errors)")
    }

    @Test func `ten processes with an expired token make one refresh`() async throws {
        try await OAuthServer.run { server, _, url in
            server.with { $0.lifetime = 1 }
            try await signIn(server, url)
            server.with { $0.lifetime = 7200 }
            try await withThrowingTaskGroup(of: Program.Outcome.self) { group in
                for _ in 0..<10 { group.addTask { try await run("whoami", url: url) } }
                for try await outcome in group { #expect(outcome.status == 0, "\(outcome.errors)") }
            }
            #expect(server.with { $0.refreshes } == 1)
        }
    }

    @Test func `a process that is killed at the first use of a new token loses no sign-in`() async throws {
        try await OAuthServer.run { server, _, url in
            server.with { $0.lifetime = 1 }
            try await signIn(server, url)
            server.with { $0.lifetime = 7200 }
            let process = try Program.process(["whoami", "--session", session, "--api", url], environment: [:])
            (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
            let ended = AsyncStream<Void>.makeStream()
            process.terminationHandler = { _ in ended.continuation.finish() }
            server.with { state in
                state.used = { [process] _ in kill(process.processIdentifier, SIGKILL) }
            }
            try process.run()
            for await _ in ended.stream {}
            #expect(process.terminationReason == .uncaughtSignal)
            server.with { $0.used = nil }
            #expect(try await run("whoami", url: url).status == 0)
            #expect(server.with { $0.refreshes } == 1)
        }
    }

    @Test("a process that is killed during a refresh is followed by one more attempt", arguments: [false, true])
    func killedDuringRefresh(hadServerRefreshed: Bool) async throws {
        try await OAuthServer.run { server, _, url in
            server.with { $0.lifetime = 0 }
            try await signIn(server, url)
            let process = try Program.process(["whoami", "--session", session, "--api", url], environment: [:])
            (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
            let ended = AsyncStream<Void>.makeStream()
            process.terminationHandler = { _ in ended.continuation.finish() }
            server.with { state in
                state.lifetime = 7200
                state.faults = [
                    .interrupted(works: hadServerRefreshed) { [process] in kill(process.processIdentifier, SIGKILL) }
                ]
            }
            try process.run()
            for await _ in ended.stream {}
            #expect(process.terminationReason == .uncaughtSignal)
            // The old refresh token is still valid at a server that did not see the request, and at no other.
            let next = try await run("whoami", url: url)
            #expect(next.status == (hadServerRefreshed ? 1 : 0), "\(next.errors)")
            #expect(next.errors.contains("xchat login") == hadServerRefreshed)
            #expect(server.with { $0.refreshes } == (hadServerRefreshed ? 2 : 1))
        }
    }

    @Test func `a lost answer to a refresh is followed by one more attempt, and then by a new sign-in`() async throws {
        try await OAuthServer.run { server, _, url in
            server.with { $0.lifetime = 0 }
            try await signIn(server, url)
            server.with { $0.faults = [.lostAnswer] }
            #expect(try await run("whoami", url: url).status == 1)
            let ended = try await run("whoami", url: url)
            #expect(ended.status == 1 && ended.errors.contains("xchat login"), "\(ended.errors)")
            #expect(try await run("whoami", url: url).status == 1)
            #expect(server.with { $0.refreshes } == 2)
            server.with { $0.lifetime = 7200 }
            try await signIn(server, url)
            #expect(try await run("whoami", url: url).status == 0)
        }
    }

    @Test func `tokens that cannot be revoked are deleted anyway, with exit status 1`() async throws {
        try await OAuthServer.run { server, _, url in
            try await signIn(server, url)
            server.with { $0.revocation = .http(500, "{}") }
            let outcome = try await run("logout", url: url)
            #expect(outcome.status == 1 && outcome.output.isEmpty)
            #expect(outcome.errors.contains("the tokens are deleted here"), "\(outcome.errors)")
            let text = String(decoding: try scratch.read("a.json"), as: UTF8.self)
            #expect(!text.contains(OAuthServer.mark) && text.contains("1111"))
        }
    }

    @Test func `without a token every command over HTTP says how to get one`() async throws {
        let made = try await Program.run("keys", "generate", "--user", "1111", "--out", session)
        #expect(made.status == 0)
        for arguments in [
            ["whoami"], ["send", "2222", "x"], ["read", "2222"], ["keys", "register"], ["keys", "backup-status"],
        ] {
            let outcome = try await Program.run(arguments + ["--session", session, "--api", "http://127.0.0.1:9"])
            #expect(outcome.status == 1 && outcome.errors.contains("xchat login"), "\(arguments) \(outcome.errors)")
        }
    }

    #if os(Linux)
        @Test func `the program that opens the browser gets a private page, not the address`() async throws {
            try Files.makeFolder(scratch.file("bin"))
            let opener = """
                #!/bin/sh
                cd '\(scratch.path)'
                echo "$*" >arguments
                stat -c %a "$1" "${1%/*}" >modes
                cat "$1" >copy
                mv copy page
                """
            try scratch.write("bin/xdg-open", opener, mode: 0o700)
            try await OAuthServer.run { server, _, url in
                let terminal = try PseudoTerminal(
                    [
                        "login", "--client-id", "app&<", "--api", url, "--session", session,
                        "--redirect-uri", try await redirectURI(),
                    ],
                    environment: ["PATH": "\(scratch.file("bin")):/usr/bin:/bin", "TMPDIR": scratch.path],
                    columns: 80
                )
                for _ in 0..<200 where try !scratch.names().contains("page") {
                    try await Task.sleep(for: .milliseconds(50))
                }
                let path = String(decoding: try scratch.read("arguments"), as: UTF8.self)
                #expect(path.hasPrefix(scratch.path + "/") && path.hasSuffix("/sign-in.html\n"), "\(path)")
                #expect(try scratch.read("modes") == Array("600\n700\n".utf8))
                let page = String(decoding: try scratch.read("page"), as: UTF8.self)
                let match = try #require(page.firstMatch(of: /content="0; url=([^"]+)"/), "\(page)")
                #expect(page.contains("<a href=\"\(match.1)\">"))
                let address = String(match.1).replacing("&amp;", with: "&")
                let redirect = try #require(server.allow(address))
                #expect(try await RawClient.send("GET", redirect).contains("You are signed in"))
                #expect(try await terminal.end() == 0)
                #expect(try !scratch.names().contains { $0.hasPrefix("xchat-") }, "the page is deleted")
            }
        }
    #endif

    @Test(arguments: [["generate"], ["import"]])
    func `keys of a signed-in account need no user id, and are not those of another user`(
        command: [String]
    ) async throws {
        let keys = try PrivateKeys.generate().withExport { blob in blob.indices.map { blob[$0] } }
        for isFile in [false, true] {
            let (home, file) = (scratch.file("home"), scratch.file("signed-in.json"))
            let environment = ["XCHAT_PASSPHRASE": "only for this test"]
            let place = isFile ? ["--home", home] : ["--out", file]
            try await OAuthServer.run { server, _, url in
                let login = try await Login(
                    isFile ? place : ["--session", file],
                    url: url,
                    environment: environment,
                    isManual: true
                )
                try login.paste(try #require(server.allow(login.address)))
                #expect(try await login.outcome().status == 0)
            }
            func run(_ arguments: [String]) async throws -> Program.Outcome {
                try await Program.run(
                    ["keys"] + command + place + arguments,
                    input: keys,
                    environment: environment
                )
            }
            let other = try await run(["--user", "2222"])
            #expect(other.status == 2 && other.errors.contains("belongs to user 1111"), "\(other.errors)")
            let made = try await run([])
            #expect(made.status == 0, "\(made.errors)")
            let again = try await run([])
            #expect(again.status == 1 && again.errors.contains(isFile ? home : file), "\(again.errors)")
            let exported = try await Program.run(
                ["keys", "fingerprint"] + (isFile ? place : ["--session", file]),
                environment: environment
            )
            #expect(exported.status == 0, "\(exported.errors)")
        }
        let named = try await Program.run(
            ["keys"] + command + ["--out", scratch.file("new.json")],
            input: keys,
            environment: ["XCHAT_USER": "3333"]
        )
        #expect(named.status == 0, "\(named.errors)")
        let unnamed = try await Program.run(["keys"] + command + ["--out", scratch.file("other.json")], input: keys)
        #expect(unnamed.status == 2 && unnamed.errors.contains("XCHAT_USER"), "\(unnamed.errors)")
    }

    // MARK: The sandbox

    @Test func `a new user signs in, restores the keys and sends, with tokens that last a second`()
        async throws
    {
        let sandbox = try RunningSandbox("--fault", "token-lifetime=1")
        let url = sandbox.url
        // Another device made the keys and their backup; Bob has keys too.
        for (user, name) in [("1111", "old.json"), ("2222", "bob.json")] {
            let path = scratch.file(name)
            let token = ["XCHAT_TOKEN": "sandbox-\(user)", "XCHAT_API_URL": url]
            #expect(try await Program.run("keys", "generate", "--user", user, "--out", path).status == 0)
            let registered = try await Program.run("keys", "register", "--session", path, environment: token)
            #expect(registered.status == 0, "\(registered.errors)")
            guard user == "1111" else { continue }
            let stored = try await Program.run(
                ["keys", "backup", "--session", path],
                input: Array("2580".utf8),
                environment: token
            )
            #expect(stored.status == 0, "\(stored.errors)")
        }
        let login = try await Login(
            ["--session", session, "--redirect-uri", try await redirectURI()],
            url: url,
            environment: ["XCHAT_CLIENT_SECRET": "sandbox-secret"]
        )
        let redirect = try #require(try await RawClient.allow(login.address, as: "1111"))
        #expect(try await RawClient.send("GET", redirect).contains("You are signed in"))
        let outcome = try await login.outcome()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.hasPrefix(#"{"user_id":"1111","username":""#), "\(outcome.output)")
        let restored = try await Program.run(
            ["keys", "restore", "--session", session],
            input: Array("2580".utf8),
            environment: ["XCHAT_API_URL": url]
        )
        #expect(restored.status == 0, "\(restored.errors)")
        for arguments in [["conversation", "start", "2222"], ["send", "2222", "hello"], ["read", "2222"]] {
            let outcome = try await Program.run(
                arguments + ["--session", session],
                environment: ["XCHAT_API_URL": url]
            )
            #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
        }
        let received = try await Program.run(
            ["read", "1111", "--session", scratch.file("bob.json")],
            environment: ["XCHAT_API_URL": url, "XCHAT_TOKEN": "sandbox-2222"]
        )
        #expect(received.text.contains("hello"), "\(received.errors)")
        #expect(try await run("logout", url: url).status == 0)
        #expect(sandbox.stop() == 0)
    }
}
