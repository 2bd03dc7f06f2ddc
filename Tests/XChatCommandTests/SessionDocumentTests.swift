import Foundation
import LibSodium
import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEngine
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

    @Test func `a file with all members gives a session that encrypts and decrypts`() throws {
        var session = try document().session()
        let event = try session.seal(.text("hi"), in: Fixture.conversation).event
        #expect(try session.open(event).isVerified)
    }

    @Test func `all members but the user id are optional, and null is absent`() throws {
        #expect(try document(#"{"user_id":"1111"}"#).session().privateKeys == nil)
        let nulls = """
            {"user_id":"1111","signing_key_version":null,"private_keys":null,"signing_keys":null,
             "conversation_keys":null,"conversation_key_marks":null,"conversation_key_details":null,"group_memberships":null,"rejected_keys":null}
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
            (#"{"user_id":"1","user_id":"1"}"#, "a member that occurs twice"),
            (#"{"user_id":"1","signing_key_version":7}"#, "signing_key_version: expected a string"),
            (#"{"user_id":"1","signing_key_version":""}"#, "signing_key_version: is empty"),
            (#"{"user_id":"1","private_keys":"*"}"#, "private_keys: is not base64"),
            (#"{"user_id":"1","private_keys":"AAAA"}"#, "private_keys: the private key blob has no known format"),
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
            (#"{"user_id":"1","group_memberships":[]}"#, "group_memberships: expected an object"),
            (#"{"user_id":"1","group_memberships":{"2":{}}}"#, #"group_memberships["2"]: is not a group"#),
            (
                #"{"user_id":"1","group_memberships":{"g1":{}}}"#,
                #"group_memberships["g1"]: the member "log" is missing"#
            ),
            (
                #"{"user_id":"1","group_memberships":{"g1":{"log":[],"members":["1"]}}}"#,
                #"group_memberships["g1"]: malformed: the membership log does not begin with a founding"#
            ),
            (
                #"{"user_id":"1","group_memberships":{"g1":{"log":[{"effect":"x","claim":"own","people":[]}],"members":[]}}}"#,
                #"group_memberships["g1"].log[0].effect: is not a known effect of a group change"#
            ),
            (
                #"{"user_id":"1","conversation_key_details":{"g1":{"rotation_floor":"x"}}}"#,
                #"conversation_key_details["g1"].rotation_floor: is not a number"#
            ),
            (
                #"{"user_id":"1","rejected_keys":{"2":["AAAA"]}}"#,
                #"rejected_keys["2"][0]: is not a digest of 32 bytes"#
            ),
        ]
    )
    func malformed(_ text: String, _ expected: String) throws {
        let error = #expect(throws: CommandError.self) { try document(text).session() }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }

    @Test func `errors contain no secret`() throws {
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

    @Test func `an entry with an invalid binding signature is left out, and the others stay`() throws {
        let stranger = try PrivateKeys.generate().verifiedKey(userID: "2222", version: "1").registered
        var forged = try fixture.bound("2222").registered
        forged.publicKey = stranger.publicKey
        let document = try document { $0["signing_keys"] = .array([forged.json, stranger.json]) }
        let (bound, refused) = try document.verifiedKeys()
        #expect(bound.map(\.registered) == [stranger])
        #expect(refused.count == 1)
        #expect(refused.first?.description.hasPrefix("file: signing_keys[0]: ") == true)
    }

    @Test func `new pins and keys of a session are added, and all other members stay, unknown ones too`() throws {
        var document = try document {
            $0["notes"] = ["z": .number("1.50"), "a": nil]
            $0["conversation_keys"] = ["2222-1111": ["1001": $0["conversation_keys"].flatMap(firstKey) ?? nil]]
        }
        let before = document.root
        let loaded = try document.session()
        var session = loaded
        let stranger = try PrivateKeys.generate().verifiedKey(userID: "3333", version: "5")
        try session.pin([stranger.registered], of: "3333")
        try session.addConversationKey(try .generate(), in: Fixture.conversation, version: "1002")
        try document.add(learnedBy: session, since: loaded)

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
        #expect(try document.verifiedKeys().bound.map(\.userID) == ["1111", "2222", "3333"])
    }

    private func firstKey(_ conversations: JSONValue) -> JSONValue? {
        guard case .object(let conversations) = conversations,
            case .object(let versions)? = conversations.members.first?.value
        else { return nil }
        return versions.members.first?.value
    }

    @Test func `a session without new pins and keys changes nothing`() throws {
        var document = try document()
        let session = try document.session()
        try document.add(learnedBy: session, since: session)
        let once = document
        try document.add(learnedBy: session, since: session)
        #expect(document == once)
        #expect(document.root["signing_keys"] == (try self.document().root["signing_keys"]))
    }

    @Test func `the highest version survives, so that an older key does not encrypt`() throws {
        let document = try document { $0["conversation_key_marks"] = ["2222": "2000"] }
        #expect(throws: XChatError.self) { try document.session().encryptingVersion(in: Fixture.conversation) }
    }

    /// A session after `change`, and a document with it.
    private func saved(_ change: (inout Session) throws -> Void) throws -> (session: Session, document: SessionDocument)
    {
        var document = try document()
        let before = try document.session()
        var session = before
        try change(&session)
        try document.add(learnedBy: session, since: before)
        return (session, try SessionDocument(parsing: document.bytes, name: "file"))
    }

    private let g1 = ConversationID(canonicalizing: "g1")

    @Test func `membership logs survive as they are`() throws {
        let (session, document) = try saved { session in
            _ = try session.found(["1111", "2222"], of: ConversationID(canonicalizing: "g2"))
            try session.acceptMembers(["1111", "2222", "3333"], of: g1)
            try session.acceptMembers(["1111", "2222"], of: g1)
        }
        let restored = try document.session()
        #expect(restored.memberships == session.memberships)
        #expect(restored.memberships[g1]?.bars == ["3333": 0])
        #expect(restored.memberships[ConversationID(canonicalizing: "g2")]?.claim == .server)
        // Members of the document that this program does not know are kept.
        #expect(restored.userID == "1111")
    }

    @Test func `what keeps a key from encrypting survives`() throws {
        let key = try ConversationKey.generate()
        let (session, document) = try saved { session in
            try session.acceptMembers(["1111", "2222", "3333"], of: g1)
            try session.addConversationKey(key, in: g1, version: "5")
            try session.acceptMembers(["1111", "2222"], of: g1)
            try session.addConversationKey(try ConversationKey.generate(), in: Fixture.conversation, version: "1001")
        }
        let restored = try document.session()
        for session in [session, restored] {
            #expect(throws: XChatError.self) { try session.encryptingVersion(in: g1) }
            #expect(session.keyRing.accepted(in: g1, version: "5")?.isStale == true)
            #expect(session.keyRing.isDisputed("1001", in: Fixture.conversation))
        }
        #expect(restored.keyRing.rotationFloor(of: g1) == session.keyRing.rotationFloor(of: g1))
    }

    @Test func `retired pins and rejected keys survive`() throws {
        let new = try PrivateKeys.generate().verifiedKey(userID: "2222", version: "0")
        let bad = try PrivateKeys.generate().verifiedKey(userID: "5555", version: "1")
        let (_, document) = try saved { session in
            try session.acceptChange([new])
            try session.rejectKeys([bad])
        }
        var restored = try document.session()
        // The accepted key is current although its version is the lower one.
        #expect(restored.pins.current(of: "2222")?.isSamePin(as: new) == true)
        #expect(restored.pins["2222"].filter(restored.pins.isRetired).map(\.version) == ["1"])
        #expect(throws: XChatError.self) { try restored.pin([bad.registered], of: "5555") }
    }

    @Test func `members that another process changed in another way are not overwritten`() throws {
        var document = try document()
        let before = try document.session()
        var (mine, theirs, same) = (before, before, before)
        try mine.acceptMembers(["1111"], of: g1)
        try theirs.acceptMembers(["1111", "2222"], of: g1)
        try same.acceptMembers(["1111", "2222"], of: g1)
        try document.add(learnedBy: theirs, since: before)
        let stored = document
        #expect(throws: CommandError.self) { try document.add(learnedBy: mine, since: before) }
        #expect(document == stored)
        try document.add(learnedBy: same, since: before)
        // Values that this process did not change stay as the other one wrote them.
        try document.add(learnedBy: before, since: before)
        #expect(document == stored)
    }

    @Test func `pins that another process changed meanwhile are not added to`() throws {
        let before = try Session(userID: "1111")
        var session = before
        try session.pin([try PrivateKeys.generate().verifiedKey(userID: "3333", version: "5").registered], of: "3333")
        let other = try PrivateKeys.generate().verifiedKey(userID: "3333", version: "6").registered
        var document = try document { $0["signing_keys"] = .array([other.json]) }
        let stored = document
        #expect(throws: CommandError.self) { try document.add(learnedBy: session, since: before) }
        #expect(document == stored)
    }
}

struct SessionFileTests {
    private let fixture: Fixture

    init() throws {
        fixture = try Fixture()
    }

    @Test func `a change is written in one step, for the owner alone`() throws {
        let path = try fixture.file(of: "1111", mode: 0o644)
        _ = try SessionFile(path).update(ifStill: nil) { $0.set(signingKeyVersion: "77") }
        #expect(try SessionFile(path).read().signingKeyVersion() == "77")
        #expect(try fixture.scratch.permissions("session.json") == 0o600)
        #expect(try fixture.scratch.names() == ["session.json"])
    }

    @Test func `without a change nothing is written`() throws {
        let path = try fixture.file(of: "1111", mode: 0o644)
        let before = try fixture.scratch.read("session.json")
        _ = try SessionFile(path).update(ifStill: nil) { _ in }
        #expect(try fixture.scratch.read("session.json") == before)
        #expect(try fixture.scratch.permissions("session.json") == 0o644)
    }

    @Test func `a state that could not be read again is not written, and the error names its largest part`() throws {
        let path = try fixture.file(of: "1111") {
            $0["conversation_keys"] = ["g1": ["1": "AAAA"], "g2": ["1": .string(String(repeating: "A", count: 3000))]]
        }
        let before = try fixture.scratch.read("session.json")
        let store = SessionFile(path, maximumBytes: before.count + 10)
        _ = try store.update(ifStill: nil) { $0.set(signingKeyVersion: "12") }
        let written = try fixture.scratch.read("session.json")
        #expect(written.count <= before.count + 10)
        let error = #expect(throws: CommandError.self) {
            _ = try store.update(ifStill: nil) { $0.set(signingKeyVersion: "12345678901234567890") }
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
        // Unclosed input can only be the last.
        let isClosed = other.utf8.count { $0 == UInt8(ascii: "[") } <= 1 && !other.contains("unfinished")
        let text = isFirst && isClosed ? "{\(other),\(own)}" : "{\(own),\(other)}"
        let path = try fixture.scratch.write("broken.json", text)
        let read = try SessionFile(path).readPrivateKeys()
        #expect(try read.userID() == "1111")
        let blob = try read.privateKeys()?.withExport { Base64.encode($0) }
        #expect(blob.map { JSONValue.string($0).line } == keys)
    }

    @Test func `the private keys are exported from a state beyond the limit`() async throws {
        let text = JSONValue.object(try fixture.document(of: "1111")).line.dropLast()
        let path = try fixture.scratch.write("large.json", text + #","a":""# + String(repeating: "x", count: 65 << 20))
        #expect(throws: CommandError.self) { try SessionFile(path).read() }
        let exported = try await Program.run("keys", "export", "--session", path)
        #expect(exported.status == 0, "\(exported.errors)")
        let blob = try fixture.keys["1111"]?.withExport { span in span.indices.map { span[$0] } }
        #expect(exported.output == blob)
    }

    @Test func `two different private keys in one state are not exported`() throws {
        let text = #"{"user_id":"1111","private_keys":"AAAA","private_keys":"BBBB"}"#
        let path = try fixture.scratch.write("twice.json", text)
        #expect(throws: CommandError.self) { try SessionFile(path).readPrivateKeys() }
    }

    @Test func `a change that fails leaves the file as it was`() throws {
        let path = try fixture.file(of: "1111")
        let before = try fixture.scratch.read("session.json")
        #expect(throws: CommandError("no")) {
            _ = try SessionFile(path).update(ifStill: nil) { document in
                document.set(signingKeyVersion: "77")
                throw CommandError("no")
            }
        }
        #expect(try fixture.scratch.read("session.json") == before)
    }
}
