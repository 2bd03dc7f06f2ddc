import Foundation
import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEngine
import XChatEvents

/// Attacks on the trust rules that only the whole command can show, each with its honest counterpart.
///
/// The user of the program is 1111. The server serves the content that the test sets.
@Suite(.timeLimit(.minutes(3)))
struct TrustCommandTests {
    private let scratch: Scratch
    private let server: LyingServer
    private let alice, bob, carol: Person

    private static let pair = ConversationID.oneToOne("1111", "2222")
    private static let group = ConversationID(canonicalizing: "g9")

    init() async throws {
        scratch = try Scratch()
        server = try await LyingServer()
        alice = try Person("1111")
        bob = try Person("2222")
        carol = try Person("3333")
    }

    // MARK: The program

    private var environment: [String: String] { ["XCHAT_API_URL": server.url, "XCHAT_TOKEN": "token-of-1111"] }
    private var file: String { scratch.file("1111") }

    /// Writes the state of 1111, which pins some people and has some conversation keys.
    private func writeState(
        pinning pins: [Person] = [],
        keys: [ConversationID: [KeyVersion: ConversationKey]] = [:]
    ) throws {
        let conversations = keys.map { id, versions -> (WireString, JSONValue) in
            let entries = versions.map { version, key -> (WireString, JSONValue) in
                (version.text, .string(key.withBytes { Base64.encode($0) }))
            }
            return (id.text, .object(JSONObject(entries)))
        }
        let document: JSONObject = [
            "user_id": .string(alice.id),
            "signing_key_version": .string(alice.version),
            "private_keys": .string(try alice.keys.withExport { Base64.encode($0) }),
            "signing_keys": .array(try ([alice] + pins).map { try $0.bound.registered.json }),
            "conversation_keys": .object(JSONObject(conversations)),
        ]
        try scratch.write("1111", JSONValue.object(document).indented)
    }

    private func run(_ arguments: String..., input: [MessageEvent] = []) async throws -> Program.Outcome {
        try await Program.run(
            arguments + ["--session", file],
            input: input.flatMap { Array(($0.base64 + "\n").utf8) },
            environment: environment
        )
    }

    private func read(_ conversation: ConversationID = pair) async throws -> Program.Outcome {
        try await run("read", conversation.string, "--json")
    }

    private func session() throws -> Session {
        try SessionFile(file).read().session()
    }

    /// The event of an outcome that shows a text; nil if it is not shown.
    private func event(_ text: String, in outcome: Program.Outcome) throws -> JSONLocation? {
        try outcome.json.first { line in
            try line.member("event")?.member("content")?.member("text")?.string().string == text
        }?.required("event")
    }

    private func isVerified(_ text: String, in outcome: Program.Outcome) throws -> Bool {
        try event(text, in: outcome)?.required("verified").bool() == true
    }

    private func has(_ mark: WireString, _ text: String, in outcome: Program.Outcome) throws -> Bool {
        try #require(try event(text, in: outcome)).member(mark)?.bool() == true
    }

    private func codes(_ outcome: Program.Outcome) throws -> [String?] {
        try outcome.json.map { try $0.member("error")?.required("code").string().string }
    }

    private func safetyCode(with person: Person) throws -> String {
        try SafetyCode(try alice.bound, try person.bound).digits
    }

    /// The keys of all key changes that were posted, and the users to whom they are wrapped.
    private func postedKeys() throws -> [[(user: UserID, wrapped: WireString)]] {
        let changes = server.with { $0.posts }.filter { $0.path.hasSuffix("/keys") || $0.path.hasSuffix("/group") }
        return try changes.map { request in
            try request.json.required("conversation_participant_keys").elements().map { entry in
                (try entry.required("user_id").id(), try entry.required("encrypted_conversation_key").string())
            }
        }
    }

    /// Whether any posted key is wrapped for a user.
    private func isWrapped(for person: Person) throws -> Bool {
        try postedKeys().joined().contains { try person.unwrap($0.wrapped) != nil }
    }

    // MARK: Handles

    @Test(
        "handles from a server are marked, and cannot control the terminal or hide a message",
        arguments: [
            (200, ["data": [["id": "2222", "username": "Bob_1"]]], "~@Bob_1 (2222)"),
            (200, ["data": [["id": "2222", "username": "bob\u{1B}[2J"]]], "2222"),
            (200, ["data": [["id": "2222", "username": "b\u{43E}b"]]], "2222"),
            (200, ["data": [["id": "3333", "username": "bob"]]], "2222"),
            (200, ["data": [["id": "2222", "username": "bob"], ["id": "2222", "username": "eve"]]], "2222"),
            (200, [:], "2222"), (403, [:], "2222"), (500, [:], "2222"),
        ] as [(Int, JSONValue, String)]
    )
    func handles(_ status: Int, _ body: JSONValue, _ shown: String) async throws {
        try writeState()
        var history = try SignedHistory(bob, with: alice)
        try history.say("hi", by: bob)
        try server.serve(history)
        server.with { content in
            content.lie = { request, _ in request.path == "/2/users" ? (status, body) : nil }
        }
        let outcome = try await run("read", "2222")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.lines.last?.hasSuffix("  \(shown)  hi") == true, "\(outcome.text)")
        #expect(server.with { $0.requests.count { $0.path == "/2/users" } } == 1, "one call for each run")
    }

    // MARK: Saved before shown

    /// More text than fits into a pipe.
    private func longHistory() throws -> SignedHistory {
        var history = try SignedHistory(bob, with: alice)
        for number in 0..<400 { try history.say("line \(number) " + String(repeating: "x", count: 500), by: bob) }
        return history
    }

    /// Runs `read` with an output that accepts at most some bytes.
    private func readIntoClosedPipe() async throws -> Int32 {
        let process = try Program.process(["read", "2222", "--session", file], environment: environment)
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        return try await withCheckedThrowingContinuation { ended in
            process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
                try? pipe.fileHandleForWriting.close()
                #expect(!pipe.fileHandleForReading.availableData.isEmpty)
                try pipe.fileHandleForReading.close()
            } catch {
                Issue.record("\(error)")
            }
        }
    }

    private func readIntoFullDisk() async throws -> Int32 {
        let process = try Program.process(["read", "2222", "--session", file], environment: environment)
        process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
        process.standardError = FileHandle.nullDevice
        return try await withCheckedThrowingContinuation { ended in
            process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { ended.resume(throwing: error) }
        }
    }

    private func expectPinsAreKept(_ history: SignedHistory) async throws {
        // The keys are available without a server.
        let offline = try await run("decrypt", input: Array(history.events.prefix(1)))
        #expect(offline.status == 0, "the pin and the conversation key are saved: \(offline.text.prefix(200))")
        // The same keys are accepted again.
        let again = try await read()
        #expect(again.status == 0, "\(again.errors)")
        #expect(again.lines.count == history.events.count)
        // Other keys are refused.
        let mallory = try Person("2222", version: "2")
        var lie = try SignedHistory(mallory, with: alice)
        try lie.say("forged", by: mallory)
        try server.serve(lie)
        let lied = try await read()
        #expect(lied.status == 1)
        #expect(try event("forged", in: lied) == nil)
        #expect(try codes(lied) == ["unknown_signer"])
        #expect(lied.errors.contains("that differ from the pinned ones"), "\(lied.errors)")
        #expect(lied.errors.contains("xchat keys trust 2222"))
        #expect(try await run("conversation", "start", "2222").status == 1)
        #expect(server.with { $0.posts.isEmpty })
    }

    @Test func `pins and keys are saved before anything is printed into a pipe that closes`() async throws {
        try writeState()
        let history = try longHistory()
        try server.serve(history)
        #expect(try await readIntoClosedPipe() != 0)
        try await expectPinsAreKept(history)
    }

    #if os(Linux)
        @Test func `pins and keys are saved before anything is printed onto a full disk`() async throws {
            try writeState()
            let history = try longHistory()
            try server.serve(history)
            #expect(try await readIntoFullDisk() == 1)
            try await expectPinsAreKept(history)
        }
    #endif

    // MARK: Replaced keys

    /// 1111 accepts new keys of 2222 by their safety code; the server serves the old keys with them.
    private func acceptNewKeys() async throws -> (new: Person, history: SignedHistory) {
        let history = try SignedHistory(bob, with: alice)
        let new = try Person("2222", version: "2")
        try writeState(pinning: [bob], keys: [Self.pair: history.keys])
        try server.serve(keysOf: "2222", [bob, new])
        let trusted = try await run("keys", "trust", "2222", "--safety-code", try safetyCode(with: new))
        #expect(trusted.status == 0, "\(trusted.errors)")
        return (new, history)
    }

    @Test func `events signed with a replaced key are marked, and those of its successor are not`() async throws {
        var (new, history) = try await acceptNewKeys()
        try history.say("by the thief", by: bob)
        try history.say("by the user", by: new)
        server.with { $0.events[Self.pair] = history.events }
        let outcome = try await read()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try isVerified("by the thief", in: outcome))
        #expect(try has("retired_key", "by the thief", in: outcome))
        #expect(outcome.lines.first?.contains("\"retired_key\":true") == true, "\(outcome.lines)")
        #expect(try isVerified("by the user", in: outcome))
        #expect(try !has("retired_key", "by the user", in: outcome))
    }

    @Test("nothing is wrapped to a replaced key", arguments: ["start", "rotate"])
    func rolledBack(_ command: String) async throws {
        let (new, _) = try await acceptNewKeys()
        try server.serve(keysOf: "2222", [bob])
        let refused = try await run("conversation", command, "2222")
        #expect(refused.status == 1)
        #expect(refused.output.isEmpty)
        #expect(refused.errors.contains("serves only retired keys of user '2222'"), "\(refused.errors)")
        #expect(server.with { $0.posts.isEmpty })
        // The new keys work, whether or not the old ones are served with them.
        for served in [[bob, new], [new]] {
            try server.serve(keysOf: "2222", served)
            let outcome = try await run("conversation", command, "2222")
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        #expect(try postedKeys().map { $0.map(\.user).sorted() } == [["1111", "2222"], ["1111", "2222"]])
        #expect(try isWrapped(for: new))
        #expect(try !isWrapped(for: bob))
    }

    // MARK: Checks by a person

    /// Bob's identity key with a signing key of the server.
    private func forgedBob() throws -> Person {
        let other = try PrivateKeys.generate()
        let blob = try bob.keys.withExport { $0.bytes(0..<32) } + other.withExport { $0.bytes(32..<64) }
        return try Person("2222", keys: PrivateKeys(importing: blob.span))
    }

    @Test("a fingerprint accepts no forged signing key under a genuine identity key", arguments: [false, true])
    func forgedSigningKey(isPinned: Bool) async throws {
        let forged = try forgedBob()
        #expect(forged.keys.identityKey == bob.keys.identityKey)
        let byForged = try forged.signature(over: try #require(forged.keys.signingKey).spki)
        var history = try SignedHistory(bob, with: alice)
        let lie = try history.say("wire the money", by: forged)
        for (what, endorsement) in [
            ("no signature", nil), ("a signature over another signing key", try bob.endorsement),
            ("a signature by the forged signing key", byForged),
        ] {
            try writeState(pinning: isPinned ? [bob] : [], keys: [Self.pair: history.keys])
            let entry = try forged.served(endorsement: endorsement)
            server.with { $0.keys["2222"] = [entry] }
            let trusted = try await run("keys", "trust", "2222", "--fingerprint", bob.keys.identityKey.fingerprint)
            #expect(trusted.status == 1, "\(what)")
            let outcome = try await run("decrypt", input: [lie])
            #expect(outcome.status == 1, "\(what)")
            #expect(try !isVerified("wire the money", in: outcome), "\(what)")
        }
    }

    @Test("a fingerprint accepts a signing key that the identity key signed", arguments: [false, true])
    func endorsedSigningKey(isPinned: Bool) async throws {
        var history = try SignedHistory(bob, with: alice)
        let new = try Person("2222", version: "2")
        let message = try history.say("it is me", by: new)
        try writeState(pinning: isPinned ? [bob] : [], keys: [Self.pair: history.keys])
        let entry = try new.served(endorsement: try new.endorsement)
        server.with { $0.keys["2222"] = [entry] }
        let other = try await run("keys", "trust", "2222", "--fingerprint", carol.keys.identityKey.fingerprint)
        #expect(other.status == 1)
        #expect(try await run("decrypt", input: [message]).status == 1)
        let trusted = try await run("keys", "trust", "2222", "--fingerprint", new.keys.identityKey.fingerprint)
        #expect(trusted.status == 0, "\(trusted.errors)")
        let outcome = try await run("decrypt", input: [message])
        #expect(try isVerified("it is me", in: outcome), "\(outcome.text)")
    }

    @Test func `a failed check by a person is remembered until a later check succeeds`() async throws {
        try writeState()
        var history = try SignedHistory(bob, with: alice)
        try history.say("hello", by: bob)
        try server.serve(history)
        let wrongCode = try safetyCode(with: carol.renamed("2222"))
        let failed = try await run("keys", "trust", "2222", "--safety-code", wrongCode)
        #expect(failed.status == 1)
        let unpinned = try await read()
        #expect(unpinned.status == 1)
        #expect(try codes(unpinned) == ["unknown_signer"])
        #expect(unpinned.errors.contains("failed an earlier check"), "\(unpinned.errors)")
        #expect(try session().pins["2222"].isEmpty)
        let right = try await run("keys", "trust", "2222", "--safety-code", try safetyCode(with: bob))
        #expect(right.status == 0, "\(right.errors)")
        let outcome = try await read()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try isVerified("hello", in: outcome))
    }

    @Test("a failed check leaves a pinned key in use, and the error says so", arguments: [false, true])
    func failedCheckOfPinnedKey(isFingerprint: Bool) async throws {
        try writeState(pinning: [bob])
        var history = try SignedHistory(bob, with: alice)
        try history.say("hello", by: bob)
        try server.serve(history)
        let (option, value) =
            isFingerprint
            ? ("--fingerprint", carol.keys.identityKey.fingerprint)
            : ("--safety-code", try safetyCode(with: carol.renamed("2222")))
        let before = try await run("keys", "list")
        let failed = try await run("keys", "trust", "2222", option, value)
        #expect(failed.status == 1)
        for text in ["no key was accepted", "key 1 of the user was pinned before and stays in use", "send nothing to"] {
            #expect(failed.errors.contains(text), "\(failed.errors)")
        }
        #expect(!failed.errors.contains("first use"), "\(failed.errors)")
        #expect(try session().pins.rejected.isEmpty)
        // It is shown as pinned, as before, and not as checked.
        #expect(try await run("keys", "list").output == before.output)
        let outcome = try await read()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try isVerified("hello", in: outcome))
    }

    // MARK: New groups

    @Test("a new group never takes over a known one", arguments: ["history", "key", "answer"])
    func groupIDCollision(_ known: String) async throws {
        var history = try SignedHistory("g9", bob, with: [alice])
        try history.say("Bob here", by: bob)
        try writeState(pinning: [bob, carol], keys: known == "key" ? [Self.group: history.keys] : [:])
        try server.serve(history)
        try server.serve(keysOf: "3333", [carol])
        // Each of them saves the state in the format that the program writes.
        let saved =
            known == "key"
            ? try await run("keys", "trust", "3333", "--safety-code", try safetyCode(with: carol))
            : try await read(Self.group)
        #expect(saved.status == 0, "\(saved.errors)")
        let before = try scratch.read("1111")
        server.with { content in
            if known != "answer" { content.newGroup = "g9" }
            content.lie = { request, content in
                guard known == "answer", request.path.hasSuffix("/conversations/group") else { return nil }
                var lie = content
                lie.newGroup = "g9"
                return LyingServer.honestAnswer(request, lie)
            }
        }
        let created = try await run("group", "create", "3333")
        #expect(created.status == 1)
        #expect(created.output.isEmpty)
        let posts = server.with { $0.posts.map(\.path) }
        let create = "/2/chat/conversations/group"
        #expect(posts == ["\(create)/initialize"] + (known == "answer" ? [create] : []))
        #expect(try scratch.read("1111") == before, "the state has not changed")

        // With an unknown id it works, and the old group can still be used.
        server.with { content in
            (content.newGroup, content.lie) = ("g100", { _, _ in nil })
        }
        let fresh = try await run("group", "create", "3333")
        #expect(fresh.status == 0, "\(fresh.errors)")
        let session = try session()
        #expect(session.readers(of: ConversationID(canonicalizing: "g100")) == ["1111", "3333"])
        let said = try await run("decrypt", input: Array(history.events.suffix(1)))
        #expect(try isVerified("Bob here", in: said), "\(said.text)")
        if known != "key" { #expect(session.readers(of: Self.group) == ["1111", "2222"]) }
    }

    // MARK: Removals

    @Test func `sending after a removal asks for a rotation, whose key goes to present members only`() async throws {
        try writeState()
        var history = try SignedHistory("g9", bob, with: [alice, carol])
        try server.serve(history)
        #expect(try await read(Self.group).status == 0)
        let before = try await run("send", "g9", "for three")
        #expect(before.status == 0, "\(before.errors)")
        #expect(try postedKeys().isEmpty)

        try history.remove(carol, by: bob)
        try server.serve(history)
        // The server still lists the removed member.
        server.with { $0.members[Self.group] = ["1111", "2222", "3333"] }
        let removal = try await read(Self.group)
        #expect(removal.status == 0, "\(removal.errors)")
        let posts = server.with { $0.posts.count }
        let refused = try await run("send", "g9", "for two")
        #expect(refused.status == 1)
        #expect(refused.output.isEmpty)
        #expect(refused.errors.contains("xchat conversation rotate g9, or send --rotate"), "\(refused.errors)")
        #expect(server.with { $0.posts.count } == posts)

        let sent = try await run("send", "g9", "for two", "--rotate")
        #expect(sent.status == 0, "\(sent.errors)")
        #expect(try postedKeys().map { $0.map(\.user).sorted() } == [["1111", "2222"]])
        #expect(try isWrapped(for: bob))
        #expect(try !isWrapped(for: carol))
        let message = try #require(server.with { $0.posts.last })
        #expect(message.path.hasSuffix("/messages"))
        let encoded = try message.json.required("encoded_message_create_event").string()
        let create = try MessageCreateEvent(decoding: try Base64.decode(encoded))
        #expect(create.conversationKeyVersion != history.newest)
        // The new key is used without a further rotation.
        #expect(try await run("send", "g9", "again").status == 0)
        #expect(try postedKeys().count == 1)
    }

    // MARK: Values beyond their limits

    /// A number of some digits.
    private func number<ID: Identifier>(_ digits: Int) -> ID { ID("1" + String(repeating: "0", count: digits - 1)) }

    private func expectSmallState() async throws {
        #expect(try scratch.read("1111").count < 32 * 1024)
        for command in [["keys", "list"], ["keys", "fingerprint"]] {
            let outcome = try await Program.run(command + ["--session", file])
            #expect(outcome.status == 0, "\(command): \(outcome.errors)")
        }
    }

    @Test("a key version has at most 19 digits", arguments: [20, 1_000_000])
    func longVersion(digits: Int) async throws {
        try writeState()
        var history = try SignedHistory(bob, with: alice)
        try history.say("hello", by: bob)
        let huge = try history.rotate(bob, version: number(digits))
        try server.serve(history)
        let outcome = try await read()
        #expect(outcome.status == 1)
        #expect(try isVerified("hello", in: outcome))
        #expect(outcome.errors.contains("a key change event was not accepted"), "\(outcome.errors)")
        #expect(outcome.errors.utf8.count < 2000)
        let decrypted = try await run("decrypt", input: [huge])
        #expect(decrypted.status == 1)
        #expect(try codes(decrypted) == ["invalid_value"])
        #expect(try session().keyRing.versions(in: Self.pair) == [history.newest])
        try await expectSmallState()
    }

    @Test func `a key under a version of 19 digits decrypts its messages`() async throws {
        try writeState()
        var history = try SignedHistory(bob, with: alice)
        let key = try ConversationKey.generate()
        try history.rotate(bob, version: number(19), key: key)
        try history.say("far ahead", by: bob, under: number(19), key: key)
        try server.serve(history)
        let outcome = try await read()
        #expect(try isVerified("far ahead", in: outcome), "\(outcome.text) \(outcome.errors)")
        try await expectSmallState()
    }

    @Test("a member id has at most 19 digits", arguments: [19, 20, 1_000_000])
    func longMember(digits: Int) async throws {
        try writeState()
        var history = try SignedHistory("g9", bob, with: [alice])
        let newcomer = try Person(number(digits))
        let isAllowed = digits <= 19
        try history.rotate(bob, alsoFor: isAllowed ? [newcomer] : [])
        try history.add([newcomer.id], by: bob)
        let addition = try #require(history.events.last)
        try history.say("hello", by: bob)
        try server.serve(history)
        let outcome = try await read(Self.group)
        #expect(try isVerified("hello", in: outcome))
        #expect(outcome.status == (isAllowed ? 0 : 1), "\(outcome.errors.prefix(500))")
        #expect(try codes(outcome) == [nil, isAllowed ? nil : "invalid_value", nil])
        let decrypted = try await run("decrypt", input: [addition])
        #expect(try codes(decrypted) == [isAllowed ? nil : "invalid_value"])
        let members: Set<UserID> = ["1111", "2222"]
        #expect(try session().readers(of: Self.group) == (isAllowed ? members.union([number(19)]) : members))
        try await expectSmallState()
    }

    // MARK: Following

    private func follow(_ conversation: ConversationID = pair) throws -> Follow {
        try Follow(
            ["read", conversation.string, "--follow", "--json", "--poll", "1", "--session", file],
            environment: environment,
            scratch
        )
    }

    enum Delay: String, CaseIterable {
        case none, keys, keyChange, garbage
    }

    @Test("a follower shows a message once, whichever part of it arrives late", arguments: Delay.allCases)
    func lateParts(_ delay: Delay) async throws {
        try writeState()
        var history = try SignedHistory(bob, with: alice)
        try history.say("important", by: bob)
        try server.serve(history)
        server.with { content in
            content.lie = { request, content in
                let looks = content.requests.count { $0.path.hasSuffix("/events") }
                switch delay {
                case .keys where request.path.hasSuffix("/public_keys") && content.keyRequests <= 2:
                    return LyingServer.notFound
                case .keyChange where request.path.hasSuffix("/events") && looks == 1:
                    return LyingServer.page(content.events[Self.pair] ?? [], [])
                case .garbage where request.path.hasSuffix("/events") && looks == 1:
                    let id = JSONValue(content.events[Self.pair]?.first?.sequenceID)
                    let changes = (content.keyEvents[Self.pair] ?? []).map { JSONValue.string($0.base64) }
                    return (
                        200,
                        [
                            "data": [["id": id, "encoded_event": "AA=="]],
                            "meta": ["conversation_key_events": .array(changes)],
                        ]
                    )
                default: return nil
                }
            }
        }
        let follow = try follow()
        try await follow.wait(for: delay == .none ? 1 : 2)
        // Waits for two further polls.
        let looks = server.with { $0.requests.count { $0.path.hasSuffix("/events") } }
        for _ in 0..<200 where server.with({ $0.requests.count { $0.path.hasSuffix("/events") } }) < looks + 2 {
            try await Task.sleep(for: .milliseconds(50))
        }
        let (status, lines, errors) = try await follow.stop(SIGINT)
        #expect(status == 0, "\(errors)")
        #expect(lines.count { $0.contains("\"important\"") } == 1, "\(lines)")
        #expect(lines.count == (delay == .none ? 1 : 2), "\(lines)")
        let fresh = try await read()
        #expect(fresh.status == 0, "\(fresh.errors)")
        #expect(try isVerified("important", in: fresh))
    }

    // MARK: Invented signers

    @Test func `a page of made-up signers causes at most 1,000 key requests`() async throws {
        try writeState()
        let madeUp = (0..<3000).map { index in
            MessageEvent(
                messageID: "k",
                senderID: UserID(String(1_000_000_000 + index)),
                conversationID: "g9",
                detail: .conversationKeyChangeEvent(ConversationKeyChangeEvent(conversationKeyVersion: "1")),
                messageEventSignature: MessageEventSignature(publicKeyVersion: "1")
            )
        }
        server.with { content in
            content.keyEvents[Self.group] = madeUp
            content.events[Self.group] = []
        }
        _ = try await read(Self.group)
        let requests = server.with { $0.keyRequests }
        #expect(requests <= 1000)
        #expect(requests > 0)
        try await expectSmallState()
    }

    @Test func `a page with 150 members is read completely`() async throws {
        try writeState()
        // All of them have the same pair of keys, because only their number matters.
        let people = try (0..<150).map { try Person(UserID(String(9000 + $0)), keys: carol.keys) }
        var history = try SignedHistory("g9", bob, with: [alice] + people)
        for person in people { try history.say("I am \(person.id)", by: person) }
        try server.serve(history)
        let outcome = try await read(Self.group)
        #expect(outcome.status == 0, "\(outcome.errors.prefix(500))")
        for person in people { #expect(try isVerified("I am \(person.id)", in: outcome)) }
        #expect(server.with { $0.keyRequests } == 151)
    }

    // MARK: Two processes

    @Test func `a follower takes keys that another process accepts, and no key of the replaced ones`() async throws {
        var history = try SignedHistory(bob, with: alice)
        try history.say("before", by: bob)
        try writeState(pinning: [bob])
        try server.serve(history)
        let follow = try follow()
        try await follow.wait(for: 1)
        let new = try Person("2222", version: "2")
        try server.serve(keysOf: "2222", [bob, new])
        let trusted = try await run("keys", "trust", "2222", "--safety-code", try safetyCode(with: new))
        #expect(trusted.status == 0, "\(trusted.errors)")

        // The thief has the old key.
        let stolen = try ConversationKey.generate()
        let now = UInt64(Date().timeIntervalSince1970 * 1000)
        let (bad, good) = (KeyVersion(String(now + 1000)), KeyVersion(String(now + 2000)))
        try history.rotate(bob, version: bad, key: stolen)
        try history.say("by the thief", by: bob)
        server.with { content in
            (content.events[Self.pair], content.keyEvents[Self.pair]) = (history.events, history.keyEvents)
        }
        try await follow.wait(for: 2)
        let between = try session()
        #expect(between.keyRing.acceptedKey(in: Self.pair, version: bad) == nil)
        #expect(throws: XChatError.self) { try between.encryptingVersion(in: Self.pair) }

        let key = try ConversationKey.generate()
        try history.rotate(new, version: good, key: key)
        try history.say("by the user", by: new, under: good, key: key)
        server.with { content in
            (content.events[Self.pair], content.keyEvents[Self.pair]) = (history.events, history.keyEvents)
        }
        try await follow.wait(for: 3)
        let (status, lines, errors) = try await follow.stop(SIGINT)
        #expect(status == 0, "\(errors)")
        #expect(lines.map { $0.contains("\"retired_key\":true") } == [false, true, false], "\(lines)")
        #expect(lines.last?.contains("\"by the user\"") == true)
        let after = try session()
        #expect(try after.encryptingVersion(in: Self.pair) == good)
        #expect(try after.pins.current(of: "2222")?.isSamePin(as: new.bound) == true)
    }

    @Test func `accepting a member list does not end a running follower`() async throws {
        try writeState()
        var history = try SignedHistory("g9", bob, with: [alice, carol])
        try history.say("one", by: bob)
        try server.serve(history)
        let follow = try follow(Self.group)
        // The creation and the message.
        try await follow.wait(for: 2)
        server.with { $0.members[Self.group] = ["1111", "2222"] }
        let accepted = try await run("group", "accept", "g9", "--members", "1111,2222")
        #expect(accepted.status == 0, "\(accepted.errors)")
        try history.say("two", by: bob)
        try history.say("by a barred member", by: carol)
        server.with { $0.events[Self.group] = history.events }
        try await follow.wait(for: 4)
        let (status, lines, errors) = try await follow.stop(SIGINT)
        #expect(status == 0, "\(errors)")
        #expect(lines.count { $0.contains("\"two\"") } == 1, "\(lines)")
        // The other member is excluded now.
        #expect(lines.map { $0.contains("\"sender_left\":true") } == [false, false, false, true], "\(lines)")
        #expect(try session().readers(of: Self.group) == ["1111", "2222"])
    }

    // MARK: Two keys under one version

    @Test func `an event under a disputed key is printed, and the exit status is 1`() async throws {
        try writeState()
        var history = try SignedHistory(bob, with: alice)
        let message = try history.say("under one of two keys", by: bob)
        try server.serve(history)
        for outcome in [try await read(), try await run("decrypt", input: [message])] {
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try !has("disputed_key", "under one of two keys", in: outcome))
        }
        var disputed = history
        try disputed.rotate(bob, version: history.newest)
        try server.serve(disputed)
        #expect(try await read().status == 1)
        // The second key change is not served any more, so the result depends on the event alone.
        try server.serve(history)
        for outcome in [try await read(), try await run("decrypt", input: [message])] {
            #expect(outcome.status == 1)
            #expect(!outcome.errors.contains("a key change event was not accepted"), "\(outcome.errors)")
            #expect(try isVerified("under one of two keys", in: outcome))
            #expect(try has("disputed_key", "under one of two keys", in: outcome))
        }
    }

    // MARK: One event twice, and two events under one id

    @Test func `a signed event is printed once, and two events under one id are both printed`() async throws {
        try writeState()
        var history = try SignedHistory(bob, with: alice)
        var twice = try history.say("twice", by: bob)
        twice.sequenceID = "100"
        twice.createdAtMsec = "1700000999000"
        history.append(twice)
        try history.say("first", by: bob, messageID: "the-same-id")
        try history.say("second", by: bob, messageID: "the-same-id")
        // The same id by another author is another message.
        try history.say("mine", by: alice, messageID: "the-same-id")
        try server.serve(history)
        let outcome = try await read()
        #expect(outcome.status == 0, "\(outcome.errors)")
        let texts = try outcome.json.map {
            try $0.required("event").required("content").required("text").string().string
        }
        #expect(texts == ["twice", "first", "second", "mine"])
        for text in texts { #expect(try has("same_id", text, in: outcome) == (text == "second"), "\(text)") }
        let text = try await run("read", "2222")
        #expect(text.lines.count { $0.contains("twice") } == 1)
        #expect(text.lines.count { $0.contains("[same_id]") } == 1)
    }
}

extension Person {
    /// The same keys as those of another user.
    fileprivate func renamed(_ id: UserID) throws -> Person { try Person(id, version: version, keys: keys) }
}

extension Span<UInt8> {
    /// A copy of some of the bytes.
    fileprivate func bytes(_ range: Range<Int>) -> [UInt8] { range.map { self[$0] } }
}
