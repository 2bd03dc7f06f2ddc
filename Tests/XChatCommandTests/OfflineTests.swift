import Foundation
import LibSodium
import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEngine
import XChatEvents
import XChatText

/// The commands that need no server.
struct OfflineTests {
    private let fixture: Fixture

    init() throws {
        fixture = try Fixture()
    }

    // MARK: encrypt

    @Test(
        "a text from standard input is taken whole and unchanged",
        arguments: [
            "", "\n", "two\nlines\n", " \t x \r\n", "\u{0}", "e\u{301} é 🔑 \u{202e}",
            String(repeating: "x", count: 65536),
        ]
    )
    func text(_ text: String) async throws {
        let path = try fixture.file(of: "1111")
        let encrypted = try await Program.run(
            "encrypt",
            "--session",
            path,
            "--conversation",
            "2222",
            "--event",
            input: Array(text.utf8)
        )
        #expect(encrypted.status == 0)
        let reader = try fixture.file(of: "2222", "reader.json")
        let decrypted = try await Program.run("decrypt", "--session", reader, input: encrypted.output)
        #expect(decrypted.status == 0)
        let content = try decrypted.json.first?.required("event").required("content").required("text").string()
        #expect(content == WireString(text))
    }

    @Test func `the request body has its three members, and the event in them verifies`() async throws {
        let path = try fixture.file(of: "1111")
        let outcome = try await Program.run("encrypt", "--session", path, "--conversation", "1111:2222", "--text", "hi")
        #expect(outcome.status == 0)
        #expect(outcome.lines.count == 1)
        let body = try #require(try outcome.json.first)
        #expect(
            try body.members().map(\.key) == [
                "message_id", "encoded_message_create_event", "encoded_message_event_signature",
            ]
        )
        var event = MessageEvent(messageID: try body.required("message_id").id(), senderID: "1111")
        event.conversationID = "1111:2222"
        event.detail = .messageCreateEvent(
            try MessageCreateEvent(decoding: Base64.decode(try body.required("encoded_message_create_event").string()))
        )
        event.messageEventSignature = try MessageEventSignature(
            decoding: Base64.decode(try body.required("encoded_message_event_signature").string())
        )
        var reader = try fixture.session(of: "2222")
        #expect(try reader.open(event).isVerified)
    }

    @Test(
        "a conversation is named in any of its forms",
        arguments: ["2222", "1111:2222", "2222:1111", "1111-2222", "2222-1111"]
    )
    func conversation(_ id: String) async throws {
        let path = try fixture.file(of: "1111")
        let outcome = try await Program.run(
            "encrypt",
            "--session",
            path,
            "--conversation",
            id,
            "--text",
            "x",
            "--event"
        )
        #expect(outcome.status == 0)
        #expect(try MessageEvent(base64: WireString(outcome.lines.first ?? "")).conversationID == "1111:2222")
    }

    @Test func `the newest key is used unless a version is named`() async throws {
        let second = JSONValue.string(try ConversationKey.generate().withBytes { Base64.encode($0) })
        let path = try fixture.file(of: "1111") {
            guard case .object(var all) = $0["conversation_keys"], case .object(var keys) = all["1111:2222"] else {
                return
            }
            keys["999"] = second
            keys["01002"] = second
            all["1111:2222"] = .object(keys)
            $0["conversation_keys"] = .object(all)
        }
        func version(_ arguments: String...) async throws -> KeyVersion? {
            let all = ["encrypt", "--session", path, "--conversation", "2222", "--text", "x", "--event"] + arguments
            let process = try await Program.run(all)
            guard process.status == 0,
                case .messageCreateEvent(let create) = try MessageEvent(base64: process.lines.first ?? "").detail
            else { return nil }
            return create.conversationKeyVersion
        }
        #expect(try await version() == "01002")
        #expect(try await version("--conversation-key-version", "999") == "999")
        #expect(try await version("--conversation-key-version", "1002") == nil)
    }

    @Test func `a draft's members reach the reader`() async throws {
        let draft = #"{"kind":"message","text":"hi","entities":[[0,2,"url"]],"should_notify":false,"ttl_msec":9}"#
        let path = try fixture.file(of: "1111")
        let encrypted = try await Program.run(
            "encrypt",
            "--session",
            path,
            "--conversation",
            "2222",
            "--event",
            "--draft",
            "-",
            input: Array(draft.utf8)
        )
        let decrypted = try await Program.run("decrypt", "--session", path, input: encrypted.output)
        let event = try #require(try decrypted.json.first?.required("event"))
        #expect(try event.required("should_notify").bool() == false)
        #expect(try event.required("ttl_msec").integer(Int.self) == 9)
        let entities: JSONValue = [["start_index": 0, "end_index": 2, "content": ["url": [:]]]]
        #expect(try event.required("content").required("entities").value == entities)
    }

    @Test func `a message that cannot be encrypted ends with 1 and the reason`() async throws {
        let path = try fixture.file(of: "1111")
        let bare = try fixture.scratch.write("bare.json", #"{"user_id":"1111"}"#)
        func errors(_ arguments: [String], input: [UInt8] = []) async throws -> String {
            let outcome = try await Program.run(["encrypt"] + arguments, input: input)
            #expect(outcome.status == 1)
            #expect(outcome.output.isEmpty)
            return outcome.errors
        }
        #expect(try await errors(["--session", path, "--conversation", "2222"], input: [0xff]).contains("not UTF-8"))
        #expect(try await errors(["--session", path, "--conversation", "3333"]).contains("no verified key"))
        #expect(try await errors(["--session", bare, "--conversation", "2222"]).contains("private keys"))
        #expect(
            try await errors(["--session", path, "--conversation", "2222", "--draft", "/no/file"]).contains(
                "No such file"
            )
        )
        let draft = try await errors(
            ["--session", path, "--conversation", "2222", "--draft", "-"],
            input: Array(#"{"kind":"message","text":"x","entities":[[5,9,"url"]]}"#.utf8)
        )
        #expect(draft.contains("entities[0]"))
    }

    // MARK: decrypt

    @Test func `key changes in the input supply keys at any position`() async throws {
        let change = try fixture.keyChange(version: "5000")
        var sender = try fixture.session(of: "1111")
        try sender.addConversationKey(change.key, in: Fixture.conversation, version: "5000")
        let message = try sender.seal(.text("later"), in: Fixture.conversation).event
        let path = try fixture.file(of: "2222")
        let outcome = try await Program.run(
            "decrypt",
            "--session",
            path,
            "-",
            input: lines(message.base64, change.event.base64)
        )
        #expect(outcome.status == 0)
        let events = try outcome.json
        #expect(try events.map { try $0.required("index").integer(Int.self) } == [0, 1])
        #expect(try events[0].required("event").required("content").required("text").string() == "later")
        #expect(try events[1].required("event").required("type").string() == "KeyChange")
    }

    @Test func `a bad line is an error of its own and the others are printed`() async throws {
        let message = try fixture.message("good")
        let path = try fixture.file(of: "2222")
        let second = try fixture.scratch.write("second", lines(message.base64))
        let outcome = try await Program.run(
            "decrypt",
            "--session",
            path,
            "-",
            second,
            input: Array("\r\n!!!\r\n\n\(message.base64)\r\n/w==\n".utf8) + [0xff, 0xfe]
        )
        #expect(outcome.status == 1)
        let codes = try outcome.json.map { try $0.member("error")?.required("code").string() }
        #expect(codes == ["not_an_event", nil, "not_an_event", "not_an_event", nil])
        #expect(try outcome.json.map { try $0.required("index").integer(Int.self) } == [0, 1, 2, 3, 4])
    }

    @Test func `empty input decrypts to nothing with 0, and verifies nothing with 1`() async throws {
        let path = try fixture.file(of: "2222")
        for input in ["", "\n\r\n \n"] {
            let decrypted = try await Program.run("decrypt", "--session", path, input: Array(input.utf8))
            #expect(decrypted.status == 0)
            #expect(decrypted.output.isEmpty)
            let verified = try await Program.run("verify", "--session", path, input: Array(input.utf8))
            #expect(verified.status == 1)
            #expect(verified.output.isEmpty)
        }
    }

    @Test func `a line beyond 16 MiB is refused without being read whole`() async throws {
        let path = try fixture.file(of: "2222")
        let input = [UInt8](repeating: UInt8(ascii: "A"), count: EventLines.maximumLineBytes + 1)
        let decrypted = try await Program.run("decrypt", "--session", path, input: input)
        #expect(decrypted.status == 1)
        #expect(try decrypted.json.first?.required("error").required("code").string() == "too_large")
        let verified = try await Program.run("verify", "--session", path, input: input)
        #expect(try verified.json.first?.required("reason").string() == "not_an_event")
    }

    @Test func `flipped bits never show a text`() async throws {
        let event = try fixture.message("secret text").encoded()
        let flipped = event.indices.map { place in
            var changed = event
            changed[place] ^= 1 << UInt8(place % 8)
            return Base64.encode(changed)
        }
        let path = try fixture.file(of: "2222")
        let input = Array(flipped.joined(separator: "\n").utf8)
        let outcome = try await Program.run("decrypt", "--session", path, input: input)
        #expect(outcome.status == 1)
        #expect(try outcome.json.count == event.count)
        for (place, line) in try outcome.json.enumerated() {
            guard let event = try line.member("event") else { continue }
            // Only fields that no signature covers can change unnoticed.
            #expect(
                try event.required("type").string() != "Message"
                    || event.required("content").required("text").string() == "secret text",
                "byte \(place)"
            )
        }
    }

    // MARK: verify

    @Test func `a verified event is printed with its members as received`() async throws {
        let path = try fixture.file(of: "2222")
        let outcome = try await Program.run("verify", "--session", path, input: lines(try fixture.message("x").base64))
        #expect(outcome.status == 0)
        #expect(
            outcome.text == """
                {"index":0,"verified":true,"type":"Message","sender_id":"1111","public_key_version":"1",\
                "signature_version":"7","reason":null}

                """
        )
    }

    @Test func `every reason has its error code`() async throws {
        let message = try fixture.message("x")
        var unencrypted = message
        unencrypted.detail = .messageCreateEvent(MessageCreateEvent(contents: [0]))
        var comma = message
        comma.messageID = "a,b"
        var unsigned = message
        unsigned.messageEventSignature = nil
        let typing = MessageEvent(senderID: "1111", detail: .messageTypingEvent(.init()))
        let change = try fixture.keyChange(version: "5000").event
        let cases: [(event: String, reason: String)] = [
            ("not base64", "not_an_event"),
            ("/w==", "not_an_event"),
            (unsigned.base64, "no_signature"),
            (message.withSignature { $0.publicKeyVersion = "2" }.base64, "unknown_signer"),
            (
                message.withSignature { $0.signature = WireString(Base64.encode([UInt8](repeating: 1, count: 64))) }
                    .base64, "wrong_signature"
            ),
            (comma.base64, "not_representable"),
            (message.withSignature { $0.signatureVersion = "1" }.base64, "version_refused"),
            (unencrypted.base64, "unencrypted"),
            (typing.base64, "never_signed"),
            (MessageEvent().base64, "never_signed"),
            (change.base64, "key_missing"),
        ]
        // Without private keys and conversation keys the key change cannot be checked.
        let path = try fixture.file(of: "2222") {
            $0["private_keys"] = nil
            $0["conversation_keys"] = nil
        }
        let outcome = try await Program.run("verify", "--session", path, input: cases.flatMap { lines($0.event) })
        #expect(outcome.status == 1)
        let reasons = try outcome.json.map { try $0.member("reason")?.string() }
        #expect(reasons == cases.map { WireString($0.reason) })
        #expect(try outcome.json.allSatisfy { try $0.required("verified").bool() == false })
        #expect(try outcome.json.first?.object()["sender_id"] == .null)
    }

    @Test func `a message verifies even if no key decrypts it`() async throws {
        let path = try fixture.file(of: "2222") {
            $0["private_keys"] = nil
            $0["conversation_keys"] = nil
        }
        let message = lines(try fixture.message("x").base64)
        #expect(try await Program.run("verify", "--session", path, input: message).status == 0)
        let decrypted = try await Program.run("decrypt", "--session", path, input: message)
        #expect(try decrypted.json.first?.required("error").required("code").string() == "key_missing")
        let wrongKey = try fixture.file(of: "2222", "wrong.json") {
            $0["conversation_keys"] = ["2222-1111": ["1001": .string(Base64.encode([UInt8](repeating: 7, count: 32)))]]
        }
        #expect(try await Program.run("verify", "--session", wrongKey, input: message).status == 0)
        let failed = try await Program.run("decrypt", "--session", wrongKey, input: message)
        #expect(try failed.json.first?.required("error").required("code").string() == "authentication_failed")
    }

    @Test func `a key change verifies when another one delivers its key`() async throws {
        let change = try fixture.keyChange(version: "5000")
        var empty = change.event
        guard case .conversationKeyChangeEvent(var detail) = empty.detail else {
            Issue.record("no key change")
            return
        }
        detail.conversationParticipantKeys = []
        empty.detail = .conversationKeyChangeEvent(detail)
        let path = try fixture.file(of: "2222")
        let alone = try await Program.run("verify", "--session", path, input: lines(empty.base64))
        #expect(try alone.json.first?.required("reason").string() == "key_missing")
        let both = try await Program.run("verify", "--session", path, input: lines(empty.base64, change.event.base64))
        #expect(both.status == 0)
    }

    @Test func `inconsistent events and strangers are refused`() async throws {
        // In this suite the exported private keys end with the seed of the signing key.
        let fixture = try Fixture(.sodium)
        let seed = try #require(
            try fixture.keys["1111"]?.withExport { blob in blob.indices.suffix(32).map { blob[$0] } }
        )
        var builder = EventBuilder(senderID: "1111", conversationID: Fixture.conversation)
        func signed(_ detail: MessageEventDetail) throws -> MessageEvent {
            let unsigned = try builder.event(detail)
            let signature = try Sign.keyPair(seed: seed.span).secretKey.withBytes { (key) throws(SodiumError) in
                try Sign.signature(for: unsigned.payload.bytes.span, secretKey: key)
            }
            return unsigned.signed(signature, publicKeyVersion: "1")
        }
        let inconsistent = try signed(
            .messageDeleteEvent(.init(sequenceIDs: ["five"], deleteMessageAction: .deleteForAll))
        )
        builder.conversationID = .oneToOne("2222", "3333")
        let foreign = try signed(.markConversationReadEvent(.init(seenUntilSequenceID: "9")))
        let path = try fixture.file(of: "2222")
        let outcome = try await Program.run(
            "verify",
            "--session",
            path,
            input: lines(inconsistent.base64, foreign.base64)
        )
        #expect(try outcome.json.map { try $0.required("reason").string() } == ["inconsistent", "not_a_participant"])
        #expect(outcome.status == 1)
    }

    @Test func `a key change verifies with the private keys and with the conversation key of the file`() async throws {
        let change = try fixture.keyChange(version: "5000")
        let path = try fixture.file(of: "2222")
        #expect(try await Program.run("verify", "--session", path, input: lines(change.event.base64)).status == 0)
        let key = JSONValue.string(change.key.withBytes { Base64.encode($0) })
        let withoutPrivateKeys = try fixture.file(of: "2222", "public.json") {
            $0["private_keys"] = nil
            $0["conversation_keys"] = ["1111:2222": ["5000": key]]
        }
        let outcome = try await Program.run(
            "verify",
            "--session",
            withoutPrivateKeys,
            input: lines(change.event.base64)
        )
        #expect(outcome.status == 0)
    }

    // MARK: inspect

    @Test func `the structure and the signed payload are shown without any key`() async throws {
        let message = try fixture.message("x")
        let outcome = try await Program.run("inspect", message.base64)
        #expect(outcome.status == 0)
        let payload = String(decoding: try SignedPayload(of: message).bytes, as: UTF8.self)
        #expect(outcome.lines.last == "signed payload: \(payload)")
        #expect(outcome.lines.contains("  3 sender_id: string = \"1111\""))
        let uncovered = try #require(message.signatureCoverage).uncovered
        #expect(uncovered.contains("detail.messageCreateEvent.should_notify"))
        #expect(outcome.lines.contains("not covered by the signature: \(uncovered.joined(separator: ", "))"))
        #expect(try await Program.run("inspect", input: lines(message.base64)).output == outcome.output)
    }

    @Test func `an unknown field is listed among those that the signature does not cover`() async throws {
        let bytes = try fixture.message("x").encoded().dropLast() + [0x02, 0, 99, 1, 0]
        let outcome = try await Program.run("inspect", "--json", Base64.encode(Array(bytes)))
        let uncovered = try #require(outcome.json.first).required("uncovered_fields").elements()
        #expect(try uncovered.contains { try $0.string() == "#99" })
    }

    @Test func `a placeholder takes the place of the conversation key in the payload`() async throws {
        let change = try fixture.keyChange(version: "5000").event
        let outcome = try await Program.run("inspect", "--json", change.base64)
        let payload = try outcome.json.first?.required("signed_payload").string()
        let messageID = try #require(change.messageID)
        #expect(payload?.string == "ConversationKeyChangeEvent,\(messageID),1111,1111:2222,5000,<conversation key>")
    }

    @Test func `unknown fields are shown, and control characters are escaped`() async throws {
        // Field 99 with a string, and a message id that would clear the screen.
        let id = Array("\u{1b}[2J\u{202e}".utf8)
        let bytes: [UInt8] =
            [0x0B, 0, 2, 0, 0, 0, UInt8(id.count)] + id + [0x0B, 0, 99, 0, 0, 0, 2, 0x68, 0x69, 0x00]
        let outcome = try await Program.run("inspect", Base64.encode(bytes))
        #expect(outcome.status == 0)
        #expect(outcome.text.contains(#"2 message_id: string = "\u{1B}[2J\u{202E}""#))
        #expect(outcome.text.contains("99 ?: string = 2 bytes aGk="))
        #expect(!outcome.output.contains(0x1b))
        #expect(try await Program.run("inspect", "--json", Base64.encode(bytes)).json.count == 1)
    }

    @Test("input that is not an event ends with 1", arguments: ["not base64", "/w==", "AA", ""])
    func noEvent(_ text: String) async throws {
        let outcome = try await Program.run("inspect", text)
        #expect(outcome.status == (text == "AA" ? 0 : 1))
        if text != "AA" {
            #expect(outcome.output.isEmpty)
            #expect(outcome.errors.contains("event"))
        }
    }

    // MARK: The session file

    @Test func `a missing or malformed session file ends with 1 and is named`() async throws {
        let broken = try fixture.scratch.write("broken.json", #"{"user_id": "1111","#)
        let wrong = try fixture.scratch.write("wrong.json", #"{"user_id": "1111", "signing_keys": [{"user_id": 7}]}"#)
        for command in [["encrypt", "--conversation", "2222"], ["decrypt"], ["verify"], ["keys", "list"]] {
            for (path, complaint) in [
                ("/no/file.json", "No such file"), (broken, "line 1, column 20"), (wrong, "signing_keys[0].user_id"),
            ] {
                let outcome = try await Program.run(command + ["--session", path])
                #expect(outcome.status == 1)
                #expect(outcome.output.isEmpty)
                #expect(outcome.errors.contains(complaint), "\(outcome.errors)")
            }
        }
    }

    @Test func `a file that others can read causes a warning, a private one does not`() async throws {
        for (mode, isWarned) in [(0o600, false), (0o644, true), (0o640, true), (0o604, true)] {
            let path = try fixture.file(of: "1111", mode: mode)
            let outcome = try await Program.run("decrypt", "--session", path)
            #expect(outcome.status == 0)
            #expect(outcome.errors.contains("warning") == isWarned)
        }
    }

    @Test func `commands that only read leave the file alone`() async throws {
        let path = try fixture.file(of: "1111", mode: 0o640)
        let before = try fixture.scratch.read("session.json")
        let change = try fixture.keyChange(version: "5000").event
        for (command, input) in [
            (["encrypt", "--conversation", "2222"], []), (["decrypt"], lines(change.base64)),
            (["verify"], lines(change.base64)), (["keys", "list"], []), (["keys", "fingerprint"], []),
            (["keys", "export"], []),
        ] {
            #expect(try await Program.run(command + ["--session", path], input: input).status == 0)
            #expect(try fixture.scratch.read("session.json") == before)
            #expect(try fixture.scratch.permissions("session.json") == 0o640)
        }
        #expect(try fixture.scratch.names() == ["session.json"])
    }

    @Test func `no secret is printed where it is not asked for`() async throws {
        let path = try fixture.file(of: "1111", mode: 0o644)
        let blob = try #require(try fixture.keys["1111"]?.withExport { Base64.encode($0, padding: false) })
        let key = fixture.conversationKey.withBytes { Base64.encode($0, padding: false) }
        let change = try fixture.keyChange(version: "5000")
        let newKey = change.key.withBytes { Base64.encode($0, padding: false) }
        for (command, input) in [
            (["encrypt", "--conversation", "2222"], Array("hi".utf8)), (["encrypt", "--conversation", "3333"], []),
            (["decrypt"], lines(change.event.base64, "AA", "x")), (["verify"], lines(change.event.base64)),
            (["keys", "list"], []), (["keys", "list", "--json"], []), (["keys", "fingerprint"], []),
            (["inspect", change.event.base64], []),
        ] {
            let session = command[0] == "inspect" ? [] : ["--session", path]
            let outcome = try await Program.run(command + session, input: input)
            for secret in [blob, key, newKey] {
                #expect(!outcome.text.contains(secret) && !outcome.errors.contains(secret), "\(command)")
            }
        }
    }

    @Test func `a closed output pipe ends the program without an error message`() async throws {
        let path = try fixture.file(of: "2222")
        let message = try fixture.message("x").base64
        let events = try fixture.scratch.write("events", lines(String(repeating: message + "\n", count: 300)))
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        let executable = try #require(Program.executable?.path)
        process.arguments = [
            "-c", "{ '\(executable)' decrypt --session '\(path)' '\(events)'; echo $? >&2; } | head -1 >/dev/null",
        ]
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let told = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(["0\n", "1\n"].contains(String(decoding: told, as: UTF8.self)))
    }

    @Test func `a bad line does not end the inspection of the others, and a file name is not an event`() async throws {
        let event = try fixture.session(of: "1111").seal(.text("x"), in: Fixture.conversation).event.base64
        let outcome = try await Program.run("inspect", "--json", input: Array("AAAA\n\(event)\n!\n\(event)\n".utf8))
        #expect(outcome.status == 1)
        #expect(outcome.lines.count == 2)
        #expect(outcome.errors.contains("event 0: "))
        #expect(outcome.errors.contains("event 2: "))
        let file = try fixture.scratch.write("event.txt", event)
        #expect(try await Program.run("inspect", file).errors.contains("xchat inspect < FILE"))
    }
}
