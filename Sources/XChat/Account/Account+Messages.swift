public import XChatEngine
public import XChatEvents

public import struct Foundation.Date

extension Account {
    /// The verified and decrypted messages of all conversations: each once, and in order within a conversation.
    ///
    /// A message counts as handled when the loop asks for the next one; then the position is saved, and a later run
    /// continues from there. After a crash in the body of the loop, the same message is returned again. Messages that
    /// arrived while no process was running are read from the history first. A message whose key arrived late is marked
    /// ``Message/isLate``. Events that do not verify go to ``problems``.
    /// - Parameter consumer: A name, 1 to 200 bytes; each consumer has its own position in each conversation.
    /// - Returns: The messages. The sequence throws ``AccountError`` with `already_following` while another task or
    ///   process uses the same consumer name, and with `closed` for a closed account. It throws `APIError`, for example
    ///   `unauthorized`, if waiting cannot resolve the failure. A sequence that is being read ends with ``close()``.
    public func messages(consumer: String = "default") -> Messages {
        Messages(events: events(consumer: consumer))
    }

    /// The events of all conversations, except key change events: messages, edits, reactions, deletions, group changes,
    /// and events of kinds that are never signed.
    ///
    /// - Parameter consumer: As for ``messages(consumer:)``. Messages and events share the positions of a consumer: use
    ///   only one of the two with a consumer name.
    /// - Returns: The events.
    public func events(consumer: String = "default") -> Events {
        Events(account: self, consumer: consumer)
    }

    /// Handles messages of several conversations at the same time, those of one conversation one after the other.
    ///
    /// - Parameters:
    ///   - count: How many messages are handled at the same time, at least 1.
    ///   - consumer: As for ``messages(consumer:)``.
    ///   - body: Handles a message; when it returns, the message counts as handled.
    /// - Throws: What `body` throws, and what the sequence of ``messages(consumer:)`` throws.
    public func messages(
        inParallel count: Int,
        consumer: String = "default",
        _ body: @escaping @Sendable (Message) async throws -> Void
    ) async throws {
        let feed = try await Feed.open(self, consumer: consumer)
        startWorker()
        let result = await Result { () async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<max(1, count) {
                    group.addTask { try await self.work(feed, body) }
                }
                try await group.waitForAll()
            }
        }
        await feed.stop()
        try result.get()
    }

    private func work(_ feed: Feed, _ body: @Sendable (Message) async throws -> Void) async throws {
        while var turn = try await nextTurn(of: feed) {
            do {
                while let item = turn.pop() {
                    let context = ReplyContext(consumer: feed.consumer, message: item.digest)
                    if case .success(let event) = item.opened.result,
                        let message = Message(event, in: turn.conversation, item.isLate, self, context)
                    {
                        try await body(message)
                    }
                    try await turn.handled(item, calls: context.close(), in: feed.cursors)
                }
            } catch {
                await feed.end(turn)
                throw error
            }
            await feed.end(turn)
        }
    }

    /// The next turn of a feed; nil after ``close()``.
    func nextTurn(of feed: Feed) async throws -> Turn? {
        do {
            return try await whileOpen { try await feed.turn() }
        } catch let error as AccountError where error.code == .closed {
            return nil
        }
    }

    /// A message that was verified and decrypted.
    public struct Message: Sendable {
        /// The message as the engine received it.
        public let received: ReceivedMessage
        /// Whether the message was first refused because a key was missing, and accepted after the key arrived.
        public let isLate: Bool
        let account: Account
        let context: ReplyContext

        init?(
            _ event: XChatEngine.Event,
            in conversation: ConversationID,
            _ isLate: Bool,
            _ account: Account,
            _ context: ReplyContext
        ) {
            guard let received = event.message else { return nil }
            self.received = received
            self.isLate = isLate
            self.account = account
            self.context = context
        }

        /// The user who signed the message.
        public var sender: UserID { received.sender }
        /// The conversation.
        public var conversation: ConversationID { received.conversation }
        /// The text; nil for a message without one.
        public var text: String? { received.text }
        /// The attachments.
        public var attachments: [MessageAttachment] { received.attachments }
        /// When the message was sent, as the server says; no signature covers the time, so the server can choose it.
        public var sentAt: Date? { received.sentAt }
        /// The server's sequence id.
        public var sequenceID: SequenceID? { received.sequenceID }
        /// Whether the sender is this account's user, on any device.
        public var isOwn: Bool { received.sender == account.userID }
    }

    /// An event of any kind.
    public struct Event: Sendable {
        /// The event as the engine accepted it.
        public let event: XChatEngine.Event
        /// The conversation of the event.
        public let conversation: ConversationID
        /// Whether the event was first refused because a key was missing, and accepted after the key arrived.
        public let isLate: Bool
        let account: Account
        let context: ReplyContext

        /// The message; nil for an event of another kind.
        public var message: Message? { Message(event, in: conversation, isLate, account, context) }
        /// Whether the sender is this account's user, on any device.
        public var isOwn: Bool { event.received.senderID == account.userID }
    }

    /// The events of all conversations, for one task.
    public struct Events: AsyncSequence, Sendable {
        let account: Account
        let consumer: String

        /// Starts at the consumer's position.
        public func makeAsyncIterator() -> Iterator { Iterator(account: account, consumer: consumer) }

        /// An iterator over the events.
        public final class Iterator: AsyncIteratorProtocol {
            private let account: Account
            private let consumer: String
            private var feed: Feed?
            private var turn: Turn?
            private var given: (item: Turn.Item, context: ReplyContext)?

            init(account: Account, consumer: String) {
                self.account = account
                self.consumer = consumer
            }

            deinit {
                guard let feed else { return }
                Task { await feed.stop() }
            }

            /// The next event; the previous one counts as handled.
            ///
            /// Nil after ``Account/close()``.
            public func next() async throws -> Event? {
                let feed = try await openedFeed()
                if let (item, context) = given {
                    given = nil
                    try await turn?.handled(item, calls: context.close(), in: account.store)
                }
                while true {
                    if let item = turn?.pop() {
                        guard case .success(let event) = item.opened.result, let turn else { continue }
                        let context = ReplyContext(consumer: consumer, message: item.digest)
                        given = (item, context)
                        return Event(
                            event: event,
                            conversation: turn.conversation,
                            isLate: item.isLate,
                            account: account,
                            context: context
                        )
                    }
                    if let turn { await feed.end(turn) }
                    turn = try await account.nextTurn(of: feed)
                    if turn == nil { return nil }
                }
            }

            private func openedFeed() async throws -> Feed {
                if let feed { return feed }
                let new = try await Feed.open(account, consumer: consumer)
                feed = new
                account.startWorker()
                return new
            }
        }
    }

    /// The messages of all conversations, for one task.
    public struct Messages: AsyncSequence, Sendable {
        let events: Events

        /// Starts at the consumer's position.
        public func makeAsyncIterator() -> Iterator { Iterator(events: events.makeAsyncIterator()) }

        /// An iterator over the messages.
        public struct Iterator: AsyncIteratorProtocol {
            let events: Events.Iterator

            /// The next message; the previous one counts as handled.
            public func next() async throws -> Message? {
                while let event = try await events.next() {
                    if let message = event.message { return message }
                }
                return nil
            }
        }
    }
}
