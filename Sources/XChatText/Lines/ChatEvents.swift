package import XChat
import XChatEngine
package import XChatEvents
package import XChatHTTP

/// The text of one event of a chat.
package struct ChatLine: Hashable, Sendable {
    /// The line with number, sender and time.
    package var head: String
    /// The text of a message; nil for other events.
    package var body: String?
}

/// Turns the events of one conversation into lines, gives each message a number, and shows no event twice.
///
/// Text from other users is only in the body, which is indented, or quoted in the head. So a line that starts with `#`
/// or `--` comes from this program, and no message can imitate one.
package struct ChatEvents: Sendable {
    /// A message with a number.
    package struct Message: Sendable {
        /// The server's id; nil until the server has the message.
        package var sequenceID: SequenceID?
        package let isOwn: Bool
    }

    private static let limit = 10_000

    private let userID: UserID
    private var printer = EventPrinter()
    private var targets = KnownTargets(limit: limit)
    private var seen = SeenEvents()
    private var refused: Set<String> = []
    /// The messages of the last numbers.
    package private(set) var messages: [Int: Message] = [:]
    package private(set) var newest: Int?
    package private(set) var newestOwn: Int?
    /// Messages that were sent from this chat, and are already shown.
    private var sent: Set<MessageID> = []
    private var sentSequence: Set<SequenceID> = []

    package init(of userID: UserID) {
        self.userID = userID
    }

    /// The lines of an event.
    ///
    /// - Parameters:
    ///   - opened: The event. The line of an event that did not verify says so and leaves out its text.
    ///   - handles: The handles of senders, for which only the server vouches.
    /// - Returns: The lines; nil for an event that was already shown.
    package mutating func line(_ opened: OpenedEvent, handles: [UserID: Handle]) -> ChatLine? {
        guard let new = opened.unlessRepeated(&seen) else { return nil }
        guard case .success(let event) = new.result, event.isVerified else {
            let text = printer.line(new.result, received: new.received, servedID: new.servedID)
            // An event that did not verify has no digest, so a repeated one is recognised by its line.
            if refused.count >= Self.limit { refused = [] }
            guard refused.insert(text).inserted else { return nil }
            return ChatLine(head: "-- \(text)")
        }
        let received = event.received
        defer { targets.remember(event) }
        if let id = received.messageID, received.senderID == userID, sent.contains(id) { return nil }
        if let id = received.sequenceID, received.senderID == userID, sentSequence.contains(id) { return nil }
        let sender = senderText(received.senderID, handles)
        let time = timeText(received.createdAtMsec).map { "\($0.prefix(10)) \($0.dropFirst(11).prefix(5))Z" } ?? "-"
        let marks = markTexts(of: event).map { " \($0)" }.joined()
        guard case .message = event.contents?.contents else {
            return ChatLine(head: "-- \(sender) \(time)\(marks) \(unindented(eventText(event, targets)))")
        }
        let number = add(Message(sequenceID: received.sequenceID, isOwn: received.senderID == userID))
        return ChatLine(head: "#\(number) \(sender) \(time)\(marks)", body: unindented(eventText(event, targets)))
    }

    /// Gives a message that is sent from this chat a number.
    package mutating func addOwn(_ id: MessageID) -> Int {
        addSent(id)
        return add(Message(sequenceID: nil, isOwn: true))
    }

    /// Records a reaction or an edit that is sent from this chat.
    package mutating func addSent(_ id: MessageID) {
        if sent.count < Self.limit { sent.insert(id) }
    }

    /// Records that the server has a message of this chat.
    package mutating func settle(_ number: Int?, sequenceID: SequenceID?) {
        guard let sequenceID else { return }
        if sentSequence.count < Self.limit { sentSequence.insert(sequenceID) }
        guard let number, messages[number] != nil else { return }
        messages[number]?.sequenceID = sequenceID
        targets.label(sequenceID, as: number)
    }

    private mutating func add(_ message: Message) -> Int {
        let number = (newest ?? 0) + 1
        messages[number] = message
        messages[number - Self.limit] = nil
        newest = number
        if message.isOwn { newestOwn = number }
        if let id = message.sequenceID { targets.label(id, as: number) }
        return number
    }

    /// The sender of a line: this account's user, or an id with the handle that the server names.
    package func senderText(_ sender: UserID?, _ handles: [UserID: Handle]) -> String {
        sender == userID ? "you (\(userID))" : nameText(sender, handles)
    }
}

extension [ChatLine] {
    /// The lines after all but the last messages.
    ///
    /// - Parameter count: How many messages to keep.
    /// - Returns: The lines, and how many earlier messages were left out.
    package func fromLast(_ count: Int) -> (lines: ArraySlice<ChatLine>, leftOut: Int) {
        let leftOut = Swift.max(0, self.count { $0.body != nil } - count)
        var passed = 0
        let lines = drop { line in
            if passed == leftOut { return false }
            if line.body != nil { passed += 1 }
            return true
        }
        return (lines, leftOut)
    }
}

/// The lines of a message's text as they were before ``messageText(_:)`` indented them.
private func unindented(_ text: String) -> String { text.replacing("\n    ", with: "\n") }
