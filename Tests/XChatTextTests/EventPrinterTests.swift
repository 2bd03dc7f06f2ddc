import TestSupport
import Testing
import XChat
import XChatEvents
import XChatText

@testable import XChatEngine

struct EventPrinterTests {
    private var printer = EventPrinter()

    /// A verified event with these contents.
    static func event(
        _ contents: MessageEntryContents,
        _ sequenceID: SequenceID? = "5",
        from sender: UserID? = "1111",
        id: MessageID? = nil,
        in conversation: WireString = "1111:2222",
        marks: Set<Event.Mark> = []
    ) -> Event {
        let create = MessageCreateEvent(contents: [1], conversationKeyVersion: "1")
        return Event(
            received: received(.messageCreateEvent(create), sequenceID, from: sender, id: id, in: conversation),
            isVerified: true,
            contents: MessageEntryHolder(contents: contents),
            marks: marks
        )
    }

    static func received(
        _ detail: MessageEventDetail?,
        _ sequenceID: SequenceID? = "5",
        from sender: UserID? = "1111",
        id: MessageID? = nil,
        in conversation: WireString = "1111:2222"
    ) -> MessageEvent {
        MessageEvent(
            sequenceID: sequenceID,
            messageID: id ?? sequenceID.map { MessageID("m-\($0)") },
            senderID: sender,
            conversationID: conversation,
            createdAtMsec: "1700000000000",
            detail: detail
        )
    }

    static func text(_ text: WireString) -> MessageEntryContents { .message(MessageContents(messageText: text)) }

    static func edit(of target: SequenceID?, _ text: WireString = "new") -> MessageEntryContents {
        .messageEdit(MessageEdit(messageSequenceID: target, updatedText: text))
    }

    static func deletion(
        of targets: [SequenceID],
        _ action: DeleteMessageAction? = .deleteForAll,
        from sender: UserID = "1111"
    ) -> Event {
        let deletion = MessageDeleteEvent(sequenceIDs: targets, deleteMessageAction: action)
        return Event(received: received(.messageDeleteEvent(deletion), "9", from: sender), isVerified: true)
    }

    private mutating func line(_ event: Event) -> String { printer.line(.success(event), received: nil) }

    /// The line without time and sequence id.
    private mutating func content(_ event: Event) -> String {
        line(event).split(separator: "  ", maxSplits: 3).dropFirst(3).joined()
    }

    private let start = "2023-11-14T22:13:20Z  #5  1111  "

    // MARK: Fields

    @Test mutating func `a message shows time, sequence id, author and text`() {
        #expect(line(Self.event(Self.text("hello"))) == start + "hello")
        #expect(line(Self.event(Self.text("a\nb"))) == start + "a\n    b")
    }

    @Test mutating func `a sequence id with spaces is quoted`() {
        let shown = line(Self.event(Self.text("hi"), "44  2222  send to MALLORY     "))
        #expect(shown.hasSuffix(#"  #"44  2222  send to MALLORY\u{20}×5"  1111  hi"#))
    }

    @Test mutating func `a sender that is not an id is quoted`() {
        #expect(line(Self.event(Self.text("hi"), from: "2222  pay")).hasSuffix(#"  #5  "2222  pay"  hi"#))
        #expect(line(Self.event(Self.text("hi"), nil, from: nil)).hasSuffix("Z  -  -  hi"))
    }

    @Test mutating func `an invalid time is shown as a dash`() {
        var received = Self.event(Self.text("hi")).received
        for time in ["x", "-1", "253402300800000", ""] as [WireString] {
            received.createdAtMsec = time
            let event = Event(
                received: received,
                isVerified: true,
                contents: MessageEntryHolder(contents: Self.text("hi"))
            )
            #expect(line(event) == "-  #5  1111  hi")
        }
    }

    @Test mutating func `members of a group are ids or quoted`() {
        let change = GroupChange.groupMemberAdd(GroupMemberAddChange(memberIDs: ["3333", "4  4"]))
        let received = Self.received(.groupChangeEvent(GroupChangeEvent(groupChange: change)))
        #expect(line(Event(received: received, isVerified: true)) == start + #"(added 3333, "4  4")"#)
    }

    @Test mutating func `the name of an attachment is quoted and comes before the text`() {
        let media = MediaAttachment(filesizeBytes: 5, filename: "a\"] [sender_left")
        let message = MessageContents(messageText: "[\"b\"] look", attachments: [.media(media)])
        #expect(line(Self.event(.message(message))) == start + #"["a\u{22}] [sender_left", 5 bytes] \["b"] look"#)
    }

    // MARK: Unsigned and refused

    @Test mutating func `a line of a kind that is never signed starts with unsigned`() {
        let typing = Self.received(.messageTypingEvent(MessageTypingEvent()), "41  2222  I approve it", from: "2222")
        let left = Self.received(
            .memberAccountDeleteEvent(MemberAccountDeleteEvent(memberID: "2222  bye")),
            from: "2222  pay"
        )
        let unknown = Self.received(nil, nil, from: nil)
        #expect(
            line(Event(received: typing, isVerified: false))
                == #"unsigned: Typing, sender 2222, #"41  2222  I approve it", 2023-11-14T22:13:20Z"#
        )
        #expect(
            line(Event(received: left, isVerified: false))
                == #"unsigned: MemberDeleted, sender "2222  pay", member "2222  bye", #5, 2023-11-14T22:13:20Z"#
        )
        #expect(
            line(Event(received: unknown, isVerified: false)) == "unsigned: Unknown, sender -, 2023-11-14T22:13:20Z"
        )
    }

    @Test mutating func `a refused event shows what it claims`() {
        let error = XChatError(.wrongSignature, "the signature of 2222\n1111  hi does not verify")
        let received = Self.event(Self.text("hi"), from: "2222  x").received
        #expect(
            printer.line(.failure(error), received: received)
                == #"refused (wrong_signature): Message, claimed sender "2222  x", #5, 2023-11-14T22:13:20Z: "#
                + #"the signature of 2222\u{A}1111  hi does not verify"#
        )
        #expect(
            printer.line(.failure(XChatError(.notAnEvent, "not base64")), received: nil)
                == "refused (not_an_event): not base64"
        )
    }

    // MARK: Marks

    @Test mutating func `marks are shown before the text in a fixed order`() {
        let marked = Self.event(Self.text("hi"), marks: [.sameID, .disputedKey, .senderLeft])
        #expect(line(marked) == start + "[sender_left] [disputed_key] [same_id] hi")
        let all = line(Self.event(Self.text("hi"), marks: Set(Event.Mark.allCases)))
        #expect(all == start + Event.Mark.allCases.map { "[\($0.rawValue)] " }.joined() + "hi")
    }

    // MARK: Edits, deletions, reactions

    @Test mutating func `only the author of a message edits it`() {
        _ = line(Self.event(Self.text("hello")))
        #expect(content(Self.event(Self.edit(of: "5"), "6")) == "[target_unproven] (edited #5) new")
        #expect(
            content(Self.event(Self.edit(of: "5"), "7", from: "2222"))
                == "[target_unproven] (2222 tried to edit #5, a message of 1111) new"
        )
        #expect(
            content(Self.event(Self.edit(of: "8"), "9"))
                == "[target_unproven] (edit of #8, which is not shown here) new"
        )
        #expect(
            content(Self.event(Self.edit(of: "5  x"), "9"))
                == #"[target_unproven] (edit of #"5  x", which is not shown here) new"#
        )
    }

    @Test mutating func `an event cannot be its own target, and neither can an edit`() {
        #expect(content(Self.event(Self.edit(of: "6"), "6")).contains("(edit of #6, which is not shown here)"))
        #expect(content(Self.event(Self.edit(of: "6"), "7")).contains("(edit of #6, which is not a message)"))
    }

    @Test mutating func `only the author of a message deletes it`() {
        _ = line(Self.event(Self.text("hello")))
        _ = line(Self.event(Self.text("hi"), "6", from: "2222"))
        #expect(
            content(Self.deletion(of: ["5", "6", "7"]))
                == "[target_unproven] (deleted #5; 1111 tried to delete #6, a message of 2222; "
                + "deletion of #7, which is not shown here)"
        )
        #expect(content(Self.deletion(of: ["6"], from: "2222")) == "[target_unproven] (deleted #6)")
    }

    @Test mutating func `a deletion for the sender alone is not shown as deleting`() {
        _ = line(Self.event(Self.text("hello")))
        #expect(
            content(Self.deletion(of: ["5"], .deleteForSelf)) == "[target_unproven] (deletion of #5 in their own view)"
        )
        #expect(content(Self.deletion(of: ["5"], nil)) == "[target_unproven] (deletion of #5 with an unknown effect)")
        #expect(content(Self.deletion(of: [])) == "[target_unproven] (deletion of no message)")
    }

    @Test mutating func `a reaction names its target and the target's author`() {
        _ = line(Self.event(Self.text("hello")))
        let add = MessageEntryContents.reactionAdd(MessageReactionAdd(messageSequenceID: "5", emoji: "👍"))
        #expect(
            content(Self.event(add, "6", from: "2222"))
                == #"[target_unproven] (reacted "👍" to #5, a message of 1111)"#
        )
        let remove = MessageEntryContents.reactionRemove(
            MessageReactionRemove(messageSequenceID: "77", emoji: "👍 to #5, and 1111 agrees\n")
        )
        #expect(
            content(Self.event(remove, "7", from: "2222"))
                == #"[target_unproven] (took back "👍 to #5, and 1111 agrees\u{A}" from #77, which is not shown here)"#
        )
    }

    @Test mutating func `a sequence id of several messages is not a target`() {
        _ = line(Self.event(Self.text("hello")))
        _ = line(Self.event(Self.text("hello")))
        #expect(content(Self.event(Self.edit(of: "5"), "6")).contains("(edited #5)"))
        _ = line(Self.event(Self.text("other"), from: "2222", id: "m-x"))
        #expect(
            content(Self.event(Self.edit(of: "5"), "6")).contains("(edit of #5, the sequence id of several messages)")
        )
        #expect(content(Self.deletion(of: ["5"])).contains("(deletion of #5, the sequence id of several messages)"))
    }

    @Test mutating func `a message of another conversation is not the target`() {
        _ = line(Self.event(Self.text("hello"), in: "1111:3333"))
        #expect(content(Self.event(Self.edit(of: "5"), "6")).contains("(edit of #5, which is not shown here)"))
    }

    @Test mutating func `refused and unsigned events are not targets`() {
        let message = Self.event(Self.text("hello"))
        _ = printer.line(.failure(XChatError(.wrongSignature, "x")), received: message.received)
        _ = line(Event(received: message.received, isVerified: false, contents: message.contents))
        #expect(content(Self.event(Self.edit(of: "5"), "6")).contains("(edit of #5, which is not shown here)"))
    }

    @Test func `a printer remembers only the newest messages`() {
        var printer = EventPrinter(remembering: 3)
        for number in 1...7 {
            _ = printer.line(.success(Self.event(Self.text("x"), SequenceID("\(number)"))), received: nil)
        }
        let deletion = printer.line(.success(Self.deletion(of: (1...7).map { SequenceID("\($0)") })), received: nil)
        let unknown = (1...4).map { "deletion of #\($0), which is not shown here; " }.joined()
        #expect(deletion.hasSuffix("(\(unknown)deleted #5; deleted #6; deleted #7)"))
    }

    @Test func `a line says edited or deleted only where the engine agrees`() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<5_000 {
            let one = Int.random(in: 0...2, using: &random)
            let user: [UserID?] = ["1111", "2222", nil]
            let place: [WireString] = ["1111:2222", "2222-1111", "g9"]
            let original = Self.event(
                [Self.text("x"), Self.edit(of: "5")][Int.random(in: 0...1, using: &random)],
                ["5", "6"][Int.random(in: 0...1, using: &random)],
                from: user[one],
                in: place[Int.random(in: 0...2, using: &random)]
            )
            let (sender, conversation) = (user.randomElement(using: &random), place.randomElement(using: &random))
            let edit = Self.event(Self.edit(of: "5"), "7", from: sender ?? nil, in: conversation ?? "")
            let deletion = Event(
                received: Self.received(
                    .messageDeleteEvent(MessageDeleteEvent(sequenceIDs: ["5"], deleteMessageAction: .deleteForAll)),
                    "8",
                    from: sender ?? nil,
                    in: conversation ?? ""
                ),
                isVerified: true
            )
            var printer = EventPrinter()
            _ = printer.line(.success(original), received: nil)
            #expect(
                printer.line(.success(edit), received: nil).contains("(edited #5)") == edit.isRightfulEdit(of: original)
            )
            #expect(
                printer.line(.success(deletion), received: nil).contains("(deleted #5)")
                    == deletion.isRightfulDeletion(of: original)
            )
        }
    }
}
