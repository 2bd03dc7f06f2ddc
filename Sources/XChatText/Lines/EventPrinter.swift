import XChat
package import XChatEngine
package import XChatEvents
package import XChatHTTP

/// Prints the events of one conversation as text for people, in the order in which they are shown.
///
/// It remembers the newest messages, so that an edit, a deletion or a reaction is compared with its target. No other
/// state changes a line: `read` and `read --follow` print the same lines for the same events.
package struct EventPrinter: Sendable {
    private var targets: KnownTargets

    /// Makes a printer that has shown no events.
    ///
    /// - Parameter limit: The number of messages to remember.
    package init(remembering limit: Int = 10_000) {
        targets = KnownTargets(limit: limit)
    }

    /// The text that shows one event: one line, and an indented line for each further line of the message.
    ///
    /// - Parameters:
    ///   - result: The event, or the error with which it was refused.
    ///   - received: The event as it was received, if it could be parsed. Needed only to describe a refused event.
    ///   - servedID: The server's id of the event, for one that could not be parsed.
    ///   - handles: The handles of senders, shown after their ids with a `~` before each, because only the server
    ///     vouches for handles.
    /// - Returns: Time, sequence id, sender, marks and contents, separated by two spaces. For an event that no
    ///   signature covers, `unsigned:` and what the event claims; for a refused one, `refused`, the reason and what it
    ///   claims.
    package mutating func line(
        _ result: Result<Event, XChatError>,
        received: MessageEvent?,
        servedID: String? = nil,
        handles: [UserID: Handle] = [:]
    ) -> String {
        switch result {
        case .success(let event) where event.isVerified:
            // The line is made before the event is remembered: otherwise an event that names its own sequence id would
            // be its own target.
            let line = verifiedLine(event, handles)
            targets.remember(event)
            return line
        case .success(let event):
            let parts = markTexts(event.marks) + [description(of: event.received, sender: "sender")]
            return "unsigned: \(parts.joined(separator: " "))"
        case .failure(let error):
            let subject =
                received.map { description(of: $0, sender: "claimed sender") }
                ?? servedID.map { "event \(safeNumber(SequenceID($0)))" }
            return "refused (\(error.code.rawValue)): \(subject.map { "\($0): " } ?? "")\(safeSentence(error.message))"
        }
    }

    private func verifiedLine(_ event: Event, _ handles: [UserID: Handle]) -> String {
        let received = event.received
        let fields = [
            timeText(received.createdAtMsec) ?? "-", safeNumber(received.sequenceID),
            nameText(received.senderID, handles),
        ]
        let parts = markTexts(of: event) + [eventText(event, targets)].filter { !$0.isEmpty }
        return (fields + [parts.joined(separator: " ")]).joined(separator: "  ")
    }
}

extension Event {
    /// Whether it acts on another message, which it names by a sequence id.
    var namesTarget: Bool {
        if case .messageDeleteEvent = received.detail { return true }
        switch contents?.contents {
        case .messageEdit, .reactionAdd, .reactionRemove: return true
        default: return false
        }
    }
}

/// The marks of a verified event, in brackets.
func markTexts(of event: Event) -> [String] {
    var marks = event.marks
    if event.namesTarget { marks.insert(.targetUnproven) }
    return markTexts(marks)
}

private func markTexts(_ marks: Set<Event.Mark>) -> [String] {
    Event.Mark.allCases.filter(marks.contains).map { "[\($0.rawValue)]" }
}

/// The claims of an event that did not verify.
private func description(of event: MessageEvent, sender: String) -> String {
    var parts = [event.kind.rawValue, "\(sender) \(safeField(event.senderID))"]
    switch event.detail {
    case .memberAccountDeleteEvent(let deletion): parts.append("member \(safeField(deletion.memberID))")
    case .messageFailureEvent(let failure): parts.append("failure \(failureName(failure.failureType))")
    default: break
    }
    if let sequenceID = event.sequenceID { parts.append(safeNumber(sequenceID)) }
    if let time = timeText(event.createdAtMsec) { parts.append(time) }
    return parts.joined(separator: ", ")
}

/// A user for a person to read: the id, and before it the handle with `~`, which means that only the server vouches for
/// the handle.
func nameText(_ user: UserID?, _ handles: [UserID: Handle]) -> String {
    guard let user, let handle = handles[user] else { return safeField(user) }
    return "~\(handle) (\(safeField(user)))"
}
