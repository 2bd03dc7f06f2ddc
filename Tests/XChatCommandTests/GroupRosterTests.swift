import Foundation
import GRDB
import Testing
import XChat
import XChatCommand
import XChatEvents

/// Groups of a server that tells of their members what it likes.
struct GroupRosterTests {
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
        try StateStore(sessionFile: scratch.file(user)).read()
    }

    /// Changes what the server has.
    private func tamper(_ change: (Database) throws -> Void) throws {
        server.stop()
        do {
            let queue = try DatabaseQueue(path: scratch.file("server.sqlite"))
            try queue.write(change)
            try queue.close()
        }
        try server.start()
    }

    /// A key change of 3333 for a group that 1111 and 2222 are in, newer than all that the group has.
    private func insertKeyChange(in group: String, _ db: Database) throws {
        let conversation = ConversationID(canonicalizing: WireString(group))
        var session = try document("3333").session()
        for user in ["1111", "2222", "3333"] {
            let document = try document(user)
            let keys = try #require(try document.privateKeys())
            let version = try #require(try document.signingKeyVersion())
            session.trust([try keys.boundKey(userID: WireString(user), version: version)])
        }
        session.keptRosters = [:]
        let newest = try Int64.fetchOne(db, sql: "SELECT max(sequence) FROM event") ?? 0
        let change = try session.prepareKeyChange(
            in: conversation,
            participants: session.pins.users.flatMap { session.pins[$0] }
        )
        var event = change.event
        event.sequenceID = WireString(String(newest + 1))
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

    @Test func `the key of somebody whom nothing names a member is not sent under`() async throws {
        let group = try await result("conversation_id", "1111", "group", "create", "2222")
        let version = try await newestKeyVersionAfterSending("hello", "1111", to: group)
        try tamper { db in try insertKeyChange(in: group, db) }
        for user in ["2222", "1111"] {
            #expect(try await newestKeyVersionAfterSending("hi", user, to: group) == version)
            #expect(try roster(of: group, in: user) == [["1111", "2222"], []])
        }
        let read = try await run("2222", ["read", group])
        #expect(read.errors.contains("a key change was not accepted: sender '3333' is not in conversation"))
    }

    @Test func `a group that shows no creation has the members of the first sight`() async throws {
        let group = try await result("conversation_id", "1111", "group", "create", "2222")
        let version = try await newestKeyVersionAfterSending("hello", "1111", to: group)
        try tamper { db in try deleteCreation(of: group, db) }
        #expect(try await newestKeyVersionAfterSending("hi", "2222", to: group) == version)
        #expect(try roster(of: group, in: "2222") == [["1111", "2222"], []])
        // From then on neither a key nor the word of the server brings somebody in.
        try tamper { db in
            try insertKeyChange(in: group, db)
            try db.execute(
                sql: "INSERT INTO member (conversation, user, is_admin) VALUES (?, '3333', 0)",
                arguments: [group]
            )
        }
        #expect(try await newestKeyVersionAfterSending("hi again", "2222", to: group) == version)
        #expect(try roster(of: group, in: "2222") == [["1111", "2222"], []])
        let rotated = try await run("2222", ["conversation", "rotate", group])
        #expect(rotated.status == 1)
        #expect(rotated.errors.contains("names other members"))
    }

    /// The members and the former members that a user's state has for a group.
    private func roster(of group: String, in user: String) throws -> [JSONValue?] {
        guard case .object(let groups) = try document(user).root["group_rosters"],
            case .object(let roster) = groups[WireString(group)]
        else { return [] }
        return [roster["members"], roster["former_members"]]
    }

    private func newestKeyVersionAfterSending(
        _ text: String,
        _ user: String,
        to group: String
    ) async throws -> String {
        _ = try await result("sequence_id", user, "send", group, text)
        return try await newestKeyVersion(user, in: group)
    }
}
