import Foundation
import XChat
import XChatEvents

/// An event as a line for people; a text of several lines is indented below its first.
///
/// - Parameters:
///   - result: The event, or why it is none.
///   - messages: Messages by their sequence ids, as far as they are at hand: an edit of one of them by somebody else is
///     told from one by its author.
/// - Returns: Time, sequence id, sender and contents.
func eventText(_ result: Result<Event, XChatError>, among messages: [WireString: Event] = [:]) -> String {
    switch result {
    case .success(let event):
        let sender = visible(event.received.senderID?.string ?? "nobody")
        let place = number(event.received.sequenceID)
        return "\(time(event.received.createdAtMsec))  \(place)  \(sender)  \(contentText(event, messages))"
    case .failure(let error):
        return "-  refused (\(error.code.rawValue)): \(visible(error.message))"
    }
}

/// The server's word for when it was: no signature covers it.
private func time(_ milliseconds: WireString?) -> String {
    let lastOfYear9999: Int64 = 253_402_300_799_999
    guard let milliseconds = milliseconds?.i64, (0...lastOfYear9999).contains(milliseconds) else { return "-" }
    return Date(timeIntervalSince1970: Double(milliseconds / 1000)).ISO8601Format()
}

/// The sequence id by which `react`, `edit` and `delete` know a message.
private func number(_ sequenceID: WireString?) -> String {
    sequenceID.map { "#" + visible($0.string) } ?? "-"
}

private func list(_ ids: [WireString]?) -> String {
    (ids ?? []).map { visible($0.string) }.joined(separator: ", ")
}

private func contentText(_ event: Event, _ messages: [WireString: Event]) -> String {
    switch event.received.detail {
    case .messageCreateEvent: break
    case .messageDeleteEvent(let deletion):
        return "(deleted \((deletion.sequenceIDs ?? []).map(number).joined(separator: ", ")))"
    case .groupChangeEvent(let group):
        switch group.groupChange {
        case .groupCreate(let create): return "(made the group with \(list(create.memberIDs)))"
        case .groupMemberAdd(let addition): return "(added \(list(addition.memberIDs)))"
        case .groupMemberRemove(let removal): return "(removed \(list(removal.memberIDs)))"
        default: return "(\(event.received.kind.rawValue))"
        }
    default: return "(\(event.received.kind.rawValue))"
    }
    switch event.contents?.contents {
    case .message(let message):
        let attachments = (message.attachments ?? []).map(attachmentText)
        let parts = [indented(message.messageText)] + attachments.map { "[\($0)]" }
        return parts.filter { !$0.isEmpty }.joined(separator: " ")
    case .reactionAdd(let reaction):
        return "(reacted \(visible(reaction.emoji?.string ?? "")) to \(number(reaction.messageSequenceID)))"
    case .reactionRemove(let reaction):
        return "(took back \(visible(reaction.emoji?.string ?? "")) from \(number(reaction.messageSequenceID)))"
    case .messageEdit(let edit):
        if let original = edit.messageSequenceID.flatMap({ messages[$0] }), !event.isRightfulEdit(of: original) {
            return "(would edit \(number(edit.messageSequenceID)), which is not theirs) \(indented(edit.updatedText))"
        }
        return "(edited \(number(edit.messageSequenceID))) \(indented(edit.updatedText))"
    default:
        return "(message of another kind)"
    }
}

/// What is attached, by the name that its sender gave it.
private func attachmentText(_ attachment: MessageAttachment) -> String {
    switch attachment {
    case .media(let media):
        let size = media.filesizeBytes.map { ", \($0) bytes" } ?? ""
        return quoted(media.filename?.string ?? "") + size
    case .url(let url): return "link \(quoted(url.url?.string ?? ""))"
    case .post: return "post"
    case .unifiedCard: return "card"
    case .money, .jetfuel: return "payment"
    case .unknown: return "attachment of another kind"
    }
}

private func indented(_ text: WireString?) -> String {
    visible(text?.string ?? "", keepingNewlines: true).replacing("\n", with: "\n    ")
}
