import XChat
import XChatEngine
import XChatEvents
import XChatFiles
import XChatText

/// One chat in the terminal: the events that were shown, and the sent messages whose outcome is not known yet.
actor ChatRoom {
    private let account: Account
    private let conversation: ConversationID
    private let screen = ChatScreen()
    private var events: ChatEvents
    private let names: SenderNames
    /// Whether a message is being enqueued: until that ends, its event cannot be recognised as one of this chat.
    private var isEnqueuing = false
    /// The number of sent messages whose outcome is not known yet.
    private var unsettled = 0
    private let queue = AsyncStream.makeStream(of: Sent.self)
    private var watcher: Task<Void, Never>?

    /// A message, reaction or edit that was sent from this chat.
    private struct Sent: Sendable {
        let id: MessageID
        /// Its number, if it is a message.
        let number: Int?
        /// What to call it.
        let name: String
    }

    init(_ account: Account, _ conversation: ConversationID) {
        self.account = account
        self.conversation = conversation
        events = ChatEvents(of: account.userID)
        names = SenderNames(account)
    }

    // MARK: Events

    /// Shows the last messages of the history; earlier ones are not shown later either.
    func showHistory(last count: Int) async throws {
        let delivery = try await naming(conversation) { try await account.readHistory(of: conversation) }
        let handles = await names.handles(ofSendersIn: delivery.events)
        let (lines, earlier) = delivery.events.compactMap { events.line($0, handles: handles) }.fromLast(count)
        if earlier > 0 { try screen.show("-- \(earlier) earlier messages; read them with: xchat read") }
        for line in lines { try screen.show(line.head, body: line.body) }
        try screen.show("-- /help lists the commands; only the server vouches for a name with ~")
    }

    /// Shows an event that was not shown.
    func show(_ event: OpenedEvent) async throws {
        let handles = await names.handles(ofSendersIn: [event])
        while isEnqueuing, event.received?.senderID == account.userID { try await Task.sleep(for: .milliseconds(10)) }
        guard let line = events.line(event, handles: handles) else { return }
        try screen.show(line.head, body: line.body)
    }

    // MARK: Input

    /// Carries out a line; false for the end of the chat.
    func handle(_ input: ChatInput) async throws -> Bool {
        do {
            switch input {
            case .nothing: try screen.prompt()
            case .quit: return false
            case .help: try screen.show("-- commands:", body: Self.help)
            case .wrong(let reason): try screen.show("-- \(reason)")
            case .text(let text):
                try await sendMessage(text) { try await account.enqueue(.text(text), to: conversation) }
            case .attachment(var path, let text):
                // No shell expands the tilde here.
                if path.utf8.starts(with: "~/".utf8), let home = try Environment.text("HOME") {
                    path = home + String(Substring(path.utf8.dropFirst()))
                }
                let file = path
                try screen.show("-- uploading \(quoted(path))")
                try await sendMessage("[\(quoted(path))] \(text)") {
                    try await account.enqueue(text, files: [file], to: conversation)
                }
            case .reaction(let emoji, let number):
                let (number, target) = try await target(number ?? events.newest)
                try await send(.addReaction(ReactionDraft(emoji, to: target)), as: "reaction to #\(number)")
            case .edit(let text, let number):
                let (number, target) = try await target(number ?? events.newestOwn, isOwn: true)
                try await send(.edit(EditDraft(of: target, text: text)), as: "edit of #\(number)")
            case .deletion(let number):
                let (number, target) = try await target(number ?? events.newestOwn, isOwn: true)
                try await account.delete([target], in: conversation, forEveryone: true)
                try screen.show("-- #\(number) deleted for everyone")
            }
        } catch let error as BrokenPipe {
            throw error
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            try screen.show("-- not done: \(visible(XChatCommand.message(of: error)))")
        }
        return true
    }

    private static let help = """
        TEXT  send a message; //TEXT for one that begins with /
        /attach PATH [TEXT]  send a file; quote a path with spaces
        /react [#N] EMOJI  react to message #N, or to the newest
        /edit [#N] TEXT  give your message #N, or your newest, a new text
        /delete [#N]  delete your message #N, or your newest, for everyone
        /quit  end the chat, as Ctrl-D and Ctrl-C do
        Ctrl-R shows again what you were typing when a message came.
        """

    private func sendMessage(_ text: String, _ enqueue: () async throws -> Account.Receipt) async throws {
        isEnqueuing = true
        defer { isEnqueuing = false }
        let receipt = try await enqueue()
        let number = events.addOwn(receipt.messageID)
        let you = events.senderText(account.userID, [:])
        // A terminal has shown the text while it was typed.
        try screen.show("#\(number) \(you) queued", body: screen.echoes ? nil : visible(text))
        watch(Sent(id: receipt.messageID, number: number, name: "#\(number)"))
    }

    private func send(_ draft: Draft, as name: String) async throws {
        isEnqueuing = true
        defer { isEnqueuing = false }
        let receipt = try await account.enqueue(draft, to: conversation)
        events.addSent(receipt.messageID)
        try screen.show("-- \(name) queued")
        watch(Sent(id: receipt.messageID, number: nil, name: name))
    }

    /// The server's id of a message with a number; if the message is being sent, waits for the id for up to 10 seconds.
    private func target(_ number: Int?, isOwn: Bool = false) async throws -> (number: Int, SequenceID) {
        guard let number else { throw CommandError("there is no message yet") }
        guard let message = events.messages[number] else { throw CommandError("there is no message #\(number) here") }
        guard message.isOwn || !isOwn else { throw CommandError("#\(number) is not your message") }
        let deadline = ContinuousClock.now + .seconds(10)
        while events.messages[number]?.sequenceID == nil, unsettled > 0, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        guard let sequenceID = events.messages[number]?.sequenceID else {
            throw CommandError("the server does not have #\(number) yet; try again when it is sent")
        }
        return (number, sequenceID)
    }

    // MARK: Outcomes

    private func watch(_ sent: Sent) {
        unsettled += 1
        queue.continuation.yield(sent)
        guard watcher == nil else { return }
        let stream = queue.stream
        // The messages of one conversation are sent in order, so their outcomes are known in order.
        watcher = Task { for await sent in stream { await self.settle(sent) } }
    }

    private func settle(_ sent: Sent) async {
        let account = account
        do {
            var entry = try await account.outcome(of: sent.id, orWhen: { $0.failures > 0 })
            if let waiting = entry, waiting.state == .queued {
                let reason = account.workerFailure.map { "\($0)" } ?? waiting.reason ?? "the server did not take it"
                try? screen.show("-- \(sent.name) not sent yet: \(visible(reason)); it is retried")
                entry = try await account.outbox.outcome(of: sent.id)
            }
            unsettled -= 1
            events.settle(sent.number, sequenceID: entry?.sequenceID)
            switch entry?.state {
            case .sent: try? screen.show("-- \(sent.name) sent")
            case .deadLetter:
                let reason = visible(entry?.reason ?? "the server does not take it")
                try? screen.show("-- \(sent.name) not sent: \(reason); it is kept: xchat outbox list")
            default: try? screen.show("-- \(sent.name) not sent: it was taken out of the outbox")
            }
        } catch {
            // The chat ends, or the outbox cannot be read; in that case the next send reports the error.
        }
    }

    /// Waits for the sent messages, but no longer than a limit, and reports how many still wait.
    func finish(within limit: Duration) async {
        let deadline = ContinuousClock.now + limit
        while unsettled > 0, account.workerFailure == nil, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(20))
        }
        try? screen.end()
        guard unsettled > 0 else { return }
        Output.note(
            "xchat: \(unsettled) of your messages are not sent yet; they wait in the outbox: xchat outbox retry"
        )
    }
}
