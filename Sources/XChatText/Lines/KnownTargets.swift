import XChat
import XChatEngine
import XChatEvents

/// The newest messages that were shown, by their sequence ids.
///
/// The server decides which message has a sequence id. Only ids are stored and no contents, so the size is bounded.
struct KnownTargets: Sendable {
    /// How an event relates to the message that it names.
    enum Relation: Hashable, Sendable {
        /// The author of the event wrote the message.
        case own
        /// Another user wrote the message.
        case other(author: UserID?)
        /// The author of the event signed the event with this sequence id, and that is not a message.
        case notAMessage
        /// Different messages were shown under this sequence id.
        case ambiguous
        /// No message was shown under this sequence id.
        case unknown
    }

    private struct Target: Hashable {
        let sender: UserID?
        let conversation: ConversationID?
        let messageID: MessageID?
        let isMessage: Bool
    }

    private enum Entry {
        case one(Target)
        case several
    }

    private let limit: Int
    private var entries: [SequenceID: Entry] = [:]
    /// The sequence ids in the order in which they were added; a ring buffer once it is full.
    private var order: [SequenceID] = []
    private var oldest = 0
    /// The numbers of the messages that are shown with a number.
    private var labels: [SequenceID: Int] = [:]

    init(limit: Int) {
        self.limit = max(limit, 1)
    }

    /// Remembers a verified message, reaction or edit.
    mutating func remember(_ event: Event) {
        let received = event.received
        guard event.isVerified, let contents = event.contents, let sequenceID = received.sequenceID,
            sequenceID.isValid, isBounded(received.senderID), isBounded(received.conversationID),
            isBounded(received.messageID)
        else { return }
        var isMessage = false
        if case .message = contents.contents { isMessage = true }
        let target = Target(
            sender: received.senderID,
            conversation: received.canonicalConversationID,
            messageID: received.messageID,
            isMessage: isMessage
        )
        guard let known = entries[sequenceID] else {
            entries[sequenceID] = .one(target)
            return record(sequenceID)
        }
        if case .one(let other) = known, other != target { entries[sequenceID] = .several }
    }

    /// Gives the message of a sequence id a number.
    mutating func label(_ sequenceID: SequenceID, as number: Int) {
        guard labels.count < limit || labels[sequenceID] != nil else { return }
        labels[sequenceID] = number
    }

    /// How a line names a message: by its number, or else by its sequence id.
    func name(of sequenceID: SequenceID?) -> String {
        sequenceID.flatMap { labels[$0] }.map { "#\($0)" } ?? safeNumber(sequenceID)
    }

    /// How an event relates to the message with a sequence id.
    ///
    /// - Parameters:
    ///   - event: An edit, a deletion or a reaction.
    ///   - sequenceID: The sequence id that it names.
    ///   - onlyMessages: Whether its target must be a message, as that of an edit.
    /// - Returns: The relation; `unknown` also for a message of another conversation.
    func relation(of event: Event, to sequenceID: SequenceID?, onlyMessages: Bool) -> Relation {
        guard let entry = sequenceID.flatMap({ entries[$0] }) else { return .unknown }
        guard case .one(let target) = entry else { return .ambiguous }
        guard let conversation = event.received.canonicalConversationID, conversation == target.conversation else {
            return .unknown
        }
        guard event.isVerified, let sender = event.received.senderID, sender == target.sender else {
            return .other(author: target.sender)
        }
        return onlyMessages && !target.isMessage ? .notAMessage : .own
    }

    private mutating func record(_ sequenceID: SequenceID) {
        guard order.count >= limit else { return order.append(sequenceID) }
        entries[order[oldest]] = nil
        order[oldest] = sequenceID
        oldest = (oldest + 1) % limit
    }

    /// Whether an id is short enough to be kept; the engine accepts none that is longer.
    private func isBounded(_ id: (some WireText)?) -> Bool { (id?.utf8.count ?? 0) <= 64 }
}
