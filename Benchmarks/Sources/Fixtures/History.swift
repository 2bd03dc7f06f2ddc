public import XChatEngine
import XChatEvents

/// Messages of 200 bytes in a group, as a server hands them out.
public struct History: Sendable {
    private let reader: Session
    private let lines: [String]

    /// Writes a history in which all members take turns.
    public init(senders: Int, count: Int, suite: SuiteName = .xchat) throws {
        let key = try ConversationKey.generate()
        var reader = try Session(userID: "1", privateKeys: try PrivateKeys.generate(suite), signingKeyVersion: "1")
        try reader.addConversationKey(key, in: People.group, version: "1001")
        var writers: [Session] = []
        for number in 0..<senders {
            let user = People.other(number)
            let keys = try PrivateKeys.generate(suite)
            let pin = try keys.verifiedKey(userID: user, version: "1")
            var writer = try Session(userID: user, privateKeys: keys, signingKeyVersion: "1")
            writer.trust([pin])
            try writer.addConversationKey(key, in: People.group, version: "1001")
            reader.trust([pin])
            writers.append(writer)
        }
        self.reader = reader
        lines = try (0..<count).map { number in
            let message = try writers[number % senders].seal(.text(text(200)), in: People.group)
            return Base64.encode(message.event.encoded())
        }
    }

    private struct NotOpened: Error {}

    /// Goes from base64 to the contents of the first messages, by default all.
    ///
    /// A batch that does not open would be measured as a fast one: it throws.
    public func open(first count: Int? = nil) throws {
        var reader = reader
        let events = try lines.prefix(count ?? lines.count).map { line in
            Result<MessageEvent, XChatError>.success(try MessageEvent(base64: line))
        }
        for result in reader.open(events) {
            guard try result.get().contents != nil else { throw NotOpened() }
        }
    }
}
