import TestSupport
import Testing
import XChat
import XChatEvents
import XChatHTTP
import XChatText

@testable import XChatEngine

/// The text of a chat, before it is written to a terminal.
struct ChatTextTests {
    // MARK: Width

    @Test(
        "wide and joined characters have the largest width that a terminal may use",
        arguments: [
            ("abc", 3), ("\u{65E5}\u{672C}", 4), ("e\u{301}", 1), ("👍", 2), ("👨‍👩‍👧", 6), ("❤\u{FE0F}", 3), ("\u{FF21}", 2),
            ("\u{AC00}", 2), ("", 0),
        ]
    )
    func width(_ text: String, _ columns: Int) {
        #expect(displayWidth(text) == columns)
    }

    @Test(
        "no wrapped line is wider than the terminal, and only spaces are left out",
        arguments: [
            "a short line", String(repeating: "word ", count: 40), String(repeating: "x", count: 200),
            String(repeating: "\u{65E5}", count: 100), String(repeating: "👨‍👩‍👧", count: 30), "",
            "👨" + String(repeating: "\u{200D}👩", count: 60), "a " + String(repeating: "y", count: 90) + " b",
            "a" + String(repeating: " ", count: 90) + "b",
        ]
    )
    func wrapping(_ line: String) {
        for columns in [2, 20, 36, 40, 79] {
            let parts = wrappedLine(line, columns: columns)
            #expect(parts.allSatisfy { displayWidth($0) <= columns }, "\(columns)")
            #expect(parts.joined().filter { $0 != " " } == line.filter { $0 != " " })
        }
        #expect(wrappedLine("one two three", columns: 7) == ["one two", "three"])
    }

    @Test func `every line after the first is indented, also a wrapped one`() {
        let text = chatText(
            "#1 ~@bob (2222) 2023-11-14 22:13Z [retired_key]",
            body: "#2 you (1111) sent " + String(repeating: "-", count: 60) + "\n-- #1 sent",
            columns: 39
        )
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.allSatisfy { displayWidth($0) <= 39 })
        #expect(lines.first?.hasPrefix("#1 ~@bob") == true)
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("    ") })
        #expect(chatText("#1 x", body: "a\nb", columns: nil) == "#1 x\n    a\n    b")
        #expect(chatText("#1 x", body: nil, columns: nil) == "#1 x")
    }

    // MARK: Events

    private var events = ChatEvents(of: "1111")
    private let handles: [UserID: Handle]

    init() throws { handles = ["2222": try Handle("Bob")] }

    private mutating func lines(_ event: Event) -> ChatLine? {
        events.line(OpenedEvent(received: event.received, result: .success(event)), handles: handles)
    }

    private static func text(_ text: WireString, _ number: SequenceID, from sender: UserID = "2222") -> Event {
        EventPrinterTests.event(EventPrinterTests.text(text), number, from: sender)
    }

    @Test mutating func `a message has a number, its sender and its time`() {
        let line = lines(Self.text("hi", "5"))
        #expect(line?.head == "#1 ~@Bob (2222) 2023-11-14 22:13Z")
        #expect(line?.body == "hi")
        #expect(lines(Self.text("yes", "6", from: "3333"))?.head == "#2 3333 2023-11-14 22:13Z")
        #expect(lines(Self.text("me too", "7", from: "1111"))?.head == "#3 you (1111) 2023-11-14 22:13Z")
    }

    @Test mutating func `a text cannot act on the terminal, nor look like a line of ours`() {
        let body = lines(Self.text("a\u{1B}[2J\u{202E}\r\n#9 you (1111) sent\n(deleted #1)", "5"))?.body
        #expect(body == "a\\u{1B}[2J\\u{202E}\n#9 you (1111) sent\n(deleted #1)")
        #expect(
            chatText("#1", body: body, columns: nil).split(separator: "\n").dropFirst().allSatisfy {
                $0.hasPrefix("    ")
            }
        )
        #expect(lines(Self.text("(edited #1) x", "6"))?.body == "\\(edited #1) x")
    }

    @Test mutating func `reactions, edits and deletions name messages by their numbers`() {
        _ = lines(Self.text("hi", "5"))
        let reaction = MessageEntryContents.reactionAdd(MessageReactionAdd(messageSequenceID: "5", emoji: "👍"))
        let head = lines(EventPrinterTests.event(reaction, "6", from: "1111"))?.head
        #expect(head == "-- you (1111) 2023-11-14 22:13Z [target_unproven] (reacted \"👍\" to #1, a message of 2222)")
        let edit = lines(EventPrinterTests.event(EventPrinterTests.edit(of: "5"), "7", from: "2222"))
        #expect(edit?.head.hasSuffix("[target_unproven] (edited #1) new") == true)
        let other = lines(EventPrinterTests.event(EventPrinterTests.edit(of: "99"), "8", from: "2222"))
        #expect(other?.head.hasSuffix("(edit of #99, which is not shown here) new") == true)
        #expect(lines(Self.text("next", "10"))?.head.hasPrefix("#2 ") == true, "only messages have numbers")
    }

    @Test mutating func `the lines after the earlier messages of a history are kept`() {
        let reaction = MessageEntryContents.reactionAdd(MessageReactionAdd(messageSequenceID: "5", emoji: "👍"))
        var all: [ChatLine] = []
        for sequence: SequenceID in ["5", "6", "7", "8", "9"] {
            let isReaction = ["6", "8"].contains(sequence)
            let event =
                isReaction ? EventPrinterTests.event(reaction, sequence, from: "2222") : Self.text("hi", sequence)
            all += [lines(event)].compactMap { $0 }
        }
        let expected: [(Int, [String], Int)] = [(2, ["--", "#2", "--", "#3"], 1), (1, ["--", "#3"], 2), (0, [], 3)]
        for (count, heads, leftOut) in expected {
            let last = all.fromLast(count)
            #expect(last.lines.map { String($0.head.prefix(2)) } == heads)
            #expect(last.leftOut == leftOut)
        }
        #expect(all.fromLast(3).lines.count == 5)
        #expect(all.fromLast(9).leftOut == 0)
    }

    @Test mutating func `an event that does not verify is shown as refused, once and without its text`() {
        let received = Self.text("secret", "5").received
        let opened = OpenedEvent(
            received: received,
            result: .failure(XChatError(.wrongSignature, "it does not verify"))
        )
        let line = events.line(opened, handles: handles)
        #expect(line?.head.hasPrefix("-- refused (wrong_signature)") == true)
        #expect(line?.body == nil)
        #expect(events.line(opened, handles: handles) == nil)
        let typing = EventPrinterTests.received(.markConversationReadEvent(.init()), "6", from: "2222")
        let unsigned = events.line(
            OpenedEvent(received: typing, result: .success(Event(received: typing, isVerified: false))),
            handles: handles
        )
        #expect(unsigned?.head.hasPrefix("-- unsigned: ") == true)
        #expect(unsigned?.head.contains("@Bob") == false)
    }
}
