import Foundation
import GRDB
import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEngine
import XChatEvents

/// Groups on a server that lies about their members.
struct GroupMemberTests {
    private let scratch: Scratch
    private let server: ServerThatComesAndGoes

    init() async throws {
        scratch = try Scratch()
        server = try ServerThatComesAndGoes(scratch)
        for user in ["1111", "2222", "3333"] {
            let made = try await Program.run("keys", "generate", "--user", user, "--out", scratch.file(user))
            #expect(made.status == 0)
            _ = try await result("public_key_version", user, "keys", "register")
        }
    }

    private func run(_ user: String, _ arguments: [String]) async throws -> Program.Outcome {
        try await Program.run(
            arguments + ["--session", scratch.file(user)],
            input: [],
            environment: ["XCHAT_API_URL": server.url, "XCHAT_TOKEN": "sandbox-\(user)"]
        )
    }

    /// Runs a command that has to succeed, and returns one member of the last line of its answer.
    private func result(_ member: WireString, _ user: String, _ arguments: String...) async throws -> String {
        let outcome = try await run(user, arguments)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try #require(try outcome.json.last).required(member).string().string
    }

    /// The key version of the newest message that a user reads in a group.
    private func newestKeyVersion(_ user: String, in group: String) async throws -> String {
        let read = try await run(user, ["read", group, "--json"])
        #expect(read.status == 0, "\(read.errors)")
        return try #require(try read.json.last).required("event").required("key_version").string().string
    }

    private func document(_ user: String) throws -> SessionDocument {
        try SessionFile(scratch.file(user)).read()
    }

    /// Changes the content of the server.
    private func tamper(_ change: (Database) throws -> Void) throws {
        server.stop()
        do {
            let queue = try DatabaseQueue(path: scratch.file("server.sqlite"))
            try queue.write(change)
            try queue.close()
        }
        try server.start()
    }

    /// A key change of 3333 for a group of 1111 and 2222, newer than all others of the group.
    private func insertKeyChange(in group: String, _ db: Database) throws {
        let conversation = ConversationID(canonicalizing: WireString(group))
        var session = try document("3333").session()
        for user in ["1111", "2222", "3333"] {
            let document = try document(user)
            let keys = try #require(try document.privateKeys())
            let version = try #require(try document.signingKeyVersion())
            session.trust([try keys.verifiedKey(userID: UserID(user), version: version)])
        }
        let newest = try Int64.fetchOne(db, sql: "SELECT max(sequence) FROM event") ?? 0
        let change = try session.prepareKeyChange(
            in: conversation,
            participants: session.pins.users.flatMap { session.pins[$0] }
        )
        var event = change.event
        event.sequenceID = SequenceID(String(newest + 1))
        try db.execute(
            sql: """
                INSERT INTO event (sequence, conversation, sender, message_id, created_at, is_key_change, encoded)
                VALUES (?, ?, '3333', ?, 1, 1, ?)
                """,
            arguments: [newest + 1, group, Data((event.messageID ?? "").utf8), Data(event.encoded())]
        )
    }

    private func deleteCreation(of group: String, _ db: Database) throws {
        try db.execute(
            sql: "DELETE FROM event WHERE conversation = ? AND is_key_change = 0 AND sequence = "
                + "(SELECT min(sequence) FROM event WHERE conversation = ? AND is_key_change = 0)",
            arguments: [group, group]
        )
    }

    @Test func `a key of a person who is not a member is refused and never encrypts`() async throws {
        let group = try await result("conversation_id", "1111", "group", "create", "2222")
        _ = try await result("sequence_id", "1111", "send", group, "hello")
        let version = try await newestKeyVersion("1111", in: group)
        try tamper { db in try insertKeyChange(in: group, db) }
        for user in ["2222", "1111"] {
            let read = try await run(user, ["read", group, "--json"])
            #expect(read.status == 1)
            let notice = try #require(
                read.errors.split(separator: "\n").first {
                    $0.contains("a key change event was not accepted (sequence id ")
                }
            )
            #expect(notice.contains(", claimed sender 3333"))
            #expect(notice.contains("): sender '3333' is not in conversation"))
            _ = try await result("sequence_id", user, "send", group, "hi")
            let again = try await run(user, ["read", group, "--json"])
            #expect(try again.json.last?.required("event").required("key_version").string().string == version)
            #expect(try await members(of: group, user) == [["1111", "2222"], []])
        }
    }

    @Test func `a group on the server's word alone does not encrypt before its list is accepted`() async throws {
        let group = try await result("conversation_id", "1111", "group", "create", "2222")
        _ = try await result("sequence_id", "1111", "send", group, "hello")
        try tamper { db in try deleteCreation(of: group, db) }
        let refused = try await run("2222", ["send", group, "hi"])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("group accept \(group)"))
        let read = try await run("2222", ["read", group])
        #expect(read.status == 0)
        #expect(read.text.contains("hello"))
        #expect(try await log(of: group, "2222").map { try $0.required("claim").string() } == ["server"])
        let unasked = try await run("2222", ["group", "accept", group])
        #expect(unasked.status == 1)
        #expect(unasked.errors.contains("members on the server's list:\n  1111  (not on the other list)") == false)
        #expect(try await run("2222", ["group", "accept", group, "--members", "1111,3333"]).status == 1)
        #expect(try await run("2222", ["group", "accept", group, "--members", "2222,1111"]).status == 0)
        #expect(try await log(of: group, "2222").map { try $0.required("claim").string() } == ["server", "caller"])
        _ = try await result("sequence_id", "2222", "send", group, "hi")
        // From then on neither a key nor a member list of the server adds a user.
        try tamper { db in
            try insertKeyChange(in: group, db)
            try db.execute(
                sql: "INSERT INTO member (conversation, user, is_admin) VALUES (?, '3333', 0)",
                arguments: [group]
            )
        }
        #expect(try await run("2222", ["read", group]).status == 1)
        #expect(try await members(of: group, "2222") == [["1111", "2222"], []])
        let rotated = try await run("2222", ["conversation", "rotate", group])
        #expect(rotated.errors.contains("the server's member list for \(group) differs"))
        let named = try document("2222").session().readers(of: ConversationID(canonicalizing: WireString(group)))
        #expect(named == ["1111", "2222"])
    }

    @Test func `the log shows each change with its signer and its claim`() async throws {
        let group = try await result("conversation_id", "1111", "group", "create", "2222")
        _ = try await result("conversation_key_version", "1111", "group", "add", group, "3333")
        for (user, claims) in [("1111", ["own", "own"]), ("2222", ["signed", "signed"]), ("3333", ["signer"])] {
            if user != "1111" { #expect(try await run(user, ["read", group]).status == 0) }
            let entries = try await log(of: group, user)
            #expect(try entries.map { try $0.required("claim").string().string } == claims)
            #expect(try entries.allSatisfy { try $0.required("signer").string() == "1111" })
            #expect(try await members(of: group, user) == [["1111", "2222", "3333"], []])
        }
        let unknown = try await run("2222", ["group", "log", "g123"])
        #expect(unknown.status == 1)
    }

    private func log(of group: String, _ user: String) async throws -> [JSONLocation] {
        let outcome = try await run(user, ["group", "log", group])
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try Array(outcome.json.dropLast())
    }

    /// The members and the former members of a group in a user's log.
    private func members(of group: String, _ user: String) async throws -> [JSONValue?] {
        let summary = try #require(try await run(user, ["group", "log", group]).json.last)
        return [try summary.required("members").value, try summary.required("former_members").value]
    }
}
