import ArgumentParser
import Foundation
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP

/// How long commands that send try.
struct SendingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How many seconds to try at most, 1 to 86400; what is not sent by then waits in the outbox.",
            valueName: "seconds"
        )
    )
    var timeout = 20

    func validate() throws {
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout takes 1 to 86400 seconds.") }
    }
}

/// Sends through the durable outbox: the one way of every command that sends.
struct Sender {
    private(set) var remote: RemoteSession
    private let outbox: Outbox
    private let timeout: Duration

    init(_ state: StateOptions, _ server: ServerOptions, _ sending: SendingOptions) throws {
        remote = try RemoteSession(state, server)
        outbox = try state.outbox(of: remote.session.userID, server)
        timeout = .seconds(sending.timeout)
    }

    /// Encrypts a draft once, posts it after what still waits of its conversation, and says what became of it.
    ///
    /// The newest key of the state is used; where there is none, the conversation's key changes are fetched.
    /// - Parameters:
    ///   - draft: What to send.
    ///   - conversation: The canonical id.
    ///   - rotates: Whether the conversation gets a new key first where the newest one must not encrypt any more.
    /// - Returns: What the command prints.
    /// - Throws: Why nothing was sent, or not yet.
    mutating func send(
        _ draft: Draft,
        in conversation: ConversationID,
        rotates: Bool = false
    ) async throws -> JSONValue {
        _ = try await remote.encryptingVersion(in: conversation, rotates: rotates)
        return try await send(try remote.session.seal(draft, in: conversation))
    }

    /// Uploads files under the conversation's newest key, and sends a text with them.
    mutating func send(
        _ text: String,
        with files: [AttachmentFile],
        in conversation: ConversationID,
        isQuiet: Bool,
        rotates: Bool = false
    ) async throws -> JSONValue {
        // What is uploaded under a key cannot be encrypted again under another: now is the time to learn of a newer one.
        try await remote.refreshKeys(of: conversation)
        let version = try await remote.encryptingVersion(in: conversation, rotates: rotates)
        // Whatever would refuse the message does so before anything is uploaded.
        let draft = MessageDraft(text, attachments: files.map { .media($0.attachment("unknown")) })
        _ = try remote.session.seal(.message(draft), in: conversation)
        let key = try await remote.key(of: conversation, version: version)
        var attachments: [MessageAttachment] = []
        for (index, file) in files.enumerated() {
            let label = files.count == 1 ? "uploading" : "uploading \(index + 1) of \(files.count)"
            attachments.append(
                .media(
                    try await remote.upload(file, under: key.key, in: conversation, label: label, isQuiet: isQuiet)
                )
            )
        }
        let message = MessageDraft(text, attachments: attachments)
        // An upload takes its time, in which another process may have counted a removal.
        try remote.refresh()
        return try await send(
            try remote.session.seal(.message(message), in: conversation, keyVersion: key.version)
        )
    }

    private func send(_ message: SealedMessage) async throws -> JSONValue {
        try outbox.enqueue(message)
        let earlier = try queue(before: message)
        try hurry(earlier)
        let watch = Task { await tellFirstFailure(before: message) }
        defer { watch.cancel() }
        var failure: (any Error)?
        do {
            try await remote.drain(outbox, until: message.messageID, timeout: timeout)
        } catch {
            // It may have been another conversation's; what became of this message is in the outbox.
            failure = error
        }
        try? tellWhatWasSetAside(of: earlier)
        return try outcome(of: message, failure)
    }

    private func outcome(of message: SealedMessage, _ failure: (any Error)?) throws -> JSONValue {
        let entry = try outbox.entry(message.messageID)
        let id = entry?.messageID ?? message.messageID
        switch entry?.state {
        case .sent:
            return [
                "message_id": .string(id),
                "sequence_id": .init(entry?.sequenceID),
                "conversation_id": .string(message.conversationID.value),
            ]
        case .setAside:
            throw CommandError(
                "not sent: \(entry?.reason ?? "the server does not take the message"); it is kept in the outbox, out of "
                    + "the way of later messages, as \(id): xchat outbox retry ID, or drop ID"
            )
        case .queued:
            let reason = try failure.map { "\($0)" } ?? firstFailure(before: message) ?? "the time was up"
            throw CommandError(
                "not sent yet: \(reason); it waits in the outbox as \(id), and goes with the next message of this "
                    + "conversation or with: xchat outbox retry"
            )
        case .dropped, .replaced, nil:
            throw CommandError("not sent: another command took the message \(id) out of the outbox")
        }
    }

    /// Ends the waiting of earlier messages that could not be posted: whoever sends now believes in the network.
    private func hurry(_ waiting: [OutboxEntry]) throws {
        guard let first = waiting.first else { return }
        let (count, goes) =
            waiting.count == 1 ? ("an earlier message", "goes") : ("\(waiting.count) earlier messages", "go")
        Output.note("xchat: \(count) of this conversation waited in the outbox, and \(goes) first")
        // One that fails for another reason is counted, until it is set aside.
        let isUnreachable = ["connection", "timed_out", "server"].contains(first.reason?.prefix { $0 != ":" } ?? "")
        if first.failures > 0, isUnreachable { try outbox.hurry(first.messageID, mayBeFinished: true) }
    }

    /// What became of this message says nothing about those that went before it.
    private func tellWhatWasSetAside(of earlier: [OutboxEntry]) throws {
        for entry in earlier {
            guard let now = try outbox.entry(entry.messageID), now.state == .setAside else { continue }
            Output.warning(
                "the earlier message \(now.messageID) was not sent and is set aside: \(visible(now.reason ?? ""))"
            )
        }
    }

    private func tellFirstFailure(before message: SealedMessage) async {
        while !Task.isCancelled {
            if let reason = try? firstFailure(before: message) {
                Output.note(
                    "xchat: not sent yet: \(visible(reason)); the message is safe in the outbox, and is tried again"
                )
                return
            }
            try? await Task.sleep(for: .milliseconds(250))
        }
    }

    /// Why the head of the queue is where it is.
    private func firstFailure(before message: SealedMessage) throws -> String? {
        let queue = try outbox.list([.queued]).filter { $0.conversationID == message.conversationID }
        guard let head = queue.first else { return nil }
        if head.failures > 0, let reason = head.reason { return reason }
        guard let time = head.notBefore, time > Date() else { return nil }
        return "the server takes no more before \(time.formatted(.iso8601))"
    }

    private func queue(before message: SealedMessage) throws -> [OutboxEntry] {
        try outbox.list([.queued]).filter {
            $0.conversationID == message.conversationID && $0.messageID != message.messageID
        }
    }
}

extension RemoteSession {
    /// The version of the key that encrypts now; fetched where the state has none.
    mutating func encryptingVersion(in conversation: ConversationID, rotates: Bool) async throws -> KeyVersion {
        if session.keyRing.newestVersion(in: conversation) == nil {
            try await fetchKeys(of: conversation)
        }
        try refresh()
        do {
            return try session.encryptingVersion(in: conversation)
        } catch {
            guard rotates, [.rotationNeeded, .disputedKey].contains(error.code) else {
                throw AccountError(error, conversation: conversation)
            }
        }
        _ = try await changeKey(of: conversation)
        Output.note("xchat: \(conversation) has a new key")
        return try session.encryptingVersion(in: conversation)
    }

    /// Learns the keys of a conversation from its history.
    mutating func fetchKeys(of conversation: ConversationID) async throws {
        do {
            _ = try await history(of: conversation)
        } catch let error as APIError {
            throw hint(error, conversation)
        }
    }

    /// Learns the newest keys of a conversation; from the whole history where the state has none, and for every group: its
    /// members decide which keys encrypt.
    mutating func refreshKeys(of conversation: ConversationID) async throws {
        guard session.keyRing.newestVersion(in: conversation) != nil, !conversation.isGroup else {
            return try await fetchKeys(of: conversation)
        }
        do {
            let page = try await client.events(in: try ConversationTarget(conversation), maxResults: 1)
            _ = try await open([], keyEvents: page.keyEvents, in: conversation)
        } catch let error as APIError {
            throw hint(error, conversation)
        }
    }

    private func hint(_ error: APIError, _ conversation: ConversationID) -> any Error {
        guard error.code == .notFound else { return error }
        return CommandError("the server has no conversation \(conversation); begin it with: xchat conversation start")
    }

    /// Posts what waits in an outbox until one message of it is settled, with newer keys where they are needed.
    func drain(_ outbox: Outbox, until messageID: WireString, timeout: Duration) async throws {
        let source = OutboxSession(self)
        try await outbox.drain(client: client, until: messageID, timeout: timeout) { conversation in
            try await source.renewed(conversation)
        }
    }
}

/// Fetches newer conversation keys when a message was refused for a stale one.
private actor OutboxSession {
    private var remote: RemoteSession

    init(_ remote: RemoteSession) {
        self.remote = remote
    }

    func renewed(_ conversation: ConversationID) async throws -> Session {
        // The actor could take another call in between; a copy that is put back keeps the calls apart.
        var remote = remote
        _ = try await remote.history(of: conversation)
        self.remote = remote
        return remote.session
    }
}
