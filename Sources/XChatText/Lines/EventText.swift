import XChat
import XChatEngine
import XChatEvents

/// The text of a verified event: that of a message, or the description of an action in parentheses.
func eventText(_ event: Event, _ targets: KnownTargets) -> String {
    switch event.received.detail {
    case .messageCreateEvent: messageText(event, targets)
    case .messageDeleteEvent(let deletion): "(\(deletionText(deletion, event, targets)))"
    case .groupChangeEvent(let group):
        switch group.groupChange {
        case .groupCreate(let create): "(made the group with \(safeFields(create.memberIDs)))"
        case .groupMemberAdd(let addition): "(added \(safeFields(addition.memberIDs)))"
        case .groupMemberRemove(let removal): "(removed \(safeFields(removal.memberIDs)))"
        default: "(\(event.received.kind.rawValue))"
        }
    default: "(\(event.received.kind.rawValue))"
    }
}

private func messageText(_ event: Event, _ targets: KnownTargets) -> String {
    switch event.contents?.contents {
    case .message(let message):
        // Attachments come first, because a description after the text could be a part of the text.
        let attachments = (message.attachments ?? []).map { "[\(attachmentText($0))]" }
        return (attachments + [messageText(message.messageText)]).filter { !$0.isEmpty }.joined(separator: " ")
    case .reactionAdd(let reaction):
        let target = reactionTarget(reaction.messageSequenceID, event, targets)
        return "(reacted \(quotedField(reaction.emoji?.string ?? "")) to \(target))"
    case .reactionRemove(let reaction):
        let target = reactionTarget(reaction.messageSequenceID, event, targets)
        return "(took back \(quotedField(reaction.emoji?.string ?? "")) from \(target))"
    case .messageEdit(let edit):
        return "(\(editText(edit, event, targets))) \(messageText(edit.updatedText))"
    default:
        return "(message of another kind)"
    }
}

private func editText(_ edit: MessageEdit, _ event: Event, _ targets: KnownTargets) -> String {
    let number = targets.name(of: edit.messageSequenceID)
    return switch targets.relation(of: event, to: edit.messageSequenceID, onlyMessages: true) {
    case .own: "edited \(number)"
    case .other(let author):
        "\(safeField(event.received.senderID)) tried to edit \(number), a message of \(safeField(author))"
    case .notAMessage: "edit of \(number), which is not a message"
    case .ambiguous: "edit of \(number), the sequence id of several messages"
    case .unknown: "edit of \(number), which is not shown here"
    }
}

private func deletionText(_ deletion: MessageDeleteEvent, _ event: Event, _ targets: KnownTargets) -> String {
    let numbers = deletion.sequenceIDs ?? []
    guard deletion.deleteMessageAction == .deleteForAll else {
        let scope = deletion.deleteMessageAction == .deleteForSelf ? "in their own view" : "with an unknown effect"
        return "deletion of \(limited(numbers.map { targets.name(of: $0) }, ", ")) \(scope)"
    }
    let texts = numbers.map { sequenceID in
        let number = targets.name(of: sequenceID)
        return switch targets.relation(of: event, to: sequenceID, onlyMessages: false) {
        case .own, .notAMessage: "deleted \(number)"
        case .other(let author):
            "\(safeField(event.received.senderID)) tried to delete \(number), a message of \(safeField(author))"
        case .ambiguous: "deletion of \(number), the sequence id of several messages"
        case .unknown: "deletion of \(number), which is not shown here"
        }
    }
    return texts.isEmpty ? "deletion of no message" : limited(texts, "; ")
}

private func reactionTarget(_ sequenceID: SequenceID?, _ event: Event, _ targets: KnownTargets) -> String {
    let number = targets.name(of: sequenceID)
    return switch targets.relation(of: event, to: sequenceID, onlyMessages: false) {
    case .own, .notAMessage: "\(number), a message of \(safeField(event.received.senderID))"
    case .other(let author): "\(number), a message of \(safeField(author))"
    case .ambiguous: "\(number), the sequence id of several messages"
    case .unknown: "\(number), which is not shown here"
    }
}

/// An attachment with the name that its sender gave it.
private func attachmentText(_ attachment: MessageAttachment) -> String {
    switch attachment {
    case .media(let media):
        quotedField(media.filename?.string ?? "") + (media.filesizeBytes.map { ", \($0) bytes" } ?? "")
    case .url(let url): "link \(quotedField(url.url?.string ?? ""))"
    case .post: "post"
    case .unifiedCard: "card"
    case .money, .jetfuel: "payment"
    case .unknown: "attachment of another kind"
    }
}

/// The first 20 of a list, and the number of the rest.
private func limited(_ texts: [String], _ separator: String) -> String {
    let shown = texts.prefix(20).joined(separator: separator)
    return texts.count > 20 ? "\(shown) and \(texts.count - 20) more" : shown
}
