import Foundation
import TestSupport
import Testing
import XChat
import XChatEvents
import XChatText

@testable import XChatEngine

/// Random events whose strings imitate the program's lines.
struct HostileEventTests {
    private static let parts = [
        "\n", "\r\n", "\r", "\u{85}", "\u{2028}", "\u{2029}", "\u{b}", "\u{c}", "\t", "\0", "\u{1b}[2J", "\u{9b}",
        "\u{202e}", "\u{2066}", "\u{200f}", "\u{feff}", "\u{ad}", "\u{e0041}", "\u{e007f}", "🏴",
        "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}", "\u{200d}", "\u{200c}", "\u{fe0f}", "\u{e0100}",
        "\u{301}", "\u{20dd}", "\u{3164}", "\u{2800}", "\u{a0}", "\u{3000}", " ", "     ", "                    ",
        "\"", "\\", "\\\"", "”", "(", ")", "[", "]", "unsigned: Typing, sender 2222", "refused (wrong_signature): ",
        "2023-11-14T22:13:20Z  #5  1111  ", "-  -  ", "  2222  ", "(deleted #5)", "[sender_left] ", "…", "a", "hello",
        "1111", "2222", "5", "6", "👩‍👩‍👧", "👍🏽", "می‌خواهم", "שלום", "e\u{301}", "x\u{301}\u{301}\u{301}",
    ]

    private var random: SeededRandom

    init() {
        random = SeededRandom(seed: 20_260_711)
    }

    // MARK: Events

    private mutating func isLikely(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func hostile() -> WireString {
        let count = Int.random(in: 0...8, using: &random)
        return WireString((0..<count).map { _ in Self.parts.randomElement(using: &random) ?? "" }.joined())
    }

    private mutating func id<ID: Identifier>() -> ID? {
        if isLikely(5) { return nil }
        return isLikely(50) ? ID(hostile()) : ["1111", "2222", "5", "6"].randomElement(using: &random)
    }

    private mutating func ids<ID: Identifier>() -> [ID] {
        (0..<Int.random(in: 0...25, using: &random)).compactMap { _ in id() }
    }

    private mutating func contents() -> MessageEntryContents {
        switch Int.random(in: 0...5, using: &random) {
        case 0: return .messageEdit(MessageEdit(messageSequenceID: id(), updatedText: hostile()))
        case 1: return .reactionAdd(MessageReactionAdd(messageSequenceID: id(), emoji: hostile()))
        case 2: return .reactionRemove(MessageReactionRemove(messageSequenceID: id(), emoji: hostile()))
        case 3:
            return .message(
                MessageContents(
                    messageText: hostile(),
                    attachments: [
                        .media(MediaAttachment(filesizeBytes: isLikely(50) ? 5 : nil, filename: hostile())),
                        .url(UrlAttachment(url: hostile())),
                    ]
                )
            )
        default: return .message(MessageContents(messageText: hostile()))
        }
    }

    private mutating func detail() -> MessageEventDetail? {
        let changes: [GroupChange] = [
            .groupCreate(GroupCreate(memberIDs: ids())), .groupMemberAdd(GroupMemberAddChange(memberIDs: ids())),
            .groupMemberRemove(GroupMemberRemoveChange(memberIDs: ids())),
            .groupTitleChange(GroupTitleChange(customTitle: hostile())),
        ]
        let change = changes.randomElement(using: &random)
        let action: DeleteMessageAction? = isLikely(70) ? .deleteForAll : isLikely(50) ? .deleteForSelf : nil
        let details: [MessageEventDetail?] = [
            .messageTypingEvent(MessageTypingEvent(conversationID: hostile())),
            .memberAccountDeleteEvent(MemberAccountDeleteEvent(memberID: id())),
            .messageFailureEvent(MessageFailureEvent(failureType: FailureType(rawValue: 6))),
            .messageDeleteEvent(MessageDeleteEvent(sequenceIDs: ids(), deleteMessageAction: action)),
            .groupChangeEvent(GroupChangeEvent(groupChange: change)),
            .markConversationReadEvent(MarkConversationReadEvent(seenUntilSequenceID: id())),
            .grokSearchResponseEvent(GrokSearchResponseEvent(searchResponseID: hostile())), nil,
        ]
        return details.randomElement(using: &random) ?? nil
    }

    private mutating func received(_ detail: MessageEventDetail?) -> MessageEvent {
        MessageEvent(
            sequenceID: id(),
            messageID: id(),
            senderID: id(),
            conversationID: isLikely(80) ? "1111:2222" : hostile(),
            createdAtMsec: isLikely(80) ? "1700000000000" : hostile(),
            detail: detail
        )
    }

    private mutating func event() -> Event {
        let marks = Set(Event.Mark.allCases.filter { _ in isLikely(10) })
        guard isLikely(60) else {
            let received = received(detail())
            return Event(received: received, isVerified: received.kind.isSigned, marks: marks)
        }
        let create = MessageCreateEvent(contents: [1], conversationKeyVersion: id())
        return Event(
            received: received(.messageCreateEvent(create)),
            isVerified: true,
            contents: MessageEntryHolder(contents: contents()),
            marks: marks
        )
    }

    // MARK: Rules

    /// A field: an id, or quoted text that cannot contain a quotation mark.
    private static let field = #"(\d{1,19}|"[^"\\]*(\\u\{[0-9A-F]+\}[^"\\]*)*"|-)"#
    private static let time = #"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"#
    private static let marks = "(\\[(\(Event.Mark.allCases.map(\.rawValue).joined(separator: "|")))\\] )*"

    private static let lineEnds: Set<Unicode.Scalar> = ["\n", "\r", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}"]

    private static func lines(_ text: String) -> [String] {
        text.unicodeScalars.split(omittingEmptySubsequences: false) { lineEnds.contains($0) }.map { String($0) }
    }

    /// Whether no scalar of a line is hidden.
    ///
    /// Joiners, selectors and tags are allowed as part of an emoji or a word.
    private static func isVisible(_ line: String) -> Bool {
        line.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: false
            case .format: scalar == "\u{200d}" || scalar == "\u{200c}" || 0xE0030...0xE007F ~= scalar.value
            default: !scalar.properties.isDefaultIgnorableCodePoint || scalar.properties.isVariationSelector
            }
        }
    }

    private static func longestRunOfSpaces(_ line: Substring) -> Int {
        let blanks = line.unicodeScalars.split { $0.properties.generalCategory != .spaceSeparator && $0 != "\u{2800}" }
        return blanks.map(\.count).max() ?? 0
    }

    @Test mutating func `lines of a hostile event after its first are indented, and quotes are closed`() throws {
        let head = try Regex("^(\(Self.time)|-)  (#\(Self.field)|-)  \(Self.field)  \(Self.marks)")
        let details = "(, ([a-z]+ |#)?(\(Self.field)|\(Self.time)|[A-Za-z]+))*"
        let unsigned = try Regex("^unsigned: \(Self.marks)[A-Za-z]+, sender \(Self.field)\(details)$")
        let refused = try Regex("^refused \\([a-z_]+\\): [A-Za-z]+, claimed sender \(Self.field)\(details): ")
        var printer = EventPrinter()
        for number in 0..<20_000 {
            let event = event()
            let isRefused = isLikely(15)
            let error = XChatError(.wrongSignature, hostile().string)
            let shown = printer.line(isRefused ? .failure(error) : .success(event), received: event.received)
            let lines = Self.lines(shown)
            for (position, line) in lines.enumerated() {
                let isIndented = line.hasPrefix("    ")
                #expect(isIndented == (position > 0), "event \(number): \(line.debugDescription)")
                #expect(Self.isVisible(line), "event \(number): \(line.debugDescription)")
                let inner = line.dropFirst(position > 0 ? 4 : 0)
                #expect(Self.longestRunOfSpaces(inner) <= 4, "event \(number): \(line.debugDescription)")
            }
            let pattern = isRefused ? refused : event.isVerified ? head : unsigned
            let match = shown.prefixMatch(of: pattern)
            #expect(match != nil, "event \(number): \(shown.debugDescription)")
            guard !isRefused, let match else { continue }
            // After the head comes a text, or descriptions in which all quotation marks are closed.
            let rest = String(shown[match.range.upperBound...])
            expectClosed(rest, event, number)
        }
    }

    /// Expects that the program's words before a text close their quotation marks, and that a text does not start like
    /// them.
    private func expectClosed(_ rest: String, _ event: Event, _ number: Int) {
        var ours = rest
        switch event.contents?.contents {
        case .message(let message):
            let text = messageText(message.messageText)
            #expect(!text.hasPrefix("(") && !text.hasPrefix("["), "event \(number): \(text.debugDescription)")
            #expect(ends(rest, text), "event \(number): \(rest.debugDescription)")
            ours = String(rest.unicodeScalars.dropLast(text.unicodeScalars.count))
        case .messageEdit(let edit):
            ours = String(rest.unicodeScalars.dropLast(messageText(edit.updatedText).unicodeScalars.count))
        default: break
        }
        #expect(ours.unicodeScalars.count { $0 == "\"" } % 2 == 0, "event \(number): \(ours.debugDescription)")
        guard event.isVerified, let first = ours.first else { return }
        #expect(first == "(" || first == "[", "event \(number): \(ours.debugDescription)")
    }

    private func ends(_ text: String, _ end: String) -> Bool {
        Array(text.utf8).suffix(end.utf8.count) == Array(end.utf8)[...]
    }

    @Test mutating func `the JSON of a hostile event is one line and names only members that are present`() throws {
        for number in 0..<2_000 {
            let event = event()
            let isRefused = isLikely(15)
            let error = XChatError(.wrongSignature, hostile().string)
            let result: Result<Event, XChatError> = isRefused ? .failure(error) : .success(event)
            let json = resultJSON(result, received: event.received, index: number)
            #expect(Self.lines(json.line).count == 1)
            guard !isRefused else { continue }
            let place = try JSONLocation(parsing: Array(json.line.utf8), document: "line").required("event")
            #expect(try place.required("verified").bool() == event.isVerified)
            for name in try place.required("unverified_fields").elements().map({ try $0.string() }) {
                let change = try place.member("change")
                #expect(try place.member(name) != nil || change?.member(name) != nil, "event \(number): \(name)")
            }
        }
    }
}
