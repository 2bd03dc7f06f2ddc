import Testing
import XChat
import XChatEvents
import XChatText

@testable import XChatEngine

/// Runs both engines over the same events and compares their results.
struct Comparison {
    let cast: Cast
    private(set) var tally = Tally()

    init(_ cast: Cast) {
        self.cast = cast
    }

    mutating func compare(_ cases: [ConformanceCase]) throws {
        let chunk = 500
        for start in stride(from: 0, to: cases.count, by: chunk) {
            let cases = Array(cases[start..<min(start + chunk, cases.count)])
            let answers = try ask(Cast.strict, cases)
            // Events that the SDK refuses for their signature are read again without that check, to compare contents.
            let refused = cases.indices.filter {
                [.unverifiable, .versionRefused, .wrongSignature].contains(Verdict(answers[$0]))
            }
            let read = try ask(Cast.lenient, refused.map { cases[$0] })
            var lenient: [Int: Outcome] = [:]
            for (index, outcome) in zip(refused, read) { lenient[index] = outcome }
            for index in cases.indices {
                compare(cases[index], strict: answers[index], read: lenient[index] ?? answers[index])
            }
        }
    }

    /// Prints the totals, and fails the test for each difference that is not intended.
    func conclude(_ what: String) {
        let complaints = tally.complaints
        for complaint in complaints.prefix(15) { Issue.record("\(what): \(complaint)") }
        if complaints.count > 15 { Issue.record("\(what): and \(complaints.count - 15) more like these") }
        tally.report()
    }

    private func ask(_ instance: String, _ cases: [ConformanceCase]) throws -> [Outcome] {
        try cast.peer.calls(
            "decrypt_event",
            of: instance,
            ["conversation_keys": cast.conversationKeys],
            each: cases.map { ["event_b64": .string($0.line)] }
        )
    }

    private mutating func compare(_ given: ConformanceCase, strict: Outcome, read: Outcome) {
        let theirs = Verdict(strict)
        let received: MessageEvent?
        let ours: Verdict
        var opened: Result<Event, XChatError>?
        do {
            let event = try MessageEvent(base64: given.line)
            var session = cast.session
            let result = Result { () throws(XChatError) in try session.open(event) }
            ours = Verdict(result, isKeyChange: event.kind == .keyChange)
            (received, opened) = (event, result)
        } catch {
            (received, ours) = (nil, .notAnEvent)
        }
        let difference = IntendedDifference.all.first { $0.theirs.contains(theirs) && $0.applies(given) }
        let expected = difference?.ours ?? [theirs]
        guard theirs != .other, expected.contains(ours) else {
            let gap = difference.map { " for \($0.gap)" } ?? ""
            let reason = if case .failure(let error) = opened { " (\(error))" } else { "" }
            tally.complain(
                "\(given.name): \(ours.rawValue)\(reason), expected \(expected.map(\.rawValue).sorted())\(gap): \(given.line)"
            )
            return
        }
        if ours == .unverifiable, let received, case .failure(let error) = opened,
            !cast.reasons(for: received).contains(error.code)
        {
            tally.complain("\(given.name): \(error): \(given.line)")
            return
        }
        if let fragment = given.fragment {
            let places = if case .returned(let read) = strict { missing(fragment, in: read) } else { ["refused"] }
            guard places.isEmpty else {
                tally.complain(
                    "\(given.name), theirs instead of ours: \(places.joined(separator: "; ")): \(given.line)"
                )
                return
            }
        }
        var namesMore = false
        var value: IntendedValue?
        // If only the SDK can read the contents, there is no JSON to compare with.
        if case .returned(let theirJSON) = read, let received, ours != .malformedContents {
            let ourJSON = cast.json(of: received, isVerified: theirs == .verified)
            let places = missing(theirJSON, in: ourJSON)
            value = IntendedValue.all.first { $0.applies(given) && $0.theirs == theirJSON["reply_preview_validation"] }
            guard places == (value.map { [$0.complaint] } ?? []) else {
                tally.complain("\(given.name): \(places.joined(separator: "; ")): \(given.line)")
                return
            }
            namesMore = ourJSON.names("Unknown") < theirJSON.names("Unknown") || ourJSON.hasKind
        }
        if let gap = difference?.gap ?? value?.gap {
            tally.differs(gap)
        } else if namesMore {
            tally.differs("F4")
        } else {
            tally.equal()
        }
    }
}

extension Cast {
    /// The JSON of this engine for an event, decrypted with the keys that the SDK has.
    func json(of event: MessageEvent, isVerified: Bool) -> JSONValue {
        var contents: MessageEntryHolder?
        if case .messageCreateEvent(let create) = event.detail, let bytes = create.contents {
            let keys = [Cast.pairVersion: pairKey, Cast.groupVersion: groupKey]
            let plaintext =
                if let version = create.conversationKeyVersion { try? keys[version]?.open(bytes) } else {
                    bytes as [UInt8]?
                }
            contents = plaintext.flatMap { try? MessageEntryHolder(decoding: $0) }
        }
        var validation: ReplyValidation?
        if case .message(let message) = contents?.contents, let preview = message.replyingToPreview {
            validation = session.validation(of: preview, conversationID: event.conversationID)
        }
        return eventJSON(event, contents: contents, isVerified: isVerified, isReplyValid: validation?.isValid)
    }

    /// The possible reasons why an event cannot be verified, computed from the event alone.
    ///
    /// The SDK has one error text for all of these reasons (B4).
    fileprivate func reasons(for event: MessageEvent) -> Set<XChatError.Code> {
        if case .messageCreateEvent(let create) = event.detail, create.conversationKeyVersion == nil {
            return [.unencrypted]
        }
        guard let signature = event.messageEventSignature, signature.signature != nil else { return [.noSignature] }
        let isKnown = ["1111", "2222", "3333"].contains(event.senderID) && signature.publicKeyVersion == "1"
        guard isKnown else { return [.unknownSigner] }
        return event.kind == .keyChange ? [.notRepresentable, .keyMissing] : [.notRepresentable]
    }
}

extension JSONValue {
    fileprivate subscript(name: WireString) -> JSONValue? {
        if case .object(let object) = self { object[name] } else { nil }
    }

    /// How many values are equal to a word.
    fileprivate func names(_ word: WireString) -> Int {
        switch self {
        case .string(let text): text == word ? 1 : 0
        case .array(let elements): elements.map { $0.names(word) }.reduce(0, +)
        case .object(let object): object.members.map { $0.value.names(word) }.reduce(0, +)
        default: 0
        }
    }

    /// Whether there is a member `kind`, which this engine adds where the SDK says only "Unknown".
    fileprivate var hasKind: Bool {
        switch self {
        case .array(let elements): elements.contains(where: \.hasKind)
        case .object(let object): object["kind"] != nil || object.members.contains { $0.value.hasKind }
        default: false
        }
    }
}
