import Foundation
import XChat
import XChatEvents

/// An event as a line for people; a text of several lines is indented below its first.
func eventText(_ result: Result<Event, XChatError>) -> String {
    switch result {
    case .success(let event):
        let sender = visible(event.received.senderID?.string ?? "nobody")
        return "\(time(event.received.createdAtMsec))  \(sender)  \(contentText(event))"
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

private func contentText(_ event: Event) -> String {
    guard case .messageCreateEvent = event.received.detail else { return "(\(event.received.kind.rawValue))" }
    switch event.contents?.contents {
    case .message(let message):
        let attachments = (message.attachments ?? []).map(attachmentText)
        let parts = [indented(message.messageText)] + attachments.map { "[\($0)]" }
        return parts.filter { !$0.isEmpty }.joined(separator: " ")
    case .reactionAdd(let reaction):
        return
            "(reacted \(visible(reaction.emoji?.string ?? "")) to \(visible(reaction.messageSequenceID?.string ?? "")))"
    case .reactionRemove(let reaction):
        return
            "(took back \(visible(reaction.emoji?.string ?? "")) from \(visible(reaction.messageSequenceID?.string ?? "")))"
    case .messageEdit(let edit):
        return "(edited \(visible(edit.messageSequenceID?.string ?? ""))) \(indented(edit.updatedText))"
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
