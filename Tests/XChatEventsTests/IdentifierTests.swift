import Foundation
import Testing
import XChatEvents

@Suite("Ids")
struct IdentifierTests {
    @Test(
        "an id has one canonical form",
        arguments: [
            ("1111:2222", "1111", "1111:2222"), ("2222-1111", "1111", "1111:2222"), ("2222", "1111", "1111:2222"),
            ("1111", "1111", "1111:1111"), ("10:9", "", "9:10"), ("10:9", "5", "9:10"), ("01-1", "5", "1:01"),
            ("g123", "1111", "g123"), ("g123-456", "1111", "g123-456"), ("a-b", "1111", "a-b"),
            ("1:2:3", "1111", "1:2:3"), ("1:", "1111", "1:"), (":1", "1111", ":1"), ("", "1111", ""),
            ("2222", "alice", "2222"), ("2222", "", "2222"), ("2222-1111", "", "1111:2222"),
            // The first separator is the one that counts, whichever it is.
            ("1-2:3", "9", "1-2:3"), ("1:2-3", "9", "1:2-3"), ("2\u{301}:1", "9", "2\u{301}:1"),
            ("1:\u{301}2", "9", "1:\u{301}2"), ("18446744073709551616:2", "9", "2:18446744073709551616"),
        ] as [(WireString, UserID, WireString)]
    )
    func canonical(_ id: WireString, _ sender: UserID, _ expected: WireString) {
        let canonical = ConversationID(canonicalizing: id, sender: sender)
        #expect(canonical.text == expected)
        #expect(
            ConversationID(canonicalizing: canonical.text, sender: "77").text
                == (expected == "2222" ? "77:2222" : expected)
        )
    }

    @Test(
        "the canonical form of an id says what it names",
        arguments: [
            ("2222-1111", ["1111", "2222"], false, "1111-2222"), ("g123", nil, true, "g123"), ("g", nil, false, nil),
            ("g12a", nil, false, nil), ("G12", nil, false, nil), ("2222", nil, false, "2222"), ("a:b", nil, false, nil),
            ("", nil, false, nil), ("1:2:3", nil, false, nil), ("1:", nil, false, nil),
            ("1234567890123456789:1", ["1", "1234567890123456789"], false, "1-1234567890123456789"),
            ("12345678901234567890:1", ["1", "12345678901234567890"], false, nil),
            ("g1234567890123456789", nil, true, "g1234567890123456789"), ("g12345678901234567890", nil, false, nil),
            ("12345678901234567890", nil, false, nil), ("g1/../2", nil, false, nil), ("1\u{301}", nil, false, nil),
        ] as [(WireString, [UserID]?, Bool, String?)]
    )
    func parts(_ id: WireString, _ participants: [UserID]?, _ isGroup: Bool, _ path: String?) {
        let conversation = ConversationID(canonicalizing: id)
        #expect(conversation.participants.map { [$0.0, $0.1] } == participants)
        #expect(conversation.isGroup == isGroup)
        #expect(conversation.urlPathComponent == path)
    }

    @Test func `a conversation of two has these two participants and no others`() {
        let pair = ConversationID(canonicalizing: "2222-111")
        for user in ["111", "2222"] as [UserID] { #expect(pair.isOneOfTwo(user) == true) }
        for user in ["1111", "11", "222", "22222", "", "1", ":", "111:2222", "0111", "9"] as [UserID] {
            #expect(pair.isOneOfTwo(user) == false)
        }
        #expect(ConversationID.oneToOne("5", "5").isOneOfTwo("5") == true)
        for id in ["g123", "2222", "a:b", ""] as [WireString] {
            #expect(ConversationID(canonicalizing: id).isOneOfTwo("2222") == nil)
        }
    }

    @Test func `a conversation of two is the same from both sides`() {
        #expect(ConversationID.oneToOne("10", "9").text == "9:10")
        #expect(ConversationID.oneToOne("9", "10") == ConversationID(canonicalizing: "10", sender: "9"))
        #expect(ConversationID.oneToOne("bob", "alice").text == "bob:alice")
        #expect("\(ConversationID.oneToOne("2", "1"))" == "1:2")
    }

    @Test func `users, events and versions are named by 1 to 19 ASCII digits`() {
        func isTaken<ID: Identifier>(_ type: ID.Type, _ text: String) -> Bool {
            #expect(ID(text).isValid == (ID(validating: text) != nil))
            return ID(validating: text)?.string.utf8.elementsEqual(text.utf8) == true
        }
        for text in ["0", "007", "1234567890123456789"] {
            #expect(isTaken(UserID.self, text) && isTaken(SequenceID.self, text) && isTaken(KeyVersion.self, text))
        }
        for text in ["", "12345678901234567890", "x", "-1", "+1", " 1", "1\n", "\u{661}", "1\u{301}", "1,2"] {
            #expect(!isTaken(UserID.self, text) && !isTaken(SequenceID.self, text) && !isTaken(KeyVersion.self, text))
        }
    }

    @Test func `a message id is 1 to 64 printable ASCII characters without a comma`() {
        let longest = String(repeating: "m", count: 64)
        for text in ["a", "~ \"", longest] { #expect(MessageID(validating: text)?.string == text) }
        for text in ["", ",", "a,b", "\n", "\u{7f}", "\0", "\u{e9}", longest + "m"] {
            #expect(MessageID(validating: text) == nil)
        }
    }

    @Test func `ids are compared as bytes, and users also as numbers`() {
        let users: [UserID] = ["9", "10", "9\u{301}", "09"]
        #expect(users.sorted() == ["09", "10", "9", "9\u{301}"])
        #expect(UserID("9").isSmaller(than: "10") && !UserID("10").isSmaller(than: "9"))
        #expect(UserID("\u{e9}") != UserID("e\u{301}"))
    }

    @Test func `message ids are random UUIDs of version 4 in lower case`() {
        let ids = (0..<200).map { _ in MessageID.random() }
        #expect(Set(ids).count == 200)
        for id in ids {
            #expect(
                id.string.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil
            )
            #expect(UUID(uuidString: id.string) != nil)
        }
    }

    @Test(
        "a signature's version is the number that it names",
        arguments: [
            (nil, 7), ("7", 7), ("6", 6), ("2", 2), ("+2", 2), ("0003", 3), ("8", 7), ("2147483647", 7),
            ("2147483648", 7), ("", 7), ("v6", 7), ("6.0", 7), (" 6", 7), ("-2147483649", 7), ("\u{666}", 7),
        ] as [(WireString?, Int32)]
    )
    func signatureVersion(_ text: WireString?, _ expected: Int32) throws {
        let version = try SignatureVersion(text)
        #expect(version.number == expected)
        #expect("\(version)" == "\(expected)")
        #expect(version <= .current)
    }

    @Test(
        "versions below 2 are refused",
        arguments: [("1", 1), ("0", 0), ("-1", -1), ("-2147483648", .min), ("01", 1)] as [(WireString, Int32)]
    )
    func refusedVersion(_ text: WireString, _ number: Int32) {
        let error = #expect(throws: SignatureVersion.Refused.self) { try SignatureVersion(text) }
        #expect(error?.number == number)
    }
}
