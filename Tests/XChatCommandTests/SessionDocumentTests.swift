import Foundation
import LibSodium
import Testing
import XChat
import XChatCommand
import XChatEvents

struct SessionDocumentTests {
    private let fixture: Fixture

    init() throws {
        fixture = try Fixture()
    }

    private func document(_ text: String) throws -> SessionDocument {
        try SessionDocument(parsing: Array(text.utf8), name: "file")
    }

    private func document(_ change: (inout JSONObject) -> Void = { _ in }) throws -> SessionDocument {
        try document(JSONValue.object(try fixture.document(of: "1111", change)).line)
    }

    private func complaint(_ change: (inout JSONObject) -> Void) -> String? {
        #expect(throws: CommandError.self) { try document(change).session() }?.description
    }

    @Test func `a file with all members makes a session that seals and opens`() throws {
        var session = try document().session()
        let event = try session.seal(.text("hi"), in: Fixture.conversation).event
        #expect(try session.open(event).isVerified)
    }

    @Test func `all members but the user id are optional, and null is absent`() throws {
        #expect(try document(#"{"user_id":"1111"}"#).session().privateKeys == nil)
        let nulls = """
            {"user_id":"1111","signing_key_version":null,"private_keys":null,"signing_keys":null,
             "conversation_keys":null,"conversation_key_marks":null,"group_rosters":null}
            """
        #expect(try document(nulls).session().signingKeyVersion == nil)
        #expect(
            try document(#"{"user_id":"1","conversation_keys":{"g1":null,"g2":{"7":null}}}"#).conversationKeys().isEmpty
        )
    }

    @Test(
        "a malformed member is named",
        arguments: [
            (#"{}"#, #"the member "user_id" is missing"#), (#"{"user_id":null}"#, #"the member "user_id" is missing"#),
            (#"{"user_id":1}"#, "user_id: expected a string"), (#"{"user_id":""}"#, "user_id: is empty"),
            (#"[]"#, "file: expected an object"),
            (#"{"user_id":"1","user_id":"1"}"#, "a member that was already there"),
            (#"{"user_id":"1","signing_key_version":7}"#, "signing_key_version: expected a string"),
            (#"{"user_id":"1","signing_key_version":""}"#, "signing_key_version: is empty"),
            (#"{"user_id":"1","private_keys":"*"}"#, "private_keys: is not base64"),
            (#"{"user_id":"1","private_keys":"AAAA"}"#, "private_keys: the private key blob is of no known form"),
            (#"{"user_id":"1","signing_keys":{}}"#, "signing_keys: expected an array"),
            (#"{"user_id":"1","signing_keys":[{}]}"#, #"signing_keys[0]: the member "user_id" is missing"#),
            (#"{"user_id":"1","conversation_keys":[]}"#, "conversation_keys: expected an object"),
            (#"{"user_id":"1","conversation_keys":{"g1":""}}"#, "expected an object"),
            (
                #"{"user_id":"1","conversation_keys":{"g1":{"7":"AAAA"}}}"#,
                #"conversation_keys["g1"]["7"]: a conversation key is"#
            ),
            (
                #"{"user_id":"1","conversation_key_marks":{"g1":"x"}}"#,
                #"conversation_key_marks["g1"]: is not a number"#
            ),
            (#"{"user_id":"1","group_rosters":[]}"#, "group_rosters: expected an object"),
            (#"{"user_id":"1","group_rosters":{"2":{}}}"#, #"group_rosters["2"]: is not a group's"#),
            (#"{"user_id":"1","group_rosters":{"g1":{}}}"#, #"group_rosters["g1"]: the member "members" is missing"#),
            (
                #"{"user_id":"1","group_rosters":{"g1":{"members":[1]}}}"#,
                #"group_rosters["g1"].members[0]: expected a string"#
            ),
        ]
    )
    func malformed(_ text: String, _ expected: String) throws {
        let error = #expect(throws: CommandError.self) { try document(text).session() }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }

    @Test func `no secret stands in a complaint`() throws {
        let secret = "bm90IGEga2V5IGJ1dCBhIHNlY3JldA=="
        for member: WireString in ["private_keys", "user_id"] {
            let complaint = complaint { $0[member] = .array([.string(secret)]) }
            #expect(complaint?.contains(secret) == false)
        }
        #expect(complaint { $0["private_keys"] = .string(secret) }?.contains(secret) == false)
        let keys: JSONValue = ["g1": ["7": .string(secret)]]
        #expect(complaint { $0["conversation_keys"] = keys }?.contains(secret) == false)
    }

    @Test func `conversation ids are brought into canonical form`() throws {
        let key = JSONValue.string(fixture.conversationKey.withBytes { Base64.encode($0) })
        for id: WireString in ["1111:2222", "2222-1111", "2222:1111", "2222"] {
            let document = try document { $0["conversation_keys"] = .object([id: ["1001": key]]) }
            #expect(try document.session().keyRing.newestVersion(in: Fixture.conversation) == "1001")
        }
    }

    @Test func `an entry whose binding does not hold is left out and the rest stays`() throws {
        let stranger = try PrivateKeys.generate().boundKey(userID: "2222", version: "1").registered
        var forged = try fixture.bound("2222").registered
        forged.publicKey = stranger.publicKey
        let document = try document { $0["signing_keys"] = .array([forged.json, stranger.json]) }
        let (bound, refused) = try document.boundKeys()
        #expect(bound.map(\.registered) == [stranger])
        #expect(refused.count == 1)
        #expect(refused.first?.description.hasPrefix("file: signing_keys[0]: ") == true)
    }

    @Test func `what a session learned is added and all else stays, unknown members too`() throws {
        var document = try document {
            $0["notes"] = ["z": .number("1.50"), "a": nil]
            $0["conversation_keys"] = ["2222-1111": ["1001": $0["conversation_keys"].flatMap(firstKey) ?? nil]]
        }
        let before = document.root
        var session = try document.session()
        let stranger = try PrivateKeys.generate().boundKey(userID: "3333", version: "5")
        try session.pin([stranger.registered], of: "3333")
        session.addConversationKey(try .generate(), in: Fixture.conversation, version: "1002")
        try document.add(learnedBy: session)

        #expect(document.root["notes"] == before["notes"])
        #expect(document.root["private_keys"] == before["private_keys"])
        guard case .object(let conversations) = document.root["conversation_keys"],
            case .object(let versions) = conversations["2222-1111"]
        else {
            Issue.record("the keys are gone")
            return
        }
        #expect(conversations.members.count == 1)
        #expect(versions.members.map(\.key) == ["1001", "1002"])
        #expect(document.root["conversation_key_marks"] == ["1111:2222": "1002"])
        #expect(try document.boundKeys().bound.map(\.userID) == ["1111", "2222", "3333"])
    }

    private func firstKey(_ conversations: JSONValue) -> JSONValue? {
        guard case .object(let conversations) = conversations,
            case .object(let versions)? = conversations.members.first?.value
        else { return nil }
        return versions.members.first?.value
    }

    @Test func `nothing learned changes nothing`() throws {
        var document = try document()
        let session = try document.session()
        try document.add(learnedBy: session)
        let once = document
        try document.add(learnedBy: session)
        #expect(document == once)
        #expect(document.root["signing_keys"] == (try self.document().root["signing_keys"]))
    }

    @Test func `marks survive, so that an older key is not taken for the newest`() throws {
        let document = try document { $0["conversation_key_marks"] = ["2222": "2000"] }
        #expect(try document.session().keyRing.newestVersion(in: Fixture.conversation) == nil)
    }

    @Test func `rosters survive, and what else is known of a group`() throws {
        let (g1, g2) = (ConversationID(canonicalizing: "g1"), ConversationID(canonicalizing: "g2"))
        var document = try document {
            $0["group_rosters"] = [
                "g1": ["members": ["1111", "2222"], "notes": "mine"], "g2": ["members": ["1111"]], "g3": nil,
            ]
        }
        var session = try document.session()
        let before = session.keptRosters
        #expect(before == [g1: GroupRoster(members: ["1111", "2222"]), g2: GroupRoster(members: ["1111"])])
        session.keptRosters[g1] = GroupRoster(members: ["3333", "1111"], formerMembers: ["2222"], lastChange: "m7")
        // Meanwhile another process learned more of the other group, and of a third one.
        var newer = session
        newer.keptRosters = [
            g2: GroupRoster(members: ["1111", "4444"]),
            ConversationID(canonicalizing: "g5"): GroupRoster(members: ["1111", "2222"]),
        ]
        try document.add(learnedBy: newer)
        try document.add(learnedBy: session, rostersBefore: before)
        #expect(
            document.root["group_rosters"] == [
                "g1": ["members": ["1111", "3333"], "notes": "mine", "former_members": ["2222"], "last_change": "m7"],
                "g2": ["members": ["1111", "4444"], "former_members": [], "last_change": nil], "g3": nil,
                "g5": ["members": ["1111", "2222"], "former_members": [], "last_change": nil],
            ]
        )
        #expect(try document.session().keptRosters[g1] == session.keptRosters[g1])
    }

    @Test func `pins that another process changed meanwhile are not added to`() throws {
        var session = try Session(userID: "1111")
        try session.pin([try PrivateKeys.generate().boundKey(userID: "3333", version: "5").registered], of: "3333")
        let other = try PrivateKeys.generate().boundKey(userID: "3333", version: "6").registered
        var document = try document { $0["signing_keys"] = .array([other.json]) }
        let before = document
        #expect(throws: CommandError.self) { try document.add(learnedBy: session) }
        #expect(document == before)
    }

    @Test func `accepted keys take the place of the old ones`() throws {
        var document = try document()
        let before = [try fixture.bound("2222")]
        let after = [try PrivateKeys.generate().boundKey(userID: "2222", version: "2")]
        try document.replaceKeys(of: "2222", before, with: after)
        #expect(try document.boundKeys().bound == [try fixture.bound("1111")] + after)
        #expect(throws: CommandError.self) { try document.replaceKeys(of: "2222", before, with: before) }
    }
}

struct StateStoreTests {
    private let fixture: Fixture

    init() throws {
        fixture = try Fixture()
    }

    @Test func `a change is written in one step, for the owner alone`() throws {
        let path = try fixture.file(of: "1111", mode: 0o644)
        try StateStore(sessionFile: path).update { $0.set(signingKeyVersion: "77") }
        #expect(try StateStore(sessionFile: path).read().signingKeyVersion() == "77")
        #expect(try fixture.scratch.permissions("session.json") == 0o600)
        #expect(try fixture.scratch.names() == ["session.json"])
    }

    @Test func `without a change nothing is written`() throws {
        let path = try fixture.file(of: "1111", mode: 0o644)
        let before = try fixture.scratch.read("session.json")
        try StateStore(sessionFile: path).update { _ in }
        #expect(try fixture.scratch.read("session.json") == before)
        #expect(try fixture.scratch.permissions("session.json") == 0o644)
    }

    @Test func `a state that could not be read again is not written, and the error names its largest part`() throws {
        let path = try fixture.file(of: "1111") {
            $0["conversation_keys"] = ["g1": ["1": "AAAA"], "g2": ["1": .string(String(repeating: "A", count: 3000))]]
        }
        let before = try fixture.scratch.read("session.json")
        let store = StateStore(sessionFile: path, maximumBytes: before.count + 10)
        try store.update { $0.set(signingKeyVersion: "12") }
        let written = try fixture.scratch.read("session.json")
        #expect(written.count <= before.count + 10)
        let error = #expect(throws: CommandError.self) {
            try store.update { $0.set(signingKeyVersion: "12345678901234567890") }
        }
        #expect(try fixture.scratch.read("session.json") == written)
        let text = error?.description ?? ""
        for part in [
            "\(path)", "nothing was written", "its limit is \(before.count + 10)", "\"conversation_keys\"", "\"g2\"",
            "\(written.count + 18) bytes",
        ] {
            #expect(text.contains(part), "\(part): \(text)")
        }
        _ = try store.read()
    }

    @Test func `a sealed state that could not be read again is not written`() throws {
        let keyStore = KeyStore(home: fixture.scratch.file("home")) { _ in
            try SecretBytes(copying: Array("p".utf8).span)
        }
        let content = Array(JSONValue.object(try fixture.document(of: "1111")).indented.utf8)
        try keyStore.create(content, limits: .minimum)
        let store = StateStore(keyStore: keyStore, maximumBytes: content.count + 3)
        try store.update { $0.set(signingKeyVersion: "123") }
        #expect(throws: CommandError.self) { try store.update { $0.set(signingKeyVersion: "12345") } }
        #expect(try store.read().signingKeyVersion() == "123")
    }

    @Test(
        "the private keys are read whatever else the state holds",
        arguments: [
            #""signing_keys":5,"conversation_keys":[1,2],"group_rosters":"x""#, #""a":[1,2,}"#, #""a":"unfinished"#,
            #""a":{"private_keys":"AAAA","user_id":"2222"}"#, #""a":"\ud800","b":01,"c":nul"#, #""a":1,"a":2"#,
            "\"a\":" + String(repeating: "[", count: 100_000), "\"a\":\"\u{0}\"", #""signing_key_version":{}"#,
        ],
        [true, false]
    )
    func export(_ other: String, _ isFirst: Bool) throws {
        let document = try fixture.document(of: "1111")
        let keys = try #require(document["private_keys"]?.line)
        let own = #""user_id":"1111","private_keys":\#(keys)"#
        // What is not closed can only come last.
        let isClosed = other.utf8.count { $0 == UInt8(ascii: "[") } <= 1 && !other.contains("unfinished")
        let text = isFirst && isClosed ? "{\(other),\(own)}" : "{\(own),\(other)}"
        let path = try fixture.scratch.write("broken.json", text)
        let read = try StateStore(sessionFile: path).readPrivateKeys()
        #expect(try read.userID() == "1111")
        let blob = try read.privateKeys()?.withExport { Base64.encode($0) }
        #expect(blob.map { JSONValue.string($0).line } == keys)
    }

    @Test func `the private keys are exported from a state beyond the limit`() async throws {
        let text = JSONValue.object(try fixture.document(of: "1111")).line.dropLast()
        let path = try fixture.scratch.write("large.json", text + #","a":""# + String(repeating: "x", count: 65 << 20))
        #expect(throws: CommandError.self) { try StateStore(sessionFile: path).read() }
        let exported = try await Program.run("keys", "export", "--session", path)
        #expect(exported.status == 0, "\(exported.errors)")
        let blob = try fixture.keys["1111"]?.withExport { span in span.indices.map { span[$0] } }
        #expect(exported.output == blob)
    }

    @Test func `two different private keys in one state are not exported`() throws {
        let text = #"{"user_id":"1111","private_keys":"AAAA","private_keys":"BBBB"}"#
        let path = try fixture.scratch.write("twice.json", text)
        #expect(throws: CommandError.self) { try StateStore(sessionFile: path).readPrivateKeys() }
    }

    @Test func `a change that fails leaves the file as it was`() throws {
        let path = try fixture.file(of: "1111")
        let before = try fixture.scratch.read("session.json")
        #expect(throws: CommandError("no")) {
            try StateStore(sessionFile: path).update { document in
                document.set(signingKeyVersion: "77")
                throw CommandError("no")
            }
        }
        #expect(try fixture.scratch.read("session.json") == before)
    }
}
