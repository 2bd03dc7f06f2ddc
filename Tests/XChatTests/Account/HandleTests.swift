import Foundation
import LibSodium
import TestSupport
import Testing
import XChatEvents
import XChatHTTP
import XChatSandbox

@testable import XChat

/// Handles that are bound to user ids.
@Suite(.timeLimit(.minutes(2)))
struct HandleTests {
    /// An account of user 1111 at a sandbox in which 2222 is @Bob.
    private static func run(
        _ body: @escaping @Sendable (Sandbox, AccountFixture) async throws -> Void
    ) async throws {
        let scratch = try Scratch()
        let sandbox = Sandbox()
        try await sandbox.setUser(SandboxUser("2222:Bob"))
        try await sandbox.serving { url in try await body(sandbox, AccountFixture(scratch: scratch, url: url)) }
    }

    private let bob: Handle

    init() throws { bob = try Handle("@bob") }

    @Test func `a handle is bound to the user of its first look-up, also after a restart`() async throws {
        try await Self.run { [bob] _, fixture in
            let first = try await fixture.open("1111")
            #expect(try await first.pinnedUser(of: bob) == nil)
            #expect(try await first.users(handles: [bob, Handle("BOB")]) == [bob: "2222"])
            await first.close()
            let second = try await fixture.open("1111")
            #expect(try await second.pinnedUser(of: Handle("bOB")) == "2222")
            await second.close()
        }
    }

    @Test func `a handle that moved is an error that names handle, old and new user, until it is accepted`()
        async throws
    {
        try await Self.run { [bob] sandbox, fixture in
            let account = try await fixture.open("1111")
            _ = try await account.users(handles: [bob])
            try await sandbox.setUser(SandboxUser("3333:bob"))
            let error = await #expect(throws: AccountError.self) { _ = try await account.users(handles: [bob]) }
            #expect(error?.code == .handleMoved)
            #expect(error?.handle == bob)
            for word in ["@bob", "2222", "3333"] { #expect(error?.message.contains(word) == true, "\(word)") }
            #expect(try await account.pinnedUser(of: bob) == "2222")

            let conflict = await #expect(throws: AccountError.self) {
                try await account.accept(bob, of: "3333", insteadOf: "4444")
            }
            #expect(conflict?.code == .conflict)
            #expect(try await account.servedUser(of: bob) == "3333")
            try await account.accept(bob, of: "3333", insteadOf: "2222")
            #expect(try await account.users(handles: [bob]) == [bob: "3333"])
            await account.close()
        }
    }

    @Test func `if the server does not answer or knows no user, the bound user is used`() async throws {
        try await Self.run { [bob] sandbox, fixture in
            let account = try await fixture.open("1111")
            _ = try await account.users(handles: [bob])
            try await sandbox.setUser(SandboxUser("2222:robert"))
            #expect(try await account.users(handles: [bob]) == [bob: "2222"])
            await account.close()
            var away = try fixture.configuration("1111")
            away.api = "http://127.0.0.1:1"
            away.http = nil
            let offline = try await Account.open(away)
            #expect(try await offline.pinnedUser(of: bob) == "2222")
            await offline.close()
            let (_, users) = try await Account.session(fixture.configuration("1111"), handles: [bob])
            #expect(users == [bob: "2222"])
        }
    }

    @Test func `a refused look-up does not unbind a handle`() async throws {
        let scratch = try Scratch()
        try await RawServer.run(
            .http(200, #"{"data":{"id":"1111","username":"me"}}"#),
            .http(200, #"{"data":[{"id":"2222","username":"bob"}]}"#),
            .http(403, #"{"title":"Forbidden"}"#)
        ) { [bob] _, url in
            let fixture = AccountFixture(scratch: scratch, url: try #require(URL(string: url)))
            try await Account.create(
                for: "1111",
                keys: .generate(.sodium),
                version: "1",
                isImport: false,
                fixture.configuration("1111")
            )
            let account = try await Account.open(fixture.configuration("1111"))
            #expect(try await account.users(handles: [bob]) == [bob: "2222"])
            #expect(try await account.users(handles: [bob]) == [bob: "2222"])
            // Another handle is not bound.
            let code = await thrownCode { _ = try await account.users(handles: [bob, Handle("carol")]) }
            #expect(code == .forbidden)
            await account.close()
        }
    }

    @Test func `a handle that no user has is an error`() async throws {
        try await Self.run { _, fixture in
            let account = try await fixture.open("1111")
            let dave = try Handle("dave")
            let error = await #expect(throws: AccountError.self) { _ = try await account.users(handles: [dave]) }
            #expect(error?.code == .unknownHandle)
            #expect(error?.message.contains("@dave") == true)
            #expect(try await account.pinnedUser(of: dave) == nil)
            let offline = await #expect(throws: AccountError.self) {
                _ = try await Account.session(fixture.configuration("1111"), handles: [dave])
            }
            #expect(offline?.code == .unknownHandle)
            await account.close()
        }
    }

    @Test func `handles are looked up in one request, and none is shown if it fails`() async throws {
        try await Self.run { [bob] _, fixture in
            let account = try await fixture.open("1111")
            #expect(await account.handlesForDisplay(of: ["2222", "9999", "x"]) == ["2222": bob])
            #expect(await account.handlesForDisplay(of: []) == [:])
            await account.close()
        }
    }
}
