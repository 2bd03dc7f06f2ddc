import Foundation
import TestSupport
import Testing
import XChatEvents

@testable import XChatSandbox

/// The handles and names that the sandbox serves.
struct UserTests {
    private static func sandbox(data: String? = nil) async throws -> Sandbox {
        let sandbox = Sandbox(data: data)
        try await sandbox.setUser(SandboxUser("1111:Alice:Alice: the first"))
        try await sandbox.setUser(SandboxUser("2222:bob"))
        return sandbox
    }

    private static func handles(_ answer: Router.Answer) throws -> [String: String] {
        let users = try answer.json["data"] as? [[String: String]] ?? []
        return Dictionary(
            uniqueKeysWithValues: users.compactMap { user in user["id"].map { ($0, user["username"] ?? "") } }
        )
    }

    private static func missing(_ answer: Router.Answer) throws -> [String] {
        (try answer.json["errors"] as? [[String: String]] ?? []).compactMap { error in
            error["title"] == "Not Found Error" && error["resource_type"] == "user" ? error["resource_id"] : nil
        }
    }

    @Test func `one user is found by id, by handle in any ASCII case, and as the caller`() async throws {
        try await Router.test(await Self.sandbox()) { router in
            for path in ["/2/users/1111", "/2/users/by/username/aLICE", "/2/users/me"] {
                let answer = try await router.ask(.get, path + "?user.fields=id,name,username", user: "1111")
                #expect(answer.status == 200, "\(path)")
                let user = try answer.data as? [String: String]
                #expect(user == ["id": "1111", "username": "Alice", "name": "Alice: the first"], "\(path)")
            }
            for path in ["/2/users/9999", "/2/users/by/username/carol"] {
                let answer = try await router.ask(.get, path, user: "1111")
                #expect(answer.problem?.type.hasSuffix("/resource-not-found") == true, "\(path)")
            }
        }
    }

    @Test func `several users are found by id and by handle, and those who do not exist are errors`() async throws {
        try await Router.test(await Self.sandbox()) { router in
            let byID = try await router.ask(.get, "/2/users?ids=9999,2222,1111", user: "1111")
            #expect(try Self.handles(byID) == ["1111": "Alice", "2222": "bob"])
            #expect(try Self.missing(byID) == ["9999"])
            let byHandle = try await router.ask(
                .get,
                "/2/users/by?usernames=BOB,carol,bob",
                authorization: "Bearer sandbox-app"
            )
            #expect(try Self.handles(byHandle) == ["2222": "bob"])
            #expect(try Self.missing(byHandle) == ["carol"])
            let none = try await router.ask(.get, "/2/users?ids=9999", user: "1111")
            #expect(none.status == 200)
            #expect(try !none.json.keys.contains("data"))
        }
    }

    @Test(
        "a list of no users, of more than 100, or with an element of another form is refused",
        arguments: [
            "/2/users", "/2/users?ids=", "/2/users?ids=1111,", "/2/users?ids=x", "/2/users/by?usernames=", "/2/users/x",
            "/2/users/by?usernames=b%C3%B6b", "/2/users/by?usernames=sixteen_letters_", "/2/users/by/username/a-b",
            "/2/users?ids=1111&user.fields=secret",
            "/2/users?ids=" + (1...101).map(String.init).joined(separator: ","),
        ]
    )
    func badList(_ path: String) async throws {
        try await Router.test { router in
            let answer = try await router.ask(.get, path, user: "1111")
            #expect(answer.status == 400)
        }
    }

    @Test func `users who appear have a default handle, which leads back to them`() async throws {
        let long: UserID = "1234567890123456789"
        try await Router.test { router in
            _ = try await Member(long, at: router)
            _ = try await Member("77", at: router)
            let answer = try await router.ask(.get, "/2/users/by?usernames=USER90123456789,user77,user78", user: "1")
            #expect(try Self.handles(answer) == [long.string: "user90123456789", "77": "user77"])
            #expect(try Self.missing(answer) == ["user78"])
            let own = try await router.ask(.get, "/2/users/by/username/user1", user: "1")
            let data = try own.data
            #expect(data["id"] as? String == "1")
        }
    }

    @Test func `a handle that moves to another user leads to that user alone`() async throws {
        let sandbox = try await Self.sandbox()
        try await Router.test(sandbox) { router in
            _ = try await Member("2222", at: router)
            try await sandbox.setUser(SandboxUser("3333:BOB"))
            let answer = try await router.ask(.get, "/2/users?ids=2222,3333", user: "1111")
            #expect(try Self.handles(answer) == ["2222": "user2222", "3333": "BOB"])
            let bob = try await router.ask(.get, "/2/users/by/username/bob", user: "1111").data
            #expect(bob["id"] as? String == "3333")
            // This is true for a default handle too.
            try await sandbox.setUser(SandboxUser("3333:user2222"))
            let moved = try await router.ask(.get, "/2/users/by?usernames=user2222,id_2222,bob", user: "1111")
            #expect(try Self.handles(moved) == ["3333": "user2222", "2222": "id_2222"])
            #expect(try Self.missing(moved) == ["bob"])
        }
    }

    @Test func `handles and names are kept in the data file`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sandbox-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "data").path
        try await Self.sandbox(data: path).serving { _ in }
        try await Router.test(Sandbox(data: path)) { router in
            let alice = try await router.ask(.get, "/2/users/by/username/alice", user: "5").data
            #expect(alice["name"] as? String == "Alice: the first")
        }
    }

    @Test(
        "a user of another form than ID:HANDLE or ID:HANDLE:NAME is refused",
        arguments: [
            "", "1111", "1111:", ":bob", "x:bob", "1111:b b", "1111:sixteen_letters_", "1111:b\u{F6}b", "1111:@bob",
        ]
    )
    func badUser(_ text: String) {
        #expect(throws: (any Error).self) { try SandboxUser(text) }
    }
}
