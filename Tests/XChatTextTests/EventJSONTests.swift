import Foundation
import TestSupport
import Testing
import XChat
import XChatEvents
import XChatText

/// An event and the result of X's SDK for it; see Vectors/README.md.
struct EventVector: CustomTestStringConvertible {
    let name: String
    let event: WireString
    let expected: JSONValue

    var testDescription: String { name }

    static let all: [EventVector] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        guard let file = try? Data(contentsOf: folder.appending(path: "Vectors/event-json.jsonl")) else { return [] }
        return file.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard let place = try? JSONLocation(parsing: Array(line), document: "vector"),
                let name = try? place.required("name").string(), let event = try? place.required("event").string(),
                let expected = try? place.required("sdk").value
            else { return nil }
            return EventVector(name: name.string, event: event, expected: expected)
        }
    }()
}

struct EventJSONTests {
    @Test("an event has the members, values and order of X's SDK, and ours after them", arguments: EventVector.all)
    func vector(_ vector: EventVector) throws {
        let event = try MessageEvent(base64: vector.event)
        var contents: MessageEntryHolder?
        if case .messageCreateEvent(let create) = event.detail {
            contents = try create.contents.map { bytes in try MessageEntryHolder(decoding: bytes) }
        }
        let json = eventJSON(event, contents: contents, isVerified: false)
        #expect(restricted(json, to: vector.expected).line == vector.expected.line)
    }

    @Test func `every case of the file was run`() {
        #expect(EventVector.all.count == 135)
    }

    @Test func `a reply that was checked says so`() {
        for (isValid, word) in [(true, "Valid"), (false, "Invalid")] as [(Bool, JSONValue)] {
            let event = MessageEvent(detail: .messageCreateEvent(MessageCreateEvent(contents: [1])))
            guard case .object(let json) = eventJSON(event, contents: nil, isVerified: true, isReplyValid: isValid)
            else {
                Issue.record("not an object")
                return
            }
            #expect(json["reply_preview_validation"] == word)
        }
    }

    @Test func `verified is the engine's result, and the key version the received one`() {
        let create = MessageCreateEvent(contents: [1], conversationKeyVersion: "7")
        let event = MessageEvent(detail: .messageCreateEvent(create))
        guard case .object(let json) = eventJSON(event, contents: nil, isVerified: true) else {
            Issue.record("not an object")
            return
        }
        #expect(json["verified"] == true)
        #expect(json["reply_preview_validation"] == nil)
        #expect(json["key_version"] == "7")
    }
}

/// A value without the members that another value does not have, at any depth.
private func restricted(_ value: JSONValue, to other: JSONValue) -> JSONValue {
    switch (value, other) {
    case (.object(let object), .object(let other)):
        .object(
            JSONObject(
                object.members.compactMap { member in
                    other[member.key].map { (member.key, restricted(member.value, to: $0)) }
                }
            )
        )
    case (.array(let elements), .array(let others)) where elements.count == others.count:
        .array(zip(elements, others).map(restricted))
    default:
        value
    }
}
