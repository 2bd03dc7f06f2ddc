import Foundation
import TestSupport
import Testing
import XChat
import XChatEvents
import XChatFiles

/// Errors name the object that they are about, with advice that fits it.
@Suite(.timeLimit(.minutes(1)))
struct NamedErrorTests {
    private let scratch: Scratch
    private let sandbox: RunningSandbox

    init() async throws {
        scratch = try Scratch()
        sandbox = try RunningSandbox()
        for user in ["1111", "2222"] {
            let made = try await Program.run("keys", "generate", "--user", user, "--out", scratch.file(user))
            #expect(made.status == 0)
            #expect(try await run(user, "keys", "register").status == 0)
        }
    }

    private func run(_ user: String, _ arguments: String..., url: String? = nil) async throws -> Program.Outcome {
        try await Program.run(
            arguments + ["--session", scratch.file(user)],
            environment: ["XCHAT_API_URL": url ?? sandbox.url, "XCHAT_TOKEN": "sandbox-\(user)"]
        )
    }

    @Test func `an event that cannot be parsed is named by the server's id of it`() async throws {
        let server = try await LyingServer()
        server.with { content in
            content.lie = { request, _ in
                guard request.path.contains("/events") else { return nil }
                return (200, ["data": [["id": "77", "encoded_event": "AAAA"]], "meta": JSONValue.object([:])])
            }
        }
        let text = try await run("1111", "read", "2222", url: server.url)
        #expect(text.status == 1)
        #expect(text.text.contains("event #77: "), "\(text.text)\(text.errors)")
        let json = try await run("1111", "read", "2222", "--json", url: server.url)
        #expect(try json.json[0].required("error").required("sequence_id").string() == "77")
    }

    @Test func `a server that is not the one meant is named, with what to do`() async throws {
        let toX = try await Program.run(
            ["whoami", "--session", scratch.file("1111")],
            environment: ["XCHAT_TOKEN": "sandbox-1111"]
        )
        #expect(toX.status == 1)
        #expect(toX.errors.contains("set XCHAT_API_URL to the sandbox's URL"), "\(toX.errors)")

        let port = try await RawClient.freePort()
        let nothing = try await run("1111", "read", "2222", url: "http://127.0.0.1:\(port)")
        #expect(nothing.status == 1)
        let hint = "Connection refused; is the sandbox running? XCHAT_API_URL names its URL"
        #expect(nothing.errors.contains(hint), "\(nothing.errors)")

        let taken = try #require(URL(string: sandbox.url)?.port)
        let second = try await Program.run("sandbox", "--port", "\(taken)")
        #expect(second.status == 1)
        #expect(second.errors.hasSuffix("port \(taken): Address already in use\n"), "\(second.errors)")
    }

    @Test func `a missing token is named with the command that helps`() async throws {
        let token = try await Program.run(
            ["read", "2222", "--session", scratch.file("1111")],
            environment: ["XCHAT_API_URL": sandbox.url]
        )
        #expect(token.status == 1)
        #expect(token.errors.contains("set XCHAT_TOKEN: xchat login\n"), "\(token.errors)")
    }

    @Test func `a conversation that the server does not have is named, with advice for its kind`() async throws {
        for arguments in [["send", "2222", "hi"], ["read", "2222"], ["delete", "2222", "5", "--for-all"]] {
            let outcome = try await run("1111", arguments: arguments)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("1111:2222"), "\(outcome.errors)")
            #expect(outcome.errors.contains("xchat conversation start 1111:2222"), "\(outcome.errors)")
        }
        let commands = [
            ["send", "g5", "hi"], ["read", "g5"], ["conversation", "rotate", "g5"], ["group", "add", "g5", "2"],
        ]
        for arguments in commands {
            let outcome = try await run("1111", arguments: arguments)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("no conversation g5 of yours; check the id"), "\(outcome.errors)")
            #expect(!outcome.errors.contains("conversation start"))
        }
    }

    private func run(_ user: String, arguments: [String]) async throws -> Program.Outcome {
        try await Program.run(
            arguments + ["--session", scratch.file(user)],
            environment: ["XCHAT_API_URL": sandbox.url, "XCHAT_TOKEN": "sandbox-\(user)"]
        )
    }

    @Test func `a message that another process keeps from being posted says which process`() async throws {
        #expect(try await run("1111", "conversation", "start", "2222").status == 0)
        #expect(try await run("1111", "send", "2222", "first").status == 0)
        let folder = scratch.file("1111.outbox")
        let leases = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains(".lease-") }
        #expect(!leases.isEmpty)
        // One of them is the lease of the outbox.
        for name in leases {
            let holder = try Descriptor.lockFile("\(folder)/\(name)")
            guard try holder.tryLock() else { continue }
            try holder.overwrite(Array("4321\n".utf8))
            let waiting = try await run("1111", "send", "2222", "second", "--timeout", "1")
            withExtendedLifetime(holder) { _ in }
            guard waiting.status != 0 else { continue }
            #expect(waiting.errors.contains("not sent yet: process 4321 posts the messages"), "\(waiting.errors)")
            #expect(!waiting.errors.contains("the time was up"))
            return
        }
        Issue.record("no lease kept a message from being posted")
    }

    @Test func `a message that the outbox does not have is named`() async throws {
        for verb in ["drop", "retry"] {
            let outcome = try await run("1111", "outbox", verb, "no-such-id")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("no-such-id"), "\(outcome.errors)")
        }
    }
}
